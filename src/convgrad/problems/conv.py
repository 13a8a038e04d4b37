"""Convolutions, transposed and unshared ones included, from operands and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from convgrad.core.axis import per_axis
from convgrad.core.element import Array
from convgrad.errors import OptionError, ShapeError, at, by
from convgrad.kinds import LAYERS
from convgrad.kinds.conv import CONV
from convgrad.kinds.setting import DEPTHWISE
from convgrad.layers.conv import Conv
from convgrad.layers.shapes import check_groups
from convgrad.problems.fitting import activation_of, as_meant, fitted_delta, in_dtype, named, sgd_of, what_fits
from convgrad.problems.laying_out import Choose, LaidOut, parted, uneven
from convgrad.problems.problem import Operands, Problem, Settings, sources
from convgrad.problems.ranks import FIRST, LAST, Shorthand, conv_dims, delta_dims, dims_of

CONV_SETTINGS = tuple(setting.name for setting in CONV.fields)


def conv_problem(operands: Operands, settings: Settings, backward: bool) -> Problem:
    """A convolution from its operands (input, kernel, bias, delta) and settings (those of its kind).

    Raises ShapeError or OptionError with the operand's source and what would fit.
    """
    arrays = in_dtype(operands, settings)
    if "kernel" not in arrays and not backward:
        raise ShapeError("there is no kernel", hint="add one with -k KERNEL")
    if not arrays["input"].ndim:
        raise ShapeError("the input is one number", where=operands["input"].source, hint="write it as a list: [5]")
    blank = _layer(settings)
    shorthand = _shorthand(operands, arrays, settings)
    x = shorthand.lift(arrays["input"], "NC*")
    if settings.get("groups") == DEPTHWISE:
        blank = replace(blank, groups=x.shape[1])
    left_out: dict[str, str] = {}
    layer: Any
    if "kernel" in arrays:
        own_size = shorthand.lift(arrays["kernel"], blank.parameters["W"].axes).shape[-shorthand.dims :]
        if "kernel_size" in settings and per_axis(settings["kernel_size"], shorthand.dims, "kernel-size") != own_size:
            own = arrays["kernel"].shape
            raise OptionError(
                f"the kernel is {by(own)}, but the kernel-size given is {by(settings['kernel_size'])}",
                where=operands["kernel"].source,
                hint="drop one of them",
            )
        layer = replace(blank, kernel=shorthand.lift(arrays["kernel"], blank.parameters["W"].axes))
        filters = _filters(layer)
        layer = replace(layer, bias=_bias(arrays, operands, filters, shorthand, layer, x))
        with at(sources(operands, "kernel", "input")):
            try:
                shape = layer.output_shape(x, filters)
            except ShapeError as error:
                if arrays["input"].ndim == arrays["kernel"].ndim == 3 and not settings.get("dims"):
                    error.hint += f"{', or' if error.hint else ''} --dims 1 reads (N,C,L) with (F,C,k)"
                raise
    else:
        layer = replace(blank, kernel_size=_kernel_size(blank, x, operands, arrays, shorthand, settings))
        left_out = dict.fromkeys(("output", "dX"), "a kernel (-k)")
        filters = 1 if "F" in shorthand.absent else shorthand.lift(arrays["delta"], "NF*").shape[1]
        layer = replace(layer, bias=_bias(arrays, operands, filters, shorthand, layer, x))
        with at(sources(operands, "input", "delta")):
            shape = layer.output_shape(x, filters)
    activation = activation_of(settings)
    if activation is not None and "kernel" not in arrays and backward:
        raise ShapeError("the activation's derivative needs the output before it", hint="add a kernel (-k)")
    problem = Problem(
        layer,
        x,
        shorthand,
        "NF*",
        arrays,
        activation=activation,
        passes=("forward",) if "kernel" in arrays else (),
        left_out=left_out,
        sgd=sgd_of(settings, CONV, operands, left_out) if backward else None,
        spatial=_spatial(arrays, shorthand, layer),
    )
    return replace(problem, delta=_delta(operands, arrays, shape, shorthand, layer, x)) if backward else problem


def lay_out(shape: tuple[int, ...], settings: Settings, choose: Choose) -> LaidOut:
    """A convolution on an input of a shape: kernel and bias, with a filter axis where filters or groups are said."""
    own = dict(settings)
    filters, size = own.pop("filters", None), own.pop("kernel_size", None)
    d = own.get("dims") or (len(size) if size and len(size) > 1 else dims_of(len(shape)))
    batch, channels, spatial = parted(shape, d, own.get("layout") == "channels-last")
    kernel = per_axis(size, d, "kernel-size") if size else uneven(spatial, own, choose)
    groups = channels if own.get("groups") == DEPTHWISE else own.get("groups", 1)
    if groups > 1 or batch:
        filters = filters or groups
    count = filters or 1
    check_groups(channels, count, groups)
    layer = replace(_layer(own), kernel_size=kernel)
    axes = layer.parameters["W"].axes
    sizes = {"F": count, "I": channels // groups, "K": channels, "J": count // groups}
    places = layer.windows(np.broadcast_to(0.0, (1, channels, *spatial))).places if "P" in axes else ()
    absent = _absent(len(shape) - d, 2 if filters else min(len(shape) - d, 1))
    order = LAST if own.get("layout") == "channels-last" else FIRST
    shorthand = Shorthand(d, {"N": batch}, frozenset(absent), order)
    by_token = {**sizes, **{f"*{k}": n for k, n in enumerate(kernel)}, **{f"P{k}": n for k, n in enumerate(places)}}
    full = shorthand.lower_shape([by_token[token] for token in shorthand.tokens(axes)], axes)
    try:
        by_ranks = conv_dims(np.broadcast_to(0.0, shape), np.broadcast_to(0.0, full), None, "P" in axes)
    except ShapeError:  # the ranks leave it open
        by_ranks = 0
    if by_ranks != d:
        own["dims"] = d
    return LaidOut({"input": shape, "kernel": full, "bias": (filters,) if filters else ()}, own)


def _layer(settings: Settings) -> Any:
    """The layer that the settings ask for, without its kernel."""
    transposed, unshared = (bool(settings.get(name)) for name in CONV.variants)
    if transposed and unshared:
        raise OptionError("--transposed and --unshared are two different layers", hint="drop one of them")
    if np.any(settings.get("output_padding", 0)) and not transposed:
        raise OptionError("--output-padding belongs to a transposed convolution", hint="add --transposed")
    if unshared and settings.get("groups", 1) != 1:
        raise OptionError("an unshared layer has no groups", hint="drop --groups")
    if transposed and settings.get("pad_mode", "zeros") != "zeros":
        raise OptionError("a transposed convolution crops its result, and pads with nothing", hint="drop --pad-mode")
    layer: Any = named(LAYERS[CONV.known_as(settings)])  # imported when it is asked for
    own = {each.name for each in fields(layer)} - {"kernel_size"}  # which follows from the kernel, or from the delta
    return layer(**{name: settings[name] for name in CONV_SETTINGS if name in own and name in settings})


def _filters(layer: Any) -> int:
    """Output channels of a layer with its kernel."""
    axes, shape = layer.parameters["W"].axes, layer.kernel.shape
    if "J" in axes:
        return int(shape[1] * layer.groups)
    return int(shape[(len(shape) - 2) // 2 if "P" in axes else 0])


def _shorthand(operands: Operands, arrays: Mapping[str, Array], settings: Settings) -> Shorthand:
    x, kernel, dims = arrays["input"], arrays.get("kernel"), settings.get("dims")
    unshared = bool(settings.get("unshared"))
    with at(sources(operands, "input", "delta" if kernel is None else "kernel")):
        if kernel is not None:
            d = conv_dims(x, kernel, dims, unshared)
            rank = kernel.ndim - (2 * d if unshared else d)
        else:
            delta = operands["delta"]
            d = _lone_delta_dims(x, settings, delta.source) if delta.lone else delta_dims(x, arrays["delta"], dims)
            # the kernel has a filter axis where the delta has one, and then a channel axis too
            rank = 2 if not delta.lone and arrays["delta"].ndim == d + 1 + (x.ndim == d + 2) else min(x.ndim - d, 1)
        if not 0 <= x.ndim - d <= 2:
            raise ShapeError(
                f"the input has {x.ndim} axes, but with {d} spatial axes it has {d} to {d + 2}",
                hint="check --kernel-size and --dims",
            )
        if kernel is None and not operands["delta"].lone and x.ndim == d + 2 and len(arrays["delta"]) != len(x):
            raise ShapeError(
                f"delta has {len(arrays['delta'])} examples, but the input has {len(x)}",
                where=sources(operands, "delta", "input"),
                hint="delta has the output's shape",
            )
    absent = _absent(x.ndim - d, rank)
    batch = x.shape[:1] if x.ndim == d + 2 else ()
    order = LAST if settings.get("layout") == "channels-last" else FIRST
    return Shorthand(d, {"N": batch}, frozenset(absent), order)


def _absent(lead: int, rank: int) -> set[str]:
    """The letters that files leave out: `lead` axes of the input and `rank` of the kernel stand before its places."""
    absent = {"C"} if not lead else set()
    absent |= {"F", "J"} if rank < 2 else set()
    return absent | ({"I", "K"} if rank < 1 else set())


def _lone_delta_dims(x: Array, settings: Settings, source: str) -> int:
    """Spatial axes where the delta is one typed number, so that only the kernel's size tells them."""
    sizes = settings.get("kernel_size")
    if sizes is None:
        raise ShapeError(
            "a delta that is one number does not tell the kernel's size",
            where=source,
            hint='add a kernel (-k) or --kernel-size; in a file "kernel" or "kernel_size"',
        )
    return int(settings.get("dims") or (len(sizes) if len(sizes) > 1 else min(x.ndim, 2)))


