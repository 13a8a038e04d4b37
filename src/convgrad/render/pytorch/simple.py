"""Dense layers, activations, flattening and losses as statements."""

from __future__ import annotations

import numpy as np

from convgrad.core.quantity import Array
from convgrad.layers.activation import Activation
from convgrad.layers.flatten import Flatten
from convgrad.problems import Problem
from convgrad.problems.ranks import IN_OUT
from convgrad.render.pytorch.literals import Call, assigned, call, number
from convgrad.render.pytorch.names import Names
from convgrad.render.pytorch.rounding import HELD

LINEAR_ABOVE = 20
"""Where PyTorch's softplus becomes x itself, unless told otherwise; log(1 + exp(-40)) is 0 in double precision."""


def dense(problem: Problem, names: Names) -> list[str]:
    """A dense layer: F.linear, or a product with the weight as some books have it."""
    shorthand = problem.shorthand
    batch, inner = len(shorthand.several["N"]), shorthand.several["D"]
    x = names.x if len(inner) == 1 else f"{names.x}.flatten({1 if batch else ''})"
    if shorthand.order == IN_OUT:
        return assigned(names.z, f"{x} @ {names.kernel}" + (f" + {names.bias}" if names.bias else ""))
    return assigned(names.z, call("F.linear", x, names.kernel, names.bias))


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
    alpha = None if layer.alpha is None else number(layer.alpha)
    if layer.name == "softplus" and (value > LINEAR_ABOVE).any():
        remark = f"PyTorch's own softplus is its input above {LINEAR_ABOVE}"
        return assigned(output, call("F.softplus", z, threshold=2 * LINEAR_ABOVE), remark)
    made: dict[str, Call | str] = {
        "identity": z,
        "relu": call("F.relu", z),
        "leaky-relu": call("F.leaky_relu", z, alpha),
        "elu": call("F.elu", z, alpha),
        "sigmoid": call("torch.sigmoid", z),
        "tanh": call("torch.tanh", z),
        "softplus": call("F.softplus", z),
        "gelu": call("F.gelu", z, approximate='"tanh"' if layer.approximate == "tanh" else None),
        "silu": call("F.silu", z),
        "softmax": call("torch.softmax", z, "-1"),
    }
    return assigned(output, made[layer.name])


def has_kink(layer: Activation) -> bool:
    """Whether the slope of an activation jumps at 0."""
    return layer.name in ("relu", "leaky-relu") or (layer.name == "elu" and layer.alpha not in (None, 1))


def loss(kind: str, output: str, value: Array, target: Array) -> list[str]:
    """A loss of what is called output, whose numbers are `value`, and the target."""
    both = output, "target"
    if kind == "cross-entropy" and target.shape == value.shape and value.ndim > 2:
        axis = min(1, value.ndim - 1)
        remark = "F.cross_entropy divides by the batch alone where the target is a distribution"
        each = f"-(target * F.log_softmax({output}, {axis})).sum()"
        return assigned("loss", f"{each} / {value.size // value.shape[axis]}", remark)
    remark = (
        "PyTorch holds output * (1 - output) above 1e-12, in single precision" if kind == "bce" and held(value) else ""
    )
    made: dict[str, Call | str] = {
        "mse": f"(({output} - target) ** 2).sum() / 2",
        "mse-sum": call("F.mse_loss", *both, reduction='"sum"'),
        "mse-mean": call("F.mse_loss", *both),
        "mae": call("F.l1_loss", *both),
        "huber": call("F.huber_loss", *both),
        "bce": call("F.binary_cross_entropy", *both),
        "cross-entropy": call("F.cross_entropy", *both),
    }
    return assigned("loss", made[kind], remark)


def held(output: Array) -> bool:
    """Whether an output of bce is so near to 0 or 1 that the divisor of its gradient is held away from 0."""
    return bool((output * (1 - output) < HELD).any())


def targets(kind: str, value: Array, target: Array) -> Array:
    """The target as PyTorch wants it: class indices as whole numbers."""
    if kind == "cross-entropy" and target.shape != value.shape:
        return np.asarray(target).astype(np.int64)
    return target
