"""Numbers as they are written: decimals, and fractions such as ``1/3``."""

from __future__ import annotations

import re
from typing import Self

NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
"""A decimal in ASCII. Python's own float() takes more: 1_000, full-width digits, infinity."""


class Numeral(float):
    """A number that remembers how it was written: ``0.0450``."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, value: float, text: str) -> Self:
        """The number `value`, written `text`."""
        numeral = float.__new__(cls, value)
        numeral.text = text
        return numeral

    @classmethod
    def read(cls, text: str) -> Self:
        """A decimal as it is written."""
        numeral = float.__new__(cls, text)
        numeral.text = text
        return numeral


_NUMBER = re.compile(NUMBER)
_FRACTION = re.compile(r"([+-]?[0-9]{1,300})/([0-9]{1,300})")


def parse_number(text: str) -> float | None:
    """The number that a text spells: a decimal, or a fraction such as ``1/3``; None where it is neither."""
    if _NUMBER.fullmatch(text):
        return float(text)
    fraction = _FRACTION.fullmatch(text)
    if fraction and int(fraction[2]):
        return int(fraction[1]) / int(fraction[2])
    return None