def _kernel_size(
    layer: Any, x: Array, operands: Operands, arrays: Mapping[str, Array], shorthand: Shorthand, settings: Settings
) -> tuple[int, ...]:
    """The size of a kernel that is not given: as --kernel-size says, else the only one that fits the delta."""
    if "kernel_size" in settings:
        return tuple(settings["kernel_size"])
    delta = arrays["delta"]
    wanted = shorthand.lift(delta, "NF*").shape[2:]
    sizes = layer.kernels_giving(x, wanted)
    with at(sources(operands, "delta", "input")):
        if not all(sizes):
            raise ShapeError(
                f"delta is {by(delta.shape)}, which no kernel gives on a {by(arrays['input'].shape)} input",
                hint="delta has the output's shape; check --stride, --padding and --dilation",
            )
        if any(len(each) > 1 for each in sizes):
            raise ShapeError(
                f"delta is {by(delta.shape)}, which leaves the kernel's size open (from "
                f"{by(each[0] for each in sizes)} to {by(each[-1] for each in sizes)})",
                hint="say it with --kernel-size",
            )
    return tuple(each[0] for each in sizes)


def _bias(
    arrays: dict[str, Array], operands: Operands, filters: int, shorthand: Shorthand, layer: Any, x: Array
) -> Array | None:
    """The bias, one number a filter, or one a place and filter in an unshared layer; among the arrays as it is meant.

    Axes of length 1 beside the filters are read as meant.
    """
    if "bias" not in arrays:
        return None
    bias = as_meant(arrays["bias"], (filters,))
    if bias.shape == (filters,):
        arrays["bias"] = bias
        return bias
    if bias.ndim == 0:
        return np.full(filters, bias)
    expected = "a number" if "F" in shorthand.absent else f"{filters} numbers, one a filter"
    if "P" in layer.parameters["W"].axes:
        with at(sources(operands, "kernel", "input")):
            places = layer.windows(x).places
        own = shorthand.lower_shape((*places, filters), "PF")
        bias = as_meant(bias, own)
        if bias.shape == own:
            arrays["bias"] = bias
            return shorthand.lift(bias, "PF")
        expected += f", or {by(own)}, one a place too"
    raise ShapeError(
        f"the bias is {by(bias.shape)}, but expected is {expected}",
        where=sources(operands, "bias", "kernel"),
        hint="write one number for each filter, or one for all",
    )


def _delta(
    operands: Operands, arrays: Mapping[str, Array], shape: tuple[int, ...], shorthand: Shorthand, layer: Any, x: Array
) -> Array:
    delta, spatial, windows = arrays["delta"], shorthand.spatial("NF*"), layer.windows(x)
    wanted = shorthand.lower_shape(shape, "NF*")
    given = f"a {by(arrays['input'].shape)} input under a {by(windows.kernel)} kernel"
    return fitted_delta(
        operands,
        delta,
        wanted,
        given,
        lambda: what_fits(layer, x, delta, wanted, spatial) if isinstance(layer, Conv) else [],
    )


def _spatial(arrays: Mapping[str, Array], shorthand: Shorthand, layer: Any) -> dict[str, tuple[int, ...]]:
    axes = {"input": "NC*", "kernel": layer.parameters["W"].axes, "delta": "NF*"}
    return {
        name: shorthand.spatial(axes[name]) if name in axes and array.ndim else () for name, array in arrays.items()
    }
