"""Analytic gradients against central differences, in float64.

    numerical gradient = (f(x + h) - f(x - h)) / 2h      of f = sum of delta * output, or of a loss

At a kink (relu at 0, equal maxima, the corner of |x|) the slopes on the two sides differ however small h is, and no
central difference tells what the gradient should be: such cells are reported as kinks, not as failures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from typing import Any, ClassVar

import numpy as np

from convgrad.core.element import Array
from convgrad.core.quantity import Quantity
from convgrad.errors import ConvgradError
from convgrad.layers import gradients, weights
from convgrad.layers.loss import Loss
from convgrad.problems import Problem, Solution, solve
from convgrad.problems.network import Pass
from convgrad.problems.noise import noise_of

STEP = 1e-5
"""h, in parts of the numbers' own size."""

FINER = (1.0, 1 / 300)
"""What h is multiplied by, one after the other, where a cell does not agree or seems to lie on a kink."""

TOLERANCE = 1e-6
"""Largest difference, in parts of the largest gradient (the rounding of f besides)."""

MOST_WORK = 3e9
"""Estimated work, in nanoseconds, up to which all cells of a gradient are compared; past it, a sample."""

SAMPLE, DIRECTIONS = (16, 128), 4
"""Fewest and most cells of a sample, and the random directions in which all cells move at once."""

Values = Callable[[Array], Array]
"""What is summed up to f, as a function of what the gradient is by."""


@dataclass(frozen=True, eq=False, repr=False)
class Task:
    """One gradient to be compared: by what (`at`), the analytic gradient there, f, and what a call costs in ns."""

    name: str
    at: Array
    analytic: Array
    values: Values
    cost: float
    rounding: float = 0.0
    """How far rounding may take the analytic gradient from what it is."""

    @property
    def cells(self) -> int:
        """How many cells are compared."""
        affordable = int(MOST_WORK / (2 * self.cost))
        return (
            self.at.size
            if affordable >= self.at.size
            else min(self.at.size, max(SAMPLE[0], min(SAMPLE[1], affordable)))
        )


@dataclass(frozen=True)
class Cell:
    """A cell whose gradients differ: its index, analytic and numerical."""

    index: tuple[int, ...]
    analytic: float
    numerical: float


@dataclass(frozen=True, eq=False, repr=False)
class Compared:
    """How one gradient compares: the cells it has, those compared, those on a kink, those that differ.

    largest: the largest difference away from kinks; directions: how many random directions agreed, where cells were
    only sampled.
    """

    name: str
    total: int
    compared: int
    largest: float = 0.0
    kinks: tuple[tuple[int, ...], ...] = ()
    differs: tuple[Cell, ...] = ()
    directions: int = 0
    astray: int = 0
    """Random directions in which the slope differs."""

    @property
    def verdict(self) -> str:
        """``agrees`` or ``differs``."""
        return "differs" if self.differs or self.astray else "agrees"


@dataclass(frozen=True, eq=False, repr=False)
class Gradcheck:
    """How all gradients compare, by name."""

    noun: ClassVar[str] = "gradcheck"
    called: ClassVar[str] = "a comparison is"

    title: str
    gradients: Mapping[str, Compared] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """``agrees`` where all do, else ``differs``."""
        return "differs" if any(each.verdict == "differs" for each in self.gradients.values()) else "agrees"


def gradcheck(title: str, tasks: list[Task], tick: Callable[[], None] = lambda: None) -> Gradcheck:
    """Compare gradients; `tick` is called after every cell."""
    return Gradcheck(title, {task.name: compare(task, tick) for task in tasks})


