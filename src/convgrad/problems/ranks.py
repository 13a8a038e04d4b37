"""Ranks: people leave axes out, layers do not. Arrays are lifted on the way in and lowered on the way out.

Axes bear letters (formula.py). A letter may stand for several axes of a file (N, where more than one axis is not
pooled; D, the flattened input), or for none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np

from convgrad.core.element import Array, Column, Place, Products
from convgrad.core.quantity import Derivation, Quantity, Wrapped, told
from convgrad.core.term import AS_IS, Cells, Term
from convgrad.errors import ShapeError
from convgrad.formula import Formula, tokens

FIRST, LAST, IN_OUT = "", "NP*ICKJF", "NDMO"
"""The order of axes in a file: as the letters stand; channels-last; a dense weight with its inputs first."""


@dataclass(frozen=True, eq=False, repr=False)
class Shorthand:
    """How the files of one problem write its axes.

    dims: number of spatial axes; several: the sizes of the axes that a letter stands for, () where the files have none;
    absent: letters that the files leave out; order: FIRST, LAST or IN_OUT. Arrays whose axes have no letters ("") are
    as they are.
    """

    dims: int
    several: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    order: str = FIRST

    def lift(self, array: Array, axes: str) -> Array:
        """An array as the file has it -> the full-rank array with `axes`, such as ``NC*``."""
        if not axes:
            return array
        here = self._here(axes)
        sizes = iter(array.shape)
        shape = []
        for token in here:
            if token in self.several:
                shape.append(prod(next(sizes) for _ in self.several[token]))
            else:
                shape.append(1 if token in self.absent else next(sizes))
        return array.reshape(shape).transpose([here.index(token) for token in self._full(axes)])

    def lower(self, array: Array, axes: str) -> Array:
        """A full-rank array with `axes`, or a part of it in one example, -> as the file would have it."""
        if not axes:
            return array
        full, here = self._full(axes), self._here(axes)
        array = array.transpose([full.index(token) for token in here])
        sizes: list[int] = []
        for size, token in zip(array.shape, here, strict=True):
            if token in self.several:
                sizes += self.several[token] if size == prod(self.several[token]) else (1,) * len(self.several[token])
            elif token not in self.absent:
                sizes.append(size)
        return array.reshape(sizes)

    def tokens(self, axes: str) -> list[str]:
        """The axes one by one: ``NC*`` on images is N, C, *0, *1."""
        return self._full(axes)

    def written(self, axes: str) -> tuple[list[str], list[str]]:
        """Which of these axes a file has: in the order of the full-rank array, and in the file's own."""

        def here(token: str) -> bool:
            return token not in self.absent and self.several.get(token) != ()

        return [*filter(here, self._full(axes))], [*filter(here, self._here(axes))]

    def lower_shape(self, shape: Sequence[int], axes: str) -> tuple[int, ...]:
        """The shape that `lower` gives."""
        return self.lower(np.broadcast_to(0, tuple(shape)), axes).shape

    def spatial(self, axes: str) -> tuple[int, ...]:
        """Which axes of a lowered array are the spatial ones."""
        written = [
            token for token in self._here(axes) if token not in self.absent for _ in self.several.get(token, (1,))
        ]
        return tuple(k for k, token in enumerate(written) if token.startswith("*"))

    def lower_cells(self, cells: Cells, axes: str) -> Cells:
        """An index into a full-rank array -> the same index into the lowered one."""
        if axes in ("", AS_IS):
            return cells
        by_token = dict(zip(self._full(axes), cells, strict=True))
        lowered: list[Any] = []
        for token in self._here(axes):
            if token in self.several:
                lowered += self._parted(by_token[token], self.several[token])
            elif token not in self.absent:
                lowered.append(by_token[token])
        return tuple(lowered)

    @staticmethod
    def _parted(cells: Any, sizes: tuple[int, ...]) -> list[slice]:
        """A slice or range over the axis that several stand for (one cell, or all) -> a slice of each of them."""
        if cells == slice(None):
            return [cells] * len(sizes)
        parts = np.unravel_index(cells.start, sizes) if sizes else ()
        return [slice(int(i), int(i) + 1) for i in parts]

    def lift_index(self, at: Place, axes: str) -> Place:
        """The index of one cell of an array as the file has it -> of the full-rank array."""
        if not axes:
            return at
        left, by_token = iter(at), {}
        for token in self._here(axes):
            if token in self.several:
                sizes = self.several[token]
                by_token[token] = int(np.ravel_multi_index([next(left) for _ in sizes], sizes)) if sizes else 0
            else:
                by_token[token] = 0 if token in self.absent else next(left)
        return tuple(by_token[token] for token in self._full(axes))

    def lower_column(self, column: Column) -> Column:
        """A factor of products, its cells counted as in the file; what lies in the padding stays below 0."""
        if column.at is None or not column.axes:
            return column
        full, at = self._full(column.axes), column.at
        lowered: list[Array] = []
        for token in self._here(column.axes):
            numbers = at[:, full.index(token)]
            if token in self.several:
                sizes = self.several[token]
                lowered += np.unravel_index(numbers, sizes) if sizes else ()
            elif token not in self.absent:
                lowered.append(numbers)
        rows = np.stack(lowered, axis=1) if lowered else np.zeros((len(at), 0), int)
        return replace(column, at=rows, axes="")

    def lower_place(self, place: Place) -> Place:
        """(example, *output place) -> as the files count: without the example where there is no batch."""
        if not self.several:
            return place
        sizes = self.several["N"]
        example = tuple(int(i) for i in np.unravel_index(place[0], sizes)) if sizes else ()
        return (*example, *place[1:])

    def lower_quantity(self, quantity: Quantity) -> Quantity:
        """A layer's quantity -> the same with value, formula and terms in the file's axes."""
        if not quantity.axes:
            return quantity
        changed = {
            "shape": self.lower_shape(quantity.shape, quantity.axes),
            "formula": self.lower_formula(quantity.formula, quantity.axes),
            "spatial": self.spatial(quantity.axes),
        }
        return Lowered(quantity, self, **{**told(quantity), **changed})

    def lower_formula(self, formula: Formula, axes: str) -> Formula:
        """A formula in the file's axes: absent indices left out (``dW[f,c,m,n]`` -> ``dW[m,n]``), others in order."""

        def written(axes: Sequence[str]) -> list[str]:
            return self._sorted([token for token in axes if token not in self.absent])

        everything = "N" not in axes and self.several.get("N")
        return formula.lowered(written) + (", over all examples" if everything else "")

    def _full(self, axes: str) -> list[str]:
        return tokens(axes, self.dims)

    def _here(self, axes: str) -> list[str]:
        return self._sorted(self._full(axes)) if len(axes) > 1 else self._full(axes)

    def _sorted(self, tokens: list[str]) -> list[str]:
        """Axes in the order in which a file has them."""
        return sorted(tokens, key=lambda token: self.order.index(token[0])) if self.order else tokens


