"""One layer's part of a program: its operands, its statements, and where its results are found."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import OptionError
from convgrad.kinds import kind_of
from convgrad.layers import Parameter
from convgrad.problems import Problem
from convgrad.render.pytorch import conv, pool, simple
from convgrad.render.pytorch.axes import lifted, lowered
from convgrad.render.pytorch.literals import assigned
from convgrad.render.pytorch.names import Names
from convgrad.render.pytorch.program import Program
from convgrad.render.pytorch.sgd import Updated
from convgrad.render.pytorch.undecided import Undecided

WRITERS: dict[str, Callable[[Problem, Names], list[str]]] = {
    "conv": conv.conv,
    "transposed": conv.transposed,
    "unshared": conv.unshared,
    "dense": simple.dense,
    "pool": pool.pool,
    "activation": simple.alone,
    "flatten": simple.flatten,
}
"""What writes the layers that take more than an expression, by their word; the others' kinds say one."""


@dataclass(frozen=True, eq=False, repr=False)
class Part:
    """A layer's statements: those that make its operands, and those that compute its output.

    results: expressions by the name of the result; updated: parameters that the step changes.
    """

    operands: list[str]
    forward: list[str]
    results: dict[str, str]
    updated: list[Updated]


def part(program: Program, undecided: Undecided, wanted: Collection[str], names: Names) -> Part:
    """The part of a problem's layer, for the results wanted; undecided: the problem, with what rounding decides."""
    problem, z = undecided.problem, undecided.z
    results, updated = {"output": names.output, "indices": "indices"}, []
    declared, called = [], {}
    for short, parameter in problem.layer.parameters.items():
        stepped = bool({f"{short}_new", f"velocity_{short}"} & {*wanted})
        grad = stepped or f"d{short}" in wanted
        array, remark = _parameter(problem, short, parameter, grad)
        if array is None:
            continue
        name = called[parameter.field] = names.own(parameter.field)
        declared.append(program.declare(name, array, grad, remark))
        results[f"d{short}"] = f"{name}.grad"
        if problem.sgd is not None and stepped:
            velocity = problem.operands.get(f"velocity_{short}")
            if velocity is not None:
                declared.append(program.declare(names.own(f"velocity_{short}"), velocity))
            before = None if velocity is None else names.own(f"velocity_{short}")
            updated.append(Updated(short, name, before, names.suffix))
    learnt = {parameter.field for parameter in problem.layer.parameters.values()}
    for given in kind_of(problem.layer.known_as).own:
        if given.name in problem.operands and given.name not in learnt:
            name = called[given.name] = names.own(given.name)
            declared.append(program.declare(name, problem.operands[given.name]))
    names = replace(names, operands=called, asked=frozenset(wanted))
    activation = problem.activation
    if activation is None or activation.row.idle:
        return Part(declared, _statements(problem, names), results, updated)
    assert z is not None
    names = replace(names, z=names.own("z"))
    forward = _statements(problem, names)
    if {*wanted} - {"output"}:
        forward += undecided.remark(names.z)
    forward += simple.activated(activation, names.z, z, names.output)
    return Part(declared, forward, results, updated)


def _parameter(problem: Problem, short: str, parameter: Parameter, grad: bool) -> tuple[Array | None, str]:
    """A parameter as the file has it, and a remark; None for one that may be missing, and whose gradient nobody wants.

    In place of a missing one stands the number that changes nothing, or, where dW is all that is wanted, any.
    """
    layer = problem.layer
    value = getattr(layer, parameter.field)
    if value is not None:
        return problem.shorthand.lower(value, parameter.axes), ""
    needed = kind_of(layer.known_as).parameters[short].needed
    if not needed and not grad:
        return None, ""
    assert problem.delta is not None
    full = problem.lifted(problem.delta)
    gradient = {q.name: q for q in layer.backward(problem.x, full)}[f"d{short}"]
    shape = problem.shorthand.lower_shape(gradient.shape, gradient.axes)
    idle = "adds nothing" if parameter.neutral == 0 else "changes nothing"
    what = f"no {parameter.field} is given: this one {idle}"
    return np.full(shape, parameter.neutral), f"not given, and d{short} does not depend on it" if needed else what


def _statements(problem: Problem, names: Names) -> list[str]:
    """What computes the output of a layer; OptionError where PyTorch has no word for it."""
    word = problem.layer.known_as
    if word in WRITERS:
        return WRITERS[word](problem, names)
    said = kind_of(word).torch
    if said is None:
        raise OptionError(f"there is no PyTorch program of a layer of type {word}", hint="use json or table")
    layer, shorthand = problem.layer, problem.shorthand
    axes = {parameter.field: parameter.axes for parameter in layer.parameters.values()}
    operands = {field: lifted(name, shorthand, axes.get(field, "")) for field, name in names.operands.items()}
    alone = shorthand.several.get("N") == () and "N" in layer.input_axes  # one example, without an axis for it
    x = lifted(names.x, shorthand, layer.input_axes) + ("[None]" if alone else "")
    *lines, output = said(layer, x, operands)
    return [*lines, *assigned(names.z, output + ("[0]" if alone else "") + lowered(shorthand, layer.output_axes))]
