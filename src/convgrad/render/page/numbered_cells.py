"""The numbers of a page and the cells they stand in: each number once, each cell by a number of its own.

Everything a page lights up or writes out points at these, so that whoever draws the page needs no geometry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from convgrad.core.element import Array
from convgrad.core.term import Cells, Term
from convgrad.errors import by
from convgrad.render.number_text import exact, readable
from convgrad.render.padding import padded
from convgrad.render.planes import planes

MOST_ARRAY_CELLS, MOST_ARRAY_PLANES = 8_000, 48
"""Cells of one array, and planes, that a page draws."""

FEWEST_ROWS = 4
"""Rows of a plane that a page keeps where it leaves some out, before it leaves out columns."""


@dataclass(frozen=True, eq=False)
class Numbers:
    """The different numbers of a page, in the order of their first use: ``exact``, or ``exact|shown`` where unlike."""

    precision: int | None
    texts: list[str] = field(default_factory=list)
    known: dict[Any, int] = field(default_factory=dict)

    def add(self, number: Any) -> int:
        """Where a number stands among them."""
        key = type(number), number
        if key not in self.known:
            written, shown = exact(number, self.precision), readable(number, self.precision)
            self.known[key] = len(self.texts)
            self.texts.append(written if written == shown else f"{written}|{shown}")
        return self.known[key]

    def all(self, array: Array) -> list[int]:
        """Where the numbers of an array stand among them, in reading order."""
        # tolist() makes Python floats, quicker to write, but would widen the digits of a float32
        numbers: Iterable[Any] = array.ravel() if array.dtype == np.float32 else array.ravel().tolist()
        return [self.add(number) for number in numbers]


@dataclass(frozen=True, eq=False)
class Part:
    """What of an array is drawn: its planes (label, cells by their places in reading order), and rows, columns of each.

    left: what is left out, in words; empty where nothing is.
    """

    planes: list[tuple[str, Array]]
    rows: int
    columns: int
    left: str

    @classmethod
    def of(cls, name: str, shape: tuple[int, ...], spatial: Sequence[int], most: int) -> Part:
        """All of an array, or as much of the first rows of its first planes as `most` cells are."""
        flat = np.arange(prod(shape)).reshape(shape)
        found = [(str(label), plane) for label, plane, _ in planes(name, flat, spatial)]
        shown = found[:MOST_ARRAY_PLANES]
        height, width = shown[0][1].shape if shown else (0, 0)
        room = most // max(len(shown), 1)
        columns = min(width, max(1, room // max(1, min(height, FEWEST_ROWS))))
        rows = min(height, max(1, room // max(1, columns)))
        counts = [(rows, height, "rows"), (columns, width, "columns"), (len(shown), len(found), "planes")]
        left = [f"the first {part} of {total} {what}" for part, total, what in counts if part < total]
        return cls(shown, rows, columns, " and ".join(left))

    @property
    def cells(self) -> Array:
        """The places, in the array's reading order, of the cells that are drawn."""
        each = [plane[: self.rows, : self.columns].ravel() for _, plane in self.planes]
        return np.concatenate(each) if each else np.zeros(0, int)


