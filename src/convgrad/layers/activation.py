"""Activations: f applied to every number, or to all numbers of the last axis together.

    output = f(x)        dX = delta * f'(x)                              where f takes each number alone
    s = softmax(x)       dX = s * (delta - sum over the axis of delta * s)

What f is, and what is known of it, stands in its row (kinds/activations.py). relu'(0) = 0 unless another is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from convgrad.core.element import Array, Column, Place, Products, cell
from convgrad.core.quantity import Quantity
from convgrad.core.rational import cast, refuse
from convgrad.core.term import Cells, Factor, Lit, Term
from convgrad.errors import OptionError
from convgrad.formula import Formula, named
from convgrad.kinds.activations import ACTIVATIONS
from convgrad.kinds.analytic import deciding
from convgrad.kinds.functions import ActivationRow, Chosen
from convgrad.layers import Parameter
from convgrad.layers.shapes import check_shape, input_of, numbers


@dataclass(frozen=True)
class Activation:
    """An activation by name (one of kinds.activations.ACTIVATIONS), on arrays of any shape.

    alpha: the slope of leaky-relu or the floor of elu, that of its row where None; approximate: `tanh` for gelu's
    approximation; slope_at_zero: the derivative at an input of exactly 0, of those whose slope jumps there; slope,
    shift: of the line of hard-sigmoid, those of its row where None.
    """

    name: str = "identity"
    alpha: float | None = None
    approximate: str = "none"
    slope_at_zero: float | None = None
    slope: float | None = None
    shift: float | None = None

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

        if self.slope_at_zero is not None and not self.row.at_zero:
            raise OptionError(
                f"the slope of {self.name} does not jump at 0", where="slope_at_zero", hint="leave it out"
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
    def used_alpha(self) -> float:
        """alpha, as given or as it is unless given; 0 for an activation without."""
        if self.row.alpha is None:
            return 0.0
        return self.row.alpha.default if self.alpha is None else self.alpha

    @property
    def used_ramp(self) -> tuple[float, float]:
        """slope and shift, as given or as they are unless given; 0 for an activation without."""
        if self.row.ramp is None:
            return 0.0, 0.0
        slope = self.row.ramp.slope if self.slope is None else self.slope
        return slope, self.row.ramp.shift if self.shift is None else self.shift

    @property
    def kinks(self) -> tuple[float, ...]:
        """The inputs at which its slope jumps."""
        slope, shift = self.used_ramp
        return ((0 - shift) / slope, (1 - shift) / slope) if slope else self.row.kinks(self.used_alpha)

    def forward(self, x: Array) -> Quantity:
        """x (...) -> output (...)."""
        x = self._checked(x)
        return Activated(
            self,
            x,
            name="output",
            formula=Formula.of(f"{{output}} = {self.row.words}"),
            rule=Formula.of(f"{self.name} of the {{input}}"),
            **_shape(x),
        )

    def backward(self, x: Array, delta: Array) -> tuple[Quantity, ...]:
        """x (...), delta (...) -> (dX (...),); ShapeError where delta does not have x's shape."""
        x, delta = self._checked(x), numbers("delta", delta)
        check_shape("delta", delta, x.shape)
        along, at = self.row.along, f"the derivative of {self.name} at the {{input}}"
        formula = along.formula if along else f"{{dX}} = {{delta}} * {{derivative}}, {at}"
        rule = along.rule if along else "{delta} x derivative"
        return (SentBack(self, x, delta, name="dX", formula=Formula.of(formula), rule=Formula.of(rule), **_shape(x)),)

    def derivative(self, x: Array) -> Array:
        """x (...) -> f'(x) (...), for every activation that takes each number alone."""
        x, derivative = self._checked(x), self.row.derivative
        assert derivative is not None
        slope = cast(derivative(x, self.chosen(x)), x.dtype)
        return slope if self.slope_at_zero is None else np.where(x == 0, cast(self.slope_at_zero, x.dtype), slope)

    def bends(self, x: Array) -> Array:
        """x (...) -> which of its numbers lie where the slope jumps, (...) of bool."""
        return np.isin(x, self.kinks)

    @property
    def taken(self) -> str:
        """What is taken for the slope there, in words."""
        slopes = ", ".join(f"{float(self.derivative(np.asarray(at))):g} at {at:g}" for at in self.kinks)
        return f"the slope of {self.name} is taken as {slopes}"

    def inverse(self, output: Array) -> Array:
        """output (...) -> an input that gives it, or at least its derivative, not finite where there is none.

        For every activation whose derivative can be told from its output (its row has an inverse).
        """
        output, inverse = np.asarray(output, np.float64), self.row.inverse
        assert inverse is not None
        with np.errstate(all="ignore"):
            found = np.asarray(inverse(output, self.chosen(output)))
        if self.slope_at_zero is None or self.used_alpha:
            return found
        return np.where(output == 0, np.nan, found)  # 0 itself gives it, and so does all that lies below

    @property
    def tells(self) -> bool:
        """Whether the derivative can be told from the output."""
        return self.row.inverse is not None

    def told_by(self, output: Array, x: Array, delta: Array) -> tuple[Array, Array]:
        """An output -> x and delta that give the gradient worked from it: an input that gives this output."""
        return self.inverse(output), delta

    def _checked(self, x: Array) -> Array:
        x = input_of(self, x)
        if not self.row.exact:
            refuse(x, self.name, "activation")
        return x

    def chosen(self, x: Array) -> Chosen:
        """The settings as x's own kind of numbers, and which piece each of them lies on."""
        alpha, slope, shift = (cast(each, x.dtype)[()] for each in (self.used_alpha, *self.used_ramp))
        return Chosen(alpha, self.approximate, x, self.row.above, slope, shift)

    def value(self, x: Array) -> Array:
        """x (...) -> f(x) (...)."""
        wide = x if self.elementwise else np.atleast_1d(x)
        value = cast(self.row.value(wide, self.chosen(wide)), x.dtype).reshape(x.shape)
        if self.slope_at_zero is None or x.dtype.kind != "c":
            return value
        return np.where(deciding(x) == 0, x * self.slope_at_zero, value)  # what a complex step along x makes of it

    def back(self, x: Array, delta: Array) -> Array:
        """x, delta (...) -> the delta sent back (...)."""
        if self.row.along is None:
            return np.asarray(delta * self.derivative(x))
        wide = np.atleast_1d(x)
        return self.row.along.back(wide, np.atleast_1d(delta), self.chosen(wide)).reshape(x.shape)


