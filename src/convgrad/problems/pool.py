"""Pooling layers from operands and settings."""

from __future__ import annotations

from convgrad.errors import OptionError, ShapeError, at, by
from convgrad.layers.pool import Pool
from convgrad.problems import Operands, Problem, Settings, in_dtype, lift_delta
from convgrad.shorthand import Shorthand


def pool_problem(operands: Operands, settings: Settings, backward: bool) -> Problem:
    """A pooling layer from its operands (input, delta) and settings (those of settings.POOL)."""
    arrays = in_dtype(operands, settings)
    x = arrays["input"]
    d = settings.get("dims") or min(x.ndim, 2)
    last = settings.get("layout") == "channels-last"
    with at(operands["input"].source):
        if x.ndim < d or not d:
            raise ShapeError(f"the input is {by(x.shape)}, with fewer axes than the {max(d, 1)} to be pooled",
                             hint="check --dims")
    lead = x.ndim - d
    batch = x.shape[: lead - 1] if lead > 1 else ()
    shorthand = Shorthand(d, batch, frozenset() if lead else frozenset("C"), last and lead > 0)
    own = ("kind", "size", "stride", "padding", "dilation", "ceil", "count_include_pad", "divisor", "ties")
    fields = {name: settings[name] for name in own if name in settings}
    whole = bool(settings.get("global"))
    if whole and set(fields) & {"size", "stride", "padding", "dilation"}:
        name = next(n for n in ("size", "stride", "padding", "dilation") if n in fields)
        raise OptionError(f"--global pools the whole input, which leaves no room for --{name}", hint="drop one of them")
    if not whole and "size" not in fields:
        raise OptionError("the window's size is not given", hint="add --size 2 (or --global for the whole input)")
    if fields.get("kind", "max") != "avg" and "divisor" in fields:
        raise OptionError("--divisor divides an average", hint="add --kind avg")
    layer = Pool(**fields, whole=whole)
    full_x = shorthand.lift(x, "NC*")
    with at(operands["input"].source):
        windows = layer.windows(full_x)
    delta = None
    if backward:
        delta = lift_delta(operands, arrays["delta"], (*full_x.shape[:2], *windows.places), "NC*", shorthand, windows)
    more = (layer.indices,) if settings.get("indices") else ()
    return Problem(layer, full_x, shorthand, arrays, delta, more=more)
