"""What follows from an earlier answer, rightly worked: in one layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import ConvgradError
from convgrad.kinds import STEPPED
from convgrad.layers import Telling, gradients
from convgrad.layers.sgd import SGD
from convgrad.problems import Problem, Solution


@dataclass(frozen=True, eq=False, repr=False)
class LayerFollow:
    """What follows from answers to a layer's own results: a step from its gradient, gradients from its output."""

    solution: Solution

    def __call__(self, name: str) -> tuple[list[str], Callable[[Mapping[str, Array]], Array | None]]:
        """A result's name -> the earlier results that it may be worked from, and how."""
        if name in STEPPED:
            near = [each for each in step_from(name) if each != name]
            return [*near, *self._sources(near[-1])], lambda own: self._step(name, own)
        return self._sources(name), lambda own: self._gradient(name, own)

    def _sources(self, name: str) -> list[str]:
        """The results that a gradient may be worked from."""
        problem = self.solution.problem
        if name not in gradients(problem.layer):
            return []
        told = sensitivity_in(problem)
        return [told] * (told not in ("", name)) + ["output"] * _depends_on_output(problem)

    def _gradient(self, name: str, own: Mapping[str, Array]) -> Array | None:
        problem = self.solution.problem
        sources = self._sources(name)
        output, sensitivity = own.get("output"), own.get(sensitivity_in(problem))
        return gradient(problem, name, output=output, sensitivity=sensitivity) if sources else None

    def _step(self, name: str, own: Mapping[str, Array]) -> Array | None:
        """A result of a step, from the reader's own gradient, or from the one that follows from what is before it."""
        problem, source = self.solution.problem, step_from(name)[1]
        if problem.sgd is None:
            return None
        values = {each: quantity.value for each, quantity in self.solution.quantities.items()}
        near = {each: array for each, array in own.items() if each in step_from(name)}
        if not near:
            made = self._gradient(source, own)
            near = {} if made is None else {source: made}
        return stepped(problem.sgd, name, values, near)


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
        moved = moved + (off if name == velocity else -lr * off * (1 + mu if sgd.nesterov else 1))
    if velocity in own and name != velocity:
        off = own[velocity] - values[velocity]
        if source in own:
            off = off - (own[source] - values[source])
        moved = moved - lr * off * (mu if sgd.nesterov else 1)
    return moved


def gradient(
    problem: Problem,
    name: str,
    delta: Array | None = None,
    output: Array | None = None,
    sensitivity: Array | None = None,
) -> Array | None:
    """A gradient with another delta, with the derivative taken from another output, or with the sensitivities given.

    None where there is no such gradient.
    """
    delta = problem.delta if delta is None else delta
    if delta is None:
        return None
    with np.errstate(all="ignore"):
        try:
            x, through = _at(problem, np.asarray(delta, np.float64), output)
            if sensitivity is not None:
                through = np.broadcast_to(np.asarray(sensitivity, np.float64), through.shape)
            for quantity in problem.layer.backward(x, through):
                if quantity.name == name:
                    return problem.shorthand.lower(quantity.value, quantity.axes)
        except ConvgradError:
            return None
    return None


def _at(problem: Problem, delta: Array, output: Array | None) -> tuple[Array, Array]:
    """The layer's own input and delta, through the activation."""
    x, layer = problem.x, problem.layer
    if problem.activation is not None:
        if output is None:
            z = problem.shorthand.lower(layer.forward(x).value, problem.output_axes)
        else:
            z = problem.activation.inverse(output)
        return x, problem.lifted(problem.activation.backward(z, delta)[0].value)
    if output is not None and isinstance(layer, Telling):
        return layer.told_by(problem.lifted(output), x, problem.lifted(delta))
    return x, problem.lifted(delta)


def _depends_on_output(problem: Problem) -> bool:
    """Whether the gradients can be worked from the output."""
    last = problem.layer if problem.activation is None else problem.activation
    return isinstance(last, Telling) and last.tells


def with_input(problem: Problem, x: Array) -> Problem:
    """The problem on another input, given in the file's axes."""
    return replace(problem, x=problem.shorthand.lift(np.asarray(x, np.float64), problem.layer.input_axes))
