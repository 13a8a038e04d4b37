"""An answer as people write it, and whether a value is what it says.

``0.0446`` says that the value lies within half a unit of its last place, or that it was cut off there. How many digits
were written is part of the answer, so the text of every number is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from convgrad.checking.places import ENOUGH_DIGITS, numeral_of, texts_of
from convgrad.checking.rules import TO_THE_PLACES, Rules
from convgrad.checking.writing import Writing
from convgrad.core.element import Array
from convgrad.errors import ConvgradError
from convgrad.numerals import BLANKS, Numeral

MOST_AT_ONCE = 997
"""Cells of a large answer that are looked at before all of them are: a prime, for they are to lie in all rows."""

FEW = 16
"""Cells in which many values are held against an answer at once."""

ZERO_OF_A_PROGRAM = 0.1
"""The unit of the last place of 0.0, which programs write for a 0 whatever the places."""


@dataclass(frozen=True, eq=False, repr=False)
class Match:
    """Which cells of an answer say a value: all arrays of bool of its shape.

    right: to the places given; cut: among those, cut off rather than rounded; coarse: what rounding or cutting off to
    so few digits gives, though the value has more.
    """

    right: Array
    cut: Array
    coarse: Array


@dataclass(frozen=True, eq=False, repr=False)
class Answer:
    """An answer: its numbers, how each is written, and by which rules it is held against a value.

    numbers: float64, NaN where a cell is left blank; given: what they were made of, of the same shape (numbers,
    Numerals or texts); noise: what floating-point sums of this result may be off by, one number or one a cell of the
    result; epsilon: of the dtype in which result and answer were computed, the coarser of the two.
    """

    numbers: Array
    given: Array
    rules: Rules = TO_THE_PLACES
    noise: Array | float = 0.0
    epsilon: float = float(np.finfo(np.float64).eps)

    @classmethod
    def of(cls, given: Any, rules: Rules = TO_THE_PLACES) -> Answer:
        """An answer from nested lists or an array of numbers, Numerals, and texts such as ``"0.0450"`` or ``"1/3"``."""
        array = np.asarray(given) if hasattr(given, "dtype") else np.array(given, object)
        if array.dtype.kind in "US" or (array.dtype == object and {str, type(None)} & set(map(type, array.flat))):
            array = np.vectorize(numeral_of, [object])(array)
        try:
            numbers = array.astype(np.float64)
        except (TypeError, ValueError):
            raise ConvgradError("it is no array of numbers", hint="write numbers, all rows equally long") from None
        if rules.quantised is not None:
            numbers = rules.quantised.numbers(numbers)
        return cls(numbers, array, rules)

    @classmethod
    def none(cls) -> Answer:
        """No answer."""
        return cls(np.zeros(0), np.zeros(0))

    def within(self, noise: Array | float, dtype: str = "float64") -> Answer:
        """The answer to a result whose floating-point sums may be off by `noise`, in a dtype of that name."""
        return replace(self, noise=noise, epsilon=float(np.finfo(dtype if dtype != "exact" else "float64").eps))

    @property
    def own_dtype(self) -> str:
        """The dtype that it was computed in, where it was handed in as an array of a coarse one; else empty."""
        return self.given.dtype.name if self.given.dtype in (np.float16, np.float32) else ""

    @cached_property
    def blank(self) -> Array:
        """The cells that say that there is no answer."""
        unsaid = [isinstance(each, Numeral) and each.text in BLANKS for each in self.given[np.isnan(self.numbers)].flat]
        mask = np.zeros(self.numbers.shape, bool)
        mask[np.isnan(self.numbers)] = unsaid
        return mask

    @property
    def by_dtype(self) -> bool:
        """Whether its own dtype brings the tolerance by which it is held against the result."""
        return isinstance(self.noise, np.ndarray)

    @property
    def words(self) -> str:
        """What being right means for it."""
        if not self.by_dtype:
            return self.rules.words
        return f"within what sums in {self.own_dtype} may be off by ({float(np.max(self.noise)):.1e} at most)"

    def matches(self, value: Array, slack: float = 0.0) -> Match:
        """value, of the answer's shape -> which cells say it; `slack` is what it may be off by besides.

        Several values may be stacked along an axis before the others.
        """
        value = self._representable(np.asarray(value, np.float64))
        with np.errstate(invalid="ignore", over="ignore"):
            off = np.abs(self.numbers - value)
            noise = 4 * self.epsilon * np.abs(value) + self._noise_in(self.numbers.shape) + slack
            tolerance = self._tolerance(value)
            none = np.zeros(value.shape, bool)
            if tolerance is not None:
                return Match(np.asarray(off <= tolerance + noise), none, none)
            same = np.asarray(off <= noise)
            if same.all():
                return Match(same, none, none)
            return self._to_the_places(value, off, same, noise, slack)

    def _to_the_places(self, value: Array, off: Array, same: Array, noise: Array, slack: float) -> Match:
        written = self._writing
        unit, digits, fine = written.unit, written.digits, written.fine
        if not fine and not unit.any() and not written.figures:  # numbers of a program, all digits of them
            return Match(same, np.zeros_like(same), np.zeros_like(same))
        lacking, opposite = np.abs(value) - np.abs(self.numbers), np.sign(self.numbers) * np.sign(value) < 0

        def rounded(unit: Any) -> Array:
            return np.asarray(off <= unit / 2 * (1 + 1e-9) + noise)

        def cut(unit: Any) -> Array:
            return np.asarray(~opposite & (lacking >= -noise) & (lacking < unit * (1 - 1e-6) + slack))

        right = same | ((digits >= ENOUGH_DIGITS) & (rounded(unit) | cut(unit)))
        if fine:
            right |= rounded(fine) | cut(fine)
        if written.figures:  # a program leaves out the zeros behind the point: 0.5 beside 12.3 is 0.500
            told = np.isfinite(self.numbers) & (self.numbers != 0)
            own = 10.0 ** (np.floor(np.log10(np.where(told, np.abs(self.numbers), 1))) + 1 - written.figures)
            right |= told & (rounded(own) | cut(own))
        few = rounded(unit) | (cut(unit) & (digits > 0) & written.cut_alike)  # a 0 is no beginning of a number
        coarse = few & ~right & ~self.meant_as_zero(value)
        return Match(right, right & ~rounded(unit), coarse)

    def meant_as_zero(self, value: Array) -> Array:
        """The cells in which 0 is written beside numbers of more places: no rounding of whatever lies below 1/2.

        Nor is it where there is nothing but zeros, unless they are written to places, such as 0.000.
        """
        zero, written = self.numbers == 0, self._writing
        if written.fine:
            return np.asarray(zero & (np.abs(value) >= 10 * written.fine))
        if written.finest:
            return np.asarray(zero & (written.unit > written.finest) & (np.abs(value) >= written.finest))
        return np.asarray(zero & (self.numbers.size > 1) & (written.unit >= ZERO_OF_A_PROGRAM))

    def _tolerance(self, value: Array) -> Array | None:
        """What every cell may be off by, where a tolerance rules."""
        rules = self.rules
        if rules.quantised is not None:
            return np.full(value.shape, rules.quantised.scale / 2 * (1 + 1e-9))
        if rules.ulp is not None:
            dtype = self.own_dtype or ("float32" if self.epsilon > 1e-10 else "float64")
            return np.asarray(rules.ulp * np.spacing(np.abs(value).astype(dtype)).astype(np.float64))
        if rules.tolerant:
            return np.asarray((rules.atol or 0) + (rules.rtol or 0) * np.abs(value))
        return None

    def _noise_in(self, shape: tuple[int, ...]) -> Array | float:
        """What the sums of a result may be off by, where another shape than its own is asked about the most of it."""
        noise = self.noise
        return noise if not isinstance(noise, np.ndarray) or noise.shape == shape else float(noise.max(initial=0.0))

    def _representable(self, value: Array) -> Array:
        """A value as quantised integers of their dtype can say it: cut off at the ends of their range."""
        if self.rules.quantised is None or self.given.dtype.kind not in "iu":
            return value
        ends = np.iinfo(self.given.dtype)
        low, high = ((end - self.rules.quantised.zero) * self.rules.quantised.scale for end in (ends.min, ends.max))
        return np.clip(value, low, high)

    def says(self, value: Array, slack: float = 0.0) -> bool:
        """Whether every cell of the answer says the value, and the shapes are the same; nothing is broadcast."""
        value = np.asarray(value)
        if value.shape != self.numbers.shape:
            return False
        if self._some is not None:  # nearly all values that it does not say are seen to be such in a few cells
            cells, part = self._some
            if not part.matches(value.ravel()[cells], slack).right.all():
                return False
        if not np.isfinite(value.astype(np.float64)).all():
            return False
        return bool(self.matches(value, slack).right.all())

    def says_each(self, values: Array) -> Array:
        """Which of several values, stacked, the answer says: most are seen not to be such in a few cells."""
        found = np.zeros(len(values), bool)
        if values.shape[1:] == self.numbers.shape:
            cells, few = self._few
            likely = few.matches(values.reshape(len(values), -1)[:, cells]).right.all(axis=1)
            for k in np.flatnonzero(likely):
                found[k] = self.says(values[k])
        return found

    @cached_property
    def _few(self) -> tuple[Array, Answer]:
        """A few cells of the answer, all over it, and the answer in those cells alone."""
        return self._part(min(FEW, self.numbers.size))

    @cached_property
    def _some(self) -> tuple[Array, Answer] | None:
        """Cells of a large answer, all over it, and the answer in those cells alone; None for a small one."""
        if self.numbers.size <= MOST_AT_ONCE:
            return None
        return self._part(MOST_AT_ONCE)

    def _part(self, count: int) -> tuple[Array, Answer]:
        cells = np.linspace(0, self.numbers.size - 1, count).astype(int)
        noise = self._noise_in(self.numbers.shape)
        part = replace(
            self,
            numbers=self.numbers.ravel()[cells],
            given=self.given.ravel()[cells],
            noise=noise.ravel()[cells] if isinstance(noise, np.ndarray) else noise,
        )
        vars(part).update(_writing=self._writing.at(cells))
        return cells, part

    def reshaped(self, shape: tuple[int, ...]) -> Answer:
        """The same numbers in reading order, in another shape."""
        return replace(self, numbers=self.numbers.reshape(shape), given=self.given.reshape(shape))

    def transposed(self, axes: tuple[int, ...] | None = None) -> Answer:
        """The same numbers with their axes in another order, the opposite one unless it is said."""
        return replace(self, numbers=self.numbers.transpose(axes), given=self.given.transpose(axes))

    @property
    def slack(self) -> Array:
        """Half a unit of each cell's last place: how far what was worked with may be from what was written.

        0 where the whole answer is so coarse that its numbers are taken to be meant as they stand.
        """
        written = self._writing
        if self.rules.tolerant or not (written.fine or int(written.digits.min(initial=99)) >= ENOUGH_DIGITS):
            return np.zeros_like(self.numbers)
        fine = np.minimum(written.unit, written.fine) if written.fine else written.unit
        return fine / 2

    @cached_property
    def spread(self) -> Array:
        """How wide the range of values is that each cell says, at most: what chance agreement is reckoned with."""
        sizes = np.abs(np.where(np.isfinite(self.numbers), self.numbers, 0))
        tolerance = self._tolerance(sizes)
        if tolerance is not None:
            return np.asarray(2 * tolerance)
        return np.maximum(np.maximum(self._writing.unit, 8 * self.epsilon * sizes), 2 * self._noise_in(sizes.shape))

    @cached_property
    def texts(self) -> Array:
        """How every number is written, an array of str."""
        return texts_of(self.given)

    @property
    def shown(self) -> Array:
        """The same to be looked at: a question mark for every cell that is left blank."""
        return np.where(self.blank, "?", self.texts)

    @cached_property
    def _writing(self) -> Writing:
        return Writing.of(self.numbers, self.given)
