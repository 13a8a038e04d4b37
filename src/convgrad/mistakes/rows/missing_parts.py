"""Partial sums: overlays, filters, channels or examples missing, or only one of them kept; assigned for added."""

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
from convgrad.layers.pool import KINDS
from convgrad.mistakes.case import Case, Variant
from convgrad.mistakes.mistake import Alteration, Mistake
from convgrad.mistakes.row import KERNEL, row

MOST = 64
"""Channels, filters or examples up to which each is tried as the only one."""

# -- changes: parts of the operands set to 0 -----------------------------------------------------------------


def _only(array: Array, axis: int, index: int) -> Array:
    kept = np.zeros_like(array)
    here = (slice(None),) * axis + (index,)
    kept[here] = array[here]
    return kept


def _one_channel(variant: Variant, name: str) -> Iterator[Variant]:
    """Only one input channel contributes to the output."""
    for c in range(variant.x.shape[1]) if 1 < variant.x.shape[1] <= MOST else ():
        yield replace(variant, x=_only(variant.x, 1, c))


def _one_filter(variant: Variant, name: str) -> Iterator[Variant]:
    """Only one filter (or node) sends something back."""
    delta = _given(variant)
    for f in range(delta.shape[1]) if 1 < delta.shape[1] <= MOST else ():
        yield replace(variant, delta=_only(delta, 1, f))


def _one_example(variant: Variant, name: str) -> Iterator[Variant]:
    """Only the first or the last example contributes."""
    delta = _given(variant)
    if len(delta) > 1:
        for n in (len(delta) - 1, 0):
            yield replace(variant, delta=_only(delta, 0, n))


def _one_missing(variant: Variant, name: str) -> Iterator[Variant]:
    """The first or the last example is missing."""
    delta = _given(variant)
    if len(delta) > 2:
        for n in (len(delta) - 1, 0):
            yield replace(variant, delta=delta - _only(delta, 0, n))


def _given(variant: Variant) -> Array:
    return np.zeros((0, 0)) if variant.delta is None else variant.delta


def _one_overlay(last: bool) -> Alteration:
    index = -1 if last else 0

    def change(variant: Variant, name: str) -> Iterator[Variant]:
        """Only the last (or first) overlay contributes: of the last example, or of each."""
        turned = variant.case.layer == "transposed"  # its overlays are the places of the input
        array = variant.x if turned else _given(variant)
        if prod(array.shape[2:]) < 2 or (turned and name != "dW"):
            return
        kept = np.zeros_like(array)
        here: Cells = (..., *(index,) * variant.d)
        kept[here] = array[here]
        for each in [kept, _only(kept, 0, index)] if len(array) > 1 else [kept]:
            yield replace(variant, x=each) if turned else replace(variant, delta=each)

    return change


def _border_skipped(variant: Variant, name: str) -> Iterator[Variant]:
    """Overlays that touch the padding are skipped."""
    if variant.delta is None or variant.case.layer == "transposed":
        return
    inside = np.ones((), bool)
    for axis in variant.places.axes:
        inside = np.multiply.outer(inside, axis.inside(0, axis.size) == axis.kernel)
    if not inside.all() and inside.any():
        yield replace(variant, delta=variant.delta * inside)


def _last_row_missing(variant: Variant, name: str) -> Iterator[Variant]:
    """The loop over the places ends one too early (or begins one too late)."""
    if variant.delta is None or variant.case.layer == "transposed":
        return
    for part in (slice(None, -1), slice(1, None)):
        kept = np.zeros_like(variant.delta)
        here: Cells = (..., *(part if n > 1 else slice(None) for n in variant.delta.shape[2:]))
        kept[here] = variant.delta[here]
        yield replace(variant, delta=kept)


# -- assigned where it should add ----------------------------------------------------------------------------


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
        kind = KINDS[variant.layer.kind]
        share = kind.share(variant.layer, windows.unfold(variant.x, kind.fill), windows)
        return share * beside(delta, d)
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


