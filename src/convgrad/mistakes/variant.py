"""A solved problem, opened again: the same layer on other arrays, with other options or another idea of its windows.

Mistakes of the kind "a slightly different problem, solved rightly" are changes of a Setup. Everything is computed by
the layers themselves; what is wrong is only what they are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from convgrad.core.axis import Axis, Ragged
from convgrad.core.quantity import Array, Quantity
from convgrad.core.windows import Windows
from convgrad.errors import ConvgradError
from convgrad.layers.sgd import SGD
from convgrad.mistakes import Subject
from convgrad.problems import Problem

if TYPE_CHECKING:
    from convgrad.layers.activation import Activation

STEPPED = {"W_new": "W", "b_new": "b", "velocity_W": "W", "velocity_b": "b"}
"""Results of a step of gradient descent, and the parameter whose step it is."""


@dataclass(frozen=True, eq=False, repr=False)
class Setup:
    """A problem at full rank, to be changed and solved again.

    layer: of convgrad.layers; x (N, C, *sizes); delta: of the layer's own output, through the activation behind it;
    windows: where the kernel is believed to lie, None for layers without; step: what is done with the gradient; sent:
    what an activation that is the layer itself sends back, None for what it does.
    """

    subject: Subject
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

    def with_layer(self, **changes: Any) -> Setup:
        """The setup with other options of its layer; where the kernel lies follows from them unless it is set."""
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
        if self.subject.layer == "activation":
            return self.layer, problem.x, problem.delta
        z = self.subject.solution.operands.get("z")
        return None if problem.activation is None or z is None else (problem.activation, z, problem.delta)

    def sending(self, dZ: Array) -> Setup:
        """The setup whose activation sends back dZ, in the file's axes."""
        if self.subject.layer == "activation":
            return replace(self, sent=dZ)
        return replace(self, delta=self.problem.shorthand.lift(dZ, self.problem.output_axes))

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
        quantity = self.subject.solution.quantities.get(f"d{short}")
        if array is None or quantity is None:
            return None
        shape = quantity.value.shape
        return array.reshape(shape) if array.size == quantity.value.size else np.broadcast_to(array, shape)


@lru_cache(maxsize=64)
def opened(subject: Subject) -> Setup | None:
    """The setup of a subject's own problem, None for a loss."""
    problem = subject.problem
    if problem is None:
        return None
    delta = None
    if problem.delta is not None:
        through = subject.solution.operands.get("sensitivity", problem.delta)
        delta = problem.shorthand.lift(np.asarray(through), problem.output_axes)
    layer: Any = problem.layer
    windows = layer.windows(problem.x) if hasattr(layer, "windows") else None  # worked out once, not at every change
    return Setup(subject, problem, layer, problem.x, delta, windows, problem.sgd)


def relaid(setup: Setup, name: str, pinned: bool = False, **changes: Sequence[int]) -> Setup | None:
    """The setup with another stride, dilation, before or after, one number an axis; None where it cannot be.

    Of a gradient the places are those of the delta, whatever the belief; of an output they follow from it, unless
    they are `pinned`. A window that hangs over the end sees zeros there.
    """
    windows = setup.places
    axes = []
    for number, axis in enumerate(windows.axes):
        if isinstance(axis, Ragged):
            return None
        own: dict[str, Any] = {key: values[number] for key, values in changes.items()}
        if min(own.get("stride", 1), own.get("dilation", 1)) < 1:
            return None
        turned = setup.subject.layer == "transposed"
        if name == "output" and not pinned:
            axes.append(_grown(axis, own) if turned else replace(axis, **own))
        else:
            axes.append(_pinned(axis, own))
        if axes[-1].places < 1 or axes[-1].size < 1:
            return None
    return replace(setup, windows=replace(windows, axes=tuple(axes)))


def _pinned(axis: Axis, own: dict[str, Any]) -> Axis:
    """The axis with as many places as it had, and room for them."""
    places = axis.places
    changed = replace(axis, **own, ceil=False, most=places)
    short = (places - 1) * changed.stride + changed.span - changed.padded
    return replace(changed, after=changed.after + max(0, short))


def _grown(axis: Axis, own: dict[str, Any]) -> Axis:
    """The output axis of a transposed convolution, with the size that follows from its places."""
    places = axis.places
    extra = axis.size - ((places - 1) * axis.stride + axis.span - axis.before - axis.after)
    changed = replace(axis, **own)
    size = (places - 1) * changed.stride + changed.span - changed.before - changed.after + extra
    return replace(changed, size=size)


def sizes_of(windows: Windows, field: str) -> tuple[int, ...]:
    """One field of the axes of `windows`: stride, dilation, before, after, size, kernel."""
    return tuple(getattr(axis, field) for axis in windows.axes)
