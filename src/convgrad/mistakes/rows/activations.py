"""Activations forward: left out, applied twice, over the wrong axis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from convgrad.core.element import Array
from convgrad.layers.activation import Activation
from convgrad.mistakes.about import ACTIVATED
from convgrad.mistakes.case import Case
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.row import row
from convgrad.mistakes.rows.derivatives import leaky, others, softmax, value_of


def activated(made: Callable[[Activation, Array], Iterator[Array]]) -> Callable[[Case, str], Iterator[Array]]:
    """The output of an activation, alone or behind a layer, made otherwise of its input z."""

    def predict(case: Case, name: str) -> Iterator[Array]:
        problem = case.problem
        if case.layer == "activation":
            yield from made(problem.layer, problem.x)  # type: ignore[arg-type]
        elif problem.activation is not None and "z" in case.solution.operands:
            yield from made(problem.activation, case.solution.operands["z"])

    return predict


def _not_activated(activation: Activation, z: Array) -> Iterator[Array]:
    yield z


def _activated_twice(activation: Activation, z: Array) -> Iterator[Array]:
    yield value_of(activation, value_of(activation, z))


def _another_forward(activation: Activation, z: Array) -> Iterator[Array]:
    for other in others(activation):
        yield value_of(other, z)


def _slope_forgotten_forward(activation: Activation, z: Array) -> Iterator[Array]:
    if leaky(activation.row):
        yield np.maximum(z, 0)
        yield np.where(z > 0, activation.used_alpha * z, z)


def _first_axis_forward(activation: Activation, z: Array) -> Iterator[Array]:
    if not activation.elementwise:
        for axis in range(z.ndim - 1):
            yield np.swapaxes(value_of(activation, np.swapaxes(z, axis, -1)), axis, -1)
        if z.ndim > 1:
            yield value_of(activation, z.reshape(-1)).reshape(z.shape)


def _not_normalised(activation: Activation, z: Array) -> Iterator[Array]:
    if softmax(activation.row):
        yield np.exp(z)
        if z.ndim:
            yield np.exp(z - z.max(axis=-1, keepdims=True))
            yield z / z.sum(axis=-1, keepdims=True)


def R(name: str, what: str, why: str, mend: str, **how: Any) -> Mistake:
    """A row about what an activation, alone or behind a layer, makes of the output."""
    return row("factor", name, "output", ACTIVATED, what, why, mend, **how)


ROWS: tuple[Mistake, ...] = (
    R(
        "not-activated",
        "The activation was left out: the output is its input z.",
        "The layer's sum was taken for its output.",
        "Apply the activation to z.",
        predict=activated(_not_activated),
        rank=1,
    ),
    R(
        "activated-twice",
        "The activation was applied twice.",
        "The layer has it built in, and it was applied again.",
        "Apply it once.",
        predict=activated(_activated_twice),
    ),
    R(
        "another-activation",
        "The output is that of another activation.",
        "A function was copied from a network with another activation.",
        "Look at --activation.",
        predict=activated(_another_forward),
        rank=3,
    ),
    R(
        "leaky-slope-misapplied",
        "The slope of the leaky relu was left out, or applied on the wrong side.",
        "The code of the plain relu was used, or the two branches exchanged.",
        "The output is z where z is positive, and alpha * z where it is negative.",
        predict=activated(_slope_forgotten_forward),
        alike="another-activation",
    ),
    R(
        "softmax-output-over-wrong-axis",
        "The softmax was taken over another axis, or over all numbers at once.",
        "axis=0 was left as it was, or no axis was named.",
        "The numbers of one example add up to 1: normalise over the last axis.",
        predict=activated(_first_axis_forward),
        rank=1,
    ),
    R(
        "softmax-not-normalised",
        "The softmax's numbers do not add up to 1: exponentials were not divided by their sum, or not taken at all.",
        "One of its two steps was left out.",
        "exp(z) divided by the sum of exp(z).",
        predict=activated(_not_normalised),
    ),
)
