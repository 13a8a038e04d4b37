"""Activations: f applied to every number, and softmax over the last axis.

    output = f(x)        dX = delta * f'(x)                              every name but softmax
    s = softmax(x)       dX = s * (delta - sum over the axis of delta * s)

relu'(0) = 0. Sources: Clevert et al. (2015) for elu; Hendrycks & Gimpel (2016) for gelu, by erf or by its tanh
approximation; Elfwing et al. (2017) for silu.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import erf, pi, sqrt
from typing import ClassVar

import numpy as np

from convgrad.core.quantity import Array, Cells, Column, Factor, Lit, Place, Products, Quantity, Term, cell, real
from convgrad.core.rational import cast, refuse
from convgrad.errors import OptionError
from convgrad.layers import Parameter
from convgrad.layers.products import check_shape


@dataclass(frozen=True)
class Activation:
    """An activation by name (a key of KINDS), on arrays of any shape.

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
        if self.name not in KINDS:
            raise OptionError(f"there is no activation called {self.name!r}", hint=f"use one of {', '.join(KINDS)}")

    def forward(self, x: Array) -> Quantity:
        """x (...) -> output (...)."""
        x = self._checked(x)
        return Quantity(
            "output",
            f"output = {KINDS[self.name].words}",
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
        if self.name == "softmax":
            formula = "dX = s * (delta - sum of delta * s), with s = softmax(input)"
        else:
            formula = f"dX = delta * derivative, the derivative of {self.name} at the input"
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
                rule="softmax x (delta - the sum of delta x softmax)"
                if self.name == "softmax"
                else "delta x derivative",
            ),
        )

    def derivative(self, x: Array) -> Array:
        """x (...) -> f'(x) (...), for every activation that works on each number alone (not softmax)."""
        derivative = KINDS[self.name].derivative
        assert derivative is not None
        return np.asarray(derivative(self, self._checked(x)))

    def _checked(self, x: Array) -> Array:
        if not KINDS[self.name].rational:
            refuse(np.asarray(x), self.name, "--activation")
        return real(x)

    def _value(self, x: Array) -> Array:
        return np.asarray(KINDS[self.name].value(self, x))

    def _back(self, x: Array, delta: Array) -> Array:
        if self.name != "softmax":
            return np.asarray(delta * self.derivative(x))
        s = _softmax(self, x)
        return s * (delta - (delta * s).sum(axis=-1, keepdims=True)) if x.ndim else np.zeros_like(x)

    def _output_products(self, x: Array, at: Place) -> list[Products]:
        value = np.asarray(self._value(np.asarray(x[at[:-1]]))[at[-1:]])
        return [Products((Column(f"{self.name}(input[])", value.reshape(1), np.array([at], int).reshape(1, -1)),))]

    def _dX_products(self, x: Array, delta: Array, at: Place) -> list[Products]:
        if self.name != "softmax":
            slope = self.derivative(np.asarray(x[at])).reshape(1)
            return [
                Products((cell("delta", delta, at), Column("derivative", slope, np.array([at], int).reshape(1, -1))))
            ]
        s = _softmax(self, x[at[:-1]]).reshape(-1)
        d = delta[at[:-1]].reshape(-1)
        places = np.array([(*at[:-1], j) for j in range(len(s))], int).reshape(len(s), -1)[:, : x.ndim]
        own = np.arange(len(s)) == (at[-1] if at else 0)
        found = []
        for here, name, slope in ((own, "(1 - softmax[])", 1 - s), (~own, "-softmax[]", -s)):
            mine = Column("softmax", np.full(here.sum(), s[own][0]), np.repeat(places[own], here.sum(), axis=0))
            found.append(
                Products((mine, Column(name, slope[here], places[here]), Column("delta", d[here], places[here])))
            )
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
        if self.name != "softmax":
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


@dataclass(frozen=True)
class Kind:
    """An activation: its formula in words, its value and its derivative."""

    words: str
    value: Callable[[Activation, Array], Array]
    derivative: Callable[[Activation, Array], Array] | None
    rational: bool = False


def _sigmoid(x: Array) -> Array:
    small = np.exp(-np.abs(x))  # never overflows
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def _slope(layer: Activation, otherwise: float) -> float:
    return otherwise if layer.alpha is None else layer.alpha


def _softmax(_: Activation, x: Array) -> Array:
    if not x.ndim:
        return np.ones_like(x)
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


_erf = np.frompyfunc(erf, 1, 1)
_ROOT, _CUBE = sqrt(2 / pi), 0.044715


def _normal(layer: Activation, x: Array) -> Array:
    """The standard normal distribution function, exactly or by gelu's approximation."""
    if layer.approximate == "tanh":
        return 0.5 * (1 + np.tanh(_ROOT * (x + _CUBE * x**3)))
    return 0.5 * (1 + np.asarray(_erf(x / sqrt(2))).astype(x.dtype))


def _gelu_slope(layer: Activation, x: Array) -> Array:
    x = np.clip(x, -40, 40)  # where the slope has long been 0 or 1, and powers do not overflow
    if layer.approximate == "tanh":
        t = np.tanh(_ROOT * (x + _CUBE * x**3))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * _ROOT * (1 + 3 * _CUBE * x**2)
    return _normal(layer, x) + x * np.exp(-0.5 * x**2) / sqrt(2 * pi)


def _silu_slope(_: Activation, x: Array) -> Array:
    s = _sigmoid(x)
    return s * (1 + x * (1 - s))


KINDS = {
    "identity": Kind("input", lambda _, x: x, lambda _, x: cast(np.ones(x.shape), x.dtype), True),
    "relu": Kind(
        "max(0, input)", lambda _, x: np.maximum(x, cast(0, x.dtype)), lambda _, x: cast(x > 0, x.dtype), True
    ),
    "leaky-relu": Kind(
        "input, or alpha * input where it is negative",
        lambda a, x: np.where(x > 0, x, cast(_slope(a, 0.01), x.dtype) * x),
        lambda a, x: np.where(x > 0, cast(1, x.dtype), cast(_slope(a, 0.01), x.dtype)),
        True,
    ),
    "elu": Kind(
        "input, or alpha * (exp(input) - 1) where it is negative",
        lambda a, x: np.where(x > 0, x, x.dtype.type(_slope(a, 1)) * np.expm1(np.minimum(x, 0))),
        lambda a, x: np.where(x > 0, 1, x.dtype.type(_slope(a, 1)) * np.exp(np.minimum(x, 0))).astype(x.dtype),
    ),
    "sigmoid": Kind("1 / (1 + exp(-input))", lambda _, x: _sigmoid(x), lambda _, x: _sigmoid(x) * _sigmoid(-x)),
    "tanh": Kind("tanh(input)", lambda _, x: np.tanh(x), lambda _, x: 1 - np.tanh(x) ** 2),
    "softplus": Kind("log(1 + exp(input))", lambda _, x: np.logaddexp(x.dtype.type(0), x), lambda _, x: _sigmoid(x)),
    "gelu": Kind("input * (the normal distribution up to input)", lambda a, x: x * _normal(a, x), _gelu_slope),
    "silu": Kind("input * sigmoid(input)", lambda _, x: x * _sigmoid(x), _silu_slope),
    "softmax": Kind("exp(input) / (sum of exp(input) over the last axis)", _softmax, None),
}
