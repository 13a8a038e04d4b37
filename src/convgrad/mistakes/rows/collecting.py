"""Sums that are collected wrongly: assigned for added, on another channel, kept apart, over other axes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations, product
from math import prod

import numpy as np

from convgrad.core.axis import Ragged
from convgrad.core.element import Array
from convgrad.core.engines import rotated
from convgrad.core.term import Cells, beside
from convgrad.core.windows import Windows
from convgrad.mistakes.about import KERNEL, ON_INPUT, WEIGHED
from convgrad.mistakes.case import Case, Variant
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.row import row
from convgrad.mistakes.rows.missing_parts import MOST, one_channel


def overwritten(windows: Windows, patches: Array) -> Array:
    """patches (..., *places, *kernel) -> (..., *sizes): laid back in reading order, the last one covering the others.

    The last place in reading order that covers a cell covers it with its smallest kernel cell, so cells are assigned
    from the largest to the smallest.
    """
    d = len(windows.axes)
    canvas = windows.canvas(patches.shape[: patches.ndim - 2 * d], patches.dtype)
    if any(isinstance(axis, Ragged) for axis in windows.axes):
        for place in np.ndindex(windows.places):
            cells = [axis.at(i) + axis.before for axis, i in zip(windows.axes, place, strict=True)]
            there: Cells = (..., *np.ix_(*cells))
            canvas[there] = patches[(*(slice(None),) * (patches.ndim - 2 * d), *place)]
        return windows.crop(canvas)
    under: Cells
    for u in reversed(list(product(*map(range, windows.kernel)))):
        under = (..., *(axis.strided(cell) for axis, cell in zip(windows.axes, u, strict=True)))
        here: Cells = (..., *u)
        canvas[under] = patches[here]
    return windows.crop(canvas)


def _patches(variant: Variant, filters: slice) -> Array | None:
    """What every overlay lays on the input: (N, C, *places, *kernel)."""
    if variant.delta is None:
        return None
    windows, delta, d = variant.places, variant.delta, variant.d
    if variant.case.layer == "pool":
        shares: Array = variant.layer.shares(variant.x, windows)
        return shares * beside(delta, d)
    kernel = rotated(variant.kernel, d) if variant.layer.flip else variant.kernel
    chosen = np.zeros_like(delta)
    chosen[:, filters] = delta[:, filters]
    if variant.case.layer == "unshared":
        flat = kernel.reshape(prod(windows.places), kernel.shape[d], -1)
        rows = chosen.reshape(*chosen.shape[:2], -1).transpose(2, 0, 1)
        each = (rows @ flat).reshape(*windows.places, len(delta), variant.x.shape[1], *windows.kernel)
        return np.moveaxis(each, (d, d + 1), (0, 1))
    groups = variant.layer.groups
    grouped = kernel.reshape(groups, len(kernel) // groups, -1).swapaxes(1, 2)
    columns = grouped @ chosen.reshape(len(delta), groups, len(kernel) // groups, -1)
    spread = columns.reshape(len(delta), variant.x.shape[1], *windows.kernel, *windows.places)
    return np.moveaxis(spread, range(2, 2 + d), range(-d, 0))


def _overlaps_overwrite(case: Case, name: str) -> Iterator[Array]:
    """dX[window] = ... in place of +=: the last overlay that covers a cell; of the last filter, or of their sum."""
    variant = case.opened
    if variant is None:
        return
    for filters in (slice(None), slice(-1, None)):
        if case.layer != "pool" and variant.layer.kernel is None:
            return
        patches = _patches(variant, filters)
        if patches is not None:
            yield variant.problem.shorthand.lower(overwritten(variant.places, patches), "NC*")
        if case.layer == "pool":
            return


def _maxima_assigned(case: Case, name: str) -> Iterator[Array]:
    """dX[argmax] = delta in place of +=: a cell that is the maximum of several windows keeps the last one's delta."""
    variant = case.opened
    if variant is None or variant.delta is None or variant.layer.kind != "max":
        return
    windows, d = variant.places, variant.d
    share = variant.layer.shares(variant.x, windows)
    laid = share * beside(variant.delta, d)
    canvas = windows.canvas(variant.x.shape[:2], laid.dtype)
    n, c, *rest = winners = np.nonzero(share)  # in the reading order of the windows, and later ones win
    cells = (axis.cells[i, u] + axis.before for axis, i, u in zip(windows.axes, rest[:d], rest[d:], strict=True))
    canvas[(n, c, *cells)] = laid[winners]
    yield variant.problem.shorthand.lower(windows.crop(canvas), "NC*")


