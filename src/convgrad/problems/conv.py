"""Convolutions from operands and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from convgrad.errors import ShapeError, at, by
from convgrad.layers.conv import Conv
from convgrad.problems import Operand, Operands, Problem, Settings, in_dtype, lift_delta, lone
from convgrad.quantity import Array
from convgrad.shorthand import Shorthand, conv_dims, delta_dims
from convgrad.windows import Windows


def conv_problem(operands: Operands, settings: Settings, backward: bool) -> Problem:
    """A convolution from its operands (input, kernel, bias, delta) and settings (those of settings.CONV).

    Raises ShapeError or OptionError with the operand's source and what would fit.
    """
    arrays = in_dtype(operands, settings)
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
        delta = lift_delta(operands, arrays["delta"], shape, "NF*", shorthand, layer.windows(full_x))
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
            has_filters = arrays["delta"].ndim == d + 1 + (x.ndim == d + 2) and not lone(operands["delta"])
            has_inputs = has_filters or x.ndim > d
    absent = {letter for letter, present in (("C", x.ndim > d), ("F", has_filters), ("I", has_inputs)) if not present}
    batch = x.shape[:1] if x.ndim == d + 2 else ()
    return Shorthand(d, batch, frozenset(absent), settings.get("layout") == "channels-last")


def _lone_delta_dims(x: Array, delta: Operand, settings: Settings) -> int:
    """Spatial axes where the delta is one typed number, so that only the kernel's size tells them."""
    if not lone(delta):
        return delta_dims(x, delta.array, settings.get("dims"))
    sizes = settings.get("kernel_size")
    if sizes is None:
        raise ShapeError("a delta that is one number does not tell the kernel's size",
                         where=delta.source, hint="add a kernel (-k) or --kernel-size")
    return int(settings.get("dims") or (len(sizes) if len(sizes) > 1 else min(x.ndim, 2)))


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
