"""Numbers as an exercise asks for them: as they are where they end early enough, else rounded to some digits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from convgrad.core.element import Array
from convgrad.core.rational import fraction, rational
from convgrad.numerals import Numeral

if TYPE_CHECKING:
    from fractions import Fraction

NOISE_DIGITS = 12
"""Significant digits of a float that are taken for the number's own; what comes behind is the noise of binary sums."""


EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False, repr=False)
class Asked:
    """What an exercise asks for: a result's numbers as they are to be written (Numeral), of the result's shape.

    rounded: whether some of them are roundings; places: digits after the point of the last digit that counts, the most
    of all numbers; fractions: whether they are written as fractions such as 1/3.
    """

    numbers: Array
    rounded: bool
    places: int
    fractions: bool = False

    @property
    def texts(self) -> Array:
        """The numbers as text, of the result's shape."""
        return _objects((number.text for number in self.numbers.ravel()), self.numbers.shape)


def asked_for(value: Array, digits: int, fractions: bool = False, noise: float = 0.0) -> Asked:
    """A result, in floats or in fractions -> its numbers as they are asked for, to `digits` significant digits.

    fractions: those that are no short decimal are asked for as they are, in fractions; noise: what a float may be off
    by, so that what is no larger is 0.
    """
    given = np.asarray(value).ravel().tolist()
    numbers = [_clean(number, noise) for number in given]
    if fractions and rational(np.asarray(value)):
        return Asked(_objects(map(_as_fraction, numbers), np.shape(value)), False, 0, True)
    short = [
        ends_within(number, digits) and _is(each, number, noise) for each, number in zip(given, numbers, strict=True)
    ]
    texts = [plain(number) if fits else _decimal(number, digits) for number, fits in zip(numbers, short, strict=True)]
    places = max((len(text.partition(".")[2]) for text in texts), default=0)
    written = (Numeral(float(text) + 0.0, text) for text in texts)
    return Asked(_objects(written, np.shape(value)), not all(short), places)


def as_written(array: Array, fractions: bool) -> Array:
    """Fractions as a document has them (Numeral): such as do not end, or where it is asked for, with a stroke."""
    each = array.ravel().tolist()
    write = _as_fraction if fractions or not all(map(ends, each)) else _as_decimal
    return _objects(map(write, each), array.shape)


def ends(number: Fraction) -> bool:
    """Whether a number is a decimal that ends."""
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def ends_within(number: Fraction, digits: int) -> bool:
    """Whether a number is a decimal of at most so many significant digits."""
    return ends(number) and significant(number) <= digits


def significant(number: Fraction) -> int:
    """The significant digits of a decimal that ends: of 0.0450 there are 2, of 1200 there are 4."""
    return len(plain(number).replace(".", "").replace("-", "").lstrip("0")) or 1


def plain(number: Fraction) -> str:
    """A decimal that ends, as text: ``-0.045``, never with an exponent."""
    places = 0
    while (number * 10**places).denominator != 1:
        places += 1
    text = str(abs((number * 10**places).numerator)).rjust(places + 1, "0")
    text = f"{text[:-places]}.{text[-places:]}" if places else text
    return f"-{text}" if number < 0 else text


def _decimal(number: Fraction, digits: int) -> str:
    """A number rounded, halves to even, to so many significant digits, zeros at its end included: ``0.0450``."""
    if not number:
        return "0"
    places = digits - 1 - _exponent(number)
    near = round(number, places)
    if _exponent(near) > _exponent(number):  # 9.996 -> 10.00
        places -= 1
    text = plain(near)
    if places > 0:
        whole, _, part = text.partition(".")
        return f"{whole}.{part.ljust(places, '0')}"
    return text


def _exponent(number: Fraction) -> int:
    """The power of ten of the first significant digit."""
    size, exponent = abs(number), 0
    while size >= 10:
        size, exponent = size / 10, exponent + 1
    while size < 1:
        size, exponent = size * 10, exponent - 1
    return exponent


def _clean(number: Any, noise: float) -> Fraction:
    """A number as a fraction, without the noise of binary sums where it is a float."""
    if not isinstance(number, float) or isinstance(number, Numeral):
        return fraction(number)
    return fraction(float(f"{number:.{NOISE_DIGITS}g}") if abs(number) > noise else 0.0)


def _is(given: Any, number: Fraction, noise: float) -> bool:
    """Whether it is that number but for the noise of floats: 8.999999999999 is no 9, but rounded to 9.000."""
    return not isinstance(given, float) or abs(given - float(number)) <= 8 * EPSILON * abs(given) + noise


def _as_fraction(number: Fraction) -> Numeral:
    return Numeral(float(number), plain(number) if number.denominator == 1 else str(number))


def _as_decimal(number: Fraction) -> Numeral:
    return Numeral(float(number), plain(number))


def _objects(each: Iterable[Any], shape: tuple[int, ...]) -> Array:
    array = np.empty(int(np.prod(shape)), object)
    array[:] = [*each]
    return array.reshape(shape)
