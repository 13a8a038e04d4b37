"""Mistakes of a step of gradient descent: learning rate, momentum, weight decay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from convgrad.core.element import Array
from convgrad.kinds import STEPPED
from convgrad.layers.sgd import SGD
from convgrad.mistakes.case import Case, Variant
from convgrad.mistakes.mistake import Alteration, Mistake
from convgrad.mistakes.row import KERNEL, row


def stepping(others: Callable[[SGD], Iterator[SGD]]) -> Alteration:
    """The step with other options."""

    def change(variant: Variant, name: str) -> Iterator[Variant]:
        if variant.step is not None:
            for other in others(variant.step):
                if other != variant.step:
                    yield replace(variant, step=other)

    return change


@dataclass(frozen=True, eq=False, repr=False)
class Step:
    """What a step is made of: the parameter W, its gradient g with the decay in it, the old velocity v (0 at first)."""

    W: Array
    g: Array
    v: Array
    lr: float
    mu: float
    decay: float
    nesterov: bool

    @property
    def velocity(self) -> Array:
        """The new velocity."""
        return self.mu * self.v + self.g


def written(others: Callable[[Step, str], Iterator[Array]]) -> Callable[[Case, str], Iterator[Array]]:
    """(the step, W_new or velocity) -> other results."""

    def predict(case: Case, name: str) -> Iterator[Array]:
        variant = case.opened
        short = STEPPED.get(name, name[-1])
        gradient = case.solution.quantities.get(f"d{short}")
        if variant is None or variant.step is None or gradient is None:
            return
        W, sgd = variant.parameter(short), variant.step
        if W is None:
            return
        v = variant.problem.operands.get(f"velocity_{short}")
        start = np.zeros_like(W) if v is None else v
        g = gradient.value + sgd.weight_decay * W
        step = Step(W, g, start, sgd.lr, sgd.momentum or 0.0, sgd.weight_decay, sgd.nesterov)
        what = "velocity" if name.startswith("velocity") else "new" if name in STEPPED else "gradient"
        with np.errstate(all="ignore"):
            yield from (np.asarray(each) for each in others(step, what))

    return predict


def _ascent(s: Step, what: str) -> Iterator[Array]:
    yield s.W + s.lr * ((s.g + s.mu * s.velocity) if s.nesterov else s.velocity)


def _not_taken(s: Step, what: str) -> Iterator[Array]:
    yield s.W


def _change_alone(s: Step, what: str) -> Iterator[Array]:
    change = s.lr * ((s.g + s.mu * s.velocity) if s.nesterov else s.velocity)
    yield change
    yield -change


def _sign_mixed(s: Step, what: str) -> Iterator[Array]:
    """v = mu v - lr g with w -= v, or v = mu v + lr g with w += v; and momentum against the gradient."""
    if what == "new":
        yield s.W - (s.mu * s.v - s.lr * s.g)
        yield s.W + (s.mu * s.v + s.lr * s.g)
        yield s.W - s.lr * (s.g - s.mu * s.v)
    else:
        yield s.mu * s.v - s.g
        yield s.g - s.mu * s.v


def _rate_in_velocity(s: Step, what: str) -> Iterator[Array]:
    """v = mu v - lr g, w += v: the other way in which momentum is written."""
    if what == "new" and not s.nesterov:
        yield s.W + (s.mu * s.v - s.lr * s.g)
    elif what == "new":
        v = s.mu * s.v - s.lr * s.g
        yield s.W + s.mu * v - s.lr * s.g
    else:
        yield s.mu * s.v - s.lr * s.g
        yield s.mu * s.v + s.lr * s.g


def _old_velocity(s: Step, what: str) -> Iterator[Array]:
    if what == "new" and np.any(s.v):
        yield s.W - s.lr * s.v
        yield s.W - s.lr * s.mu * s.v
    if what == "velocity":
        yield s.v


def _dampened(s: Step, what: str) -> Iterator[Array]:
    """v = mu v + (1 - mu) g, as a running mean."""
    if s.mu:
        v = s.mu * s.v + (1 - s.mu) * s.g
        yield v if what == "velocity" else s.W - s.lr * ((s.g + s.mu * v) if s.nesterov else v)


def _momentum_forgotten(s: Step, what: str) -> Iterator[Array]:
    yield s.g if what == "velocity" else s.W - s.lr * s.g


def _momentum_on_all(s: Step, what: str) -> Iterator[Array]:
    """v = mu (v + g)."""
    v = s.mu * (s.v + s.g)
    yield v if what == "velocity" else s.W - s.lr * v


def _lookahead(s: Step, what: str) -> Iterator[Array]:
    """Nesterov's momentum missing, or there where it was not asked for, or from the old velocity."""
    if not s.mu:
        return
    if s.nesterov:
        yield s.W - s.lr * s.velocity
        yield s.W - s.lr * s.mu * s.velocity
        yield s.W - s.lr * (s.velocity + s.mu * s.velocity)
    else:
        yield s.W - s.lr * (s.g + s.mu * s.velocity)


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
STEPS = f"dense {KERNEL}"
NEW, BOTH = "W_new b_new", "W_new b_new velocity_W velocity_b"

