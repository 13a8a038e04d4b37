"""The locally connected layer: a convolution that has a kernel of its own at every place.

    output[n,f,i]   = b + sum over c,u of input[n,c,cell(i,u)] * kernel[i,f,c,u]
    dW[i,f,c,u]     = sum over n of delta[n,f,i] * input[n,c,cell(i,u)]
    db              = the sum of delta over the batch, and over the places where the bias is one a filter
    dX[n,c,z]       = sum over f and all i,u with cell(i,u) = z of delta[n,f,i] * kernel[i,f,c,u]

A shared kernel's dW is the sum of these dW over the places. Source: LeCun et al., "Backpropagation applied to
handwritten zip code recognition" (1989), which introduces sharing by just that constraint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from convgrad.core.axis import Ints, Padding
from convgrad.core.element import Array
from convgrad.core.quantity import Quantity
from convgrad.core.results import by_w, by_x, by_y, count
from convgrad.core.sum import Part, Sum
from convgrad.core.windows import Windows
from convgrad.errors import ShapeError, by
from convgrad.layers import Parameter
from convgrad.layers.shapes import bias_of, check_shape, input_of, kernel_of, pair_of


@dataclass(frozen=True, eq=False, repr=False)
class Unshared:
    """A locally connected layer: kernel (*places, F, C, *k), bias (F,) or (*places, F).

    Without a kernel, `kernel_size` says its spatial size, and dW and db are all there is. The other options are
    those of `Windows.fit`, and `flip` as in Conv.
    """

    kernel: Array | None = None
    bias: Array | None = None
    stride: Ints = 1
    padding: Padding = 0
    dilation: Ints = 1
    flip: bool = False
    pad_mode: str = "zeros"
    kernel_size: Ints = field(default=())
    placed: Windows | None = None
    """Where the kernel is believed to lie, in place of what the options say: how a mistake sees it."""

    known_as: ClassVar[str] = "unshared"
    input_axes: ClassVar[str] = "NC*"
    output_axes: ClassVar[str] = "NF*"

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The kernel of every place, and the bias: one number a filter, or one a place and filter."""
        bias = "PF" if getattr(self.bias, "ndim", 1) > 1 else "F"
        return {"W": Parameter("kernel", "PFI*"), "b": Parameter("bias", bias, added=True)}

    def windows(self, x: Array) -> Windows:
        """x (N, C, *sizes) -> where the kernels lie; ShapeError where they do not fit."""
        if self.placed is not None:
            return self.placed
        d = x.ndim - 2
        size = self.kernel.shape[-d:] if self.kernel is not None else self.kernel_size
        return Windows.fit(x.shape[2:], size, self.stride, self.padding, self.dilation, mode=self.pad_mode)

    def kernels_giving(self, x: Array, places: Sequence[int]) -> list[range]:
        """For each axis the kernel sizes under which the output would have `places`."""
        base = Windows.fit(x.shape[2:], 1, self.stride, 0, self.dilation)
        return base.kernels_giving(places, self.padding)

    def output_shape(self, x: Array, filters: int) -> tuple[int, ...]:
        """x (N, C, *sizes) -> (N, F, *places); ShapeError where kernel or bias does not belong to it."""
        windows = self.windows(x)
        if self.kernel is not None:
            wanted = (*windows.places, filters, x.shape[1], *windows.kernel)
            if self.kernel.shape != wanted:
                raise ShapeError(
                    f"the unshared kernel is {by(self.kernel.shape)}, but expected is {by(wanted)}",
                    hint="an unshared kernel is (places, F, C, kernel)",
                )
        if self.bias is not None and self.bias.shape not in ((filters,), (*windows.places, filters)):
            raise ShapeError(
                f"the bias is {by(self.bias.shape)}, but expected is {filters} or {by((*windows.places, filters))}"
            )
        return (len(x), filters, *windows.places)

    def sum(self, x: Array, delta: Array | None = None) -> Sum:
        """x (N, C, *sizes), delta (N, F, *places) -> the sum that they have a part in."""
        input_, kernel = Part("input", "NC*", x), Part("kernel", "PFI*", self.kernel)
        return Sum(input_, kernel, Part("delta", "NF*", delta), self.windows(x), flip=self.flip)

    def forward(self, x: Array) -> Quantity:
        """x (N, C, *sizes), kernel (*places, F, C, *k) -> output (N, F, *places)."""
        x = input_of(self, x)
        self.output_shape(x, kernel_of(self).shape[x.ndim - 2])
        bias = bias_of(self)
        rule = "the sum of {input} x the {kernel} of the place" + ("" if bias is None else ", plus the bias")
        return by_y(self.sum(x), "output", rule, bias)

    def backward(self, x: Array, delta: Array) -> tuple[Quantity, ...]:
        """x (N, C, *sizes), delta (N, F, *places) -> dW (*places, F, C, *k), db like the bias, dX like x.

        db is (F,) where there is no bias. ShapeError where delta does not have the output's shape.
        """
        x, delta = pair_of(self, x, delta)
        filters = delta.shape[1] if self.kernel is None else self.kernel.shape[x.ndim - 2]
        check_shape("delta", delta, self.output_shape(x, filters))
        s = self.sum(x, delta)
        dW = by_w(s, "dW", "{delta} x the {input} {marked}, at its place")
        db = count(s, "db", self.parameters["b"].axes, "{delta}")
        if self.kernel is None:
            return dW, db
        return dW, db, by_x(s, "dX", "{delta} x the {kernel} of the place, laid on the same cells")
