"""Another setting: the problem solved rightly with another stride, dilation, padding, kernel, groups or layout.

Of a gradient the places stay those of the delta, however stride and padding are misread (setup.relaid).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import permutations
from typing import Any

import numpy as np

from convgrad.layers import products
from convgrad.layers.pool import Pool
from convgrad.mistakes import Mistake
from convgrad.mistakes.rows import KERNEL, row
from convgrad.mistakes.setup import Setup, relaid, sizes_of
from convgrad.quantity import Array

Axes = Callable[[Sequence[int]], Iterator[Sequence[int]]]


def misread(field: str, others: Axes, pinned: bool = False) -> Callable[[Setup, str], Iterator[Setup]]:
    """One field of the windows' axes, read otherwise."""

    def change(setup: Setup, name: str) -> Iterator[Setup]:
        own = sizes_of(setup.places, field)
        for other in others(own):
            if tuple(other) != own:
                found = relaid(setup, name, pinned, **{field: other})
                if found is not None:
                    yield found

    return change


def always(number: int) -> Axes:
    """The same number on every axis."""
    return lambda own: iter([(number,) * len(own)])


def each(other: Callable[[int], int]) -> Axes:
    """Every axis's number changed alike."""
    return lambda own: iter([tuple(map(other, own))])


def backwards(own: Sequence[int]) -> Iterator[Sequence[int]]:
    """The numbers of the axes in reverse order."""
    yield tuple(reversed(own))


def _stride_and_dilation(setup: Setup, name: str) -> Iterator[Setup]:
    strides, dilations = (sizes_of(setup.places, field) for field in ("stride", "dilation"))
    if strides != dilations and setup.subject.layer != "pool":
        found = relaid(setup, name, stride=dilations, dilation=strides)
        if found is not None:
            yield found


# -- padding ----------------------------------------------------------------------------------------------


def _padded(setup: Setup) -> bool:
    return any(axis.before or axis.after for axis in setup.places.axes)


def _other_padding(setup: Setup, name: str, before: Sequence[int], after: Sequence[int]) -> Iterator[Setup]:
    found = relaid(setup, name, before=before, after=after)
    if found is not None:
        yield found


def _no_padding(setup: Setup, name: str) -> Iterator[Setup]:
    """As if none were asked for: fewer places in the output."""
    if _padded(setup) and name == "output":
        none = (0,) * setup.d
        yield from _other_padding(setup, name, none, none)


def _unpadded(setup: Setup, name: str) -> Iterator[Setup]:
    """Windows begin on the first cell of the input itself, as many as there were."""
    before = sizes_of(setup.places, "before")
    if any(before) and setup.subject.layer != "transposed":
        found = relaid(setup, name, pinned=True, before=(0,) * len(before))
        if found is not None:
            yield found


def _sides_exchanged(setup: Setup, name: str) -> Iterator[Setup]:
    before, after = sizes_of(setup.places, "before"), sizes_of(setup.places, "after")
    if before != after and setup.subject.settings.get("padding") not in ("same", "same-lower"):
        yield from _other_padding(setup, name, after, before)


def _list_permuted(setup: Setup, name: str) -> Iterator[Setup]:
    """All other orders of the list (before, after, before, after)."""
    before, after = sizes_of(setup.places, "before"), sizes_of(setup.places, "after")
    own = tuple(side for pair in zip(before, after, strict=True) for side in pair)
    if setup.d < 2 or len(own) > 4:
        return
    for other in dict.fromkeys(permutations(own)):
        if other not in (own, tuple(side for pair in zip(after, before, strict=True) for side in pair)):
            yield from _other_padding(setup, name, other[::2], other[1::2])