ROWS: tuple[Mistake, ...] = (
    R(
        "ascent",
        NEW,
        STEPS,
        "The step was taken uphill: added in place of subtracted.",
        "The gradient was taken for the direction to go in.",
        "The gradient points to where the loss grows: subtract lr times it.",
        predict=written(_ascent),
        rank=1,
    ),
    R(
        "learning-rate-forgotten",
        NEW,
        STEPS,
        "The gradient was subtracted without the learning rate.",
        "lr was left out (or the first velocity begun without it).",
        "W_new = W - lr * dW.",
        change=stepping(lambda sgd: iter([replace(sgd, lr=1.0)])),
        rank=1,
    ),
    R(
        "learning-rate-squared",
        NEW,
        STEPS,
        "The learning rate was applied twice.",
        "It was already in the gradient (or in the velocity), and came in again with the step.",
        "Apply it once.",
        change=stepping(lambda sgd: iter([replace(sgd, lr=sgd.lr**2)])),
    ),
    R(
        "divided-by-learning-rate",
        NEW,
        STEPS,
        "The gradient was divided by the learning rate.",
        "/ was written for *.",
        "W_new = W - lr * dW.",
        change=stepping(lambda sgd: iter([replace(sgd, lr=1 / sgd.lr)] if sgd.lr else [])),
        rank=3,
    ),
    R(
        "step-not-taken",
        NEW,
        STEPS,
        "The parameters are the old ones.",
        "The step was not taken, or its result not kept.",
        "W_new = W - lr * dW.",
        predict=written(_not_taken),
    ),
    R(
        "change-for-parameter",
        NEW,
        STEPS,
        "What is given is the change alone, not the new parameter.",
        "lr * dW was written down and not subtracted from W.",
        "W_new = W - lr * dW.",
        predict=written(_change_alone),
    ),
    R(
        "momentum-forgotten",
        BOTH,
        STEPS,
        "The step was taken without momentum: the old velocity plays no part.",
        "Only the gradient was used.",
        "v = momentum * v + g, then W - lr * v.",
        predict=written(_momentum_forgotten),
        rank=1,
    ),
    R(
        "momentum-sign-mixed",
        BOTH,
        STEPS,
        "The signs of momentum and gradient are mixed: one of them drives the parameter the wrong way.",
        "There are two ways to write it, v = mu v + g with W - lr v, and v = mu v - lr g with W + v; halves of both "
        "were combined.",
        "Keep to one of the two.",
        predict=written(_sign_mixed),
    ),
    R(
        "velocity-with-learning-rate",
        BOTH,
        STEPS,
        "The velocity has the learning rate in it: v = mu v - lr g, W + v.",
        "Sutskever et al., and TensorFlow, write momentum so.",
        "Here the velocity is without it, as in PyTorch: v = mu v + g, W - lr v.",
        predict=written(_rate_in_velocity),
        rank=0,
        convention="v = mu v - lr g, W + v: no option selects it, here it is v = mu v + g, W - lr v",
    ),
    R(
        "velocity-not-updated",
        BOTH,
        STEPS,
        "The old velocity was used, without this step's gradient.",
        "The step was taken before the velocity was renewed.",
        "First v = momentum * v + g, then W - lr * v.",
        predict=written(_old_velocity),
    ),
    R(
        "momentum-dampened",
        BOTH,
        STEPS,
        "The gradient was weighed by 1 - momentum, as in a running mean.",
        "Adam's first moment, and PyTorch's dampening, are written so.",
        "v = momentum * v + g, the gradient undiminished.",
        predict=written(_dampened),
    ),
    R(
        "momentum-on-gradient-too",
        BOTH,
        STEPS,
        "The gradient was multiplied by the momentum too.",
        "The bracket is in the wrong place: momentum * (v + g).",
        "v = momentum * v + g.",
        predict=written(_momentum_on_all),
        rank=3,
    ),
    R(
        "nesterov-mistaken",
        NEW,
        STEPS,
        "Nesterov's look-ahead is missing, or was done where it was not asked for, or twice.",
        "The two kinds of momentum differ only in the last line.",
        "With --nesterov it is W - lr * (g + momentum * v), without W - lr * v, with the new v in both.",
        predict=written(_lookahead),
        rank=1,
    ),
    R(
        "weight-decay-doubled",
        BOTH,
        STEPS,
        "The weight decay came in with twice its factor.",
        "The penalty was written lambda * W^2, whose derivative has a 2.",
        "Here the decay is that of lambda/2 * W^2: it adds lambda * W to the gradient.",
        change=_decay(2),
    ),
    R(
        "weight-decay-halved",
        BOTH,
        STEPS,
        "The weight decay came in with half its factor.",
        "The 1/2 of the penalty was not taken away by its derivative.",
        "The decay adds lambda * W to the gradient.",
        change=_decay(0.5),
    ),
    R(
        "weight-decay-sign-lost",
        BOTH,
        STEPS,
        "The weight decay was subtracted from the gradient: the weights grow.",
        "Decay sounds like a minus, but the minus is that of the step.",
        "g = dW + lambda * W, then W - lr * g.",
        change=_decay(-1),
        rank=1,
    ),
    R(
        "weight-decay-forgotten",
        "W_new velocity_W",
        STEPS,
        "The weight decay was left out.",
        "The option was overlooked.",
        "g = dW + lambda * W.",
        change=_decay(0),
        rank=1,
    ),
    R(
        "bias-not-decayed",
        "b_new velocity_b",
        STEPS,
        "The weight decay was left out of the bias.",
        "Many recipes spare the biases.",
        "Here the decay holds for the bias too, as in PyTorch's SGD.",
        change=_no_bias_decay,
        rank=1,
    ),
    R(
        "weight-decay-decoupled",
        BOTH,
        STEPS,
        "The decay was taken off the weight itself, past the momentum.",
        "AdamW does so.",
        "Add it to the gradient: g = dW + lambda * W goes into the velocity.",
        predict=written(_decoupled),
    ),
    R(
        "weight-decay-in-gradient",
        "dW db",
        STEPS,
        "The gradient contains the weight decay (with some factor).",
        "The loss with its penalty was derived.",
        "dW is the gradient of the loss alone; the decay comes in with the step.",
        predict=written(_decay_in_gradient),
        rank=1,
    ),
    R(
        "gradient-not-reset",
        "dW db",
        STEPS,
        "The last step's gradient is still inside.",
        "Gradients are added up, and were not set to zero before this pass.",
        "Set the gradients to zero before every backward pass.",
        predict=written(_not_reset),
    ),
)
