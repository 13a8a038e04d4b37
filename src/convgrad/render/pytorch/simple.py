"""Dense layers, activations, flattening and losses as statements."""

from __future__ import annotations

import numpy as np

from convgrad.core.element import Array
from convgrad.kinds.functions import LossRow, class_axis, written
from convgrad.layers.activation import Activation
from convgrad.layers.flatten import Flatten
from convgrad.problems import Problem
from convgrad.problems.ranks import IN_OUT
from convgrad.render.pytorch.literals import assigned, call, number
from convgrad.render.pytorch.names import Names


def dense(problem: Problem, names: Names) -> list[str]:
    """A dense layer: F.linear, or a product with the weight as some books have it."""
    shorthand = problem.shorthand
    batch, inner = len(shorthand.several["N"]), shorthand.several["D"]
    x = names.x if len(inner) == 1 else f"{names.x}.flatten({1 if batch else ''})"
    if shorthand.order == IN_OUT:
        return assigned(names.z, f"{x} @ {names.operands['weight']}" + (f" + {names.bias}" if names.bias else ""))
    return assigned(names.z, call("F.linear", x, names.operands["weight"], names.bias))


def flatten(problem: Problem, names: Names) -> list[str]:
    """A layer that flattens its input."""
    layer = problem.layer
    assert isinstance(layer, Flatten)
    return assigned(names.z, f"{names.x}.flatten({1 if layer.batch else ''})")


def alone(problem: Problem, names: Names) -> list[str]:
    """An activation that is a layer."""
    assert isinstance(problem.layer, Activation)
    return activated(problem.layer, names.x, problem.x, names.output)


def activated(layer: Activation, z: str, value: Array, output: str) -> list[str]:
    """An activation of what is called z; value: its numbers, as far as they matter for how it is written."""
    said = written(layer.row.pytorch, value)
    alpha = "" if layer.alpha is None else f", {number(layer.alpha)}"
    approximate = "" if layer.approximate == "none" else f', approximate="{layer.approximate}"'
    slope, shift = map(number, layer.used_ramp)
    text = said.text.format(x=z, alpha=alpha, approximate=approximate, slope=slope, shift=shift)
    if layer.slope_at_zero is not None:
        text = f"torch.where({z} == 0, {number(layer.slope_at_zero)} * {z}, {text})"
    return assigned(output, text, said.remark)


def loss(row: LossRow, output: str, value: Array, target: Array) -> list[str]:
    """A loss of what is called output, whose numbers are `value`, and the target."""
    said, axis = written(row.pytorch, value, target), class_axis(value.shape)
    classes = value.shape[axis] if value.ndim else 1
    text = said.text.format(output=output, axis=axis, m=row.count(value.shape), classes=classes)
    return assigned("loss", text, said.remark)


def targets(row: LossRow, value: Array, target: Array) -> Array:
    """The target as PyTorch wants it: class indices as whole numbers."""
    if row.classes and target.shape != value.shape:
        return np.asarray(target).astype(np.int64)
    return target
