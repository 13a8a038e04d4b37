"""What rounding decides: which of two slopes is taken where a number lies on a kink but for rounding.

There PyTorch, which adds up in another order or has no fractions, may take the other one, and both are right: relu at
0, equal maxima of a pooling layer, mae where an output equals its target. From such a cell the difference goes on into
the gradients. How far it may carry each of their cells is a sum like the gradient's own, of sizes in place of numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from convgrad.core.element import Array, element_name
from convgrad.core.rational import rational
from convgrad.kinds.losses import LOSSES
from convgrad.layers.activation import Activation
from convgrad.layers.loss import Loss
from convgrad.problems import Problem
from convgrad.render.pytorch import rounding

BESIDE = 1e-12
"""How far beside a kink a slope is the one on that side."""

MOST_NAMED = 4
"""Cells that a remark names; more are counted."""


@dataclass(frozen=True, eq=False)
class Undecided:
    """What rounding decides in one layer with its activation.

    z: what comes before the activation, as the file has its axes, None where there is none; given: how large the
    numbers are that each cell of the input is summed from, 0 where it is exact; None for an input from a file.
    """

    problem: Problem
    z: Array | None = None
    given: Array | None = None

    # -- on the way forward ---------------------------------------------------------------------------

    @cached_property
    def activation(self) -> Activation | None:
        """The activation: behind the layer, or the layer itself."""
        layer = self.problem.layer
        found = layer if isinstance(layer, Activation) else self.problem.activation
        return None if found is None or found.row.idle else found

    @cached_property
    def x(self) -> Array:
        """The input, at full rank."""
        return _floats(self.problem.x)

    @cached_property
    def wide(self) -> Array:
        """How large the numbers are that the input is summed from, at full rank."""
        if self.given is not None:
            return self.problem.shorthand.lift(self.given, self.problem.layer.input_axes)
        # PyTorch has no fractions, and so not every decimal
        return np.abs(self.x) * (rational(self.problem.x) and not _sums_exactly(self.x))

    @cached_property
    def before(self) -> Array:
        """What the activation is applied to."""
        return self.x if self.z is None else _floats(self.z)

    @cached_property
    def summed(self) -> Array:
        """How large the numbers are that the layer's own output is summed from, in the file's axes."""
        layer, wide = self.problem.layer, self.wide
        if isinstance(layer, Activation):
            return wide
        if "W" in layer.parameters:
            exact = not wide.any() and all(map(_sums_exactly, (self.x, *_sizes_of(layer).values())))
            made = replace(layer, **_sizes_of(layer)).forward(np.maximum(np.abs(self.x), wide))  # type: ignore[type-var]
            return self.problem.shorthand.lower(made.value, made.axes) * (not exact)
        lowered = self.problem.shorthand.lower_quantity(layer.forward(wide if self._moves else self.problem.x))
        if self._moves:
            return lowered.value
        largest = max(rounding.size(self.x), rounding.size(wide))
        return np.full(lowered.shape, rounding.output_size(self.problem, largest)[0])

    @property
    def _moves(self) -> bool:
        """Whether the layer gives numbers of its input as they are."""
        layer: Any = self.problem.layer
        return layer.known_as == "flatten" or (layer.known_as == "pool" and layer.kind == "max")

    @cached_property
    def on_kink(self) -> Array:
        """The cells before the activation that lie on a kink of it but for rounding."""
        kinks = self.activation.kinks if self.activation is not None else ()
        return _near(self.before, self.summed, kinks) if kinks else np.zeros(0, bool)

    @cached_property
    def sizes(self) -> Array:
        """How large the numbers are that the output is summed from, 0 where it is exact, in the file's axes."""
        layer = self.activation
        if layer is None:
            return self.summed
        if not layer.elementwise:
            steep = layer.row.bounds(rounding.size(self.before), layer.used_alpha)[1]
            return np.full(self.before.shape, 1 + steep * rounding.size(self.summed))
        slope = np.abs(layer.derivative(self.before))
        slope = np.maximum(slope, self.on_kink) if self.on_kink.size else slope
        keeps = layer.row.straight and not (layer.row.alpha or layer.row.ramp)  # relu gives 0, or its input
        return np.asarray(slope * self.summed + (0.0 if keeps else np.abs(layer.value(self.before))))

    @cached_property
    def ties(self) -> Array:
        """(N, C, *places, *kernel): the cells of a window that rounding may make its maximum, where that is several."""
        layer: Any = self.problem.layer
        if layer.known_as != "pool" or layer.kind != "max" or not self.wide.any():
            return np.zeros(0, bool)
        windows = layer.windows(self.x)
        seen, far, over = layer.seen(self.x, windows), windows.unfold(self.wide), tuple(range(-len(windows.axes), 0))
        top = seen.max(over, keepdims=True)
        highest = np.where(seen == top, far, 0).max(over, keepdims=True)
        near = top - seen <= _rounding_of(self.x) * (far + highest)
        several = (near.sum(over, keepdims=True) > 1) & (near & (far > 0)).any(over, keepdims=True)
        if self.given is None:  # equal fractions are equal numbers for PyTorch too
            exactly = layer.seen(self.problem.x, windows)
            several = several & (near & (exactly != exactly.max(over, keepdims=True))).any(over, keepdims=True)
        return np.asarray(near & several)

    def remark(self, called: str) -> list[str]:
        """What to say above the activation of what is called so; nothing where all is decided."""
        if not self.on_kink.any() or self.activation is None:
            return []
        places = [tuple(map(int, each)) for each in np.argwhere(self.on_kink)]
        cells = ", ".join(element_name(called, each) for each in places[:MOST_NAMED])
        more = f" and {len(places) - MOST_NAMED} more cells" if len(places) > MOST_NAMED else ""
        kinks = " or ".join(f"{kink:g}" for kink in self.activation.kinks)
        return [
            f"# {cells}{more} {'is' if len(places) == 1 else 'are'} {kinks} but for rounding, which decides between "
            f"two slopes of {self.activation.name}:",
            "# PyTorch may take the other one; below, `undecided` is how far that carries each cell",
        ]

    # -- on the way back ------------------------------------------------------------------------------

    def carried(self, above: Array | None = None) -> dict[str, Array]:
        """How far each cell of the gradients may be carried, by name; above: how far those of the delta are.

        Empty where nothing is carried.
        """
        problem, layer = self.problem, self.problem.layer
        assert problem.delta is not None
        delta = np.abs(_floats(problem.delta))
        moved = np.zeros(delta.shape) if above is None else above
        if self.activation is not None:
            moved = self._through(self.activation, delta, moved)
        if not moved.any() and not self.ties.any():
            return {}
        if isinstance(layer, Activation):
            return {"dX": moved}
        found = self._gradients(moved)
        if self.ties.size:
            found["dX"] = found["dX"] + self._laid_on_ties(delta + moved)
        return found | self._stepped(found)

    def _through(self, layer: Activation, delta: Array, moved: Array) -> Array:
        """How far the delta through the activation is carried, by its own kinks and by what comes from above."""
        z = self.before
        if not layer.elementwise:
            steep = layer.row.bounds(rounding.size(z), layer.used_alpha)[1]
            return np.full(z.shape, steep * z.shape[-1] * rounding.size(moved))
        slope = layer.derivative(z)
        if not self.on_kink.any():
            return np.asarray(moved * np.abs(slope))
        sides = [kink + step for kink in layer.kinks for step in (-BESIDE, 0, BESIDE)]
        jump = np.ptp([slope, *(layer.derivative(np.full_like(z, side)) for side in sides)], axis=0)
        return np.asarray((delta + moved) * jump * self.on_kink + moved * np.abs(slope))

    def _gradients(self, moved: Array) -> dict[str, Array]:
        """How far the gradients' cells are carried by a delta whose cells are."""
        problem, x = self.problem, self.x
        layer: Any = problem.layer
        if "W" in layer.parameters:
            layer, x = replace(layer, **_sizes_of(layer)), np.abs(x)
        elif layer.known_as == "pool" and layer.kind == "lp":
            x = np.abs(x)
        lowered = [problem.shorthand.lower_quantity(each) for each in layer.backward(x, problem.lifted(moved))]
        if layer.known_as in ("pool", "flatten") or "W" in layer.parameters:
            return {each.name: np.abs(each.value) for each in lowered}
        most = rounding.gradient_sizes(problem, rounding.size(x), rounding.size(moved))
        return {each.name: np.full(each.shape, most[each.name]) for each in lowered}

    def _laid_on_ties(self, delta: Array) -> Array:
        """Every cell that may be the maximum of a window may get its delta, or lose it."""
        problem = self.problem
        layer: Any = problem.layer
        windows = layer.windows(self.x)
        beside: tuple[Any, ...] = (..., *[None] * len(windows.axes))
        laid = windows.fold(self.ties * problem.lifted(delta)[beside])
        return problem.shorthand.lower(laid, layer.input_axes)

    def _stepped(self, carried: dict[str, Array]) -> dict[str, Array]:
        """How far the step carries on what its gradients are carried by."""
        sgd = self.problem.sgd
        found: dict[str, Array] = {}
        if sgd is not None:
            lr, momentum = abs(sgd.lr), abs(sgd.momentum or 0)
            for short in self.problem.parameters:
                found[f"{short}_new"] = lr * (1 + momentum) * carried[f"d{short}"]
                found[f"velocity_{short}"] = max(1.0, lr) * carried[f"d{short}"]
        return found


