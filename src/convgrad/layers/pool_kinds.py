"""What each kind of pooling makes of the cells that a window sees: its output, and the share of the delta of each cell.

A window that is seen: seen (..., *places, *kernel), at one place alone (C, 1, ..., *kernel) with that place said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple, Protocol

import numpy as np

from convgrad.core.element import Array, Place
from convgrad.core.rational import cast
from convgrad.core.term import beside
from convgrad.core.windows import Windows
from convgrad.kinds.analytic import deciding, size


class Options(Protocol):
    """What a pooling layer is told besides where its windows lie."""

    @property
    def count_include_pad(self) -> bool:
        """Whether padding counts in an average's divisor."""

    @property
    def divisor(self) -> float | None:
        """An average's divisor, whatever the window holds."""

    @property
    def ties(self) -> str:
        """Who takes the delta among equal maxima."""

    @property
    def p(self) -> float:
        """The power of the p-norm."""


Over = Callable[[Array], Array]
"""What lays an array of all places, (..., *places), beside the cells that are looked at."""


class Share(NamedTuple):
    """The share of its window's delta that a cell gets.

    of: cells, of all windows or one kernel cell of each, and what lays an array of places beside them -> their shares;
    alone: where only one cell of those that have a share takes it, which: the ``first`` in reading order or the
    ``last``.
    """

    of: Callable[[Array, Over], Array]
    alone: str = ""

    def whole(self, seen: Array, d: int) -> Array:
        """seen (..., *places, *kernel) -> the share of each cell, of the same shape."""
        share = np.broadcast_to(self.of(seen, lambda each: beside(each, d)), seen.shape)
        if self.alone:
            cells = flat(share, d)
            turn = -1 if self.alone == "last" else 1
            taken = np.zeros(cells.shape, bool)
            chosen = cells[..., ::turn].argmax(axis=-1)[..., None]
            np.put_along_axis(taken[..., ::turn], chosen, True, axis=-1)
            share = share & taken.reshape(share.shape)
        return cast(share, seen.dtype)

    def by_cell(self, seen: Array, delta: Array, windows: Windows) -> Iterator[tuple[Place, Array]]:
        """seen (..., *places, *kernel), delta (..., *places) -> each kernel cell, with what it gets at all places."""
        kernel = list(np.ndindex(windows.kernel))
        free = np.ones(delta.shape, bool) if self.alone else None
        for u in reversed(kernel) if self.alone == "last" else kernel:
            share = self.of(seen[(..., *u)], lambda each: each)
            if free is not None:
                share &= free
                free ^= share
            yield u, delta * share


def _divisors(pool: Options, windows: Windows, dtype: Any, place: Place | None) -> Array:
    """What each window's sum is divided by, (*places); or at one place, (1, ...)."""
    if pool.divisor is not None:
        return np.full((1,) * len(windows.axes) if place else windows.places, cast(pool.divisor, dtype))
    counts = np.ones((), int)
    for k, axis in enumerate(windows.axes):
        padded = axis.inside(-axis.before, axis.size + axis.after)
        along = padded if pool.count_include_pad else axis.inside(0, axis.size)
        counts = np.multiply.outer(counts, along if place is None else along[place[k] : place[k] + 1])
    return cast(counts, dtype)


def _max(pool: Options, seen: Array, windows: Windows, place: Place | None = None) -> Array:
    if seen.dtype.kind == "c":
        return _of_largest(pool, flat(seen, len(windows.axes)))
    return _reduced(np.maximum, seen, windows)


def _of_largest(pool: Options, cells: Array) -> Array:
    """cells (..., n), complex -> the one whose real part is largest; among equal ones as `ties` says, (...).

    Shared equally, the maximum moves as their mean does; where all take the delta, by the sum of what they do.
    """
    real = deciding(cells)
    top = real.max(axis=-1)
    largest = real == top[..., None]
    if pool.ties in ("first", "last"):
        reverse = -1 if pool.ties == "last" else 1
        here = largest[..., ::reverse].argmax(axis=-1)[..., None]
        return np.asarray(np.take_along_axis(cells[..., ::reverse], here, axis=-1)[..., 0])
    moved = np.where(largest, cells.imag, 0).sum(axis=-1)
    return np.asarray(top + 1j * moved / (largest.sum(axis=-1) if pool.ties == "split" else 1))


def _max_share(pool: Options, seen: Array, windows: Windows, place: Place | None = None) -> Share:
    top = _max(pool, seen, windows)
    if pool.ties != "split":
        return Share(lambda cells, over: cells == over(top), pool.ties if pool.ties in ("first", "last") else "")
    equal = np.zeros(top.shape, int)
    for u in np.ndindex(windows.kernel):
        equal += seen[(..., *u)] == top
    share = cast(1, seen.dtype) / cast(np.maximum(equal, 1), seen.dtype)
    return Share(lambda cells, over: (cells == over(top)) * over(share))


def _max_bends(pool: Options, seen: Array, windows: Windows) -> Array:
    """Maxima that are not alone in their window."""
    d = len(windows.axes)
    largest = seen == beside(_max(pool, seen, windows), d)
    return largest & beside(flat(largest, d).sum(axis=-1) > 1, d)


