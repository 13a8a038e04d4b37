"""Activations alone, in commands of their own."""

from convgrad.kinds import shared
from convgrad.kinds.kind import Kind, Page

_READS = """
Operands are files (.json .csv .tsv .npy .npz .txt), FILE#KEY, - for standard input, or the numbers themselves,
of any rank. softmax is taken over the last axis. relu'(0) is 0.
"""

ACTIVATION = Kind(
    name="activation",
    title="activation",
    given=(shared.INPUT, shared.DELTA),
    settings=shared.ACTIVATING,
    common=(shared.DTYPE,),
    marks={"activation": ()},
    forward=Page(
        "An activation of every number.",
        "convgrad activation-forward '[-1, 0, 2]' --activation relu",
        f"An activation of every number. {_READS}",
    ),
    backward=Page(
        "dX of an activation.",
        "convgrad activation-backward '[-1, 0, 2]' '[0.1, 0.2, 0.3]' --activation sigmoid",
        f"The gradient of an activation: dX = delta times the derivative at the input. {_READS}",
    ),
    tasks={
        "activation": "Every number goes through the activation.",
    },
    layer="convgrad.layers.activation:Activation",
    home="convgrad.problems.activation:activation_problem",
)
