"""How far rounding may take two computations apart: by the size of the numbers that a result is summed from.

Not by the size of the result, which may be 0 where large numbers cancel. Sizes are upper bounds, generous but of the
right order; what a layer takes in is as large as what the layer before it gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from convgrad.core.element import Array
from convgrad.core.quantity import Quantity
from convgrad.kinds.functions import LossRow
from convgrad.layers import Layer
from convgrad.problems import Problem

MOST_SUMMED = 4000
"""Elements of a result whose products are all looked at."""

ROUNDINGS = 16
"""How many roundings of numbers as large as the bound may add up; bounds are generous themselves."""


def size(array: Array | None) -> float:
    """The largest number of an array, whatever its sign."""
    return 0.0 if array is None else float(np.abs(np.asarray(array, float)).max())


def rounding(value: Array, bound: float) -> float:
    """The difference that rounding may make to a result of numbers up to `bound`, in the precision it has."""
    precision = np.finfo(np.float32 if value.dtype == np.float32 else np.float64).eps
    return ROUNDINGS * float(precision) * max(bound, size(value))


def output_size(problem: Problem, x: float) -> tuple[float, float]:
    """How large (the output before the activation, the output) may be, of an input as large as x."""
    z = _bounds_of(problem).output(problem, x)
    return z, z if problem.activation is None else problem.activation.row.bounds(z, problem.activation.used_alpha)[0]


def gradient_sizes(problem: Problem, x: float, delta: float) -> dict[str, float]:
    """How large the numbers are that the gradients and the step are summed from, for an input and a delta as large."""
    z, _ = output_size(problem, x)
    if problem.activation is not None:
        delta *= problem.activation.row.bounds(z, problem.activation.used_alpha)[1]
    found = _bounds_of(problem).gradients(problem, x, delta)
    if problem.sgd is not None:
        sgd = problem.sgd
        for short, operand in problem.parameters.items():
            old = size(problem.operands.get(operand))
            velocity = abs(sgd.momentum or 0) * size(problem.operands.get(f"velocity_{short}"))
            velocity += found[f"d{short}"] + abs(sgd.weight_decay) * old
            found[f"velocity_{short}"] = velocity
            found[f"{short}_new"] = old + abs(sgd.lr) * (1 + abs(sgd.momentum or 0)) * velocity
    return found


def loss_sizes(row: LossRow, output: Array, target: Array, x: float) -> tuple[float, float]:
    """The same of (a loss, its gradient); x: how large the numbers are that the output is summed from, 0 if given."""
    return row.sizes(output, target, max(x, size(output)) + size(target), x)


# -- by layer ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bounds:
    """How large the numbers are that a layer sums: its output, of an input as large; its gradients, of a delta too."""

    output: Callable[[Problem, float], float]
    gradients: Callable[[Problem, float, float], dict[str, float]]


def _bounds_of(problem: Problem) -> Bounds:
    """The bounds of a layer: its own, those of a weighted sum, or what its working says."""
    if problem.layer.known_as in OWN:
        return OWN[problem.layer.known_as]
    return WEIGHTED if "W" in problem.layer.parameters else TOLD


def _weighted(problem: Problem, x: float) -> float:
    layer: Any = problem.layer
    return x * _weights(layer)[0] + size(layer.bias)


def _weighted_gradients(problem: Problem, x: float, delta: float) -> dict[str, float]:
    assert problem.delta is not None
    full = problem.lifted(problem.delta)
    sums = full.size / full.shape[1]
    return {"dW": delta * x * sums, "db": delta * sums, "dX": delta * _weights(problem.layer)[1]}


def _weights(layer: Layer) -> tuple[float, float]:
    """The largest sum of weights that (an element of the output, an element of dX) is summed with."""
    axes, weight = layer.parameters["W"].axes, getattr(layer, layer.parameters["W"].field)
    if weight is None:
        return 0.0, 0.0
    places = (weight.ndim - 2) // 2 if "P" in axes else 0
    outputs, inputs = (1, 0) if "J" in axes else (places, places + 1)
    each = np.abs(weight).astype(float)
    others = [k for k in range(each.ndim) if k != outputs and k >= places], [k for k in range(each.ndim) if k != inputs]
    return float(each.sum(axis=tuple(others[0])).max()), float(each.sum(axis=tuple(others[1])).max())


def _pooled(problem: Problem, x: float) -> float:
    layer: Any = problem.layer
    if layer.kind == "max":
        return x
    return x * float(np.prod(layer.windows(problem.x).kernel)) / min(1.0, abs(layer.divisor or 1))


def _pooled_back(problem: Problem, x: float, delta: float) -> dict[str, float]:
    layer: Any = problem.layer
    cells = float(np.prod(layer.windows(problem.x).kernel))
    return {"dX": delta * cells * layer.p / min(1.0, abs(layer.divisor or 1))}


def _activated(problem: Problem, x: float) -> float:
    layer: Any = problem.layer
    return layer.row.bounds(x, layer.used_alpha)[0]


def _activated_back(problem: Problem, x: float, delta: float) -> dict[str, float]:
    layer: Any = problem.layer
    return {"dX": delta * layer.row.bounds(x, layer.used_alpha)[1]}


def _told(problem: Problem, x: float) -> float:
    return _summed(problem.layer.forward(problem.x)) * _grown(x, problem.x)


def _told_back(problem: Problem, x: float, delta: float) -> dict[str, float]:
    assert problem.delta is not None
    full = problem.lifted(problem.delta)
    grown = _grown(x, problem.x) * _grown(delta, full)
    return {quantity.name: _summed(quantity) * grown for quantity in problem.layer.backward(problem.x, full)}


def _summed(quantity: Quantity) -> float:
    """The largest sum of the sizes of an element's products; of a result without working its largest number.

    Where the layer says itself how large the numbers are, that.
    """
    if quantity.made_of is not None:
        return quantity.made_of
    if not quantity.formula:
        return size(quantity.value)
    places = np.ndindex(quantity.shape) if quantity.value.size <= MOST_SUMMED else [quantity.largest()]
    parts = (np.concatenate([part.value for part in quantity.explain(at).parts]) for at in places)
    return max((float(np.abs(each.astype(float)).sum()) for each in parts), default=0.0)


def _grown(bound: float, array: Array) -> float:
    """How many times as large as the numbers of an array those are that it is summed from."""
    return max(1.0, bound / (size(array) or 1.0))


WEIGHTED, TOLD = Bounds(_weighted, _weighted_gradients), Bounds(_told, _told_back)

OWN = {
    "pool": Bounds(_pooled, _pooled_back),
    "activation": Bounds(_activated, _activated_back),
    "flatten": Bounds(lambda _, x: x, lambda _, x, delta: {"dX": delta}),
}
"""The bounds of layers that are no weighted sum."""
