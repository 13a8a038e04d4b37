"""Activations: f applied to every number, or to all numbers of the last axis together.

    output = f(x)        dX = delta * f'(x)                              where f takes each number alone
    s = softmax(x)       dX = s * (delta - sum over the axis of delta * s)

What f is, and what is known of it, stands in its row (kinds/activations.py). relu'(0) = 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from convgrad.core.quantity import Array, Cells, Column, Factor, Lit, Place, Products, Quantity, Term, cell, real
from convgrad.core.rational import cast, refuse
from convgrad.errors import OptionError
from convgrad.kinds.activations import ACTIVATIONS, ActivationRow, Chosen
from convgrad.layers import Parameter
from convgrad.layers.products import check_shape


@dataclass(frozen=True)
class Activation:
    """An activation by name (one of kinds.activations.ACTIVATIONS), on arrays of any shape.

    alpha: the slope of leaky-relu (0.01) or the floor of elu (1); approximate: `tanh` for gelu's approximation.
    """

    name: str = "identity"
    alpha: float | None = None
    approximate: str = "none"

    known_as: ClassVar[str] = "activation"
    input_axes: ClassVar[str] = ""
    output_axes: ClassVar[str] = ""
    parameters: ClassVar[Mapping[str, Parameter]] = {}

    def __post_init__(self) -> None:
        """OptionError for an activation that there is none of."""
        if self.name not in ACTIVATIONS:
            raise OptionError(
                f"there is no activation called {self.name!r}", hint=f"use one of {', '.join(ACTIVATIONS)}"
            )

    @property
    def row(self) -> ActivationRow:
        """Its facts."""
        return ACTIVATIONS[self.name]

    @property
    def elementwise(self) -> bool:
        """Whether it takes each number alone, and so has a derivative."""
        return self.row.along is None

    @property
    def slope(self) -> float:
        """alpha, as given or as it is unless given; 0 for an activation without."""
        if self.row.alpha is None:
            return 0.0
        return self.row.alpha.default if self.alpha is None else self.alpha

    @property
    def kinks(self) -> tuple[float, ...]:
        """The inputs at which its slope jumps."""
        return self.row.kinks(self.slope)

    def forward(self, x: Array) -> Quantity:
        """x (...) -> output (...)."""
        x = self._checked(x)
        return Quantity(
            "output",
            f"output = {self.row.words}",
            x.shape,
            lambda: self._value(x),
            "",
            partial(self._all, x),
            partial(self._output_term, x),
            partial(self._output_products, x),
            "*",
            spatial=_last(x),
            unit="row",
            rule=f"{self.name} of the input",
        )

    def backward(self, x: Array, delta: Array) -> tuple[Quantity, ...]:
        """x (...), delta (...) -> (dX (...),); ShapeError where delta does not have x's shape."""
        x, delta = self._checked(x), real(delta)
        check_shape("delta", delta, x.shape)
        along = self.row.along
        formula = along.formula if along else f"dX = delta * derivative, the derivative of {self.name} at the input"
        return (
            Quantity(
                "dX",
                formula,
                x.shape,
                lambda: self._back(x, delta),
                "",
                lambda: np.asarray((delta != 0).any(axis=-1) if x.ndim else True),
                partial(self._dX_term, x, delta),
                partial(self._dX_products, x, delta),
                "*",
                spatial=_last(x),
                unit="row",
                rule=along.rule if along else "delta x derivative",
            ),
        )

    def derivative(self, x: Array) -> Array:
        """x (...) -> f'(x) (...), for every activation that takes each number alone."""
        x, derivative = self._checked(x), self.row.derivative
        assert derivative is not None
        return cast(derivative(x, self._chosen(x)), x.dtype)

    def inverse(self, output: Array) -> Array:
        """output (...) -> an input that gives it, or at least its derivative, not finite where there is none.

        For every activation whose derivative can be told from its output (its row has an inverse).
        """
        output, inverse = np.asarray(output, np.float64), self.row.inverse
        assert inverse is not None
        with np.errstate(all="ignore"):
            return np.asarray(inverse(output, self._chosen(output)))

    def _checked(self, x: Array) -> Array:
        if not self.row.exact:
            refuse(np.asarray(x), self.name, "--activation")
        return real(x)

    def _chosen(self, x: Array) -> Chosen:
        """The settings as x's own kind of numbers, and which piece each of them lies on."""
        return Chosen(cast(self.slope, x.dtype), self.approximate, None if self.row.on is None else self.row.on(x))

    def _value(self, x: Array) -> Array:
        wide = x if self.elementwise else np.atleast_1d(x)
        return cast(self.row.value(wide, self._chosen(wide)), x.dtype).reshape(x.shape)

    def _back(self, x: Array, delta: Array) -> Array:
        if self.row.along is None:
            return np.asarray(delta * self.derivative(x))
        wide = np.atleast_1d(x)
        return self.row.along.back(wide, np.atleast_1d(delta), self._chosen(wide)).reshape(x.shape)

    def _output_products(self, x: Array, at: Place) -> list[Products]:
        value = np.asarray(self._value(np.asarray(x[at[:-1]]))[at[-1:]])
        return [Products((Column(f"{self.name}(input[])", value.reshape(1), np.array([at], int).reshape(1, -1)),))]

    def _dX_products(self, x: Array, delta: Array, at: Place) -> list[Products]:
        if self.row.along is None:
            slope = self.derivative(np.asarray(x[at])).reshape(1)
            return [
                Products((cell("delta", delta, at), Column("derivative", slope, np.array([at], int).reshape(1, -1))))
            ]
        row, d = np.atleast_1d(x[at[:-1]]), np.atleast_1d(delta[at[:-1]])
        places = np.array([(*at[:-1], j) for j in range(len(row))], int).reshape(len(row), -1)[:, : x.ndim]
        found = []
        for here, factors in self.row.along.factors(row, at[-1] if at else 0, self._chosen(row)):
            columns = [
                Column(each.name, each.value[here], (places if each.at is None else places[[each.at] * len(row)])[here])
                for each in factors
            ]
            found.append(Products((*columns, Column("delta", d[here], places[here]))))
        return found

    # -- the working: one overlay a row ---------------------------------------------------------------

    def _all(self, x: Array) -> Array:
        return np.ones(x.shape[:-1], bool)

    def _output_term(self, x: Array, at: Place) -> Term:
        row = _row(at, x)
        return Term(at, _row_box(x), row, row, self._value(np.asarray(x[row])), (Factor("input", x[row], ""),))

    def _dX_term(self, x: Array, delta: Array, at: Place) -> Term:
        row = _row(at, x)
        factors = [Factor("delta", delta[at], "")]
        if self.elementwise:
            factors.append(Factor("derivative", self.derivative(np.asarray(x[at])), ""))
        lit = tuple(Lit(name, row, "") for name in ("delta", "derivative"))
        patch = self._back(np.asarray(x[row]), np.asarray(delta[row]))
        return Term(at, _row_box(x), row, row, patch, tuple(factors), lit)


def _last(x: Array) -> tuple[int, ...]:
    return (x.ndim - 1,) if x.ndim else ()


def _row(at: Place, x: Array) -> Cells:
    return (*(slice(i, i + 1) for i in at), slice(None)) if x.ndim else ()


def _row_box(x: Array) -> tuple[tuple[int, int], ...]:
    return ((0, x.shape[-1]),) if x.ndim else ()
