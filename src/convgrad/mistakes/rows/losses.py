"""Mistakes of losses that are no mere ratio: a derivative too many, a one-hot forgotten, the wrong axis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from convgrad.core.element import Array
from convgrad.kinds.functions import LossRow, class_axis
from convgrad.mistakes.case import Case
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.row import loss_operands, row
from convgrad.mistakes.rows.ratios import own_count, row_of

Maker = Callable[[Case, str], Iterator[Array]]


def of_logits(case: Case) -> bool:
    """Whether the loss takes the softmax of what it is given."""
    return bool(row_of(case).logits)


def entropy(others: Callable[[Array, Array, Array, int, Case], Iterator[Array]]) -> Maker:
    """(softmax s, distributions t, delta, count r, case), the classes last -> other deltas, the classes last."""

    def predict(case: Case, name: str) -> Iterator[Array]:
        if not of_logits(case):
            return
        output, target = loss_operands(case)
        axis = class_axis(output.shape)
        z = np.moveaxis(output, axis, -1)
        s = _softmax(z, -1)
        t = np.moveaxis(target, axis, -1) if target.shape == output.shape else one_hot(target, z.shape[-1])
        with np.errstate(all="ignore"):
            for other in others(s, t, z, own_count(case), case):
                yield np.moveaxis(other, -1, axis)

    return predict


def _softmax(z: Array, axis: int) -> Array:
    powers = np.exp(z - z.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def one_hot(indices: Array, classes: int) -> Array:
    """Class indices as distributions, the classes last."""
    return (np.arange(classes) == indices[..., None]).astype(float)


def _derivative_again(s: Array, t: Array, z: Array, r: int, case: Case) -> Iterator[Array]:
    delta = (s * t.sum(axis=-1, keepdims=True) - t) / r
    yield delta * s * (1 - s)
    yield s * (delta - (delta * s).sum(axis=-1, keepdims=True))


def _one_hot_forgotten(s: Array, t: Array, z: Array, r: int, case: Case) -> Iterator[Array]:
    yield s / r
    yield s.copy()


def _true_class_only(s: Array, t: Array, z: Array, r: int, case: Case) -> Iterator[Array]:
    """Only the true class has a gradient."""
    yield (s - 1) * t / r
    yield -t / s / r
    yield -t / r


def _target_added(s: Array, t: Array, z: Array, r: int, case: Case) -> Iterator[Array]:
    yield (s + t) / r


def _wrong_axis(s: Array, t: Array, z: Array, r: int, case: Case) -> Iterator[Array]:
    for axis in range(z.ndim - 1):
        yield (_softmax(z, axis) - t) / r
    if z.ndim > 1:
        yield (_softmax(z.reshape(-1), -1).reshape(z.shape) - t) / r


def _logits_used(s: Array, t: Array, z: Array, r: int, case: Case) -> Iterator[Array]:
    yield (z - t) / r


def _softmax_over_wrong_axis(case: Case, name: str) -> Iterator[Array]:
    yield from (_wrong_axis_loss if name == "loss" else entropy(_wrong_axis))(case, name)


def _wrong_axis_loss(case: Case, name: str) -> Iterator[Array]:
    if not of_logits(case):
        return
    output, target = loss_operands(case)
    axis = class_axis(output.shape)
    z = np.moveaxis(output, axis, -1)
    t = np.moveaxis(target, axis, -1) if target.shape == output.shape else one_hot(target, z.shape[-1])
    for other in range(z.ndim - 1):
        yield np.asarray(-(t * np.log(_softmax(z, other))).sum() / own_count(case))


def probabilities(others: Callable[[Array, Array, int], Iterator[Array]]) -> Maker:
    """(a, t, count) of a binary cross-entropy -> other deltas."""

    def predict(case: Case, name: str) -> Iterator[Array]:
        if row_of(case).probabilities and not row_of(case).classes:
            a, t = loss_operands(case)
            with np.errstate(all="ignore"):
                yield from (each for each in others(a, t, a.size) if np.isfinite(each).all())

    return predict


def _second_term(a: Array, t: Array, m: int) -> Iterator[Array]:
    yield (-t / a - (1 - t) / (1 - a)) / m
    yield (t / a + (1 - t) / (1 - a)) / m
    yield -t / a / m
    yield (-t / a + (1 - t) / a) / m


def _sigmoid_merged(a: Array, t: Array, m: int) -> Iterator[Array]:
    yield (a - t) / m


def _applied_again(a: Array, t: Array, m: int) -> Iterator[Array]:
    yield (a - t) * a * (1 - a) / m


def errors(others: Callable[[Array, LossRow, int], Iterator[Array]], error: str) -> Maker:
    """(output - target, the loss, count) -> other deltas, of the losses that make this of an error."""

    def predict(case: Case, name: str) -> Iterator[Array]:
        if row_of(case).error == error:
            output, target = loss_operands(case)
            yield from others(output - target, row_of(case), own_count(case))

    return predict


def _squared(e: Array, loss: LossRow, m: int) -> Iterator[Array]:
    """The loss of each number in place of its derivative."""
    yield e**2
    yield e**2 / 2
    yield e**2 / e.size


def _absolute(e: Array, loss: LossRow, m: int) -> Iterator[Array]:
    yield np.abs(e)
    yield 2 * np.abs(e)
    yield 2 * np.abs(e) / e.size


def _unclipped(e: Array, loss: LossRow, m: int) -> Iterator[Array]:
    """Huber without its straight part, or the sign forgotten there; the error for its sign."""
    yield e / m
    yield np.where(np.abs(e) < 1, e, 1) / m
    if not loss.kinks:
        yield np.sign(e) / m


def _operand(which: int) -> Maker:
    def predict(case: Case, name: str) -> Iterator[Array]:
        operand = loss_operands(case)[which]
        if operand.shape == case.right("delta").shape:
            yield operand

    return predict


R = partial(row, "factor", layers="loss")

ROWS: tuple[Mistake, ...] = (
    R(
        "derivative-applied-again",
        "delta",
        what="The derivative of the softmax was applied to s - t, which already contains it.",
        why="The chain rule asks for the derivative of the last activation, and its disappearing is easily missed.",
        mend="For softmax with cross-entropy the delta at the logits is just softmax - target.",
        predict=entropy(_derivative_again),
        rank=1,
    ),
    R(
        "one-hot-forgotten",
        "delta",
        what="delta is the softmax itself: the 1 at the true class was not subtracted.",
        why="The true class is one cell, and needs a line of its own.",
        mend="delta = softmax(output) - target, the target being 1 at the true class.",
        predict=entropy(_one_hot_forgotten),
        rank=1,
    ),
    R(
        "true-class-only",
        "delta",
        what="Only the true class has a gradient.",
        why="The loss mentions only the probability of the true class.",
        mend="That probability depends on all logits: delta = softmax(output) - target, in every class.",
        predict=entropy(_true_class_only),
    ),
    R(
        "target-added",
        "delta",
        what="The target was added to the softmax in place of subtracted.",
        why="A sign of the logarithm's derivative was lost.",
        mend="delta = softmax(output) - target.",
        predict=entropy(_target_added),
    ),
    R(
        "softmax-of-loss-over-wrong-axis",
        "delta loss",
        what="The softmax was taken over another axis (the batch, say), or over all numbers at once.",
        why="axis=0 was left as it was, or no axis was named.",
        mend="The probabilities of one example add up to 1: normalise over the classes.",
        predict=_softmax_over_wrong_axis,
        rank=1,
    ),
    R(
        "logits-for-probabilities",
        "delta",
        what="The logits were used where their softmax belongs.",
        why="The output was taken for probabilities.",
        mend="Take the softmax of the output first: delta = softmax(output) - target.",
        predict=entropy(_logits_used),
    ),
    R(
        "bce-second-term-wrong",
        "delta",
        what="The second term, (1 - t) / (1 - a), has the wrong sign or bracket, or is missing.",
        why="Its minus sign and the inner derivative's cancel, which is easily miscounted.",
        mend="delta = - t / a + (1 - t) / (1 - a), over the count.",
        predict=probabilities(_second_term),
        rank=1,
    ),
    R(
        "sigmoid-merged",
        "delta",
        what="delta is a - t, the gradient at the input of a sigmoid, not at its output.",
        why="With a sigmoid before it, a - t is what comes out in the end.",
        mend="At the probabilities themselves it is (a - t) / (a (1 - a)).",
        predict=probabilities(_sigmoid_merged),
        rank=1,
    ),
    R(
        "sigmoid-applied-again",
        "delta",
        what="a - t was multiplied by a (1 - a), where it has to be divided by it.",
        why="The derivative of the sigmoid was applied on top of what already contains it.",
        mend="At the probabilities it is (a - t) / (a (1 - a)); at the sigmoid's input a - t.",
        predict=probabilities(_applied_again),
    ),
    R(
        "loss-for-gradient",
        "delta",
        what="delta is what each number adds to the loss: the squared error was not derived.",
        why="The loss was worked out number by number, and left at that.",
        mend="Derive the square: it leaves the error itself, times its factor.",
        predict=errors(_squared, "squares"),
    ),
    R(
        "error-without-sign",
        "delta",
        what="delta is the size of the error, without its sign.",
        why="An error feels like a distance.",
        mend="The sign says in which direction the output has to go: delta has it.",
        predict=errors(_absolute, "squares"),
    ),
    R(
        "error-not-clipped",
        "delta",
        what="The error itself was used where its sign (or the error held between -1 and 1) belongs.",
        why="That is the gradient of the squared error.",
        mend="The mean absolute error has sign(e) / n; Huber's has e held between -1 and 1, / n.",
        predict=errors(_unclipped, "sizes"),
    ),
    R(
        "output-for-delta",
        "delta",
        what="delta is the output itself.",
        why="The target was not subtracted.",
        mend="delta depends on the difference of output and target.",
        predict=_operand(0),
        rank=3,
    ),
)
