"""Sets of indices along one axis as people say them: all, one, a range, every n-th, the ends, a list.

Each has a cost in bits: how much has to be said to tell this set from all others. A simple set costs little.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import lgamma, log, log2

import numpy as np

from convgrad.core.element import Array

MOST_LISTED = 8
"""Indices of an irregular set that are written one by one."""

LONGEST_PERIOD = 64
"""Periods that are looked for where several indices of each period are in the set."""


@dataclass(frozen=True, eq=False, repr=False)
class IndexSet:
    """Indices along an axis of `size`, in ascending order, as a numpy index, in words, and what saying so costs.

    kind: ``all``, ``one``, ``range``, ``from``, ``every``, ``ends``, ``periodic`` or ``list``; words: what comes before
    and after the noun, as ``{one}``, ``{many}`` stand for it.
    """

    size: int
    members: Array
    kind: str
    index: str
    words: str
    cost: float

    def said(self, noun: str) -> str:
        """The set in words: ``rows 20 to 27``, ``every 2nd column from 1 on``."""
        return self.words.format(one=noun, many=f"{noun}s" if not noun.endswith("x") else "indices")


def choices(n: int, k: float) -> float:
    """log2 of the ways to choose k of n."""
    return max(0.0, (lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)) / log(2)) if 0 <= k <= n else 0.0


def index_set(indices: Array, size: int) -> IndexSet:
    """Ascending indices, at least one -> the set, said as simply as can be."""
    place, count = log2(size) if size > 1 else 0.0, len(indices)
    first, last = int(indices[0]), int(indices[-1])

    def made(kind: str, index: str, words: str, cost: float) -> IndexSet:
        return IndexSet(size, indices, kind, index, words, cost)

    if count == size:
        return made("all", ":", "all {many}", 1)
    if count == 1:
        return made("one", str(first), f"{{one}} {first}", 2 + place)
    if last - first + 1 == count:
        if last == size - 1:
            return made("from", f"{first}:", _ends(first, last), 3 + place)
        if first == 0:
            return made("range", f":{last + 1}", _ends(first, last), 3 + place)
        return made("range", f"{first}:{last + 1}", _ends(first, last), 3 + 2 * place)
    steps = np.diff(indices)
    if count > 2 and (steps == steps[0]).all():
        step = int(steps[0])
        on = last + step >= size
        start, stop = ("" if first < 1 else str(first)), ("" if on else str(last + 1))
        upto = f"from {first} on" if on else f"from {first} to {last}"
        cost = 4 + (2 if on else 3) * place
        return made("every", f"{start}:{stop}:{step}", f"every {ordinal(step)} {{one}} {upto}", cost)
    return _irregular(indices, size, made)


def _irregular(indices: Array, size: int, made: Callable[[str, str, str, float], IndexSet]) -> IndexSet:
    """Both ends, some of each period, or a list."""
    place, count = log2(size), len(indices)
    gaps = np.flatnonzero(np.diff(indices) > 1)
    if len(gaps) == 1 and indices[0] == 0 and indices[-1] == size - 1:
        head, tail = int(gaps[0]) + 1, count - int(gaps[0]) - 1
        first = "the first {one}" if head == 1 else f"the first {head} {{many}}"
        rest = "the last" if tail == 1 else f"the last {tail}"
        return made("ends", f"[:{head},{-tail}:]", f"{first} and {rest}", 3 + 2 * place)
    if (period := _period(indices, size)) is not None:
        of = [int(i) for i in indices if i < period]
        each = f"[{','.join(f'{i}::{period}' for i in of[:MOST_LISTED])}{',...' if len(of) > MOST_LISTED else ''}]"
        return made("periodic", each, f"{{many}} {listed(of)} of every {period}", 4 + place + period)
    some = ",".join(str(int(i)) for i in indices[:MOST_LISTED]) + (",..." if count > MOST_LISTED else "")
    words = f"{{many}} {listed([int(i) for i in indices])}"
    return made("list", f"[{some}]", words, 4 + place + choices(size, count))


def _period(indices: Array, size: int) -> int | None:
    """The period with which the set repeats along the whole axis, at least twice; None where there is none."""
    mask = np.zeros(size, bool)
    mask[indices] = True
    for period in range(2, min(LONGEST_PERIOD, size // 2) + 1):
        if (mask[period:] == mask[:-period]).all():
            return period
    return None


def _ends(first: int, last: int) -> str:
    return f"{{many}} {first} and {last}" if last == first + 1 else f"{{many}} {first} to {last}"


def listed(indices: list[int]) -> str:
    """``1, 4 and 6``; of many the first few, and how many more."""
    if len(indices) > MOST_LISTED:
        return ", ".join(map(str, indices[:MOST_LISTED])) + f" and {len(indices) - MOST_LISTED} more"
    return ", ".join(map(str, indices[:-1])) + " and " * (len(indices) > 1) + str(indices[-1])


def ordinal(number: int) -> str:
    """``2nd``, ``3rd``, ``11th``."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
