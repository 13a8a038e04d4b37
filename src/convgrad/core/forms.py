"""The other derivations of the same numbers: the rotated form and the matrix form of the sum's derivatives.

rotated: what lays kernels back (a convolution's dX) is the correlation of y, dilated by the stride and padded, with the
kernel rotated by 180 degrees; what weighs (dW) is the correlation of x with y, dilated by the stride, moved in steps of
the dilation. matrix: the windows of x are the columns of a patch matrix (im2col), and the three derivatives are
``W . patches``, ``y . patches^T`` and ``col2im(W^T . y)``.

Nothing here computes a result: a derivation has the same value, and other steps that add up to it. Sources: Dumoulin &
Visin (2016) for the rotated form; Chellapilla, Puri & Simard (2006) for the matrix form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from convgrad.core.axis import Axis
from convgrad.core.element import Array, Place
from convgrad.core.engines import rotated
from convgrad.core.quantity import Derivation, Quantity, Wrapped, told
from convgrad.core.rational import product
from convgrad.core.sum import Part, Sum
from convgrad.core.term import AS_IS, Cells, Factor, Lit, Term
from convgrad.core.windows import Windows
from convgrad.formula import Formula


def in_form(quantity: Quantity, s: Sum, role: str, form: str, bias: Part | None = None) -> Derivation | None:
    """The derivative of a sum by `role`, plus a bias, in another form; None where it is in it: a correlation is one."""
    plus = "" if bias is None else f" + {{{bias.name}}}"
    if form == "matrix":
        return _matrix(quantity, s, role, plus)
    if form == "rotated" and role == "x":
        return _rotated_scatter(quantity, s, plus)
    return _rotated_weigh(quantity, s) if form == "rotated" and role == "w" else None


# -- the matrix form ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class MatrixForm(Wrapped):
    """A derivative whose overlays are the columns of a matrix, beside the matrix of y where that has a part in it."""

    s: Sum
    columns: str
    beside: str

    @property
    def over(self) -> str:
        """The matrix that the overlays are columns of."""
        return self.columns

    def term(self, place: Place) -> Term:
        """The same term, its window the column of its place."""
        own = self.of.term(place)
        places = self.s.windows.places
        column = place[0] * prod(places) + int(np.ravel_multi_index(place[1:], places))
        here = (slice(None), slice(column, column + 1))
        lit = [*own.lit, Lit(self.of.over, own.window, self.of.window_axes)]
        lit += [Lit(self.beside, here, AS_IS)] if self.beside else []
        return replace(own, window=here, lit=tuple(lit), spots=None)


def _matrix(quantity: Quantity, s: Sum, role: str, plus: str) -> Derivation:
    name, groups = quantity.name, s.groups
    y, patched = f"{s.y.called} as a matrix", f"{{{s.w.name}}} as a matrix"
    kernel = Factor(f"{s.w.name} as a matrix", s.laid.reshape(len(s.laid), -1), "") if role != "w" else None
    if role == "x":
        assert kernel is not None
        rows = product(
            s.laid.reshape(groups, len(s.laid) // groups, -1).swapaxes(1, 2),
            _as_matrix(s.y.given).reshape(groups, len(s.laid) // groups, -1),
        )
        columns = Factor(f"columns of {name}", rows.reshape(-1, rows.shape[-1]), "")
        arrays = [kernel, Factor(y, _as_matrix(s.y.given), ""), columns]
        words = f"{{{name}}} = col2im({patched}^T . {{{s.y.called}}} as a matrix){plus}, columns laid back and added"
    else:
        columns = Factor("patches", _patches(s.windows, s.x.given), "")
        arrays = [kernel or Factor(y, _as_matrix(s.y.given), ""), columns]
        left = patched if role == "y" else f"{{{s.y.called}}} as a matrix"
        words = f"{{{name}}} = {left} . {{patches}}{'^T' if role == 'w' else ''}{plus}"
    formula = Formula.of(words + (", group by group" if groups > 1 else ""))
    derived = {**told(quantity), "formula": formula, "window_axes": AS_IS}
    return Derivation(MatrixForm(quantity, s, columns.name, y if role != "y" else "", **derived), tuple(arrays))


def _as_matrix(y: Array) -> Array:
    """y (N, F, *places) -> (F, N places)."""
    return np.moveaxis(y, 1, 0).reshape(y.shape[1], -1)


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
    sizes = [axis.strided().stop + 2 * edge for axis, edge in zip(axes, border, strict=True)]
    out = np.zeros((*y.shape[:-d], *sizes), y.dtype)
    cells = [slice(edge, size - edge, a.stride) for a, edge, size in zip(axes, border, sizes, strict=True)]
    under: tuple[Any, ...] = (..., *cells)
    out[under] = y
    return out


def _changes(axes: Sequence[Axis], padded: bool) -> str:
    """What y has had done to it, zeros between its cells and around it: `` dilated by the stride and padded``."""
    done = ["dilated by the stride"] if any(axis.stride > 1 for axis in axes) else []
    done += ["padded"] if padded else []
    return f" {' and '.join(done)}" if done else ""


@dataclass(frozen=True, eq=False, repr=False)
class CellByCell(Wrapped):
    """A derivative told one cell of it after the other, each the sum of one window of a wide array.

    wide: that array; dual: the windows on it; s: the sum.
    """

    s: Sum
    wide: Part
    dual: Windows

    @property
    def over(self) -> str:
        """The wide array."""
        return self.wide.name

    @property
    def walk(self) -> str:
        """Each result is told by itself."""
        return self.name

    @property
    def unit(self) -> str:
        """What is told at a time."""
        return "cell"


@dataclass(frozen=True, eq=False, repr=False)
class RotatedScatter(CellByCell):
    """x as a correlation: of y, dilated and padded by span - 1, with the kernel rotated by 180 degrees."""

    turned: Factor

    @cached_property
    def homes(self) -> list[Array]:
        """For each axis the cell of x at which each place of the dual's windows is at home, below 0 in the padding."""
        windows = self.s.windows
        return [a.source(np.arange(a.extent) - a.before, windows.mode) for a in windows.axes]

    def live(self) -> Array:
        """The cells that are at home on x, and see a number that is not 0."""
        homes, d = self.homes, self.s.d
        at_home = np.ones((), bool)
        for home in homes:
            at_home = np.multiply.outer(at_home, home >= 0)
        reached: Array = np.asarray(self.dual.unfold((self.wide.given != 0).any(axis=1)).any(axis=tuple(range(-d, 0))))
        return np.asarray(reached[(slice(None), *(slice(0, len(home)) for home in homes))] & at_home)

    def label(self, place: Place) -> Place:
        """A cell is called by where it is at home."""
        return (place[0], *(int(each[p]) for each, p in zip(self.homes, place[1:], strict=True)))

    def term(self, place: Place) -> Term:
        """The window of the wide y times the rotated kernel, summed."""
        s, home = self.s, self.label(place)[1:]
        kernel, wide = self.turned.value, self.wide.given
        seen = self.dual.seen(wide[place[0]], place[1:])
        each = seen[:, None] * kernel
        patch = each.reshape(s.groups, -1, *kernel.shape[1:]).sum(axis=(1, *range(3, 3 + s.d)))
        box = tuple((z, z + 1) for z in home)
        cells: Cells = (slice(place[0], place[0] + 1), slice(None), *(slice(z, z + 1) for z in home))
        window: Cells = (range(place[0], place[0] + 1), range(wide.shape[1]), *self.dual.touched(place[1:]))
        factors = (Factor("window", seen, "F*"), self.turned, Factor("products", each, self.turned.axes))
        return Term((place[0], *home), box, window, cells, patch.reshape(1, -1, *(1,) * s.d), factors)


