"""What several kinds of layers have in common: operands, settings, and how their pages begin to say what is read."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from convgrad.kinds.kind import Given
from convgrad.kinds.setting import Setting, choice, number, numbered, padding, truth, wholes

if TYPE_CHECKING:
    from convgrad.kinds.functions import ActivationRow

OPERANDS = (
    "\nOperands are files (.json .csv .tsv .npy .npz .txt), FILE#KEY for one entry of a file, - for standard input, or "
    "the numbers themselves"
)
"""What pages say first of what a command reads; each goes on in its own way."""

INPUT = Given("input", ("input", "x", "A_prev"), stead="output", argument="INPUT", needed=True)
DELTA = Given(
    "delta",
    ("delta", "dout", "dY", "dZ", "dA", "grad_output"),
    stead="dX",
    argument="[DELTA]",
    flags=("-d", "--delta"),
    help="The delta, in place of DELTA.",
    wanting="DELTA (or -d)",
    backward=True,
)

LAYOUT = Setting(
    "layout",
    choice(("channels-first", "channels-last")),
    "channels-first (N,C,H,W), the default, with "
    "kernel (F,C,kh,kw); or channels-last (N,H,W,C) with kernel (kh,kw,C,F).",
    "NAME",
)
DIMS = Setting("dims", numbered(1, 2, 3), "Number of spatial axes, where the ranks of the arrays leave it open.", "N")
DTYPE = Setting(
    "dtype",
    choice(("float64", "float32", "exact")),
    "What is computed in: float64 (the default), float32, or exact: fractions, with decimals as they are written.",
    "NAME",
)
SPATIAL = (LAYOUT, DIMS, DTYPE)
"""Of a layer over spatial axes."""

STRIDE = Setting("stride", wholes, "Step between places: 2, or 2,1 an axis.", "N[,N]", aliases=("-s",))
PADDING = Setting(
    "padding",
    padding,
    "Cells around the input: 1, or 2,1 an axis, or 1:2,0:1 (before:after, for each axis); or valid "
    "(none), same (output = input / stride, the extra cell after), same-lower (the extra cell before), "
    "full, causal (all before, on every axis).",
    "N|NAME",
    aliases=("-p", "--pad"),
)
DILATION = Setting("dilation", wholes, "Step between kernel cells; 1 is dense.", "N[,N]")


def _activations() -> dict[str, ActivationRow]:
    """The rows of the activations, which are imported when they are asked for."""
    from convgrad.kinds.activations import ACTIVATIONS

    return ACTIVATIONS


def _with_alpha() -> list[str]:
    return [row.name for row in _activations().values() if row.alpha]


def _with_ramp() -> list[str]:
    return [row.name for row in _activations().values() if row.ramp]


def _said_of_ramps(what: str) -> str:
    ramps = {row.name: row.ramp for row in _activations().values() if row.ramp}
    each = (
        f"{name} ({getattr(getattr(ramp, what), 'text', '') or getattr(ramp, what)})" for name, ramp in ramps.items()
    )
    return f"The {what} of {', '.join(each)}: it is slope * input + shift, cut off at 0 and 1."


def _with_slope_at_zero() -> list[str]:
    return [row.name for row in _activations().values() if row.at_zero]


def _with_approximation() -> list[str]:
    return [row.name for row in _activations().values() if row.approximate]


def _said_of_activations() -> str:
    names = ", ".join(_activations())
    return (
        f"One of {names}. After a convolution or a dense layer, the delta is then the gradient of the activated output."
    )


def _said_of_alpha() -> str:
    alphas = [f"{row.alpha.what} of {row.name} ({row.alpha.default:g})" for row in _activations().values() if row.alpha]
    return f"The {', or the '.join(alphas)}."


def _said_of_approximations() -> str:
    return " ".join(row.approximate for row in _activations().values() if row.approximate)


ACTIVATING = (
    Setting("activation", choice(_activations), _said_of_activations, "NAME", default="", field="name"),
    Setting("alpha", number, _said_of_alpha, "X", belongs=("activation", _with_alpha)),
    Setting(
        "approximate",
        choice(("none", "tanh")),
        _said_of_approximations,
        "NAME",
        default="none",
        belongs=("activation", _with_approximation),
    ),
    *(
        Setting(name, number, partial(_said_of_ramps, name), "X", belongs=("activation", _with_ramp))
        for name in ("slope", "shift")
    ),
    Setting(
        "slope_at_zero",
        number,
        lambda: (
            f"The derivative at an input of exactly 0, of {', '.join(_with_slope_at_zero())}: that below it unless "
            "given."
        ),
        "X",
        belongs=("activation", _with_slope_at_zero),
    ),
)
"""Of an activation, alone or behind a layer."""


VELOCITY_FORMS = ("gradient", "step", "negative-step")


def descent(*parameters: str) -> tuple[Setting, ...]:
    """The settings of a step of gradient descent on parameters such as ``W`` and ``b``."""
    new, velocities = (" and ".join(pattern.format(p) for p in parameters) for pattern in ("{}_new", "velocity_{}"))
    return (
        Setting("lr", number, f"Learning rate of one SGD step: adds {new}.", "X"),
        Setting("momentum", number, f"Momentum of the step: adds {velocities}.", "X"),
        Setting("nesterov", truth, "Nesterov's momentum."),
        Setting(
            "velocity_form",
            choice(VELOCITY_FORMS),
            "What the velocity holds: gradient (v = mu v + g, W - lr v; the default, PyTorch), step (v = mu v - lr g, "
            "W + v; Keras, CS231n) or negative-step (v = mu v + lr g, W - v; Caffe).",
            "NAME",
        ),
        Setting("weight_decay", number, "Adds this times the parameter to its gradient, the bias included.", "X"),
    )


DESCENT = descent("W", "b")