def compare(task: Task, tick: Callable[[], None] = lambda: None) -> Compared:
    """One gradient, cell by cell; of a large one a sample, and some directions in which all cells move at once."""
    at, analytic = np.asarray(task.at, np.float64), np.asarray(task.analytic, np.float64)
    probe = _Probe(task.values, at, float(np.abs(analytic).max(initial=0)), task.rounding)
    random = np.random.default_rng(0)
    chosen = np.arange(at.size) if task.cells == at.size else np.sort(random.choice(at.size, task.cells, replace=False))
    largest, kinks, differs = 0.0, [], []
    for number in chosen:
        index = tuple(int(i) for i in np.unravel_index(number, at.shape))
        direction = np.zeros(at.shape)
        direction[index] = 1
        kind, numerical = probe.judged(direction, float(analytic[index]), abs(float(at[index])))
        if kind == "kink":
            kinks.append(index)
        else:
            largest = max(largest, abs(numerical - float(analytic[index])))
        if kind == "differs":
            differs.append(Cell(index, float(analytic[index]), numerical))
        tick()
    found = Compared(task.name, at.size, len(chosen), largest, tuple(kinks), tuple(differs))
    if len(chosen) == at.size:
        return found
    directions = [random.choice((-1.0, 1.0), at.shape) for _ in range(DIRECTIONS)]
    kinds = [probe.judged(each, float((analytic * each).sum()), 0.0)[0] for each in directions]
    return replace(found, directions=kinds.count("agrees"), astray=kinds.count("differs"))


@dataclass(frozen=True, eq=False, repr=False)
class _Probe:
    """Slopes of a function at a point; rounding: what is as good as 0 of an analytic gradient."""

    values: Values
    at: Array
    steepest: float
    rounding: float

    def judged(self, direction: Array, analytic: float, size: float) -> tuple[str, float]:
        """(agrees, kink or differs; the numerical slope) along a direction, for cells of a size."""
        usual = float(np.sqrt((self.at**2).mean())) if self.at.size else 0.0
        step = STEP * (max(size, usual) or 1.0)
        step = self._felt(direction, step) if abs(analytic) > self.rounding else step
        slope, kinked = 0.0, False
        for finer in FINER:
            left, right, noise = self._slopes(direction, step * finer)
            if np.isnan(left) or np.isnan(right):
                return "kink", analytic  # the edge of what the function takes
            slope = (left + right) / 2
            largest = max(abs(left), abs(right), abs(analytic))
            bend = abs(left - right)  # of a smooth function as small as the step, though its slope be 0
            near = noise + self.rounding
            kinked = bend > 1e-2 * largest + 4 * near and bend > 1e-4 * self.steepest
            if not kinked and abs(slope - analytic) <= TOLERANCE * max(self.steepest, largest) + near:
                return "agrees", slope
        return ("kink" if kinked else "differs"), slope

    def _felt(self, direction: Array, step: float) -> float:
        """A step that does not vanish beside the function's own numbers, as a bias may beside a large output."""
        here = self._here
        while here is not None and step < 1e290:
            there = self._value(self.at + step * direction)
            if there is None or (there != here).any():
                break
            step *= 1e4
        return step

    def _slopes(self, direction: Array, step: float) -> tuple[float, float, float]:
        """(slope on the left, on the right, what the rounding of f may make of them); nan where f is not defined."""
        ahead, behind = (self._value(self.at + k * step * direction) for k in (1, -1))
        here = self._here
        if here is None:
            raise ConvgradError("the function has no value here, so its slopes cannot be compared")
        if ahead is None or behind is None:
            return float("nan"), float("nan"), 0.0
        moved = (ahead != here) | (behind != here)
        noise = 8 * np.finfo(np.float64).eps * float(np.abs(here[moved]).sum()) / step
        return float((here - behind).sum() / step), float((ahead - here).sum() / step), noise

    @cached_property
    def _here(self) -> Array | None:
        return self._value(self.at)

    def _value(self, at: Array) -> Array | None:
        try:
            with np.errstate(all="ignore"):
                return np.asarray(self.values(at), np.float64)
        except ConvgradError:
            return None


# -- what is compared -------------------------------------------------------------------------------------


