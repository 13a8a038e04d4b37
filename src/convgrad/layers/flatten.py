"""Flattening, as a layer: the same numbers in reading order, with or without the batch's axis kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from convgrad.core.element import Array, Place, Products, cell
from convgrad.core.quantity import Quantity
from convgrad.core.term import Factor, Term
from convgrad.errors import ShapeError
from convgrad.formula import Formula
from convgrad.layers import Parameter
from convgrad.layers.shapes import check_shape, input_of, pair_of


@dataclass(frozen=True)
class Flatten:
    """A layer that flattens its input: all axes, or, with `batch`, all but the first."""

    batch: bool = False

    known_as: ClassVar[str] = "flatten"
    input_axes: ClassVar[str] = ""
    output_axes: ClassVar[str] = ""
    parameters: ClassVar[Mapping[str, Parameter]] = {}

    def forward(self, x: Array) -> Quantity:
        """x (...) -> output (numbers,), or (N, numbers) with a batch."""
        x = input_of(self, x)
        if self.batch and not x.ndim:
            raise ShapeError("the input is a number, which has no axis of examples", hint="leave batch out")
        shape = (len(x), prod(x.shape[1:])) if self.batch else (x.size,)
        formula = Formula.of("{output} = the {input} in reading order")
        return Reshaped(Factor("input", x, ""), name="output", formula=formula, shape=shape)

    def backward(self, x: Array, delta: Array) -> tuple[Quantity, ...]:
        """x (...), delta like the output -> (dX like x,); ShapeError where delta has not the output's shape."""
        x, delta = pair_of(self, x, delta)
        check_shape("delta", delta, self.forward(x).shape)
        formula = Formula.of("{dX} = {delta} in the {input}'s shape")
        return (Reshaped(Factor("delta", delta, ""), name="dX", formula=formula, shape=x.shape),)


@dataclass(frozen=True, eq=False, repr=False)
class Reshaped(Quantity):
    """The numbers of an array in another shape, all of them one term."""

    source: Factor

    def compute(self) -> Any:
        """The numbers in reading order."""
        return self.source.value.reshape(self.shape)

    def products(self, at: Place) -> Sequence[Products]:
        """The one number that stands at a place."""
        number = np.ravel_multi_index(at, self.shape) if at else 0
        there = tuple(int(i) for i in np.unravel_index(number, self.source.value.shape))
        return [Products((cell(self.source.name, self.source.value, there),))]

    def live(self) -> Array:
        """One term."""
        return np.ones((), bool)

    def term(self, place: Place) -> Term:
        """All the numbers, in their new shape."""
        return Term(place, (), (), (slice(None),) * len(self.shape), self.value)
