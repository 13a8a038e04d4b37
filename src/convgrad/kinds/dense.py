"""Dense (fully connected) layers."""

from convgrad.kinds.kind import Given, Kind, Page
from convgrad.kinds.setting import Setting, choice, whole
from convgrad.kinds.shared import ACTIVATING, DELTA, DESCENT, DTYPE, INPUT, OPERANDS

_READS = (
    OPERANDS
    + """. INPUT may be a document that holds everything: {"input": ..., "weight": ..., "bias": ...,
"delta": ..., "activation": "sigmoid"}; options given here win.

The input, of any rank, is flattened in reading order: all its axes, or all but the first (the batch), whichever the
weight fits, and the second where both do. dX has the input's shape. The working goes node by node.
"""
)

DENSE = Kind(
    name="dense",
    title="dense layer",
    given=(
        INPUT,
        Given(
            "weight",
            ("weight", "weights", "w", "kernel"),
            flags=("-w", "--weight"),
            help="The weight, (outputs, inputs).",
            parameter="W",
            wanting="a weight (-w)",
            needed=True,
        ),
        Given(
            "bias",
            ("bias", "b"),
            flags=("-b", "--bias"),
            help="The bias: one number a node, or one for all.",
            parameter="b",
            wanting="a bias (-b)",
        ),
        DELTA,
    ),
    settings=(
        Setting(
            "weight_layout",
            choice(("out-in", "in-out")),
            "out-in (the default), or in-out as some books have it.",
            "NAME",
        ),
    ),
    activation=ACTIVATING,
    descent=DESCENT,
    common=(DTYPE,),
    marks=dict.fromkeys(("weight", "weights", "w"), ()),
    precedence=1,
    forward=Page(
        "The output of a dense layer.",
        "convgrad dense-forward '[0.05, 0.1]' -w '[[0.15, 0.2], [0.25, 0.3]]' -b 0.35 --activation sigmoid",
        f"The output of a dense (fully connected) layer. {_READS}",
    ),
    backward=Page(
        "dW, db and dX of a dense layer.",
        "convgrad dense-backward input.json delta.json -w weight.json --lr 0.5",
        "The gradients of a dense layer: dW, db and dX; a weight's gradient is what came in times the "
        "sensitivity of its node, summed over the batch. Without a weight, dW and db are computed all the "
        f"same. {_READS}",
    ),
    tasks={
        "dense": "Each node adds up the inputs times its weights, with its bias.",
    },
    layer="convgrad.layers.dense:Dense",
    home="convgrad.problems.dense:dense_problem",
    drawn=(Setting("nodes", whole, "How many nodes; two or three unless it is said.", "N"),),
    shape="4",
    laid_out="convgrad.problems.laying_out:dense",
)