def _sum(pool: Options, seen: Array, windows: Windows, place: Place | None = None) -> Array:
    return _reduced(np.add, seen, windows)


def _sum_share(pool: Options, seen: Array, windows: Windows, place: Place | None = None) -> Share:
    one = np.full((1,) * (seen.ndim - len(windows.axes)), cast(1, seen.dtype))
    return Share(lambda cells, over: over(one))


def _power(pool: Options, seen: Array, windows: Windows, place: Place | None = None) -> Array:
    p = seen.dtype.type(pool.p)
    return _sum(pool, size(seen) ** p, windows) ** (1 / p)


def _power_bends(pool: Options, seen: Array, windows: Windows) -> Array:
    """Zeros, where their sizes are added up; of a higher power only windows that are all 0."""
    if pool.p == 1:
        return np.asarray(seen == 0)
    return np.broadcast_to(beside(_power(pool, seen, windows) == 0, len(windows.axes)), seen.shape)


def _power_share(pool: Options, seen: Array, windows: Windows, place: Place | None = None) -> Share:
    """sign(x) |x|^(p-1) / output^(p-1), 0 where the output is."""
    p, output = seen.dtype.type(pool.p), _power(pool, seen, windows)

    def share(cells: Array, over: Over) -> Array:
        whole = over(output)
        ratio = np.divide(np.abs(cells), whole, out=np.zeros_like(cells), where=whole != 0)
        return np.where(cells == 0, 0, np.sign(cells) * ratio ** (p - 1))

    return Share(share)


def _average(pool: Options, seen: Array, windows: Windows, place: Place | None = None) -> Array:
    return _sum(pool, seen, windows) / _divisors(pool, windows, seen.dtype, place)


def _average_share(pool: Options, seen: Array, windows: Windows, place: Place | None = None) -> Share:
    share = 1 / _divisors(pool, windows, seen.dtype, place)
    return Share(lambda cells, over: over(share))


@dataclass(frozen=True, eq=False, repr=False)
class PoolKind:
    """A kind of pooling: the output of each window, each cell's share of the delta, and what padding holds.

    bends: which cells lie where the slope jumps, where it does; taken: what is taken for the gradient there.
    """

    words: str
    output: Callable[..., Array]
    share: Callable[..., Share]
    fill: float = 0
    rational: bool = True
    bends: Callable[..., Array] = lambda pool, seen, windows: np.zeros(seen.shape, bool)
    taken: str = ""


POOL_KINDS = {
    "max": PoolKind(
        "maximum", _max, _max_share, fill=-np.inf, bends=_max_bends, taken="of equal maxima {who} the delta"
    ),
    "avg": PoolKind("average", _average, _average_share),
    "sum": PoolKind("sum", _sum, _sum_share),
    "lp": PoolKind(
        "p-norm",
        _power,
        _power_share,
        rational=False,
        bends=_power_bends,
        taken="the slope of the p-norm is taken as 0 at 0",
    ),
}

WHO = {
    "first": "the first takes",
    "last": "the last takes",
    "all": "every one takes all of",
    "split": "each takes an equal share of",
}
"""Who takes the delta of equal maxima, in words."""


def _reduced(combine: np.ufunc, seen: Array, windows: Windows) -> Array:
    """seen (..., *places, *kernel) -> (..., *places): all cells of each window combined.

    A cell of the kernel at all places is one strided view, which is quicker than many short reductions, as long as the
    kernel has few cells.
    """
    if prod(windows.kernel) > prod(windows.places):
        return np.asarray(combine.reduce(flat(seen, len(windows.axes)), axis=-1))
    total: Array | None = None
    for u in np.ndindex(windows.kernel):
        cell = seen[(..., *u)]
        total = cell.copy() if total is None else combine(total, cell, out=total)
    assert total is not None
    return total


def alone(seen: Array, windows: Windows) -> Array:
    """seen (C, *kernel) at one place -> (C, 1, ..., *kernel), like the windows at all places."""
    return seen.reshape(len(seen), *(1,) * len(windows.axes), *windows.kernel)


def flat(windows: Array, d: int) -> Array:
    """windows (..., *kernel) -> (..., cells of the kernel)."""
    return windows.reshape(*windows.shape[:-d], prod(windows.shape[-d:]))


def positions(pool: Options, seen: Array, windows: Windows) -> Array:
    """seen (..., *places, *kernel) -> the flat position of each maximum in the unpadded plane, (..., *places)."""
    d = len(windows.axes)
    cells = flat(seen, d)
    chosen = cells.shape[-1] - 1 - cells[..., ::-1].argmax(-1) if pool.ties == "last" else cells.argmax(-1)
    position: Array = np.zeros(chosen.shape, np.int64)
    for k, (axis, u) in enumerate(zip(windows.axes, np.unravel_index(chosen, windows.kernel), strict=True)):
        place = np.arange(axis.places).reshape(-1, *(1,) * (d - 1 - k))
        position = position * axis.size + axis.cells[place, u]
    return position
