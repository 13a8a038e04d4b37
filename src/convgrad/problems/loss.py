"""Losses from operands and settings."""

from __future__ import annotations

from convgrad.errors import at
from convgrad.layers.loss import Loss
from convgrad.problems.build import in_dtype
from convgrad.problems.problem import Operands, Settings, Solution
from convgrad.problems.solve import check_finite


def solve_loss(operands: Operands, settings: Settings) -> Solution:
    """A loss from its operands (output, target) and settings (those of settings.LOSS), solved: loss and delta."""
    import numpy as np

    arrays = in_dtype(operands, settings)
    with np.errstate(all="ignore"), at(operands["target"].source):
        found = {q.name: q for q in Loss(settings.get("kind", "mse")).backward(arrays["output"], arrays["target"])}
    with at(operands["output"].source):
        check_finite(found)
    spatial = {name: ((array.ndim - 1,) if array.ndim else ()) for name, array in arrays.items()}
    return Solution(arrays, found, spatial=spatial)