@dataclass(frozen=True, eq=False, repr=False)
class Lowered(Wrapped):
    """A layer's quantity as a file has it: without the axes that the file leaves out, the others in its order."""

    shorthand: Shorthand

    def compute(self) -> Array:
        """The value in the file's axes."""
        return self.shorthand.lower(self.of.value, self.of.axes)

    @property
    def start(self) -> Array | None:
        """What the sums begin with, in the file's axes."""
        return None if self.of.start is None else self.shorthand.lower(self.of.start, self.of.axes)

    def products(self, at: Place) -> list[Products]:
        """The products of an element, their cells counted as in the files."""
        found = self.of.products(self.shorthand.lift_index(at, self.of.axes))
        return [replace(each, columns=tuple(map(self.shorthand.lower_column, each.columns))) for each in found]

    def label(self, place: Place) -> Place:
        """How the file counts an overlay."""
        return self._counted(self.of.label(place))

    def _counted(self, at: Place) -> Place:
        return self.shorthand.lower_place(at) if self.of.batched else at[1:]

    def term(self, place: Place) -> Term:
        """The term with its patch, its cells and its factors in the file's axes."""
        term, shorthand = self.of.term(place), self.shorthand
        return replace(
            term,
            at=self._counted(term.at),
            patch=shorthand.lower(term.patch, self.of.axes),
            region=shorthand.lower_cells(term.region, self.of.axes),
            window=shorthand.lower_cells(term.window, self.of.window_axes),
            factors=tuple(each._replace(value=shorthand.lower(each.value, each.axes)) for each in term.factors),
            lit=tuple(each._replace(cells=shorthand.lower_cells(each.cells, each.axes)) for each in term.lit),
        )

    def in_form(self, form: str) -> Derivation | None:
        """The derivation in the file's axes, and the arrays that it works on."""
        found = self.of.in_form(form)
        if found is None:
            return None
        arrays = tuple(each._replace(value=self.shorthand.lower(each.value, each.axes)) for each in found.arrays)
        spatial = tuple(self.shorthand.spatial(each.axes) if each.axes else () for each in found.arrays)
        return Derivation(self.shorthand.lower_quantity(found.quantity), arrays, spatial)

    def renamed(self, array: str, other: str) -> Quantity:
        """The quantity inside renamed, and lowered."""
        return self.shorthand.lower_quantity(self.of.renamed(array, other))


