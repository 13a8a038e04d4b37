"""One constant between the answer and the value: what a loss is averaged over, or multiplied by."""

from __future__ import annotations

from functools import partial

from convgrad.kinds.functions import counts
from convgrad.mistakes.case import Case
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.row import row
from convgrad.mistakes.rows.ratios import own_count, row_of, times


def _recounted(case: Case, *whats: str) -> list[float]:
    """The ratio of the loss's own count to other ones."""
    own, found = own_count(case), counts(case.problem.x.shape)
    return [own / found[what] for what in whats if found[what] != own]


def _unaveraged(case: Case) -> list[float]:
    return [float(own_count(case))] if row_of(case).error != "squares" else []


def _averaged(case: Case) -> list[float]:
    return [] if row_of(case).mean else _recounted(case, "numbers", "examples")


def _twice(case: Case) -> list[float]:
    return [1 / own_count(case)]


def _loss_itself(case: Case) -> list[float]:
    return [float(case.right("loss"))]


R = partial(row, "ratio")

ROWS: tuple[Mistake, ...] = (
    R(
        "multiplied-by-loss",
        "delta",
        "loss",
        "The gradient is multiplied by the value of the loss.",
        "The loss was handed to the backward pass as the upstream gradient, where a 1 belongs.",
        "A backward pass begins with dL/dL = 1; the value of the loss has no part in its gradient.",
        turn=times(_loss_itself),
    ),
    R(
        "loss-averaged",
        "delta loss",
        "loss",
        "A mean was taken where this loss is a sum: over all numbers, or over the examples.",
        "Many libraries average by default.",
        "This loss is a sum; leave the division out, or choose a kind that is a mean.",
        turn=times(_averaged),
        rank=1,
    ),
    R(
        "averaged-over-classes",
        "delta loss",
        "loss",
        "The loss was divided by the number of classes in place of what it is a mean over.",
        "len() or .shape[0] was taken of the wrong axis.",
        "Cross-entropy is a mean over the examples (and positions), not over the classes.",
        turn=times(lambda case: _recounted(case, "classes") if row_of(case).mean else []),
    ),
    R(
        "averaged-over-batch-only",
        "delta loss",
        "loss",
        "The loss was divided by the number of examples, though it is a mean over more than those.",
        "1/N is the factor that one remembers.",
        "Count everything that the mean runs over: all numbers, or all positions of all examples.",
        turn=times(lambda case: _recounted(case, "examples") if row_of(case).mean else []),
    ),
    R(
        "averaged-over-everything",
        "delta loss",
        "loss",
        "The loss was divided by all numbers of the output, classes included.",
        "np.mean over the whole array counts the classes too.",
        "Divide by the number of examples (and positions) alone.",
        turn=times(lambda case: _recounted(case, "numbers") if row_of(case).mean else []),
    ),
    R(
        "averaged-twice",
        "delta loss",
        "loss",
        "The mean was taken twice: the count divides both the loss and its gradient.",
        "The derivative of a mean has the 1/n already, and another was applied to be safe.",
        "Divide once.",
        turn=times(_twice),
        alike="averaged-over-classes averaged-over-everything averaged-over-batch-only",
    ),
    R(
        "loss-not-averaged",
        "delta loss",
        "loss",
        "The sum was taken where this loss is a mean.",
        "The loss of one example was worked out and added up over all of them.",
        "Divide by the number of what is averaged over; in a batch of sums, every gradient grows with the batch.",
        turn=times(_unaveraged),
        rank=0,
        convention="sum in place of mean: no option selects it",
    ),
)
