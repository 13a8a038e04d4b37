"""What follows from an earlier answer, rightly worked: in one layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from convgrad.checking.written import STEPPED
from convgrad.core.quantity import Array
from convgrad.errors import ConvgradError
from convgrad.layers.activation import Activation
from convgrad.layers.dense import Dense
from convgrad.layers.pool import Pool
from convgrad.layers.sgd import SGD
from convgrad.problems import Problem, Solution

GRADIENTS = ("dW", "db", "dX")


@dataclass(frozen=True, eq=False, repr=False)
class LayerFollow:
    """What follows from answers to a layer's own results: a step from its gradient, gradients from its output."""

    solution: Solution

    def __call__(self, name: str) -> tuple[list[str], Callable[[Mapping[str, Array]], Array | None]]:
        """A result's name -> the earlier results that it may be worked from, and how."""
        problem = self.solution.problem
        if name in STEPPED:
            velocity = f"velocity_{name[0]}"
            return [velocity] * (name != velocity) + [STEPPED[name]], lambda own: self._step(name, own)
        if problem is None or name not in GRADIENTS:
            return [], lambda own: None
        earlier = ["db"] * (name != "db" and tells_sensitivity(problem)) + ["output"] * _depends_on_output(problem)
        return earlier, lambda own: gradient(problem, name, output=own.get("output"), sensitivity=own.get("db"))

    def _step(self, name: str, own: Mapping[str, Array]) -> Array | None:
        problem = self.solution.problem
        if problem is None or problem.sgd is None:
            return None
        values = {each: quantity.value for each, quantity in self.solution.quantities.items()}
        return stepped(problem.sgd, name, values, own)


def tells_sensitivity(problem: Problem) -> bool:
    """Whether db is the sensitivity of every node: in a dense layer, with one example."""
    return isinstance(problem.layer, Dense) and len(problem.x) == 1


def stepped(sgd: SGD, name: str, values: Mapping[str, Array], own: Mapping[str, Array]) -> Array | None:
    """W_new, b_new or a velocity, as it is with the reader's own gradient or velocity in place of the right one.

    Everything in a step is a sum, so that the right result moves by what the gradient or velocity is off by.
    """
    source, velocity, lr = STEPPED[name], f"velocity_{name[0]}", sgd.lr
    moved = np.asarray(values[name], np.float64)
    mu = sgd.momentum or 0.0
    if source in own:
        off = own[source] - values[source]
        moved = moved + (off if name == velocity else -lr * off * (1 + mu if sgd.nesterov else 1))
    if velocity in own and name != velocity:
        off = own[velocity] - values[velocity]
        if source in own:
            off = off - (own[source] - values[source])
        moved = moved - lr * off * (mu if sgd.nesterov else 1)
    return moved


def gradient(
    problem: Problem,
    name: str,
    delta: Array | None = None,
    output: Array | None = None,
    sensitivity: Array | None = None,
) -> Array | None:
    """dW, db or dX with another delta, with the derivative taken from another output, or with the sensitivities given.

    None where there is no such gradient.
    """
    delta = problem.delta if delta is None else delta
    if delta is None:
        return None
    with np.errstate(all="ignore"):
        try:
            x, through = _at(problem, np.asarray(delta, np.float64), output)
            if sensitivity is not None:
                through = np.broadcast_to(np.asarray(sensitivity, np.float64), through.shape)
            for quantity in problem.layer.backward(x, through):
                if quantity.name == name:
                    return problem.shorthand.lower(quantity.value, quantity.axes)
        except ConvgradError:
            return None
    return None


def _at(problem: Problem, delta: Array, output: Array | None) -> tuple[Array, Array]:
    """The layer's own input and delta, through the activation."""
    x, layer = problem.x, problem.layer
    if isinstance(layer, Activation):
        return (x if output is None else inverse(layer, output)), delta
    if problem.activation is not None:
        z = problem.shorthand.lower(layer.forward(x).value, problem.output_axes) if output is None else None
        z = inverse(problem.activation, output) if z is None and output is not None else z
        assert z is not None
        delta = problem.activation.backward(z, delta)[0].value
    full = problem.shorthand.lift(delta, problem.output_axes)
    if isinstance(layer, Pool) and output is not None:
        own = problem.shorthand.lift(output, problem.output_axes)
        full = full * (np.abs(layer.forward(x).value) / np.abs(own)) ** (layer.p - 1)
    return x, full


def _depends_on_output(problem: Problem) -> bool:
    """Whether the gradients can be worked from the output."""
    layer: Any = problem.layer
    activation = layer if isinstance(layer, Activation) else problem.activation
    if activation is not None:
        return activation.name in _INVERSES
    return isinstance(layer, Pool) and layer.kind == "lp"


def inverse(activation: Activation, output: Array) -> Array:
    """An input that gives the output, or at least its derivative; not finite where there is none."""
    output = np.asarray(output, np.float64)
    with np.errstate(all="ignore"):
        return np.asarray(_INVERSES[activation.name](activation, output))


def _slope(activation: Activation, otherwise: float) -> float:
    return otherwise if activation.alpha is None else activation.alpha


_INVERSES: dict[str, Callable[[Activation, Array], Array]] = {
    "relu": lambda _, a: a,
    "leaky-relu": lambda f, a: np.where(a > 0, a, a / (_slope(f, 0.01) or np.nan)),
    "elu": lambda f, a: np.where(a > 0, a, np.log1p(a / (_slope(f, 1) or np.nan))),
    "sigmoid": lambda _, a: np.log(a) - np.log1p(-a),
    "tanh": lambda _, a: np.arctanh(a),
    "softplus": lambda _, a: np.log(np.expm1(a)),
    "softmax": lambda _, a: np.log(a),
}
"""Activations whose derivative can be told from their output."""


def with_input(problem: Problem, x: Array) -> Problem:
    """The problem on another input, given in the file's axes."""
    if problem.output_axes:
        axes = "ND" if problem.output_axes == "NO" else "NC*"
        return replace(problem, x=problem.shorthand.lift(np.asarray(x, np.float64), axes))
    return replace(problem, x=np.asarray(x, np.float64))