def layer_tasks(solution: Solution) -> list[Task]:
    """The gradients of one solved layer, as far as they are there, of f = sum of delta * output; or that of a loss."""
    problem = solution.problem
    if not problem.is_layer:
        loss: Any = problem.layer
        output, target = problem.operands["output"], problem.operands["target"]
        return [loss_task(loss.kind, output, target, solution.quantities["delta"].value)]
    assert problem.delta is not None
    if "output" in problem.left_out:  # without a kernel: any would do, as f is a sum of products with it
        for name, quantity in solution.quantities.items():
            if name.removeprefix("d") in problem.layer.parameters:
                at, change = _variable(problem, name, quantity)
                problem = change(at)
    delta, names = np.asarray(problem.delta, np.float64), gradients(problem.layer)

    def task(name: str, quantity: Quantity) -> Task:
        at, change = _variable(problem, name, quantity)
        noise = noise_of(solution, name)
        return Task(name, at, quantity.value, lambda array: delta * _output(change(array)), _cost(problem), noise)

    return [task(name, quantity) for name, quantity in solution.quantities.items() if name in names]


def loss_task(kind: str, output: Array, target: Array, delta: Array, name: str = "delta") -> Task:
    """The gradient of a loss."""
    return Task(name, output, delta, lambda array: Loss(kind).backward(array, target)[0].value, 1e5 + 50 * output.size)


def network_tasks(done: Pass, kind: str, target: Array) -> list[Task]:
    """The gradients of every layer of a network, of its loss; delta is checked as the dX of the layer behind it."""
    found = [done.working[k].problem for k in range(len(done.layers))]
    tasks: list[Task] = []
    cost = sum(map(_cost, found))
    for k, problem in enumerate(found):
        for name in gradients(problem.layer):
            if name not in done.layers[k]:
                continue
            quantity = done.layers[k][name]
            at, change = _variable(problem, name, quantity)

            def values(array: Array, k: int = k, change: Callable[[Array], Problem] = change) -> Array:
                here = _output(change(array))
                for later in range(k + 1, len(found)):
                    here = _output(_variable(found[later], "dX", done.layers[later]["dX"])[1](here))
                return Loss(kind).backward(here, target)[0].value

            noise = noise_of(done.working[k], name)
            tasks.append(Task(f"layers[{k}].{name}", at, quantity.value, values, cost, noise))
    last = len(found) - 1
    delta = done.layers[last]["delta"].value
    tasks.append(loss_task(kind, np.asarray(done.output, np.float64), target, delta, f"layers[{last}].delta"))
    return tasks


def _variable(problem: Problem, name: str, quantity: Quantity) -> tuple[Array, Callable[[Array], Problem]]:
    """(what a gradient is by, in the file's axes; the problem with that replaced)."""
    shorthand, axes = problem.shorthand, quantity.axes
    if name == "dX":
        at = np.asarray(problem.operands["input"], np.float64)
        return at, lambda array: replace(problem, x=shorthand.lift(array, axes))
    layer: Any = problem.layer
    parameter = layer.parameters[name.removeprefix("d")]
    own = getattr(layer, parameter.field)
    # what is not given is as good as what changes nothing
    missing = np.full(quantity.value.shape, parameter.neutral)
    at = missing if own is None else np.asarray(shorthand.lower(own, axes), np.float64)
    return at, lambda array: replace(problem, layer=replace(layer, **{parameter.field: shorthand.lift(array, axes)}))


def _output(problem: Problem) -> Array:
    forward = solve.forward(replace(problem, delta=None, passes=("forward",)))
    return np.asarray(forward.quantities["output"].value, np.float64)


def _cost(problem: Problem) -> float:
    """About how many nanoseconds a forward pass takes."""
    places = 1 if problem.delta is None else problem.delta.size
    each = max((prod(array.shape[1:]) for array in weights(problem.layer)), default=9)
    return 3e5 + 20 * problem.x.size + 6 * places * each
