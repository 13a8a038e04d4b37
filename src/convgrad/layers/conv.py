"""The convolutional layer: cross-correlation with shared weights, and its three gradients.

The input is the sum's x, the kernel its w, output and delta its y (core/sum.py): for example n, filter f, place i::

    output[n,f,i] = b[f] + sum over c,u of input[n,c,cell(i,u)] * kernel[f,c,u]
    dW[f,c,u]     =        sum over n,i of delta[n,f,i] * input[n,c,cell(i,u)]
    db[f]         =        sum over n,i of delta[n,f,i]
    dX[n,c,z]     =        sum over f and all i,u with cell(i,u) = z of delta[n,f,i] * kernel[f,c,u]

Source: the chain rule; the same sums as Dumoulin & Visin, "A guide to convolution arithmetic" (2016).
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
from convgrad.errors import ShapeError
from convgrad.layers import Parameter
from convgrad.layers.shapes import bias_of, check_groups, check_shape, input_of, kernel_of, pair_of


@dataclass(frozen=True, eq=False, repr=False)
class Conv:
    """A convolutional layer.

    kernel (F, C/groups, *k) and bias (F,) may be missing: without a kernel, `kernel_size` says its spatial
    size, and dW and db are all there is. `flip` rotates the kernel by 180 degrees first (true convolution
    in place of cross-correlation). The other options are those of `Windows.fit`.
    """

    kernel: Array | None = None
    bias: Array | None = None
    stride: Ints = 1
    padding: Padding = 0
    dilation: Ints = 1
    groups: int = 1
    flip: bool = False
    pad_mode: str = "zeros"
    kernel_size: Ints = field(default=())
    placed: Windows | None = None
    """Where the kernel is believed to lie, in place of what the options say: how a mistake sees it."""

    known_as: ClassVar[str] = "conv"
    input_axes: ClassVar[str] = "NC*"
    output_axes: ClassVar[str] = "NF*"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "W": Parameter("kernel", "FI*"),
        "b": Parameter("bias", "F", added=True),
    }

    def windows(self, x: Array) -> Windows:
        """x (N, C, *sizes) -> where the kernel lies; ShapeError where it does not fit."""
        if self.placed is not None:
            return self.placed
        size = self.kernel.shape[2:] if self.kernel is not None else self.kernel_size
        return Windows.fit(x.shape[2:], size, self.stride, self.padding, self.dilation, mode=self.pad_mode)

    def kernels_giving(self, x: Array, places: Sequence[int]) -> list[range]:
        """For each axis the kernel sizes under which the output would have `places`."""
        base = Windows.fit(x.shape[2:], 1, self.stride, 0, self.dilation)
        return base.kernels_giving(places, self.padding)

    def output_shape(self, x: Array, filters: int) -> tuple[int, ...]:
        """x (N, C, *sizes) -> (N, F, *places); ShapeError where channels, filters, groups and bias disagree."""
        channels, groups, kernel = x.shape[1], self.groups, self.kernel
        check_groups(channels, filters, groups)
        if kernel is not None and kernel.shape[1] * groups != channels:
            fits = channels % kernel.shape[1] == 0 and filters % (channels // kernel.shape[1]) == 0
            hint = f"that fits groups={channels // kernel.shape[1]}" if fits else ""
            raise ShapeError(
                f"the kernel has {kernel.shape[1]} input channels, but the input has {channels}"
                + (f" in {groups} groups of {channels // groups}" if groups > 1 else ""),
                hint=hint,
            )
        if self.bias is not None:
            check_shape("the bias", self.bias, (filters,))
        return (len(x), filters, *self.windows(x).places)

    def sum(self, x: Array, delta: Array | None = None) -> Sum:
        """x (N, C, *sizes), delta (N, F, *places) -> the sum that they have a part in."""
        input_, kernel = Part("input", "NC*", x), Part("kernel", "FI*", self.kernel)
        return Sum(input_, kernel, Part("delta", "NF*", delta), self.windows(x), self.groups, self.flip)

    def forward(self, x: Array) -> Quantity:
        """x (N, C, *sizes), kernel (F, C/groups, *k) -> output (N, F, *places)."""
        x = input_of(self, x)
        self.output_shape(x, len(kernel_of(self)))
        bias = bias_of(self)
        rule = "the sum of {input} x {kernel}" + ("" if bias is None else ", plus the bias")
        return by_y(self.sum(x), "output", rule, bias)

    def backward(self, x: Array, delta: Array) -> tuple[Quantity, ...]:
        """x (N, C, *sizes), delta (N, F, *places) -> dW like the kernel, db (F,), dX like x.

        Summed over the batch, not averaged. Without a kernel there is no dX. ShapeError where delta does
        not have the output's shape.
        """
        x, delta = pair_of(self, x, delta)
        check_shape("delta", delta, self.output_shape(x, delta.shape[1] if self.kernel is None else len(self.kernel)))
        s = self.sum(x, delta)
        dW = by_w(s, "dW", "{delta} x the {input} {marked}")
        db = count(s, "db", "F", "{delta}")
        if self.kernel is None:
            return dW, db
        return dW, db, by_x(s, "dX", "{delta} x {kernel}, laid on the same cells")