@dataclass(frozen=True, eq=False)
class Drawn:
    """An array on a page: its planes, and the number of each cell's place there.

    cells: the place of each cell in reading order, -1 for those that the page leaves out; order: the cells by their
    places; data: what the page is told.
    """

    name: str
    array: Array
    cells: Array
    order: Array
    data: dict[str, Any]

    @property
    def grid(self) -> Array:
        """The places of the cells, in the array's shape."""
        return self.cells.reshape(self.array.shape)

    def under(self, index: Cells) -> Array:
        """The places of the cells that an index means: a slice, or the cells, for each axis."""
        each = (
            range(*part.indices(size)) if isinstance(part, slice) else list(part)
            for part, size in zip(index, self.array.shape, strict=True)
        )
        return self.grid[np.ix_(*each)] if self.array.ndim else self.cells

    def places(self, at: Array) -> Array:
        """Indices (n, axes) -> the places of those cells; -1 for what is left out or lies in the padding."""
        shape = self.array.shape
        if at.shape[1] != len(shape):
            return np.full(len(at), -1)
        inside = ((at >= 0) & (at < shape)).all(axis=1)
        flat = np.zeros(len(at), int)
        for k, size in enumerate(shape):
            flat = flat * size + at[:, k]
        return np.where(inside, self.cells[np.where(inside, flat, 0)], -1)

    def hanging(self, spatial: Sequence[int], term: Term, numbers: Numbers) -> list[list[int]]:
        """The cells of the padding that a term's window covers, as (plane, row, column, number).

        Rows and columns are counted from the array's own first, those before it from below 0. Planes are told how far
        the widest window hangs over (``margin``: above, right, below, left).
        """
        wide = padded(self.array, spatial, term)
        if wide is None or self.data["left"]:
            return []
        order = [*(k for k in range(self.array.ndim) if k not in spatial), *spatial]
        top, left = ([0, 0, *(wide.origin[axis] for axis in order)])[-2:]
        known = {plane["label"]: k for k, plane in enumerate(self.data["planes"])}
        found = []
        for (label, plane, _), (_, pad, _) in zip(
            planes(self.name, wide.numbers, spatial, None, wide.origin),
            planes(self.name, wide.pad, spatial, None, wide.origin),
            strict=True,
        ):
            if (k := known.get(str(label))) is None:  # a plane that is all padding
                continue
            for r, c in np.argwhere(pad):
                found.append([k, int(r) - top, int(c) - left, numbers.add(plane[r, c])])
        self._widen(found)
        return found

    def _widen(self, cells: Sequence[Sequence[int]]) -> None:
        for plane in self.data["planes"]:
            margin = plane.setdefault("margin", [0, 0, 0, 0])
            for _, r, c, _ in cells:
                over = (-r, c + 1 - plane["columns"], r + 1 - plane["rows"], -c)
                margin[:] = map(max, margin, over)


def drawn(
    name: str, array: Array, spatial: Sequence[int], numbers: Numbers, start: int, most: int = MOST_ARRAY_CELLS
) -> Drawn:
    """An array as planes, its cells' places counted from `start`; of a large one as many of the first as fit."""
    part = Part.of(name, array.shape, spatial, most)
    kept, cells = part.cells, np.full(array.size, -1)
    cells[kept] = start + np.arange(len(kept))
    drawings = [
        {"label": label, "rows": part.rows, "columns": part.columns, "cell": _template(name, array, plane)}
        for label, plane in part.planes
    ]
    data = {
        "name": name,
        "size": by(array.shape) if array.ndim > 1 else "",
        "start": start,
        "planes": drawings,
        "numbers": numbers.all(array.ravel()[kept]),
        "left": part.left,
    }
    return Drawn(name, array, cells, kept, data)


def _template(name: str, array: Array, plane: Array) -> str:
    """What the cells of a plane are called, ``%r`` and ``%c`` standing for row and column: ``dW[0,1,%r,%c]``."""
    if not array.ndim or not array.size:
        return name
    corner = np.unravel_index(int(plane[0, 0]), array.shape)
    index = [str(int(i)) for i in corner]
    for mark, beside in (("%r", plane[1:2, 0]), ("%c", plane[0, 1:2])):
        if beside.size:
            moved = np.unravel_index(int(beside[0]), array.shape)
            index = [text if i == j else mark for i, j, text in zip(corner, moved, index, strict=True)]
    return f"{name}[{','.join(index)}]"


def runs(places: Array) -> list[int]:
    """Places of cells -> starts and lengths of their runs by turns; those left out (-1) are passed over."""
    found = np.unique(places)
    found = found[found >= 0]
    if not len(found):
        return []
    starts = np.flatnonzero(np.diff(found, prepend=-2) != 1)
    lengths = np.diff(np.append(starts, len(found)))
    return [int(each) for pair in zip(found[starts], lengths, strict=True) for each in pair]
