"""Output shapes and numbers of weights, from sizes alone: no array is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from convgrad.errors import OptionError, ShapeError, by
from convgrad.problems.pool import pool_layer
from convgrad.windows import Windows


def shapes(shape: Sequence[int], filters: int | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """An input shape such as (C, H, W), and a layer's settings -> its output shape and numbers of weights.

    `shared`: a convolution's; `unshared`: a kernel of its own at every place; `dense`: every input to every
    output. Biases are not counted, batches do not count. Raises ShapeError and OptionError.
    """
    pooling = "size" in settings or bool(settings.get("global"))
    if pooling == ("kernel_size" in settings):
        raise OptionError("give --kernel-size for a convolution, or --size (or --global) for pooling")
    size = settings.get("kernel_size", settings.get("size", (1,)))
    d = settings.get("dims") or (len(size) if len(size) > 1 else {1: 1, 2: 2, 3: 2, 4: 2, 5: 3}.get(len(shape), 0))
    if not d or not 0 <= len(shape) - d <= 2:
        raise ShapeError(
            f"{by(shape)} has {len(shape)} axes, which does not fit {d or 'any number of'} spatial axes",
            hint="give d, d + 1 (with channels) or d + 2 (with batch) axes, and --dims d",
        )
    last = settings.get("layout") == "channels-last" and len(shape) > d
    lead = len(shape) - d
    spatial = tuple(shape[lead - 1 : len(shape) - 1]) if last else tuple(shape[lead:])
    channels = (shape[-1] if last else shape[lead - 1]) if lead else 1
    batch = tuple(shape[:1]) if lead == 2 else ()
    groups = settings.get("groups", 1)
    if pooling:
        if filters is not None or groups != 1:
            raise OptionError("--filters and --groups belong to a convolution, --size and --global to pooling")
        windows = pool_layer(settings).windows_on(spatial)
        count, has_axis, weights = channels, lead > 0, 0
    else:
        count, has_axis = filters or 1, filters is not None
        if channels % groups or count % groups:
            raise OptionError(
                f"{groups} groups do not divide {channels} channels and {count} filters", where="--groups"
            )
        windows = Windows.fit(
            spatial, size, settings.get("stride", 1), settings.get("padding", 0), settings.get("dilation", 1)
        )
        weights = count * (channels // groups) * prod(windows.kernel)
    own = (count,) if has_axis else ()
    return {
        "output_shape": [*batch, *windows.places, *own] if last else [*batch, *own, *windows.places],
        "parameters": {
            "shared": weights,
            "unshared": weights * prod(windows.places),
            "dense": channels * prod(spatial) * count * prod(windows.places),
        },
    }
