"""A mask of wrong cells, and what a description of it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import log2

import numpy as np

from convgrad.checking.patterns.index_sets import choices
from convgrad.core.element import Array


@dataclass(frozen=True)
class Pattern:
    """What wrong cells have in common.

    kind: a stable name; index: the cells as numpy slices, ``[3,7,20:,:]``, empty where there are none such; words: the
    same in words; covered: how many cells that are; inside: how many of them are wrong; outside: how many wrong cells
    are not among them; saved: bits; exact: whether all of them are wrong that can tell.
    """

    kind: str
    index: str
    words: str
    covered: int
    inside: int
    outside: int
    saved: float
    exact: bool = True


@dataclass(frozen=True, eq=False, repr=False)
class Cells:
    """A mask of wrong cells, and which cells can tell anything (those that are not both 0 and right)."""

    wrong: Array
    telling: Array

    @classmethod
    def of(cls, wrong: Array, telling: Array | None = None) -> Cells:
        """The cells of a mask; telling: all of them unless it is said."""
        return cls(wrong, np.ones(wrong.shape, bool) if telling is None else telling | wrong)

    def reshaped(self, shape: tuple[int, ...]) -> Cells:
        """The same cells, axes counted through."""
        return Cells(self.wrong.reshape(shape), self.telling.reshape(shape))

    @cached_property
    def alone(self) -> float:
        """The bits that it takes to name the wrong cells one by one."""
        return choices(self.telling_count, self.count) + log2(self.telling_count + 1)

    def saved(self, cost: float, covered: int, inside: int) -> float:
        """The bits that a description saves, where it covers so many telling cells, of which so many are wrong."""
        total, k = self.telling_count, self.count
        rest = choices(covered, inside) + log2(covered + 1) + choices(total - covered, k - inside)
        return self.alone - cost - rest - (log2(k - inside + 1) + 1 if k > inside else 1)

    @cached_property
    def count(self) -> int:
        """How many are wrong."""
        return int(np.count_nonzero(self.wrong))

    @cached_property
    def telling_count(self) -> int:
        """How many tell anything."""
        return int(np.count_nonzero(self.telling))


def along(mask: Array, axis: int) -> Array:
    """How many cells there are at each index of an axis."""
    others = tuple(other for other in range(mask.ndim) if other != axis)
    return np.count_nonzero(mask, axis=others) if others else mask.astype(int)
