"""Elements written out, as a page is told them: factors by the cells they stand in, and the cells that take part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from convgrad.core.element import Column, Explanation
from convgrad.core.quantity import Quantity
from convgrad.render.page.numbered_cells import Drawn, Numbers, runs
from convgrad.render.sentences import MOST_TERMS

Code = Callable[[int], int]


MOST_ELEMENTS, MOST_PRODUCTS, MOST_LOOKED_AT = 600, 12_000, 500_000
"""Cells of a page that are written out, products listed in them, and products looked at for them."""


class Room:
    """How much may still be written out: cells, products listed, products looked at; shared out equally."""

    def __init__(self, parts: int = 1) -> None:
        self.left = [most // parts for most in (MOST_ELEMENTS, MOST_PRODUCTS, MOST_LOOKED_AT)]
        self.floor = [0, 0, 0]

    def share(self, waiting: int) -> None:
        """From here on one of as many that are `waiting` writes."""
        self.floor = [left - left // waiting for left in self.left]

    def take(self, listed: int, looked: int) -> None:
        """One cell more is written out."""
        self.left = [left - each for left, each in zip(self.left, (1, listed, looked), strict=True)]

    @property
    def spent(self) -> bool:
        """Whether there is no room for another cell."""
        return any(left <= floor for left, floor in zip(self.left, self.floor, strict=True))


@dataclass(frozen=True, eq=False)
class Sums:
    """Writes elements out for a page.

    arrays: where factors are looked for, by name; other: what else they are called (W is the kernel); zeros: whether
    products that are 0 are listed; factors: those that are no plain cell, as [label, number, place or -1]. A factor is
    the place of its cell, or -1 - k for the k-th of those.
    """

    arrays: Mapping[str, Drawn]
    numbers: Numbers
    other: Mapping[str, str] = field(default_factory=dict)
    zeros: bool = False
    factors: list[list[Any]] = field(default_factory=list)
    known: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def written(self, explanation: Explanation, own: int = -1) -> list[Any]:
        """[products, their numbers, how many are 0, value, how many more, cells lit]; own: the number in the cell."""
        terms: list[list[int]] = []
        numbers: list[int] = []
        lit: list[np.ndarray[Any, Any]] = []
        more = 0
        for part in explanation.parts:
            each = part.value
            chosen = np.arange(len(each)) if self.zeros else np.flatnonzero(each != 0)
            listed = chosen[: MOST_TERMS - len(terms)]
            more += len(chosen) - len(listed)
            codes = [self._code(column) for column in part.columns]
            terms += [[code(int(k)) for code in codes] for k in listed]
            numbers += self.numbers.all(each[listed])
            lit += [self._places(column)[chosen] for column in part.columns]
        value = self.numbers.add(explanation.value)
        found: list[Any] = [terms, numbers, explanation.zero_terms, -1 if value == own else value]
        return [*found, more, runs(np.concatenate(lit))] if more else found

    def of(self, quantity: Quantity, room: Room) -> dict[int, list[Any]]:
        """The elements of a quantity written out, as many of the first as there is room for, by their places."""
        found: dict[int, list[Any]] = {}
        own = self.arrays[quantity.name]
        for flat in own.order.tolist():
            if room.spent:
                break
            explanation = quantity.explain(tuple(int(i) for i in np.unravel_index(flat, quantity.shape)))
            place = int(own.cells[flat])
            found[place] = self.written(explanation, own.data["numbers"][place - own.data["start"]])
            room.take(len(found[place][0]), sum(len(part.value) for part in explanation.parts))
        return found

    def _drawn(self, column: Column) -> Drawn | None:
        return self.arrays.get(column.array) or self.arrays.get(self.other.get(column.array, ""))

    def _places(self, column: Column) -> np.ndarray[Any, Any]:
        """The places of a factor's cells, -1 where there is none: a number, padding, or an array that is not drawn."""
        own, none = self._drawn(column), np.full(len(column.value), -1)
        if own is None or column.at is None:
            return none
        places = own.places(column.at)
        here = places >= 0
        if not here.any():
            return none
        held = own.array[tuple(column.at[here].T)] if own.array.ndim else np.broadcast_to(own.array, here.sum())
        # what a name means is told by the numbers: another layer's delta is no cell of this one's
        return places if np.array_equal(held, column.value[here]) else none

    def _code(self, column: Column) -> Code:
        places, own = self._places(column), self._drawn(column)
        plain = own is not None and own.name == column.array

        def code(k: int) -> int:
            return int(places[k]) if plain and places[k] >= 0 else self._named(column, k, int(places[k]))

        return code

    def _named(self, column: Column, k: int, place: int) -> int:
        factor = str(column.called(k)), self.numbers.add(column.value[k]), place
        if factor not in self.known:
            self.known[factor] = -1 - len(self.factors)
            self.factors.append(list(factor))
        return self.known[factor]
