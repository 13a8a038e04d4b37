"""Another setting: the problem solved rightly with another stride or dilation.

Of a gradient the places stay those of the delta, however stride and padding are misread (misplaced.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from convgrad.core.axis import Ragged
from convgrad.mistakes.about import KERNEL, WINDOWED
from convgrad.mistakes.case import Variant
from convgrad.mistakes.misplaced import Changes, believing, relaid, sizes_of
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.row import row

Axes = Callable[[Sequence[int]], Iterator[Sequence[int]]]


def misread(field: str, others: Axes) -> Changes:
    """One field of the windows' axes, read otherwise."""

    def beliefs(variant: Variant, name: str) -> Iterator[Mapping[str, Sequence[int]]]:
        own = sizes_of(variant.places, field)
        yield from ({field: other} for other in others(own) if tuple(other) != own)

    return believing(beliefs)


def always(number: int) -> Axes:
    """The same number on every axis."""
    return lambda own: iter([(number,) * len(own)])


def each(other: Callable[[int], int]) -> Axes:
    """Every axis's number changed alike."""
    return lambda own: iter([tuple(map(other, own))])


def one_off(own: Sequence[int]) -> Iterator[Sequence[int]]:
    """Every number one more, or one less (unless that makes 1 of all: then it was ignored); where any is in force."""
    if max(own) > 1:
        yield tuple(n + 1 for n in own)
    if any(n > 2 for n in own):
        yield tuple(max(1, n - 1) for n in own)


def backwards(own: Sequence[int]) -> Iterator[Sequence[int]]:
    """The numbers of the axes in reverse order."""
    yield tuple(reversed(own))


def _stride_and_dilation(variant: Variant, name: str) -> Iterator[Mapping[str, Sequence[int]]]:
    strides, dilations = (sizes_of(variant.places, field) for field in ("stride", "dilation"))
    if strides != dilations and variant.case.layer != "pool":
        yield {"stride": dilations, "dilation": strides}


def _undilated(variant: Variant, name: str) -> Iterator[Variant]:
    """The full correlation of the delta as it is, uncut, where it happens to have the input's size."""
    axes = variant.places.axes
    if any(isinstance(axis, Ragged) or axis.places - 1 + axis.span != axis.size for axis in axes):
        return
    if max(sizes_of(variant.places, "stride")) > 1:
        found = relaid(variant, name, stride=(1,) * len(axes), before=(0,) * len(axes))
        if found is not None:
            yield found


R = partial(row, "setting")

ROWS: tuple[Mistake, ...] = (
    R(
        "stride-ignored",
        "output dW dX",
        WINDOWED,
        "The stride was ignored: windows were taken one cell apart. For dX that means that the delta was not dilated "
        "by it.",
        "The formulas of most introductions are for stride 1; in a loop, start = i is written for start = i * stride.",
        "Place i of the output lies at cell i * stride: put stride - 1 zeros between the deltas before correlating.",
        **misread("stride", always(1)),
        rank=1,
    ),
    R(
        "undilated-delta-fits",
        "dX",
        "conv",
        "dX is the full correlation of the delta as it is with the rotated kernel: the delta was not dilated by the "
        "stride, and nothing was cut off.",
        "Without the dilation, and with the padding left on, it happens to have the input's size, and no shape warns.",
        "Put stride - 1 zeros between the deltas first, correlate fully, and cut the padding off.",
        change=_undilated,
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
        **believing(_stride_and_dilation),
    ),
    R(
        "stride-axes-exchanged",
        "output dW dX",
        WINDOWED,
        "The strides of the axes were exchanged.",
        "(x, y) was written for (row, column).",
        "The first stride is that of the rows: downwards.",
        **misread("stride", backwards),
    ),
    R(
        "stride-squared",
        "output dW dX",
        WINDOWED,
        "The stride was applied twice.",
        "The delta was dilated, and then laid with the stride again.",
        "Dilate the delta by the stride and go on with stride 1, or lay it with the stride as it is.",
        **misread("stride", each(lambda stride: stride * stride)),
    ),
    R(
        "stride-off-by-one",
        "output dW dX",
        WINDOWED,
        "The stride was one off.",
        "Inserting `stride` zeros between the deltas in place of stride - 1, or counting the step from the next cell "
        "on.",
        "Between neighbouring deltas there are stride - 1 zeros.",
        **misread("stride", one_off),
        rank=3,
    ),
    R(
        "dilation-ignored",
        "output dW dX",
        WINDOWED,
        "The dilation was ignored: the window was taken dense.",
        "The backward loop slices start : start + k, as without dilation.",
        "Cell u of the kernel lies at i * stride + u * dilation; slice with a step.",
        **misread("dilation", always(1)),
        rank=1,
    ),
    R(
        "dilation-off-by-one",
        "output dW dX",
        WINDOWED,
        "The dilation was one off.",
        "In some systems 0 is dense (oneDNN), in others 1 is.",
        "Here dilation 1 is dense: neighbouring kernel cells lie `dilation` cells apart.",
        **misread("dilation", one_off),
    ),
    R(
        "dilated-twice",
        "output dW dX",
        WINDOWED,
        "The dilation was applied twice: the dilated kernel was dilated again.",
        "The kernel was written out with its holes, and the option was set as well.",
        "Do one of the two.",
        **misread("dilation", each(lambda dilation: dilation * dilation)),
    ),
    R(
        "dilation-axes-exchanged",
        "output dW dX",
        WINDOWED,
        "The dilations of the axes were exchanged.",
        "(x, y) was written for (row, column).",
        "The first dilation is that of the rows: downwards.",
        **misread("dilation", backwards),
    ),
)
