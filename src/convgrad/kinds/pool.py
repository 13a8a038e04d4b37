"""Pooling."""

from convgrad.kinds.kind import Kind, Page
from convgrad.kinds.setting import Setting, choice, nonzero, power, truth, wholes
from convgrad.kinds.shared import DELTA, DILATION, INPUT, OPERANDS, PADDING, SPATIAL, STRIDE

POOLINGS = ("max", "avg", "sum", "lp")
TIES = ("first", "last", "all", "split")

_READS = (
    OPERANDS
    + """, such as '[[1,2],[3,4]]'. INPUT may be a document that holds everything:
{"input": ..., "delta": ..., "kind": "avg", "size": 2}; options given here win.

The last two axes are pooled (the one axis of a vector), or as many as --dims says; all others stay apart.
"""
)

WIDE = ("global", "adaptive")
"""What spreads windows over the whole input, and leaves no room for a window's own size and places."""

_SIZED = ("size", "stride", "padding", "dilation", "ceil")

POOL = Kind(
    name="pool",
    title="pooling",
    given=(INPUT, DELTA),
    settings=(
        Setting("kind", choice(POOLINGS), "max (the default), avg, sum or lp.", "NAME", default="max"),
        Setting("size", wholes, "The window: 2, or 2,3 an axis.", "N[,N]", rivals=WIDE),
        STRIDE._replace(help="Step between windows; the window's size where not given.", rivals=WIDE),
        PADDING._replace(rivals=WIDE),
        DILATION._replace(rivals=WIDE),
        Setting("ceil", truth, "Count a last window that hangs over the end, if it starts inside.", rivals=WIDE),
        Setting(
            "count_include_pad",
            truth,
            "Whether padding counts in an average (it does, unless told otherwise).",
            off="--no-count-include-pad",
        ),
        Setting(
            "divisor",
            nonzero,
            "Divide every window's sum by this number, in an average.",
            "X",
            belongs=("kind", ("avg",)),
        ),
        Setting(
            "ties",
            choice(TIES),
            "Which of equal maxima takes the delta: first (the default), last, all (each the whole), split (equal "
            "parts).",
            "NAME",
            belongs=("kind", ("max",)),
        ),
        Setting("p", power, "The power of lp: (sum of |x|^p)^(1/p); 2 unless given.", "X", belongs=("kind", ("lp",))),
        Setting(
            "adaptive",
            wholes,
            "This many windows, cutting the input as equally as can be: 2, or 2,3 an axis.",
            "N[,N]",
            rivals=(*_SIZED, "global"),
        ),
        Setting(
            "global",
            truth,
            "One window over the whole input; pooled axes keep length 1.",
            field="whole",
            rivals=(*_SIZED, "adaptive"),
        ),
    ),
    forward_only=(
        Setting("indices", truth, "Also the position of each maximum, flat in its channel's unpadded plane."),
    ),
    common=SPATIAL,
    gives=("output", "indices"),
    marks={**dict.fromkeys(("size", "adaptive", "global", "ceil", "ties"), ()), "kind": POOLINGS},
    precedence=3,
    forward=Page(
        "The output of a pooling layer.",
        "convgrad pool-forward image.csv --kind max --size 2",
        f"The output of a pooling layer. {_READS}",
    ),
    backward=Page(
        "dX of a pooling layer.",
        "convgrad pool-backward input.json delta.json --kind max --size 2",
        "The gradient of a pooling layer: a maximum gets the whole delta, an average shares it out. "
        f"A lone number for DELTA, typed or beside the input in a document, stands everywhere. {_READS}",
    ),
    tasks={
        "pool": "A window moves over the input; each place of it gives one number.",
    },
    layer="convgrad.layers.pool:Pool",
    home="convgrad.problems.pool:pool_problem",
    shape="1x5x5",
    laid_out="convgrad.problems.laying_out:pool",
)
