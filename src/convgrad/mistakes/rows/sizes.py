"""Gradients of the wrong size: padding not cut off, a border missing, a remainder kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from convgrad.core.axis import Ragged
from convgrad.core.quantity import Array, Cells
from convgrad.core.windows import Windows
from convgrad.mistakes import Mistake, Subject
from convgrad.mistakes.row import row
from convgrad.mistakes.variant import Setup, opened


def on_padded(setup: Setup) -> Array | None:
    """dX on the padded input (N, C, *padded), at full rank; None where windows are no plain ones."""
    windows = setup.places
    if (
        setup.delta is None
        or any(isinstance(axis, Ragged) for axis in windows.axes)
        or setup.subject.layer == "transposed"
    ):
        return None
    axes = tuple(
        replace(axis, size=axis.extent, before=0, after=0, ceil=False, most=axis.places) for axis in windows.axes
    )
    fill = 0.0
    if setup.subject.layer == "pool":
        from convgrad.layers.pool import KINDS

        fill = KINDS[setup.layer.kind].fill
        if setup.layer.kind == "avg" and not setup.layer.count_include_pad and setup.layer.divisor is None:
            return None
    padded = replace(setup, x=windows.pad(setup.x, fill), windows=Windows(axes))
    value = padded.solved("dX")
    return None if value is None else setup.problem.shorthand.lift(value, "NC*")


def _dX(subject: Subject) -> tuple[Setup, Array] | None:
    setup = opened(subject)
    full = None if setup is None else on_padded(setup)
    return None if setup is None or full is None else (setup, full)


def inside(cut: Iterable[slice]) -> Cells:
    """The index of these ranges of the spatial axes."""
    return (..., *cut)


def _lowered(setup: Setup, full: Array) -> Array:
    return setup.problem.shorthand.lower(full, "NC*")


def _not_cut(subject: Subject, name: str) -> Iterator[Array]:
    """The whole of dX on the padded input."""
    if found := _dX(subject):
        setup, full = found
        cut = tuple(slice(0, axis.padded) for axis in setup.places.axes)
        if any(axis.padded != axis.size for axis in setup.places.axes):
            yield _lowered(setup, full[inside(cut)])


def _not_shifted_back(subject: Subject, name: str) -> Iterator[Array]:
    """The first rows and columns of dX on the padded input."""
    if found := _dX(subject):
        setup, full = found
        yield _lowered(setup, full[inside(slice(0, axis.size) for axis in setup.places.axes)])


def _rows_lost(subject: Subject, name: str) -> Iterator[Array]:
    """Only what the windows reach: the rows that the stride leaves over are missing."""
    if found := _dX(subject):
        setup, full = found
        cut = []
        for axis in setup.places.axes:
            reach = (axis.places - 1) * axis.stride + axis.span
            cut.append(slice(axis.before, min(reach, axis.padded) - (axis.after if reach >= axis.padded else 0)))
            if reach < axis.padded:  # (o - 1) s + span - before - after rows
                cut[-1] = slice(axis.before, max(axis.before, reach - axis.after))
        yield _lowered(setup, full[inside(cut)])
        spare = [slice(axis.before, (axis.places - 1) * axis.stride + axis.span) for axis in setup.places.axes]
        yield _lowered(setup, full[inside(spare)])


def _valid(subject: Subject, name: str) -> Iterator[Array]:
    """The middle of dX, where whole kernels of delta overlap."""
    if found := _dX(subject):
        setup, full = found
        cut = tuple(slice(axis.span - 1, (axis.places - 1) * axis.stride + 1) for axis in setup.places.axes)
        part = full[inside(cut)]
        if part.size:
            yield _lowered(setup, part)


def _remainder_kept(subject: Subject, name: str) -> Iterator[Array]:
    """dW by correlating the padded input with the dilated delta, not cut to the kernel's size."""
    setup = opened(subject)
    if setup is None or setup.delta is None or any(isinstance(axis, Ragged) for axis in setup.places.axes):
        return
    axes = []
    for axis in setup.places.axes:
        reach = axis.padded - (axis.places - 1) * axis.stride
        axes.append(replace(axis, kernel=-(-reach // axis.dilation), most=axis.places))
        if (axes[-1].places, reach > 0) != (axis.places, True):
            return
    if any(a.kernel != b.kernel for a, b in zip(axes, setup.places.axes, strict=True)):
        wide = replace(setup.with_layer(kernel=None), windows=replace(setup.places, axes=tuple(axes)))
        value = wide.solved("dW")
        if value is not None:
            yield value


R = partial(row, "geometry")

ROWS: tuple[Mistake, ...] = (
    R(
        "padding-not-removed",
        "dX",
        "conv unshared pool",
        "dX has the size of the padded input: the padding was not cut off.",
        "The gradient is collected on the padded input, and it stayed there.",
        "Cut the padding off on both sides: dX = dX_padded[before : before + size].",
        predict=_not_cut,
        rank=1,
    ),
    R(
        "not-shifted-back",
        "dX",
        "conv unshared pool",
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
        "conv unshared pool",
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
        predict=_remainder_kept,
    ),
)
