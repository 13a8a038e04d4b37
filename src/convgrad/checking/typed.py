"""Slips of the pen: digits transposed, the point slipped, one digit or the sign wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from convgrad.checking.places import ENOUGH_DIGITS
from convgrad.checking.verdict import Remark, Verdict
from convgrad.core.element import Array, element_name
from convgrad.numerals import parse_number


def typed(verdict: Verdict, wrong: Array) -> Iterator[Remark]:
    """How one or a few wrong cells were mistyped, each in the same way, where that is so; wrong: their mask."""
    right = np.asarray(verdict.value, np.float64)[wrong]
    if len(right) > 2:
        return
    texts = list(verdict.answer.texts[wrong])
    kinds = {_slip(str(text), float(value)) for text, value in zip(texts, right, strict=True)}
    words = {
        "digits-transposed": "two digits that stand side by side are exchanged",
        "point-slipped": "the decimal point is in the wrong place",
        "digit": "one digit is wrong",
        "sign": "the sign is wrong",
    }
    if len(kinds) == 1 and (kind := kinds.pop()):
        at = element_name(verdict.name, tuple(map(int, np.argwhere(wrong)[0])))
        where = f" in {at}" if len(texts) == 1 and wrong.size > 1 else ""
        yield Remark(kind, words[kind] + where, words[kind] + where)


def _slip(text: str, value: float) -> str:
    """How a cell was mistyped that should say a value, if it was; empty where it was not."""
    parts = re.fullmatch(r"([+-]?)([0-9.]+)((?:[eE][+-]?[0-9]+)?)", text.strip())
    if parts is None:
        return ""
    sign, digits, power = parts.groups()
    figures = len(digits.replace(".", "").lstrip("0"))
    if figures < 2:
        return ""
    if any(_would_be(value, sign + each + power) for each in _swapped(digits)):
        return "digits-transposed"
    shifts = [f"{sign}{digits}e{shift + int(power[1:] or 0)}" for shift in (1, -1, 2, -2, 3, -3)]
    if figures >= ENOUGH_DIGITS and any(_would_be(value, each) for each in shifts):
        return "point-slipped"
    if figures > ENOUGH_DIGITS and any(_would_be(value, sign + each + power) for each in _retyped(digits)):
        return "digit"
    return ""


def _would_be(value: float, text: str) -> bool:
    """Whether a cell would say a value if it read `text`."""
    number = parse_number(text)
    if number is None:
        return False
    unit = 10.0 ** (int(text.partition("e")[2] or 0) - len(text.partition("e")[0].partition(".")[2]))
    return abs(number - value) <= unit / 2 * (1 + 1e-9) + 1e-12 * abs(value)


def _swapped(digits: str) -> Iterator[str]:
    """The digits with two neighbours exchanged, the point left where it is."""
    figures = digits.replace(".", "")
    point = digits.find(".")
    for i in range(len(figures) - 1):
        if figures[i] != figures[i + 1]:
            turned = figures[:i] + figures[i + 1] + figures[i] + figures[i + 2 :]
            yield turned if point < 0 else f"{turned[:point]}.{turned[point:]}"


def _retyped(digits: str) -> Iterator[str]:
    """The digits with one of them another."""
    for i, old in enumerate(digits):
        if old != ".":
            yield from (digits[:i] + new + digits[i + 1 :] for new in "0123456789" if new != old)
