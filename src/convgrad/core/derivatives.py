"""The derivatives of the sum: by y (what a kernel gathers), by w (its gradient), by x (what it lays back), and a count.

Each tells its value, its formula, what one overlay adds to it, and the products that one element of it is the sum of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from convgrad.core import engines, pairs
from convgrad.core.element import Array, Place, Products, cell
from convgrad.core.quantity import Derivation, Quantity
from convgrad.core.sum import Part, Sum, live_where
from convgrad.core.term import Cells, Factor, Lit, Term, beside, block, everywhere

OTHER_FORMS = ("rotated", "matrix")
"""The forms in which a derivative can be told besides overlay by overlay (forms.py)."""

_OF_A_PLACE, _AT_A_PLACE = ({ord(letter): "" for letter in gone} for gone in ("NP", "NP*"))
"""The axes that an array loses at one overlay: examples and places, of y the spatial ones too."""


@dataclass(frozen=True, eq=False, repr=False)
class Derivative(Quantity):
    """The derivative of a sum by one of its arrays; bias: what is there before anything is added, if anything is."""

    sum: Sum
    bias: Part | None

    role: ClassVar[str]
    """What it is the derivative by: ``x``, ``w`` or ``y``; a count, which is by none of them, has no role."""

    def live(self) -> Array:
        """The overlays that add something: those with a delta, where it stands at the places."""
        s = self.sum
        if self.role == "y" or s.lies_on == "y":
            return np.ones(s.overlays, bool)
        return s.y.given != 0 if s.nodewise else live_where(s.y.given)

    def renamed(self, array: str, other: str) -> Quantity:
        """The derivative of the sum with an array called otherwise."""
        changed = {part: getattr(self, part).renamed(array, other) for part in ("formula", "rule")}
        return replace(self, sum=self.sum.renamed(array, other), **changed)

    def in_form(self, form: str) -> Derivation | None:
        """The same numbers derived by correlating with what is rotated, or by the matrix of patches."""
        if not self.has_forms or form not in OTHER_FORMS:
            return None
        from convgrad.core.forms import in_form  # which most results are never asked for

        return in_form(self, self.sum, self.role, form, self.bias)

    @property
    def has_forms(self) -> bool:
        """A kernel shared by many places has other forms."""
        return not (self.sum.nodewise or self.sum.apart)

    @property
    def unit(self) -> str:
        """An overlay of the kernel, or a node."""
        return "node" if self.sum.nodewise else "overlay"

    @property
    def over(self) -> str:
        """What people call the layer's input."""
        return self.sum.input.called

    # -- one overlay ----------------------------------------------------------------------------------

    def made(self, at: Place, region: Cells, patch: Array, factors: Sequence[Factor], uses: str) -> Term:
        """A term at an overlay; uses: the roles of the arrays that it is made of."""
        s = self.sum
        others = [(s.part(role), s.cells(role, at)) for role in uses if role != s.lies_on]
        lit = (Lit(part.called, cells, part.axes) for part, cells in others if any(c != slice(None) for c in cells))
        window = s.cells(s.lies_on, at) if self.window_axes else ()
        spots = s.windows.spots(s.place(at), s.fill) if window else None
        if spots is not None and s.lies_on == "y":
            spots = spots._replace(on=s.x.called)
        return Term(at, self.box(at), window, region, patch, tuple(factors), tuple(lit), spots=spots)

    def box(self, at: Place) -> tuple[tuple[int, int], ...]:
        """The half-open ranges that an overlay covers: on x for w and x, on y for y."""
        return self.sum.box(self.role, at)

    def factor(self, role: str, array: Array, name: str = "") -> Factor:
        """A factor of a term: x under the kernel, y at the place, w as it is laid; of a node without its axis."""
        part = self.sum.part(role)  # by its name, not by what people call it: `Term.factor("delta")` finds it
        axes = part.axes.translate(_AT_A_PLACE if role == "y" else _OF_A_PLACE)
        if self.sum.nodewise and role in "wy":
            return Factor(name or part.name, np.asarray(array[0]), axes[1:])
        return Factor(name or part.name, array, axes)


class ByY(Derivative):
    """y[n,f,i] = b + sum over c,u of x[n,c,cell(i,u)] * w[f,c,u]: what lies under the kernel, gathered."""

    role = "y"

    def compute(self) -> Any:
        """unfold(x) . w, plus the bias."""
        s = self.sum
        arrays = s.windows, s.x.given, s.laid
        total = engines.correlate_apart(*arrays) if s.apart else engines.correlate(*arrays, s.groups)
        return total if self.bias is None else total + spread(self.bias, s.d)

    def products(self, at: Place) -> Sequence[Products]:
        """The bias, and x times w over all channels of the group and all kernel cells."""
        return [*bias_at(self.bias, at), pairs.gathered(self.sum, at)]

    def term(self, place: Place) -> Term:
        """The element at the overlay's own place, with the products that it is the sum of."""
        s, at = self.sum, place
        seen, kernel = s.under(at), s.kernel(at)
        each = engines.cellwise(seen, kernel, s.groups)
        factors = [self.factor("x", seen), self.factor("w", kernel)]
        factors.append(self.factor("w", each, "products"))
        patch = each.sum(axis=tuple(range(1, each.ndim)))
        if self.bias is not None:
            bias = self._bias(at)
            factors.append(Factor("bias", np.asarray(bias[0]), "") if s.nodewise else Factor("bias", bias, "F"))
            patch = patch + bias
        return self.made(at, s.cells("y", at), beside(patch, s.d)[None], factors, "xw")

    def _bias(self, at: Place) -> Array:
        assert self.bias is not None
        if self.sum.nodewise:
            return self.bias.given[at[1] : at[1] + 1]
        return self.bias.given[at[1:]] if "P" in self.bias.axes else self.bias.given


