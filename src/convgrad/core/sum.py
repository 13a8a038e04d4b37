"""The one sum that every layer with weights is; its derivatives are in derivatives.py.

    S(x, w, y) = sum over n, f, c, places i, kernel cells u of  x[n,c,cell(i,u)] * w[f,c,u] * y[n,f,i]

The derivative by y gathers (a convolution's output), the one by w weighs (dW), the one by x lays back and adds (dX).
Which array plays which part is all that a layer has to say: a transposed convolution's input is y, its output the
derivative by x. A locally connected layer's w has the places' axes too; a dense layer has no spatial axes, so one place
and one cell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from convgrad.core.element import Array, Place
from convgrad.core.engines import rotated
from convgrad.core.term import Cells, Factor, everywhere
from convgrad.core.windows import Windows
from convgrad.formula import INDEX, Named, tokens

PLACES, CELLS, INPUTS = "ijk", "mno", "xyz"
"""The indices of places, kernel cells and input cells in formulas, an axis each."""


@dataclass(frozen=True, eq=False, repr=False)
class Part:
    """One of the three arrays of a sum: what it is, its axes by letters, its numbers, and what people call it.

    array: at full rank; None where it is not given.
    """

    name: str
    axes: str
    array: Array | None = None
    alias: str = ""

    @property
    def called(self) -> str:
        """What people call it: the delta behind an activation is its ``sensitivity``."""
        return self.alias or self.name

    @property
    def given(self) -> Array:
        """Its numbers, where they must be there."""
        assert self.array is not None, self.name
        return self.array

    @property
    def factor(self) -> Factor:
        """It, as a named array to be shown."""
        return Factor(self.called, self.given, self.axes)


@dataclass(frozen=True, eq=False, repr=False)
class Sum:
    """x (N, C, *sizes), w (F, C/groups, *k) and y (N, F, *places), as many as there are, tied by windows.

    flip: w is laid rotated by 180 degrees; lies_on: which of x and y is the layer's input, on which people see the
    overlays lie; factors: in which order the output's factors are written; fill: what zeros of the
    padding count as.
    """

    x: Part
    w: Part
    y: Part
    windows: Windows
    groups: int = 1
    flip: bool = False
    lies_on: str = "x"
    factors: tuple[str, str] = ("x", "w")
    fill: float = 0.0

    @property
    def d(self) -> int:
        """Number of spatial axes."""
        return len(self.windows.axes)

    @property
    def apart(self) -> bool:
        """Whether there is a kernel of its own at every place."""
        return "P" in self.w.axes

    @property
    def nodewise(self) -> bool:
        """Whether an overlay is one node: where there is one place only, people look at its outputs one by one."""
        return not self.windows.axes

    def part(self, role: str) -> Part:
        """The array that plays a role: ``x``, ``w`` or ``y``."""
        return {"x": self.x, "w": self.w, "y": self.y}[role]

    @property
    def input(self) -> Part:
        """The array that the overlays lie on."""
        return self.part(self.lies_on)

    def renamed(self, name: str, other: str) -> Sum:
        """The sum with an array called otherwise."""
        parts = {
            role: replace(self.part(role), alias=other) for role in ("x", "w", "y") if self.part(role).called == name
        }
        return replace(self, **parts)  # type: ignore[arg-type]  # all of them parts

    @cached_property
    def laid(self) -> Array:
        """w as it is laid on x: rotated where `flip` is set."""
        return rotated(self.w.given, self.d) if self.flip else self.w.given

    # -- shapes ---------------------------------------------------------------------------------------

    def shape(self, role: str) -> tuple[int, ...]:
        """The shape of x, w or y, whether or not it is given.

        Examples are those of x or y, filters and channels those of w or of x and y: one of each must be given.
        """
        n, (filters, inputs) = self._examples, self._kernel
        if role == "w":
            lead = self.windows.places if self.apart else ()
            return (*lead, filters, inputs, *self.windows.kernel)
        if role == "x":
            return (n, inputs * self.groups, *self.windows.sizes)
        return (n, filters, *self.windows.places)

    @property
    def _examples(self) -> int:
        return len(self.x.given if self.y.array is None else self.y.array)

    @property
    def _kernel(self) -> tuple[int, int]:
        """(F, C/groups): filters and input channels of the kernel."""
        if self.w.array is not None:
            lead = self.d if self.apart else 0
            return self.w.array.shape[lead], self.w.array.shape[lead + 1]
        return self.y.given.shape[1], self.x.given.shape[1] // self.groups

    # -- one overlay: at = (example, *place), or (example, node) --------------------------------------

    def place(self, at: Place) -> Place:
        """The place of an overlay, without its example."""
        return () if self.nodewise else at[1:]

    def under(self, at: Place) -> Array:
        """x under the kernel at an overlay, padding included: (C, *k)."""
        return self.windows.seen(self.x.given[at[0]], self.place(at))

    def facing(self, at: Place) -> Array:
        """y at an overlay: (F,), of a node alone (1,)."""
        if self.nodewise:
            return self.y.given[at[0], at[1] : at[1] + 1]
        return self.y.given[everywhere(at)]

    def kernel(self, at: Place) -> Array:
        """w as it is laid at an overlay: (F, C/groups, *k), of a node alone (1, C)."""
        if self.nodewise:
            return self.laid[at[1] : at[1] + 1]
        return self.laid[at[1:]] if self.apart else self.laid

    def cells(self, role: str, at: Place) -> Cells:
        """The cells of x, w or y that an overlay is about, as an index."""
        one = slice(at[0], at[0] + 1)
        if role == "x":
            return (one, slice(None), *self.windows.touched(self.place(at)))
        single = tuple(slice(i, i + 1) for i in at[1:])
        if role == "y":
            return (one, *single) if self.nodewise else (one, slice(None), *single)
        everything = (slice(None),) * (2 + self.d)
        if self.nodewise:
            return (*single, slice(None))
        return (*single, *everything) if self.apart else everything

    def box(self, role: str, at: Place) -> tuple[tuple[int, int], ...]:
        """The half-open ranges that an overlay covers: on x for x and w, on y for y; of a node its own."""
        if self.nodewise:
            node, inputs = (at[1], at[1] + 1), (0, self.shape("x")[1])
            return {"x": (inputs,), "w": (node, inputs), "y": (node,)}[role]
        return tuple((i, i + 1) for i in at[1:]) if role == "y" else self.windows.box(at[1:])

    @property
    def overlays(self) -> tuple[int, ...]:
        """The shape of what overlays are counted by: (N, *places), or (N, nodes)."""
        shape = self.shape("y")
        return shape if self.nodewise else (shape[0], *shape[2:])

    # -- formulas -------------------------------------------------------------------------------------

    @cached_property
    def place_letters(self) -> tuple[str, ...]:
        """The indices of a place: i, j, k."""
        return tuple(PLACES[: self.d])

    @cached_property
    def cell_letters(self) -> tuple[str, ...]:
        """The indices of a kernel cell: m, n, o."""
        return tuple(CELLS[: self.d])

    @cached_property
    def input_letters(self) -> tuple[str, ...]:
        """The indices of an input cell: x, y, z."""
        return tuple(INPUTS[: self.d])

    @cached_property
    def positions(self) -> tuple[str, ...]:
        """cell(i, u) as it is written, an axis each: ``2i+m-1``."""
        return tuple(
            axis.formula(*at)
            for axis, *at in zip(self.windows.axes, self.place_letters, self.cell_letters, strict=True)
        )

    def named(self, role: str, spatial: tuple[str, ...] = (), name: str = "") -> Named:
        """x, w or y with its index; spatial: the indices of its own spatial axes, where they are not the usual ones."""
        part = self.part(role)
        return self.indexed(name or part.called, part.axes, spatial or self._spatial(role))

    def _spatial(self, role: str) -> tuple[str, ...]:
        """The usual indices of the spatial axes of x, w or y."""
        if role == "w" and self.flip:
            return tuple(f"{n - 1}-{u}" for n, u in zip(self.windows.kernel, self.cell_letters, strict=True))
        return {"x": self.positions, "y": self.place_letters, "w": self.cell_letters}[role]

    def indexed(self, name: str, axes: str, spatial: tuple[str, ...] = ()) -> Named:
        """An array with the index of each of its axes; examples are not written."""
        texts: dict[str, Any] = {f"*{k}": text for k, text in enumerate(spatial)}
        texts |= {f"P{k}": text for k, text in enumerate(self.place_letters)}
        written = [token for token in tokens(axes, self.d) if token != "N"]
        return Named(name, tuple((token, INDEX.get(token) or texts[token]) for token in written))

    def channels(self, role: str) -> str:
        """The index of the channels of x or y: ``c`` or ``f``."""
        return INDEX[self.part(role).axes[1]]

    @property
    def remark(self) -> str:
        """What a formula's indices do not say."""
        grouped = ", c and f counted within their group" if self.groups > 1 else ""
        mode = self.windows.mode
        return grouped + ("" if mode == "zeros" else f", cells outside borrowed by {mode}")


def live_where(array: Array) -> Array:
    """y (N, F, *places) -> (N, *places) of bool: where any filter's number is not 0."""
    return np.any(array != 0, axis=1)
