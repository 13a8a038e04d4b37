"""Problems: a layer with its arrays, built and validated from what files and options say; and their solution.

This is where ranks are lifted (shorthand.py) and where shapes that do not fit are explained in the
reader's own terms; inside the layers everything has full rank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convgrad.errors import ConvgradError, OptionError, ShapeError, at, by
from convgrad.layers import Conv, Layer, Pool
from convgrad.quantity import Quantity
from convgrad.sgd import step
from convgrad.shorthand import Shorthand, conv_dims, delta_dims
from convgrad.windows import Windows

Array = NDArray[Any]

RESULTS = ("output", "indices", "dW", "db", "dX", "W_new", "b_new")
"""The names of results, in the order in which they are written."""


@dataclass(frozen=True, eq=False)
class Operand:
    """An array as given, where it came from, and whether it was typed (a typed number stands everywhere)."""

    array: Array
    source: str
    typed: bool = False


Operands = Mapping[str, Operand]
Settings = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Problem:
    """A layer and its full-rank arrays; `operands` are the same arrays as the files have them."""

    layer: Layer
    x: Array
    shorthand: Shorthand
    operands: dict[str, Array]
    delta: Array | None = None
    lr: float | None = None
    indices: bool = False
    left_out: dict[str, str] = field(default_factory=dict)
    """Results that cannot be had, and what would have to be added for each."""


@dataclass(frozen=True, eq=False)
class Solution:
    """The quantities of a problem, by name, in the order of RESULTS; and what was left out and why."""

    operands: dict[str, Array]
    quantities: dict[str, Quantity]
    left_out: dict[str, str]


# -- convolution ------------------------------------------------------------------------------------------

def conv_problem(operands: Operands, settings: Settings, backward: bool) -> Problem:
    """A convolution from its operands (input, kernel, bias, delta) and settings (those of settings.CONV).

    Raises ShapeError or OptionError with the operand's source and what would fit.
    """
    arrays = _arrays(operands, settings)
    x, kernel = arrays["input"], arrays.get("kernel")
    if kernel is None and not backward:
        raise ShapeError("there is no kernel", hint="add one with -k KERNEL")
    given = {name: settings[name] for name in ("stride", "padding", "dilation", "groups", "flip", "pad_mode")
             if name in settings}
    shorthand = _conv_shorthand(operands, arrays, settings)
    full_x = shorthand.lift(x, "NC*")
    left_out: dict[str, str] = {}
    if kernel is None:
        layer = Conv(kernel_size=_kernel_size(full_x, operands, arrays, shorthand, settings), **given)
        left_out = dict.fromkeys(("output", "dX"), "a kernel (-k)")
    else:
        layer = Conv(shorthand.lift(kernel, "FI*"), **given)
        with at(operands["kernel"].source):
            layer = replace(layer, bias=_bias(arrays, operands, layer, shorthand))
            try:
                layer.windows(full_x)
                layer._check(full_x, len(layer.kernel) if layer.kernel is not None else 1)
            except ShapeError as error:
                if x.ndim == kernel.ndim == 3 and not settings.get("dims"):
                    error.hint += f"{', or' if error.hint else ''} --dims 1 reads (N,C,L) with (F,C,k)"
                raise
    delta = None
    if backward:
        filters = len(layer.kernel) if layer.kernel is not None else _filters(arrays["delta"], shorthand)
        shape = (len(full_x), filters, *layer.windows(full_x).places)
        delta = _delta(operands, arrays["delta"], shape, "NF*", shorthand, layer.windows(full_x))
        with at(operands["input"].source):
            layer._check(full_x, filters)
    lr = settings.get("lr")
    if lr is not None and backward:
        if kernel is None:
            left_out["W_new"] = "a kernel (-k)"
        if layer.bias is None:
            left_out["b_new"] = "a bias (-b)"
    return Problem(layer, full_x, shorthand, arrays, delta, lr, left_out=left_out)


def _conv_shorthand(operands: Operands, arrays: Mapping[str, Array], settings: Settings) -> Shorthand:
    x, kernel, dims = arrays["input"], arrays.get("kernel"), settings.get("dims")
    with at(operands["input"].source):
        if kernel is not None:
            d = conv_dims(x, kernel, dims)
            has_filters, has_inputs = kernel.ndim == d + 2, kernel.ndim >= d + 1
        else:
            d = _lone_delta_dims(x, operands["delta"], settings) if operands["delta"].typed \
                else delta_dims(x, arrays["delta"], dims)
            has_filters = arrays["delta"].ndim == d + 1 + (x.ndim == d + 2) and not _lone(operands["delta"])
            has_inputs = has_filters or x.ndim > d
    absent = {letter for letter, present in (("C", x.ndim > d), ("F", has_filters), ("I", has_inputs)) if not present}
    batch = x.shape[:1] if x.ndim == d + 2 else ()
    return Shorthand(d, batch, frozenset(absent), settings.get("layout") == "channels-last")


def _lone_delta_dims(x: Array, delta: Operand, settings: Settings) -> int:
    """Spatial axes where the delta is one typed number, so that only the kernel's size tells them."""
    if not _lone(delta):
        return delta_dims(x, delta.array, settings.get("dims"))
    sizes = settings.get("kernel_size")
    if sizes is None:
        raise ShapeError("a delta that is one number does not tell the kernel's size",
                         where=delta.source, hint="add a kernel (-k) or --kernel-size")
    return int(settings.get("dims") or (len(sizes) if len(sizes) > 1 else min(x.ndim, 2)))


