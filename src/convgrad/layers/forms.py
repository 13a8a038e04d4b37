"""The other derivations of the same numbers: the rotated form and the matrix form of the three products.

rotated: what lays kernels back (a convolution's dX) is the correlation of y, dilated by the stride and padded, with the
kernel rotated by 180 degrees; what weighs (dW) is the correlation of x with y, dilated by the stride, moved in steps of
the dilation. matrix: the windows of x are the columns of a patch matrix (im2col), and the three products are
``W . patches``, ``y . patches^T`` and ``col2im(W^T . y)``.

Nothing here computes a result: a derivation has the same value, and other steps that add up to it. Sources: Dumoulin &
Visin (2016) for the rotated form; Chellapilla, Puri & Simard (2006) for the matrix form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Any

import numpy as np

from convgrad.core.axis import Axis
from convgrad.core.quantity import AS_IS, Array, Cells, Derivation, Factor, Lit, Place, Quantity, Term
from convgrad.core.rational import product
from convgrad.core.windows import Windows
from convgrad.layers import products


@dataclass(frozen=True, eq=False, repr=False)
class Made:
    """How a quantity is made: one of the three products of two named arrays.

    kind: ``correlate`` (one is x, other the kernel), ``weigh`` (one is y, other x) or ``scatter`` (one is y, other
    the kernel); the kernel is the one that is laid on x.
    """

    kind: str
    windows: Windows
    one: Factor
    other: Factor
    groups: int = 1
    flip: bool = False

    def derive(self, form: str, quantity: Quantity) -> Derivation | None:
        """The quantity in another form, and the arrays that form works on; None where it is no other."""
        if form == "matrix":
            return _matrix(self, quantity)
        return {"scatter": _rotated_scatter, "weigh": _rotated_weigh}.get(self.kind, _same)(self, quantity)


def _same(made: Made, quantity: Quantity) -> None:
    """A correlation is one already."""


# -- the matrix form ------------------------------------------------------------------------------------


def _matrix(made: Made, quantity: Quantity) -> Derivation:
    windows, y, groups = made.windows, made.one, made.groups
    name = quantity.name
    if made.kind == "scatter":
        kernel = made.other.value
        per_group = (groups, len(kernel) // groups)
        rows = product(kernel.reshape(*per_group, -1).swapaxes(1, 2), _as_matrix(y.value).reshape(*per_group, -1))
        columns = Factor(f"columns of {name}", rows.reshape(-1, rows.shape[-1]), "")
        arrays = [_kernel_matrix(made), _y_matrix(y), columns]
        formula, over = f"{name} = col2im({arrays[0].name}^T . {arrays[1].name}), columns laid back and added", columns
    else:
        x = made.one if made.kind == "correlate" else made.other
        patches = Factor("patches", _patches(windows, x.value), "")
        left = _kernel_matrix(made) if made.kind == "correlate" else _y_matrix(y)
        arrays, over = [left, patches], patches
        formula = f"{name} = {left.name} . patches" + ("^T" if made.kind == "weigh" else "")
    formula += ", group by group" if groups > 1 else ""
    width = prod(windows.places)

    def term(at: Place) -> Term:
        column = at[0] * width + int(np.ravel_multi_index(at[1:], windows.places))
        here, own = (slice(None), slice(column, column + 1)), quantity.term(at)
        lit = (*own.lit, Lit(quantity.over, own.window, quantity.window_axes))
        if made.kind != "correlate":
            lit = (*lit, Lit(_y_matrix(y).name, here, AS_IS))
        return replace(own, window=here, lit=lit)

    derived = replace(quantity, formula=formula, term=term, window_axes=AS_IS, over=over.name)
    return Derivation(derived, tuple(arrays))


def _as_matrix(y: Array) -> Array:
    """y (N, F, *places) -> (F, N places)."""
    return np.moveaxis(y, 1, 0).reshape(y.shape[1], -1)


def _y_matrix(y: Factor) -> Factor:
    return Factor(f"{y.name} as a matrix", _as_matrix(y.value), "")


def _kernel_matrix(made: Made) -> Factor:
    kernel = made.other.value
    return Factor("kernel as a matrix", kernel.reshape(len(kernel), -1), "")


def _patches(windows: Windows, x: Array) -> Array:
    """x (N, C, *sizes) -> (C kernel, N places): what lies under the kernel, a column a place."""
    d = len(windows.axes)
    unfolded = np.moveaxis(windows.unfold(x), 0, 1 + d)  # (C, *places, N, *kernel) before the next
    order = (0, *range(2 + d, 2 + 2 * d), 1 + d, *range(1, 1 + d))
    return unfolded.transpose(order).reshape(x.shape[1] * prod(windows.kernel), -1)


# -- the rotated form -----------------------------------------------------------------------------------


def _dilated(y: Array, axes: Sequence[Axis], border: Sequence[int]) -> Array:
    """y (..., *places) -> with stride - 1 zeros between its cells, and a border of zeros."""
    d = len(axes)
    sizes = [(n - 1) * a.stride + 1 + 2 * edge for n, a, edge in zip(y.shape[-d:], axes, border, strict=True)]
    out = np.zeros((*y.shape[:-d], *sizes), y.dtype)
    cells = [slice(edge, size - edge, a.stride) for a, edge, size in zip(axes, border, sizes, strict=True)]
    under: tuple[Any, ...] = (..., *cells)
    out[under] = y
    return out


def _called(y: str, axes: Sequence[Axis], padded: bool) -> str:
    """What y is called with zeros between its cells and around it: ``delta dilated by the stride and padded``."""
    done = ["dilated by the stride"] if any(axis.stride > 1 for axis in axes) else []
    return " ".join([y, " and ".join([*done, *(["padded"] if padded else [])])]).rstrip()


def _rotated_scatter(made: Made, quantity: Quantity) -> Derivation:
    """x as a correlation: of y, dilated and padded by span - 1, with the kernel rotated by 180 degrees."""
    windows, y, d = made.windows, made.one, len(made.windows.axes)
    spread = _dilated(y.value, windows.axes, [axis.span - 1 for axis in windows.axes])
    # what hangs over the last place's window is padding too
    more = [a.extent + a.span - 1 - n for a, n in zip(windows.axes, spread.shape[2:], strict=True)]
    spread = np.pad(spread, [(0, 0), (0, 0), *((0, max(0, n)) for n in more)])
    dual = Windows.fit(spread.shape[2:], windows.kernel, 1, 0, [axis.dilation for axis in windows.axes])
    kernel = products.rotated(made.other.value, d)
    wide = Factor(_called(y.name, windows.axes, True), spread, "NF*")
    homes = [a.source(np.arange(a.extent) - a.before, windows.mode) for a in windows.axes]
    turned = Factor("kernel rotated", kernel, made.other.axes)

    def live() -> Array:
        at_home = np.ones((), bool)
        for home in homes:
            at_home = np.multiply.outer(at_home, home >= 0)
        reached: Array = np.asarray(dual.unfold((spread != 0).any(axis=1)).any(axis=tuple(range(-d, 0))))
        return np.asarray(reached[(slice(None), *(slice(0, len(home)) for home in homes))] & at_home)

    def term(at: Place) -> Term:
        home = tuple(int(each[p]) for each, p in zip(homes, at[1:], strict=True))
        seen = products.under(dual, spread, at)
        each = seen[:, None] * kernel
        patch = each.reshape(made.groups, -1, *kernel.shape[1:]).sum(axis=(1, *range(3, 3 + d)))
        box = tuple((z, z + 1) for z in home)
        cells: Cells = (slice(at[0], at[0] + 1), slice(None), *(slice(z, z + 1) for z in home))
        factors = (Factor("window", seen, "F*"), turned, Factor("products", each, made.other.axes))
        lit = products.lit(dual, spread, at)
        return Term((at[0], *home), box, lit, cells, patch.reshape(1, -1, *(1,) * d), factors)

    derived = replace(
        quantity,
        formula=f"{quantity.name} = correlation of {wide.name} with the kernel rotated by 180 degrees",
        live=live,
        term=term,
        window_axes="NF*",
        over=wide.name,
        walk=quantity.name,
        unit="cell",
        label=lambda at: (at[0], *(int(each[p]) for each, p in zip(homes, at[1:], strict=True))),
        rule="the sum of the cells in brackets x the rotated kernel",
    )
    return Derivation(derived, (wide, turned))


def _rotated_weigh(made: Made, quantity: Quantity) -> Derivation:
    """w as a correlation: of x with y, dilated by the stride, in steps of the dilation."""
    windows, y, x, d = made.windows, made.one, made.other, len(made.windows.axes)
    padded = windows.pad(x.value)
    wide = Factor("input padded" if padded.shape != x.value.shape else x.name, padded, "NC*")
    wide = replace(wide, name=wide.name.replace("input", x.name))
    strides, holes = [a.stride for a in windows.axes], [a.dilation for a in windows.axes]
    dual = Windows.fit(padded.shape[2:], windows.places, holes, 0, strides)
    dilated = Factor(_called(y.name, windows.axes, False), _dilated(y.value, windows.axes, [0] * d), "NF*")
    groups, inputs = made.groups, x.value.shape[1] // made.groups

    def term(at: Place) -> Term:
        cells = [k - 1 - u for k, u in zip(windows.kernel, at[1:], strict=True)] if made.flip else list(at[1:])
        seen = dual.seen(padded, at[1:]).reshape(len(padded), groups, 1, inputs, *windows.places)
        by_group = y.value.reshape(len(padded), groups, -1, 1, *windows.places)
        each = seen * by_group
        patch = each.sum(axis=(0, *range(4, 4 + d))).reshape(y.value.shape[1], inputs, *(1,) * d)
        box = tuple((u, u + 1) for u in cells)
        region: Cells = (slice(None), slice(None), *(slice(u, u + 1) for u in cells))
        lit: Cells = (range(len(padded)), range(x.value.shape[1]), *dual.touched(at[1:]))
        alone = each.size == prod(windows.places)
        shown = (Factor("products", each.reshape(windows.places), "*"),) if alone else ()
        return Term((0, *cells), box, lit, region, patch, shown)

    derived = replace(
        quantity,
        formula=f"{quantity.name} = correlation of {wide.name} with {dilated.name}",
        live=partial(np.ones, (1, *windows.kernel), bool),
        term=term,
        window_axes="NC*",
        over=wide.name,
        walk=quantity.name,
        unit="cell",
        batched=False,
        rule=f"the sum of the cells in brackets x {dilated.name}",
    )
    arrays = (dilated,) if wide.name == x.name else (wide, dilated)
    return Derivation(derived, arrays)
