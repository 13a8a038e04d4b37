"""What each kind of pooling makes of the cells that a window sees: its output, and the share of the delta of each cell.

A window that is seen: seen (..., *places, *kernel), at one place alone (C, 1, ..., *kernel) with that place said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

import numpy as np

from convgrad.core.element import Array, Place
from convgrad.core.rational import cast
from convgrad.core.term import beside
from convgrad.core.windows import Windows


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
    return _reduced(np.maximum, seen, windows)


def _max_share(pool: Options, seen: Array, windows: Windows, place: Place | None = None) -> Array:
    top = _max(pool, seen, windows)
    share = np.zeros(seen.shape, bool)
    kernel = list(np.ndindex(windows.kernel))
    alone = pool.ties in ("first", "last")
    free = np.ones(top.shape, bool)
    for u in reversed(kernel) if pool.ties == "last" else kernel:
        wins = (seen[(..., *u)] == top) & free
        share[(..., *u)] = wins
        if alone:
            free &= ~wins
    shares = cast(share, seen.dtype)
    if pool.ties == "split":
        return shares / beside(_reduced(np.add, shares, windows), len(windows.axes))
    return shares


def _sum(pool: Options, seen: Array, windows: Windows, place: Place | None = None) -> Array:
    return _reduced(np.add, seen, windows)


def _sum_share(pool: Options, seen: Array, windows: Windows, place: Place | None = None) -> Array:
    return np.broadcast_to(cast(1, seen.dtype), seen.shape)


def _power(pool: Options, seen: Array, windows: Windows, place: Place | None = None) -> Array:
    p = seen.dtype.type(pool.p)
    return _sum(pool, np.abs(seen) ** p, windows) ** (1 / p)


def _power_share(pool: Options, seen: Array, windows: Windows, place: Place | None = None) -> Array:
    """sign(x) |x|^(p-1) / output^(p-1), 0 where the output is."""
    p = seen.dtype.type(pool.p)
    output = beside(_power(pool, seen, windows), len(windows.axes))
    ratio = np.divide(np.abs(seen), output, out=np.zeros_like(seen), where=output != 0)
    return np.where(seen == 0, 0, np.sign(seen) * ratio ** (p - 1))


def _average(pool: Options, seen: Array, windows: Windows, place: Place | None = None) -> Array:
    return _sum(pool, seen, windows) / _divisors(pool, windows, seen.dtype, place)


def _average_share(pool: Options, seen: Array, windows: Windows, place: Place | None = None) -> Array:
    share = 1 / _divisors(pool, windows, seen.dtype, place)
    return np.broadcast_to(share.reshape(*share.shape, *(1,) * share.ndim), seen.shape)


@dataclass(frozen=True, eq=False, repr=False)
class PoolKind:
    """A kind of pooling: the output of each window, each cell's share of the delta, and what padding holds."""

    words: str
    output: Callable[..., Array]
    share: Callable[..., Array]
    fill: float = 0
    rational: bool = True


POOL_KINDS = {
    "max": PoolKind("maximum", _max, _max_share, fill=-np.inf),
    "avg": PoolKind("average", _average, _average_share),
    "sum": PoolKind("sum", _sum, _sum_share),
    "lp": PoolKind("p-norm", _power, _power_share, rational=False),
}


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