def _lone(operand: Operand) -> bool:
    return operand.typed and operand.array.ndim == 0


def _filters(delta: Array, shorthand: Shorthand) -> int:
    if "F" in shorthand.absent:
        return 1
    return int(delta.shape[-1] if shorthand.last else delta.shape[len(shorthand.batch)])


def _kernel_size(x: Array, operands: Operands, arrays: Mapping[str, Array], shorthand: Shorthand,
                 settings: Settings) -> tuple[int, ...]:
    """The size of a kernel that is not given: as --kernel-size says, else the only one that fits the delta."""
    if "kernel_size" in settings:
        return tuple(settings["kernel_size"])
    padding = settings.get("padding", 0)
    places = shorthand.lift(arrays["delta"], "NF*").shape[2:]
    base = Windows.fit(x.shape[2:], 1, settings.get("stride", 1), padding, settings.get("dilation", 1))
    sizes = base.kernels_giving(places, padding)
    with at(operands["delta"].source):
        if not all(sizes):
            raise ShapeError(f"delta is {by(arrays['delta'].shape)}, which no kernel gives on a "
                             f"{by(arrays['input'].shape)} input",
                             hint="delta has the output's shape; check --stride, --padding and --dilation")
        if any(len(each) > 1 for each in sizes):
            fits = " or ".join(by(each[k] for each in sizes) for k in (0, -1))
            raise ShapeError(f"delta is {by(arrays['delta'].shape)}, which leaves the kernel's size open "
                             f"(from {fits.replace(' or ', ' to ')})", hint="say it with --kernel-size")
    return tuple(each[0] for each in sizes)


def _bias(arrays: Mapping[str, Array], operands: Operands, layer: Conv, shorthand: Shorthand) -> Array | None:
    bias = arrays.get("bias")
    if bias is None or layer.kernel is None:
        return None
    filters = len(layer.kernel)
    if bias.ndim == 0:
        return np.full(filters, bias)
    if bias.shape != (filters,):
        expected = "a number" if "F" in shorthand.absent else f"{filters} numbers, one a filter"
        raise ShapeError(f"the bias is {by(bias.shape)}, but expected is {expected}", where=operands["bias"].source,
                         hint="write one number for each filter, or one for all")
    return bias


# -- pooling ----------------------------------------------------------------------------------------------

