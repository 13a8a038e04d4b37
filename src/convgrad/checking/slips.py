"""A slip in a cell: which of the products that it is the sum of would explain what is written there.

By hand, one cell off is the commonest slip: a product left out, taken twice or with the wrong sign, or with a factor
read from another cell. It is a finding about the cell, and no accusation of a habit. It is said only where exactly one
product explains the cell, and where numbers of so many places would seldom agree with any by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np

from convgrad.checking.verdict import Remark, Verdict
from convgrad.core.element import Array, Column, Place, Products, element_name
from convgrad.core.quantity import Quantity
from convgrad.errors import ConvgradError, listed
from convgrad.mistakes.evidence import grid

MOST_CELLS = 8
"""Wrong cells up to which slips are looked for: more are no slips."""

MOST_TRIED = 2**16
"""Explanations of one cell that are tried at most."""

CHANCE, CHANCE_OF_FACTORS = 0.1, 0.02
"""How likely another wrong number would agree with one of the explanations, for one to be said; of factors there are
many more, and they are less often the reason."""

TIMES = {"left-out": -1.0, "taken-twice": 1.0, "wrong-sign": -2.0}
"""The kinds of slips with a whole product, and how often too often it is then in the sum."""

WORDS = {
    "left-out": ("{} is left out", "one product is left out"),
    "taken-twice": ("{} is taken twice", "one product is taken twice"),
    "wrong-sign": ("{} has the wrong sign", "one product has the wrong sign"),
    "misread": ("{}", "one factor was read from another cell"),
}
"""What each kind is called, in full and as a hint."""


@dataclass(frozen=True)
class Slip:
    """One explanation of a cell: its kind, by how much the cell is then off, and what is meant, worded when asked."""

    kind: str
    off: float
    what: Callable[[], str]


def slips(verdict: Verdict, quantity: Quantity, wrong: Array, operands: Mapping[str, Array]) -> Iterator[Remark]:
    """What explains the wrong cells of an answer, each by a slip of the same kind.

    wrong: the mask of the cells; operands: the arrays that factors may have been read from, by name.
    """
    places = [tuple(map(int, index)) for index in np.argwhere(wrong)]
    if not 0 < len(places) <= MOST_CELLS or quantity.value.shape != verdict.answer.numbers.shape:
        return
    found: list[Slip] = []
    chance = 1.0
    for at in places:
        try:
            slip, likely = _Cell(verdict, quantity, at, operands).explained()
        except ConvgradError:  # a result without its working
            return
        if slip is None or (found and slip.kind != found[0].kind):
            return
        found.append(slip)
        chance *= likely
    kind = found[0].kind
    if chance <= (CHANCE_OF_FACTORS if kind == "misread" else CHANCE):
        full, hint = WORDS[kind]
        cells = [element_name(verdict.name, at) for at in places]
        each = [f"in {cell} {full.format(slip.what())}" for cell, slip in zip(cells, found, strict=True)]
        yield Remark(f"product-{kind}", "; ".join(each), f"in {listed(cells)} {hint}")


@dataclass(frozen=True, eq=False, repr=False)
class _Cell:
    """One wrong cell of an answer."""

    verdict: Verdict
    quantity: Quantity
    at: Place
    operands: Mapping[str, Array]

    def explained(self) -> tuple[Slip | None, float]:
        """The only slip that explains the cell, None where there is none or several, and how likely that is by chance.

        Whole products come before factors, and where one of them explains it no factor is looked at.
        """
        parts = self.quantity.products(self.at)
        if sum(len(part.columns[0].value) for part in parts) > MOST_TRIED // len(TIMES):
            return None, 1.0
        for tries in (self._products, self._factors):
            tried = [*tries(parts)]
            right = [slip for slip in tried if self._says(slip.off)]
            if right:
                return (right[0] if len(right) == 1 else None), self._chance(tried)
        return None, 1.0

    @property
    def _value(self) -> float:
        return float(self.verdict.value[self.at])

    @property
    def _off(self) -> float:
        return float(self.verdict.answer.numbers[self.at]) - self._value

    def _says(self, off: float) -> bool:
        """Whether the cell says the right value, off by so much."""
        if abs(off - self._off) > 2 * self._width:
            return False
        whole = np.array(self.verdict.value, np.float64)
        whole[self.at] += off
        return bool(self.verdict.answer.matches(whole).right[self.at])

    @property
    def _width(self) -> float:
        answer = self.verdict.answer
        return float(np.asarray(answer.spread + answer.noise)[self.at])

    def _chance(self, tried: list[Slip]) -> float:
        """The share of wrong numbers that agree with any explanation: as many as are tried, in steps of the last place.

        Of whole numbers, however many places they are written to, the step is 1.
        """
        offs = np.array([slip.off for slip in tried])
        unit = max(self._width, grid(np.array([*offs, self._off])))
        distinct, widest = len(np.unique(np.round(offs / unit))), max(float(np.abs(offs).max()), abs(self._off))
        return float(min(1.0, distinct * unit / (2 * widest)))

    def _products(self, parts: Sequence[Products]) -> Iterator[Slip]:
        """Whole products left out, taken twice, with the wrong sign, where there are others beside them."""
        if sum(int(np.count_nonzero(part.value)) for part in parts) < 2:
            return
        for part in parts:
            value = np.asarray(part.value, np.float64)
            for k in map(int, np.flatnonzero(value)):
                what = partial(_product, part.columns, k)
                yield from (Slip(kind, times * float(value[k]), what) for kind, times in TIMES.items())

    def _factors(self, parts: Sequence[Products]) -> Iterator[Slip]:
        """A factor that stands for another cell of its array."""
        left = MOST_TRIED
        for part in parts:
            for number, column in enumerate(part.columns):
                array = self._array(column)
                if array is None:
                    continue
                left -= array.size * len(column.value)
                if left < 0:
                    return
                ones = np.ones(len(column.value))
                rest = prod((np.asarray(each.value, float) for each in part.columns if each is not column), start=ones)
                yield from self._misread(part, number, array, rest)

    def _misread(self, part: Products, number: int, array: Array, rest: Array) -> Iterator[Slip]:
        column = part.columns[number]
        flat = array.reshape(-1)
        for k, factor in enumerate(np.asarray(column.value, np.float64)):
            offs = (flat - factor) * rest[k]
            for cell in map(int, np.flatnonzero(offs)):
                yield Slip("misread", float(offs[cell]), partial(_taken, part, column, k, cell, array.shape))

    def _array(self, column: Column) -> Array | None:
        """The array that a factor is a cell of, where it is known."""
        array = self.operands.get(column.array)
        if array is None or column.at is None or column.at.shape[1] != np.ndim(array):
            return None
        return np.asarray(array, np.float64)


def _product(columns: Sequence[Column], k: int) -> str:
    """The k-th of a sum's products."""
    return " * ".join(str(column.called(k)) for column in columns)


def _taken(part: Products, column: Column, k: int, cell: int, shape: tuple[int, ...]) -> str:
    """A cell of an array that is taken for the k-th factor of a column."""
    place = tuple(int(i) for i in np.unravel_index(cell, shape))
    beside = _product([each for each in part.columns if each is not column], k)
    by = f", times {beside}" if beside else ""
    return f"{element_name(column.array, place)} is taken for {column.called(k)}{by}"
