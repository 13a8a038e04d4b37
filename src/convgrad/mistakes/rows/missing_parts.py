"""Partial sums: overlays, filters, channels or examples missing, or only one of them kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from math import prod

import numpy as np

from convgrad.core.element import Array
from convgrad.core.term import Cells
from convgrad.mistakes.about import KERNEL, ON_INPUT, WEIGHED
from convgrad.mistakes.case import Variant
from convgrad.mistakes.mistake import Alteration, Mistake
from convgrad.mistakes.row import row

MOST = 64
"""Channels, filters or examples up to which each is tried as the only one."""


def _only(array: Array, axis: int, index: int) -> Array:
    kept = np.zeros_like(array)
    here = (slice(None),) * axis + (index,)
    kept[here] = array[here]
    return kept


def one_channel(variant: Variant, name: str) -> Iterator[Variant]:
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


R = partial(row, "partial")

ROWS: tuple[Mistake, ...] = (
    R(
        "one-channel-only",
        "output",
        KERNEL,
        "Only one input channel contributes to the output: the last (or another) one was kept, the others "
        "overwritten or left out.",
        "The loop over the channels assigns (=) where it should add (+=), or only the first channel is looked at.",
        "Add up over all the channels.",
        change=one_channel,
        rank=1,
    ),
    R(
        "one-filter-only",
        "dX",
        WEIGHED,
        "Only one filter (or node) contributes to dX: the others were overwritten or left out.",
        "The loop over the filters assigns (=) where it should add (+=).",
        "Every filter sends something back to every input: add up over the filters.",
        change=_one_filter,
        rank=1,
    ),
    R(
        "one-example-only",
        "dW db",
        WEIGHED,
        "Only one example of the batch contributes.",
        "The loop over the examples assigns (=) where it should add (+=).",
        "Add up over the batch.",
        change=_one_example,
        rank=1,
    ),
    R(
        "one-example-missing",
        "dW db",
        WEIGHED,
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
        ON_INPUT,
        "The overlays that touch the padding are missing.",
        "They were skipped because a part of the window is outside.",
        "The part inside still counts; the padding contributes zeros of itself.",
        change=_border_skipped,
    ),
    R(
        "last-places-missing",
        "dW db dX",
        ON_INPUT,
        "The last (or first) row and column of overlays are missing.",
        "The loop over the places ends one too early, or begins one too late.",
        "There are floor((H + padding - span) / stride) + 1 places on an axis, the first at 0.",
        change=_last_row_missing,
    ),
)
