"""What is computed (Quantity) and the working that adds up to it (Term).

Arrays name their axes by one letter each: N examples, C input channels, F filters, I input channels of
one group of the kernel, and ``*`` for all the spatial axes. ``NC*`` is (N, C, H, W) on images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import fsum, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convgrad.core.rational import finite
from convgrad.errors import ConvgradError

Array = NDArray[Any]
Place = tuple[int, ...]
Cells = tuple[Any, ...]
"""An index into an array: a slice, or the sequence of the cells meant, for each axis."""


AS_IS = "="
"""The axes of an index into an array that has no letters, such as a matrix of patches."""


def real(array: Any) -> Array:
    """An array as floats, so that whole numbers do not round or overflow; floats (and objects) stay as they are."""
    array = np.asarray(array)
    return array.astype(np.float64) if array.dtype.kind in "iub" else array


def everywhere(at: Place) -> Cells:
    """The index (example, all channels, *place) into an array (N, C, *places): one number a channel."""
    return (at[0], slice(None), *at[1:])


def block(at: Place, box: Sequence[tuple[int, int]]) -> Cells:
    """The index of all channels of one example, on a half-open range of each spatial axis."""
    return (slice(at[0], at[0] + 1), slice(None), *(slice(*each) for each in box))


def beside(values: Array, trailing: int) -> Array:
    """values (...) -> (..., 1, ...), to multiply what has `trailing` axes more."""
    return values.reshape(*values.shape, *(1,) * trailing)


@dataclass(frozen=True, eq=False, repr=False)
class Factor:
    """A named array that a term is made of, such as the delta at its place."""

    name: str
    value: Array
    axes: str


@dataclass(frozen=True, eq=False, repr=False)
class Lit:
    """Cells of a named array, as an index into it, that a term is made of besides its window: the delta's, say."""

    name: str
    cells: Cells
    axes: str


@dataclass(frozen=True, eq=False, repr=False)
class Term:
    """What one overlay adds to a quantity.

    at: the overlay, as (example, *output place); box: the half-open range of rows and columns that it
    covers (of the input for gradients, of the output for the output); window: the cells of the input
    under the kernel; region: where `patch` is added in the quantity; factors: what the patch is made of; lit: the
    cells of other arrays that it is made of, where those are not all their cells.
    """

    at: Place
    box: tuple[tuple[int, int], ...]
    window: Cells
    region: Cells
    patch: Array
    factors: tuple[Factor, ...] = ()
    lit: tuple[Lit, ...] = ()

    def factor(self, name: str) -> Array | None:
        """The value of the factor called `name`, None where the term has none."""
        return next((factor.value for factor in self.factors if factor.name == name), None)


@dataclass(frozen=True, eq=False, repr=False)
class Column:
    """One factor of each of n products: its name, which cells of that array (n, axes), and their numbers (n,).

    axes: the letters of the array's axes; a position below 0 lies in the padding. Where the name holds ``[]``, the
    position stands there, else behind it; without `at` the name is the whole of it.
    """

    name: str
    value: Array
    at: Array | None = None
    axes: str = ""

    def label(self, number: int) -> str:
        """What the factor of one product is called: ``delta[0,2]``."""
        if self.at is None:
            return self.name
        at = self.at[number].tolist()
        if at and min(at) < 0:
            return "padding"
        index = f"[{','.join(map(str, at))}]" if at else ""
        return self.name.replace("[]", index) if "[]" in self.name else self.name + index


@dataclass(frozen=True, eq=False, repr=False)
class Products:
    """Products that an element is the sum of, n of them: their factors column by column."""

    columns: tuple[Column, ...]

    @property
    def value(self) -> Array:
        """The products (n,)."""
        with np.errstate(all="ignore"):
            return np.asarray(prod((column.value for column in self.columns[1:]), start=self.columns[0].value))


def everywhere_in(name: str, array: Array, shape: tuple[int, ...]) -> Column:
    """Factors that are all cells of an array of a shape, or one number for all of them."""
    array = np.asarray(array)
    if not array.ndim:
        return Column(name, np.broadcast_to(array, prod(shape)))
    return Column(name, array.ravel(), np.indices(shape).reshape(len(shape), prod(shape)).T)


def constant(name: str, value: Any) -> Column:
    """A factor that is one number, such as ``-lr``."""
    return Column(name, np.asarray(value).reshape(1))


def cell(name: str, array: Array, at: Place, axes: str = "") -> Column:
    """A factor that is one cell of an array."""
    return Column(name, np.asarray(array[at]).reshape(1), np.asarray(at, int).reshape(1, -1), axes)


def cells(name: str, array: Array, at: Array, axes: str = "") -> Column:
    """Factors that are cells (n, axes) of an array; those whose position is below 0 are zeros of the padding."""
    inside = (at >= 0).all(axis=1)
    value = array[tuple(np.maximum(at, 0).T)] if at.shape[1] else np.broadcast_to(array, len(at))
    return Column(name, value if inside.all() else np.where(inside, value, array.dtype.type(0)), at, axes)


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """One element of a quantity, written out: its name and place, the formula, and the products it is the sum of."""

    name: str
    at: Place
    formula: str
    parts: tuple[Products, ...]

    @property
    def element(self) -> str:
        """What the element is called: ``dW[0,1]``."""
        return f"{self.name}[{','.join(map(str, self.at))}]" if self.at else self.name

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

    def terms(self, zeros: bool = False) -> Iterator[tuple[list[tuple[str, Any]], Any]]:
        """(the factors by name, their product), one product after the other; those that are 0 only where asked for."""
        for part in self.parts:
            value = part.value
            for k in map(int, range(len(value)) if zeros else np.flatnonzero(value != 0)):
                yield [(column.label(k), column.value[k]) for column in part.columns], value[k]