def _rotated_scatter(quantity: Quantity, s: Sum, plus: str) -> Derivation:
    axes = s.windows.axes
    spread = _dilated(s.y.given, axes, [axis.span - 1 for axis in axes])
    # what hangs over the last place's window is padding too
    more = [a.extent + a.span - 1 - n for a, n in zip(axes, spread.shape[2:], strict=True)]
    spread = np.pad(spread, [(0, 0), (0, 0), *((0, max(0, n)) for n in more)])
    dual = Windows.fit(spread.shape[2:], s.windows.kernel, 1, 0, [axis.dilation for axis in axes])
    changes = _changes(axes, True)
    wide = Part(s.y.called + changes, "NF*", spread)
    turned = Factor(f"{s.w.name} rotated", rotated(s.laid, s.d), s.w.axes)
    words = f"{{{s.y.called}}}{changes} with the {{{s.w.name}}} rotated by 180 degrees"
    derived = {
        **told(quantity),
        "formula": Formula.of(f"{{{quantity.name}}} = correlation of {words}{plus}"),
        "window_axes": "NF*",
        "rule": Formula.of(f"the sum of the cells {{marked}} x the rotated {s.w.name}"),
    }
    return Derivation(RotatedScatter(quantity, s, wide, dual, turned, **derived), (wide.factor, turned))


