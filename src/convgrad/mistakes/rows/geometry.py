"""The right values in other places: rotations, mirrors, transposes, shifts, axes in another order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import permutations
from math import prod

import numpy as np

from convgrad.core.element import Array
from convgrad.mistakes.case import Case
from convgrad.mistakes.mistake import Mistake, Rearrangement
from convgrad.mistakes.row import KERNEL, axes_of, lifted, lowered, row

Laid = Callable[[Array, tuple[int, ...]], Iterator[Array]]
"""(an array at full rank, its spatial axes) -> the arrays laid otherwise."""


def laid(otherwise: Laid) -> Rearrangement:
    """The array with its spatial axes laid otherwise; nothing where it has none."""

    def turn(array: Array, case: Case, name: str) -> Iterator[Array]:
        full, axes = lifted(array, case, name), axes_of(case, name)
        if full is None:
            return
        d = case.problem.shorthand.dims if case.problem else 0
        spatial = tuple(range(full.ndim - d, full.ndim)) if "*" in axes else ()
        for other in otherwise(full, spatial):
            yield lowered(other, case, name)

    return turn


def _half_turn(full: Array, spatial: tuple[int, ...]) -> Iterator[Array]:
    if spatial:
        yield np.flip(full, spatial)


def _quarter_turns(full: Array, spatial: tuple[int, ...]) -> Iterator[Array]:
    if len(spatial) >= 2:
        for k in (1, 3):
            yield np.rot90(full, k, axes=(spatial[-2], spatial[-1]))


def _mirrors(full: Array, spatial: tuple[int, ...]) -> Iterator[Array]:
    if len(spatial) >= 2:
        for axis in spatial:
            yield np.flip(full, axis)


def _transposes(full: Array, spatial: tuple[int, ...]) -> Iterator[Array]:
    if len(spatial) >= 2:
        yield np.swapaxes(full, *spatial[-2:])


def _shifts(full: Array, spatial: tuple[int, ...]) -> Iterator[Array]:
    """By one cell along an axis or along all, zeros coming in."""
    steps = [tuple(step if axis == k else 0 for k in spatial) for axis in spatial for step in (1, -1)]
    if len(spatial) > 1:
        steps += [(step,) * len(spatial) for step in (1, -1)]
    for step in steps:
        yield shifted(full, spatial, step)


def shifted(full: Array, spatial: tuple[int, ...], steps: tuple[int, ...]) -> Array:
    """full (...) moved by whole cells along its spatial axes, zeros coming in."""
    moved = np.zeros_like(full)
    here: list[slice] = [slice(None)] * full.ndim
    there: list[slice] = [slice(None)] * full.ndim
    for axis, step in zip(spatial, steps, strict=True):
        here[axis] = slice(max(0, step), full.shape[axis] + min(0, step))
        there[axis] = slice(max(0, -step), full.shape[axis] + min(0, -step))
    moved[tuple(here)] = full[tuple(there)]
    return moved


def _channels(case: Case, name: str, letters: str) -> int | None:
    """Where, at full rank, the axis of that letter is."""
    axes = axes_of(case, name)
    d = case.problem.shorthand.dims if case.problem else 0
    position = 0
    for letter in axes:
        if letter in letters:
            return position
        position += d if letter in "*P" else 1
    return None


def _reversed(letters: str) -> Rearrangement:
    """The axis of these letters read backwards."""

    def turn(array: Array, case: Case, name: str) -> Iterator[Array]:
        full, axis = lifted(array, case, name), _channels(case, name, letters)
        if full is not None and axis is not None and full.shape[axis] > 1:
            yield lowered(np.flip(full, axis), case, name)

    return turn


def _exchanged(array: Array, case: Case, name: str) -> Iterator[Array]:
    """The kernel's two channel axes exchanged: numbers in the shape of another library's kernel."""
    full = lifted(array, case, name)
    first = _channels(case, name, "FKO")
    if full is None or first is None or first + 1 >= full.ndim or 1 in full.shape[first : first + 2]:
        return
    yield lowered(np.swapaxes(full, first, first + 1), case, name)


def _reshaped(array: Array, case: Case, name: str) -> Iterator[Array]:
    """The numbers in the memory order of permuted axes, under the right shape; both ways round."""
    raw = case.layer in ("dense", "activation")
    full = array if raw else lifted(array, case, name)
    if full is None or full.ndim < 2 or full.ndim > 5 or full.size > 2**20:
        return
    real = [axis for axis, size in enumerate(full.shape) if size > 1]
    seen = {full.tobytes()}
    for order in permutations(real):
        if list(order) == real:
            continue
        axes = list(range(full.ndim))
        for place, axis in zip(real, order, strict=True):
            axes[place] = axis
        back = [axes.index(k) for k in range(full.ndim)]
        shape = tuple(full.shape[k] for k in axes)
        for other in (full.transpose(axes).reshape(full.shape), full.reshape(shape).transpose(back)):
            key = np.ascontiguousarray(other).tobytes()
            if key not in seen:
                seen.add(key)
                yield other if raw else lowered(other, case, name)


def _other_layout(array: Array, case: Case, name: str) -> Iterator[Array]:
    """The right numbers with the channels at the other end; a shape of its own, where the sizes differ."""
    letters, problem = axes_of(case, name), case.problem
    if "*" not in letters or array.shape != case.right(name).shape:
        return
    d = len(problem.shorthand.spatial(letters))
    channels = array.ndim - d
    if problem.shorthand.order or not channels or d < 1:
        return
    spatial = problem.shorthand.spatial(letters)
    others = [axis for axis in range(array.ndim) if axis not in spatial]
    if letters.startswith("N"):
        if problem.shorthand.several.get("N") and len(others) > 1:
            yield np.moveaxis(array, others[-1], -1)
        elif len(others) == 1:
            yield np.moveaxis(array, others[0], -1)
    elif len(others) == 2 and not letters.startswith("P"):
        yield array.transpose(*spatial, others[1], others[0])


def _packed(array: Array, case: Case, name: str) -> Iterator[Array]:
    """Rows filled from the left with what is not zero."""
    full = lifted(array, case, name)
    if full is None or case.layer != "pool":
        return
    d = case.problem.shorthand.dims if case.problem else 0
    flat = full.reshape(-1, prod(full.shape[full.ndim - d :]))
    packed = np.zeros_like(flat)
    for line, into in zip(flat, packed, strict=True):
        kept = line[line != 0]
        into[: len(kept)] = kept
    yield lowered(packed.reshape(full.shape), case, name)


R = partial(row, "geometry")
PLANES = f"{KERNEL} pool"

ROWS: tuple[Mistake, ...] = (
    R(
        "dW-rotated",
        "dW",
        KERNEL,
        "dW is rotated by 180 degrees: you convolved where the layer correlates.",
        "A layer that truly convolves, turning its kernel round, has just this gradient; and so has a correlation "
        "whose two arguments are exchanged.",
        "Correlate the input with the delta, in this order; or rotate the delta before you convolve.",
        turn=laid(_half_turn),
        rank=1,
    ),
    R(
        "result-rotated",
        "output dX",
        PLANES,
        "The result is right, but rotated by 180 degrees.",
        "Where a kernel has to be rotated it is easy to rotate the result as well, or in its place.",
        "Rotate the kernel alone, before it is laid on.",
        turn=laid(_half_turn),
    ),
    R(
        "quarter-turn",
        "output dW dX",
        PLANES,
        "The result is right, but turned by 90 degrees.",
        "np.rot90 turns once unless it is told how often.",
        "A rotation by 180 degrees is two quarter turns: np.rot90(k, 2), or k[::-1, ::-1].",
        turn=laid(_quarter_turns),
    ),
    R(
        "mirrored",
        "output dW dX",
        PLANES,
        "The result is right, but mirrored along one axis.",
        "A rotation by 180 degrees is a mirror along both axes, and one of them was left out (or put in).",
        "Turn both axes round, or none.",
        turn=laid(_mirrors),
    ),
    R(
        "rows-and-columns-exchanged",
        "output dW dX",
        PLANES,
        "The result is right, but rows and columns are exchanged.",
        "Width and height, or x and y, were taken in the other order.",
        "Arrays are written row by row: the first spatial axis is the height.",
        turn=laid(_transposes),
    ),
    R(
        "channel-axes-exchanged",
        "dW",
        "conv transposed dense",
        "dW is right, but its two channel axes are exchanged.",
        "Libraries differ in whether inputs or outputs come first, and a transposed convolution's kernel has them "
        "the other way round.",
        "Give dW the axes of the kernel (or weight) as it is here.",
        turn=_exchanged,
    ),
    R(
        "channels-reversed",
        "output dX",
        PLANES,
        "The result is right, but its channels stand in reverse order.",
        "Flipping every axis of an array flips the channels too (and some images come as BGR for RGB).",
        "Flip the spatial axes alone.",
        turn=_reversed("CF"),
    ),
    R(
        "filters-reversed",
        "dW db",
        "conv transposed",
        "The result is right, but its filters stand in reverse order.",
        "Flipping every axis of the kernel flips the order of the filters too.",
        "Flip the spatial axes alone.",
        turn=_reversed("FK"),
    ),
    R(
        "batch-reversed",
        "output dX",
        f"{PLANES} dense",
        "The result is right, but the examples stand in reverse order: the first one's lands on the last.",
        "np.flip without axes flips everything, the batch included.",
        "Name the axes to be flipped: the spatial ones.",
        turn=_reversed("N"),
    ),
    R(
        "shifted-by-one",
        "output dW dX",
        PLANES,
        "The result is right, but lies one cell off.",
        "Counting from 1 in one place and from 0 in the other, or a loop that starts one too late.",
        "Place (0, 0) of the output is where the kernel lies on the first cells of the padded input.",
        turn=laid(_shifts),
        rank=3,
    ),
    R(
        "reshaped-in-wrong-order",
        "output dW dX",
        f"{PLANES} dense activation",
        "The numbers are right, but in the wrong places: an array was reshaped where its axes had to be exchanged too.",
        "reshape keeps the order of the numbers in memory; the patch matrix of im2col, or a layout with the channels "
        "last, has them in another.",
        "Transpose first so that the axes stand in the order of the target shape, then reshape.",
        turn=_reshaped,
        rank=3,
    ),
    R(
        "other-layout",
        "output dW dX",
        PLANES,
        "The numbers are right, but the channels stand last.",
        "Libraries differ: (N, H, W, C) with kernel (kh, kw, C, F), or (N, C, H, W) with kernel (F, C, kh, kw).",
        "Write the axes in the order of the input, or say --layout channels-last.",
        turn=_other_layout,
    ),
    R(
        "packed-to-the-front",
        "dX",
        "pool",
        "The numbers are right, but packed together at the beginning of dX, as if the zeros between them were not "
        "there.",
        "The windows were written one after the other, and not each to its own place.",
        "Each window's share goes to the cell that it came from; all the others stay 0.",
        turn=_packed,
        rank=3,
    ),
)
