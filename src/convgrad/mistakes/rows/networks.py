"""What is sent back to the layer before by the wrong parameters."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from convgrad.mistakes.about import WEIGHED
from convgrad.mistakes.case import Variant
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.row import row


def _updated(variant: Variant, name: str) -> Iterator[Variant]:
    """The layer with the weights of its own step."""
    parameter, made = variant.layer.parameters.get("W"), variant.solved("W_new")
    if parameter is None or made is None:
        return
    weight = variant.problem.shorthand.lift(made, parameter.axes)
    if weight.shape == getattr(variant.layer, parameter.field).shape:
        yield variant.with_layer(**{parameter.field: weight})


R = partial(row, "factor")

SENSITIVITY_CALLED_DELTA = row(
    "convention",
    "sensitivity-called-delta",
    "delta",
    "conv transposed unshared dense",
    "delta is the gradient at the input of the activation, delta times derivative, which is called sensitivity here.",
    "Textbooks call it delta, and write delta = (output - target) f'(z).",
    "Here delta is the gradient of the layer's output; name it sensitivity.",
    predict=lambda case, name: iter(()),
    rank=0,
    convention="the name sensitivity",
)
"""What many books call a delta."""

ROWS: tuple[Mistake, ...] = (
    R(
        "updated-weights-used",
        "dX",
        WEIGHED,
        "What goes back to the layer before was worked with the new weights, W_new for W.",
        "The weights of this layer had been updated before the layer before it was begun.",
        "Go back through the whole network with the weights of the forward pass, and update them all at the end.",
        change=_updated,
        rank=1,
    ),
)