@dataclass(frozen=True, eq=False, repr=False)
class Quantity:
    """A result: its name and formula, and lazily its value and its working, which adds up to the value.

    shape, compute: the value's shape, and what computes it when it is first asked for; axes: its axes by letters;
    live: () -> (N, *places) of bool, the overlays that add something; term: the working of one overlay; products: the
    products that one element is the sum of; window_axes: the axes of `Term.window`, empty where the terms
    are no overlays; spatial: which axes of the value are spatial; label: how an overlay is called; rule: what one
    overlay adds, in words; start: what the sums begin with (a bias laid everywhere), 0 where it is None; unit: what one
    term is called; over: the array that `Term.window` lies on; batched: whether a place begins with an example; walk:
    quantities of one walk are shown together, overlay after overlay; derivation: the quantity in another form, if any.
    """

    name: str
    formula: str
    shape: tuple[int, ...]
    compute: Callable[[], Any]
    axes: str
    live: Callable[[], Array]
    term: Callable[[Place], Term]
    products: Callable[[Place], Sequence[Products]]
    window_axes: str = "NC*"
    spatial: tuple[int, ...] = ()
    label: Callable[[Place], Place] = tuple
    rule: str = ""
    start: Array | None = None
    unit: str = "overlay"
    over: str = "input"
    batched: bool = True
    walk: str = ""
    derivation: Callable[[str, Quantity], Derivation | None] | None = None

    @cached_property
    def value(self) -> Array:
        """The result itself."""
        with np.errstate(all="ignore"):
            return np.asarray(self.compute())

    def _repr_html_(self) -> str:
        """What a notebook shows: formula and planes, coloured by the values."""
        from convgrad.render.page.notebook import quantity_html

        return quantity_html(self)

    def explain(self, at: Place) -> Explanation:
        """One element written out, at a cost that depends on it alone; ConvgradError where there is no such element."""
        if len(at) != len(self.shape) or not all(0 <= i < n for i, n in zip(at, self.shape, strict=True)):
            wanted = ",".join(f"0..{n - 1}" for n in self.shape)
            name = f"{self.name}[{','.join(map(str, at))}]" if at else self.name
            raise ConvgradError(
                f"there is no {name}",
                hint=f"{self.name} is one number: leave the index out"
                if not self.shape
                else f"its indices are {self.name}[{wanted}]",
            )
        return Explanation(self.name, at, self.formula, tuple(self.products(at)))

    def largest(self) -> Place:
        """The place of the element that is largest in size."""
        return _place(np.argmax(np.abs(np.atleast_1d(self.value))), self.shape)

    def places(self) -> Iterator[Place]:
        """The overlays that add something, in reading order."""
        live = self.live()
        return (_place(n, live.shape) for n in np.flatnonzero(live))

    def silent(self) -> Iterator[Place]:
        """How the overlays that add nothing are called, in reading order."""
        live = self.live()
        return (self.label(_place(n, live.shape)) for n in np.flatnonzero(~live))

    def terms(self) -> Iterator[Term]:
        """The terms in reading order; overlays that add nothing are left out."""
        return map(self.term, self.places())

    def running(self) -> Iterator[tuple[Term, Array]]:
        """(term, sum so far), one at a time. The last sum is the value itself.

        Sums taken in another order may differ from the value in the last digit of a float; the value is
        what has been printed as the result, so the working ends there. ConvgradError where a sum overflows.
        """
        total = np.zeros_like(self.value) if self.start is None else self.start
        count = int(np.count_nonzero(self.live()))
        for number, place in enumerate(self.places(), start=1):
            term = self.term(place)
            total = total.copy()
            with np.errstate(all="ignore"):
                total[term.region] += term.patch
            if not finite(total[term.region]).all():
                raise ConvgradError(
                    f"the running sum of {self.name} overflows at {self.label(place)}, though the result does not",
                    hint="leave --steps out, or scale the operands down",
                )
            yield term, self.value if number == count else total


@dataclass(frozen=True, eq=False, repr=False)
class Derivation:
    """A quantity with the steps of another form, the arrays that form works on, and which of their axes are spatial."""

    quantity: Quantity
    arrays: tuple[Factor, ...]
    spatial: tuple[tuple[int, ...], ...] = ()


def _place(number: Any, shape: tuple[int, ...]) -> Place:
    return tuple(int(i) for i in np.unravel_index(number, shape))


def bare(name: str, value: Array) -> Quantity:
    """A result without its working."""

    def none(at: Place) -> Any:
        raise ConvgradError(f"{name} is shown without its working")

    return Quantity(name, "", value.shape, lambda: value, "", lambda: np.zeros(0, bool), none, none, window_axes="")
