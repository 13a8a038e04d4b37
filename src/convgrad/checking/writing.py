"""How the numbers of an answer are written: each by itself, and what they tell of each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from convgrad.checking.places import ENOUGH_DIGITS, MOST_TEXTS, places_of, texts_of
from convgrad.core.element import Array


@dataclass(frozen=True, eq=False, repr=False)
class Writing:
    """Numbers as they are written, and of every cell the unit of its last place and its significant digits."""

    numbers: Array
    given: Array
    unit: Array
    digits: Array

    @classmethod
    def of(cls, numbers: Array, given: Array) -> Writing:
        """How numbers are written; given: what they were made of, of the same shape."""
        return cls(numbers, given, *places_of(given))

    def at(self, cells: Array) -> Writing:
        """The same of some cells, by their numbers in memory order; what all of them tell still holds."""
        arrays = (array.ravel()[cells] for array in (self.numbers, self.given, self.unit, self.digits))
        part = Writing(*arrays)
        told = {"fine": self.fine, "finest": self.finest, "figures": self.figures}
        vars(part).update(told, cut_alike=self.cut_alike.ravel()[cells])
        return part

    @cached_property
    def fine(self) -> float:
        """The unit of the last place of the whole answer, where that gives its largest number three digits; else 0.

        Who writes four places writes 0.0003 beside 0.1235, and a program writes 0.1 for 0.1000: no cell by itself
        decides how fine an answer is.
        """
        units = self.unit[self.unit > 0]
        if units.size < 2:
            return 0.0
        unit = float(units.min())
        largest = float(np.abs(self.numbers[np.isfinite(self.numbers)]).max(initial=0.0))
        return unit if largest >= 10 ** (ENOUGH_DIGITS - 1) * unit * (1 - 1e-9) else 0.0

    @cached_property
    def finest(self) -> float:
        """The unit of the last place of the most precise number that is no 0; 0 where there is none."""
        units = self.unit[(self.unit > 0) & np.isfinite(self.numbers) & (self.numbers != 0)]
        return float(units.min(initial=np.inf)) if units.size else 0.0

    @cached_property
    def cut_alike(self) -> Array:
        """The cells that may be cut off where they end: to as many places or digits as any; 2 beside 0.4375 is not."""
        told = (self.unit > 0) & np.isfinite(self.numbers)
        most = int(self.digits[told].max(initial=0))
        return np.asarray((self.unit <= self.finest * (1 + 1e-9)) | (self.digits >= most))

    @cached_property
    def figures(self) -> int:
        """The significant digits to which all numbers are written, where zeros at the end are left out; else 0."""
        figures = int(self.digits[self.unit > 0].max(initial=0)) if self.numbers.size > 1 else 0
        if figures < ENOUGH_DIGITS or self.given.size > MOST_TEXTS:
            return 0
        kept = (text.removesuffix(".0") for text in texts_of(self.given).flat)  # a program writes 2.0 for 2
        return 0 if any("." in text and text.endswith("0") for text in kept) else figures