def _transposed_overwrite(case: Case, name: str) -> Iterator[Array]:
    """The output of a transposed convolution, overlapping patches assigned."""
    variant = case.opened
    if variant is None or case.problem.activation is not None:
        return
    windows, x, d = variant.places, variant.x, variant.d
    kernel = rotated(variant.kernel, d) if variant.layer.flip else variant.kernel
    groups = variant.layer.groups
    grouped = kernel.reshape(groups, len(kernel) // groups, -1).swapaxes(1, 2)
    columns = grouped @ x.reshape(len(x), groups, len(kernel) // groups, -1)
    spread = columns.reshape(len(x), -1, *windows.kernel, *x.shape[2:])
    laid = overwritten(windows, np.moveaxis(spread, range(2, 2 + d), range(-d, 0)))
    if variant.layer.bias is not None:
        laid = laid + beside(variant.layer.bias, d)
    yield variant.problem.shorthand.lower(laid, "NF*")


def _wrong_channel(case: Case, name: str) -> Iterator[Array]:
    """The filter's index used for the channel's: dX[:, f] += delta[f] * kernel[f, c], for every c."""
    variant = case.opened
    if variant is None or variant.delta is None or variant.layer.groups != 1:
        return
    kernel, channels = variant.kernel, variant.x.shape[1]
    if len(kernel) > channels or len(kernel) == channels == 1:
        return
    mixed = np.zeros((len(kernel), *kernel.shape[1:]), kernel.dtype)
    for f in range(len(kernel)):
        mixed[f, f] = kernel[f].sum(axis=0)
    value = variant.with_layer(kernel=mixed).solved(name)
    if value is not None:
        yield value


def _kept_apart(case: Case, name: str) -> Iterator[Array]:
    """One gradient for each example, not summed: (N, ...)."""
    variant = case.opened
    if variant is None or variant.delta is None or len(variant.delta) < 2 or len(variant.delta) > MOST:
        return
    x, delta = variant.x, variant.delta
    each = [replace(variant, x=x[n : n + 1], delta=delta[n : n + 1]).solved(name) for n in range(len(x))]
    found = [array for array in each if array is not None]
    if len(found) == len(each):
        yield np.stack(found)


def _channels_apart(case: Case, name: str) -> Iterator[Array]:
    """One plane for each channel, not summed."""
    variant = case.opened
    if variant is None or variant.layer.kernel is None or not 1 < variant.x.shape[1] <= MOST:
        return
    planes = []
    for changed in one_channel(variant, name):
        array = changed.solved(name)
        if array is None:
            return
        planes.append(array)
    yield np.stack(planes, axis=-(variant.d + 1))
    yield np.stack(planes)


def _wrong_axes(case: Case, name: str) -> Iterator[Array]:
    """The delta, as the file has it, summed over every other set of axes; what keeps its shape is the right one."""
    variant = case.opened
    if variant is None or variant.delta is None:
        return
    array = variant.problem.shorthand.lower(variant.delta, variant.problem.output_axes)
    for size in range(1, array.ndim + 1):
        for axes in combinations(range(array.ndim), size):
            yield np.asarray(array.sum(axis=axes))


R = partial(row, "partial")

ROWS: tuple[Mistake, ...] = (
    R(
        "overlaps-overwrite",
        "dX",
        ON_INPUT,
        "Where overlays overlap, the last one overwrote the others.",
        "dX[window] = ... was written where dX[window] += ... is meant.",
        "A cell under several overlays gets the sum of what they send back: begin with zeros and add.",
        predict=_overlaps_overwrite,
        rank=1,
    ),
    R(
        "maximum-assigned",
        "dX",
        "pool",
        "A cell that is the maximum of several windows kept the delta of the last of them alone.",
        "dX[argmax] = delta was written where dX[argmax] += delta is meant.",
        "A cell gets the sum of what every window sends back whose maximum it is: begin with zeros and add.",
        predict=_maxima_assigned,
        rank=1,
    ),
    R(
        "output-overlaps-overwrite",
        "output",
        "transposed",
        "Where the patches overlap on the output, the last one overwrote the others.",
        "output[window] = ... was written where output[window] += ... is meant.",
        "Begin with zeros (or the bias) and add every patch.",
        predict=_transposed_overwrite,
        rank=1,
    ),
    R(
        "laid-on-wrong-channel",
        "dX",
        "conv",
        "What filter f sends back was collected in channel f, and not in the channels that it came from.",
        "In the loop over filters and channels the filter's index was used for the channel's.",
        "dX[c] += delta[f] * kernel[f, c].",
        predict=_wrong_channel,
    ),
    R(
        "kept-apart-by-example",
        "dW db",
        WEIGHED,
        "There is one gradient for each example: they were not added up over the batch.",
        "The batch's axis was kept.",
        "All examples share the weights: add up over the batch.",
        predict=_kept_apart,
        rank=1,
    ),
    R(
        "channels-kept-apart",
        "output",
        KERNEL,
        "There is one plane for each input channel: they were not added up.",
        "Each channel was convolved by itself, as in a depthwise layer.",
        "A filter adds up over all the channels it sees.",
        predict=_channels_apart,
        rank=1,
    ),
    R(
        "summed-over-wrong-axes",
        "db",
        WEIGHED,
        "delta was summed over the wrong axes.",
        "The axes' numbers are those of another layout (or the last axis was taken for the filters').",
        "db has one number for each filter: sum over the examples and the places, here over all axes but the filters'.",
        predict=_wrong_axes,
    ),
)
