"""A report as a PyTorch program: the same computation, its arrays and options filled in, compared with convgrad's.

It is what one would write by hand for that layer, and prints, result by result, PyTorch's numbers and the largest
difference; it ends with 1 where that is more than rounding. What PyTorch has no layer for is written with its
parts. The working and the explanations are no part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from convgrad.errors import OptionError
from convgrad.layers.loss import Loss
from convgrad.render.pytorch import network, rounding, simple
from convgrad.render.pytorch.layers import part
from convgrad.render.pytorch.names import Names
from convgrad.render.pytorch.program import Program, TooLongError
from convgrad.render.pytorch.sgd import step
from convgrad.render.pytorch.undecided import Undecided
from convgrad.render.writer import Accompanied, Writer

if TYPE_CHECKING:
    from convgrad.core.element import Array
    from convgrad.kinds.functions import LossRow
    from convgrad.problems import Problem
    from convgrad.problems.report import Facts, Report

FORWARD = ("output", "indices", "loss")
"""The results that need no backward pass."""


class Torch(Writer):
    """The text of a program; where it would be too long to read, with its numbers in a file beside it."""

    def report(self, report: Report) -> str | Accompanied:
        """A layer or a loss."""
        values = {name: quantity.value for name, quantity in report.results.items()}
        assert report.problem is not None
        layer = report.problem.layer
        _refuse_inner(values)
        if isinstance(layer, Loss):
            output, target = report.operands["output"], report.operands["target"]
            row = layer.row.taken(output.shape, target.shape)
            return self._program(report.title, output, lambda program: _loss(program, row, output, target, values))
        problem, z = report.problem, report.operands.get("z")
        return self._program(report.title, problem.x, lambda program: _layer(program, problem, values, z))

    def facts(self, facts: Facts) -> str | Accompanied:
        """A pass through a network, for the results wanted; OptionError for other facts."""
        if facts.network is not None:
            _refuse_inner(facts.arrays())
        if facts.network is None:
            raise OptionError(
                "there is no PyTorch program of this", hint="layers, losses and backprop have one; use json or table"
            )
        done, values = facts.network, facts.arrays()
        return self._program(facts.title, done.output, lambda program: network.write(program, done, values))

    def _program(self, title: str, computed: Array, fill: Callable[[Program], None]) -> str | Accompanied:
        """A program of what was computed in an array's dtype; TooLongError where its numbers have no place to go."""
        program = Program(title, computed.dtype, self.style.precision)
        try:
            fill(program)
        except TooLongError:
            if not self.style.beside:
                raise
            program = Program(title, computed.dtype, self.style.precision, stored={})
            fill(program)
        return program.written()


def _layer(program: Program, problem: Problem, values: dict[str, Array], z: Array | None) -> None:
    back = [name for name in values if name not in FORWARD]
    operands = [program.declare("x", problem.operands["input"], "dX" in back)]
    undecided = Undecided(problem, z)
    made = part(program, undecided, values, Names())
    operands += made.operands
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
    carried = undecided.carried() if back else {}
    for name, value in values.items():
        program.compare(name, results[name], value, sizes[name], carried.get(name))


def _refuse_inner(names: Iterable[str]) -> None:
    """OptionError for a result that autograd does not give."""
    for name in names:
        if name.rpartition(".")[2] in ("z", "derivative", "sensitivity"):
            hint = "leave it out of --only, or use another format"
            raise OptionError(f"a PyTorch program compares outputs and gradients, and {name} is neither", hint=hint)


def _loss(program: Program, row: LossRow, output: Array, target: Array, values: dict[str, Array]) -> None:
    wanted = "delta" in values
    program.add(
        [
            program.declare("output", output, wanted),
            program.declare("target", simple.targets(row, output, target)),
        ]
    )
    program.add(simple.loss(row, "output", output, target), ["loss.backward()"] if wanted else [])
    sizes = rounding.loss_sizes(row, output, target, 0.0)
    for name, expression, bound in zip(("loss", "delta"), ("loss", "output.grad"), sizes, strict=True):
        if name in values:
            program.compare(name, expression, values[name], bound)
