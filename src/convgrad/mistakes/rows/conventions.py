"""Right under another convention: ties, padding in an average, relu' at 0, the side of SAME, half, sum or mean.

A convention is not an error: it is a verdict of its own, which names the option that selects it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import ConvgradError
from convgrad.kinds.losses import LOSSES
from convgrad.mistakes.about import ACTIVATED, GRADIENTS, WINDOWED
from convgrad.mistakes.case import Case, Variant
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.row import row
from convgrad.mistakes.rows.ratios import row_of
from convgrad.numerals import to_numeral

Maker = Callable[[Case, str], Iterator[Array]]


def resolved(applies: Callable[[Case], bool], **settings: Any) -> Maker:
    """The problem solved with other settings, where they apply and are not those in force."""

    def predict(case: Case, name: str) -> Iterator[Array]:
        if not applies(case) or all(case.settings.get(key) == value for key, value in settings.items()):
            return
        try:
            solution = case.solver(case.operands, {**case.settings, **settings}, case.backward)
        except ConvgradError:
            return
        if name in solution.quantities:
            yield solution.quantities[name].value

    return predict


def _pooling(kind: str) -> Callable[[Case], bool]:
    return lambda case: case.settings.get("kind", "max") == kind


def _mean_square(case: Case) -> bool:
    return row_of(case).error == "squares"


def _ramped(case: Case) -> bool:
    return case.settings.get("activation") == "hard-sigmoid"


def _padded(name: str) -> Callable[[Case], bool]:
    return lambda case: case.settings.get("padding") == name


def kinked(variant: Variant, at_zero: float) -> Iterator[Variant]:
    """The variant with another derivative at exactly 0 of an activation whose slope jumps there."""
    if variant.activated is None:
        return
    activation, z, delta = variant.activated
    if activation.row.at_zero and (z == 0).any():
        yield variant.sending(delta * np.where(z == 0, z.dtype.type(at_zero), activation.derivative(z)))


def _at_zero(at_zero: float) -> Callable[[Variant, str], Iterator[Variant]]:
    return lambda variant, name: kinked(variant, at_zero)


RESULTS_OF_ACTIVATIONS = f"output {GRADIENTS}"

R = partial(row, "convention", rank=0)
TIES = "Among equal maxima"

ROWS: tuple[Mistake, ...] = (
    R(
        "ties-to-all",
        "dX",
        "pool",
        f"{TIES} every one got the whole delta.",
        "The gradient was sent wherever the input equals the maximum (mask = x == max), as some courses do.",
        "Here the first in reading order takes it; --ties all is the other convention.",
        predict=resolved(_pooling("max"), ties="all"),
        convention="--ties all",
    ),
    R(
        "ties-split",
        "dX",
        "pool",
        f"{TIES} the delta was shared equally.",
        "The maximum over an axis of some libraries (amax, jnp.max) splits the gradient.",
        "Here the first in reading order takes it whole; --ties split is the other convention.",
        predict=resolved(_pooling("max"), ties="split"),
        convention="--ties split",
    ),
    R(
        "ties-to-last",
        "dX indices",
        "pool",
        f"{TIES} the last one took the delta.",
        "A scan that replaces its maximum on >= ends at the last of equal ones.",
        "Here the first in reading order takes it; --ties last is the other convention.",
        predict=resolved(_pooling("max"), ties="last"),
        convention="--ties last",
    ),
    R(
        "ties-to-first",
        "dX indices",
        "pool",
        f"{TIES} the first one took the delta.",
        "That is what most libraries do.",
        "Another convention was asked for here; --ties first selects this one.",
        predict=resolved(lambda s: _pooling("max")(s) and s.settings.get("ties", "first") != "first", ties="first"),
        convention="--ties first",
    ),
    R(
        "padding-not-counted",
        "output dX",
        "pool",
        "Windows at the border were divided by the cells that lie on the input; padding did not count.",
        "ONNX and TensorFlow average so.",
        "Here padding counts in the average; --no-count-include-pad is the other convention.",
        predict=resolved(
            lambda s: _pooling("avg")(s) and s.settings.get("count_include_pad") is not False, count_include_pad=False
        ),
        convention="--no-count-include-pad",
    ),
    R(
        "padding-counted",
        "output dX",
        "pool",
        "Windows at the border were divided by all their cells; padding counted.",
        "PyTorch averages so, unless it is told otherwise.",
        "Padding was not to count here; --count-include-pad is the other convention.",
        predict=resolved(
            lambda s: _pooling("avg")(s) and s.settings.get("count_include_pad") is False, count_include_pad=True
        ),
        convention="--count-include-pad",
    ),
    R(
        "same-extra-before",
        "output dW dX",
        WINDOWED,
        "The odd cell of the padding lies before the input in place of after it.",
        "SAME is read in two ways: SAME_UPPER (TensorFlow) has the extra cell after, SAME_LOWER before.",
        "Here the extra cell is after; --padding same-lower is the other convention.",
        predict=resolved(_padded("same"), padding="same-lower"),
        convention="--padding same-lower",
    ),
    R(
        "same-extra-after",
        "output dW dX",
        WINDOWED,
        "The odd cell of the padding lies after the input in place of before it.",
        "SAME is read in two ways: SAME_UPPER (TensorFlow) has the extra cell after, SAME_LOWER before.",
        "SAME_LOWER was asked for here; --padding same is the other convention.",
        predict=resolved(_padded("same-lower"), padding="same"),
        convention="--padding same",
    ),
    *(
        R(
            name,
            RESULTS_OF_ACTIVATIONS,
            ACTIVATED,
            f"The slope of hard-sigmoid was taken as {slope}.",
            why,
            f"Another slope is in force here; --slope {slope} is that convention.",
            predict=resolved(_ramped, slope=to_numeral(slope)),
            convention=f"--slope {slope}",
        )
        for name, slope, why in (
            ("hard-sigmoid-slope-fifth", "0.2", "Keras 2 and ONNX have it so."),
            ("hard-sigmoid-slope-sixth", "1/6", "PyTorch and Keras 3 have it so."),
        )
    ),
    R(
        "relu-at-zero-one",
        GRADIENTS,
        ACTIVATED,
        "At an input of exactly 0 the derivative was taken as 1.",
        "The mask was made with >= 0.",
        "relu'(0) is 0 unless it is said, as in PyTorch and TensorFlow: use > 0; --slope-at-zero 1 is that convention.",
        change=_at_zero(1.0),
        convention="--slope-at-zero 1",
    ),
    R(
        "relu-at-zero-half",
        GRADIENTS,
        ACTIVATED,
        "At an input of exactly 0 the derivative was taken as 1/2.",
        "1/2 lies in the middle of the two slopes, and a central difference gives it.",
        "relu'(0) is 0 unless it is said, as in PyTorch and TensorFlow; --slope-at-zero 0.5 is that convention.",
        change=_at_zero(0.5),
        convention="--slope-at-zero 0.5",
    ),
    R(
        "relu-at-zero-none",
        GRADIENTS,
        ACTIVATED,
        "At an input of exactly 0 the derivative was taken as 0.",
        "The mask was made with > 0, as PyTorch and TensorFlow make it.",
        "Another derivative is in force here; --slope-at-zero 0 is that convention.",
        change=_at_zero(0.0),
        convention="--slope-at-zero 0",
    ),
    *(
        R(
            f"loss-{loss.name}",
            "loss delta",
            "loss",
            loss.convention,
            "Books and libraries differ in the factor of a squared error.",
            f"--kind {loss.name} is that convention; the kind in force here is another one.",
            predict=resolved(_mean_square, kind=loss.name),
            convention=f"--kind {loss.name}",
        )
        for loss in sorted(LOSSES.values(), key=lambda loss: bool(loss.mean))  # sums first
        if loss.convention
    ),
)
