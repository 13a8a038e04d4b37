"""What is computed (Quantity) and the working that adds up to it (Term).

Arrays name their axes by letters, as formulas do (formula.py).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from convgrad.core.element import Array, Explanation, Place, Products, element_name
from convgrad.core.rational import finite
from convgrad.core.term import Factor, Term
from convgrad.errors import ConvgradError
from convgrad.formula import NOTHING, Formula


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Quantity(ABC):
    """A result: its name and formula, its value when it is first asked for, and the working that adds up to it.

    What computes it is a class below this one: one of derivatives.py, or a small object of a layer's own.
    shape, axes: of the value, and its axes by letters, empty where they have none; spatial: which of them are spatial;
    window_axes: the axes of the array that its overlays lie on, empty where its terms are no overlays; rule: what one
    overlay adds, in words.
    """

    name: str
    formula: Formula
    shape: tuple[int, ...]
    axes: str = ""
    window_axes: str = ""
    spatial: tuple[int, ...] = ()
    rule: Formula = NOTHING

    @abstractmethod
    def compute(self) -> Any:
        """The value, as a layer computes it."""

    @abstractmethod
    def products(self, at: Place) -> Sequence[Products]:
        """The products that the element at a place is the sum of."""

    @abstractmethod
    def live(self) -> Array:
        """(N, *places) of bool: the overlays that add something."""

    @abstractmethod
    def term(self, place: Place) -> Term:
        """The working of one overlay."""

    def in_form(self, form: str) -> Derivation | None:
        """The quantity with the steps of a form, such as ``rotated``; None where it has no such form, or is in it."""
        return None

    @property
    def has_forms(self) -> bool:
        """Whether there are other forms of it."""
        return False

    @property
    def unit(self) -> str:
        """What one term is called."""
        return "overlay"

    @property
    def over(self) -> str:
        """The array that `Term.window` lies on."""
        return "input"

    @property
    def walk(self) -> str:
        """Quantities of one walk are shown together, overlay after overlay."""
        return ""

    @property
    def batched(self) -> bool:
        """Whether a place begins with an example."""
        return True

    @property
    def start(self) -> Array | None:
        """What the sums begin with (a bias laid everywhere); 0 where it is None."""
        return None

    @property
    def made_of(self) -> float | None:
        """How large the numbers are that it is made of, as rounding has it; None where its products tell."""
        return None

    def label(self, place: Place) -> Place:
        """How an overlay is called."""
        return tuple(place)

    def renamed(self, array: str, other: str) -> Quantity:
        """The quantity whose working calls one of its arrays by another name."""
        changed = {part: getattr(self, part).renamed(array, other) for part in ("formula", "rule")}
        return Renamed(self, array, other, **{**told(self), **changed})

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
            hint = f"its indices are {self.name}[{wanted}]"
            hint = hint if self.shape else f"{self.name} is one number: leave the index out"
            raise ConvgradError(f"there is no {element_name(self.name, at)}", hint=hint)
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


class Derivation(NamedTuple):
    """A quantity with the steps of another form, the arrays that form works on, and which of their axes are spatial."""

    quantity: Quantity
    arrays: tuple[Factor, ...]
    spatial: tuple[tuple[int, ...], ...] = ()


def _place(number: Any, shape: tuple[int, ...]) -> Place:
    return tuple(int(i) for i in np.unravel_index(number, shape))


@dataclass(frozen=True, eq=False, repr=False)
class Wrapped(Quantity):
    """A quantity told in another way: of the one inside, all that is not said anew."""

    of: Quantity

    def compute(self) -> Any:
        """The same value."""
        return self.of.value

    def products(self, at: Place) -> Sequence[Products]:
        """The same products."""
        return self.of.products(at)

    def live(self) -> Array:
        """The same overlays."""
        return self.of.live()

    def term(self, place: Place) -> Term:
        """The same terms."""
        return self.of.term(place)

    def in_form(self, form: str) -> Derivation | None:
        """The same forms."""
        return self.of.in_form(form)

    @property
    def has_forms(self) -> bool:
        """Whether the one inside has forms."""
        return self.of.has_forms

    @property
    def unit(self) -> str:
        """What one term of the one inside is called."""
        return self.of.unit

    @property
    def over(self) -> str:
        """The array that the one inside lies on."""
        return self.of.over

    @property
    def walk(self) -> str:
        """The walk of the one inside."""
        return self.of.walk

    @property
    def batched(self) -> bool:
        """As the one inside."""
        return self.of.batched

    @property
    def start(self) -> Array | None:
        """What the sums of the one inside begin with."""
        return self.of.start

    @property
    def made_of(self) -> float | None:
        """How large the numbers of the one inside are."""
        return self.of.made_of

    def label(self, place: Place) -> Place:
        """How an overlay of the one inside is called."""
        return self.of.label(place)


def told(quantity: Quantity) -> dict[str, Any]:
    """What a quantity says of itself, by its fields: to be said of another one that stands for it."""
    return {each.name: getattr(quantity, each.name) for each in fields(Quantity)}


@dataclass(frozen=True, eq=False, repr=False)
class Renamed(Wrapped):
    """A quantity whose working calls one of its arrays by another name."""

    array: str
    other: str

    def products(self, at: Place) -> Sequence[Products]:
        """The products with their factors renamed."""
        found = self.of.products(at)
        each = [[replace(one, form=one.form.renamed(self.array, self.other)) for one in part.columns] for part in found]
        return [replace(part, columns=tuple(columns)) for part, columns in zip(found, each, strict=True)]

    def term(self, place: Place) -> Term:
        """The term with what is lit renamed."""
        term = self.of.term(place)
        lit = (each._replace(name=self.other) if each.name == self.array else each for each in term.lit)
        return replace(term, lit=tuple(lit))

    @property
    def over(self) -> str:
        """The array that it lies on, by its new name."""
        return self.other if self.of.over == self.array else self.of.over


@dataclass(frozen=True, eq=False, repr=False)
class Bare(Quantity):
    """A result without its working."""

    array: Array

    def compute(self) -> Array:
        """The array itself."""
        return self.array

    def products(self, at: Place) -> Sequence[Products]:
        """There are none."""
        raise ConvgradError(f"{self.name} is shown without its working")

    def live(self) -> Array:
        """No overlays."""
        return np.zeros(0, bool)

    def term(self, place: Place) -> Term:
        """There are none."""
        raise ConvgradError(f"{self.name} is shown without its working")


def bare(name: str, value: Array, spatial: tuple[int, ...] = ()) -> Quantity:
    """A result without its working."""
    return Bare(value, name=name, formula=NOTHING, shape=value.shape, spatial=spatial)
