"""Another setting: the padding forgotten, on other sides, of another kind; sizes by another formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import permutations
from typing import Any

from convgrad.core.axis import Ragged
from convgrad.kinds.setting import PAD_MODES
from convgrad.mistakes.about import ON_INPUT, WINDOWED
from convgrad.mistakes.case import Variant
from convgrad.mistakes.misplaced import believing, relaid, resized, sizes_of
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.row import row


def _padded(variant: Variant) -> bool:
    return any(axis.before or axis.after for axis in variant.places.axes)


def _other_padding(variant: Variant, name: str, before: Sequence[int], after: Sequence[int]) -> Iterator[Variant]:
    found = relaid(variant, name, before=before, after=after)
    if found is not None:
        yield found


def _no_padding(variant: Variant, name: str) -> Iterator[Variant]:
    """As if none were asked for: fewer places in the output."""
    if _padded(variant) and name == "output":
        none = (0,) * variant.d
        yield from _other_padding(variant, name, none, none)


def _unpadded(variant: Variant, name: str) -> Iterator[Variant]:
    """Windows begin on the first cell of the input itself, as many as there were."""
    before = sizes_of(variant.places, "before")
    if any(before) and variant.case.layer != "transposed":
        found = relaid(variant, name, pinned=True, before=(0,) * len(before))
        if found is not None:
            yield found


def _unpadded_whole(variant: Variant, name: str) -> Iterator[Variant]:
    """dW by correlating the whole of the input itself with the delta: a smaller kernel."""
    if name == "dW" and _padded(variant) and variant.case.layer == "conv":
        none = (0,) * variant.d
        yield from resized(variant, name, before=none, after=none)


def _sides_exchanged(variant: Variant, name: str) -> Iterator[Variant]:
    before, after = sizes_of(variant.places, "before"), sizes_of(variant.places, "after")
    if before != after and variant.case.settings.get("padding") not in ("same", "same-lower"):
        yield from _other_padding(variant, name, after, before)


def _list_permuted(variant: Variant, name: str) -> Iterator[Variant]:
    """All other orders of the list (before, after, before, after)."""
    before, after = sizes_of(variant.places, "before"), sizes_of(variant.places, "after")
    own = tuple(side for pair in zip(before, after, strict=True) for side in pair)
    if variant.d < 2 or len(own) > 4:
        return
    for other in dict.fromkeys(permutations(own)):
        if other not in (own, tuple(side for pair in zip(after, before, strict=True) for side in pair)):
            yield from _other_padding(variant, name, other[::2], other[1::2])


def _half_kernel(variant: Variant, name: str) -> Iterator[Mapping[str, Sequence[int]]]:
    """SAME read as half the kernel on both sides."""
    if variant.case.settings.get("padding") in ("same", "same-lower") and variant.case.layer != "transposed":
        halves = tuple(kernel // 2 for kernel in sizes_of(variant.places, "kernel"))
        yield {"before": halves, "after": halves}


def _another_mode(variant: Variant, name: str) -> Iterator[Variant]:
    """Zeros where the border is borrowed, or another way of borrowing."""
    if variant.case.layer in ("conv", "unshared") and _padded(variant):
        for mode in PAD_MODES:
            if mode != variant.places.mode:
                yield replace(variant, windows=replace(variant.places, mode=mode))


def _resized(places: Callable[[Any], int], dilated: bool = False) -> Callable[[Variant, str], Iterator[Variant]]:
    """As many places as another formula gives (one about dilation); windows that hang over the end see zeros."""

    def change(variant: Variant, name: str) -> Iterator[Variant]:
        if name != "output" or variant.case.layer == "transposed" or _ragged(variant):
            return
        if dilated and max(sizes_of(variant.places, "dilation")) == 1:
            return
        axes = []
        for axis in variant.places.axes:
            wanted = places(axis)
            after = axis.after + max(0, axis.reaching(wanted) - axis.padded)
            axes.append(replace(axis, after=after, ceil=False, most=wanted))
            if wanted < 1 or axes[-1].places != wanted:
                return
        if tuple(axis.places for axis in axes) != variant.places.places:
            yield replace(variant, windows=replace(variant.places, axes=tuple(axes)))

    return change


def _ragged(variant: Variant) -> bool:
    return any(isinstance(axis, Ragged) for axis in variant.places.axes)


R = partial(row, "setting")

ROWS: tuple[Mistake, ...] = (
    R(
        "padding-ignored",
        "output",
        WINDOWED,
        "The padding was left out: the output has the size that it has without.",
        "The option was overlooked.",
        "Lay zeros around the input first (or, in a transposed convolution, crop the result).",
        change=_no_padding,
        rank=1,
    ),
    R(
        "padding-forgotten",
        "output dW",
        ON_INPUT,
        "Windows were taken from the input itself where the padded input is meant: they lie too far down and right.",
        "The loop runs over the right places, but slices X in place of X padded.",
        "Pad the input first, and slice the padded one in the backward pass too.",
        change=_unpadded,
        alone=_unpadded_whole,
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
        ON_INPUT,
        "`same` was read as half the kernel on both sides.",
        "For stride 1 and odd kernels it is just that.",
        "The total is max(0, (ceil(H / stride) - 1) * stride + span - H), half of it before, the odd cell after.",
        **believing(_half_kernel),
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
        ON_INPUT,
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
        change=lambda variant, name: (
            _resized(lambda axis: (axis.padded - axis.span) // axis.stride + 1)(variant, name)
            if variant.layer.ceil
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
        change=lambda variant, name: (
            _resized(lambda axis: -(-(axis.padded - axis.span) // axis.stride) + 1)(variant, name)
            if variant.layer.ceil
            else iter(())
        ),
        alike="ceil-for-floor",
    ),
    R(
        "dilation-left-out-of-size",
        "output",
        ON_INPUT,
        "The output's size was worked out without the dilation.",
        "The formula in most places has the kernel's size k, and not its span.",
        "A dilated kernel spans dilation * (k - 1) + 1 cells.",
        change=_resized(lambda axis: (axis.padded - axis.kernel) // axis.stride + 1, dilated=True),
    ),
    R(
        "dilation-times-kernel-in-size",
        "output",
        ON_INPUT,
        "The output's size was worked out with dilation * k for the kernel's span.",
        "dilation * (k - 1) + 1 was remembered as dilation * k.",
        "A dilated kernel spans dilation * (k - 1) + 1 cells.",
        change=_resized(lambda axis: (axis.padded - axis.kernel * axis.dilation) // axis.stride + 1, dilated=True),
    ),
    R(
        "one-place-short",
        "output",
        ON_INPUT,
        "The output is one place short on every axis: the + 1 of its size was lost.",
        "floor((H + padding - span) / stride) counts the steps between the places, not the places.",
        "size = floor((H + padding - span) / stride) + 1.",
        change=_resized(lambda axis: axis.places - 1),
    ),
    R(
        "last-step-misplaced-in-size",
        "output",
        ON_INPUT,
        "The output's size has its parentheses in the wrong place: (H + padding - span + 1) / stride.",
        "The + 1 belongs outside the division, and slips in.",
        "size = floor((H + padding - span) / stride) + 1.",
        change=_resized(lambda axis: (axis.padded - axis.span + 1) // axis.stride),
        rank=3,
    ),
)
