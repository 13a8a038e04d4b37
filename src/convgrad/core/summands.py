"""Results that are sums of whole arrays: a step of descent, the ways in which an input reaches an output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from convgrad.core.element import Array, Place, Products
from convgrad.core.quantity import Quantity
from convgrad.core.term import Term
from convgrad.formula import Formula


class Summand(Protocol):
    """An array that others are added to."""

    @property
    def called(self) -> Formula:
        """What it is called, with room for an index behind the array."""

    @property
    def value(self) -> Array:
        """All of it."""

    def products(self, at: Place) -> Sequence[Products]:
        """The products that one element of it is the sum of."""


@dataclass(frozen=True, eq=False, repr=False)
class Summed(Quantity):
    """The sum of arrays of one shape, each a term of its own."""

    parts: tuple[Summand, ...]

    def compute(self) -> Any:
        """All of them, added up."""
        return total(self.parts)

    def products(self, at: Place) -> Sequence[Products]:
        """The products of each."""
        return [products for part in self.parts for products in part.products(at)]

    def live(self) -> Array:
        """Every summand."""
        return np.ones(len(self.parts), bool)

    def term(self, place: Place) -> Term:
        """One summand, whole."""
        part = self.parts[place[0]]
        array = part.value
        return Term(place, (), (), (slice(None),) * array.ndim, array, called=part.called)

    @property
    def unit(self) -> str:
        """What is added at a time."""
        return "summand"

    @property
    def batched(self) -> bool:
        """A summand belongs to no example."""
        return False


def total(summands: Sequence[Summand]) -> Array:
    """Summands added up."""
    with np.errstate(all="ignore"):
        return np.asarray(sum((each.value for each in summands[1:]), start=summands[0].value))
