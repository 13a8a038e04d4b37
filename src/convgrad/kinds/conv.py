"""Convolutions, transposed and unshared ones included."""

from convgrad.kinds.kind import OVERLAY, Form, Given, Kind, Page
from convgrad.kinds.setting import PAD_MODES, Setting, choice, grouping, rows, truth, whole, wholes
from convgrad.kinds.shared import ACTIVATING, DELTA, DESCENT, DILATION, INPUT, OPERANDS, PADDING, SPATIAL, STRIDE

_READS = (
    OPERANDS
    + """, such as 0.5 or '[[1,2],[3,4]]'. INPUT may be a document that holds everything: {"input": ...,
"kernel": ..., "bias": ..., "delta": ..., "stride": 2}; options given here win.

Input (H,W), (C,H,W) or (N,C,H,W); kernel (kh,kw), (C,kh,kw) or (F,C,kh,kw); likewise with 1 or 3 spatial axes.
Axes that the operands leave out are left out of the results.
"""
)

CONV = Kind(
    name="conv",
    title="convolution",
    given=(
        INPUT,
        Given(
            "kernel",
            ("kernel", "weight", "weights", "w", "k", "filter", "filters"),
            flags=("-k", "--kernel"),
            help="The kernel, (kh,kw), (C,kh,kw) or (F,C,kh,kw).",
            parameter="W",
            wanting="a kernel (-k)",
            needed=True,
        ),
        Given(
            "bias",
            ("bias", "b"),
            flags=("-b", "--bias"),
            help="The bias: one number a filter, or one for all.",
            parameter="b",
            wanting="a bias (-b)",
        ),
        DELTA,
    ),
    settings=(
        STRIDE,
        PADDING,
        DILATION,
        Setting(
            "pad_mode",
            choice(PAD_MODES),
            "What the padding holds: zeros (the default), reflect, replicate or circular; dX folds it back.",
            "NAME",
        ),
        Setting(
            "groups",
            grouping,
            "Groups of channels that do not see each other: a number, or depthwise, as many as there are channels.",
            "N|depthwise",
        ),
        Setting("flip", truth, "True convolution: the kernel rotated by 180 degrees, in place of cross-correlation."),
        Setting(
            "transposed",
            truth,
            "Transposed convolution; the kernel is (C, F/groups, kh, kw), as in PyTorch, padding is "
            "cropped from the full result, and same means output = input times stride.",
            rivals=("unshared", "pad_mode"),
        ),
        Setting("output_padding", rows, "Cells added at the end of a transposed convolution's output.", "N[,N]"),
        Setting(
            "unshared",
            truth,
            "Locally connected: a kernel at every place, (OH, OW, F, C, kh, kw); the bias is (F,) or (OH, OW, F).",
            rivals=("transposed", "groups", "output_padding"),
        ),
    ),
    backward_only=(
        Setting(
            "kernel_size",
            wholes,
            "The kernel's size, for dW without a kernel where the stride leaves it open.",
            "N[,N]",
        ),
    ),
    activation=ACTIVATING,
    descent=DESCENT,
    common=SPATIAL,
    variants={
        "transposed": "convgrad.layers.transposed:Transposed",
        "unshared": "convgrad.layers.unshared:Unshared",
    },
    forms=(
        OVERLAY,
        Form(
            "rotated",
            "the dilated, padded delta correlated with the rotated kernel, and the input with the dilated delta",
            "One cell of the result after the other, each the sum of one window.",
        ),
        Form("matrix", "the patch matrix, im2col", "Every place of the kernel is a column of a matrix (im2col)."),
    ),
    marks=dict.fromkeys(
        (
            "kernel",
            "k",
            "filter",
            "filters",
            "stride",
            "pad",
            "padding",
            "dilation",
            "groups",
            "transposed",
            "unshared",
            "kernel_size",
        ),
        (),
    ),
    precedence=2,
    forward=Page(
        "The output of a convolution.",
        "convgrad conv-forward image.csv -k '[[1,0],[0,-1]]' --padding same",
        f"The output of a convolutional layer: the kernel laid over the input, place by place. {_READS}",
    ),
    backward=Page(
        "dW, db and dX of a convolution.",
        "convgrad conv-backward input.json delta.json -k kernel.json --lr 0.1",
        "The gradients of a convolutional layer: dW, db and dX from the delta that comes back from the "
        "layer above; summed over the batch, not averaged. Without a kernel, dW and db are computed all "
        f"the same. A lone number for DELTA, typed or beside the input in a document, stands everywhere. {_READS}",
    ),
    tasks={
        "conv": "The kernel is laid on the input, place by place; the products of the numbers that meet "
        "are added up, with the bias.",
        "transposed": "Every number of the input lays the kernel, times itself, on the output; where they "
        "overlap they are added, with the bias.",
        "unshared": "At every place a kernel of its own is laid on the input; the products of the numbers "
        "that meet are added up, with the bias.",
    },
    layer="convgrad.layers.conv:Conv",
    home="convgrad.problems.conv:conv_problem",
    drawn=(Setting("filters", whole, "How many filters; one, without an axis of its own, unless it is said.", "N"),),
    shape="1x5x5",
    laid_out="convgrad.problems.conv:lay_out",
)
