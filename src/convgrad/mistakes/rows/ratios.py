"""One constant between the answer and the value: a sign, a count, the window, the learning rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import prod
from typing import Any, cast

from convgrad.core.element import Array
from convgrad.kinds.functions import LossRow
from convgrad.mistakes.about import EVERY, GRADIENTS, KERNEL, LEARNING, OF_PARAMETERS
from convgrad.mistakes.case import Case
from convgrad.mistakes.mistake import Mistake, Rearrangement
from convgrad.mistakes.row import count, row

Numbers = Callable[[Case], list[float]]


def times(numbers: Numbers) -> Rearrangement:
    """The array times each number that the case gives; 1 is no mistake."""

    def turn(array: Array, case: Case, name: str) -> Iterator[Array]:
        for number in dict.fromkeys(numbers(case)):
            if number != 1:
                yield array * array.dtype.type(number)

    return turn


def over(*whats: str) -> Rearrangement:
    """The array over the product of the counts."""
    return times(lambda case: [1 / prod(count(case, what) for what in whats)])


def _over_places(case: Case, also: int = 1) -> list[float]:
    """1 over the overlays; of a transposed layer over the cells of its output too, which its db is summed over."""
    counts = [count(case, "places")]
    variant = case.opened
    if case.layer == "transposed" and variant is not None and variant.delta is not None:
        counts.append(prod(variant.delta.shape[2:]))
    return [1 / (each * also) for each in counts if each > 1]


def _side(case: Case) -> list[float]:
    variant = case.opened
    kind = getattr(variant.layer, "kind", "") if variant else ""
    return [prod(variant.places.kernel) / side for side in variant.places.kernel] if variant and kind == "avg" else []


def _rate(case: Case, sign: int) -> list[float]:
    variant = case.opened
    return [sign * variant.step.lr] if variant and variant.step else []


# -- losses -----------------------------------------------------------------------------------------------


def row_of(case: Case) -> LossRow:
    """The facts of a loss."""
    layer, output, target = cast(Any, case.problem.layer), case.problem.x, case.problem.delta
    row: LossRow = layer.row
    return row if target is None else row.taken(output.shape, target.shape)


def _reversed(of: Callable[[LossRow], Any]) -> Numbers:
    return lambda case: [-1.0] if of(row_of(case)) else []


def own_count(case: Case) -> int:
    """What a loss is averaged over."""
    return row_of(case).count(case.problem.x.shape)


def _weighed(case: Case, factor: float) -> list[float]:
    """2 and 1/2, where another kind of the mean square does not say the same."""
    return [factor] if case.layer != "loss" or row_of(case).mean else []


R = partial(row, "ratio")

ROWS: tuple[Mistake, ...] = (
    R(
        "sign-reversed",
        f"output {GRADIENTS}",
        EVERY,
        "Every number is right but for its sign.",
        "A minus sign was lost or gained on the way, often in the delta that came in (target minus output).",
        "Take delta as the gradient of the loss itself, and subtract only in the step: W - lr * dW.",
        turn=times(lambda _: [-1.0]),
        rank=1,
    ),
    R(
        "target-minus-output",
        "delta",
        "loss",
        "delta has the wrong sign everywhere: it is target minus output.",
        "The error is often called target minus output, and both square to the same loss.",
        "The derivative of (output - target)^2 by the output is proportional to output - target: subtract the target.",
        turn=times(_reversed(lambda loss: loss.error)),
        rank=1,
    ),
    R(
        "cross-entropy-sign-lost",
        "delta loss",
        "loss",
        "Every number has the wrong sign: the minus in front of the cross-entropy was lost, or, in delta, the "
        "output was subtracted from the target.",
        "The loss is minus the sum of target * log(probability), and the minus in front is easily left behind; and the "
        "error is often called target minus output.",
        "A loss is positive, and its delta negative at the true class, as output - target is: look which of the two "
        "has its sign turned.",
        turn=times(_reversed(lambda loss: loss.logits or loss.probabilities)),
        rank=1,
    ),
    R(
        "doubled",
        f"output {GRADIENTS} delta",
        f"{EVERY} loss",
        "Every number is twice the right one.",
        "A factor 2 of a square was kept that the 1/2 of the loss takes away, or everything was added twice (an old "
        "gradient that was not set to zero, on the same data, does just that).",
        "Look for the 2 of a derived square, and set gradients to zero before adding to them.",
        turn=times(partial(_weighed, factor=2.0)),
    ),
    R(
        "halved",
        f"output {GRADIENTS} delta",
        f"{EVERY} loss",
        "Every number is half the right one.",
        "A factor 1/2 was kept or brought in that does not belong here, as of a loss that is half a square.",
        "The 1/2 of the loss goes when the square is derived; delta already holds what is left.",
        turn=times(partial(_weighed, factor=0.5)),
    ),
    R(
        "averaged-over-batch",
        GRADIENTS,
        EVERY,
        "Every number is divided by the number of examples: a mean over the batch in place of the sum.",
        "The loss is a mean, so 1/N is expected here; but the delta that comes in carries it already, and it is "
        "applied twice.",
        "Add up over the examples. If the loss is a mean, its 1/N is in the delta, once and for all.",
        turn=over("examples"),
        rank=1,
    ),
    R(
        "multiplied-by-batch",
        GRADIENTS,
        EVERY,
        "Every number is multiplied by the number of examples.",
        "The 1/N that the delta carries was taken out again, or a sum over the batch was taken twice.",
        "Use delta as it comes in, and add up over the examples once.",
        turn=times(lambda case: [float(count(case, "examples"))]),
    ),
    R(
        "averaged-over-overlays",
        "dW db",
        KERNEL,
        "Every number is divided by the number of overlays: a mean over the places in place of the sum.",
        "The weight is used at every place, and it seems natural to average what the places say.",
        "A weight that is used many times gets the sum of what each use contributes; do not divide.",
        turn=times(_over_places),
        rank=1,
    ),
    R(
        "averaged-over-batch-and-overlays",
        "dW db",
        KERNEL,
        "Every number is divided by the number of examples times overlays: np.mean in place of np.sum.",
        "np.mean over all axes but the channel's is written as easily as np.sum.",
        "Use the sum over the batch and the places.",
        turn=times(lambda case: _over_places(case, count(case, "examples")) if count(case, "examples") > 1 else []),
        rank=1,
    ),
    R(
        "averaged-over-kernel",
        "output dW dX",
        KERNEL,
        "Every number is divided by the number of cells of the kernel.",
        "The layer was treated like an average, which divides by the window.",
        "A convolution only adds products; there is nothing to divide by.",
        turn=over("kernel"),
        rank=3,
    ),
    R(
        "averaged-over-channels",
        "output dW dX",
        KERNEL,
        "Every number is divided by the number of input channels.",
        "The channels were averaged in place of added.",
        "Add up over the channels.",
        turn=over("channels"),
        rank=3,
    ),
    R(
        "averaged-over-filters",
        "dW db dX",
        KERNEL,
        "Every number is divided by the number of filters.",
        "What the filters send back was averaged in place of added.",
        "Add up over the filters for dX, and keep them apart for dW and db.",
        turn=over("filters"),
        rank=3,
    ),
    R(
        "averaged-over-nodes",
        "dW db dX",
        "dense",
        "Every number is divided by the number of nodes of the layer.",
        "The gradient was averaged over the units, as a loss is over the examples.",
        "Each node's weights get that node's own delta times the input, undivided.",
        turn=over("nodes"),
    ),
    R(
        "averaged-over-inputs",
        "output dW dX",
        "dense",
        "Every number is divided by the number of inputs of the layer.",
        "The weighted sum of the inputs was taken for a weighted mean.",
        "Add up the products and do not divide.",
        turn=over("inputs"),
        rank=3,
    ),
    R(
        "divided-by-side",
        "output dX",
        "pool",
        "The average is divided by a side of the window in place of its area.",
        "The window is called a 2x2 window, and the 2 is what sticks.",
        "Divide by the number of cells in the window: height times width.",
        turn=times(_side),
    ),
    R(
        "learning-rate-in-gradient",
        OF_PARAMETERS,
        LEARNING,
        "The gradient is multiplied by the learning rate.",
        "The step lr * dW was written down in place of dW.",
        "dW is the gradient alone; the learning rate comes in with W_new = W - lr * dW.",
        turn=times(partial(_rate, sign=1)),
    ),
    R(
        "step-for-gradient",
        OF_PARAMETERS,
        LEARNING,
        "What is given as the gradient is the step, minus the learning rate times the gradient.",
        "The change of the weights was written down in place of their gradient.",
        "dW is the gradient alone; the step - lr * dW belongs to W_new.",
        turn=times(partial(_rate, sign=-1)),
    ),
)