def of_loss(kind: str, output: Array, target: Array, sizes: Array) -> Array:
    """How far each cell of a loss's gradient may be carried; sizes: of the numbers that the output is summed from."""
    row, output, target = LOSSES[kind], _floats(output), _floats(target)
    if target.shape != output.shape or not row.kinks:
        return np.zeros(output.shape)
    on_kink = _near(output - target, (sizes + np.abs(target)) * (sizes > 0), row.kinks)
    beside = [np.where(on_kink, target + kink + step, output) for kink in row.kinks for step in (-BESIDE, 0, BESIDE)]
    slopes = [Loss(kind).backward(each, target)[1].value for each in beside]
    return np.asarray(np.ptp(slopes, axis=0) * on_kink)


def _near(numbers: Array, sizes: Array, kinks: Sequence[float]) -> Array:
    """Which numbers rounding may carry over a kink: none that are exact."""
    apart = np.min([np.abs(numbers - kink) for kink in kinks], axis=0)
    return np.asarray((sizes > 0) & (apart <= _rounding_of(numbers) * sizes))


def _rounding_of(numbers: Array) -> float:
    """What rounding may make of 1 in the precision that numbers have."""
    return rounding.rounding(np.zeros(1, numbers.dtype), 1.0)


def _sizes_of(layer: Any) -> dict[str, Array]:
    """The sizes of a layer's parameters, those that are given, by field."""
    given = {each.field: getattr(layer, each.field) for each in layer.parameters.values()}
    return {field: np.abs(_floats(array)) for field, array in given.items() if array is not None}


def _floats(array: Any) -> Array:
    """Numbers as floats, of the precision that they have."""
    array = np.asarray(array)
    return array if array.dtype == np.float32 else array.astype(np.float64)


def _sums_exactly(array: Array) -> bool:
    """Whether sums of products of such numbers are exact: whole numbers, or in float64 few binary digits."""
    scaled = array if array.dtype == np.float32 else array * 2.0**12
    return bool((scaled == np.round(scaled)).all() and (np.abs(scaled) < 2.0**24).all())


def rounded_up(carried: Array) -> Array:
    """Two digits of each number, none of them less than it is."""
    return np.array([float(f"{1.05 * each:.1e}") for each in carried.ravel()]).reshape(carried.shape)