_BY_RANKS = {(1, 1): 1, (2, 2): 2, (2, 3): 1, (2, 4): 2, (3, 3): 2, (3, 4): 2, (4, 4): 2, (4, 5): 3, (5, 5): 3}
"""Spatial axes by the ranks of input and kernel, where they settle it."""


def dims_of(rank: int) -> int:
    """Spatial axes of an input alone, where no kernel tells: two where it can be; 0 where it has too many axes."""
    return {1: 1, 2: 2, 3: 2, 4: 2, 5: 3}.get(rank, 0)


def conv_dims(x: Array, kernel: Array, dims: int | None, unshared: bool = False) -> int:
    """Spatial axes of a convolution; ShapeError where the ranks leave them open and --dims does not say.

    An unshared kernel has as many axes of places before the rest of it.
    """

    def rank(d: int) -> int:
        return kernel.ndim - d if unshared else kernel.ndim

    d = dims or max((n for n in (1, 2, 3) if _BY_RANKS.get((x.ndim, rank(n))) == n), default=0)
    if not d:
        fitting = [n for n in (1, 2, 3) if 0 <= x.ndim - n <= 2 and 0 <= rank(n) - n <= 2]
        raise ShapeError(
            f"an input with {x.ndim} axes and a kernel with {kernel.ndim} leave the number of spatial axes open",
            hint="say " + " or ".join(f"--dims {n}" for n in fitting)
            if fitting
            else "give --dims, an input with --dims to --dims + 2 axes, and a kernel likewise",
        )
    kernels = "(P, *), (P, C, *) or (P, F, C, *), with P the places" if unshared else "(*), (C, *) or (F, C, *)"
    for found, array, name, shapes in (
        (x.ndim, x, "input", "(*), (C, *) or (N, C, *)"),
        (rank(d), kernel, "kernel", kernels),
    ):
        if not 0 <= found - d <= 2:
            raise ShapeError(
                f"the {name} has {array.ndim} axes, but with {d} spatial axes (*) it is {shapes}", hint="check --dims"
            )
    return d


def delta_dims(x: Array, delta: Array, dims: int | None) -> int:
    """Spatial axes of a convolution whose kernel is not given, from the delta's rank in its place."""
    likely = {1: (1,), 2: (2, 1), 3: (2, 3), 4: (2, 3), 5: (3,)}.get(x.ndim, ())
    for d in (dims,) if dims else likely:
        batch = 1 if x.ndim - d == 2 else 0
        if 0 <= x.ndim - d <= 2 and delta.ndim - d - batch in (0, 1):
            return d
    raise ShapeError(
        f"an input with {x.ndim} axes and a delta with {delta.ndim} do not belong to one convolution",
        hint="delta has the output's shape; check --dims",
    )
