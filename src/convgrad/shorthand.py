"""Ranks: people leave axes out, layers do not. Arrays are lifted on the way in and lowered on the way out.

Axes bear the letters of quantity.py (N, C, F, I and ``*`` for the spatial ones). In a file they stand in
that order, or with ``--layout channels-last`` as (N, *, C), (N, *, F) and (*, I, F).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convgrad.errors import ShapeError
from convgrad.quantity import Cells, Place, Quantity, Term

Array = NDArray[Any]


@dataclass(frozen=True)
class Shorthand:
    """How the files of one problem write its axes.

    dims: number of spatial axes; batch: the sizes of the axes that N stands for, () where the files have
    none; absent: letters that the files leave out; last: channels-last.
    """

    dims: int
    batch: tuple[int, ...] = ()
    absent: frozenset[str] = frozenset()
    last: bool = False

    def lift(self, array: Array, axes: str) -> Array:
        """An array as the file has it -> the full-rank array with `axes`, such as ``NC*``."""
        here = self._here(axes)
        if "N" in axes:
            array = array.reshape(prod(self.batch), *array.shape[len(self.batch):])
        sizes = iter(array.shape)
        array = array.reshape([1 if token in self.absent else next(sizes) for token in here])
        return array.transpose([here.index(token) for token in self._full(axes)])

    def lower(self, array: Array, axes: str) -> Array:
        """A full-rank array with `axes`, or a part of it in one example, -> as the file would have it."""
        full, here = self._full(axes), self._here(axes)
        array = array.transpose([full.index(token) for token in here])
        sizes: list[int] = []
        for size, token in zip(array.shape, here, strict=True):
            if token == "N":
                sizes += self.batch if size == prod(self.batch) else (1,) * len(self.batch)
            elif token not in self.absent:
                sizes.append(size)
        return array.reshape(sizes)

    def lower_shape(self, shape: Sequence[int], axes: str) -> tuple[int, ...]:
        """The shape that `lower` gives."""
        return self.lower(np.broadcast_to(0, tuple(shape)), axes).shape

    def spatial(self, axes: str) -> list[int]:
        """Which axes of a lowered array are the spatial ones."""
        written = [token for token in self._here(axes) if token not in self.absent]
        shift = len(self.batch) - 1 if "N" in axes else 0
        return [k + shift for k, token in enumerate(written) if token.startswith("*")]

    def lower_cells(self, cells: Cells, axes: str) -> Cells:
        """An index into a full-rank array -> the same index into the lowered one."""
        by_token = dict(zip(self._full(axes), cells, strict=True))
        lowered: list[Any] = []
        for token in self._here(axes):
            if token == "N":  # one example, as a slice or range
                lowered += [slice(int(n), int(n) + 1) for n in self._example(by_token[token].start)]
            elif token not in self.absent:
                lowered.append(by_token[token])
        return tuple(lowered)

    def lower_place(self, place: Place) -> Place:
        """(example, *output place) -> as the files count: without the example where there is no batch."""
        return (*self._example(place[0]), *place[1:])

    def lower_quantity(self, quantity: Quantity) -> Quantity:
        """A layer's quantity -> the same with value, formula and terms in the file's axes."""
        return replace(quantity, value=self.lower(quantity.value, quantity.axes),
                       formula=self._lower_formula(quantity.formula), label=self.lower_place,
                       spatial=tuple(self.spatial(quantity.axes)),
                       term=lambda at: self._lower_term(quantity, at))

    def _lower_term(self, quantity: Quantity, at: Place) -> Term:
        term = quantity.term(at)
        return replace(
            term, at=self.lower_place(term.at), patch=self.lower(term.patch, quantity.axes),
            region=self.lower_cells(term.region, quantity.axes),
            window=self.lower_cells(term.window, quantity.window_axes),
            factors=tuple(replace(f, value=self.lower(f.value, f.axes)) for f in term.factors))

    def _lower_formula(self, formula: str) -> str:
        """Indices of axes that are absent are left out: ``dW[f,c,m,n]`` -> ``dW[m,n]``."""
        def named(match: re.Match[str]) -> str:
            gone = {"f": "F", "c": "I" if match[1] in ("kernel", "dW") else "C"}
            left = [index for index in match[2].split(",") if gone.get(index) not in self.absent]
            return f"{match[1]}[{','.join(left)}]" if left else match[1]

        formula = re.sub(r"(\w+)\[([^\]]*)\]", named, formula)
        if "F" in self.absent:
            formula = formula.replace(" over f and all ", " over all ")
        return formula.replace(" over c,", " over ") if {"C", "I"} <= self.absent else formula

    def _example(self, number: int) -> tuple[int, ...]:
        return tuple(int(i) for i in np.unravel_index(number, self.batch)) if self.batch else ()

    def _full(self, axes: str) -> list[str]:
        return [token for letter in axes
                for token in ([f"*{i}" for i in range(self.dims)] if letter == "*" else [letter])]

    def _here(self, axes: str) -> list[str]:
        full = self._full(axes)
        if not self.last or "*" not in axes:
            return full
        order = {"N": 0, "*": 1, "C": 2, "I": 2, "F": 3}
        return sorted(full, key=lambda token: order[token[0]])


_BY_RANKS = {(1, 1): 1, (2, 2): 2, (2, 3): 1, (2, 4): 2, (3, 3): 2, (3, 4): 2, (4, 4): 2, (4, 5): 3, (5, 5): 3}
"""Spatial axes by the ranks of input and kernel, where they settle it."""


def conv_dims(x: Array, kernel: Array, dims: int | None) -> int:
    """Spatial axes of a convolution; ShapeError where the ranks leave them open and --dims does not say."""
    d = dims or _BY_RANKS.get((x.ndim, kernel.ndim), 0)
    if not d:
        fitting = [n for n in (1, 2, 3) if 0 <= x.ndim - n <= 2 and 0 <= kernel.ndim - n <= 2]
        raise ShapeError(
            f"an input with {x.ndim} axes and a kernel with {kernel.ndim} leave the number of spatial axes open",
            hint="say " + " or ".join(f"--dims {n}" for n in fitting) if fitting
            else "give --dims, an input with --dims to --dims + 2 axes, and a kernel likewise")
    for array, name, shapes in ((x, "input", "(*), (C, *) or (N, C, *)"),
                                (kernel, "kernel", "(*), (C, *) or (F, C, *)")):
        if not 0 <= array.ndim - d <= 2:
            raise ShapeError(f"the {name} has {array.ndim} axes, but with {d} spatial axes (*) it is {shapes}",
                             hint="check --dims")
    return d


def delta_dims(x: Array, delta: Array, dims: int | None) -> int:
    """Spatial axes of a convolution whose kernel is not given, from the delta's rank in its place."""
    likely = {1: (1,), 2: (2, 1), 3: (2, 3), 4: (2, 3), 5: (3,)}.get(x.ndim, ())
    for d in (dims,) if dims else likely:
        batch = 1 if x.ndim - d == 2 else 0
        if 0 <= x.ndim - d <= 2 and delta.ndim - d - batch in (0, 1):
            return d
    raise ShapeError(f"an input with {x.ndim} axes and a delta with {delta.ndim} do not belong to one convolution",
                     hint="delta has the output's shape; check --dims")
