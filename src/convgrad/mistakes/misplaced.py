"""Where the kernel is believed to lie: the windows of a variant, with another stride, dilation or padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from convgrad.core.axis import Axis, Ragged
from convgrad.core.windows import Windows
from convgrad.mistakes.case import Variant


def relaid(variant: Variant, name: str, pinned: bool = False, **changes: Sequence[int]) -> Variant | None:
    """The variant with another stride, dilation, before or after, one number an axis; None where it cannot be.

    Of a gradient the places are those of the delta, whatever the belief; of an output they follow from it, unless
    they are `pinned`. A window that hangs over the end sees zeros there.
    """
    windows = variant.places
    axes = []
    for number, axis in enumerate(windows.axes):
        if isinstance(axis, Ragged):
            return None
        own: dict[str, Any] = {key: values[number] for key, values in changes.items()}
        if min(own.get("stride", 1), own.get("dilation", 1)) < 1:
            return None
        turned = variant.case.layer == "transposed"
        if name == "output" and not pinned:
            axes.append(_grown(axis, own) if turned else replace(axis, **own))
        else:
            axes.append(_pinned(axis, own))
        if axes[-1].places < 1 or axes[-1].size < 1:
            return None
    return replace(variant, windows=replace(windows, axes=tuple(axes)))


def _pinned(axis: Axis, own: dict[str, Any]) -> Axis:
    """The axis with as many places as it had, and room for them."""
    places = axis.places
    changed = replace(axis, **own, ceil=False, most=places)
    return replace(changed, after=changed.after + max(0, changed.reaching(places) - changed.padded))


def _grown(axis: Axis, own: dict[str, Any]) -> Axis:
    """The output axis of a transposed convolution, with the size that follows from its places."""
    extra = axis.padded - axis.reach
    changed = replace(axis, **own)
    return replace(changed, size=changed.reaching(axis.places) - changed.before - changed.after + extra)


def sizes_of(windows: Windows, field: str) -> tuple[int, ...]:
    """One field of the axes of `windows`: stride, dilation, before, after, size, kernel."""
    return tuple(getattr(axis, field) for axis in windows.axes)
