"""What one overlay adds to a quantity (Term), and indices into the arrays that it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from convgrad.core.element import Array, Place
from convgrad.formula import NOTHING, Formula

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


class Factor(NamedTuple):
    """A named array that a term is made of, such as the delta at its place; formula: how it is made, to be said."""

    name: str
    value: Array
    axes: str
    formula: Formula = NOTHING


class Lit(NamedTuple):
    """Cells of a named array, as an index into it, that a term is made of besides its window: the delta's, say."""

    name: str
    cells: Cells
    axes: str


class Spots(NamedTuple):
    """Where the cells of a kernel lie on an array, padding included, for each spatial axis.

    positions: of every kernel cell, below 0 and from the axis's size on in the padding; sources: the cell that is seen
    there, -1 where it is the padding's own; fill: what that holds; mode: what the padding holds, by its name; on: what
    the array is called, where overlays do not lie on it: a transposed convolution crops what lies there.
    """

    positions: tuple[Array, ...]
    sources: tuple[Array, ...]
    fill: float = 0.0
    mode: str = "zeros"
    on: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Term:
    """What one overlay adds to a quantity.

    at: the overlay, as (example, *output place); box: the half-open range of rows and columns that it
    covers (for the layer's output its place there, otherwise what lies under the kernel); window: the cells under the
    kernel of the array that overlays lie on; region: where `patch` is added in the quantity; factors: what the patch is
    made of; lit: the cells of other arrays that it is made of, where those are not all their cells; called: its own
    name, where it is a summand by name; spots: where the kernel lies, where the window may hang over the border.
    """

    at: Place
    box: tuple[tuple[int, int], ...]
    window: Cells
    region: Cells
    patch: Array
    factors: tuple[Factor, ...] = ()
    lit: tuple[Lit, ...] = ()
    called: Formula = NOTHING
    spots: Spots | None = None

    def factor(self, name: str) -> Array | None:
        """The value of the factor called `name`, None where the term has none."""
        return next((factor.value for factor in self.factors if factor.name == name), None)
