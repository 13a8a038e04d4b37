"""One element of each of the three products (products.py), and of the bias's gradient: the products it is the sum of.

What is looked at, and what it costs, is that one element's own: `Windows.meetings` says which places, kernel cells and
input cells come together in it. Arrays are named as they are printed: a convolution's output correlates its ``input``,
a transposed convolution's dX its ``delta``.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from convgrad.core.quantity import Array, Factor, Place, Products, cells
from convgrad.core.windows import Windows


def correlated(windows: Windows, x: Factor, kernel: Factor, at: Place, groups: int = 1, flip: bool = False) -> Products:
    """y[n,f,i], at = (n, f, *i): x times kernel, over all channels of the group and all kernel cells."""
    n, f, *place = at
    inputs = kernel.value.shape[-len(place) - 1]
    first = f // (_filters(kernel) // groups) * inputs
    i, u, z = windows.meetings(place=place)
    c = np.arange(inputs)
    return _pairs((x, (n, _over(first + c), z)), (kernel, _kernel_at(windows, kernel, i, f, _over(c), u, flip)))


def weighed(windows: Windows, x: Factor, y: Factor, at: Place, groups: int = 1, flip: bool = False) -> Products:
    """w[f,c,u], at = (f, c, *u): y times x, over all examples and places."""
    f, c, *offset = at
    u = [k - 1 - v for k, v in zip(windows.kernel, offset, strict=True)] if flip else offset
    inputs = x.value.shape[1] // groups
    i, _, z = windows.meetings(offset=u)
    n = _over(np.arange(len(x.value)))
    return _pairs((y, (n, f, i)), (x, (n, f // (y.value.shape[1] // groups) * inputs + c, z)))


def weighed_apart(windows: Windows, x: Factor, y: Factor, at: Place, flip: bool = False) -> Products:
    """w[i,f,c,u] of a place's own kernel, at = (*i, f, c, *u): y times x, over all examples."""
    d = len(windows.axes)
    place, f, c, offset = at[:d], at[d], at[d + 1], at[d + 2 :]
    _, u, z = windows.meetings(place=place)
    wanted = [k - 1 - v for k, v in zip(windows.kernel, offset, strict=True)] if flip else list(offset)
    z = z[(u == wanted).all(axis=1)]
    n = _over(np.arange(len(x.value)))
    return _pairs((y, (n, f, np.array([place]))), (x, (n, c, z)))


def scattered(windows: Windows, y: Factor, kernel: Factor, at: Place, groups: int = 1, flip: bool = False) -> Products:
    """x[n,c,z], at = (n, c, *z): y times kernel, over the filters of the group and all places that reach the cell."""
    n, c, *cell = at
    inputs, per_group = kernel.value.shape[-len(cell) - 1], _filters(kernel) // groups
    i, u, _ = windows.meetings(cell=cell)
    f = _over(c // inputs * per_group + np.arange(per_group))
    return _pairs((y, (n, f, i)), (kernel, _kernel_at(windows, kernel, i, f, c % inputs, u, flip)))


def summed(y: Factor, f: int, place: Place | None = None) -> Products:
    """db[f] of y (N, F, *places): all of y's numbers for a filter, or those at one place."""
    here = np.indices(y.value.shape[2:]).reshape(y.value.ndim - 2, -1).T if place is None else np.array([place])
    return Products((cells(y.name, y.value, _rows(_over(np.arange(len(y.value))), f, here), y.axes),))


def _filters(kernel: Factor) -> int:
    return int(kernel.value.shape[(kernel.value.ndim - 2) // 2 if "P" in kernel.axes else 0])


def _kernel_at(windows: Windows, kernel: Factor, i: Array, f: Any, c: Any, u: Array, flip: bool) -> tuple[Any, ...]:
    """The cells of a kernel (F, I, *k), or (*places, F, I, *k) of an unshared one."""
    u = np.array(windows.kernel) - 1 - u if flip else u
    return (i, f, c, u) if "P" in kernel.axes else (f, c, u)


def _over(numbers: Array) -> Array:
    """Numbers that every row of places is repeated for, one by one."""
    return numbers[:, None, None]


def _rows(*parts: Any) -> Array:
    """Numbers, numbers to be repeated for (`_over`), and places (n, d) -> all of them together, (rows, axes)."""
    arrays = [np.asarray(part) if np.ndim(part) else np.array([[part]]) for part in parts]
    lead = np.broadcast_shapes(*(array.shape[:-1] for array in arrays))
    spread = [np.broadcast_to(array, (*lead, array.shape[-1])) for array in arrays]
    return np.concatenate(spread, axis=-1).reshape(prod(lead), sum(array.shape[-1] for array in spread))


def _pairs(*factors: tuple[Factor, tuple[Any, ...]]) -> Products:
    """Products of two arrays, cell by cell."""
    rows = [_rows(*at) for _, at in factors]
    most = max(map(len, rows))
    return Products(
        tuple(
            cells(factor.name, factor.value, np.broadcast_to(at, (most, at.shape[1])), factor.axes)
            for (factor, _), at in zip(factors, rows, strict=True)
        )
    )
