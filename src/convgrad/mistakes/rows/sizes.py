"""Gradients of the wrong size: padding not cut off, a border missing, a remainder kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from convgrad.core.axis import Ragged
from convgrad.core.element import Array
from convgrad.core.term import Cells
from convgrad.core.windows import Windows
from convgrad.layers.pool_kinds import POOL_KINDS
from convgrad.mistakes.about import ON_INPUT
from convgrad.mistakes.case import Case, Variant
from convgrad.mistakes.misplaced import resized
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.row import row


def on_padded(variant: Variant) -> Array | None:
    """dX on the padded input (N, C, *padded), at full rank; None where windows are no plain ones."""
    windows = variant.places
    if (
        variant.delta is None
        or any(isinstance(axis, Ragged) for axis in windows.axes)
        or variant.case.layer == "transposed"
    ):
        return None
    axes = tuple(
        replace(axis, size=axis.extent, before=0, after=0, ceil=False, most=axis.places) for axis in windows.axes
    )
    fill = 0.0
    if variant.case.layer == "pool":
        fill = POOL_KINDS[variant.layer.kind].fill
        if variant.layer.kind == "avg" and not variant.layer.count_include_pad and variant.layer.divisor is None:
            return None
    padded = replace(variant, x=windows.pad(variant.x, fill), windows=Windows(axes))
    value = padded.solved("dX")
    return None if value is None else variant.problem.shorthand.lift(value, "NC*")


def _dX(case: Case) -> tuple[Variant, Array] | None:
    variant = case.opened
    full = None if variant is None else on_padded(variant)
    return None if variant is None or full is None else (variant, full)


def inside(cut: Iterable[slice]) -> Cells:
    """The index of these ranges of the spatial axes."""
    return (..., *cut)


def _lowered(variant: Variant, full: Array) -> Array:
    return variant.problem.shorthand.lower(full, "NC*")


def _not_cut(case: Case, name: str) -> Iterator[Array]:
    """The whole of dX on the padded input."""
    if found := _dX(case):
        variant, full = found
        cut = tuple(slice(0, axis.padded) for axis in variant.places.axes)
        if any(axis.padded != axis.size for axis in variant.places.axes):
            yield _lowered(variant, full[inside(cut)])


def _not_shifted_back(case: Case, name: str) -> Iterator[Array]:
    """The first rows and columns of dX on the padded input."""
    if found := _dX(case):
        variant, full = found
        yield _lowered(variant, full[inside(slice(0, axis.size) for axis in variant.places.axes)])


def _rows_lost(case: Case, name: str) -> Iterator[Array]:
    """Only what the windows reach: the rows that the stride leaves over are missing."""
    if found := _dX(case):
        variant, full = found
        cut = []
        for axis in variant.places.axes:
            if axis.reach < axis.padded:  # reach - before - after rows
                cut.append(slice(axis.before, max(axis.before, axis.reach - axis.after)))
            else:
                cut.append(slice(axis.before, axis.padded - axis.after))
        yield _lowered(variant, full[inside(cut)])
        spare = [slice(axis.before, axis.reach) for axis in variant.places.axes]
        yield _lowered(variant, full[inside(spare)])


def _valid(case: Case, name: str) -> Iterator[Array]:
    """The middle of dX, where whole kernels of delta overlap."""
    if found := _dX(case):
        variant, full = found
        cut = tuple(slice(axis.span - 1, axis.strided().stop) for axis in variant.places.axes)
        part = full[inside(cut)]
        if part.size:
            yield _lowered(variant, part)


def _remainder_kept(variant: Variant, name: str) -> Iterator[Variant]:
    """dW by correlating the padded input with the dilated delta, not cut to the kernel's size."""
    yield from resized(variant, name)


R = partial(row, "geometry")

ROWS: tuple[Mistake, ...] = (
    R(
        "padding-not-removed",
        "dX",
        ON_INPUT,
        "dX has the size of the padded input: the padding was not cut off.",
        "The gradient is collected on the padded input, and it stayed there.",
        "Cut the padding off on both sides: dX = dX_padded[before : before + size].",
        predict=_not_cut,
        rank=1,
    ),
    R(
        "not-shifted-back",
        "dX",
        ON_INPUT,
        "dX lies where it lies on the padded input: it is shifted by the padding and cut off at the end.",
        "The gradient is collected on the padded input, and its first rows and columns were kept in place of its "
        "middle.",
        "Cut the padding off on both sides: dX = dX_padded[before : before + size].",
        predict=_not_shifted_back,
        rank=1,
    ),
    R(
        "rows-lost",
        "dX",
        ON_INPUT,
        "dX ends where the last window ends: the rows and columns that the stride leaves over are missing.",
        "The size was worked out backwards, (places - 1) * stride + span - padding, which forgets what rounding down "
        "lost (the output_padding of a transposed convolution).",
        "dX has the input's shape; cells that no window reaches get 0.",
        predict=_rows_lost,
    ),
    R(
        "valid-for-full",
        "dX",
        "conv",
        "dX is the valid correlation of delta with the rotated kernel, where the full one is meant: its border is "
        "missing.",
        "The forward pass is a valid correlation.",
        "Pad delta with span - 1 zeros on every side before correlating.",
        predict=_valid,
        rank=1,
    ),
    R(
        "remainder-kept",
        "dW",
        "conv",
        "dW is larger than the kernel: the rows that the stride leaves over were correlated too.",
        "Correlating the input with the dilated delta gives more cells than the kernel has where the stride does not "
        "divide.",
        "Keep the first kh x kw cells.",
        change=_remainder_kept,
    ),
)
