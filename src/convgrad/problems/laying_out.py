"""From the shape of an input to the shapes of all operands that are to be drawn, and the settings that were left open.

What is left open is chosen so that mistakes show: windows and kernels are not square, and a stride is not the window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations
from math import prod
from typing import Any, NamedTuple

from convgrad.core.axis import per_axis
from convgrad.errors import ShapeError, by
from convgrad.kinds.functions import LossRow, class_axis
from convgrad.kinds.kind import Kind
from convgrad.kinds.losses import LOSSES
from convgrad.problems.build import operand_shapes
from convgrad.problems.fitting import named
from convgrad.problems.problem import Settings

Shape = tuple[int, ...]

Choose = Callable[[Sequence[Any]], Any]
"""Picks one of several."""


class LaidOut(NamedTuple):
    """The shapes of operands by role, the input first, and the settings of the problem."""

    shapes: dict[str, Shape]
    settings: dict[str, Any]


def laid_out(kind: Kind, shape: Shape, settings: Settings, choose: Choose) -> LaidOut:
    """The shapes of a kind's operands, but for the delta, on an input of a shape; ConvgradError where none fit.

    settings: those of the kind, and those by which a drawn problem is told its sizes (`Kind.drawn`).
    """
    if kind.laid_out:
        found: LaidOut = named(kind.laid_out)(shape, settings, choose)
        return found
    return LaidOut({kind.given[0].name: shape, **operand_shapes(kind, shape, settings)}, dict(settings))


def pool(shape: Shape, settings: Settings, choose: Choose) -> LaidOut:
    """A pooling layer: a window that is not square, and a stride that is not the window."""
    own = dict(settings)
    d = own.get("dims") or min(len(shape), 2)
    if len(shape) < d:
        raise ShapeError(f"{by(shape)} has fewer axes than the {d} to be pooled", hint="check --dims")
    if "global" in own or "adaptive" in own:
        return LaidOut({"input": shape}, own)
    last = own.get("layout") == "channels-last" and len(shape) > d
    spatial = shape[-d - 1 : -1] if last else shape[-d:]
    if "size" not in own:  # an average over 2x4 cells ends, one over 2x3 does not
        ends = own.get("kind") == "avg" and "divisor" not in own
        own["size"] = uneven(spatial, own, choose, 4 if ends else 3)
    if "stride" not in own:
        strides = [each for each in ((1,) * d, *permutations((2,) + (1,) * (d - 1))) if each != own["size"]]
        own["stride"] = choose(strides)
    return LaidOut({"input": shape}, own)


def dense(shape: Shape, settings: Settings, choose: Choose) -> LaidOut:
    """A dense layer: every number of the input is an input, of as many `nodes` as are given."""
    own, inputs = dict(settings), prod(shape)
    nodes = own.pop("nodes", None) or choose([each for each in (2, 3) if each != inputs])
    weight = (inputs, nodes) if own.get("weight_layout") == "in-out" else (nodes, inputs)
    return LaidOut({"input": shape, "weight": weight, "bias": (nodes,)}, own)


def loss(shape: Shape, settings: Settings, choose: Choose) -> LaidOut:
    """A loss: a target of the output's shape, or of classes one for each position."""
    row: LossRow = LOSSES[settings.get("kind", "mse")]
    axis = class_axis(shape) if shape else 0
    return LaidOut(
        {"output": shape, "target": shape[:axis] + shape[axis + 1 :] if row.classes else shape}, dict(settings)
    )


def uneven(spatial: Shape, settings: Settings, choose: Choose, long: int = 3) -> Shape:
    """A window for axes of these sizes: not the same on all, and smaller than they are where there is room.

    settings: those that may dilate it; long: its size along one axis, beside 2 along the others.
    """
    d = len(spatial)
    steps = per_axis(settings.get("dilation", 1), d, "dilation")
    spatial = tuple((n - 1) // step + 1 for n, step in zip(spatial, steps, strict=True))
    sizes = [(2,), (long,)] if d == 1 else [*dict.fromkeys(permutations((2, long, 2)[:d]))]
    fitting = [each for each in sizes if all(k < n for k, n in zip(each, spatial, strict=True))]
    found: Shape = choose(fitting) if fitting else tuple(min(2, n) for n in spatial)
    return found


def parted(shape: Shape, d: int, last: bool) -> tuple[Shape, int, Shape]:
    """A shape (N, C, *sizes), the first or the first two left out -> (N or nothing, C, the sizes).

    last: whether the channels stand last. ShapeError where there are too few axes, or too many.
    """
    if not d or not 0 <= len(shape) - d <= 2:
        raise ShapeError(
            f"{by(shape)} has {len(shape)} axes, which does not fit {d or 'any number of'} spatial axes",
            hint="give d, d + 1 (with channels) or d + 2 (with batch) axes, and --dims d",
        )
    batch, rest = shape[: len(shape) - d - 1], shape[max(len(shape) - d - 1, 0) :]
    if len(rest) == d:
        return (), 1, rest
    return (batch, rest[-1], rest[:-1]) if last else (batch, rest[0], rest[1:])
