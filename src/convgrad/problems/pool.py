"""Pooling layers from operands and settings."""

from __future__ import annotations

from typing import Any

from convgrad.errors import OptionError, ShapeError, at, by
from convgrad.kinds.pool import POOL
from convgrad.kinds.setting import check_owned
from convgrad.layers.pool import Pool
from convgrad.problems.fitting import fitted_delta, in_dtype, what_fits
from convgrad.problems.problem import Operands, Problem, Settings
from convgrad.problems.ranks import FIRST, LAST, Shorthand

OWN = ("kind", "size", "stride", "padding", "dilation", "ceil", "count_include_pad", "divisor", "ties", "p", "adaptive")
SIZED = ("size", "stride", "padding", "dilation", "ceil")
"""Settings that mean nothing where one window, or a number of windows, is spread over the whole input."""


def pool_problem(operands: Operands, settings: Settings, backward: bool) -> Problem:
    """A pooling layer from its operands (input, delta) and settings (those of settings.POOL)."""
    arrays = in_dtype(operands, settings)
    x = arrays["input"]
    d = settings.get("dims") or min(x.ndim, 2)
    with at(operands["input"].source):
        if x.ndim < d or not d:
            raise ShapeError(
                f"the input is {by(x.shape)}, with fewer axes than the {max(d, 1)} to be pooled", hint="check --dims"
            )
    lead = x.ndim - d
    last = settings.get("layout") == "channels-last" and lead > 0
    shorthand = Shorthand(
        d,
        {"N": x.shape[: lead - 1] if lead > 1 else ()},
        frozenset() if lead else frozenset("C"),
        LAST if last else FIRST,
    )
    layer = pool_layer(settings)
    full_x = shorthand.lift(x, "NC*")
    with at(operands["input"].source):
        windows = layer.windows(full_x)
    spatial = {name: shorthand.spatial("NC*") if array.ndim else () for name, array in arrays.items()}
    passes = ("forward", "indices") if settings.get("indices") else ("forward",)
    delta = None
    if backward:
        wanted = shorthand.lower_shape((*full_x.shape[:2], *windows.places), "NC*")
        given = f"a {by(x.shape)} input under a {by(windows.kernel)} window"
        delta = fitted_delta(
            operands,
            arrays["delta"],
            wanted,
            given,
            lambda: what_fits(layer, full_x, arrays["delta"], wanted, shorthand.spatial("NC*")),
        )
    return Problem(layer, full_x, shorthand, "NC*", arrays, delta, passes=passes, spatial=spatial)


def pool_layer(settings: Settings) -> Pool:
    """The layer that settings ask for; OptionError for those that do not go together."""
    fields: dict[str, Any] = {name: settings[name] for name in OWN if name in settings}
    whole = bool(settings.get("global"))
    for spread, option in ((whole, "--global"), ("adaptive" in fields, "--adaptive")):
        if spread and (found := [name for name in SIZED if name in fields]):
            raise OptionError(
                f"{option} pools the whole input, which leaves no room for --{found[0]}", hint="drop one of them"
            )
    if whole and "adaptive" in fields:
        raise OptionError("--global is --adaptive 1", hint="drop one of them")
    if not whole and not {"size", "adaptive"} & set(fields):
        raise OptionError("the window's size is not given", hint="add --size 2 (or --global for the whole input)")
    check_owned(settings, POOL.settings)
    return Pool(**fields, whole=whole)