def pool_problem(operands: Operands, settings: Settings, backward: bool) -> Problem:
    """A pooling layer from its operands (input, delta) and settings (those of settings.POOL)."""
    arrays = _arrays(operands, settings)
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
        delta = _delta(operands, arrays["delta"], (*full_x.shape[:2], *windows.places), "NC*", shorthand, windows)
    return Problem(layer, full_x, shorthand, arrays, delta, indices=bool(settings.get("indices")))


# -- shared -----------------------------------------------------------------------------------------------

def _arrays(operands: Operands, settings: Settings) -> dict[str, Array]:
    dtype = np.dtype(settings.get("dtype", "float64"))
    if dtype == np.float64:
        return {name: operand.array for name, operand in operands.items()}
    arrays = {}
    for name, operand in operands.items():
        with np.errstate(all="ignore"):
            arrays[name] = operand.array.astype(dtype)
        if not np.isfinite(arrays[name]).all():
            raise ConvgradError("a number in it is too large for float32", where=operand.source, hint="use float64")
    return arrays


def _delta(operands: Operands, delta: Array, shape: tuple[int, ...], axes: str, shorthand: Shorthand,
           windows: Windows) -> Array:
    """The delta at full rank; ShapeError says what was expected and which options its shape would fit."""
    if _lone(operands["delta"]):
        return np.full(shape, delta)
    wanted = shorthand.lower_shape(shape, axes)
    if delta.shape == wanted:
        return shorthand.lift(delta, axes)
    hint = "delta has the output's shape"
    spatial = shorthand.spatial(axes)
    if delta.ndim == 0:
        hint = f"to use one number everywhere, type it: -d {float(delta):g}"
    elif delta.ndim == len(wanted) and all(
            delta.shape[k] == wanted[k] for k in range(delta.ndim) if k not in spatial):
        fits = windows.alternatives([delta.shape[k] for k in spatial])
        if fits:
            hint = f"{by(delta.shape)} fits {' or '.join(fits[:4])}"
    kernel = f"a {by(windows.kernel)} {'kernel' if axes == 'NF*' else 'window'}"
    raise ShapeError(f"delta is {by(delta.shape)}, but a {by(operands['input'].array.shape)} input under {kernel} "
                     f"gives {by(wanted)}", where=operands["delta"].source, hint=hint)


def solve(problem: Problem) -> Solution:
    """All results that a problem's operands allow, in the files' axes; ConvgradError where one overflows."""
    lower = problem.shorthand.lower_quantity
    found: dict[str, Quantity] = {}
    with np.errstate(all="ignore"):
        if "output" not in problem.left_out:
            found["output"] = lower(problem.layer.forward(problem.x))
        if problem.indices and isinstance(problem.layer, Pool):
            indices = problem.shorthand.lower(problem.layer.indices(problem.x), "NC*")
            found["indices"] = replace(found["output"], name="indices", value=indices,
                                       formula="indices[c,i] = flat position of the maximum in its plane")
        if problem.delta is not None:
            for quantity in problem.layer.backward(problem.x, problem.delta):
                found[quantity.name] = lower(quantity)
            if problem.lr is not None:
                for name, operand in (("W", "kernel"), ("b", "bias")):
                    if operand in problem.operands and f"{name}_new" not in problem.left_out:
                        gradient = found[f"d{name}"].value
                        parameter = np.broadcast_to(problem.operands[operand], gradient.shape)
                        found[f"{name}_new"] = step(name, parameter, gradient, problem.lr)
    for name, quantity in found.items():
        if not np.isfinite(quantity.value).all():
            index = [int(i) for i in np.argwhere(~np.isfinite(quantity.value))[0]]
            raise ConvgradError(f"{name}{index if index else ''} overflows: it is too large for "
                                f"{quantity.value.dtype}", hint="scale the operands down")
    ordered = {name: found[name] for name in RESULTS if name in found}
    return Solution(problem.operands, ordered, problem.left_out)


