"""Losses: what a network's output costs, and the first delta."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convgrad.kinds.kind import Given, Kind, Page
from convgrad.kinds.setting import Setting, choice
from convgrad.kinds.shared import DTYPE

if TYPE_CHECKING:
    from convgrad.kinds.functions import LossRow


def _losses() -> dict[str, LossRow]:
    """The rows of the losses, which are imported when they are asked for."""
    from convgrad.kinds.losses import LOSSES

    return LOSSES


def _said_of_losses() -> str:
    named = [f"{row.name} ({row.note})" if row.note else row.name for row in _losses().values()]
    return f"{', '.join(named[:-1])} or {named[-1]}."


LOSS = Kind(
    name="loss",
    title="loss",
    given=(
        Given("output", ("output",), argument="OUTPUT", needed=True),
        Given("target", ("target",), argument="[TARGET]", wanting="TARGET", needed=True),
    ),
    settings=(
        Setting(
            "kind",
            choice(_losses),
            _said_of_losses,
            "NAME",
            default="mse",
        ),
    ),
    common=(DTYPE,),
    forms=(),
    gives=("loss", "delta"),
    marks={"target": ()},
    precedence=4,
    backward=Page(
        "A loss, and the first delta.",
        "convgrad loss '[0.75, 0.77]' '[0.01, 0.99]' --kind mse",
        "A loss and its gradient, the first delta of a backward pass. OUTPUT and TARGET are files, FILE#KEY, "
        "- for standard input, or the numbers themselves; OUTPUT may be a document with output and target, "
        "such as the JSON of a forward command. cross-entropy takes logits and nll probabilities (their softmax, "
        "say), with the classes along axis 1 (of a vector, along it), and class indices from 0 or distributions of "
        "the output's shape. hinge of class indices adds up max(0, output - output of the true class + 1) over the "
        "other classes, a mean over the rest (CS231n; PyTorch's multi_margin_loss times the number of classes); of a "
        "target of -1 and 1 for each output it is the mean of max(0, 1 - target output) (Keras).",
    ),
    in_networks=False,
    tasks={
        "loss": "The loss of the output, given the target.",
    },
    layer="convgrad.layers.loss:Loss",
    home="convgrad.problems.loss:loss_problem",
    laid_out="convgrad.problems.laying_out:loss",
)
