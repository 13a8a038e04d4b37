"""Output shapes and numbers of weights, from sizes alone: no array is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from convgrad.core.axis import per_axis
from convgrad.core.windows import Windows
from convgrad.errors import OptionError, ShapeError, by
from convgrad.layers.shapes import check_groups
from convgrad.problems.pool import pool_layer

POOLING, CONVOLUTION = ("size", "global", "adaptive"), ("kernel_size",)
"""The settings that say which layer is meant; with neither and --filters, a dense layer."""


def shapes(shape: Sequence[int], filters: int | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """An input shape such as (C, H, W), and a layer's settings -> its output shape and numbers of weights.

    `shared`: a convolution's; `unshared`: a kernel of its own at every place; `dense`: every input to every
    output. Biases are not counted, batches do not count. A dense layer (`filters` alone) has as many either way.
    Raises ShapeError and OptionError.
    """
    pooling, convolution = (any(name in settings for name in names) for names in (POOLING, CONVOLUTION))
    if pooling and convolution:
        raise OptionError("--kernel-size is for a convolution, --size, --global and --adaptive for pooling")
    if not pooling and not convolution:
        return _dense(shape, filters, settings)
    _refuse(settings, ("groups", "transposed", "output_padding"), pooling, "a convolution")
    _refuse(settings, ("ceil",), convolution, "pooling")
    if pooling and filters is not None:
        raise OptionError("pooling has no filters", where="--filters", hint="drop it")
    size = next((settings[name] for name in (*CONVOLUTION, "size", "adaptive") if name in settings), (1,))
    d = settings.get("dims") or (len(size) if len(size) > 1 else {1: 1, 2: 2, 3: 2, 4: 2, 5: 3}.get(len(shape), 0))
    if not d or not 0 <= len(shape) - d <= 2:
        raise ShapeError(
            f"{by(shape)} has {len(shape)} axes, which does not fit {d or 'any number of'} spatial axes",
            hint="give d, d + 1 (with channels) or d + 2 (with batch) axes, and --dims d",
        )
    lead = len(shape) - d
    last = settings.get("layout") == "channels-last" and lead > 0
    spatial = tuple(shape[lead - 1 : len(shape) - 1]) if last else tuple(shape[lead:])
    channels = (shape[-1] if last else shape[lead - 1]) if lead else 1
    batch = tuple(shape[:1]) if lead == 2 else ()
    if pooling:
        sizes, count, has_axis, weights = pool_layer(settings).windows_on(spatial).places, channels, lead > 0, 0
    else:
        count, has_axis, groups = filters or 1, filters is not None, settings.get("groups", 1)
        check_groups(channels, count, groups)
        sizes = _convolved(spatial, size, settings)
        weights = count * (channels // groups) * prod(per_axis(size, d, "kernel-size"))
    own = (count,) if has_axis else ()
    inside = prod(spatial) if settings.get("transposed") else prod(sizes)
    return {
        "output_shape": [*batch, *sizes, *own] if last else [*batch, *own, *sizes],
        "parameters": {
            "shared": weights,
            "unshared": weights * inside,
            "dense": channels * prod(spatial) * count * prod(sizes),
        },
    }


def _convolved(spatial: tuple[int, ...], size: tuple[int, ...], settings: Mapping[str, Any]) -> tuple[int, ...]:
    stride, padding, dilation = (settings.get(*each) for each in (("stride", 1), ("padding", 0), ("dilation", 1)))
    if settings.get("transposed"):
        extra = settings.get("output_padding", 0)
        return Windows.transposed(spatial, size, stride, padding, dilation, extra).sizes
    if settings.get("output_padding", 0) not in (0, (0,), (0, 0), (0, 0, 0)):
        raise OptionError("--output-padding belongs to a transposed convolution", hint="add --transposed")
    return Windows.fit(spatial, size, stride, padding, dilation).places


def _dense(shape: Sequence[int], filters: int | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    if filters is None:
        raise OptionError(
            "no layer is named",
            hint="give --kernel-size for a convolution, --size (or --global) for pooling, or --filters alone for a "
            "dense layer",
        )
    _refuse(settings, tuple(settings), True, "a convolution or pooling")
    weights = prod(shape) * filters
    return {"output_shape": [filters], "parameters": dict.fromkeys(("shared", "unshared", "dense"), weights)}


def _refuse(settings: Mapping[str, Any], names: tuple[str, ...], wrong: bool, owner: str) -> None:
    """OptionError for settings that belong to another layer."""
    for name in names:
        if wrong and name in settings:
            raise OptionError(f"it belongs to {owner}", where=f"--{name.replace('_', '-')}", hint="drop it")
