"""How far a network's results in float32 drift from the right ones, as errors are carried on from layer to layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from convgrad.checking.verdict import Question
from convgrad.core.element import Array

CARRIED = 4
"""By how much another order of the same sums may be off more than one pass in float32 is."""


@dataclass(frozen=True, eq=False, repr=False)
class Drift:
    """Measured on a pass in float32: the results by name as they are, and as that pass has them."""

    right: Mapping[str, Question]
    coarse: Mapping[str, Question]

    def of(self, name: str) -> Array:
        """What every cell of a result in float32 may be off by because what it was worked from is."""
        return CARRIED * self._relative * self._size(name) + 2 * self._off(name)

    def _off(self, name: str) -> Array:
        coarse, right = (np.asarray(each[name].quantity.value, np.float64) for each in (self.coarse, self.right))
        return np.asarray(np.abs(coarse - right))

    def _size(self, name: str) -> float:
        return float(np.abs(np.asarray(self.right[name].quantity.value, np.float64)).max())

    @cached_property
    def _relative(self) -> float:
        """The largest drift of a result, by its size; in one cell in ten rounding may have decided a maximum."""
        sizes = {name: self._size(name) for name in self.right}
        off = [float(np.quantile(self._off(name), 0.9)) / size for name, size in sizes.items() if size]
        return max(off, default=0.0)
