"""Losses: what a network's output costs, and the first delta."""

from convgrad.kinds.kind import Given, Kind, Said
from convgrad.kinds.setting import Setting, choice
from convgrad.kinds.shared import DTYPE

LOSSES = ("mse", "mse-mean", "mse-sum", "cross-entropy", "bce", "mae", "huber")

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
            choice(LOSSES),
            "mse (half the sum of squares; the default), mse-mean, mse-sum, cross-entropy "
            "(logits; class indices or distributions), bce (probabilities), mae or huber.",
            "NAME",
            default="mse",
        ),
    ),
    common=(DTYPE,),
    forms=(),
    gives=("loss", "delta"),
    marks={"target": ()},
    precedence=4,
    backward=Said(
        "A loss, and the first delta.",
        "convgrad loss '[0.75, 0.77]' '[0.01, 0.99]' --kind mse",
        "A loss and its gradient, the first delta of a backward pass. OUTPUT and TARGET are files, FILE#KEY, "
        "- for standard input, or the numbers themselves; OUTPUT may be a document with output and target, "
        "such as the JSON of a forward command. cross-entropy takes logits, with the classes along axis 1 "
        "(of a vector, along it), and class indices from 0 or distributions of the output's shape.",
    ),
    in_networks=False,
    home="convgrad.problems.loss:solve_loss",
)
