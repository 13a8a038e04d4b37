"""Problems: a layer with its arrays, built and validated from what files and options say; and their solution.

One file a layer builds its problems. This is where ranks are lifted (shorthand.py) and where shapes that
do not fit are explained in the reader's own terms; inside the layers everything has full rank.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from convgrad.errors import ConvgradError, ShapeError, by
from convgrad.layers import Layer
from convgrad.quantity import Array, Quantity
from convgrad.sgd import step
from convgrad.shorthand import Shorthand
from convgrad.windows import Windows

RESULTS = ("output", "indices", "dW", "db", "dX", "W_new", "b_new")
"""The names of results, in the order in which they are written."""


@dataclass(frozen=True, eq=False, repr=False)
class Operand:
    """An array as given, where it came from, and whether it was typed (a typed number stands everywhere)."""

    array: Array
    source: str
    typed: bool = False


Operands = Mapping[str, Operand]
Settings = Mapping[str, Any]


@dataclass(frozen=True, eq=False, repr=False)
class Problem:
    """A layer and its full-rank arrays; `operands` are the same arrays as the files have them."""

    layer: Layer
    x: Array
    shorthand: Shorthand
    operands: dict[str, Array]
    delta: Array | None = None
    lr: float | None = None
    more: tuple[Callable[[Array], Quantity], ...] = ()
    """Results of the forward pass besides the output, such as a pooling layer's indices."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Results that cannot be had, and what would have to be added for each."""


@dataclass(frozen=True, eq=False, repr=False)
class Solution:
    """The quantities of a problem, by name, in the order of RESULTS; and what was left out and why."""

    operands: dict[str, Array]
    quantities: dict[str, Quantity]
    left_out: dict[str, str]


def lone(operand: Operand) -> bool:
    """Whether an operand is a number typed on the command line, which stands for that number everywhere."""
    return operand.typed and operand.array.ndim == 0


def in_dtype(operands: Operands, settings: Settings) -> dict[str, Array]:
    """The operands' arrays in the dtype that is computed in; ConvgradError where a number is too large for it."""
    dtype = np.dtype(settings.get("dtype", "float64"))
    if dtype == np.float64:
        return {name: operand.array for name, operand in operands.items()}
    arrays = {}
    for name, operand in operands.items():
        with np.errstate(all="ignore"):
            arrays[name] = operand.array.astype(dtype)
        if not np.isfinite(arrays[name]).all():
            raise ConvgradError("a number in it is too large for float32", where=operand.source, hint="use float64")
    return arrays


def lift_delta(operands: Operands, delta: Array, shape: tuple[int, ...], axes: str, shorthand: Shorthand,
           windows: Windows) -> Array:
    """The delta at full rank; ShapeError says what was expected and which options its shape would fit."""
    if lone(operands["delta"]):
        return np.full(shape, delta)
    wanted = shorthand.lower_shape(shape, axes)
    if delta.shape == wanted:
        return shorthand.lift(delta, axes)
    hint = "delta has the output's shape"
    spatial = shorthand.spatial(axes)
    if delta.ndim == 0:
        hint = f"to use one number everywhere, type it: -d {float(delta):g}"
    elif delta.ndim == len(wanted) and all(
            delta.shape[k] == wanted[k] for k in range(delta.ndim) if k not in spatial):
        fits = windows.alternatives([delta.shape[k] for k in spatial])
        if fits:
            hint = f"{by(delta.shape)} fits {' or '.join(fits[:4])}"
    kernel = f"a {by(windows.kernel)} {'kernel' if axes == 'NF*' else 'window'}"
    raise ShapeError(f"delta is {by(delta.shape)}, but a {by(operands['input'].array.shape)} input under {kernel} "
                     f"gives {by(wanted)}", where=operands["delta"].source, hint=hint)


def solve(problem: Problem) -> Solution:
    """All results that a problem's operands allow, in the files' axes; ConvgradError where one overflows."""
    lower = problem.shorthand.lower_quantity
    found: dict[str, Quantity] = {}
    with np.errstate(all="ignore"):
        if "output" not in problem.left_out:
            found["output"] = lower(problem.layer.forward(problem.x))
        for compute in problem.more:
            quantity = compute(problem.x)
            found[quantity.name] = lower(quantity)
        if problem.delta is not None:
            for quantity in problem.layer.backward(problem.x, problem.delta):
                found[quantity.name] = lower(quantity)
            if problem.lr is not None:
                for name, operand in (("W", "kernel"), ("b", "bias")):
                    if operand in problem.operands and f"{name}_new" not in problem.left_out:
                        gradient = found[f"d{name}"].value
                        parameter = np.broadcast_to(problem.operands[operand], gradient.shape)
                        found[f"{name}_new"] = step(name, parameter, gradient, problem.lr)
    for name, quantity in found.items():
        if not np.isfinite(quantity.value).all():
            index = [int(i) for i in np.argwhere(~np.isfinite(quantity.value))[0]]
            raise ConvgradError(f"{name}{index if index else ''} overflows: it is too large for "
                                f"{quantity.value.dtype}", hint="scale the operands down")
    ordered = {name: found[name] for name in RESULTS if name in found}
    return Solution(problem.operands, ordered, problem.left_out)
