"""Derivatives of a function that nothing is known of, along directions: by a complex step where it takes one.

A function that takes complex numbers need not be analytic (|x| is not), so that its complex step is believed only
where differences of real numbers say the same, as far as they can tell. Where they do not, the differences stand, with
what they may be off by: what the last of several ever finer ones, extrapolated (Ridders 1982), still changed, and what
the rounding of f makes of them. On a kink the slopes on the two sides differ however fine they are: then whatever lies
between them is possible.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import ShapeError, by
from convgrad.kinds.analytic import STEP
from convgrad.layers.shapes import check_shape, numbers

SURE = 1e-3
"""Up to what part of a slope differences may be in doubt that are to bear a complex step out.

On a kink, and beside numbers so large that nothing is left of a slope, they bear out anything.
"""

COARSEST, FINER, STEPS = 2.0**-6, 0.25, 10
"""The first step of differences, in parts of the numbers' own size, what the next is of it, and how many there are."""


@dataclass(frozen=True, eq=False, repr=False)
class Function:
    """A function of an array at a place, whose output times delta is added up."""

    forward: Callable[[Array], Any]
    at: Array
    delta: Any = None

    def terms(self, at: Array) -> Array:
        """What is added up: delta * output."""
        output = numbers("the output", self.forward(at))
        if self.delta is None:
            if output.size != 1:
                raise ShapeError(f"the output is {by(output.shape)}, and there is no delta", hint="give delta=")
            return output
        check_shape("delta", np.asarray(self.delta), output.shape)
        return np.asarray(np.asarray(self.delta) * output)

    @cached_property
    def here(self) -> Array:
        """What is added up at the place itself."""
        return self.terms(self.at)


def slope_of(f: Function, direction: Array) -> tuple[float, float]:
    """The derivative of f along a direction, and what it may be off by."""
    with np.errstate(all="ignore"):
        slope, doubt = _by_differences(f, direction)
        stepped = _by_complex_step(f, direction)
    if stepped is None:
        return slope, doubt
    if not np.isfinite(slope):  # every step of theirs left what f takes
        return stepped
    sure = doubt <= SURE * max(abs(slope), abs(stepped[0]))
    return stepped if sure and abs(stepped[0] - slope) <= doubt + stepped[1] else (slope, doubt)


def _by_complex_step(f: Function, direction: Array) -> tuple[float, float] | None:
    try:
        with catch_warnings():
            simplefilter("error")  # what drops imaginary parts takes no complex numbers
            moved = f.terms(f.at + 1j * STEP * direction)
    except Exception:  # it is not ours, and may say in any way that it takes none
        return None
    if moved.dtype.kind != "c" or not np.isfinite(moved.imag).all():
        return None
    slopes = moved.imag / STEP
    return float(slopes.sum()), float(64 * np.finfo(moved.dtype).eps * np.abs(slopes).sum())


def _by_differences(f: Function, direction: Array) -> tuple[float, float]:
    """The derivative, and what it may be off by: the finest extrapolation that rounding leaves."""
    usual = float(np.sqrt((f.at**2).mean())) if f.at.size else 0.0
    step = COARSEST * (usual or 1.0) / max(float(np.abs(direction).max(initial=0)), 1e-300)
    epsilon = np.finfo(f.here.dtype if f.here.dtype.kind == "f" else np.float64).eps  # of a float32 function its own
    size = 4 * float(epsilon) * float(np.abs(f.here).sum(dtype=np.float64))
    best, doubt = float("nan"), float("inf")
    above: list[float] = []
    gaps: list[float] = []
    for _ in range(STEPS):
        ahead, behind = (np.subtract(f.terms(f.at + sign * step * direction), f.here, dtype=float) for sign in (1, -1))
        if not (np.isfinite(ahead).all() and np.isfinite(behind).all()):  # beyond what f takes
            above, gaps, step = [], [], step * FINER
            continue
        left, right, noise = -float(behind.sum()) / step, float(ahead.sum()) / step, size / step
        row = [(left + right) / 2]
        for k, coarser in enumerate(above, 1):  # Neville's scheme in the square of the step
            row.append(row[-1] + (row[-1] - coarser) / (FINER ** (-2 * k) - 1))
            changed = max(abs(row[-1] - row[-2]), abs(row[-1] - coarser)) + 2 * noise
            if changed < doubt:
                best, doubt = row[-1], changed
        gaps.append(max(0.0, abs(right - left) - 4 * noise))
        if gaps[-1] > 0 and len(gaps) > 2 and gaps[-1] > 0.9 * gaps[-2] > 0.8 * gaps[-3]:
            return (left + right) / 2, gaps[-1] / 2 + 4 * noise  # the slopes differ as much as before: a kink
        above, step = row, step * FINER
    return best, 4 * doubt
