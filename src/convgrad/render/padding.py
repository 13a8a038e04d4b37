"""Windows that hang over the border: an array with as much of its padding as one overlay covers.

What is drawn is as large as the kernel wherever it lies; how much padding there is beyond it does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from convgrad.core.element import Array
from convgrad.core.term import Cells, Spots, Term
from convgrad.kinds.setting import PAD_MODES
from convgrad.problems.report import Report, Walk

MOST_MARGIN = 8
"""Cells that a window may hang over a side; where it hangs over further, it is drawn beside the array."""

PADDING = {
    "zeros": " Cells in parentheses lie in the padding.",
    **{
        mode: f" Cells in parentheses lie in the padding, which holds what {mode} lends it."
        for mode in PAD_MODES
        if mode != "zeros"
    },
}
"""What a legend says of cells of the padding, by what that holds."""

CROPPED = " Cells in parentheses are cropped, and count as 0."
"""The same of a transposed convolution, whose padding is cropped."""


def padding_of(walk: Walk, report: Report) -> str:
    """What is to be said of cells of the padding, with a blank before it; nothing where no window covers any."""
    quantity = walk.quantities[0]
    first = next(quantity.places(), None)
    spots = None if first is None else quantity.term(first).spots
    if spots is None or (spots.on and spots.on not in report.operands):
        return ""
    return CROPPED if spots.on else PADDING[spots.mode]


class Padded(NamedTuple):
    """An array with a margin of padding.

    numbers: of all cells; lit: those under the kernel; pad: those of them that lie in the padding; blank: cells of the
    margin that no kernel cell lies on, which hold nothing; origin: how far the array's own cells are shifted, by axis.
    """

    numbers: Array
    lit: Array
    pad: Array
    blank: Array
    origin: tuple[int, ...]


def padded(array: Array, spatial: Sequence[int], term: Term) -> Padded | None:
    """An array with the part of its padding that a term's window covers.

    None where the window lies on the array as a whole, or so far out that the margin would be all there is to see.
    """
    spots = term.spots
    if spots is None or len(spatial) != len(spots.positions):
        return None
    sides = [(0, 0)] * array.ndim
    for axis, at in zip(spatial, spots.positions, strict=True):
        sides[axis] = max(0, -int(at.min())), max(0, int(at.max()) + 1 - array.shape[axis])
    if not any(map(any, sides)) or max(map(max, sides)) > MOST_MARGIN:
        return None
    shape = tuple(n + before + after for n, (before, after) in zip(array.shape, sides, strict=True))
    core = tuple(slice(before, before + n) for n, (before, _) in zip(array.shape, sides, strict=True))
    numbers = np.zeros(shape, array.dtype)
    numbers[core] = array
    seen = [
        np.arange(n)[part] if isinstance(part, slice) else np.array(list(part), int)
        for n, part in zip(array.shape, term.window, strict=True)
    ]
    under = list(seen)
    for axis, at, sources in zip(spatial, spots.positions, spots.sources, strict=True):
        under[axis], seen[axis] = at + sides[axis][0], np.maximum(sources, 0)
    here = np.ix_(*under)
    lit, outside = np.zeros(shape, bool), np.ones(shape, bool)
    lit[here], outside[core] = True, False
    fill = array.dtype.type(spots.fill)
    numbers[here] = np.where(_lent(spots, spatial, array.ndim), array[np.ix_(*seen)], fill)
    return Padded(numbers, lit, lit & outside, outside & ~lit, tuple(before for before, _ in sides))


def own_cells(term: Term, spatial: Sequence[int], shape: tuple[int, ...]) -> Cells:
    """The cells of an array that lie under the kernel themselves, without those that its padding borrows."""
    assert term.spots is not None
    cells = list(term.window)
    for axis, at in zip(spatial, term.spots.positions, strict=True):
        cells[axis] = [int(each) for each in at if 0 <= each < shape[axis]]
    return tuple(cells)


def _lent(spots: Spots, spatial: Sequence[int], rank: int) -> Array:
    """Which cells under the kernel show a cell of the array, broadcast to its axes."""
    there = np.ones((1,) * rank, bool)
    for axis, sources in zip(spatial, spots.sources, strict=True):
        there = there & (sources >= 0).reshape([-1 if k == axis else 1 for k in range(rank)])
    return there


def in_padding(spots: Spots, sizes: Sequence[int], shape: tuple[int, ...]) -> Array:
    """Which cells under the kernel lie in the padding, for what is seen there: shape (..., *kernel)."""
    there = np.ones((), bool)
    for positions, size in zip(spots.positions, sizes, strict=True):
        there = np.multiply.outer(there, (positions >= 0) & (positions < size))
    return np.broadcast_to(~there, shape)
