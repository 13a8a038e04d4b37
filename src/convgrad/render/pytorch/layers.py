"""One layer's part of a program: its parameters, its statements, and where its results are found."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from convgrad.core.quantity import Array
from convgrad.layers.activation import Activation
from convgrad.layers.conv import Conv
from convgrad.layers.dense import Dense
from convgrad.layers.flatten import Flatten
from convgrad.layers.pool import Pool
from convgrad.layers.transposed import Transposed
from convgrad.layers.unshared import Unshared
from convgrad.problems import Problem
from convgrad.render.pytorch import conv, pool, rounding, simple
from convgrad.render.pytorch.names import Names
from convgrad.render.pytorch.program import Program
from convgrad.render.pytorch.step import Parameter

WRITERS: dict[type, Callable[[Problem, Names], list[str]]] = {
    Conv: conv.conv,
    Transposed: conv.transposed,
    Unshared: conv.unshared,
    Dense: simple.dense,
    Activation: simple.alone,
    Flatten: simple.flatten,
}

GRADIENTS = {"W": ("dW", "W_new", "velocity_W"), "b": ("db", "b_new", "velocity_b")}
"""The results that need a parameter's gradient."""


@dataclass(frozen=True, eq=False, repr=False)
class Part:
    """A layer's statements: those that make its parameters, and those that compute its output.

    results: expressions by the name of the result; updated: parameters that the step changes.
    """

    parameters: list[str]
    forward: list[str]
    results: dict[str, str]
    updated: list[Parameter]


def part(program: Program, problem: Problem, wanted: Collection[str], names: Names, z: Array | None) -> Part:
    """The part of a problem's layer, for the results wanted; z: the numbers before its activation, if it has one."""
    lines, results, updated = [], {"output": names.output, "indices": "indices"}, []
    called = {"W": names.own(problem.parameters.get("W", "")), "b": names.own("bias")}
    for letter in problem.parameters:
        grad = bool(set(GRADIENTS[letter]) & set(wanted))
        array, remark = _parameter(problem, letter, grad)
        if array is None:
            continue
        lines.append(program.declare(called[letter], array, grad, remark))
        if letter == "b":
            names = replace(names, bias=called["b"])
        results[f"d{letter}"] = f"{called[letter]}.grad"
        if problem.sgd is not None and set(GRADIENTS[letter][1:]) & set(wanted):
            velocity = problem.operands.get(f"velocity_{letter}")
            name = names.own(f"velocity_{letter}")
            if velocity is not None:
                lines.append(program.declare(name, velocity))
            updated.append(Parameter(letter, called[letter], None if velocity is None else name, names.suffix))
    names = replace(names, kernel=called["W"])
    activation = problem.activation
    if activation is not None and activation.name != "identity":
        names = replace(names, z=names.own("z"))
    if isinstance(problem.layer, Pool):
        forward = pool.pool(problem, names, "indices" in wanted)
    else:
        forward = WRITERS[type(problem.layer)](problem, names)
    if activation is not None and activation.name != "identity":
        assert z is not None
        if set(wanted) - {"output"} and simple.has_kink(activation) and rounding.at_a_kink(problem, z):
            forward.append(f"# somewhere {names.z} is 0 but for rounding, where {activation.name} has two slopes:")
            forward.append("# PyTorch may take the other one")
        forward += simple.activated(activation, names.z, z, names.output)
    return Part(lines, forward, results, updated)


def _parameter(problem: Problem, letter: str, grad: bool) -> tuple[Array | None, str]:
    """A parameter as the file has it; zeros where it is not given but its gradient is asked for; and a remark."""
    layer: Any = problem.layer
    operand = problem.parameters[letter]
    if letter == "b" and layer.bias is not None:
        return problem.shorthand.lower(layer.bias, layer.parameters["b"].axes), ""
    if letter == "W" and operand in problem.operands:
        return problem.operands[operand], ""
    if not grad and letter == "b":
        return None, ""
    assert problem.delta is not None
    full = problem.shorthand.lift(problem.delta, problem.output_axes)
    quantity = {q.name: q for q in layer.backward(problem.x, full)}[f"d{letter}"]
    shape = problem.shorthand.lower_shape(quantity.shape, quantity.axes)
    what = "no bias is given: this one adds nothing" if letter == "b" else "not given, and dW does not depend on it"
    return np.zeros(shape), what
