"""The sum's three derivatives as numbers, fast; and one overlay of each.

In the notation of windows.py, for places i, kernel cells u, groups of I channels::

    correlate  y[n,f,i] = sum over c,u of x[n,c,cell(i,u)] * w[f,c,u]              unfold(x) . w
    weigh      w[f,c,u] = sum over n,i of y[n,f,i] * x[n,c,cell(i,u)]              unfold(x) . y
    scatter    x[n,c,z] = sum over f and cell(i,u) = z of y[n,f,i] * w[f,c,u]      fold(y . w)

Shapes: x (N, C, *sizes), y (N, F, *places), w (F, C/groups, *k); with a kernel of its own at every place (`apart`)
w (*places, F, C, *k). Without spatial axes there is one place and one kernel cell, and these are matrix products.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from convgrad.core.element import Array, Place
from convgrad.core.rational import product
from convgrad.core.term import beside
from convgrad.core.windows import Windows


def correlate(windows: Windows, x: Array, w: Array, groups: int = 1) -> Array:
    """x (N, C, *sizes), w (F, C/groups, *k) -> y (N, F, *places)."""
    if not windows.axes and groups == 1:
        return product(x, w.T)
    windows.check_size()
    filters = len(w)
    matrix = w.reshape(groups, filters // groups, -1)
    y = np.empty((len(x), filters, *windows.places), x.dtype)
    for n, i, columns in _columns(windows, x, groups):
        block = product(matrix, columns)  # (n, groups, F/groups, places)
        y[n, :, i] = block.reshape(len(block), filters, -1, *windows.places[1:])
    return y


def weigh(windows: Windows, x: Array, y: Array, groups: int = 1) -> Array:
    """x (N, C, *sizes), y (N, F, *places) -> w (F, C/groups, *k)."""
    if not windows.axes and groups == 1:
        return product(y.T, x)
    inputs, filters = x.shape[1] // groups, y.shape[1]
    total = np.zeros((groups, filters // groups, inputs * prod(windows.kernel)), x.dtype)
    for n, i, columns in _columns(windows, x, groups):
        rows = y[n, :, i].reshape(len(columns), *total.shape[:2], -1)
        total += product(rows, columns.swapaxes(-1, -2)).sum(axis=0)
    return total.reshape(filters, inputs, *windows.kernel)


def scatter(windows: Windows, y: Array, w: Array, groups: int = 1) -> Array:
    """y (N, F, *places), w (F, C/groups, *k) -> x (N, C, *sizes)."""
    if not windows.axes and groups == 1:
        return product(y, w)
    d, per_group = len(windows.axes), len(w) // groups
    matrix = w.reshape(groups, per_group, -1).swapaxes(-1, -2)
    channels = w.shape[1] * groups
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


# -- a kernel of its own at every place -----------------------------------------------------------------------


def correlate_apart(windows: Windows, x: Array, w: Array) -> Array:
    """x (N, C, *sizes), w (*places, F, C, *k) -> y (N, F, *places)."""
    filters = w.shape[len(windows.axes)]
    flat = w.reshape(prod(windows.places), filters, -1)
    total = product(_columns_apart(windows, x), flat.swapaxes(1, 2))  # (P, N, F)
    return total.transpose(1, 2, 0).reshape(len(x), filters, *windows.places)


def weigh_apart(windows: Windows, x: Array, y: Array) -> Array:
    """x (N, C, *sizes), y (N, F, *places) -> w (*places, F, C, *k)."""
    total = product(_rows_apart(y), _columns_apart(windows, x))
    return total.reshape(*windows.places, y.shape[1], x.shape[1], *windows.kernel)


def scatter_apart(windows: Windows, y: Array, w: Array) -> Array:
    """y (N, F, *places), w (*places, F, C, *k) -> x (N, C, *sizes)."""
    d = len(windows.axes)
    flat = w.reshape(prod(windows.places), y.shape[1], -1)
    columns = product(_rows_apart(y).swapaxes(1, 2), flat)
    spread = columns.reshape(*windows.places, len(y), w.shape[d + 1], *windows.kernel)
    return windows.fold(np.moveaxis(spread, (d, d + 1), (0, 1)))


def _columns_apart(windows: Windows, x: Array) -> Array:
    """x (N, C, *sizes) -> (P, N, C * kernel): what lies under each place's kernel."""
    d = len(windows.axes)
    unfolded = np.moveaxis(windows.unfold(x), range(2, 2 + d), range(d))
    return unfolded.reshape(prod(windows.places), len(x), -1)


def _rows_apart(y: Array) -> Array:
    """y (N, F, *places) -> (P, F, N)."""
    return y.reshape(*y.shape[:2], -1).transpose(2, 1, 0)


# -- one overlay ------------------------------------------------------------------------------------------------


def cellwise(seen: Array, w: Array, groups: int = 1) -> Array:
    """seen (C, *k), w (F, C/groups, *k) -> the products (F, C/groups, *k) whose sums are y at the place."""
    grouped = w.reshape(groups, -1, *w.shape[1:]) * seen.reshape(groups, 1, -1, *seen.shape[1:])
    return grouped.reshape(w.shape)


def outer(y: Array, seen: Array, groups: int = 1) -> Array:
    """y (F,) at a place, seen (C, *k) -> (F, C/groups, *k): what the place adds to w."""
    grouped = beside(y.reshape(groups, -1), seen.ndim) * seen.reshape(groups, 1, -1, *seen.shape[1:])
    return grouped.reshape(len(y), -1, *seen.shape[1:])


def laid(windows: Windows, y: Array, w: Array, place: Place, groups: int = 1) -> Array:
    """y (F,) at a place, w (F, C/groups, *k) -> (1, C, *box): what the place adds to x."""
    each = (beside(y, w.ndim - 1) * w).reshape(groups, -1, *w.shape[1:])
    return windows.spread(place, each.sum(axis=1).reshape(-1, *windows.kernel))[None]


def rotated(kernel: Array, d: int) -> Array:
    """kernel (..., *k) with d spatial axes, rotated by 180 degrees."""
    return np.flip(kernel, axis=tuple(range(-d, 0)))
