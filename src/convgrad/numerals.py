"""Numbers as they are written: decimals, and fractions such as ``1/3``; and what is made of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from convgrad.errors import FileError

if TYPE_CHECKING:
    from fractions import Fraction

Spelled = Callable[[str], Any]
"""What a numeral is made into: by `to_float`, by `to_fraction`, which keeps all of it, or by `to_numeral`."""

NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
"""A decimal in ASCII. Python's own float() takes more: 1_000, full-width digits, infinity."""

MINUS = "\u2212"
"""The minus sign of typeset text, which pages and spreadsheets hold in place of the hyphen."""

MOST_EXPONENT = 999
"""Decimals are exact up to this exponent: 1e999 already has a thousand digits."""

_NUMBER = re.compile(NUMBER)
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.I)
_FRACTION = re.compile(r"([+-]?[0-9]{1,4000})/([0-9]{1,4000})")


def to_float(text: str) -> float:
    """A numeral as a float."""
    above, _, below = text.partition("/")
    try:
        return int(above) / int(below) if below else float(text)
    except OverflowError:
        raise FileError(f"{text[:20]}... is too large for a float", hint="add --dtype exact") from None


def to_fraction(text: str) -> Fraction:
    """A numeral as the fraction that it spells; FileError where it has too many digits to work with."""
    from fractions import Fraction

    exponent = re.search(r"[eE]([+-]?[0-9]+)$", text)
    if len(text) > 4000 or (exponent and (len(exponent[1]) > 5 or abs(int(exponent[1])) > MOST_EXPONENT)):
        raise FileError(f"{text[:20]}... is too long for exact arithmetic", hint="leave --dtype exact out")
    return Fraction(text)


class Numeral(float):
    """A number that remembers how it was written: ``0.0450``."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, value: float, text: str) -> Self:
        """The number `value`, written `text`."""
        numeral = float.__new__(cls, value)
        numeral.text = text
        return numeral

    def __getnewargs__(self) -> tuple[float, str]:  # type: ignore[override]  # float's own gives the number alone
        """What makes it anew, in another process."""
        return float(self), self.text


def to_numeral(text: str) -> Numeral:
    """A numeral as a number that remembers its text."""
    return Numeral(to_float(text), text)


def parse_number(text: str, spelled: Spelled = to_float) -> Any:
    """The number that a text spells: a decimal, or a fraction such as ``1/3``; None where it is neither."""
    text = text.replace(MINUS, "-")
    if _NUMBER.fullmatch(text):
        return spelled(text)
    fraction = _FRACTION.fullmatch(text)
    return spelled(text) if fraction and int(fraction[2]) else None


BLANKS = frozenset(("", "?", "-"))
"""How people write that they have no answer."""


def parse_answer(text: str) -> Numeral | None:
    """What a text says as an answer: a number, NaN, an infinity, or, as NaN, nothing; None where it is no answer."""
    text = text.strip()
    if text in BLANKS:
        return Numeral(float("nan"), text)
    return Numeral(float(text), text) if _NOT_FINITE.fullmatch(text) else parse_number(text, to_numeral)
