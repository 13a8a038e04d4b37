"""Numbers that are easy on paper, drawn the same on every machine."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, prod
from typing import TypeVar

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import OptionError
from convgrad.kinds.exercise import DENOMINATORS, RANGES

Each = TypeVar("Each")


class Dice:
    """A generator of random numbers that gives the same on every machine and in every version of Python."""

    def __init__(self, seed: str) -> None:
        """A text is hashed by SHA-512 there; `random` is the one method whose numbers are promised to stay."""
        self._random = random.Random(seed)

    def one(self, choices: Sequence[Each]) -> Each:
        """One of some."""
        return choices[int(self._random.random() * len(choices))]

    def some(self, choices: Sequence[Each], count: int) -> list[Each]:
        """So many of some, each again only when all have been taken."""
        taken: list[Each] = []
        while len(taken) < count:
            left = list(choices)
            while left and len(taken) < count:
                taken.append(left.pop(int(self._random.random() * len(left))))
        return taken


@dataclass(frozen=True)
class Paper:
    """What numbers a problem is made of: their sort, and the least and the largest of them (None: as is usual)."""

    sort: str = "integers"
    within: tuple[float, float] | None = None

    def numbers(self, shape: tuple[int, ...], dice: Dice, distinct: bool = False) -> Array:
        """Numbers other than 0, of a shape; distinct: no two are equal, as far as the range has room."""
        return filled(self._choices(prod(shape) if distinct else 0), shape, dice, distinct)

    def _choices(self, least: int) -> list[Fraction]:
        """The numbers there are, at least so many of them where no range is given; OptionError for an empty range."""
        low, high = (Fraction(str(each)) for each in self.within or RANGES[self.sort])
        found = self._between(low, high)
        while self.within is None and len(found) < least:
            low, high = low - 1, high + 1
            found = self._between(low, high)
        if not found:
            raise OptionError(
                f"there is no number but 0 among the {self.sort} from {_text(low)} to {_text(high)}",
                where="--range",
                hint="widen it",
            )
        return found

    def _between(self, low: Fraction, high: Fraction) -> list[Fraction]:
        found = {Fraction(k, n) for n in DENOMINATORS[self.sort] for k in range(ceil(low * n), floor(high * n) + 1)}
        return sorted(found - {Fraction(0)})


def filled(choices: Sequence[Fraction], shape: tuple[int, ...], dice: Dice, distinct: bool = False) -> Array:
    """An array of a shape, of fractions, each one of some."""
    count = prod(shape)
    array = np.empty(count, object)
    array[:] = dice.some(choices, count) if distinct else [dice.one(choices) for _ in range(count)]
    return array.reshape(shape)


def _text(number: Fraction) -> str:
    return f"{float(number):g}"
