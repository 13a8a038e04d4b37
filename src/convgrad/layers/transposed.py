"""The transposed convolution: the map that a convolution's dX is, as a layer of its own.

With cell(i,u) on the *output*, for every input place i (kernel (C, F/groups, *k), as PyTorch has it)::

    output[n,f,z] = b[f] + sum over c and all i,u with cell(i,u) = z of input[n,c,i] * kernel[c,f,u]
    dW[c,f,u]     = sum over n,i of input[n,c,i] * delta[n,f,cell(i,u)]
    db[f]         = sum over n,z of delta[n,f,z]
    dX[n,c,i]     = sum over f,u of delta[n,f,cell(i,u)] * kernel[c,f,u]

Source: Zeiler et al., "Deconvolutional networks" (2010); Dumoulin & Visin (2016), chapter 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

import numpy as np

from convgrad.core.axis import Ints, Padding
from convgrad.core.quantity import (
    Array,
    Cells,
    Factor,
    Lit,
    Place,
    Products,
    Quantity,
    Term,
    beside,
    block,
    cell,
    everywhere,
    real,
)
from convgrad.core.windows import Windows
from convgrad.errors import ShapeError
from convgrad.layers import Parameter, elements, products
from convgrad.layers.forms import Made


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
        "b": Parameter("bias", "F"),
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
        if self.kernel is not None:
            products.check_groups(x.shape[1], filters, self.groups)
            if len(self.kernel) != x.shape[1]:
                raise ShapeError(
                    f"the kernel is for {len(self.kernel)} input channels, but the input has {x.shape[1]}",
                    hint="a transposed convolution's kernel is (C, F/groups, ...)",
                )
        products.check_groups(x.shape[1], filters, self.groups)
        if self.bias is not None:
            products.check_shape("the bias", self.bias, (filters,))
        return (len(x), filters, *self.windows(x).sizes)

    @property
    def filters(self) -> int:
        """Output channels that the kernel has."""
        return 1 if self.kernel is None else self.kernel.shape[1] * self.groups

    def forward(self, x: Array) -> Quantity:
        """x (N, C, *places), kernel (C, F/groups, *k) -> output (N, F, *sizes)."""
        x = real(x)
        kernel, windows = self._laid_kernel(), self.windows(x)
        shape = self.output_shape(x, self.filters)
        at = products.indices(windows, self.flip)
        start = None if self.bias is None else np.broadcast_to(beside(self.bias, len(windows.axes)), shape)

        def output() -> Array:
            total = products.scatter(windows, x, kernel, self.groups)
            return total if start is None else total + start

        bias = "" if self.bias is None else "b[f] + "
        formula = (
            f"output[f,{at['x']}] = {bias}sum over c and all {at['i']},{at['u']} with ({at['cell']}) = "
            f"({at['x']}) of input[c,{at['i']}] * kernel[c,f,{at['w']}]{products.remarks(self.groups)}"
        )
        return Quantity(
            "output",
            formula,
            shape,
            output,
            "NF*",
            partial(self._all, x),
            partial(self._output_term, x, kernel, windows),
            partial(self._output_products, x, windows),
            start=start,
            rule="input x kernel, laid on the output" + ("" if self.bias is None else "; the bias is there first"),
            derivation=Made("scatter", windows, Factor("input", x, "NC*"), self._laid(), self.groups).derive,
        )

    def backward(self, x: Array, delta: Array) -> tuple[Quantity, ...]:
        """x (N, C, *places), delta (N, F, *sizes) -> dW like the kernel, db (F,), dX like x.

        ShapeError where delta does not have the output's shape. Without a kernel there is no dX.
        """
        x, delta = real(x), real(delta)
        products.check_shape("delta", delta, self.output_shape(x, delta.shape[1]))
        windows, d = self.windows(x), delta.ndim - 2
        at, live = products.indices(windows, self.flip), partial(self._all, x)
        named = Factor("input", x, "NC*"), Factor("delta", delta, "NF*")

        def dW() -> Array:
            total = products.weigh(windows, delta, x, self.groups)
            return products.rotated(total, d) if self.flip else total

        gradients = [
            Quantity(
                "dW",
                f"dW[c,f,{at['w']}] = sum over {at['i']} of input[c,{at['i']}] * delta[f,{at['cell']}]"
                + products.remarks(self.groups),
                (x.shape[1], delta.shape[1] // self.groups, *windows.kernel),
                dW,
                "KJ*",
                live,
                partial(self._dW_term, x, delta, windows),
                lambda at: [elements.weighed(windows, named[1], named[0], at, self.groups, self.flip)],
                rule="input x the delta under the kernel",
                derivation=Made("weigh", windows, named[0], named[1], self.groups, self.flip).derive,
            ),
            Quantity(
                "db",
                f"db[f] = sum over {at['x']} of delta[f,{at['x']}]",
                delta.shape[1:2],
                lambda: delta.sum(axis=(0, *range(2, delta.ndim))),
                "F",
                partial(products.live_overlays, delta),
                partial(self._db_term, x, delta),
                lambda at: [elements.summed(named[1], at[0])],
                window_axes="",
            ),
        ]
        if self.kernel is not None:
            formula = f"dX[c,{at['i']}] = sum over f,{at['u']} of delta[f,{at['cell']}] * kernel[c,f,{at['w']}]"
            formula += products.remarks(self.groups)
            gradients.append(
                Quantity(
                    "dX",
                    formula,
                    x.shape,
                    lambda: products.correlate(windows, delta, self._laid_kernel(), self.groups),
                    "NC*",
                    live,
                    partial(self._dX_term, x, delta, windows),
                    lambda at: [
                        elements.correlated(windows, named[1], self._named_kernel(), at, self.groups, self.flip)
                    ],
                    rule="the sum of the delta under the kernel x kernel",
                    derivation=Made("correlate", windows, named[1], self._laid(), self.groups).derive,
                )
            )
        return tuple(gradients)

    # -- the working ----------------------------------------------------------------------------------

    def _all(self, x: Array) -> Array:
        return np.ones((len(x), *x.shape[2:]), bool)

    def _lit(self, x: Array, at: Place) -> Cells:
        return (range(at[0], at[0] + 1), range(x.shape[1]), *(range(i, i + 1) for i in at[1:]))

    def _delta_lit(self, windows: Windows, at: Place) -> tuple[Lit, ...]:
        """The delta under the kernel."""
        return (Lit("delta", (range(at[0], at[0] + 1), slice(None), *windows.touched(at[1:])), "NF*"),)

    def _output_term(self, x: Array, kernel: Array, windows: Windows, at: Place) -> Term:
        box, value = windows.box(at[1:]), x[everywhere(at)]
        return Term(
            at,
            box,
            self._lit(x, at),
            block(at, box),
            products.laid(windows, value, kernel, at, self.groups),
            (Factor("input", value, "C"), Factor("kernel", kernel, "KJ*")),
        )

    def _dW_term(self, x: Array, delta: Array, windows: Windows, at: Place) -> Term:
        seen, value = products.under(windows, delta, at), x[everywhere(at)]
        patch = products.outer(value, seen, self.groups)
        patch = products.rotated(patch, len(windows.axes)) if self.flip else patch
        return Term(
            at,
            windows.box(at[1:]),
            self._lit(x, at),
            (slice(None),) * patch.ndim,
            patch,
            (Factor("input", value, "C"), Factor("delta", seen, "F*")),
            self._delta_lit(windows, at),
        )

    def _db_term(self, x: Array, delta: Array, at: Place) -> Term:
        d = delta[everywhere(at)]
        return Term(at, tuple((i, i + 1) for i in at[1:]), (), (slice(None),), d, (Factor("delta", d, "F"),))

    def _dX_term(self, x: Array, delta: Array, windows: Windows, at: Place) -> Term:
        box, seen = tuple((i, i + 1) for i in at[1:]), products.under(windows, delta, at)
        each = products.cellwise(seen, self._laid_kernel(), self.groups)
        return Term(
            at,
            box,
            self._lit(x, at),
            block(at, box),
            beside(each.sum(axis=tuple(range(1, each.ndim))), len(box))[None],
            (
                Factor("delta", seen, "F*"),
                Factor("kernel", self._laid_kernel(), "KJ*"),
                Factor("products", each, "KJ*"),
            ),
            self._delta_lit(windows, at),
        )

    def _output_products(self, x: Array, windows: Windows, at: Place) -> list[Products]:
        bias = [] if self.bias is None else [Products((cell("b", self.bias, at[1:2], "F"),))]
        named = Factor("input", x, "NC*"), self._named_kernel()
        return [*bias, elements.scattered(windows, *named, at, self.groups, self.flip)]

    def _named_kernel(self) -> Factor:
        assert self.kernel is not None
        return Factor("kernel", self.kernel, self.parameters["W"].axes)

    def _laid(self) -> Factor:
        return Factor("kernel", self._laid_kernel(), self.parameters["W"].axes)

    def _laid_kernel(self) -> Array:
        if self.kernel is None:
            raise ShapeError("there is no kernel", hint="add one with -k KERNEL")
        return products.rotated(self.kernel, self.kernel.ndim - 2) if self.flip else self.kernel