def _half_kernel(setup: Setup, name: str) -> Iterator[Setup]:
    """SAME read as half the kernel on both sides."""
    if setup.subject.settings.get("padding") in ("same", "same-lower") and setup.subject.layer != "transposed":
        halves = tuple(kernel // 2 for kernel in sizes_of(setup.places, "kernel"))
        yield from _other_padding(setup, name, halves, halves)


def _another_mode(setup: Setup, name: str) -> Iterator[Setup]:
    """Zeros where the border is borrowed, or another way of borrowing."""
    from convgrad.settings import PAD_MODES

    if setup.subject.layer in ("conv", "unshared") and _padded(setup):
        for mode in PAD_MODES:
            if mode != setup.places.mode:
                yield replace(setup, windows=replace(setup.places, mode=mode))


# -- sizes of the output -------------------------------------------------------------------------------------


def _resized(places: Callable[[Any], int]) -> Callable[[Setup, str], Iterator[Setup]]:
    """As many places as another formula gives; windows that hang over the end see zeros."""

    def change(setup: Setup, name: str) -> Iterator[Setup]:
        if name != "output" or setup.subject.layer == "transposed" or _ragged(setup):
            return
        axes = []
        for axis in setup.places.axes:
            wanted = places(axis)
            room = (wanted - 1) * axis.stride + axis.span - axis.padded
            axes.append(replace(axis, after=axis.after + max(0, room), ceil=False, most=wanted))
            if wanted < 1 or axes[-1].places != wanted:
                return
        if tuple(axis.places for axis in axes) != setup.places.places:
            yield replace(setup, windows=replace(setup.places, axes=tuple(axes)))

    return change


def _ragged(setup: Setup) -> bool:
    from convgrad.axis import Ragged

    return any(isinstance(axis, Ragged) for axis in setup.places.axes)


# -- the kernel -------------------------------------------------------------------------------------------


def kernels(others: Callable[[Array, int], Iterator[Array]]) -> Callable[[Setup, str], Iterator[Setup]]:
    """The kernel laid otherwise, (kernel, number of spatial axes) -> kernels of the same shape."""

    def change(setup: Setup, name: str) -> Iterator[Setup]:
        if name in ("output", "dX"):
            for other in others(setup.kernel, setup.d):
                yield setup.with_layer(kernel=other)

    return change


def _rotated(kernel: Array, d: int) -> Iterator[Array]:
    yield products.rotated(kernel, d)


def _quarter_turned(kernel: Array, d: int) -> Iterator[Array]:
    if d >= 2 and kernel.shape[-1] == kernel.shape[-2]:
        yield np.rot90(kernel, 1, axes=(-2, -1))
        yield np.rot90(kernel, 3, axes=(-2, -1))


def _kernel_transposed(kernel: Array, d: int) -> Iterator[Array]:
    if d >= 2 and kernel.shape[-1] == kernel.shape[-2]:
        yield np.swapaxes(kernel, -1, -2)
        yield np.swapaxes(products.rotated(kernel, d), -1, -2)


def _kernel_mirrored(kernel: Array, d: int) -> Iterator[Array]:
    if d >= 2:
        for axis in range(-d, 0):
            yield np.flip(kernel, axis)


def _channels_exchanged(kernel: Array, d: int) -> Iterator[Array]:
    first = kernel.ndim - d - 2
    if kernel.shape[first] == kernel.shape[first + 1] > 1:
        yield np.swapaxes(kernel, first, first + 1)


def _flipped_everywhere(kernel: Array, d: int) -> Iterator[Array]:
    """dX of the kernel flipped on its channel axes too (the right rotation is not missing)."""
    first = kernel.ndim - d - 2
    if kernel.shape[first] > 1 or kernel.shape[first + 1] > 1:
        yield np.flip(kernel, (first, first + 1))


def _kernel_reshaped(kernel: Array, d: int) -> Iterator[Array]:
    """(kh, kw, C, F) read as (F, C, kh, kw): the numbers in the wrong order under the right shape."""
    if kernel.ndim != d + 2:
        return
    f, i, *k = kernel.shape
    yield kernel.reshape(f, *k, i).transpose(0, -1, *range(1, d + 1))
    yield kernel.reshape(*k, i, f).transpose(-1, -2, *range(d))
    yield kernel.transpose(0, *range(2, d + 2), 1).reshape(kernel.shape)
    yield kernel.transpose(*range(2, d + 2), 1, 0).reshape(kernel.shape)


def _inputs_reshaped(setup: Setup, name: str) -> Iterator[Setup]:
    """(N, H, W, C) read as (N, C, H, W) and the other way round, by reshape in place of transpose."""
    n, c, *sizes = setup.x.shape
    if c > 1:
        yield replace(setup, x=setup.x.reshape(n, *sizes, c).transpose(0, -1, *range(1, setup.d + 1)))
        yield replace(setup, x=setup.x.transpose(0, *range(2, setup.d + 2), 1).reshape(setup.x.shape))


def _input_transposed(setup: Setup, name: str) -> Iterator[Setup]:
    if setup.d >= 2 and setup.x.shape[-1] == setup.x.shape[-2]:
        yield replace(setup, x=np.swapaxes(setup.x, -1, -2))


# -- groups -----------------------------------------------------------------------------------------------


def _groups(setup: Setup) -> int:
    return int(getattr(setup.layer, "groups", 1))


def _other_group(setup: Setup, name: str) -> Iterator[Setup]:
    """Every filter looks at another group of the input channels: the next ones, or the first for all."""
    groups, x = _groups(setup), setup.x
    if groups < 2 or setup.subject.layer != "conv" or name == "dX":
        return
    size = x.shape[1] // groups
    for shift in range(1, groups):
        yield replace(setup, x=np.roll(x, -shift * size, axis=1))
    yield replace(setup, x=np.concatenate([x[:, :size]] * groups, axis=1))


def _interleaved(setup: Setup, name: str) -> Iterator[Setup]:
    """Groups dealt out in turn in place of in blocks."""
    groups, x = _groups(setup), setup.x
    if 1 < groups < x.shape[1] and setup.subject.layer == "conv" and name != "dX":
        dealt = x.reshape(len(x), -1, groups, *x.shape[2:]).swapaxes(1, 2).reshape(x.shape)
        yield replace(setup, x=np.ascontiguousarray(dealt))


def _kernel_groups(kernel: Array, groups: int) -> Iterator[Array]:
    blocks = kernel.reshape(groups, -1, *kernel.shape[1:])
    for shift in range(1, groups):
        yield np.roll(blocks, shift, axis=0).reshape(kernel.shape)


def _wrong_slice(setup: Setup, name: str) -> Iterator[Setup]:
    """The kernel's slice of another group."""
    if _groups(setup) > 1 and name in ("output", "dX"):
        for other in _kernel_groups(setup.kernel, _groups(setup)):
            yield setup.with_layer(kernel=other)


def _depthwise(setup: Setup, name: str) -> Iterator[Setup]:
    """Filter f sees channel f alone."""
    if setup.subject.layer == "unshared" or _groups(setup) != 1 or setup.layer.kernel is None:
        return
    kernel = setup.kernel
    if kernel.shape[0] == kernel.shape[1] > 1 and name in ("output", "dX"):
        mask = np.eye(len(kernel), dtype=kernel.dtype).reshape(*kernel.shape[:2], *(1,) * setup.d)
        yield setup.with_layer(kernel=kernel * mask)


# -- pooling ----------------------------------------------------------------------------------------------


def pooling(**options: Any) -> Callable[[Setup, str], Iterator[Setup]]:
    """The layer with other options, where they are not its own."""

    def change(setup: Setup, name: str) -> Iterator[Setup]:
        layer: Pool = setup.layer
        if any(getattr(layer, key) != value for key, value in options.items()):
            yield setup.with_layer(**options)

    return change


def _average_unshared(setup: Setup, name: str) -> Iterator[Setup]:
    if setup.layer.kind == "avg":
        yield setup.with_layer(kind="sum", divisor=None)


def _sum_shared(setup: Setup, name: str) -> Iterator[Setup]:
    if setup.layer.kind == "sum":
        yield setup.with_layer(kind="avg")


def _overhang(setup: Setup, name: str) -> Iterator[Setup]:
    """Every window's sum over all its cells, those that hang over the end too."""
    if setup.layer.kind == "avg" and setup.layer.ceil and setup.layer.divisor is None:
        yield setup.with_layer(divisor=float(np.prod(setup.places.kernel)))


def _another_kind(setup: Setup, name: str) -> Iterator[Setup]:
    kind = setup.layer.kind
    for other in ("max", "avg"):
        if other != kind and (kind, other) != ("sum", "avg"):
            yield setup.with_layer(kind=other, divisor=None)


def _minimum(setup: Setup, name: str) -> Iterator[Setup]:
    if setup.layer.kind == "max" and name == "dX":
        yield replace(setup, x=-setup.x)


def _to_every_cell(setup: Setup, name: str) -> Iterator[Setup]:
    if setup.layer.kind == "max" and name == "dX":
        yield setup.with_layer(kind="sum")


R = partial(row, "setting")
WINDOWED = f"{KERNEL} pool"

ROWS: tuple[Mistake, ...] = (
    R(
        "kernel-rotated",
        "output",
        KERNEL,
        "The kernel was rotated by 180 degrees before it was laid on.",
        "In mathematics (and in scipy's convolve2d) a convolution flips the kernel; a convolutional layer does not.",
        "Lay the kernel on as it is: cross-correlate. --flip is for layers that do flip it, and then it has to be.",
        change=lambda setup, name: kernels(_rotated)(setup, name) if name == "output" else iter(()),
        rank=1,
    ),
    R(
        "kernel-not-rotated",
        "dX",
        KERNEL,
        "dX is the full correlation of delta with the kernel itself: it was not rotated (or, where delta times "
        "kernel is laid back, it was rotated and must not be).",
        "The forward pass correlates, and it looks as if the backward pass did the same with the delta.",
        "Correlate the padded delta with the kernel rotated by 180 degrees; or lay delta times the kernel, "
        "unrotated, back on the cells it came from, and add.",
        change=lambda setup, name: kernels(_rotated)(setup, name) if name == "dX" else iter(()),
        rank=1,
    ),
    R(
        "kernel-quarter-turned",
        "output dX",
        KERNEL,
        "The kernel was turned by 90 degrees in place of 180 (or of not at all).",
        "np.rot90 turns once unless it is told how often.",
        "Rotate by 180 degrees: np.rot90(kernel, 2), or kernel[::-1, ::-1].",
        change=kernels(_quarter_turned),
    ),
    R(
        "kernel-transposed",
        "output dX",
        KERNEL,
        "The kernel was transposed (rows for columns) in place of rotated.",
        "In a dense layer the backward pass has the transposed weight, and the T is carried over to the kernel's "
        "plane.",
        "In a convolution it is filters and channels that are exchanged; in the plane the kernel is rotated by 180 "
        "degrees.",
        change=kernels(_kernel_transposed),
    ),
    R(
        "kernel-mirrored",
        "output dX",
        KERNEL,
        "The kernel was turned round along one axis alone.",
        "Of the two flips that make a rotation by 180 degrees one was left out.",
        "Flip both axes: kernel[::-1, ::-1].",
        change=kernels(_kernel_mirrored),
    ),
    R(
        "kernel-channels-exchanged",
        "output dX",
        "conv transposed unshared",
        "The kernel's filters and input channels are exchanged: weight [c, f] was used for [f, c].",
        "For dX the kernel's two channel axes change roles, which is easily forgotten, or done once too often; and a "
        "transposed convolution's kernel is (C, F, ...) while a convolution's is (F, C, ...).",
        "Sum over the filters: dX[c] is the sum over f of delta[f] with kernel[f, c].",
        change=kernels(_channels_exchanged),
        rank=1,
    ),
    R(
        "kernel-flipped-everywhere",
        "output dX",
        "conv transposed",
        "The kernel was flipped on every axis: filters and channels stand in reverse order too.",
        "np.flip without axes flips everything.",
        "Flip the spatial axes alone: np.flip(kernel, axis=(-2, -1)).",
        change=kernels(_flipped_everywhere),
    ),
    R(
        "kernel-layout-misread",
        "output dX",
        "conv transposed",
        "The kernel's numbers were read in another layout: reshaped where the axes had to be exchanged.",
        "Libraries keep kernels as (kh, kw, C, F) or (F, C, kh, kw), and reshape turns one into the other without "
        "complaint.",
        "Use transpose, or --layout channels-last.",
        change=kernels(_kernel_reshaped),
        rank=3,
    ),
    R(
        "input-layout-misread",
        "output dW dX",
        "conv unshared pool",
        "The input's numbers were read in another layout: channels last for channels first, or the reverse, by "
        "reshape.",
        "Images often come as (N, H, W, C), and reshape makes (N, C, H, W) of them without complaint.",
        "Use transpose, or --layout channels-last.",
        change=_inputs_reshaped,
        rank=3,
    ),
    R(
        "input-transposed",
        "output dW dX",
        WINDOWED,
        "The input's rows and columns were exchanged.",
        "Width and height, or x and y, were taken in the other order.",
        "Arrays are written row by row: the first spatial axis is the height.",
        change=_input_transposed,
    ),
    R(
        "stride-ignored",
        "output dW dX",
        f"{WINDOWED}",
        "The stride was ignored: windows were taken one cell apart. For dX that means that the delta was not dilated "
        "by it.",
        "The formulas of most introductions are for stride 1; in a loop, start = i is written for start = i * stride.",
        "Place i of the output lies at cell i * stride: put stride - 1 zeros between the deltas before correlating.",
        change=misread("stride", always(1)),
        rank=1,
    ),
    R(
        "stride-and-dilation-exchanged",
        "output dW dX",
        KERNEL,
        "Stride and dilation were exchanged.",
        "In the backward pass they do change parts: dW of a strided layer is a dilated correlation.",
        "For dW the delta is laid with holes of the stride between its cells, and moves by the dilation; for dX the "
        "delta is dilated by the stride, the kernel by the dilation.",
        change=_stride_and_dilation,
    ),
    R(
        "stride-axes-exchanged",
        "output dW dX",
        WINDOWED,
        "The strides of the axes were exchanged.",
        "(x, y) was written for (row, column).",
        "The first stride is that of the rows: downwards.",
        change=misread("stride", backwards),
    ),
    R(
        "stride-squared",
        "output dW dX",
        WINDOWED,
        "The stride was applied twice.",
        "The delta was dilated, and then laid with the stride again.",
        "Dilate the delta by the stride and go on with stride 1, or lay it with the stride as it is.",
        change=misread("stride", each(lambda stride: stride * stride)),
    ),
    R(
        "stride-off-by-one",
        "output dW dX",
        WINDOWED,
        "The stride was one off.",
        "Inserting `stride` zeros between the deltas in place of stride - 1, or counting the step from the next cell "
        "on.",
        "Between neighbouring deltas there are stride - 1 zeros.",
        change=misread("stride", lambda own: iter([tuple(s + 1 for s in own), tuple(max(1, s - 1) for s in own)])),
        rank=3,
    ),
    R(
        "dilation-ignored",
        "output dW dX",
        WINDOWED,
        "The dilation was ignored: the window was taken dense.",
        "The backward loop slices start : start + k, as without dilation.",
        "Cell u of the kernel lies at i * stride + u * dilation; slice with a step.",
        change=misread("dilation", always(1)),
        rank=1,
    ),
    R(
        "dilation-off-by-one",
        "output dW dX",
        WINDOWED,
        "The dilation was one off.",
        "In some systems 0 is dense (oneDNN), in others 1 is.",
        "Here dilation 1 is dense: neighbouring kernel cells lie `dilation` cells apart.",
        change=misread("dilation", lambda own: iter([tuple(n + 1 for n in own), tuple(max(1, n - 1) for n in own)])),
    ),
    R(
        "dilated-twice",
        "output dW dX",
        WINDOWED,
        "The dilation was applied twice: the dilated kernel was dilated again.",
        "The kernel was written out with its holes, and the option was set as well.",
        "Do one of the two.",
        change=misread("dilation", each(lambda dilation: dilation * dilation)),
    ),
    R(
        "dilation-axes-exchanged",
        "output dW dX",
        WINDOWED,
        "The dilations of the axes were exchanged.",
        "(x, y) was written for (row, column).",
        "The first dilation is that of the rows: downwards.",
        change=misread("dilation", backwards),
    ),
    R(
        "padding-ignored",
        "output",
        "conv transposed unshared pool",
        "The padding was left out: the output has the size that it has without.",
        "The option was overlooked.",
        "Lay zeros around the input first (or, in a transposed convolution, crop the result).",
        change=_no_padding,
        rank=1,
    ),
    R(
        "padding-forgotten",
        "output dW",
        "conv unshared pool",
        "Windows were taken from the input itself where the padded input is meant: they lie too far down and right.",
        "The loop runs over the right places, but slices X in place of X padded.",
        "Pad the input first, and slice the padded one in the backward pass too.",
        change=_unpadded,
        rank=1,
    ),
    R(
        "windows-of-unpadded-input",
        "dX",
        "pool",
        "Both the maxima and the places of their deltas were looked up on the input itself, with windows where they "
        "would lie without padding.",
        "Window coordinates of the padded input were used on the input.",
        "Pad first, collect on a padded array, and cut the padding off at the end.",
        change=_unpadded,
        alike="not-shifted-back",
    ),
    R(
        "padding-sides-exchanged",
        "output dW dX",
        WINDOWED,
        "The padding before and after were exchanged.",
        "Lists of paddings are written in several orders.",
        "Padding is before:after for each axis: 1:2 is one cell before and two after.",
        change=_sides_exchanged,
    ),
    R(
        "padding-list-misread",
        "output dW dX",
        WINDOWED,
        "The list of paddings was read in another order.",
        "top, bottom, left, right; left, right, top, bottom; begins then ends; last axis first: all of these are in "
        "use.",
        "Here it is before:after for each axis, rows first.",
        change=_list_permuted,
        rank=3,
    ),
    R(
        "same-as-half-kernel",
        "output dW dX",
        "conv unshared pool",
        "`same` was read as half the kernel on both sides.",
        "For stride 1 and odd kernels it is just that.",
        "The total is max(0, (ceil(H / stride) - 1) * stride + span - H), half of it before, the odd cell after.",
        change=_half_kernel,
    ),
    R(
        "another-padding-mode",
        "output dW dX",
        "conv unshared",
        "The padding held something else: zeros for cells of the input, or the reverse.",
        "Padding with zeros is so common that the mode is overlooked; in dX the border's share must be folded back "
        "to the cells it was borrowed from.",
        "Look at --pad-mode, and give the borrowed cells' gradient back to their lenders.",
        change=_another_mode,
    ),
    R(
        "ceil-for-floor",
        "output",
        "conv unshared pool",
        "The output's size was rounded up: a last window that hangs over the end was counted.",
        "Pooling layers have an option for that; the rule for convolutions is to round down.",
        "size = floor((H + padding - span) / stride) + 1.",
        change=_resized(lambda axis: -(-(axis.padded - axis.span) // axis.stride) + 1),
    ),
    R(
        "floor-for-ceil",
        "output",
        "pool",
        "The output's size was rounded down: the last window, which hangs over the end, was left out.",
        "Rounding down is the default everywhere.",
        "With --ceil a last window counts if it starts inside.",
        change=lambda setup, name: (
            _resized(lambda axis: (axis.padded - axis.span) // axis.stride + 1)(setup, name)
            if setup.layer.ceil
            else iter(())
        ),
    ),
    R(
        "window-in-the-padding",
        "output",
        "pool",
        "A last window that starts in the padding was counted: one row or column too many.",
        "The size was rounded up without looking where the last window starts.",
        "With --ceil a last window counts only if it starts inside the input or the padding before it.",
        change=lambda setup, name: (
            _resized(lambda axis: -(-(axis.padded - axis.span) // axis.stride) + 1)(setup, name)
            if setup.layer.ceil
            else iter(())
        ),
        alike="ceil-for-floor",
    ),
    R(
        "dilation-left-out-of-size",
        "output",
        "conv unshared pool",
        "The output's size was worked out without the dilation.",
        "The formula in most places has the kernel's size k, and not its span.",
        "A dilated kernel spans dilation * (k - 1) + 1 cells.",
        change=_resized(lambda axis: (axis.padded - axis.kernel) // axis.stride + 1),
    ),
    R(
        "dilation-times-kernel-in-size",
        "output",
        "conv unshared pool",
        "The output's size was worked out with dilation * k for the kernel's span.",
        "dilation * (k - 1) + 1 was remembered as dilation * k.",
        "A dilated kernel spans dilation * (k - 1) + 1 cells.",
        change=_resized(lambda axis: (axis.padded - axis.kernel * axis.dilation) // axis.stride + 1),
    ),
    R(
        "one-place-short",
        "output",
        "conv unshared pool",
        "The output is one place short on every axis: the + 1 of its size was lost.",
        "floor((H + padding - span) / stride) counts the steps between the places, not the places.",
        "size = floor((H + padding - span) / stride) + 1.",
        change=_resized(lambda axis: axis.places - 1),
    ),
    R(
        "last-step-misplaced-in-size",
        "output",
        "conv unshared pool",
        "The output's size has its parentheses in the wrong place: (H + padding - span + 1) / stride.",
        "The + 1 belongs outside the division, and slips in.",
        "size = floor((H + padding - span) / stride) + 1.",
        change=_resized(lambda axis: (axis.padded - axis.span + 1) // axis.stride),
        rank=3,
    ),
    R(
        "wrong-group",
        "output dW",
        "conv",
        "The filters looked at the channels of another group than their own.",
        "The slice of the input for group g was computed with the wrong g, or with the filters' count for the "
        "channels'.",
        "Group g has the channels g * C / groups to (g + 1) * C / groups.",
        change=_other_group,
    ),
    R(
        "groups-interleaved",
        "output dW",
        "conv",
        "The channels were dealt out to the groups in turn in place of in blocks.",
        "c % groups was written for c // (channels in a group).",
        "Neighbouring channels belong to one group.",
        change=_interleaved,
    ),
    R(
        "kernel-of-wrong-group",
        "output dX",
        "conv transposed",
        "The kernel's slice of another group was used.",
        "The slice of the kernel for group g was computed with the wrong g.",
        "Group g has the filters g * F / groups to (g + 1) * F / groups.",
        change=_wrong_slice,
    ),
    R(
        "taken-as-depthwise",
        "output dX",
        "conv transposed",
        "Filter f looked at channel f alone: the layer was taken for a depthwise one.",
        "With as many filters as channels it is tempting to pair them off.",
        "Every filter sees all input channels (of its group), and adds them up.",
        change=_depthwise,
    ),
    R(
        "average-not-shared",
        "output dX",
        "pool",
        "Nothing was divided by the window: each input got the whole delta, or the output is a sum.",
        "The maximum passes the delta on whole, and the average was treated likewise.",
        "Each cell of a window contributes 1/(cells of the window) to the average, and gets that share of the delta.",
        change=_average_unshared,
        rank=1,
    ),
    R(
        "sum-shared",
        "output dX",
        "pool",
        "The sum was divided by the window, as if it were an average.",
        "Average pooling is the more common layer.",
        "In a sum each cell counts whole, and gets the whole delta.",
        change=_sum_shared,
        rank=1,
    ),
    R(
        "overhang-counted",
        "output dX",
        "pool",
        "A window that hangs over the end was divided by all its cells.",
        "The divisor was fixed as kh * kw.",
        "Divide by the cells that lie on the padded input.",
        change=_overhang,
    ),
    R(
        "another-kind-of-pooling",
        "output dX",
        "pool",
        "The result is that of another kind of pooling.",
        "Maximum and average were mixed up.",
        "Look at --kind.",
        change=_another_kind,
    ),
    R(
        "minimum-for-maximum",
        "dX",
        "pool",
        "The delta went to the smallest cell of each window.",
        "argmin was written for argmax, or a comparison has the wrong sign.",
        "The cell that gave the maximum takes the delta.",
        change=_minimum,
    ),
    R(
        "delta-to-every-cell",
        "dX",
        "pool",
        "Every cell of a window got the whole delta.",
        "The delta was upsampled, and the mask of the maxima forgotten.",
        "Only the cell that gave the maximum takes the delta.",
        change=_to_every_cell,
        rank=1,
    ),
)
