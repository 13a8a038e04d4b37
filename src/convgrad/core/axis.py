"""Geometry along one axis: where a kernel lies at every place. Sizes alone; windows.py has the arrays.

The one fact is the position, on the input, of kernel cell `u` when the kernel lies at output place `i`::

    cell(i, u) = stride * i + dilation * u - before

Negative and past-the-end positions lie in the padding. Here and in windows.py alone are stride, padding and dilation
arithmetic.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convgrad.errors import OptionError
from convgrad.kinds.setting import PADDINGS

Array = NDArray[Any]
Ints = int | Sequence[int]
Pair = tuple[int, int]
Padding = str | int | Sequence[int | Pair]


def per_axis(value: Ints, axes: int, name: str) -> tuple[int, ...]:
    """One whole number an axis: `2` stands for every axis, `(2, 1)` for one each; else OptionError."""
    numbers = (value,) if isinstance(value, int) else tuple(value)
    if len(numbers) not in (1, axes):
        raise OptionError(
            f"it has {len(numbers)} numbers, but the input has {axes} spatial {'axis' if axes == 1 else 'axes'}",
            where=name,
            hint="give one number, or one an axis",
        )
    return numbers * axes if len(numbers) == 1 else numbers


@dataclass(frozen=True)
class Axis:
    """One spatial axis: an input of `size` cells, padded, under a kernel of `kernel` cells.

    All fields are counts of cells; `dilation` 1 is a dense kernel; `ceil` also counts a last window that
    hangs over the end, as long as it starts inside the input or the padding before it (PyTorch's rule).
    """

    size: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0
    ceil: bool = False
    most: int | None = None
    """Places are not counted beyond this: rows of output padding make room for more than there are."""

    @classmethod
    def fit(
        cls,
        size: int,
        kernel: int,
        stride: int = 1,
        padding: str | Pair = (0, 0),
        dilation: int = 1,
        ceil: bool = False,
    ) -> Axis:
        """The axis with its padding worked out: a pair (before, after), or one of PADDINGS by name.

        `same`: ceil(size / stride) places, total = max(0, (places - 1) stride + span - size), the odd cell
        after (`same-lower`: before); `full`: span - 1 on both sides; `causal`: span - 1 before.
        Source of `same`: TensorFlow's and ONNX's SAME_UPPER and SAME_LOWER.
        """
        axis = cls(size, kernel, stride, dilation, 0, 0, ceil)
        if not isinstance(padding, str):
            return replace(axis, before=padding[0], after=padding[1])
        total = max(0, (-(-size // stride) - 1) * stride + axis.span - size)
        before, after = {
            "valid": (0, 0),
            "same": (total // 2, total - total // 2),
            "same-lower": (total - total // 2, total // 2),
            "full": (axis.span - 1, axis.span - 1),
            "causal": (axis.span - 1, 0),
        }[padding]
        return replace(axis, before=before, after=after)

    @classmethod
    def transposed(
        cls, places: int, kernel: int, stride: int = 1, padding: str | Pair = (0, 0), dilation: int = 1, extra: int = 0
    ) -> Axis:
        """The axis of a transposed convolution's output, from its input's size `places`.

        (places - 1) stride + span cells less the padding, and `extra` more; with `same`, stride times places.
        """
        if padding in ("same", "same-lower"):
            return replace(cls.fit(places * stride, kernel, stride, padding, dilation), most=places)
        axis = cls.fit(1, kernel, stride, padding, dilation)
        size = axis.reaching(places) - axis.before - axis.after + extra
        return replace(axis, size=size, most=places)

    @property
    def span(self) -> int:
        """Cells from the first to the last cell of the kernel, holes of the dilation included."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def padded(self) -> int:
        """Cells of the padded input."""
        return self.before + self.size + self.after

    @property
    def places(self) -> int:
        """Output places; 0 or less where the kernel does not fit."""
        room = self.padded - self.span
        if not self.ceil:
            places = room // self.stride + 1
            return places if self.most is None else min(places, self.most)
        places = -(-room // self.stride) + 1
        return places - 1 if (places - 1) * self.stride >= self.before + self.size else places

    @property
    def extent(self) -> int:
        """Cells of the padded input, with what the last window of `ceil` hangs over."""
        return max(self.padded, self.reach)

    @property
    def reach(self) -> int:
        """Cells from the first to the last that any window touches."""
        return self.reaching(self.places)

    def reaching(self, places: int) -> int:
        """Cells from the first to the last that so many windows would touch."""
        return (places - 1) * self.stride + self.span

    def kernel_moved(self, places: int) -> int:
        """Cells by which so many places can be moved over the padded input: the kernel that all of them give."""
        return -(-(self.padded - (places - 1) * self.stride) // self.dilation)

    def strided(self, cell: int = 0) -> slice:
        """The cells of the padded input under one kernel cell, at all places."""
        start = cell * self.dilation
        return slice(start, start + (self.places - 1) * self.stride + 1, self.stride)

    @cached_property
    def cells(self) -> Array:
        """cells (places, kernel): the position on the input under every kernel cell at every place."""
        return self.at(np.arange(self.places)[:, None])

    def at(self, place: Any) -> Array:
        """Positions (kernel,) on the input under the kernel at one place; outside 0..size is padding."""
        return self._position(place, np.arange(self.kernel))

    def meetings(
        self, mode: str, place: int | None = None, offset: int | None = None, cell: int | None = None
    ) -> Array:
        """All (place, kernel cell, input cell), as rows in reading order, that meet; one of the three is given.

        The input cell is the one that a place's kernel cell shows: -1 where that is a zero of the padding.
        """
        if cell is not None:
            return self._meeting(mode, cell)
        i = np.arange(self.places) if place is None else np.array([place])
        u = np.arange(self.kernel) if offset is None else np.array([offset])
        i, u = (each.ravel() for each in np.meshgrid(i, u, indexing="ij"))
        return np.stack([i, u, self.source(self._position(i, u), mode)], axis=1)

    def _position(self, place: Any, offset: Any) -> Array:
        position: Array = place * self.stride + offset * self.dilation - self.before
        return position

    def _meeting(self, mode: str, cell: int) -> Array:
        """The rows of `meetings` for one input cell: from where it lies, back to the places that reach it."""
        shown = np.array([cell])
        if mode != "zeros":
            everywhere = np.arange(self.extent) - self.before
            shown = everywhere[self.source(everywhere, mode) == cell]
        offset = np.arange(self.kernel)
        reach = shown[:, None] + self.before - offset * self.dilation
        fits = (reach % self.stride == 0) & (reach >= 0) & (reach < self.places * self.stride)
        which, u = np.nonzero(fits)
        rows = np.stack([reach[which, u] // self.stride, u, np.full(len(u), cell)], axis=1)
        return rows[np.lexsort((rows[:, 1], rows[:, 0]))]

    def inside(self, low: int, high: int) -> Array:
        """How many kernel cells (places,) lie at positions from `low` up to `high`, at every place."""
        start = np.arange(self.places) * self.stride - self.before
        first = np.maximum(0, -((start - low) // self.dilation))
        end = np.minimum(self.kernel, -((start - high) // self.dilation))
        return np.maximum(0, end - first)

    def source(self, position: Array, mode: str) -> Array:
        """The input cell that each position shows, -1 where it shows a zero of the padding."""
        if mode == "replicate":
            return np.clip(position, 0, self.size - 1)
        if mode == "circular":
            return position % self.size
        if mode == "reflect":
            period = max(1, 2 * (self.size - 1))
            folded = position % period
            return np.minimum(folded, period - folded) if self.size > 1 else folded
        return np.where((position >= 0) & (position < self.size), position, -1)

    def formula(self, place: str, offset: str) -> str:
        """`cell(place, offset)` as it is written in a formula: ``2i+m-1``."""
        step = "" if self.stride == 1 else str(self.stride)
        hole = "" if self.dilation == 1 else str(self.dilation)
        shift = f"-{self.before}" if self.before else ""
        return f"{step}{place}+{hole}{offset}{shift}"


@dataclass(frozen=True)
class Ragged(Axis):
    """An axis cut into `parts` windows that cover it, whose lengths and distances need not be equal.

    Window i runs from floor(i size / parts) up to ceil((i + 1) size / parts), as PyTorch's adaptive pooling has
    it; `kernel` is the longest, and the cells that a shorter window lacks lie past the end of the input.
    """

    parts: int = 1

    @classmethod
    def cut(cls, size: int, parts: int) -> Axis:
        """`parts` windows over `size` cells: an ordinary axis where they are all alike."""
        if size % parts == 0:
            return Axis(size, size // parts, size // parts)
        longest = max(-(-(i + 1) * size // parts) - i * size // parts for i in range(parts))
        return cls(size, longest, parts=parts)

    @property
    def places(self) -> int:
        """Output places."""
        return self.parts

    @property
    def extent(self) -> int:
        """Cells of the input, and one more that stands for all that a window lacks."""
        return self.size + 1

    @property
    def reach(self) -> int:
        """Cells of the input: the windows cover it."""
        return self.size

    def _position(self, place: Any, offset: Any) -> Array:
        start, end = place * self.size // self.parts, -(-(place + 1) * self.size // self.parts)
        return np.where(start + offset < end, start + offset, self.size)

    def _meeting(self, mode: str, cell: int) -> Array:
        """The rows of `meetings` for one input cell, sought among all windows."""
        rows = self.meetings(mode, None, None)
        return rows[rows[:, 2] == cell]

    def inside(self, low: int, high: int) -> Array:
        """How many cells (places,) every window has; all lie on the input."""
        place = np.arange(self.parts)
        return -(-(place + 1) * self.size // self.parts) - place * self.size // self.parts

    def formula(self, place: str, offset: str) -> str:
        """The window's cells as they are written in a formula."""
        return f"floor({self.size}{place}/{self.parts})+{offset}"


def where_equal(count: Callable[[int], int], wanted: int, top: int) -> range:
    """The numbers k from 1 to `top` with count(k) = wanted, for a count that only rises or only falls."""
    sign = 1 if count(top) >= count(1) else -1
    ends = [
        side(range(1, top + 1), sign * wanted, key=lambda k: sign * count(k)) for side in (bisect_left, bisect_right)
    ]
    return range(ends[0] + 1, ends[1] + 1)


def paddings(padding: Padding, axes: int) -> list[str | Pair]:
    """The padding of each axis, as a name or as a pair (before, after)."""
    if isinstance(padding, str):
        if padding not in PADDINGS:
            raise OptionError(f"there is no padding called {padding!r}", hint=f"use one of {', '.join(PADDINGS)}")
        return [padding] * axes
    if isinstance(padding, int):
        padding = [padding]
    if len(padding) not in (1, axes):
        raise OptionError(
            f"it has {len(padding)} entries, but the input has {axes} spatial {'axis' if axes == 1 else 'axes'}",
            where="padding",
            hint="give one number (or before:after), or one an axis",
        )
    pairs: list[str | Pair] = [(each, each) if isinstance(each, int) else (each[0], each[1]) for each in padding]
    return pairs * axes if len(pairs) == 1 else pairs
