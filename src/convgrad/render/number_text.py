"""Numbers as text: exactly, for machines; readably and aligned, for people."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convgrad.errors import ConvgradError, by

Array = NDArray[Any]

READABLE_DIGITS = 8
"""Significant digits in a table, unless --precision says otherwise: enough for products made on paper,
and too few for the noise of binary floats to show."""


def exact(number: Any, precision: int | None = None) -> str:
    """The shortest text that reads back to the same number, or to the number rounded to `precision` places.

    A number that is not 0 is never rounded to 0: it is written in scientific notation instead.
    """
    if isinstance(number, int | np.integer):
        return str(number)
    if hasattr(number, "denominator") and not isinstance(number, float | np.floating):
        return written(number, precision)
    if precision is not None:
        return repr(float(rounded(float(number), precision)) + 0.0)
    if isinstance(number, np.float32):
        return str(number + np.float32(0))
    return repr(float(number) + 0.0)  # + 0.0 makes -0.0 a plain 0.0


def written(number: Any, precision: int | None = None) -> str:
    """A fraction as the decimal that it is, where that ends, else as ``1/3``; ConvgradError for a monster."""
    from fractions import Fraction

    if precision is not None and (near := round(number, precision)) * number != 0:
        number = near
    twos = (number.denominator & -number.denominator).bit_length() - 1
    rest, fives = number.denominator >> twos, 0
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    try:
        if rest > 1:
            return f"{number.numerator}/{number.denominator}"
        digits = str(abs(Fraction(number * 10**places).numerator)).rjust(places + 1, "0")
    except ValueError:
        raise ConvgradError("an exact result has more than 4,300 digits", hint="leave --dtype exact out") from None
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if number < 0 else text


def rounded(number: float, precision: int) -> str:
    """A number with `precision` digits after the point."""
    text = f"{number:.{precision}f}"
    if number and float(text) == 0:
        return f"{number:.{precision}e}"
    return text.removeprefix("-") if float(text) == 0 else text


def readable(number: Any, precision: int | None = None) -> str:
    """A number as a table shows it."""
    if isinstance(number, int | np.integer):
        return str(number)
    if hasattr(number, "denominator") and not isinstance(number, float | np.floating):
        return written(number, precision)
    value = float(number) + 0.0
    if value in (np.inf, -np.inf):
        return "pad"  # what max pooling lays around its input, below every number
    return f"{value:.{READABLE_DIGITS}g}" if precision is None else rounded(value, precision)


def aligned(plane: Array, precision: int | None = None, blank: Array | None = None) -> list[list[str]]:
    """plane (rows, columns) -> texts of one width a column, the decimal points below one another.

    blank: the cells that have none.
    """
    columns = []
    for k, column in enumerate(plane.T):
        texts = [
            "" if blank is not None and blank[row, k] else readable(number, precision)
            for row, number in enumerate(column)
        ]
        parts = [re.fullmatch(r"(-?[^.e]*)(.*)", text) for text in texts]
        split = [(part[1], part[2]) if part else ("", "") for part in parts]
        left, right = (max(len(pair[k]) for pair in split) for k in (0, 1))
        columns.append([whole.rjust(left) + rest.ljust(right) for whole, rest in split])
    return [list(row) for row in zip(*columns, strict=True)]


MOST_RANGES = 6
"""Half-open ranges that a fact lists; more are counted."""


def fact(entry: Any, precision: int | None = None) -> str:
    """A fact as people read it: a number, a word, a shape such as ``16x8x8``, ranges such as ``3:4, 7:8``."""
    if isinstance(entry, str):
        return entry
    if not isinstance(entry, list):
        return readable(entry, precision)
    if any(isinstance(each, list) for each in entry):
        ranges = [":".join(map(str, each)) for each in entry[:MOST_RANGES]]
        more = [f"and {len(entry) - MOST_RANGES} more"] if len(entry) > MOST_RANGES else []
        return ", ".join([*ranges, *more])
    return by(entry)
