"""What is computed (Quantity) and the working that adds up to it (Term).

Arrays name their axes by one letter each: N examples, C input channels, F filters, I input channels of
one group of the kernel, and ``*`` for all the spatial axes. ``NC*`` is (N, C, H, W) on images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convgrad.errors import ConvgradError

Array = NDArray[Any]
Place = tuple[int, ...]
Cells = tuple[Any, ...]
"""An index into an array: a slice, or the sequence of the cells meant, for each axis."""


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
class Term:
    """What one overlay adds to a quantity.

    at: the overlay, as (example, *output place); box: the half-open range of rows and columns that it
    covers (of the input for gradients, of the output for the output); window: the cells of the input
    under the kernel; region: where `patch` is added in the quantity; factors: what the patch is made of.
    """

    at: Place
    box: tuple[tuple[int, int], ...]
    window: Cells
    region: Cells
    patch: Array
    factors: tuple[Factor, ...] = ()

    def factor(self, name: str) -> Array | None:
        """The value of the factor called `name`, None where the term has none."""
        return next((factor.value for factor in self.factors if factor.name == name), None)


@dataclass(frozen=True, eq=False, repr=False)
class Quantity:
    """A result: its name, formula, value, and lazily its terms, which add up to the value.

    value: array with the axes that `axes` names; live: () -> (N, *places) of bool, the overlays that add
    something; term: the working of one overlay; window_axes: the axes of `Term.window`, empty where the terms
    are no overlays; spatial: which axes of the value are spatial; label: how an overlay is called;
    rule: what one overlay adds, in words;
    start: what the sums begin with (a bias laid everywhere), 0 where it is None; unit: what one term is called.
    """

    name: str
    formula: str
    value: Array
    axes: str
    live: Callable[[], Array]
    term: Callable[[Place], Term]
    window_axes: str = "NC*"
    spatial: tuple[int, ...] = ()
    label: Callable[[Place], Place] = tuple
    rule: str = ""
    start: Array | None = None
    unit: str = "overlay"

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
            if not np.isfinite(total[term.region]).all():
                raise ConvgradError(
                    f"the running sum of {self.name} overflows at {self.label(place)}, though the result does not",
                    hint="leave --steps out, or scale the operands down",
                )
            yield term, self.value if number == count else total


def _place(number: Any, shape: tuple[int, ...]) -> Place:
    return tuple(int(i) for i in np.unravel_index(number, shape))


def bare(name: str, value: Array) -> Quantity:
    """A result without its working."""

    def none(at: Place) -> Term:
        raise ConvgradError(f"{name} is shown without its working")

    return Quantity(name, "", value, "", lambda: np.zeros(0, bool), none, window_axes="")