@dataclass(frozen=True, eq=False, repr=False)
class RotatedWeigh(CellByCell):
    """w as a correlation: of x with y, dilated by the stride, in steps of the dilation."""

    @property
    def batched(self) -> bool:
        """A cell of w belongs to no example."""
        return False

    def live(self) -> Array:
        """Every cell of the kernel."""
        return np.ones((1, *self.s.windows.kernel), bool)

    def term(self, place: Place) -> Term:
        """The cells of x that one kernel cell sees, times y, summed."""
        s, padded = self.s, self.wide.given
        filters, inputs = s.y.given.shape[1], s.x.given.shape[1] // s.groups
        cells = [k - 1 - u for k, u in zip(s.windows.kernel, place[1:], strict=True)] if s.flip else list(place[1:])
        seen = self.dual.seen(padded, place[1:]).reshape(len(padded), s.groups, 1, inputs, *s.windows.places)
        by_group = s.y.given.reshape(len(padded), s.groups, -1, 1, *s.windows.places)
        each = seen * by_group
        patch = each.sum(axis=(0, *range(4, 4 + s.d))).reshape(filters, inputs, *(1,) * s.d)
        box = tuple((u, u + 1) for u in cells)
        region: Cells = (slice(None), slice(None), *(slice(u, u + 1) for u in cells))
        window: Cells = (range(len(padded)), range(padded.shape[1]), *self.dual.touched(place[1:]))
        alone = each.size == prod(s.windows.places)
        shown = (Factor("products", each.reshape(s.windows.places), "*"),) if alone else ()
        return Term((0, *cells), box, window, region, patch, shown)


def _rotated_weigh(quantity: Quantity, s: Sum) -> Derivation:
    axes, padded = s.windows.axes, s.windows.pad(s.x.given)
    is_padded = padded.shape != s.x.given.shape
    wide = Part(f"{s.x.called} padded" if is_padded else s.x.called, "NC*", padded)
    dual = Windows.fit(padded.shape[2:], s.windows.places, [a.dilation for a in axes], 0, [a.stride for a in axes])
    changes = _changes(axes, False)
    dilated = Factor(s.y.called + changes, _dilated(s.y.given, axes, [0] * s.d), "NF*")
    y = f"{{{s.y.called}}}{changes}"
    derived = {
        **told(quantity),
        "formula": Formula.of(
            f"{{{quantity.name}}} = correlation of {{{s.x.called}}}{' padded' if is_padded else ''} with {y}"
        ),
        "window_axes": "NC*",
        "rule": Formula.of(f"the sum of the cells {{marked}} x {y}"),
    }
    arrays = (wide.factor, dilated) if is_padded else (dilated,)
    return Derivation(RotatedWeigh(quantity, s, wide, dual, **derived), arrays)
