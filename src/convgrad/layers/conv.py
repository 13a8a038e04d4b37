"""The convolutional layer: cross-correlation with shared weights, and its three gradients.

In the notation of windows.py, for every example n, filter f and output place i::

    output[n,f,i] = b[f] + sum over c,u of input[n,c,cell(i,u)] * kernel[f,c,u]
    dW[f,c,u]     =        sum over n,i of delta[n,f,i] * input[n,c,cell(i,u)]
    db[f]         =        sum over n,i of delta[n,f,i]
    dX[n,c,z]     =        sum over f and all i,u with cell(i,u) = z of delta[n,f,i] * kernel[f,c,u]

Source: the chain rule; the same sums as Dumoulin & Visin, "A guide to convolution arithmetic" (2016).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

import numpy as np

from convgrad.core.axis import Ints, Padding
from convgrad.core.quantity import Array, Factor, Place, Products, Quantity, Term, beside, cell, real
from convgrad.core.windows import Windows
from convgrad.errors import ShapeError, by
from convgrad.layers import Parameter, elements, overlays, products
from convgrad.layers.forms import Made


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
        "b": Parameter("bias", "F"),
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
        channels, groups, kernel = x.shape[1], max(self.groups, 1), self.kernel
        if kernel is not None and channels % groups == filters % groups == 0 and kernel.shape[1] * groups != channels:
            fits = channels % kernel.shape[1] == 0 and filters % (channels // kernel.shape[1]) == 0
            hint = f"that fits --groups {channels // kernel.shape[1]}" if fits else ""
            raise ShapeError(
                f"the kernel has {kernel.shape[1]} input channels, but the input has {channels}"
                + (f" in {groups} groups of {channels // groups}" if groups > 1 else ""),
                hint=hint,
            )
        products.check_groups(channels, filters, self.groups)
        if self.bias is not None and self.bias.shape != (filters,):
            raise ShapeError(f"the bias has {by(self.bias.shape)} numbers, but there are {filters} filters")
        return (len(x), filters, *self.windows(x).places)

    def forward(self, x: Array) -> Quantity:
        """x (N, C, *sizes), kernel (F, C/groups, *k) -> output (N, F, *places)."""
        x = real(x)
        kernel, windows = self._laid_kernel(), self.windows(x)
        shape = self.output_shape(x, len(kernel))

        def output() -> Array:
            total = products.correlate(windows, x, kernel, self.groups)
            return total if self.bias is None else total + beside(self.bias, len(windows.axes))

        bias, rule = ("", "") if self.bias is None else ("b[f] + ", ", plus the bias")
        at = products.indices(windows, self.flip)
        return Quantity(
            "output",
            f"output[f,{at['i']}] = {bias}sum over c,{at['u']} of input[c,{at['cell']}] * kernel[f,c,{at['w']}]"
            + products.remarks(self.groups, self.pad_mode),
            shape,
            output,
            "NF*",
            lambda: np.ones((len(x), *windows.places), bool),
            partial(self._output_term, x, kernel, windows),
            partial(self._output_products, x, windows),
            rule=f"the sum of input x kernel{rule}",
            derivation=Made("correlate", windows, Factor("input", x, "NC*"), self._laid(), self.groups).derive,
        )

    def backward(self, x: Array, delta: Array) -> tuple[Quantity, ...]:
        """x (N, C, *sizes), delta (N, F, *places) -> dW like the kernel, db (F,), dX like x.

        Summed over the batch, not averaged. Without a kernel there is no dX. ShapeError where delta does
        not have the output's shape.
        """
        x, delta = real(x), real(delta)
        products.check_shape("delta", delta, self.output_shape(x, delta.shape[1]))
        windows, at, d = self.windows(x), products.indices(self.windows(x), self.flip), delta.ndim - 2
        live = partial(products.live_overlays, delta)
        named = Factor("input", x, "NC*"), Factor("delta", delta, "NF*")

        def dW() -> Array:
            total = products.weigh(windows, x, delta, self.groups)
            return products.rotated(total, d) if self.flip else total

        gradients = [
            Quantity(
                "dW",
                f"dW[f,c,{at['w']}] = sum over {at['i']} of delta[f,{at['i']}] * input[c,{at['cell']}]"
                + products.remarks(self.groups, self.pad_mode),
                (delta.shape[1], x.shape[1] // self.groups, *windows.kernel),
                dW,
                "FI*",
                live,
                partial(self._dW_term, x, delta, windows),
                partial(self._dW_products, windows, *named),
                rule="delta x the input in brackets",
                derivation=Made("weigh", windows, named[1], named[0], self.groups, self.flip).derive,
            ),
            Quantity(
                "db",
                f"db[f] = sum over {at['i']} of delta[f,{at['i']}]",
                delta.shape[1:2],
                lambda: delta.sum(axis=(0, *range(2, delta.ndim))),
                "F",
                live,
                partial(overlays.db_term, windows, x, delta),
                lambda at: [elements.summed(named[1], at[0])],
                rule="delta",
            ),
        ]
        if self.kernel is not None:
            formula = (
                f"dX[c,{at['x']}] = sum over f and all {at['i']},{at['u']} with ({at['cell']}) = ({at['x']}) of "
                f"delta[f,{at['i']}] * kernel[f,c,{at['w']}]{products.remarks(self.groups, self.pad_mode)}"
            )
            gradients.append(
                Quantity(
                    "dX",
                    formula,
                    x.shape,
                    lambda: products.scatter(windows, delta, self._laid_kernel(), self.groups),
                    "NC*",
                    live,
                    partial(self._dX_term, x, delta, windows),
                    partial(self._dX_products, windows, named[1]),
                    rule="delta x kernel, laid on the same cells",
                    derivation=Made("scatter", windows, named[1], self._laid(), self.groups).derive,
                )
            )
        return tuple(gradients)

    # -- the working ----------------------------------------------------------------------------------

    def _output_term(self, x: Array, kernel: Array, windows: Windows, at: Place) -> Term:
        return overlays.output_term(windows, x, kernel, self.bias, at, self.groups)

    def _dW_term(self, x: Array, delta: Array, windows: Windows, at: Place) -> Term:
        return overlays.dW_term(windows, x, delta, self.flip, at, self.groups)

    def _dX_term(self, x: Array, delta: Array, windows: Windows, at: Place) -> Term:
        return overlays.dX_term(windows, x, delta, self._laid_kernel(), at, self.groups)

    def _output_products(self, x: Array, windows: Windows, at: Place) -> list[Products]:
        named = Factor("input", x, "NC*"), self._named_kernel()
        bias = [] if self.bias is None else [Products((cell("b", self.bias, at[1:2], "F"),))]
        return [*bias, elements.correlated(windows, *named, at, self.groups, self.flip)]

    def _dW_products(self, windows: Windows, x: Factor, delta: Factor, at: Place) -> list[Products]:
        return [elements.weighed(windows, x, delta, at, self.groups, self.flip)]

    def _dX_products(self, windows: Windows, delta: Factor, at: Place) -> list[Products]:
        return [elements.scattered(windows, delta, self._named_kernel(), at, self.groups, self.flip)]

    def _named_kernel(self) -> Factor:
        assert self.kernel is not None
        return Factor("kernel", self.kernel, self.parameters["W"].axes)

    def _laid(self) -> Factor:
        return Factor("kernel", self._laid_kernel(), self.parameters["W"].axes)

    def _laid_kernel(self) -> Array:
        """The kernel (F, C/groups, *k) as it is laid on the input: rotated where `flip` is set."""
        if self.kernel is None:
            raise ShapeError("there is no kernel", hint="add one with -k KERNEL")
        return products.rotated(self.kernel, self.kernel.ndim - 2) if self.flip else self.kernel
