"""Derivatives of the forward pass by a complex step: what gradients of this library's layers are compared with.

    f(x + i h d) = f(x) + i h (derivative of f along d) + O(h^2)

so that the imaginary part has the derivative, with no difference taken and nothing lost by it, for h as small as one
likes (Squire & Trapp 1998; Martins, Sturdza & Alonso 2003). Only the forward pass is run. It stays on the pieces that
the numbers lie on, because real parts alone decide (kinds/analytic.py), and behind every layer the real parts are set
to what the pass had there: how it was rounded cannot move a number over a kink.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from convgrad.checking.directions import Kinks, Slope, Task
from convgrad.core.element import Array, Products
from convgrad.core.quantity import Quantity
from convgrad.kinds.analytic import STEP
from convgrad.layers import Bending, gradients, weights
from convgrad.layers.activation import Activation
from convgrad.layers.loss import Loss
from convgrad.problems import Problem, Solution
from convgrad.problems.network import Pass

UNDERFLOW = 2.0**-940
"""What is lost of numbers that multiplied by h become too small for all their digits, added up."""

GRAIN = 16 * float(np.finfo(np.float64).eps)
"""What rounding may make of a sum, in parts of its summands' sizes added up."""


Onwards = Callable[[Array], float]
"""How an array moves -> how fast f does, which is worked from it."""


def layer_tasks(solution: Solution) -> list[Task]:
    """The gradients of one solved layer, as far as they are there, of f = sum of delta * output; or that of a loss."""
    problem = solution.problem
    if not problem.is_layer:
        loss: Any = problem.layer
        return [_loss_task(loss, *_compared(problem), solution.quantities["delta"])]
    assert problem.delta is not None
    delta = np.asarray(problem.delta, np.float64)
    return list(_Stage(solution, lambda moved: float((delta * moved).sum()), cost_of(problem)).tasks())


def network_tasks(done: Pass, kind: str, target: Array) -> list[Task]:
    """The gradients of every layer of a network, of its loss; delta is checked as the dX of the layer behind it."""
    last, loss = len(done.layers) - 1, Loss(kind)
    output = np.asarray(done.output, np.float64)
    first = _loss_task(loss, output, target, done.layers[last]["delta"], f"layers[{last}].delta")
    onwards: Onwards = lambda moved: _loss_slope(loss, output, target, moved)  # noqa: E731 - it grows layer by layer
    rounded, cost, found = first.largest_rounding, first.cost, [first]
    for k in reversed(range(len(done.layers))):
        cost += cost_of(done.working[k].problem)
        stage = _Stage(done.working[k], onwards, cost, rounded, f"layers[{k}].")
        tasks = list(stage.tasks())
        onwards, rounded = _before(stage), tasks[-1].largest_rounding
        found[:0] = tasks
    return found


def _before(stage: _Stage) -> Onwards:
    return lambda moved: stage.onwards(stage.moved("dX", moved))


def kinks_of(solution: Solution, prefix: str = "") -> dict[str, Kinks]:
    """What of a solved problem lies on a kink exactly: its input, what it is before its activation, a loss's output."""
    problem, layer = solution.problem, solution.problem.layer
    found: list[tuple[str, Any, Array]] = []
    if not problem.is_layer:
        loss: Any = layer
        output, target = _compared(problem)
        found.append(("output", loss, loss.bends(output, target)))
    elif isinstance(layer, Bending):
        here = layer.bends(np.asarray(problem.x, np.float64))
        found.append(("input", layer, problem.shorthand.lower(here, layer.input_axes)))
    if problem.activation is not None and problem.activation.kinks:
        found.append(("z", problem.activation, problem.activation.bends(solution.operands["z"])))
    return {f"{prefix}{name}": Kinks.of(cells, each.taken) for name, each, cells in found if np.any(cells)}


def network_kinks(done: Pass, kind: str, target: Array) -> dict[str, Kinks]:
    """The same of every layer of a network, and of its loss."""
    found: dict[str, Kinks] = {}
    for k in range(len(done.layers)):
        found |= kinks_of(done.working[k], f"layers[{k}].")
    loss = Loss(kind)
    cells = loss.bends(np.asarray(done.output, np.float64), target)
    return found | ({"output": Kinks.of(cells, loss.taken)} if np.any(cells) else {})


