"""Activations alone, from operands and settings."""

from __future__ import annotations

import numpy as np

from convgrad.errors import OptionError, by
from convgrad.problems.fitting import activation_of, fitted_delta, in_dtype
from convgrad.problems.problem import Operands, Problem, Settings
from convgrad.problems.ranks import Shorthand


def activation_problem(operands: Operands, settings: Settings, backward: bool) -> Problem:
    """An activation from its operands (input, delta) and settings (those of its kind)."""
    layer = activation_of(settings)
    if layer is None:
        raise OptionError("there is no activation", hint="name one: relu, sigmoid, ...")
    arrays = in_dtype(operands, settings)
    x = arrays["input"]
    spatial = dict.fromkeys((*arrays, "derivative"), (x.ndim - 1,) if x.ndim else ())
    delta = fitted_delta(operands, arrays["delta"], x.shape, f"a {by(x.shape)} input") if backward else None
    if backward and layer.elementwise:
        with np.errstate(all="ignore"):
            arrays["derivative"] = layer.derivative(x)
    return Problem(layer, x, Shorthand(0), "", arrays, delta, spatial=spatial)
