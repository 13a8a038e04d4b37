"""Normalisation: over the batch, an example, its channels one by one, or groups of them."""

from __future__ import annotations

from typing import Any

from convgrad.kinds.kind import Form, Given, Kind, Page
from convgrad.kinds.late_numpy import np
from convgrad.kinds.setting import Setting, choice, number, whole
from convgrad.kinds.shared import ACTIVATING, DELTA, DTYPE, INPUT, LAYOUT, OPERANDS, descent

OVER = ("batch", "layer", "instance", "group")

_READS = (
    OPERANDS
    + """. INPUT may be a document that holds everything: {"input": ..., "gamma": ..., "beta": ...,
"delta": ..., "over": "layer"}; options given here win.

The input is (N,C), (N,C,L), (N,C,H,W) or (N,C,D,H,W). The variance is biased: divided by the number of those that share
it, not by one less. Without gamma and beta these are 1 and 0.
"""
)


def _parameter(name: str, flags: tuple[str, ...], what: str) -> Given:
    return Given(
        name,
        (name,),
        flags=flags,
        help=f"{what}: one number a channel, or one for all; with --over layer also one a cell of an example.",
        parameter=name,
        axes=("C", "C*"),
        wanting=f"{name} ({flags[0]})",
    )


def _statistic(name: str, what: str) -> Given:
    return Given(
        name,
        (name,),
        flags=(f"--{name}",),
        help=f"A {what} for each channel in place of the batch's own, as in inference: a constant.",
        axes=("C",),
        wanting=f"a {what} (--{name})",
    )


def draw(rng: Any, small: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """A random generator -> the arrays and settings of a problem."""

    def one(*choices: Any) -> Any:
        return choices[int(rng.integers(len(choices)))]

    def some(*shape: int) -> Any:
        return np.round(rng.normal(0, 1, shape) * one(1, 2), one(1, 2))

    over = one("batch", "batch", "layer", "instance", "group")
    channels = one(4, 4, 6) if over == "group" else one(2, 3, 4) if not small else 2
    sizes = one((), (2,), (3,), (2, 2), (2, 3)) if not small else one((), (2,))
    if over == "instance" and not sizes:
        sizes = (3,)
    n = int(rng.integers(3, 6 - small))  # of two numbers that share a mean next to nothing comes back
    arrays = {"input": some(n, channels, *sizes) + some(1, channels, *(1,) * len(sizes))}
    settings: dict[str, Any] = {} if over == "batch" else {"over": over}
    if over == "group":
        settings["groups"] = 2
    shape = (channels, *sizes) if over == "layer" and rng.random() < 0.3 else (channels,)
    for name in ("gamma", "beta"):
        if rng.random() < 0.85:
            arrays[name] = some(*shape)
            arrays[name][arrays[name] == 0] = 0.5
    if over == "batch" and rng.random() < 0.2:
        arrays |= {"mean": some(channels), "var": np.round(rng.uniform(0.3, 2, channels), 2)}
    if rng.random() < 0.3:
        settings["eps"] = one(0.1, 0.01, 0.5)
    if rng.random() < (0.2 if small else 0.4):
        settings["lr"] = one(0.1, 0.5)
        if rng.random() < 0.5:
            settings["momentum"] = 0.9
            arrays |= {f"velocity_{name}": some(*shape) for name in ("gamma", "beta") if name in arrays}
    return arrays, settings


def torch(layer: Any, x: str, operands: dict[str, str]) -> list[str]:
    """A normalisation's output as PyTorch writes it."""
    given = {name: operands[field] for name, field in (("weight", "gamma"), ("bias", "beta")) if field in operands}
    eps = f"eps={float(layer.eps)!r}"
    affine = ", ".join([*(f"{name}={array}" for name, array in given.items()), eps])
    if layer.over == "batch":
        statistics = "None, None" if layer.mean is None else f"{operands['mean']}, {operands['var']}"
        return [f"F.batch_norm({x}, {statistics}, training={layer.mean is None}, {affine})"]
    if layer.over == "instance":
        return [f"F.instance_norm({x}, {affine})"]
    if layer.over == "group":
        return [f"F.group_norm({x}, {layer.groups}, {affine})"]
    whole = {field for field in ("gamma", "beta") if layer.parameters[field].axes == "C*"}
    if len(whole) == 2 or not given:
        return [f"F.layer_norm({x}, {x}.shape[1:], {affine})"]
    # a number a channel: one group of all channels
    plain = [
        f"{name}={array}" for name, array in given.items() if {"weight": "gamma", "bias": "beta"}[name] not in whole
    ]
    if not whole:
        return [f"F.group_norm({x}, 1, {', '.join([*plain, eps])})"]
    if whole == {"beta"}:
        return [f"F.group_norm({x}, 1, {', '.join([*plain, eps])}) + {operands['beta']}"]
    beside = f"{operands['beta']}.reshape(-1, *[1] * ({x}.dim() - 2))"
    return [f"F.layer_norm({x}, {x}.shape[1:], weight={operands['gamma']}, {eps}) + {beside}"]


NORM = Kind(
    name="norm",
    title="normalisation",
    given=(
        INPUT,
        _parameter("gamma", ("-g", "--gamma"), "What normalised numbers are multiplied by"),
        _parameter("beta", ("--beta",), "What is added to them"),
        _statistic("mean", "mean"),
        _statistic("var", "variance"),
        DELTA,
    ),
    settings=(
        Setting(
            "over",
            choice(OVER),
            "Over what numbers mean and variance are taken: batch (the examples and places of a channel; the "
            "default), layer (all of an example), instance (the places of a channel of an example) or group (a group "
            "of channels of an example).",
            "NAME",
        ),
        Setting("groups", whole, "Groups of channels, one after the other, with --over group.", "N"),
        Setting("eps", number, "What is added to the variance, under the root; 1e-5 unless given.", "X"),
    ),
    activation=ACTIVATING,
    descent=descent("gamma", "beta"),
    common=(LAYOUT, DTYPE),
    forms=(
        Form("closed", "the ways in which an input reaches the output", "dX in one formula, the sum of four ways."),
        Form("graph", "one node of the computation graph after the other", "The computation graph, node by node."),
    ),
    marks=dict.fromkeys(("gamma", "beta", "over", "eps"), ()),
    precedence=5,
    forward=Page(
        "The output of a normalisation.",
        "convgrad norm-forward '[[1, 2], [3, 4], [5, 9]]' --gamma '[1, 2]'",
        f"The output of a normalisation: gamma * (input - mean) / sqrt(var + eps) + beta. {_READS}",
    ),
    backward=Page(
        "dgamma, dbeta and dX of a normalisation.",
        "convgrad norm-backward input.json delta.json --gamma gamma.json --over layer",
        "The gradients of a normalisation: dgamma, dbeta and dX from the delta that comes back from the layer above; "
        "summed over the batch, not averaged. dX is told as the ways in which an input reaches the output: directly, "
        "by the mean, by the variance, and by the mean inside the variance, whose sum is 0. A lone number for DELTA, "
        f"typed or beside the input in a document, stands everywhere. {_READS}",
    ),
    tasks={
        "norm": "output = gamma (x - mean) / sqrt(var + eps) + beta, with the variance divided by the "
        "number of those that share it.",
    },
    layer="convgrad.layers.norm:Norm",
    draw=draw,
    torch=torch,
)
