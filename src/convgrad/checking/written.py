"""An answer as people write it, and whether a value is what it says.

``0.0446`` says that the value lies within half a unit of its last place, or that it was cut off there. How many digits
were written is part of the answer, so the text of every number is kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import ConvgradError
from convgrad.numerals import Numeral, parse_number

ENOUGH_DIGITS = 3
"""Significant digits below which an answer is too coarse, where the value has more."""

_PARTS = re.compile(r"[+-]?0*([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?")


@dataclass(frozen=True)
class Rules:
    """How an answer is compared: to the places written, or by |answer - value| <= atol + rtol |value|."""

    rtol: float | None = None
    atol: float | None = None

    @property
    def tolerant(self) -> bool:
        """Whether the ordinary rule of tolerances holds."""
        return self.rtol is not None or self.atol is not None


@dataclass(frozen=True, eq=False, repr=False)
class Match:
    """Which cells of an answer say a value: all arrays of bool of its shape.

    right: to the places given; cut: among those, cut off rather than rounded; coarse: what rounding to so few digits
    gives, though the value has more.
    """

    right: Array
    cut: Array
    coarse: Array


@dataclass(frozen=True, eq=False, repr=False)
class Answer:
    """An answer: its numbers, how each is written, and by which rules it is held against a value.

    numbers: float64; given: what they were made of, of the same shape (numbers, Numerals or texts); noise: what
    floating-point sums of this result may be off by.
    """

    numbers: Array
    given: Array
    rules: Rules = Rules()
    noise: float = 0.0
    epsilon: float = float(np.finfo(np.float64).eps)

    @classmethod
    def of(cls, given: Any, rules: Rules = Rules(), noise: float = 0.0) -> Answer:
        """An answer from nested lists or an array of numbers, Numerals, and texts such as ``"0.0450"`` or ``"1/3"``."""
        array = given if isinstance(given, np.ndarray) else np.array(given, object)
        if array.dtype.kind in "US" or (array.dtype == object and str in set(map(type, array.ravel()))):
            array = np.vectorize(_numeral, [object])(array)
        try:
            numbers = array.astype(np.float64)
        except (TypeError, ValueError):
            raise ConvgradError("it is no array of numbers", hint="write numbers, all rows equally long") from None
        if not np.isfinite(numbers).all():
            raise ConvgradError("a number in it is not finite", hint="write finite numbers")
        return cls(numbers, array, rules, noise)

    def within(self, noise: float, dtype: str = "float64") -> Answer:
        """The answer to a result whose floating-point sums may be off by `noise`, in a dtype of that name."""
        epsilon = float(np.finfo(np.float32 if dtype == "float32" else np.float64).eps)
        return Answer(self.numbers, self.given, self.rules, noise, epsilon)

    def matches(self, value: Array, slack: float = 0.0) -> Match:
        """value, of the answer's shape -> which cells say it; `slack` is what it may be off by besides."""
        value = np.asarray(value, np.float64)
        off = np.abs(self.numbers - value)
        noise = 4 * self.epsilon * np.abs(value) + self.noise + slack
        none = np.zeros(value.shape, bool)
        if self.rules.tolerant:
            right = off <= (self.rules.atol or 0) + (self.rules.rtol or 0) * np.abs(value) + noise
            return Match(right, none, none)
        same = off <= noise
        if same.all():
            return Match(same, none, none)
        unit, digits = self._unit, self._digits
        rounded = off <= unit / 2 * (1 + 1e-9) + noise
        lacking = np.where(self.numbers * value >= 0, np.abs(value) - np.abs(self.numbers), -1)
        cut = (lacking >= -noise) & (lacking < unit * (1 - 1e-6) + slack)
        right = same | ((digits >= ENOUGH_DIGITS) & (rounded | cut))
        if self._fine:
            right |= (off <= self._fine / 2 * (1 + 1e-9) + noise) | (
                (lacking >= -noise) & (lacking < self._fine * (1 - 1e-6) + slack)
            )
        # a 0 beside numbers of more places is meant as 0: it is not a rounding of whatever lies below 1/2
        meant = (self.numbers == 0) & (self._fine > 0) & (np.abs(value) >= 10 * self._fine)
        coarse = rounded & ~right & ~meant
        return Match(right, right & ~rounded, coarse)

    def says(self, value: Array, slack: float = 0.0) -> bool:
        """Whether every cell of the answer says the value, and the shapes are the same; nothing is broadcast."""
        value = np.asarray(value)
        if value.shape != self.numbers.shape or not np.isfinite(value.astype(np.float64)).all():
            return False
        return bool(self.matches(value, slack).right.all())

    def reshaped(self, shape: tuple[int, ...]) -> Answer:
        """The same numbers in reading order, in another shape."""
        numbers, given = self.numbers.reshape(shape), self.given.reshape(shape)
        return Answer(numbers, given, self.rules, self.noise, self.epsilon)

    def transposed(self) -> Answer:
        """The same numbers, axes in the opposite order."""
        return Answer(self.numbers.T, self.given.T, self.rules, self.noise, self.epsilon)

    @property
    def slack(self) -> Array:
        """Half a unit of each cell's last place: how far what was worked with may be from what was written.

        0 where the whole answer is so coarse that its numbers are taken to be meant as they stand.
        """
        if self.rules.tolerant or not (self._fine or int(self._digits.min()) >= ENOUGH_DIGITS):
            return np.zeros_like(self.numbers)
        fine = np.minimum(self._unit, self._fine) if self._fine else self._unit
        return fine / 2

    @cached_property
    def spread(self) -> Array:
        """How wide the range of values is that each cell says, at most: what chance agreement is reckoned with."""
        if self.rules.tolerant:
            return 2 * ((self.rules.atol or 0) + (self.rules.rtol or 0) * np.abs(self.numbers))
        return np.maximum(self._unit, 8 * self.epsilon * np.abs(self.numbers))

    @cached_property
    def texts(self) -> Array:
        """How every number is written, an array of str."""
        texts = np.empty(self.given.shape, object)
        for index, item in np.ndenumerate(self.given):
            texts[index] = item.text if isinstance(item, Numeral) else str(item)
        return texts

    @cached_property
    def _written(self) -> tuple[Array, Array]:
        """(unit of the last place, significant digits) of every cell; a fraction is exact."""
        units, digits = np.zeros(self.texts.shape), np.full(self.texts.shape, 99)
        for index, text in np.ndenumerate(self.texts):
            parts = _PARTS.fullmatch(text.strip())
            if parts:
                whole, fraction, power = parts[1] or "", parts[2] or "", int(parts[3] or 0)
                units[index] = float(f"1e{max(-320, min(300, power - len(fraction)))}")
                digits[index] = len((whole + fraction).lstrip("0"))
        return units, digits

    @property
    def _unit(self) -> Array:
        return self._written[0]

    @property
    def _digits(self) -> Array:
        return self._written[1]

    @cached_property
    def _fine(self) -> float:
        """The unit of the last place of the whole answer, where that gives its largest number three digits; else 0.

        Who writes four places writes 0.0003 beside 0.1235, and a program writes 0.1 for 0.1000: no cell by itself
        decides how fine an answer is.
        """
        units = self._unit[self._unit > 0]
        if units.size < 2:
            return 0.0
        unit = float(units.min())
        largest = float(np.abs(self.numbers).max())
        return unit if largest >= 10 ** (ENOUGH_DIGITS - 1) * unit * (1 - 1e-9) else 0.0


def _numeral(item: Any) -> Any:
    """A text as the number that it spells; ConvgradError where it spells none. Numbers as they are."""
    if not isinstance(item, str):
        return item
    number = parse_number(item.strip())
    if number is None:
        raise ConvgradError(f"{item!r} is no number", hint="write numbers, or fractions such as 1/3")
    return Numeral(number, item.strip())
