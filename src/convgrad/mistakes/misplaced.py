"""Where the kernel is believed to lie: the windows of a variant, with another stride, dilation or padding.

A belief is the axes' fields that are read otherwise, one number an axis. Who lays a gradient into an array made
beforehand gets the right shape by it (`relaid`), who correlates whole arrays the shape that follows (`resized`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict

from convgrad.core.axis import Axis, Ragged
from convgrad.core.windows import Windows
from convgrad.mistakes.case import Variant
from convgrad.mistakes.mistake import Alteration

Beliefs = Callable[[Variant, str], Iterator[Mapping[str, Sequence[int]]]]
"""(the problem at full rank, the result's name) -> what may be believed of its axes."""


class Changes(TypedDict):
    """What a row is made by."""

    change: Alteration
    alone: Alteration


def believing(beliefs: Beliefs, pinned: bool = False) -> Changes:
    """The changes of a row about beliefs: of a problem in its own shape, and, alone, in the shape that follows."""

    def change(variant: Variant, name: str) -> Iterator[Variant]:
        for belief in beliefs(variant, name):
            found = relaid(variant, name, pinned, **belief)
            if found is not None:
                yield found

    def alone(variant: Variant, name: str) -> Iterator[Variant]:
        for belief in beliefs(variant, name):
            yield from resized(variant, name, **belief)

    return {"change": change, "alone": alone}


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


def resized(variant: Variant, name: str, **changes: Sequence[int]) -> Iterator[Variant]:
    """The variants whose gradient has the size that follows from a belief, where it is another than the right one.

    dX: the full correlation, with its padding cut off, and left on; dW: all that correlating input and delta gives.
    """
    windows, turned = variant.places, variant.case.layer == "transposed"
    if variant.case.layer not in ("conv", "transposed") or name not in ("dX", "dW") or variant.delta is None:
        return
    owns: list[dict[str, Any]] = [
        {key: numbers[k] for key, numbers in changes.items()} for k in range(len(windows.axes))
    ]
    if any(min(own.get("stride", 1), own.get("dilation", 1)) < 1 for own in owns):
        return
    believed = [
        replace(axis, **own, ceil=False, most=axis.places) for axis, own in zip(windows.axes, owns, strict=True)
    ]
    if name == "dW":
        yield from _of_sizes(variant.with_layer(kernel=None), [_all_kernel(axis) for axis in believed], "kernel")
    elif turned:
        yield from _of_sizes(variant, [replace(axis, most=None) for axis in believed], "places")
    elif windows.mode == "zeros":
        yield from _of_sizes(variant, [_full(axis) for axis in believed], "size")
        if any(axis.before or axis.after for axis in believed):
            yield from _of_sizes(variant, [_full(replace(axis, before=0, after=0)) for axis in believed], "size")


def _all_kernel(axis: Axis) -> Axis:
    """The axis under as many kernel cells as the delta, laid on the padded input, can be moved by."""
    assert axis.most is not None
    return replace(axis, kernel=max(0, axis.kernel_moved(axis.most)))


def _full(axis: Axis) -> Axis:
    """The axis of an input that ends where its windows end."""
    assert axis.most is not None
    return replace(axis, size=axis.reaching(axis.most) - axis.before - axis.after)


def _of_sizes(variant: Variant, axes: Sequence[Axis], field: str) -> Iterator[Variant]:
    """The variant with these axes, if they can be, and the field differs from what it was."""
    found = replace(variant.places, axes=tuple(axes))
    if min(min(axis.size, axis.kernel, axis.places) for axis in axes) < 1:
        return
    if field != "places" and found.places != variant.places.places:
        return
    if sizes_of(found, field) != sizes_of(variant.places, field):
        yield replace(variant, windows=found)


def sizes_of(windows: Windows, field: str) -> tuple[int, ...]:
    """One field of the axes of `windows`: stride, dilation, before, after, size, kernel, places."""
    return tuple(getattr(axis, field) for axis in windows.axes)
