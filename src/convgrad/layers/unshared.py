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
from dataclasses import dataclass, field, replace
from functools import partial
from math import prod
from typing import ClassVar

import numpy as np

from convgrad.core.axis import Ints, Padding
from convgrad.core.quantity import Array, Factor, Lit, Place, Products, Quantity, Term, beside, cell, real
from convgrad.core.rational import product
from convgrad.core.windows import Windows
from convgrad.errors import ShapeError, by
from convgrad.layers import Parameter, elements, overlays, products


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
        bias = "F" if self.bias is None or self.bias.ndim == 1 else "PF"
        return {"W": Parameter("kernel", "PFI*"), "b": Parameter("bias", bias)}

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

    def forward(self, x: Array) -> Quantity:
        """x (N, C, *sizes), kernel (*places, F, C, *k) -> output (N, F, *places)."""
        x = real(x)
        kernel, windows = self._laid_kernel(x), self.windows(x)
        filters = kernel.shape[len(windows.axes)]
        shape = self.output_shape(x, filters)

        def output() -> Array:
            flat = kernel.reshape(prod(windows.places), filters, -1)
            total = (
                product(self._columns(windows, x), flat.swapaxes(1, 2)).transpose(1, 2, 0).reshape(shape)
            )  # was (P, N, F)
            return total if self.bias is None else total + self._spread_bias(windows)

        at = products.indices(windows, self.flip)
        bias = "" if self.bias is None else "b[f] + " if self.bias.ndim == 1 else f"b[{at['i']},f] + "
        formula = (
            f"output[f,{at['i']}] = {bias}sum over c,{at['u']} of input[c,{at['cell']}] * "
            f"kernel[{at['i']},f,c,{at['w']}]{products.remarks(1, self.pad_mode)}"
        )
        return Quantity(
            "output",
            formula,
            shape,
            output,
            "NF*",
            lambda: np.ones((len(x), *windows.places), bool),
            partial(self._output_term, x, kernel, windows),
            partial(self._output_products, x, windows),
            rule="the sum of input x the kernel of the place" + ("" if self.bias is None else ", plus the bias"),
        )

    def backward(self, x: Array, delta: Array) -> tuple[Quantity, ...]:
        """x (N, C, *sizes), delta (N, F, *places) -> dW (*places, F, C, *k), db like the bias, dX like x.

        db is (F,) where there is no bias. ShapeError where delta does not have the output's shape.
        """
        x, delta = real(x), real(delta)
        products.check_shape("delta", delta, self.output_shape(x, delta.shape[1]))
        windows, d = self.windows(x), delta.ndim - 2
        at, live = products.indices(windows, self.flip), partial(products.live_overlays, delta)
        rows = delta.reshape(*delta.shape[:2], -1).transpose(2, 1, 0)  # (P, F, N)
        each = self.parameters["b"].axes == "PF"
        kernels = (*windows.places, delta.shape[1], x.shape[1], *windows.kernel)
        named = Factor("input", x, "NC*"), Factor("delta", delta, "NF*")

        def dW() -> Array:
            total = product(rows, self._columns(windows, x)).reshape(kernels)
            return products.rotated(total, d) if self.flip else total

        def db() -> Array:
            return np.moveaxis(delta.sum(axis=0), 0, -1) if each else delta.sum(axis=(0, *range(2, delta.ndim)))

        gradients = [
            Quantity(
                "dW",
                f"dW[{at['i']},f,c,{at['w']}] = delta[f,{at['i']}] * input[c,{at['cell']}]"
                + products.remarks(1, self.pad_mode),
                kernels,
                dW,
                "PFI*",
                live,
                partial(self._dW_term, x, delta, windows),
                lambda at: [elements.weighed_apart(windows, *named, at, self.flip)],
                rule="delta x the input in brackets, at its place",
            ),
            Quantity(
                "db",
                f"db[{at['i']},f] = delta[f,{at['i']}]"
                if each
                else f"db[f] = sum over {at['i']} of delta[f,{at['i']}]",
                (*windows.places, delta.shape[1]) if each else delta.shape[1:2],
                db,
                self.parameters["b"].axes,
                live,
                partial(self._db_term, x, delta, windows),
                lambda at: [elements.summed(named[1], at[-1], at[:-1] or None)],
                rule="delta",
            ),
        ]
        if self.kernel is not None:
            flat = self._laid_kernel(x).reshape(prod(windows.places), delta.shape[1], -1)

            def dX() -> Array:
                columns = product(rows.swapaxes(1, 2), flat).reshape(
                    *windows.places, len(x), x.shape[1], *windows.kernel
                )
                return windows.fold(np.moveaxis(columns, (d, d + 1), (0, 1)))

            formula = (
                f"dX[c,{at['x']}] = sum over f and all {at['i']},{at['u']} with ({at['cell']}) = ({at['x']}) of "
                f"delta[f,{at['i']}] * kernel[{at['i']},f,c,{at['w']}]{products.remarks(1, self.pad_mode)}"
            )
            gradients.append(
                Quantity(
                    "dX",
                    formula,
                    x.shape,
                    dX,
                    "NC*",
                    live,
                    partial(self._dX_term, x, delta, windows),
                    lambda at: [elements.scattered(windows, named[1], self._named_kernel(), at, 1, self.flip)],
                    rule="delta x the kernel of the place, laid on the same cells",
                )
            )
        return tuple(gradients)

    # -- the working ----------------------------------------------------------------------------------

    def _output_products(self, x: Array, windows: Windows, at: Place) -> list[Products]:
        named = Factor("input", x, "NC*"), self._named_kernel()
        own = at[1:2] if self.parameters["b"].axes == "F" else (*at[2:], at[1])
        bias = [] if self.bias is None else [Products((cell("b", self.bias, own, self.parameters["b"].axes),))]
        return [*bias, elements.correlated(windows, *named, at, 1, self.flip)]

    def _named_kernel(self) -> Factor:
        assert self.kernel is not None
        return Factor("kernel", self.kernel, self.parameters["W"].axes)

    def _output_term(self, x: Array, kernel: Array, windows: Windows, at: Place) -> Term:
        bias = self.bias if self.bias is None or self.bias.ndim == 1 else self.bias[at[1:]]
        return self._with_kernel(overlays.output_term(windows, x, kernel[at[1:]], bias, at))

    def _dW_term(self, x: Array, delta: Array, windows: Windows, at: Place) -> Term:
        return self._at_its_place(overlays.dW_term(windows, x, delta, self.flip, at))

    def _db_term(self, x: Array, delta: Array, windows: Windows, at: Place) -> Term:
        term = overlays.db_term(windows, x, delta, at)
        return self._at_its_place(term) if self.parameters["b"].axes == "PF" else term

    def _dX_term(self, x: Array, delta: Array, windows: Windows, at: Place) -> Term:
        return self._with_kernel(overlays.dX_term(windows, x, delta, self._laid_kernel(x)[at[1:]], at))

    def _with_kernel(self, term: Term) -> Term:
        """A term that uses the kernel of its place."""
        everything = (slice(None),) * (len(term.at) + 1)
        mine = (*(slice(i, i + 1) for i in term.at[1:]), *everything)
        return replace(term, lit=(*term.lit, Lit("kernel", mine, self.parameters["W"].axes)))

    @staticmethod
    def _at_its_place(term: Term) -> Term:
        """A term of a shared parameter -> of the one that the place has to itself."""
        place = tuple(slice(i, i + 1) for i in term.at[1:])
        return replace(term, region=(*place, *term.region), patch=term.patch[(None,) * len(place)])

    def _columns(self, windows: Windows, x: Array) -> Array:
        """x (N, C, *sizes) -> (P, N, C * kernel): what lies under each place's kernel."""
        d = len(windows.axes)
        unfolded = np.moveaxis(windows.unfold(x), range(2, 2 + d), range(d))
        return unfolded.reshape(prod(windows.places), len(x), -1)

    def _spread_bias(self, windows: Windows) -> Array:
        assert self.bias is not None
        return beside(self.bias, len(windows.axes)) if self.bias.ndim == 1 else np.moveaxis(self.bias, -1, 0)

    def _laid_kernel(self, x: Array) -> Array:
        if self.kernel is None:
            raise ShapeError("there is no kernel", hint="add one with -k KERNEL")
        return products.rotated(self.kernel, x.ndim - 2) if self.flip else self.kernel
