"""One element of a result, written out: the products that it is the sum of, factor by factor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import fsum, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convgrad.core.rational import finite
from convgrad.errors import ConvgradError
from convgrad.formula import Formula, Named, named

Array = NDArray[Any]
Place = tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Column:
    """One factor of each of n products: how it is called, which cells of an array (n, axes), and their numbers (n,).

    form: its name, with the cell's index behind the parts that are open; axes: the letters of the array's axes; a
    position below 0 lies in the padding; without `at` the name is the whole of it.
    """

    form: Formula
    value: Array
    at: Array | None = None
    axes: str = ""

    @property
    def array(self) -> str:
        """The array that the factor is a cell of; empty where it is no plain cell, but made of some."""
        (part, *rest) = self.form.parts
        return part.name if isinstance(part, Named) and not rest else ""

    def called(self, number: int) -> Formula:
        """What the factor of one product is called: ``delta[0,2]``."""
        if self.at is None:
            return self.form
        at = self.at[number].tolist()
        return PADDING if at and min(at) < 0 else self.form.at(at)


CANCELLED = 1e-14
"""Sums that are no larger than this, in parts of what was added up, are what rounding leaves of 0; in float64."""

PADDING = Formula(("padding",))


@dataclass(frozen=True, eq=False, repr=False)
class Products:
    """Products that an element is the sum of, n of them: their factors column by column.

    path: the way in which they reach the element, where it is reached in several.
    """

    columns: tuple[Column, ...]
    path: str = ""

    @property
    def value(self) -> Array:
        """The products (n,)."""
        with np.errstate(all="ignore"):
            return np.asarray(prod((column.value for column in self.columns[1:]), start=self.columns[0].value))

    @property
    def total(self) -> Any:
        """Their sum, rounded once."""
        each = self.value
        return each.sum() if each.dtype.kind in "Oiub" else each.dtype.type(fsum(each))

    @property
    def cancels(self) -> bool:
        """Whether their sum is 0 but for rounding."""
        return bool(0 < abs(self.total) <= CANCELLED * np.abs(self.value).sum())


def everywhere_in(form: Formula, array: Array, shape: tuple[int, ...]) -> Column:
    """Factors that are all cells of an array of a shape, or one number for all of them."""
    array = np.asarray(array)
    if not array.ndim:
        return Column(form, np.broadcast_to(array, prod(shape)))
    return Column(form, array.ravel(), np.indices(shape).reshape(len(shape), prod(shape)).T)


def constant(name: str, value: Any) -> Column:
    """A factor that is one number, such as ``-lr``."""
    return Column(Formula((name,)), np.asarray(value).reshape(1))


def cell(name: str, array: Array, at: Place, axes: str = "") -> Column:
    """A factor that is one cell of an array."""
    return Column(named(name), np.asarray(array[at]).reshape(1), np.asarray(at, int).reshape(1, -1), axes)


def cells(name: str, array: Array, at: Array, axes: str = "") -> Column:
    """Factors that are cells (n, axes) of an array; those whose position is below 0 are zeros of the padding."""
    inside = (at >= 0).all(axis=1)
    value = array[tuple(np.maximum(at, 0).T)] if at.shape[1] else np.broadcast_to(array, len(at))
    return Column(named(name), value if inside.all() else np.where(inside, value, array.dtype.type(0)), at, axes)


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """One element of a quantity, written out: its name and place, the formula, and the products it is the sum of."""

    name: str
    at: Place
    formula: Formula
    parts: tuple[Products, ...]

    @property
    def called(self) -> Formula:
        """What the element is called."""
        return named(self.name).at(self.at)

    @property
    def element(self) -> str:
        """What the element is called, as text: ``dW[0,1]``."""
        return str(self.called)

    @cached_property
    def value(self) -> Any:
        """The sum of the products, rounded once; ConvgradError where it overflows."""
        each = np.concatenate([part.value for part in self.parts])
        if not finite(each).all():
            raise ConvgradError(f"a product of {self.element} overflows", hint="scale the operands down")
        return each.sum() if each.dtype.kind in "Oiub" else each.dtype.type(fsum(each))

    @cached_property
    def zero_terms(self) -> int:
        """How many of the products are 0."""
        return sum(int(np.count_nonzero(part.value == 0)) for part in self.parts)

    def terms(self, zeros: bool = False) -> Iterator[tuple[list[tuple[Formula, Any]], Any]]:
        """(the factors by name, their product), one product after the other; those that are 0 only where asked for."""
        for part in self.parts:
            yield from self.terms_of(part, zeros)

    def terms_of(self, part: Products, zeros: bool = False) -> Iterator[tuple[list[tuple[Formula, Any]], Any]]:
        """The same of some of the products."""
        value = part.value
        for k in map(int, range(len(value)) if zeros else np.flatnonzero(value != 0)):
            yield [(column.called(k), column.value[k]) for column in part.columns], value[k]


def element_name(name: str, at: Sequence[Any]) -> str:
    """``dW[0,1]``; of a lone number the name alone."""
    return str(named(name).at(at))