class ByW(Derivative):
    """w[f,c,u] = sum over n,i of y[n,f,i] * x[n,c,cell(i,u)]: a shared weight appears once in every overlay."""

    role = "w"

    def compute(self) -> Any:
        """unfold(x) . y."""
        s = self.sum
        arrays = s.windows, s.x.given, s.y.given
        total = engines.weigh_apart(*arrays) if s.apart else engines.weigh(*arrays, s.groups)
        return engines.rotated(total, s.d) if s.flip else total

    def products(self, at: Place) -> Sequence[Products]:
        """y times x, over all examples and places."""
        return [pairs.weighed(self.sum, at)]

    def term(self, place: Place) -> Term:
        """y at the place times x under the kernel."""
        s, at = self.sum, place
        seen, y = s.under(at), s.facing(at)
        patch = engines.outer(y, seen, s.groups)
        patch = engines.rotated(patch, s.d) if s.flip else patch
        patch = patch[(None,) * s.d] if s.apart else patch
        return self.made(at, s.cells("w", at), patch, (self.factor("y", y), self.factor("x", seen)), "yx")


class ByX(Derivative):
    """x[n,c,z] = sum over f and cell(i,u) = z of y[n,f,i] * w[f,c,u]: the kernel laid back where it lay, and added."""

    role = "x"

    def compute(self) -> Any:
        """fold(y . w), on the bias."""
        s = self.sum
        arrays = s.windows, s.y.given, s.laid
        total = engines.scatter_apart(*arrays) if s.apart else engines.scatter(*arrays, s.groups)
        return total if self.start is None else total + self.start

    @cached_property
    def _start(self) -> Array | None:
        return None if self.bias is None else np.broadcast_to(spread(self.bias, self.sum.d), self.shape)

    @property
    def start(self) -> Array | None:
        """The bias, which is there before anything is laid on it."""
        return self._start

    def products(self, at: Place) -> Sequence[Products]:
        """The bias, and y times w over the filters of the group and all places that reach the cell."""
        return [*bias_at(self.bias, at), pairs.scattered(self.sum, at)]

    def term(self, place: Place) -> Term:
        """y at the place times the kernel, laid where the kernel lies."""
        s, at = self.sum, place
        y, kernel = s.facing(at), s.kernel(at)
        patch = engines.laid(s.windows, y, kernel, s.place(at), s.groups)
        region = block(at, s.windows.box(s.place(at)))
        return self.made(at, region, patch, (self.factor("y", y), self.factor("w", kernel)), "yw")


@dataclass(frozen=True, eq=False, repr=False)
class Count(Derivative):
    """db[f] = the sum of delta: no derivative of the sum, but told by the same overlays.

    of: which of x and y holds the delta. Where the bias has the places' axes there is no sum over them.
    """

    of: str = "y"

    @property
    def has_forms(self) -> bool:
        """It is the same sum in every form."""
        return False

    def compute(self) -> Any:
        """The delta's numbers, summed over the batch and the places."""
        delta = self.sum.part(self.of).given
        if "P" in self.axes:
            return np.moveaxis(delta.sum(axis=0), 0, -1)
        return delta.sum(axis=(0, *range(2, delta.ndim)))

    def live(self) -> Array:
        """Where the delta is not 0."""
        delta = self.sum.part(self.of).given
        return delta != 0 if self.sum.nodewise else live_where(delta)

    def products(self, at: Place) -> Sequence[Products]:
        """The delta of a filter, all of it or that of one place."""
        return [pairs.summed(self.sum.part(self.of), at[-1], at[:-1] or None)]

    def term(self, place: Place) -> Term:
        """The delta itself."""
        s, at = self.sum, place
        if self.of == "x":
            delta = s.x.given[everywhere(at)]
            box = tuple((i, i + 1) for i in at[1:])
            return Term(at, box, (), (slice(None),), delta, (Factor(s.x.name, delta, "F"),))
        delta = s.facing(at)
        own = tuple(slice(i, i + 1) for i in at[1:])
        if "P" in self.axes:
            region: Cells = (*own, slice(None))
            return self.made(at, region, delta[(None,) * s.d], (self.factor("y", delta),), "y")
        region = own if s.nodewise else (slice(None),)
        return self.made(at, region, delta, (self.factor("y", delta),), "y")

    def box(self, at: Place) -> tuple[tuple[int, int], ...]:
        """The window that the delta belongs to; of a node the node."""
        return self.sum.box("y" if self.sum.nodewise else "x", at)


def spread(bias: Part, d: int) -> Array:
    """A bias (F,) or (*places, F) -> to be added to (N, F, *places)."""
    return np.moveaxis(bias.given, -1, 0) if "P" in bias.axes else beside(bias.given, d)


def bias_at(bias: Part | None, at: Place) -> list[Products]:
    """The bias as one product of the element at (n, f, *place); none where there is no bias."""
    if bias is None:
        return []
    own = (*at[2:], at[1]) if "P" in bias.axes else at[1:2]
    return [Products((cell(bias.name, bias.given, own, bias.axes),))]
