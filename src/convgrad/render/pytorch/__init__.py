"""A report as a PyTorch program: the same computation, its arrays and options filled in, compared with convgrad's.

It is what one would write by hand for that layer, and prints, result by result, PyTorch's numbers and the largest
difference; it ends with 1 where that is more than rounding. What PyTorch has no layer for is written with its
parts. The working and the explanations are no part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from convgrad.render.pytorch import rounding, simple
from convgrad.render.pytorch.layers import part
from convgrad.render.pytorch.names import Names
from convgrad.render.pytorch.program import Program
from convgrad.render.pytorch.step import step

if TYPE_CHECKING:
    from convgrad.core.quantity import Array
    from convgrad.problems import Problem
    from convgrad.problems.network import Pass
    from convgrad.problems.report import Report

FORWARD = ("output", "indices", "loss")
"""The results that need no backward pass."""


def render_torch(report: Report, precision: int | None = None) -> str:
    """A report of a layer or a loss -> the text of a program; OptionError where it would be too long to read."""
    values = {name: quantity.value for name, quantity in report.results.items()}
    if report.problem is None:
        output, target = report.operands["output"], report.operands["target"]
        program = Program(report.title, output.dtype, precision)
        _loss(program, report.settings.get("kind", "mse"), output, target, values)
    else:
        program = Program(report.title, report.problem.x.dtype, precision)
        _layer(program, report.problem, values, report.operands.get("z"))
    return program.text()


def _layer(program: Program, problem: Problem, values: dict[str, Array], z: Array | None) -> None:
    back = [name for name in values if name not in FORWARD]
    operands = [program.declare("x", problem.operands["input"], "dX" in back)]
    made = part(program, problem, values, Names(), z)
    operands += made.parameters
    if back:
        assert problem.delta is not None
        operands.append(program.declare("delta", problem.delta))
    program.add(operands)
    program.add(made.forward, ["output.backward(delta)"] if back else [])
    results = made.results | {"dX": "x.grad"}
    if made.updated and problem.sgd is not None:
        lines, found = step(problem.sgd, made.updated)
        program.add(lines)
        results |= found
    x = rounding.size(problem.x)
    sizes = {"output": rounding.output_size(problem, x)[1], "indices": 0.0}
    if back:
        sizes |= rounding.gradient_sizes(problem, x, rounding.size(problem.delta))
    for name, value in values.items():
        program.compare(name, results[name], value, sizes[name])


def _loss(program: Program, kind: str, output: Array, target: Array, values: dict[str, Array]) -> None:
    wanted = "delta" in values
    program.add(
        [
            program.declare("output", output, wanted),
            program.declare("target", simple.targets(kind, output, target)),
        ]
    )
    program.add(simple.loss(kind, "output", output, target), ["loss.backward()"] if wanted else [])
    sizes = rounding.loss_sizes(kind, output, target, 0.0)
    for name, expression, bound in zip(("loss", "delta"), ("loss", "output.grad"), sizes, strict=True):
        if name in values:
            program.compare(name, expression, values[name], bound)


def render_network(title: str, done: Pass, values: dict[str, Array], precision: int | None = None) -> str:
    """A pass through a network, and the results wanted by path (``layers[0].dW``) -> the text of a program."""
    from convgrad.render.pytorch.network import write

    program = Program(title, done.output.dtype, precision)
    write(program, done, values)
    return program.text()
