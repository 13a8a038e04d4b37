"""Patterns of the blocks into which an array is cut, as threads of a kernel cut it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log2

import numpy as np

from convgrad.checking.patterns.cells import Cells, Pattern
from convgrad.checking.patterns.index_sets import choices, index_set
from convgrad.checking.patterns.products import index_of
from convgrad.core.element import Array

LARGEST_TILE = 128
"""The longest side of a tile that is looked for."""

SAMPLE = 200
"""Lines of an array that are looked at first."""


def tiles_of(cells: Cells, words: Sequence[str], spatial: tuple[int, ...]) -> Iterator[Pattern]:
    """All cells of some of the blocks into which the array is cut, as threads of a kernel cut it."""
    shape = cells.wrong.shape
    sizes = [_tile(cells, axis) for axis in range(len(shape))]
    if sum(size > 1 for size in (sizes[axis] for axis in spatial)) < 1:
        return
    wrong = cells.wrong
    for axis, size in enumerate(sizes):
        wrong = np.logical_or.reduceat(wrong, np.arange(0, shape[axis], size), axis=axis)
    cost = sum(log2(n) + 1 for n in shape) + choices(wrong.size, int(wrong.sum())) + log2(wrong.size + 1)
    whole = wrong
    for axis, size in enumerate(sizes):
        whole = np.repeat(whole, size, axis)[tuple(slice(n if k == axis else None) for k, n in enumerate(shape))]
    covered = int(np.count_nonzero(cells.telling & whole))
    number = int(wrong.sum())
    named = [f"{size} {word}{'s' if size > 1 else ''}" for size, word in zip(sizes, words, strict=True)]
    side = " by ".join(named[axis] for axis in range(len(shape)) if 1 < sizes[axis] < shape[axis])
    yield Pattern(
        "tiles",
        " and ".join(_blocks(wrong, sizes, shape)),
        f"{number} of the {wrong.size} tiles of {side}" if number > 1 else f"one tile of {side}",
        int(np.count_nonzero(whole)),
        cells.count,
        0,
        cells.saved(cost, covered, cells.count),
        covered == cells.count,
    )


def _blocks(tiles: Array, sizes: Sequence[int], shape: Sequence[int]) -> Iterator[str]:
    """The first tiles as slices."""
    where = np.argwhere(tiles)
    for at in where[:4]:
        ends = [(i * size, min(n, (i + 1) * size), n) for i, size, n in zip(at, sizes, shape, strict=True)]
        yield index_of([index_set(np.arange(start, stop), n) for start, stop, n in ends])
    if len(where) > 4:
        yield f"{len(where) - 4} more"


def _tile(cells: Cells, axis: int) -> int:
    """The longest parts of an axis that are either wholly off or not at all, as far as cells can tell; 1 for none."""
    n = cells.wrong.shape[axis]
    off = np.moveaxis(cells.wrong, axis, -1).reshape(-1, n)
    lines = np.flatnonzero(off.any(1))  # where nothing is off, any length will do
    off, on = off[lines], np.moveaxis(cells.telling & ~cells.wrong, axis, -1).reshape(-1, n)[lines]
    some = slice(None, None, 1 + len(lines) // SAMPLE)
    sizes = (n, *range(min(LARGEST_TILE, n // 2), 1, -1))
    return next((size for size in sizes if _cut(off[some], on[some], size) and _cut(off, on, size)), 1)


def _cut(off: Array, on: Array, size: int) -> bool:
    """Whether no part of that length is off in one cell and on in another."""
    starts = np.arange(0, off.shape[1], size)
    both = np.logical_or.reduceat(off, starts, axis=1) & np.logical_or.reduceat(on, starts, axis=1)
    return not both.any()
