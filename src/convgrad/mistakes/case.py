"""A solved problem that can be solved again, and its variants: the same with something changed.

Mistakes of the kind "a slightly different problem, solved rightly" are variants of a case. Everything is computed by
the layers themselves; what is wrong is only what they are told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from convgrad.core.element import Array
from convgrad.core.quantity import Quantity
from convgrad.core.windows import Windows
from convgrad.errors import ConvgradError
from convgrad.kinds import STEPPED
from convgrad.layers import Sliding
from convgrad.layers.sgd import SGD
from convgrad.problems import Operand, Problem, Solution
from convgrad.problems.noise import noise_of

if TYPE_CHECKING:
    from convgrad.layers.activation import Activation
    from convgrad.mistakes.tried import Remembered

Solver = Callable[[Mapping[str, Operand], Mapping[str, Any], bool], Solution]
"""(operands, settings, whether backward) -> the solved problem."""


@dataclass(frozen=True, eq=False, repr=False)
class Case:
    """A solved problem, on which mistakes are made.

    solver, operands, settings and backward: what solves it, or a slightly different one, again; solution: the right
    results.
    """

    solver: Solver
    operands: Mapping[str, Operand]
    settings: Mapping[str, Any]
    backward: bool
    solution: Solution

    @classmethod
    def of(cls, solver: Solver, operands: Mapping[str, Operand], settings: Mapping[str, Any], backward: bool) -> Case:
        """The case of these arrays and settings, solved; ConvgradError where they are no problem."""
        return cls(solver, operands, settings, backward, solver(operands, settings, backward))

    def solved(self, **settings: Any) -> Case:
        """The same with other settings, solved anew."""
        return Case.of(self.solver, self.operands, {**self.settings, **settings}, self.backward)

    @property
    def problem(self) -> Problem:
        """The problem at full rank."""
        return self.solution.problem

    @property
    def layer(self) -> str:
        """What the layer is known as: conv, transposed, unshared, pool, dense, activation or loss."""
        return self.problem.layer.known_as

    def right(self, name: str) -> Array:
        """The right value of the result `name`, in the file's axes."""
        return self.solution.quantities[name].value

    @cached_property
    def _noises(self) -> dict[str, float]:
        return {}

    def noise(self, name: str) -> float:
        """How far the result `name` may be from what exact arithmetic gives."""
        if name not in self._noises:
            self._noises[name] = noise_of(self.solution, name)
        return self._noises[name]

    @cached_property
    def remembered(self) -> dict[tuple[str, str], Remembered]:
        """What searches tried against answers, by the result and what was tried: the same for every other answer."""
        return {}

    @cached_property
    def in_float64(self) -> Case:
        """The same case, solved in float64: what explains an answer need not be computed as the result was."""
        return self if self.settings.get("dtype", "float64") == "float64" else self.solved(dtype="float64")

    @cached_property
    def opened(self) -> Variant | None:
        """The case as a variant in which nothing is changed yet, None for a loss."""
        problem = self.problem
        if not problem.is_layer:
            return None
        delta = None
        if problem.delta is not None:
            through = self.solution.operands.get("sensitivity", problem.delta)
            delta = problem.lifted(np.asarray(through))
        layer: Any = problem.layer
        windows = layer.windows(problem.x) if isinstance(layer, Sliding) else None  # worked out once for all variants
        return Variant(self, problem, layer, problem.x, delta, windows, problem.sgd)


@dataclass(frozen=True, eq=False, repr=False)
class Variant:
    """A problem at full rank, to be changed and solved again.

    layer: of convgrad.layers; x (N, C, *sizes); delta: of the layer's own output, through the activation behind it;
    windows: where the kernel is believed to lie, None for layers without; step: what is done with the gradient; sent:
    what an activation that is the layer itself sends back, None for what it does.
    """

    case: Case
    problem: Problem
    layer: Any
    x: Array
    delta: Array | None
    windows: Windows | None = None
    step: SGD | None = None
    sent: Array | None = None

    @property
    def d(self) -> int:
        """Number of spatial axes."""
        return self.x.ndim - 2

    @property
    def places(self) -> Windows:
        """Where the kernel is believed to lie; ConvgradError for a layer without windows."""
        if self.windows is None:
            raise ConvgradError("the layer has no windows")
        return self.windows

    @property
    def kernel(self) -> Array:
        """The layer's kernel, at full rank; ConvgradError where there is none."""
        kernel: Array | None = self.layer.kernel
        if kernel is None:
            raise ConvgradError("there is no kernel")
        return kernel

    def with_layer(self, **changes: Any) -> Variant:
        """The variant with other options of its layer; where the kernel lies follows from them unless it is set."""
        return replace(self, layer=replace(self.layer, **changes))

    def solved(self, name: str) -> Array | None:
        """The result `name` in the file's axes; None where the changed problem has no such result, or it overflows."""
        try:
            with np.errstate(all="ignore"):
                value = self._solved(name)
        except (ConvgradError, ValueError, IndexError, ZeroDivisionError, AssertionError):
            return None  # a change that does not fit this problem, as a mistake it could not be made here
        return None if value is None or not np.isfinite(value).all() else value

    def _solved(self, name: str) -> Array | None:
        if name in STEPPED:
            gradient = self._solved(f"d{STEPPED[name]}")
            return None if gradient is None else self.stepped(name, gradient)
        layer = self.layer if self.windows is None else replace(self.layer, placed=self.windows)
        if name == "output":
            z = self.lowered(layer.forward(self.x))
            after = self.problem.activation
            return z if after is None else after.forward(z).value
        if self.delta is None:
            return None
        if self.sent is not None:
            return self.sent if name == "dX" else None
        found = {quantity.name: quantity for quantity in layer.backward(self.x, self.delta)}
        return self.lowered(found[name]) if name in found else None

    @property
    def activated(self) -> tuple[Activation, Array, Array] | None:
        """The activation, its input z and the delta from above, as the file has them; None without one."""
        problem = self.problem
        if problem.delta is None:
            return None
        if self.case.layer == "activation":
            return self.layer, problem.x, problem.delta
        z = self.case.solution.operands.get("z")
        return None if problem.activation is None or z is None else (problem.activation, z, problem.delta)

    def sending(self, dZ: Array) -> Variant:
        """The variant whose activation sends back dZ, in the file's axes."""
        if self.case.layer == "activation":
            return replace(self, sent=dZ)
        return replace(self, delta=self.problem.lifted(dZ))

    def lowered(self, quantity: Quantity) -> Array:
        """A layer's quantity as the file would have it."""
        return self.problem.shorthand.lower(quantity.value, quantity.axes)

    def stepped(self, name: str, gradient: Array) -> Array | None:
        """The result `name` of a step with that gradient, in the file's axes; None where it does not fit."""
        short = STEPPED[name]
        parameter = self.parameter(short)
        if self.step is None or parameter is None or parameter.shape != gradient.shape:
            return None
        velocity = self.problem.operands.get(f"velocity_{short}")
        found = {each.name: each.value for each in self.step.step(short, parameter, gradient, velocity)}
        return found.get(name)

    def parameter(self, short: str) -> Array | None:
        """W or b in the shape of its gradient, None where it is not given."""
        array = self.problem.operands.get(self.problem.parameters.get(short, ""))
        quantity = self.case.solution.quantities.get(f"d{short}")
        if array is None or quantity is None:
            return None
        shape = quantity.value.shape
        return array.reshape(shape) if array.size == quantity.value.size else np.broadcast_to(array, shape)
