"""Mistakes of a step of gradient descent: learning rate and momentum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from convgrad.core.element import Array
from convgrad.kinds import STEPPED
from convgrad.layers.sgd import SGD
from convgrad.mistakes.about import BOTH, NEW, STEPPING
from convgrad.mistakes.case import Case, Variant
from convgrad.mistakes.mistake import Alteration, Mistake
from convgrad.mistakes.row import row


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
    """What a step is made of: the parameter W, its gradient g with the decay in it, the old velocity v (0 at first).

    Velocities are in the form of gradients, whatever form is in force.
    """

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
        short = STEPPED.get(name, name.removeprefix("d"))
        gradient = case.solution.quantities.get(f"d{short}")
        if variant is None or variant.step is None or gradient is None:
            return
        W, sgd = variant.parameter(short), variant.step
        if W is None:
            return
        v = variant.problem.operands.get(f"velocity_{short}")
        start = np.zeros_like(W) if v is None or not sgd.scale else v / sgd.scale
        g = gradient.value + sgd.weight_decay * W
        step = Step(W, g, start, sgd.lr, sgd.momentum or 0.0, sgd.weight_decay, sgd.nesterov)
        what = "velocity" if name.startswith("velocity") else "new" if name in STEPPED else "gradient"
        scale = sgd.scale if what == "velocity" else 1.0
        with np.errstate(all="ignore"):
            yield from (scale * np.asarray(each) for each in others(step, what))

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
    if not (s.mu and np.any(s.v)):
        return  # there are no signs to mix: what is left is an ascent
    if what == "new":
        yield s.W - (s.mu * s.v - s.lr * s.g)
        yield s.W + (s.mu * s.v + s.lr * s.g)
        yield s.W - s.lr * (s.g - s.mu * s.v)
    else:
        yield s.mu * s.v - s.g
        yield s.g - s.mu * s.v


def _in_form(form: str) -> Alteration:
    """The velocity read and written in another form."""
    return stepping(lambda step: iter([replace(step, velocity_form=form)] if step.momentum else []))


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
    if s.mu:
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


R = partial(row, "factor")

ROWS: tuple[Mistake, ...] = (
    R(
        "ascent",
        NEW,
        STEPPING,
        "The step was taken uphill: added in place of subtracted.",
        "The gradient was taken for the direction to go in.",
        "The gradient points to where the loss grows: subtract lr times it.",
        predict=written(_ascent),
        rank=1,
    ),
    R(
        "learning-rate-forgotten",
        NEW,
        STEPPING,
        "The gradient was subtracted without the learning rate.",
        "lr was left out (or the first velocity begun without it).",
        "W_new = W - lr * dW.",
        change=stepping(lambda sgd: iter([replace(sgd, lr=1.0)])),
        rank=1,
    ),
    R(
        "learning-rate-squared",
        NEW,
        STEPPING,
        "The learning rate was applied twice.",
        "It was already in the gradient (or in the velocity), and came in again with the step.",
        "Apply it once.",
        change=stepping(lambda sgd: iter([replace(sgd, lr=sgd.lr**2)])),
    ),
    R(
        "divided-by-learning-rate",
        NEW,
        STEPPING,
        "The gradient was divided by the learning rate.",
        "/ was written for *.",
        "W_new = W - lr * dW.",
        change=stepping(lambda sgd: iter([replace(sgd, lr=1 / sgd.lr)] if sgd.lr else [])),
        rank=3,
    ),
    R(
        "step-not-taken",
        NEW,
        STEPPING,
        "The parameters are the old ones.",
        "The step was not taken, or its result not kept.",
        "W_new = W - lr * dW.",
        predict=written(_not_taken),
    ),
    R(
        "change-for-parameter",
        NEW,
        STEPPING,
        "What is given is the change alone, not the new parameter.",
        "lr * dW was written down and not subtracted from W.",
        "W_new = W - lr * dW.",
        predict=written(_change_alone),
    ),
    R(
        "momentum-forgotten",
        BOTH,
        STEPPING,
        "The step was taken without momentum: the old velocity plays no part.",
        "Only the gradient was used.",
        "v = momentum * v + g, then W - lr * v.",
        predict=written(_momentum_forgotten),
        rank=1,
    ),
    R(
        "momentum-sign-mixed",
        BOTH,
        STEPPING,
        "The signs of momentum and gradient are mixed: one of them drives the parameter the wrong way.",
        "There are two ways to write it, v = mu v + g with W - lr v, and v = mu v - lr g with W + v; halves of both "
        "were combined.",
        "Keep to one of the two.",
        predict=written(_sign_mixed),
    ),
    *(
        R(
            name,
            BOTH,
            STEPPING,
            what,
            why,
            f"Another form is in force here; --velocity-form {form} is that one.",
            change=_in_form(form),
            rank=0,
            convention=f"--velocity-form {form}",
        )
        for name, form, what, why in (
            (
                "velocity-with-learning-rate",
                "step",
                "The velocity has the learning rate in it: v = mu v - lr g, W + v.",
                "Sutskever et al., Keras and CS231n write momentum so.",
            ),
            (
                "velocity-taken-off",
                "negative-step",
                "The velocity has the learning rate in it and is taken off: v = mu v + lr g, W - v.",
                "Caffe writes momentum so.",
            ),
            (
                "velocity-of-gradients",
                "gradient",
                "The velocity is without the learning rate: v = mu v + g, W - lr v.",
                "PyTorch writes momentum so.",
            ),
        )
    ),
    R(
        "velocity-not-updated",
        BOTH,
        STEPPING,
        "The old velocity was used, without this step's gradient.",
        "The step was taken before the velocity was renewed.",
        "First v = momentum * v + g, then W - lr * v.",
        predict=written(_old_velocity),
    ),
    R(
        "momentum-dampened",
        BOTH,
        STEPPING,
        "The gradient was weighed by 1 - momentum, as in a running mean.",
        "Adam's first moment, and PyTorch's dampening, are written so.",
        "v = momentum * v + g, the gradient undiminished.",
        predict=written(_dampened),
    ),
    R(
        "momentum-on-gradient-too",
        BOTH,
        STEPPING,
        "The gradient was multiplied by the momentum too.",
        "The bracket is in the wrong place: momentum * (v + g).",
        "v = momentum * v + g.",
        predict=written(_momentum_on_all),
        rank=3,
    ),
    R(
        "nesterov-mistaken",
        NEW,
        STEPPING,
        "Nesterov's look-ahead is missing, or was done where it was not asked for, or twice.",
        "The two kinds of momentum differ only in the last line.",
        "With --nesterov it is W - lr * (g + momentum * v), without W - lr * v, with the new v in both.",
        predict=written(_lookahead),
        rank=1,
    ),
)
