"""Output shapes and numbers of weights, from sizes alone: no array is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from convgrad.core.axis import Axis, per_axis
from convgrad.core.windows import Windows
from convgrad.errors import OptionError, ShapeError, by, listed
from convgrad.kinds.setting import DEPTHWISE
from convgrad.kinds.sizes import CONVOLUTION, ONLY_CONVOLUTION, ONLY_POOLING, POOLING
from convgrad.layers.shapes import check_groups
from convgrad.problems.laying_out import parted
from convgrad.problems.pool import pool_layer
from convgrad.problems.ranks import dims_of


def shapes(shape: Sequence[int], filters: int | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """An input shape such as (C, H, W), and a layer's settings -> its output shape and numbers of weights and biases.

    `shared`: a convolution's; `unshared`: a kernel of its own at every place; `dense`: every input to every
    output. Biases stand apart (one a filter, one a place and filter, one an output); batches do not count. A dense
    layer (`filters` alone) has as many either way. `unreached`, where there are some: the half-open
    ranges of rows and of columns that no window reaches. Raises ShapeError and OptionError.
    """
    pooling, convolution = (any(name in settings for name in names) for names in (POOLING, CONVOLUTION))
    if pooling and convolution:
        raise OptionError("--kernel-size is for a convolution, --size, --global and --adaptive for pooling")
    if not pooling and not convolution:
        return _dense(shape, filters, settings)
    _refuse(settings, ONLY_CONVOLUTION, pooling, "a convolution")
    _refuse(settings, ONLY_POOLING, convolution, "pooling")
    if pooling and filters is not None:
        raise OptionError("pooling has no filters", where="--filters", hint="drop it")
    size = next((settings[name] for name in (*CONVOLUTION, "size", "adaptive") if name in settings), (1,))
    d = settings.get("dims") or (len(size) if len(size) > 1 else dims_of(len(shape)))
    batch, channels, spatial = parted(tuple(shape), d, settings.get("layout") == "channels-last")
    lead = len(shape) - d
    last = settings.get("layout") == "channels-last" and lead > 0
    try:
        windows = pool_layer(settings).windows_on(spatial) if pooling else _convolved(spatial, size, settings)
    except ShapeError as error:
        if remark := looks_channels_last(shape, settings):
            error.hint += f"{', or' if error.hint else ''} {remark}"
        raise
    transposed = bool(settings.get("transposed"))
    sizes = windows.sizes if transposed else windows.places
    if pooling:
        count, has_axis, weights = channels, lead > 0, 0
    else:
        depthwise = settings.get("groups") == DEPTHWISE
        count, has_axis = filters or (channels if depthwise else 1), depthwise or filters is not None
        groups = channels if depthwise else settings.get("groups", 1)
        check_groups(channels, count, groups)
        weights = count * (channels // groups) * prod(per_axis(size, d, "kernel-size"))
    own = (count,) if has_axis else ()
    biases = 0 if pooling else count
    missed = {} if transposed else dict(zip(AXES[d], map(_unreached, windows.axes), strict=True))
    unreached = {name: ranges for name, ranges in missed.items() if ranges}
    return {
        "output_shape": [*batch, *sizes, *own] if last else [*batch, *own, *sizes],
        "parameters": {
            "shared": weights,
            "unshared": weights * prod(spatial if transposed else sizes),
            "dense": channels * prod(spatial) * count * prod(sizes),
        },
        "biases": {"shared": biases, "unshared": biases * prod(sizes), "dense": count * prod(sizes)},
        **({"unreached": unreached} if unreached else {}),
    }


def _convolved(spatial: tuple[int, ...], size: tuple[int, ...], settings: Mapping[str, Any]) -> Windows:
    stride, padding, dilation = (settings.get(*each) for each in (("stride", 1), ("padding", 0), ("dilation", 1)))
    if settings.get("transposed"):
        extra = settings.get("output_padding", 0)
        return Windows.transposed(spatial, size, stride, padding, dilation, extra)
    if settings.get("output_padding", 0) not in (0, (0,), (0, 0), (0, 0, 0)):
        raise OptionError("--output-padding belongs to a transposed convolution", hint="add --transposed")
    return Windows.fit(spatial, size, stride, padding, dilation)


# -- what one may not expect ------------------------------------------------------------------------------

MOST_LOOKED_AT = 10**6
"""Cells of an axis that are looked at one by one, where windows leave some out between them."""

MOST_RANGES = 4
"""Ranges of rows that a note names; more are counted."""

AXES = {1: ("cells",), 2: ("rows", "columns"), 3: ("planes", "rows", "columns")}
"""What the cells of each spatial axis are called."""


def _unreached(axis: Axis) -> list[list[int]]:
    """The half-open ranges of an axis's cells that no window reaches.

    Windows without gaps in or between them leave out the end alone; else every cell is looked at, of a long axis none.
    """
    if axis.dilation == 1 and axis.stride <= axis.kernel:
        end = axis.reach - axis.before
        return [[end, axis.size]] if end < axis.size else []
    if axis.size > MOST_LOOKED_AT or axis.places * axis.kernel > MOST_LOOKED_AT:
        return []
    missed = np.ones(axis.size, bool)
    cells = axis.cells.ravel()
    missed[cells[(cells >= 0) & (cells < axis.size)]] = False
    edges = np.flatnonzero(np.diff(missed, prepend=False, append=False))
    return [[int(low), int(high)] for low, high in zip(edges[::2], edges[1::2], strict=True)]


def remarks(shape: Sequence[int], found: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """What one may not expect of the sizes found: rows and columns that drop out, channels that look like rows."""
    said = [_ranges(name, ranges) for name, ranges in found.get("unreached", {}).items()]
    notes = [f"no window reaches {listed(said)} of the input, so nothing depends on them"] if said else []
    remark = looks_channels_last(shape, settings) if "size" in settings or "kernel_size" in settings else ""
    return [*notes, *([remark] if remark else [])]


def _ranges(called: str, ranges: Sequence[Sequence[int]]) -> str:
    """``row 31``, ``columns 2, 5 and 8 to 9``."""
    several = len(ranges) > 1 or ranges[0][1] - ranges[0][0] > 1
    each = [str(low) if high == low + 1 else f"{low} to {high - 1}" for low, high in ranges[:MOST_RANGES]]
    more = len(ranges) - MOST_RANGES
    return f"{called if several else called[:-1]} {listed([*each, *([f'{more} more'] if more > 0 else [])])}"


def looks_channels_last(shape: Sequence[int], settings: Mapping[str, Any]) -> str:
    """What to say of a shape such as 32x32x3, which is taken for 32 channels; empty where it looks right."""
    if len(shape) not in (3, 4) or settings.get("layout") or settings.get("dims") not in (None, 2):
        return ""
    channels, *spatial = shape[-3:]
    if spatial[-1] > FEW or min(channels, spatial[0]) <= FEW:
        return ""
    return (
        f"{by(shape)} is taken for {channels} channels of {by(spatial)}; if its last axis holds the channels, add "
        "--layout channels-last"
    )


FEW = 4
"""Channels that an image may have; a last axis no longer than that, behind longer ones, looks like channels."""


def _dense(shape: Sequence[int], filters: int | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    if filters is None:
        raise OptionError(
            "no layer is named",
            hint="give --kernel-size for a convolution, --size (or --global) for pooling, or --filters alone for a "
            "dense layer",
        )
    _refuse(settings, tuple(settings), True, "a convolution or pooling")
    each = dict.fromkeys(("shared", "unshared", "dense"), prod(shape) * filters)
    return {"output_shape": [filters], "parameters": each, "biases": dict.fromkeys(each, filters)}


def _refuse(settings: Mapping[str, Any], names: Iterable[str], wrong: bool, owner: str) -> None:
    """OptionError for settings that belong to another layer."""
    for name in names:
        if wrong and name in settings:
            raise OptionError(f"it belongs to {owner}", where=f"--{name.replace('_', '-')}", hint="drop it")
