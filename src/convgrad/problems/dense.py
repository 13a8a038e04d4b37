"""Dense layers from operands and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import ShapeError, at, by
from convgrad.kinds.dense import DENSE
from convgrad.layers.dense import Dense
from convgrad.problems.fitting import activation_of, as_meant, fitted_delta, in_dtype, sgd_of
from convgrad.problems.problem import Operands, Problem, Settings, sources
from convgrad.problems.ranks import FIRST, IN_OUT, Shorthand


def dense_problem(operands: Operands, settings: Settings, backward: bool) -> Problem:
    """A dense layer from its operands (input, weight, bias, delta) and settings (those of its kind).

    The input, of any rank, is flattened in reading order: all axes, or all but the first, whichever the weight fits.
    """
    arrays = in_dtype(operands, settings)
    if "weight" not in arrays and backward:
        arrays["delta"] = _without_weight(operands, arrays["input"], arrays["delta"])
    if "weight" not in arrays and not backward:
        raise ShapeError("there is no weight", hint="add one with -w WEIGHT")
    shorthand = _shorthand(operands, arrays, settings)
    x = shorthand.lift(arrays["input"], "ND")
    left_out: dict[str, str] = {}
    if "weight" in arrays:
        layer = Dense(shorthand.lift(arrays["weight"], "OM"))
        nodes = len(shorthand.lift(arrays["weight"], "OM"))
    else:
        layer, nodes = Dense(), arrays["delta"].shape[-1] if arrays["delta"].ndim else 1
        left_out = dict.fromkeys(("output", "dX"), "a weight (-w)")
    layer = replace(layer, bias=_bias(arrays, operands, nodes))
    activation = activation_of(settings)
    if activation is not None and "weight" not in arrays:
        raise ShapeError("the activation's derivative needs the output before it", hint="add a weight (-w)")
    problem = Problem(
        layer,
        x,
        shorthand,
        "NO",
        arrays,
        activation=activation,
        passes=("forward",) if "weight" in arrays else (),
        left_out=left_out,
    )
    if not backward:
        return problem
    wanted = shorthand.lower_shape((len(x), nodes), "NO")
    given = f"a {by(arrays['input'].shape)} input under {nodes} nodes"
    arrays["delta"] = as_meant(arrays["delta"], wanted)
    return replace(
        problem,
        delta=fitted_delta(operands, arrays["delta"], wanted, given),
        sgd=sgd_of(settings, DENSE, operands, left_out),
    )


def _shorthand(operands: Operands, arrays: Mapping[str, Array], settings: Settings) -> Shorthand:
    """Whether the input's first axis is the batch: the weight tells, and where both would do, the delta's rank."""
    x, weight, delta = arrays["input"], arrays.get("weight"), arrays.get("delta")
    order = IN_OUT if settings.get("weight_layout") == "in-out" else FIRST
    rank = None if delta is None or operands["delta"].lone else delta.ndim
    nodes = 0
    if weight is None:
        batch = rank == 2
    else:
        if weight.ndim != 2:
            raise ShapeError(
                f"the weight is {by(weight.shape)}, but expected are two axes: outputs and inputs",
                where=operands["weight"].source,
                hint="write it as rows, one a node",
            )
        inputs = weight.shape[0] if order == IN_OUT else weight.shape[1]
        nodes = weight.size // max(inputs, 1)
        whole, rest = prod(x.shape) == inputs, x.ndim > 1 and prod(x.shape[1:]) == inputs
        if not whole and not rest:
            other = weight.shape[1] if order == IN_OUT else weight.shape[0]
            turned = other in (prod(x.shape), prod(x.shape[1:]) if x.ndim > 1 else -1)
            raise ShapeError(
                f"the weight is {by(weight.shape)}, for {inputs} inputs, but the input is {by(x.shape)}, "
                f"{prod(x.shape)} numbers",
                where=sources(operands, "weight", "input"),
                hint=f"the other way round it fits: --weight-layout {'out-in' if order == IN_OUT else 'in-out'}"
                if turned
                else "each example is a row: transpose the input"
                if x.ndim == 2 and len(x) == inputs
                else "check which file is which",
            )
        batch = rest and not (whole and rank == 1)
    with at(sources(operands, "input", "delta")):
        if batch and x.ndim < 2:
            raise ShapeError(
                f"the input is {by(x.shape)}, but the delta has a batch", hint="give the input a batch too"
            )
        if batch and rank == 2 and delta is not None and len(as_meant(delta, (len(x), nodes))) != len(x):
            raise ShapeError(
                f"the input has {len(x)} examples, but the delta has {len(delta)}",
                hint="give one delta for each example",
            )
    return Shorthand(0, {"N": x.shape[:1], "D": x.shape[1:]} if batch else {"N": (), "D": x.shape}, order=order)


def _without_weight(operands: Operands, x: Array, delta: Array) -> Array:
    """The delta where no weight tells of what it is: with two axes of a batch, or, if it cannot be, a column or row."""
    if operands["delta"].lone or delta.ndim not in (1, 2):
        rank = 0 if operands["delta"].lone else delta.ndim
        raise ShapeError(
            f"the delta has {rank or 'no'} axes, but a dense layer's has 1, or 2 with a batch",
            where=operands["delta"].source,
            hint="give a delta like the output, or a weight (-w)",
        )
    if delta.ndim == 2 and len(delta) > 1 and x.shape == delta.shape == (len(x), 1):
        raise ShapeError(
            f"input and delta are {by(x.shape)}: two columns, or {len(x)} examples of one number",
            where=sources(operands, "input", "delta"),
            hint="add the weight (-w), or write columns as [1,2]",
        )
    batch = x.ndim > 1 and len(x) == len(delta)
    vectors = max(x.shape) == x.size and max(delta.shape) == delta.size
    return delta.reshape(-1) if vectors and not batch else delta


def _bias(arrays: dict[str, Array], operands: Operands, nodes: int) -> Array | None:
    """The bias, one number a node; axes of length 1 beside the nodes are read as meant, also among the arrays."""
    if "bias" not in arrays:
        return None
    bias = arrays["bias"] = as_meant(arrays["bias"], (nodes,))
    if bias.shape == (nodes,):
        return bias
    if bias.ndim == 0:
        return np.full(nodes, bias)
    raise ShapeError(
        f"the bias is {by(bias.shape)}, but expected are {nodes} numbers, one a node",
        where=sources(operands, "bias", "weight"),
        hint="write one number for each node, or one for all",
    )
