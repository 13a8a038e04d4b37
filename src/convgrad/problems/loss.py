"""Losses from operands and settings."""

from __future__ import annotations

from typing import Any

import numpy as np

from convgrad.errors import at
from convgrad.kinds import setting_of
from convgrad.layers.loss import Loss
from convgrad.problems.fitting import in_dtype
from convgrad.problems.problem import Operands, Problem, Settings, sources
from convgrad.problems.ranks import Shorthand
from convgrad.problems.solve import check_finite

KIND = setting_of("loss", "kind")


def loss_problem(operands: Operands, settings: Settings, backward: bool = True) -> Problem:
    """A loss from its operands (output, target) and settings: where the backward pass begins, with a target."""
    arrays = in_dtype(operands, settings)
    layer: Any = Loss(settings.get("kind", KIND.default))
    with np.errstate(all="ignore"), at(sources(operands, "target", "output")):
        found = {each.name: each for each in layer.backward(arrays["output"], arrays["target"])}
    with at(operands["output"].source):
        check_finite(found)
    spatial = {name: ((array.ndim - 1,) if array.ndim else ()) for name, array in arrays.items()}
    x, target = arrays["output"], arrays["target"]
    return Problem(layer, x, Shorthand(0), "", arrays, target, above="target", passes=(), spatial=spatial)
