"""Ranks: people leave axes out, layers do not. Arrays are lifted on the way in and lowered on the way out.

Axes bear letters: N examples, P places of an unshared kernel, ``*`` spatial axes, C input channels, F filters;
of a kernel I (input channels of a group), J and K (output channels of a group and input channels, transposed);
of a dense layer D inputs, O nodes, M inputs of the weight. A letter may stand for several axes of a
file (N, where more than one axis is not pooled; D, the flattened input), or for none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np

from convgrad.core.quantity import AS_IS, Array, Cells, Column, Derivation, Place, Products, Quantity, Term
from convgrad.errors import ShapeError

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

    def _called(self, quantity: Quantity, at: Place) -> Place:
        return self.lower_place(at) if quantity.batched else at[1:]

    def _lower_derivation(self, quantity: Quantity, form: str) -> Derivation | None:
        found = quantity.derivation(form, quantity) if quantity.derivation else None
        if found is None:
            return None
        arrays = tuple(replace(each, value=self.lower(each.value, each.axes)) for each in found.arrays)
        spatial = tuple(self.spatial(each.axes) if each.axes else () for each in found.arrays)
        return Derivation(self.lower_quantity(found.quantity), arrays, spatial)

    def _lower_products(self, quantity: Quantity, at: Place) -> list[Products]:
        found = quantity.products(self.lift_index(at, quantity.axes))
        return [Products(tuple(map(self.lower_column, each.columns))) for each in found]

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
        return replace(
            quantity,
            shape=self.lower_shape(quantity.shape, quantity.axes),
            compute=lambda: self.lower(quantity.value, quantity.axes),
            start=None if quantity.start is None else self.lower(quantity.start, quantity.axes),
            formula=self._lower_formula(quantity.formula, quantity.axes),
            label=lambda at: self._called(quantity, quantity.label(at)),
            spatial=self.spatial(quantity.axes),
            term=lambda at: self._lower_term(quantity, at),
            products=lambda at: self._lower_products(quantity, at),
            derivation=(lambda form, _: self._lower_derivation(quantity, form)) if quantity.derivation else None,
        )

    def _lower_term(self, quantity: Quantity, at: Place) -> Term:
        term = quantity.term(at)
        return replace(
            term,
            at=self._called(quantity, term.at),
            patch=self.lower(term.patch, quantity.axes),
            region=self.lower_cells(term.region, quantity.axes),
            window=self.lower_cells(term.window, quantity.window_axes),
            factors=tuple(replace(f, value=self.lower(f.value, f.axes)) for f in term.factors),
            lit=tuple(replace(each, cells=self.lower_cells(each.cells, each.axes)) for each in term.lit),
        )

    def _lower_formula(self, formula: str, axes: str) -> str:
        """A formula in the file's axes: absent indices left out (``dW[f,c,m,n]`` -> ``dW[m,n]``), others in order."""
        formula = re.sub(r"(\w+)\[([^\]]*)\]", lambda match: self._lower_index(match[1], match[2].split(",")), formula)
        if "F" in self.absent:
            formula = formula.replace(" over f and all ", " over all ").replace(" over f,", " over ")
        if "C" in self.absent:
            formula = formula.replace(" over c and all ", " over all ")
        if {"C", "I"} <= self.absent:
            formula = formula.replace(" over c,", " over ")
        return formula + (", over all examples" if "N" not in axes and self.several.get("N") else "")

    def _lower_index(self, name: str, indices: list[str]) -> str:
        kernel = name in ("kernel", "dW")
        gone = {"f": "J" if kernel and "J" in self.absent else "F", "c": "C"}
        if kernel:
            gone["c"] = "K" if "K" in self.absent else "I"
        left = [index for index in indices if gone.get(index) not in self.absent]
        if self.order == LAST and name not in ("b", "db"):
            # places before the channels' letters stay in front, the letters go to the end (filters last)
            letters = [index for index in left if index in gone]
            front = left.index(letters[0]) if letters else 0
            rest = [index for index in left[front:] if index not in gone]
            left = [*left[:front], *rest, *sorted(letters)]
        if self.order == IN_OUT and name in ("weight", "dW"):
            left.reverse()
        return f"{name}[{','.join(left)}]" if left else name

    def _full(self, axes: str) -> list[str]:
        return [
            token
            for letter in axes
            for token in ([f"{letter}{i}" for i in range(self.dims)] if letter in "*P" else [letter])
        ]

    def _here(self, axes: str) -> list[str]:
        full = self._full(axes)
        if not self.order or len(axes) == 1:
            return full
        return sorted(full, key=lambda token: self.order.index(token[0]))


_BY_RANKS = {(1, 1): 1, (2, 2): 2, (2, 3): 1, (2, 4): 2, (3, 3): 2, (3, 4): 2, (4, 4): 2, (4, 5): 3, (5, 5): 3}
"""Spatial axes by the ranks of input and kernel, where they settle it."""


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