def _shape(x: Array) -> dict[str, Any]:
    """What both results say of their shape: like x, told along the last axis."""
    return {"shape": x.shape, "window_axes": "*", "spatial": (x.ndim - 1,) if x.ndim else ()}


@dataclass(frozen=True, eq=False, repr=False)
class RowByRow(Quantity):
    """What an activation makes of x (...), told row by row of the last axis."""

    layer: Activation
    x: Array

    @property
    def unit(self) -> str:
        """What is told at a time."""
        return "row"

    def live(self) -> Array:
        """Every row."""
        return np.ones(self.x.shape[:-1], bool)

    def row(self, at: Place) -> Cells:
        """The cells of a row, as an index."""
        return (*(slice(i, i + 1) for i in at), slice(None)) if self.x.ndim else ()

    def made(self, at: Place, patch: Array, factors: Sequence[Factor], lit: Sequence[str] = ()) -> Term:
        """The term of a row; lit: other arrays whose row it is made of."""
        row, box = self.row(at), ((0, self.x.shape[-1]),) if self.x.ndim else ()
        return Term(at, box, row, row, patch, tuple(factors), tuple(Lit(name, row, "") for name in lit))


@dataclass(frozen=True, eq=False, repr=False)
class Activated(RowByRow):
    """The output f(x)."""

    def compute(self) -> Any:
        """f of every number, or of every row."""
        return self.layer.value(self.x)

    def products(self, at: Place) -> Sequence[Products]:
        """The one number itself, called f of its input."""
        value = self.layer.value(np.asarray(self.x[at[:-1]]))[at[-1:]]
        form = Formula.of(f"{self.layer.name}({{input[]}})")
        return [Products((Column(form, np.asarray(value).reshape(1), np.array([at], int).reshape(1, -1)),))]

    def term(self, place: Place) -> Term:
        """f of one row."""
        x = self.x[self.row(place)]
        return self.made(place, self.layer.value(np.asarray(x)), (Factor("input", x, ""),))


@dataclass(frozen=True, eq=False, repr=False)
class SentBack(RowByRow):
    """dX, the delta (...) sent back through f."""

    delta: Array

    def compute(self) -> Any:
        """Delta times the derivative, number by number; along an axis as the row has it."""
        return self.layer.back(self.x, self.delta)

    def live(self) -> Array:
        """The rows whose delta is not 0."""
        return np.asarray((self.delta != 0).any(axis=-1) if self.x.ndim else True)

    def products(self, at: Place) -> Sequence[Products]:
        """Delta times the derivative; along an axis all deltas of the row, each with its factors."""
        x, delta, along = self.x, self.delta, self.layer.row.along
        if along is None:
            slope = self.layer.derivative(np.asarray(x[at])).reshape(1)
            derivative = Column(named("derivative"), slope, np.array([at], int).reshape(1, -1))
            return [Products((cell("delta", delta, at), derivative))]
        row, d = np.atleast_1d(x[at[:-1]]), np.atleast_1d(delta[at[:-1]])
        places = np.array([(*at[:-1], j) for j in range(len(row))], int).reshape(len(row), -1)[:, : x.ndim]
        found = []
        for here, factors in along.factors(row, at[-1] if at else 0, self.layer.chosen(row)):
            columns = []
            for each in factors:
                where = places if each.at is None else places[[each.at] * len(row)]
                columns.append(Column(Formula.of(each.name), each.value[here], where[here]))
            found.append(Products((*columns, Column(named("delta"), d[here], places[here]))))
        return found

    def term(self, place: Place) -> Term:
        """One row of it."""
        row, layer = self.row(place), self.layer
        factors, lit = [Factor("delta", self.delta[place], "")], ["delta"]
        if layer.elementwise:
            lit.append("derivative")
            factors.append(Factor("derivative", layer.derivative(np.asarray(self.x[place])), ""))
        patch = layer.back(np.asarray(self.x[row]), np.asarray(self.delta[row]))
        return self.made(place, patch, factors, lit)
