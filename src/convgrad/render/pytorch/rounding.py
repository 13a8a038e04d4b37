"""How far rounding may take two computations apart: by the size of the numbers that a result is summed from.

Not by the size of the result, which may be 0 where large numbers cancel. Sizes are upper bounds, generous but of the
right order; what a layer takes in is as large as what the layer before it gives.
"""

from __future__ import annotations

from dataclasses import replace
from math import log
from typing import Any

import numpy as np

from convgrad.core.quantity import Array
from convgrad.layers.activation import Activation
from convgrad.layers.dense import Dense
from convgrad.layers.flatten import Flatten
from convgrad.layers.pool import Pool
from convgrad.problems import Problem

ROUNDINGS = 16
"""How many roundings of numbers as large as the bound may add up; bounds are generous themselves."""

HELD = 1e-12
"""What bce's divisor, output (1 - output), is held above."""


def size(array: Array | None) -> float:
    """The largest number of an array, whatever its sign."""
    return 0.0 if array is None else float(np.abs(np.asarray(array, float)).max())


def rounding(value: Array, bound: float) -> float:
    """The difference that rounding may make to a result of numbers up to `bound`, in the precision it has."""
    precision = np.finfo(np.float32 if value.dtype == np.float32 else np.float64).eps
    return ROUNDINGS * float(precision) * max(bound, size(value))


def at_a_kink(problem: Problem, z: Array) -> bool:
    """Whether rounding may carry some z over 0, where the slope of the activation behind it jumps."""
    layer: Any = problem.layer
    name = "weight" if hasattr(layer, "weight") else "kernel"
    given = (problem.x, getattr(layer, name), layer.bias)
    if all(array is None or (array == np.round(array.astype(float))).all() for array in given):
        return False  # whole numbers, whose sums are exact
    positive = replace(
        layer, **{name: np.abs(getattr(layer, name))}, bias=None if layer.bias is None else abs(layer.bias)
    )
    terms = positive.forward(np.abs(problem.x))
    bounds = problem.shorthand.lower(terms.value, terms.axes)
    return bool(((bounds > 0) & (np.abs(z) <= rounding(np.zeros((1,), z.dtype), 1.0) * bounds)).any())


def output_size(problem: Problem, x: float) -> tuple[float, float]:
    """How large (the output before the activation, the output) may be, of an input as large as x."""
    z = _linear(problem, x)
    return z, z if problem.activation is None else _activated(problem.activation, z)


def gradient_sizes(problem: Problem, x: float, delta: float) -> dict[str, float]:
    """How large the numbers are that dW, db, dX and the step are summed from, for an input and a delta as large."""
    layer: Any = problem.layer
    z, _ = output_size(problem, x)
    if problem.activation is not None:
        delta *= _slope(problem.activation, z)
    if isinstance(layer, Activation):
        return {"dX": delta * _slope(layer, x)}
    if isinstance(layer, Flatten):
        return {"dX": delta}
    if isinstance(layer, Pool):
        cells = float(np.prod(layer.windows(problem.x).kernel))
        return {"dX": delta * cells * layer.p / min(1.0, abs(layer.divisor or 1))}
    assert problem.delta is not None
    full = problem.shorthand.lift(problem.delta, problem.output_axes)
    sums = full.size / full.shape[1]
    found = {"dW": delta * x * sums, "db": delta * sums, "dX": delta * _weights(layer)[1]}
    if problem.sgd is not None:
        sgd = problem.sgd
        for letter, operand in problem.parameters.items():
            old = size(problem.operands.get(operand))
            velocity = abs(sgd.momentum or 0) * size(problem.operands.get(f"velocity_{letter}"))
            velocity += found[f"d{letter}"] + abs(sgd.weight_decay) * old
            found[f"velocity_{letter}"] = velocity
            found[f"{letter}_new"] = old + abs(sgd.lr) * (1 + abs(sgd.momentum or 0)) * velocity
    return found


def loss_sizes(kind: str, output: Array, target: Array, x: float) -> tuple[float, float]:
    """The same of (a loss, its gradient); x: how large the numbers are that the output is summed from, 0 if given."""
    numbers, far = float(output.size), max(x, size(output)) + size(target)
    if kind == "cross-entropy":
        classes = output.shape[min(1, output.ndim - 1)]
        weight = max(1.0, size(target)) * classes if target.shape == output.shape else 1.0
        return weight * (2 * far + log(classes) + 1), weight * (1 + x)
    if kind == "bce":
        steep = 1 / max(float((output * (1 - output)).min()), HELD)
        # PyTorch's own 1e-12 is a single-precision number, 4e-9 of it away from ours
        loose = 1e6 if steep == 1 / HELD and output.dtype != np.float32 else 1.0
        return 100 + steep * x, steep * loose + steep**2 * x
    return (numbers * far**2, 2 * far) if "mse" in kind else (far, 1 + far)


def _weights(layer: Any) -> tuple[float, float]:
    """The largest sum of weights that (an element of the output, an element of dX) is summed with."""
    weight = layer.weight if isinstance(layer, Dense) else layer.kernel
    if weight is None:
        return 0.0, 0.0
    axes = layer.parameters["W"].axes
    places = (weight.ndim - 2) // 2 if "P" in axes else 0
    outputs, inputs = (1, 0) if "J" in axes else (places, places + 1)
    each = np.abs(weight).astype(float)
    others = [k for k in range(each.ndim) if k != outputs and k >= places], [k for k in range(each.ndim) if k != inputs]
    return float(each.sum(axis=tuple(others[0])).max()), float(each.sum(axis=tuple(others[1])).max())


def _linear(problem: Problem, x: float) -> float:
    """How large the numbers are that the layer's output is summed from, its activation left aside."""
    layer: Any = problem.layer
    if isinstance(layer, Activation):
        return _activated(layer, x)
    if isinstance(layer, Flatten) or (isinstance(layer, Pool) and layer.kind == "max"):
        return x
    if isinstance(layer, Pool):
        return x * float(np.prod(layer.windows(problem.x).kernel)) / min(1.0, abs(layer.divisor or 1))
    return x * _weights(layer)[0] + size(layer.bias)


def _activated(activation: Activation, z: float) -> float:
    if activation.name in ("sigmoid", "tanh", "softmax"):
        return 1 + z  # of which rounding leaves that of z
    return max(1.0, abs(activation.alpha or 1)) * z + 1


def _slope(activation: Activation, z: float) -> float:
    """How much a delta may grow; where the slope changes with z, so does what rounding has done to z."""
    steepest = max(1.2, abs(activation.alpha or 1))
    return steepest if activation.name in ("identity", "relu", "leaky-relu") else steepest * (1 + z)
