"""The three products that every layer with a kernel is made of, and one overlay of each.

In the notation of windows.py, for places i, kernel cells u, groups of I channels::

    correlate  y[n,f,i] = sum over c,u of x[n,c,cell(i,u)] * kernel[f,c,u]         unfold(x) . kernel
    weigh      w[f,c,u] = sum over n,i of y[n,f,i] * x[n,c,cell(i,u)]              unfold(x) . y
    scatter    x[n,c,z] = sum over f and cell(i,u) = z of y[n,f,i] * kernel[f,c,u] fold(y . kernel)

A convolution's output, dW and dX are these, in this order; a transposed convolution's dX, dW and output.
Shapes: x (N, C, *sizes), y (N, F, *places), kernel (F, C/groups, *k).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from convgrad.core.quantity import Array, Cells, Place, beside
from convgrad.core.rational import product
from convgrad.core.windows import Windows
from convgrad.errors import ShapeError, by


def correlate(windows: Windows, x: Array, kernel: Array, groups: int = 1) -> Array:
    """x (N, C, *sizes), kernel (F, C/groups, *k) -> y (N, F, *places)."""
    windows.check_size()
    filters = len(kernel)
    matrix = kernel.reshape(groups, filters // groups, -1)
    y = np.empty((len(x), filters, *windows.places), x.dtype)
    for n, i, columns in _columns(windows, x, groups):
        block = product(matrix, columns)  # (n, groups, F/groups, places)
        y[n, :, i] = block.reshape(len(block), filters, -1, *windows.places[1:])
    return y


def weigh(windows: Windows, x: Array, y: Array, groups: int = 1) -> Array:
    """x (N, C, *sizes), y (N, F, *places) -> w (F, C/groups, *k)."""
    inputs, filters = x.shape[1] // groups, y.shape[1]
    total = np.zeros((groups, filters // groups, inputs * prod(windows.kernel)), x.dtype)
    for n, i, columns in _columns(windows, x, groups):
        rows = y[n, :, i].reshape(len(columns), *total.shape[:2], -1)
        total += product(rows, columns.swapaxes(-1, -2)).sum(axis=0)
    return total.reshape(filters, inputs, *windows.kernel)


def scatter(windows: Windows, y: Array, kernel: Array, groups: int = 1) -> Array:
    """y (N, F, *places), kernel (F, C/groups, *k) -> x (N, C, *sizes)."""
    d, per_group = len(windows.axes), len(kernel) // groups
    matrix = kernel.reshape(groups, per_group, -1).swapaxes(-1, -2)
    channels = kernel.shape[1] * groups
    canvas = windows.canvas((len(y), channels), y.dtype)
    for n, i in windows.blocks(len(y), channels):
        rows = y[n, :, i]
        columns = product(matrix, rows.reshape(len(rows), groups, per_group, -1))
        spread = columns.reshape(len(rows), channels, *windows.kernel, *rows.shape[2:])
        windows.lay(canvas[n], np.moveaxis(spread, range(2, 2 + d), range(-d, 0)), first=i.start)
    return windows.crop(canvas)


def _columns(windows: Windows, x: Array, groups: int) -> Iterator[tuple[slice, slice, Array]]:
    """Blocks (examples, rows of places, columns (n, groups, C/groups * kernel, places)): the patch matrix, in parts."""
    d = len(windows.axes)
    unfolded = np.moveaxis(windows.unfold(x), range(-d, 0), range(2, 2 + d))
    for n, i in windows.blocks(len(x), x.shape[1]):
        part = unfolded[(n, slice(None), *(slice(None),) * d, i)]
        yield n, i, part.reshape(len(part), groups, -1, prod(part.shape[2 + d :]))


# -- one overlay ------------------------------------------------------------------------------------------


def under(windows: Windows, x: Array, at: Place) -> Array:
    """x (N, C, *sizes) -> (C, *k): the input under the kernel at one overlay, padding included."""
    return windows.seen(x[at[0]], at[1:])


def lit(windows: Windows, x: Array, at: Place) -> Cells:
    """The cells of x (N, C, *sizes) under the kernel at one overlay, as an index."""
    return (range(at[0], at[0] + 1), range(x.shape[1]), *windows.touched(at[1:]))


def cellwise(seen: Array, kernel: Array, groups: int = 1) -> Array:
    """seen (C, *k), kernel (F, C/groups, *k) -> the products (F, C/groups, *k) whose sums are y at the place."""
    grouped = kernel.reshape(groups, -1, *kernel.shape[1:]) * seen.reshape(groups, 1, -1, *seen.shape[1:])
    return grouped.reshape(kernel.shape)


def outer(y: Array, seen: Array, groups: int = 1) -> Array:
    """y (F,) at a place, seen (C, *k) -> (F, C/groups, *k): what the place adds to w."""
    grouped = beside(y.reshape(groups, -1), seen.ndim) * seen.reshape(groups, 1, -1, *seen.shape[1:])
    return grouped.reshape(len(y), -1, *seen.shape[1:])


def laid(windows: Windows, y: Array, kernel: Array, at: Place, groups: int = 1) -> Array:
    """y (F,) at a place, kernel (F, C/groups, *k) -> (1, C, *box): what the place adds to x."""
    each = (beside(y, kernel.ndim - 1) * kernel).reshape(groups, -1, *kernel.shape[1:])
    return windows.spread(at[1:], each.sum(axis=1).reshape(-1, *windows.kernel))[None]


# -- shared by the layers with a kernel -------------------------------------------------------------------


def rotated(kernel: Array, d: int) -> Array:
    """kernel (..., *k) with d spatial axes, rotated by 180 degrees."""
    return np.flip(kernel, axis=tuple(range(-d, 0)))


def check_groups(channels: int, filters: int, groups: int) -> None:
    """ShapeError where the groups do not divide the channels and the filters."""
    if groups < 1:
        raise ShapeError(f"there cannot be {groups} groups", hint="--groups is at least 1")
    for count, what in ((channels, "input channels"), (filters, "filters")):
        if count % groups:
            raise ShapeError(
                f"{count} {what} cannot be split into {groups} groups",
                hint="--groups must divide the input channels and the filters",
            )


def check_shape(name: str, array: Array, wanted: tuple[int, ...]) -> None:
    """ShapeError where an array has not the shape wanted."""
    if array.shape != wanted:
        raise ShapeError(f"{name} is {by(array.shape)}, but expected is {by(wanted)}")


def live_overlays(delta: Array) -> Array:
    """delta (N, F, *places) -> (N, *places) of bool: where any filter's delta is not 0."""
    return np.any(delta != 0, axis=1)


def remarks(groups: int = 1, pad_mode: str = "zeros") -> str:
    """What a formula's indices do not say."""
    grouped = ", c and f counted within their group" if groups > 1 else ""
    return grouped + ("" if pad_mode == "zeros" else f", cells outside borrowed by {pad_mode}")


def indices(windows: Windows, flip: bool = False) -> dict[str, str]:
    """The index texts of formulas: i place, u offset, w offset into the kernel, x cell, z input cell."""
    d = len(windows.axes)
    i, u = "ijk"[:d], "mno"[:d]
    w = [f"{size - 1}-{axis}" for size, axis in zip(windows.kernel, u, strict=True)] if flip else list(u)
    cell = [axis.formula(p, o) for axis, p, o in zip(windows.axes, i, u, strict=True)]
    return {"i": ",".join(i), "u": ",".join(u), "w": ",".join(w), "cell": ",".join(cell), "x": ",".join("xyz"[:d])}
