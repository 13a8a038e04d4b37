"""Pooling layers from operands and settings."""

from __future__ import annotations

from convgrad.errors import OptionError, ShapeError, at, by
from convgrad.kinds import setting_of
from convgrad.kinds.pool import POOL, WIDE
from convgrad.kinds.setting import check_owned
from convgrad.layers.pool import Pool
from convgrad.problems.fitting import fitted_delta, in_dtype, what_fits
from convgrad.problems.problem import Operands, Problem, Settings
from convgrad.problems.ranks import FIRST, LAST, Shorthand


def pool_problem(operands: Operands, settings: Settings, backward: bool) -> Problem:
    """A pooling layer from its operands (input, delta) and settings (those of its kind)."""
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
    wide = [setting_of("pool", name) for name in WIDE if settings.get(name)]
    for setting in wide:
        if found := [name for name in setting.rivals if name in settings and name not in WIDE]:
            raise OptionError(
                f"{setting.option} pools the whole input, which leaves no room for --{found[0]}",
                hint="drop one of them",
            )
    if len(wide) > 1:
        raise OptionError("--global is --adaptive 1", hint="drop one of them")
    if not wide and "size" not in settings:
        raise OptionError("the window's size is not given", hint="add --size 2 (or --global for the whole input)")
    check_owned(settings, POOL.settings)
    return Pool(**{each.field or each.name: settings[each.name] for each in POOL.settings if each.name in settings})
