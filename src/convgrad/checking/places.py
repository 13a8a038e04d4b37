"""How many places the numbers of an answer were written to."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import ConvgradError
from convgrad.numerals import Numeral, parse_answer

ENOUGH_DIGITS = 3
"""Significant digits below which an answer is too coarse, where the value has more."""

MOST_TEXTS = 4096
"""Numbers of a program that are looked at one by one: nobody rounds the cells of more, each to places of its own."""

_PARTS = re.compile(r"[+-]?0*([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?")


def numeral_of(item: Any) -> Any:
    """A text as the number that it spells; ConvgradError where it spells none. Numbers as they are."""
    if not isinstance(item, str | None):
        return item
    number = parse_answer(item or "")
    if number is None:
        raise ConvgradError(f"{item!r} is no number", hint="write numbers, or fractions such as 1/3")
    return number


def text_of(item: object) -> str:
    """How a number is written: as it was, or as a program prints it."""
    return item.text if isinstance(item, Numeral) else str(item)


def texts_of(given: Array) -> Array:
    """How every number is written, an array of str."""
    texts = np.empty(given.shape, object)
    for index, item in np.ndenumerate(given):
        texts[index] = text_of(item)
    return texts


def places_of(given: Array) -> tuple[Array, Array]:
    """(unit of the last place, significant digits) of every cell; a fraction is exact, and so is what is no number.

    Whole numbers of a binary array were not written so: they are exact, though numbers rounded to places may be in one.
    """
    if given.dtype != object and (given[np.isfinite(given)] % 1 == 0).all():
        return np.zeros(given.shape), np.full(given.shape, 99)
    if given.dtype.kind == "f" and given.size > MOST_TEXTS:
        return _rounded_alike(given)
    units, digits = np.zeros(given.shape), np.full(given.shape, 99)
    for index, item in np.ndenumerate(given):
        text = text_of(item).strip()
        # a program writes 1235.0 for 1235
        parts = _PARTS.fullmatch(text if isinstance(item, Numeral) else text.removesuffix(".0"))
        if parts:
            whole, fraction, power = parts[1] or "", parts[2] or "", int(parts[3] or 0)
            units[index] = float(f"1e{max(-320, min(300, power - len(fraction)))}")
            digits[index] = len((whole + fraction).lstrip("0"))
    return units, digits


def _rounded_alike(given: Array) -> tuple[Array, Array]:
    """The same of many floats, where all of them were rounded to one number of places; else they are exact."""
    finite = given[np.isfinite(given)]
    for places in range(1, 9):
        if (np.round(finite.astype(np.float64), places).astype(given.dtype) == finite).all():
            unit = 10.0**-places
            sizes = np.abs(np.where(np.isfinite(given), given, 0)).astype(np.float64) / unit
            return np.full(given.shape, unit), np.floor(np.log10(np.maximum(sizes, 0.1)) + 1 + 1e-9).astype(int)
    return np.zeros(given.shape), np.full(given.shape, 99)
