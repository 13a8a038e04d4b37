"""Mistakes of a step of gradient descent that are about its gradient: weight decay, and what the last step left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from convgrad.core.element import Array
from convgrad.mistakes.about import BOTH, OF_PARAMETERS, STEPPING
from convgrad.mistakes.case import Variant
from convgrad.mistakes.mistake import Alteration, Mistake
from convgrad.mistakes.row import row
from convgrad.mistakes.rows.descent import Step, stepping, written


def _decay_in_gradient(s: Step, what: str) -> Iterator[Array]:
    """The penalty's gradient in dW itself."""
    if s.decay:
        for factor in (0, 1, -2, -0.5):
            yield s.g + factor * s.decay * s.W


def _decoupled(s: Step, what: str) -> Iterator[Array]:
    """The decay taken off the weight itself, not through the gradient (AdamW's way)."""
    if s.decay:
        v = s.mu * s.v + s.g - s.decay * s.W
        yield v if what == "velocity" else s.W - s.lr * v - s.lr * s.decay * s.W
        if what == "new":
            yield s.W - s.lr * v - s.decay * s.W


def _not_reset(s: Step, what: str) -> Iterator[Array]:
    """The last step's gradient, which is the velocity after one step, still inside."""
    if np.any(s.v):
        yield s.g - s.decay * s.W + s.v


def _decay(factor: float) -> Alteration:
    return stepping(lambda sgd: iter([replace(sgd, weight_decay=factor * sgd.weight_decay)]))


def _no_bias_decay(variant: Variant, name: str) -> Iterator[Variant]:
    if variant.step is not None and variant.step.weight_decay:
        yield replace(variant, step=replace(variant.step, weight_decay=0.0))


R = partial(row, "factor")

ROWS: tuple[Mistake, ...] = (
    R(
        "weight-decay-doubled",
        BOTH,
        STEPPING,
        "The weight decay came in with twice its factor.",
        "The penalty was written lambda * W^2, whose derivative has a 2.",
        "Here the decay is that of lambda/2 * W^2: it adds lambda * W to the gradient.",
        change=_decay(2),
    ),
    R(
        "weight-decay-halved",
        BOTH,
        STEPPING,
        "The weight decay came in with half its factor.",
        "The 1/2 of the penalty was not taken away by its derivative.",
        "The decay adds lambda * W to the gradient.",
        change=_decay(0.5),
    ),
    R(
        "weight-decay-sign-lost",
        BOTH,
        STEPPING,
        "The weight decay was subtracted from the gradient: the weights grow.",
        "Decay sounds like a minus, but the minus is that of the step.",
        "g = dW + lambda * W, then W - lr * g.",
        change=_decay(-1),
        rank=1,
    ),
    R(
        "weight-decay-forgotten",
        "W_new velocity_W",
        STEPPING,
        "The weight decay was left out.",
        "The option was overlooked.",
        "g = dW + lambda * W.",
        change=_decay(0),
        rank=1,
    ),
    R(
        "bias-not-decayed",
        "b_new velocity_b",
        STEPPING,
        "The weight decay was left out of the bias.",
        "Many recipes spare the biases.",
        "Here the decay holds for the bias too, as in PyTorch's SGD.",
        change=_no_bias_decay,
        rank=1,
    ),
    R(
        "weight-decay-decoupled",
        BOTH,
        STEPPING,
        "The decay was taken off the weight itself, past the momentum.",
        "AdamW does so.",
        "Add it to the gradient: g = dW + lambda * W goes into the velocity.",
        predict=written(_decoupled),
    ),
    R(
        "weight-decay-in-gradient",
        OF_PARAMETERS,
        STEPPING,
        "The gradient contains the weight decay (with some factor).",
        "The loss with its penalty was derived.",
        "dW is the gradient of the loss alone; the decay comes in with the step.",
        predict=written(_decay_in_gradient),
        rank=1,
    ),
    R(
        "gradient-not-reset",
        OF_PARAMETERS,
        STEPPING,
        "The last step's gradient is still inside.",
        "Gradients are added up, and were not set to zero before this pass.",
        "Set the gradients to zero before every backward pass.",
        predict=written(_not_reset),
    ),
)
