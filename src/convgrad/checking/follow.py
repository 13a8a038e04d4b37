"""What follows from an earlier answer, rightly worked: in one layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import ConvgradError
from convgrad.kinds import STEPPED
from convgrad.layers import Telling, gradients
from convgrad.layers.sgd import SGD
from convgrad.problems import Problem, Solution


@dataclass(frozen=True, eq=False, repr=False)
class LayerFollow:
    """What follows from answers to a layer's own results: one from those before it, forward and back."""

    solution: Solution

    def __call__(self, name: str) -> tuple[list[str], Callable[[Mapping[str, Array]], Array | None]]:
        """A result's name -> the earlier results that it may be worked from, the nearest first, and how."""
        problem = self.solution.problem
        values = {each: quantity.value for each, quantity in self.solution.quantities.items()}
        return before(problem, name), lambda own: Flow(problem, own, values=values).value(name)


def before(problem: Problem, name: str) -> list[str]:
    """The results of a layer that one of its results may be worked from, the nearest first."""
    ways = {"output": ["z"], "derivative": ["output", "z"], "sensitivity": ["derivative", "output", "z"]}
    if problem.activation is None:
        ways = {}
    elif not problem.activation.tells:
        ways = {"output": ["z"], "derivative": ["z"], "sensitivity": ["derivative", "z"]}
    if name in STEPPED:
        near = [each for each in step_from(name) if each != name]
        return [*near, *before(problem, near[-1])]
    if name not in gradients(problem.layer):
        return ways.get(name, [])
    told = sensitivity_in(problem)
    through = ["sensitivity", *ways["sensitivity"]] if ways else ["output"] * _depends_on_output(problem)
    return [told] * (told not in ("", name)) + through


@dataclass(frozen=True, eq=False, repr=False)
class Flow:
    """One layer, forward and back, with some of its results as a reader has them.

    own: those results, by name; delta: in the file's axes, the problem's own unless given; values: the right results,
    which a step moves from.
    """

    problem: Problem
    own: Mapping[str, Array]
    delta: Callable[[], Array | None] | None = None
    values: Mapping[str, Array] = field(default_factory=dict)

    def value(self, name: str) -> Array | None:
        """What the result would be; None where it cannot be worked."""
        with np.errstate(all="ignore"):
            try:
                return self._value(name)
            except (ConvgradError, ValueError):
                return None

    def _value(self, name: str) -> Array | None:
        problem, activation = self.problem, self.problem.activation
        if name in STEPPED:
            return self._stepped(name)
        if name == "output" and activation is None and "z" in self.own:
            return self.own["z"]
        if name == "z" or (name == "output" and activation is None):
            return problem.shorthand.lower(problem.layer.forward(problem.x).value, problem.output_axes)
        if name == "output":
            return None if activation is None else activation.forward(self._z()).value
        if name == "derivative":
            return None if activation is None else activation.derivative(self._seen())
        if name == "sensitivity":
            return self._sensitivity()
        return self._gradient(name)

    def _z(self) -> Array:
        """What goes into the activation."""
        found = self.own.get("z")
        found = self._value("z") if found is None else found
        assert found is not None
        return np.asarray(found, np.float64)

    def _seen(self) -> Array:
        """What the activation's derivative is taken at: what goes into it, or what its output tells of that."""
        activation, output = self.problem.activation, self.own.get("output")
        if output is not None and activation is not None and activation.tells and "z" not in self.own:
            return activation.inverse(output)
        return self._z()

    def _delta(self) -> Array | None:
        found = self.own.get("delta")
        if found is None:
            found = self.problem.delta if self.delta is None else self.delta()
        return None if found is None else np.asarray(found, np.float64)

    def _sensitivity(self) -> Array | None:
        delta, activation = self._delta(), self.problem.activation
        if delta is None or activation is None:
            return delta
        if "derivative" in self.own:
            return delta * self.own["derivative"]
        return activation.backward(self._seen(), delta)[0].value

    def _gradient(self, name: str) -> Array | None:
        problem, layer, x = self.problem, self.problem.layer, self.problem.x
        told, output = sensitivity_in(problem), self.own.get("output")
        through = self.own["sensitivity"] if "sensitivity" in self.own else self._sensitivity()
        if through is None or name not in gradients(layer):
            return None
        through = problem.lifted(np.asarray(through, np.float64))
        if told in self.own and told != name:
            through = np.broadcast_to(np.asarray(self.own[told], np.float64), through.shape)
        elif output is not None and problem.activation is None and isinstance(layer, Telling) and layer.tells:
            x, through = layer.told_by(problem.lifted(output), x, through)
        for quantity in layer.backward(x, through):
            if quantity.name == name:
                return problem.shorthand.lower(quantity.value, quantity.axes)
        return None

    def _stepped(self, name: str) -> Array | None:
        """A result of a step, from the reader's own gradient, or from the one that follows from what is before it."""
        if self.problem.sgd is None:
            return None
        near = {each: array for each, array in self.own.items() if each in step_from(name) and each != name}
        if not near:
            source = step_from(name)[1]
            made = self._gradient(source)
            near = {} if made is None else {source: made}
        return stepped(self.problem.sgd, name, self.values, near)


def is_work(predicted: Array, own: Iterable[Array], operands: Iterable[Array]) -> bool:
    """Whether there was anything to be worked from earlier answers: they hold more than zeros, and no operand results.

    predicted: what follows from them.
    """
    if not np.isfinite(predicted).all() or not predicted.any() or not all(array.any() for array in own):
        return False
    flat = predicted.reshape(-1)
    copies = (np.asarray(array, np.float64).reshape(-1) for array in operands if np.size(array) == flat.size)
    return not any(np.allclose(flat, array, rtol=1e-9, atol=0) for array in copies)


def sensitivity_in(problem: Problem) -> str:
    """The gradient that is every node's sensitivity: of biases, one a node, with one example; else empty."""
    layer = problem.layer
    own = [f"d{name}" for name, each in layer.parameters.items() if each.added and f"N{each.axes}" == layer.output_axes]
    return own[0] if own and len(problem.x) == 1 else ""


def step_from(name: str) -> tuple[str, str]:
    """What a result of a step, such as W_new, is made of: the velocity and the gradient of its parameter."""
    return f"velocity_{STEPPED[name]}", f"d{STEPPED[name]}"


def stepped(sgd: SGD, name: str, values: Mapping[str, Array], own: Mapping[str, Array]) -> Array | None:
    """A new parameter or a velocity, as it is with the reader's own gradient or velocity in place of the right one.

    Everything in a step is a sum, so that the right result moves by what the gradient or velocity is off by.
    """
    (velocity, source), lr = step_from(name), sgd.lr
    moved = np.asarray(values[name], np.float64)
    mu = sgd.momentum or 0.0
    if source in own:
        off = own[source] - values[source]
        moved = moved + (sgd.scale * off if name == velocity else -lr * off * (1 + mu if sgd.nesterov else 1))
    if velocity in own and name != velocity:
        off = own[velocity] - values[velocity]
        if source in own:
            off = off - sgd.scale * (own[source] - values[source])
        moved = moved + sgd.drives * off * (mu if sgd.nesterov else 1)
    return moved


def _depends_on_output(problem: Problem) -> bool:
    """Whether the gradients can be worked from the output."""
    last = problem.layer if problem.activation is None else problem.activation
    return isinstance(last, Telling) and last.tells


def with_input(problem: Problem, x: Array) -> Problem:
    """The problem on another input, given in the file's axes."""
    return replace(problem, x=problem.shorthand.lift(np.asarray(x, np.float64), problem.layer.input_axes))
