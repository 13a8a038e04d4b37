"""The transposed convolution: the map that a convolution's dX is, as a layer of its own.

Its input is the sum's y, output and delta are its x (core/sum.py): cell(i,u) lies on the *output*. For every input
place i (kernel (C, F/groups, *k), as PyTorch has it)::

    output[n,f,z] = b[f] + sum over c and all i,u with cell(i,u) = z of input[n,c,i] * kernel[c,f,u]
    dW[c,f,u]     = sum over n,i of input[n,c,i] * delta[n,f,cell(i,u)]
    db[f]         = sum over n,z of delta[n,f,z]
    dX[n,c,i]     = sum over f,u of delta[n,f,cell(i,u)] * kernel[c,f,u]

Source: Zeiler et al., "Deconvolutional networks" (2010); Dumoulin & Visin (2016), chapter 4.
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
class Transposed:
    """A transposed convolutional layer.

    kernel (C, F/groups, *k), bias (F,). `padding` is cropped from the full result, each side as given
    (`same`: output = input times stride); `output_padding` cells are added at the end. Without a kernel,
    `kernel_size` says its spatial size, and dW and db are all there is.
    """

    kernel: Array | None = None
    bias: Array | None = None
    stride: Ints = 1
    padding: Padding = 0
    dilation: Ints = 1
    groups: int = 1
    flip: bool = False
    output_padding: Ints = 0
    kernel_size: Ints = field(default=())
    placed: Windows | None = None
    """Where the kernel is believed to lie, in place of what the options say: how a mistake sees it."""

    known_as: ClassVar[str] = "transposed"
    input_axes: ClassVar[str] = "NC*"
    output_axes: ClassVar[str] = "NF*"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "W": Parameter("kernel", "KJ*"),
        "b": Parameter("bias", "F", added=True),
    }

    def windows(self, x: Array) -> Windows:
        """x (N, C, *places) -> where the kernel lies on the output, whose sizes these windows have."""
        if self.placed is not None:
            return self.placed
        size = self.kernel.shape[2:] if self.kernel is not None else self.kernel_size
        return Windows.transposed(x.shape[2:], size, self.stride, self.padding, self.dilation, self.output_padding)

    def kernels_giving(self, x: Array, sizes: Sequence[int]) -> list[range]:
        """For each axis the kernel sizes under which the output would have `sizes`."""
        return Windows.transposed_kernels_giving(
            sizes, x.shape[2:], self.stride, self.padding, self.dilation, self.output_padding
        )

    def output_shape(self, x: Array, filters: int) -> tuple[int, ...]:
        """x (N, C, *places) -> (N, F, *sizes); ShapeError where channels, filters, groups and bias disagree."""
        check_groups(x.shape[1], filters, self.groups)
        if self.kernel is not None and len(self.kernel) != x.shape[1]:
            raise ShapeError(
                f"the kernel is for {len(self.kernel)} input channels, but the input has {x.shape[1]}",
                hint="a transposed convolution's kernel is (C, F/groups, ...)",
            )
        if self.bias is not None:
            check_shape("the bias", self.bias, (filters,))
        return (len(x), filters, *self.windows(x).sizes)

    @property
    def filters(self) -> int:
        """Output channels that the kernel has; ShapeError where there is no kernel."""
        return kernel_of(self).shape[1] * self.groups

    def sum(self, x: Array, delta: Array | None = None) -> Sum:
        """x (N, C, *places), delta (N, F, *sizes) -> the sum that they have a part in."""
        kernel, input_ = Part("kernel", "KJ*", self.kernel), Part("input", "NC*", x)
        delta_ = Part("delta", "NF*", delta)
        return Sum(delta_, kernel, input_, self.windows(x), self.groups, self.flip, lies_on="y")

    def forward(self, x: Array) -> Quantity:
        """x (N, C, *places), kernel (C, F/groups, *k) -> output (N, F, *sizes)."""
        x = input_of(self, x)
        self.output_shape(x, self.filters)
        bias = bias_of(self)
        rule = "{input} x {kernel}, laid on the output" + ("" if bias is None else "; the bias is there first")
        return by_x(self.sum(x), "output", rule, bias)

    def backward(self, x: Array, delta: Array) -> tuple[Quantity, ...]:
        """x (N, C, *places), delta (N, F, *sizes) -> dW like the kernel, db (F,), dX like x.

        ShapeError where delta does not have the output's shape. Without a kernel there is no dX.
        """
        x, delta = pair_of(self, x, delta)
        filters = delta.shape[1] if self.kernel is None else self.filters
        check_shape("delta", delta, self.output_shape(x, filters))
        s = self.sum(x, delta)
        dW = by_w(s, "dW", "{input} x the {delta} under the {kernel}")
        db = count(s, "db", "F", "", of="x")
        if self.kernel is None:
            return dW, db
        return dW, db, by_y(s, "dX", "the sum of the {delta} under the {kernel} x {kernel}")
