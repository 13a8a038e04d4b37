"""A problem solved: its quantities in the files' axes, computed when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from convgrad.core.quantity import Quantity
from convgrad.core.rational import finite
from convgrad.errors import ConvgradError, ShapeError, by
from convgrad.kinds import RESULTS
from convgrad.kinds.kind import Kind
from convgrad.layers import Showing
from convgrad.problems.build import build
from convgrad.problems.fitting import as_meant
from convgrad.problems.problem import Problem, Solution, Solver


def solver_of(kind: Kind) -> Solver:
    """What solves problems of a kind of layer, as often as it is asked."""
    return lambda operands, settings, backward: solve(build(kind, operands, settings, backward))


def solve(problem: Problem) -> Solution:
    """All results that a problem's operands allow, in the files' axes, computed when they are asked for."""
    return backward(problem, forward(problem))


def forward(problem: Problem) -> Solution:
    """The output, and what else the forward pass gives."""
    found: dict[str, Quantity] = {}
    working: dict[str, Quantity] = {}
    operands, spatial = dict(problem.operands), dict(problem.spatial)
    with np.errstate(all="ignore"):
        for name in problem.passes:
            quantity = problem.shorthand.lower_quantity(getattr(problem.layer, name)(problem.x))
            found[quantity.name] = quantity
        if problem.activation is not None and "output" in found:
            z = found["output"]
            working["output"] = replace(z, name="z", formula=z.formula.renamed("output", "z"))
            activated = problem.activation.forward(z.value).renamed("input", "z")
            found["output"] = replace(activated, window_axes="")
            operands["z"], spatial["z"] = z.value, z.spatial
    return Solution(problem, operands, found, {**found, **working}, spatial)


def backward(problem: Problem, done: Solution) -> Solution:
    """What `forward` found, and the gradients and the step, where there is a delta."""
    if problem.delta is None:
        return done
    found, operands, spatial = dict(done.quantities), dict(done.operands), dict(done.spatial)
    working = {name: quantity for name, quantity in done.working.items() if name == "output"}
    with np.errstate(all="ignore"):
        delta = operands[problem.above] = problem.delta
        if problem.activation is not None:
            z = operands["z"]
            if problem.activation.elementwise:
                operands["derivative"], spatial["derivative"] = problem.activation.derivative(z), spatial["z"]
            through = problem.activation.backward(z, delta)[0].renamed("input", "z")
            formula = through.formula.renamed("dX", "sensitivity")
            working["sensitivity"] = replace(through, name="sensitivity", formula=formula, window_axes="")
            delta = operands["sensitivity"] = through.value
            spatial["sensitivity"] = spatial["z"]
        if isinstance(problem.layer, Showing):
            made = problem.layer.shown(problem.x, delta)
            last = dict.fromkeys(made, (problem.x.ndim - 1,) if problem.x.ndim else ())
            operands, spatial = operands | made, spatial | last
        full = problem.lifted(delta)
        for quantity in problem.layer.backward(problem.x, full):
            lowered = problem.shorthand.lower_quantity(quantity)
            if problem.activation is not None:  # what the layer calls its delta is the delta through the activation
                lowered = lowered.renamed("delta", "sensitivity")
            found[quantity.name] = lowered
        found |= _step(problem, found)
    ordered = {name: found[name] for name in RESULTS if name in found}
    if problem.is_layer:
        spatial["delta"] = spatial_of_output(problem)
    return Solution(problem, operands, ordered, {**ordered, **working}, spatial)


def spatial_of_output(problem: Problem) -> tuple[int, ...]:
    """Which axes of the output, as the files have it, are spatial."""
    return problem.shorthand.spatial(problem.output_axes)


def _step(problem: Problem, found: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """The step of gradient descent, where one is asked for."""
    stepped: dict[str, Quantity] = {}
    if problem.sgd is None:
        return stepped
    for name, operand in problem.parameters.items():
        if operand in problem.operands and f"{name}_new" not in problem.left_out:
            gradient = found[f"d{name}"].value
            parameter = problem.operands[operand]
            if parameter.size == gradient.size:
                parameter = parameter.reshape(gradient.shape)  # a lone filter's bias, given as [b]
            parameter = np.broadcast_to(parameter, gradient.shape)
            velocity = problem.operands.get(f"velocity_{name}")
            if velocity is not None:
                velocity = as_meant(velocity, gradient.shape)
            if velocity is not None and velocity.shape != gradient.shape:
                raise ShapeError(
                    f"velocity_{name} is {by(velocity.shape)}, but d{name} is {by(gradient.shape)}",
                    hint="give the velocities of this layer's last step",
                )
            for quantity in problem.sgd.step(name, parameter, gradient, velocity):
                stepped[quantity.name] = quantity
    return stepped


def check_finite(quantities: Mapping[str, Quantity]) -> None:
    """ConvgradError that names the place where a result overflows."""
    for name, quantity in quantities.items():
        if not (fine := finite(quantity.value)).all():
            index = [int(i) for i in np.argwhere(~fine)[0]]
            raise ConvgradError(
                f"{name}{index if index else ''} overflows: it is too large for {quantity.value.dtype}",
                hint="scale the operands down",
            )
