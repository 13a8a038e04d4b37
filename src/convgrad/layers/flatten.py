"""Flattening, as a layer: the same numbers in reading order, with or without the batch's axis kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from convgrad.core.quantity import Array, Factor, Place, Products, Quantity, Term, cell, real
from convgrad.layers import Parameter


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
        x = real(x)
        return _whole(
            "output",
            "output = the input in reading order",
            x.reshape(len(x), -1) if self.batch else x.reshape(-1),
            Factor("input", x, ""),
        )

    def backward(self, x: Array, delta: Array) -> tuple[Quantity, ...]:
        """x (...), delta like the output -> (dX like x,)."""
        x, delta = real(x), real(delta)
        return (_whole("dX", "dX = delta in the input's shape", delta.reshape(x.shape), Factor("delta", delta, "")),)


def _whole(name: str, formula: str, value: Array, source: Factor) -> Quantity:
    """A quantity that is one term, the numbers of `source` in another shape."""

    def products(at: Place) -> list[Products]:
        number = np.ravel_multi_index(at, value.shape) if at else 0
        there = tuple(int(i) for i in np.unravel_index(number, source.value.shape))
        return [Products((cell(source.name, source.value, there),))]

    live, term = partial(np.ones, (), bool), partial(_term, value)
    return Quantity(name, formula, value.shape, lambda: value, "", live, term, products, window_axes="")


def _term(value: Array, at: Place) -> Term:
    return Term(at, (), (), (slice(None),) * value.ndim, value)
