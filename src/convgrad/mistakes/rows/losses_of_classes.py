"""Mistakes of classes and of margins: labels shifted, a logarithm not derived, a true class miscounted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from convgrad.core.element import Array
from convgrad.core.operand import Operand
from convgrad.errors import ConvgradError
from convgrad.kinds.functions import class_axis
from convgrad.kinds.loss_parts import margins
from convgrad.mistakes.case import Case
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.row import loss_operands, row
from convgrad.mistakes.rows.losses import entropy, of_logits, one_hot
from convgrad.mistakes.rows.ratios import own_count, row_of

Maker = Callable[[Case, str], Iterator[Array]]


def of_classes(name: str, others: Callable[[Array, Array, int], Iterator[Array]]) -> Maker:
    """(output a, distributions t, count r), the classes last -> other deltas, or numbers for other losses."""

    def predict(case: Case, result: str) -> Iterator[Array]:
        if row_of(case).name != name or not row_of(case).classes:
            return
        output, target = loss_operands(case)
        axis = class_axis(output.shape)
        a = np.moveaxis(output, axis, -1)
        same = target.shape == output.shape
        t = np.moveaxis(target, axis, -1) if same else one_hot(target, a.shape[-1])
        with np.errstate(all="ignore"):
            for other in others(a, t, own_count(case)):
                if (other.ndim == 0) == (result == "loss") and np.isfinite(other).all():
                    yield np.moveaxis(other, -1, axis) if other.ndim else other

    return predict


nll, hinge = partial(of_classes, "nll"), partial(of_classes, "hinge")


def of_signs(others: Callable[[Array, Array, int], Iterator[Array]]) -> Maker:
    """(output a, target t of -1 and 1, count m) of a hinge -> other deltas, or numbers for other losses."""

    def predict(case: Case, result: str) -> Iterator[Array]:
        loss = row_of(case)
        if loss.name == "hinge" and not loss.classes:
            yield from (
                each for each in others(*loss_operands(case), own_count(case)) if (each.ndim == 0) == (result == "loss")
            )

    return predict


def both(*makers: Maker) -> Maker:
    """What several give."""

    def predict(case: Case, result: str) -> Iterator[Array]:
        for maker in makers:
            yield from maker(case, result)

    return predict


def _merged(a: Array, t: Array, r: int) -> Iterator[Array]:
    yield (a - t) / r


def _underived(a: Array, t: Array, r: int) -> Iterator[Array]:
    """The logarithm itself, or the 1 / a left out."""
    yield -t * np.log(np.where(a > 0, a, 1)) / r
    yield -t / r


def _every_class(a: Array, t: Array, r: int) -> Iterator[Array]:
    yield -1 / a / r


def _true_class_counted(a: Array, t: Array, r: int) -> Iterator[Array]:
    yield np.asarray((np.maximum(margins(a, t), 0).sum(axis=-1) + 1).sum() / r)


def _without_margin(a: Array, t: Array, r: int) -> Iterator[Array]:
    apart = margins(a, t) - (1 - t)
    near = (apart > 0).astype(float)
    yield np.asarray(np.maximum(apart, 0).sum() / r)
    yield (near - t * near.sum(axis=-1, keepdims=True)) / r


def _signs_without_margin(a: Array, t: Array, m: int) -> Iterator[Array]:
    yield np.asarray(np.maximum(-t * a, 0).sum() / m)
    yield np.where(t * a < 0, -t, 0) / m


def _uncut(a: Array, t: Array, r: int) -> Iterator[Array]:
    others = 1 - t
    yield np.asarray(margins(a, t).sum() / r)
    yield (others - t * others.sum(axis=-1, keepdims=True)) / r


def _signs_uncut(a: Array, t: Array, m: int) -> Iterator[Array]:
    yield np.asarray((1 - t * a).sum() / m)
    yield -t / m


def _true_class_uncounted(a: Array, t: Array, r: int) -> Iterator[Array]:
    near = (margins(a, t) > 0).astype(float)
    yield near / r
    yield (near - t * (near.sum(axis=-1, keepdims=True) > 0)) / r


def _margins_for_ones(a: Array, t: Array, r: int) -> Iterator[Array]:
    short = np.maximum(margins(a, t), 0)
    yield short / r
    yield (short - t * short.sum(axis=-1, keepdims=True)) / r


def _labels_shifted(s: Array, t: Array, z: Array, r: int, case: Case) -> Iterator[Array]:
    _, target = loss_operands(case)
    if target.shape == z.shape and target.ndim == z.ndim:
        return
    for step in (1, -1):
        yield (s - one_hot(target + step, z.shape[-1])) / r


def _solved_with_labels_shifted(case: Case, name: str) -> Iterator[Array]:
    output, target = loss_operands(case)
    if of_logits(case):
        yield from entropy(_labels_shifted)(case, name)
    elif row_of(case).classes and target.shape != output.shape:
        for step in (1, -1):
            shifted = {**case.operands, "target": Operand(target + step, "target")}
            try:
                yield case.solver(shifted, case.settings, True).quantities[name].value
            except ConvgradError:  # one of them is no class
                continue


R = partial(row, "factor", layers="loss")

ROWS: tuple[Mistake, ...] = (
    R(
        "labels-shifted",
        "delta",
        what="The 1 of the target was subtracted one class off: labels were counted from 1 (or from -1).",
        why="Labels in files often begin with 1.",
        mend="Classes are counted from 0.",
        predict=_solved_with_labels_shifted,
        rank=1,
    ),
    R(
        "softmax-merged",
        "delta",
        what="delta is a - t, the gradient at the input of a softmax, not at its output.",
        why="With a softmax before it, a - t is what comes out in the end.",
        mend="At the probabilities themselves it is - t / a; the softmax behind them makes a - t of it.",
        predict=nll(_merged),
        rank=1,
    ),
    R(
        "logarithm-not-derived",
        "delta",
        what="The logarithm was not derived: it stands there itself, or its 1 / a is missing.",
        why="The loss of each example was worked out, and left at that.",
        mend="The derivative of log a is 1 / a: delta = - t / a.",
        predict=nll(_underived),
    ),
    R(
        "every-class-asked",
        "delta",
        what="delta is - 1 / a in every class, though the target asks for one.",
        why="The target, 0 in all other classes, was left out.",
        mend="Only the true class is in the loss: - 1 / a there, and 0 elsewhere.",
        predict=nll(_every_class),
    ),
    R(
        "true-class-counted",
        "loss",
        what="The true class was counted among the others: each example adds 1.",
        why="A margin of the true class to itself is max(0, 0 + 1).",
        mend="Sum over the classes other than the true one.",
        predict=hinge(_true_class_counted),
        rank=1,
    ),
    R(
        "margin-left-out",
        "loss delta",
        what="The margin of 1 was left out: only what lies above the true class counts.",
        why="The loss seems to ask only which class has the highest score.",
        mend="Ask for a distance of 1: max(0, a_j - a_t + 1); of signs max(0, 1 - t a).",
        predict=both(hinge(_without_margin), of_signs(_signs_without_margin)),
        rank=1,
    ),
    R(
        "hinge-not-cut",
        "loss delta",
        what="max(0, ...) was left out: what is far enough away counts too.",
        why="The maximum looks like a detail of the loss, or was lost on the way to the gradient.",
        mend="Where the margin is not above 0, neither loss nor gradient has a share of it.",
        predict=both(hinge(_uncut), of_signs(_signs_uncut)),
        rank=1,
    ),
    R(
        "true-class-not-counted-back",
        "delta",
        what="The true class has no gradient, or -1 however many classes come too near.",
        why="The true score is in every margin, and easily overlooked there.",
        mend="At the true class the gradient is minus the number of margins above 0.",
        predict=hinge(_true_class_uncounted),
        rank=1,
    ),
    R(
        "margins-for-their-derivative",
        "delta",
        what="The margins themselves stand in delta, where their derivative, 1, belongs.",
        why="The loss was worked out class by class, and left at that.",
        mend="The derivative of a margin by its score is 1 where the margin is above 0.",
        predict=hinge(_margins_for_ones),
    ),
)