# -- a layer ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class _Stage:
    """A solved layer, f as a function of how its output moves, what that costs, and what rounding made of its delta."""

    solution: Solution
    onwards: Onwards
    cost: float
    rounded: float = 0.0
    prefix: str = ""

    def tasks(self) -> Iterator[Task]:
        """Its gradients, dX last."""
        through = self._rounded_through()
        for name in gradients(self.solution.problem.layer):
            if quantity := self.solution.quantities.get(name):
                rounding = self._rounding(quantity, through)
                yield Task(f"{self.prefix}{name}", quantity.value, self._slope(name), rounding, self.cost)

    def _slope(self, name: str) -> Slope:
        return lambda direction: (self.onwards(self.moved(name, direction)), 0.0)

    def moved(self, name: str, direction: Array) -> Array:
        """How the output moves where what a gradient is by, in the file's axes, moves along a direction."""
        problem = _stepped(self._whole, name, self.solution.quantities[name], direction)
        with np.errstate(all="ignore"):
            output = problem.shorthand.lower_quantity(problem.layer.forward(problem.x)).value
            if problem.activation is not None:
                z = np.asarray(self.solution.operands["z"], np.float64)
                output = problem.activation.value(z + 1j * output.imag)
        return np.asarray(output.imag / STEP)

    @cached_property
    def _whole(self) -> Problem:
        return _whole(self.solution)

    def _rounding(self, quantity: Quantity, through: float) -> Callable[[tuple[int, ...]], float]:
        """A cell's index -> what rounding may make of it; through: what it made of the delta behind the activation."""
        told = {self.solution.problem.above, "sensitivity"}
        own = isinstance(self.solution.problem.layer, Activation)

        def rounding(index: tuple[int, ...]) -> float:
            parts = quantity.explain(index).parts
            made_of = max(sum(np.abs(part.value).sum() for part in parts), quantity.made_of or 0.0)
            # what was rounded here and there adds up as squares do
            others = sum((_others(part, told) ** 2).sum() for part in parts)
            return float(GRAIN * made_of + (through if own else through * np.sqrt(others)) + UNDERFLOW)

        return rounding

    def _rounded_through(self) -> float:
        """What rounding made of the delta behind the activation, its own last digits aside; a cell's at most."""
        problem = self.solution.problem
        layer: Any = problem.layer
        activation = layer if isinstance(layer, Activation) else problem.activation
        if activation is None or problem.delta is None:
            return self.rounded
        x = problem.operands["input"] if activation is layer else self.solution.operands["z"]
        delta = np.abs(np.asarray(problem.delta, np.float64))
        if not activation.elementwise:  # what is shared by a row may cancel there
            return float((GRAIN * delta + self.rounded).max(initial=0)) * (x.shape[-1] if x.ndim else 1)
        slope, beside = (np.abs(activation.derivative(each)) for each in (x, x * (1 + GRAIN)))
        return float((slope * self.rounded + np.abs(beside - slope) * delta).max(initial=0))


def _others(part: Products, told: AbstractSet[str]) -> Array:
    """The products without the factors that are cells of some arrays."""
    factors = [np.asarray(each.value, np.float64) for each in part.columns if each.array not in told]
    return np.asarray(prod(factors, start=np.ones(len(part.columns[0].value))))


def _stepped(problem: Problem, name: str, quantity: Quantity, direction: Array) -> Problem:
    """A problem in complex numbers, with a step along a direction in what a gradient is by."""
    layer: Any = problem.layer
    step = problem.shorthand.lift(1j * STEP * np.asarray(direction), quantity.axes)
    x = np.asarray(problem.x, np.complex128)
    if name == "dX":
        return replace(problem, x=x + step)
    field = layer.parameters[name.removeprefix("d")].field
    return replace(problem, layer=replace(layer, **{field: getattr(layer, field) + step}), x=x)


def _whole(solution: Solution) -> Problem:
    """A problem with every parameter that there is a gradient by: what is not given is what changes nothing.

    Without a kernel any would do, as f is a sum of products with it.
    """
    problem, layer = solution.problem, solution.problem.layer
    missing = {
        each.field: np.full(problem.shorthand.lift(quantity.value, quantity.axes).shape, each.neutral)
        for name, each in layer.parameters.items()
        if getattr(layer, each.field) is None and (quantity := solution.quantities.get(f"d{name}")) is not None
    }
    return replace(problem, layer=replace(layer, **missing)) if missing else problem  # type: ignore[type-var]


def cost_of(problem: Problem) -> float:
    """About how many nanoseconds a complex forward pass takes."""
    places = 1 if problem.delta is None else problem.delta.size
    each = max((prod(array.shape[1:]) for array in weights(problem.layer)), default=9)
    return 3e5 + 60 * problem.x.size + 15 * places * each


# -- a loss -------------------------------------------------------------------------------------------------------


def _compared(problem: Problem) -> tuple[Array, Array]:
    return np.asarray(problem.operands["output"], np.float64), np.asarray(problem.operands["target"], np.float64)


def _loss_slope(loss: Loss, output: Array, target: Array, moved: Array) -> float:
    """How fast a loss grows where its output moves."""
    with np.errstate(all="ignore"):
        return float(loss.backward(output + 1j * STEP * moved, target)[0].value.imag / STEP)


def _loss_task(loss: Loss, output: Array, target: Array, delta: Quantity, name: str = "delta") -> Task:
    """The gradient of a loss."""

    def rounding(index: tuple[int, ...]) -> float:
        return float(GRAIN * sum(np.abs(part.value).sum() for part in delta.explain(index).parts) + UNDERFLOW)

    def slope(direction: Array) -> tuple[float, float]:
        return _loss_slope(loss, output, target, direction), 0.0

    return Task(name, delta.value, slope, rounding, 1e5 + 150 * output.size)
