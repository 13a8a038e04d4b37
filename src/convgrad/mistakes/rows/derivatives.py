"""The factor that an activation sends back: its derivative missing, doubled, or taken of the wrong thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from convgrad.core.element import Array
from convgrad.kinds.activations import ACTIVATIONS
from convgrad.kinds.functions import ActivationRow
from convgrad.layers.activation import Activation
from convgrad.mistakes.about import ACTIVATED, GRADIENTS
from convgrad.mistakes.case import Variant
from convgrad.mistakes.mistake import Alteration, Mistake
from convgrad.mistakes.row import row

Sent = Callable[[Activation, Array, Array], Iterator[Array]]
"""(activation, its input z, the delta from above) -> what is sent back in place of the right thing."""


Of = Callable[[ActivationRow], Any]
"""Whether an activation is one of those that a mistake is about."""


def sending(sent: Sent, of: Of = lambda row: True) -> Alteration:
    """The activation, one of those meant, sends something else back."""

    def change(variant: Variant, name: str) -> Iterator[Variant]:
        if variant.activated is not None and of(variant.activated[0].row):
            for dZ in sent(*variant.activated):
                yield variant.sending(np.asarray(dZ))

    return change


def value_of(activation: Activation, z: Array) -> Array:
    """f(z)."""
    return activation.forward(z).value


def others(activation: Activation) -> list[Activation]:
    """Every other activation that makes something of its input."""
    return [Activation(row.name) for row in ACTIVATIONS.values() if not row.idle and row.name != activation.name]


def softmax(row: ActivationRow) -> bool:
    """Whether it is the softmax."""
    return row.name == "softmax"


def alone(row: ActivationRow) -> bool:
    """Whether it takes each number alone, and makes something of it."""
    return row.along is None and not row.idle


def curved(row: ActivationRow) -> bool:
    """Whether its slope changes with its input, and not in jumps only."""
    return not row.straight


def leaky(row: ActivationRow) -> bool:
    """Whether it is two straight pieces, one of them with a slope of its own."""
    return row.straight and row.alpha is not None


def _slope(activation: Activation, z: Array) -> Array:
    """The derivative; of a softmax its diagonal."""
    if activation.elementwise:
        return activation.derivative(z)
    s = value_of(activation, z)
    return s * (1 - s)


def _missing(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    if not activation.row.idle:
        yield dA


def _twice(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    if not activation.elementwise:
        once = activation.backward(z, dA)[0].value
        yield activation.backward(z, once)[0].value
    elif ((slope := activation.derivative(z)) ** 2 != slope).any():
        yield dA * slope**2


def _at_output(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    a = value_of(activation, z)
    yield activation.backward(a, dA)[0].value


def _output_form_at_input(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    assert activation.row.at_output is not None
    yield dA * activation.row.at_output(z)


def _of_delta(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    yield activation.derivative(dA)
    yield dA * activation.derivative(dA)


def _product_forgotten(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    yield _slope(activation, z)


def _value_for_derivative(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    yield dA * value_of(activation, z)


def _input_for_derivative(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    yield dA * z


def _another(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    for other in others(activation):
        yield other.backward(z, dA)[0].value


def _slope_forgotten(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    yield dA * (z > 0)


def _slope_on_wrong_side(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    yield dA * np.where(z > 0, activation.used_alpha, 0)
    yield dA * np.where(z > 0, activation.used_alpha, 1)


def _diagonal(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    yield dA * _slope(activation, z)


def _diagonal_negative(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    s = value_of(activation, z)
    yield -dA * s * (1 - s)
    jacobian_diagonal = s * (s - 1)  # with the other cells right: - s_i s_j
    yield dA * jacobian_diagonal - s * ((dA * s).sum(axis=-1, keepdims=True) - dA * s)


def _plus(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    s = value_of(activation, z)
    yield s * (dA + (dA * s).sum(axis=-1, keepdims=True))


def _unsummed(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    s = value_of(activation, z)
    yield s * (dA - dA.sum(axis=-1, keepdims=True))


def _square_forgotten(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    yield dA * (1 - value_of(activation, z))


def _first_axis(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    for axis in range(z.ndim - 1):
        there, back = np.swapaxes(z, axis, -1), np.swapaxes(dA, axis, -1)
        yield np.swapaxes(activation.backward(there, back)[0].value, axis, -1)


def R(name: str, what: str, why: str, mend: str, **how: Any) -> Mistake:
    """A row about what an activation, alone or behind a layer, makes of the gradients."""
    return row("factor", name, GRADIENTS, ACTIVATED, what, why, mend, **how)


ROWS: tuple[Mistake, ...] = (
    R(
        "derivative-missing",
        "The derivative of the activation is missing: the delta from above was used as it came.",
        "delta is called the error, and the error at the output looks like all there is.",
        "Multiply the delta from above by the derivative of the activation at its input z before anything else.",
        change=sending(_missing),
        rank=1,
    ),
    R(
        "derivative-twice",
        "The derivative of the activation was applied twice.",
        "The delta already contained it, or it was put into both the delta and the gradient.",
        "Multiply by the derivative once.",
        change=sending(_twice),
    ),
    R(
        "derivative-at-output",
        "The derivative was taken at the activation's output a, where the formula wants its input z.",
        "Functions that expect z are handed a, because a is what was kept from the forward pass.",
        "Use f'(z); or, for sigmoid and tanh, the forms a (1 - a) and 1 - a^2, which are made for a.",
        change=sending(_at_output, of=curved),
    ),
    R(
        "output-form-at-input",
        "The form of the derivative that is made for the output, z (1 - z) or 1 - z^2, was given the input z.",
        "sigmoid' is remembered as x (1 - x), without what x is.",
        "In a (1 - a) and 1 - a^2 the a is the activation's output.",
        change=sending(_output_form_at_input, of=lambda row: row.at_output),
    ),
    R(
        "derivative-of-delta",
        "The derivative was taken at the delta that comes in, not at the activation's input.",
        "The derivative's function was called with what was at hand.",
        "delta times f'(z): z is the input of the activation in the forward pass.",
        change=sending(_of_delta, of=alone),
    ),
    R(
        "delta-forgotten",
        "The derivative alone is there: it was not multiplied by the delta from above.",
        "f'(z) is the hard part, and is taken for the whole.",
        "The chain rule multiplies: delta times f'(z).",
        change=sending(_product_forgotten, of=lambda row: row.derivative or softmax(row)),
        alike="delta-ignored",
    ),
    R(
        "value-for-derivative",
        "The delta was multiplied by the activation's value, not by its derivative.",
        "f was called where f' is meant.",
        "Multiply by the derivative.",
        change=sending(_value_for_derivative),
    ),
    R(
        "input-for-derivative",
        "The delta was multiplied by the activation's input, not by its derivative.",
        "In a dense layer the gradient is delta times input; an activation has no weights.",
        "Multiply by the derivative.",
        change=sending(_input_for_derivative),
        rank=3,
    ),
    R(
        "another-derivative",
        "The derivative is that of another activation.",
        "A function was copied from a network with another activation.",
        "Look at --activation.",
        change=sending(_another),
        rank=3,
    ),
    R(
        "slope-forgotten",
        "Where the input is negative nothing was sent back: the slope of the leaky relu was left out.",
        "The code of the plain relu was used.",
        "Multiply the delta by alpha where z is negative.",
        change=sending(_slope_forgotten, of=lambda row: row.alpha),
        alike="another-derivative",
    ),
    R(
        "slope-on-wrong-side",
        "The slope of the leaky relu was applied where the input is positive.",
        "The two branches of the case distinction were exchanged.",
        "The slope is 1 where z is positive, and alpha where it is negative.",
        change=sending(_slope_on_wrong_side, of=leaky),
    ),
    R(
        "softmax-diagonal-only",
        "The softmax was treated number by number: only the diagonal s (1 - s) of its derivative was used.",
        "It looks like the sigmoid's, and the sigmoid works on each number alone.",
        "Every output depends on every input: dX = s * (delta - sum of delta * s).",
        change=sending(_diagonal, of=softmax),
        rank=1,
    ),
    R(
        "softmax-diagonal-negative",
        "The diagonal of the softmax's derivative has the wrong sign: s (s - 1).",
        "The other cells of the derivative, - s_i s_j, do have a minus.",
        "On the diagonal it is s (1 - s), beside it - s_i s_j.",
        change=sending(_diagonal_negative, of=softmax),
    ),
    R(
        "softmax-plus-for-minus",
        "The sum of delta * s was added where it has to be subtracted.",
        "A sign was lost.",
        "dX = s * (delta - sum of delta * s).",
        change=sending(_plus, of=softmax),
    ),
    R(
        "softmax-unweighted-sum",
        "The deltas were summed without their weights s.",
        "That is the sum of the log-softmax.",
        "dX = s * (delta - sum of delta * s).",
        change=sending(_unsummed, of=softmax),
    ),
    R(
        "softmax-over-wrong-axis",
        "The softmax was taken over another axis (the batch, say).",
        "axis=0 was left as it was, or is the default.",
        "The numbers of one example add up to 1: normalise over the last axis.",
        change=sending(_first_axis, of=lambda row: row.along),
    ),
    R(
        "tanh-square-forgotten",
        "The derivative of tanh was taken as 1 - a: the square is missing.",
        "It is mixed up with the sigmoid's 1 - a.",
        "tanh' = 1 - a^2.",
        change=sending(_square_forgotten, of=lambda row: row.at_output),
    ),
)