# -- sums over too few or too many axes ------------------------------------------------------------------------


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
    for changed in _one_channel(variant, name):
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
BACK = "conv unshared pool"

ROWS: tuple[Mistake, ...] = (
    R(
        "one-channel-only",
        "output",
        "conv transposed unshared",
        "Only one input channel contributes to the output: the last (or another) one was kept, the others "
        "overwritten or left out.",
        "The loop over the channels assigns (=) where it should add (+=), or only the first channel is looked at.",
        "Add up over all the channels.",
        change=_one_channel,
        rank=1,
    ),
    R(
        "one-filter-only",
        "dX",
        "conv transposed unshared dense",
        "Only one filter (or node) contributes to dX: the others were overwritten or left out.",
        "The loop over the filters assigns (=) where it should add (+=).",
        "Every filter sends something back to every input: add up over the filters.",
        change=_one_filter,
        rank=1,
    ),
    R(
        "one-example-only",
        "dW db",
        f"{KERNEL} dense",
        "Only one example of the batch contributes.",
        "The loop over the examples assigns (=) where it should add (+=).",
        "Add up over the batch.",
        change=_one_example,
        rank=1,
    ),
    R(
        "one-example-missing",
        "dW db",
        f"{KERNEL} dense",
        "The first or the last example of the batch is missing from the sum.",
        "The loop over the examples ends one too early, or begins one too late.",
        "Add up over the whole batch.",
        change=_one_missing,
    ),
    R(
        "last-overlay-only",
        "dW db",
        KERNEL,
        "Only the last overlay contributes: each one overwrote those before it.",
        "dW = delta * window was written where dW += delta * window is meant.",
        "Begin with zeros and add what every overlay contributes.",
        change=_one_overlay(last=True),
        rank=1,
    ),
    R(
        "first-overlay-only",
        "dW db",
        KERNEL,
        "Only the first overlay contributes.",
        "The loop was left after its first round (a return or break inside it), or only one place was worked out.",
        "The weight is used at every place: go through all of them and add.",
        change=_one_overlay(last=False),
    ),
    R(
        "border-overlays-skipped",
        "dW db dX",
        BACK,
        "The overlays that touch the padding are missing.",
        "They were skipped because a part of the window is outside.",
        "The part inside still counts; the padding contributes zeros of itself.",
        change=_border_skipped,
    ),
    R(
        "last-places-missing",
        "dW db dX",
        BACK,
        "The last (or first) row and column of overlays are missing.",
        "The loop over the places ends one too early, or begins one too late.",
        "There are floor((H + padding - span) / stride) + 1 places on an axis, the first at 0.",
        change=_last_row_missing,
    ),
    R(
        "overlaps-overwrite",
        "dX",
        BACK,
        "Where overlays overlap, the last one overwrote the others.",
        "dX[window] = ... was written where dX[window] += ... is meant.",
        "A cell under several overlays gets the sum of what they send back: begin with zeros and add.",
        predict=_overlaps_overwrite,
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
        f"{KERNEL} dense",
        "There is one gradient for each example: they were not added up over the batch.",
        "The batch's axis was kept.",
        "All examples share the weights: add up over the batch.",
        predict=_kept_apart,
        rank=1,
    ),
    R(
        "channels-kept-apart",
        "output",
        "conv transposed unshared",
        "There is one plane for each input channel: they were not added up.",
        "Each channel was convolved by itself, as in a depthwise layer.",
        "A filter adds up over all the channels it sees.",
        predict=_channels_apart,
        rank=1,
    ),
    R(
        "summed-over-wrong-axes",
        "db",
        f"{KERNEL} dense",
        "delta was summed over the wrong axes.",
        "The axes' numbers are those of another layout (or the last axis was taken for the filters').",
        "db has one number for each filter: sum over the examples and the places, here over all axes but the filters'.",
        predict=_wrong_axes,
    ),
)
