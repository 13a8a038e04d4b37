"""Another setting: the kernel rotated, mirrored or read in another layout; groups and channels mixed up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from convgrad.core.element import Array
from convgrad.core.engines import rotated
from convgrad.mistakes.case import Variant
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.row import KERNEL, row


def kernels(others: Callable[[Array, int], Iterator[Array]]) -> Callable[[Variant, str], Iterator[Variant]]:
    """The kernel laid otherwise, (kernel, number of spatial axes) -> kernels of the same shape."""

    def change(variant: Variant, name: str) -> Iterator[Variant]:
        if name in ("output", "dX"):
            for other in others(variant.kernel, variant.d):
                yield variant.with_layer(kernel=other)

    return change


def _rotated(kernel: Array, d: int) -> Iterator[Array]:
    yield rotated(kernel, d)


def _delta_rotated(variant: Variant, name: str) -> Iterator[Variant]:
    if variant.delta is not None:
        yield replace(variant, delta=rotated(variant.delta, variant.d))


def _quarter_turned(kernel: Array, d: int) -> Iterator[Array]:
    if d >= 2 and kernel.shape[-1] == kernel.shape[-2]:
        yield np.rot90(kernel, 1, axes=(-2, -1))
        yield np.rot90(kernel, 3, axes=(-2, -1))


def _kernel_transposed(kernel: Array, d: int) -> Iterator[Array]:
    if d >= 2 and kernel.shape[-1] == kernel.shape[-2]:
        yield np.swapaxes(kernel, -1, -2)
        yield np.swapaxes(rotated(kernel, d), -1, -2)


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


def _inputs_reshaped(variant: Variant, name: str) -> Iterator[Variant]:
    """(N, H, W, C) read as (N, C, H, W) and the other way round, by reshape in place of transpose."""
    n, c, *sizes = variant.x.shape
    if c > 1:
        yield replace(variant, x=variant.x.reshape(n, *sizes, c).transpose(0, -1, *range(1, variant.d + 1)))
        yield replace(variant, x=variant.x.transpose(0, *range(2, variant.d + 2), 1).reshape(variant.x.shape))


def _input_transposed(variant: Variant, name: str) -> Iterator[Variant]:
    if variant.d >= 2 and variant.x.shape[-1] == variant.x.shape[-2]:
        yield replace(variant, x=np.swapaxes(variant.x, -1, -2))


def _groups(variant: Variant) -> int:
    return int(getattr(variant.layer, "groups", 1))


def _other_group(variant: Variant, name: str) -> Iterator[Variant]:
    """Every filter looks at another group of the input channels: the next ones, or the first for all."""
    groups, x = _groups(variant), variant.x
    if groups < 2 or variant.case.layer != "conv" or name == "dX":
        return
    size = x.shape[1] // groups
    for shift in range(1, groups):
        yield replace(variant, x=np.roll(x, -shift * size, axis=1))
    yield replace(variant, x=np.concatenate([x[:, :size]] * groups, axis=1))


def _interleaved(variant: Variant, name: str) -> Iterator[Variant]:
    """Groups dealt out in turn in place of in blocks."""
    groups, x = _groups(variant), variant.x
    if 1 < groups < x.shape[1] and variant.case.layer == "conv" and name != "dX":
        dealt = x.reshape(len(x), -1, groups, *x.shape[2:]).swapaxes(1, 2).reshape(x.shape)
        yield replace(variant, x=np.ascontiguousarray(dealt))


def _kernel_groups(kernel: Array, groups: int) -> Iterator[Array]:
    blocks = kernel.reshape(groups, -1, *kernel.shape[1:])
    for shift in range(1, groups):
        yield np.roll(blocks, shift, axis=0).reshape(kernel.shape)


def _wrong_slice(variant: Variant, name: str) -> Iterator[Variant]:
    """The kernel's slice of another group."""
    if _groups(variant) > 1 and name in ("output", "dX"):
        for other in _kernel_groups(variant.kernel, _groups(variant)):
            yield variant.with_layer(kernel=other)


def _depthwise(variant: Variant, name: str) -> Iterator[Variant]:
    """Filter f sees channel f alone."""
    if variant.case.layer == "unshared" or _groups(variant) != 1 or variant.layer.kernel is None:
        return
    kernel = variant.kernel
    if kernel.shape[0] == kernel.shape[1] > 1 and name in ("output", "dX"):
        mask = np.eye(len(kernel), dtype=kernel.dtype).reshape(*kernel.shape[:2], *(1,) * variant.d)
        yield variant.with_layer(kernel=kernel * mask)


WINDOWED = f"{KERNEL} pool"
R = partial(row, "setting")

ROWS: tuple[Mistake, ...] = (
    R(
        "delta-rotated",
        "dW dX",
        "conv unshared",
        "The delta was rotated by 180 degrees: input and delta were convolved, not correlated.",
        "The name of the layer suggests it, and scipy's convolve2d turns its second argument round.",
        "For dW correlate the input with the delta as it is; for dX it is the kernel that is rotated.",
        change=_delta_rotated,
        rank=1,
    ),
    R(
        "kernel-rotated",
        "output",
        KERNEL,
        "The kernel was rotated by 180 degrees before it was laid on.",
        "In mathematics (and in scipy's convolve2d) a convolution flips the kernel; a convolutional layer does not.",
        "Lay the kernel on as it is: cross-correlate. --flip is for layers that do flip it, and then it has to be.",
        change=lambda variant, name: kernels(_rotated)(variant, name) if name == "output" else iter(()),
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
        change=lambda variant, name: kernels(_rotated)(variant, name) if name == "dX" else iter(()),
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
)
