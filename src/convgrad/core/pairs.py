"""One element of each derivative of the sum, and of the count: the products that it is the sum of.

What is looked at, and what it costs, is that one element's own: `Windows.meetings` says which places, kernel cells and
input cells come together in it.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from convgrad.core.element import Array, Place, Products, cells
from convgrad.core.sum import Part, Sum

Index = tuple[Any, ...]


def gathered(s: Sum, at: Place) -> Products:
    """y[n,f,i], at = (n, f, *i): x times w, over all channels of the group and all kernel cells."""
    n, f, *place = at
    filters, inputs = _kernel(s)
    first = f // (filters // s.groups) * inputs
    i, u, z = s.windows.meetings(place=place)
    c = np.arange(inputs)
    factors = {"x": (n, _over(first + c), z), "w": _kernel_at(s, i, f, _over(c), u)}
    return _paired(s, [(role, factors[role]) for role in s.factors])


def weighed(s: Sum, at: Place) -> Products:
    """w[f,c,u], at = (f, c, *u), or (*i, f, c, *u) of a place's own kernel: y times x, over all examples and places."""
    lead = s.d if s.apart else 0
    place, (f, c), offset = at[:lead], at[lead : lead + 2], at[lead + 2 :]
    u = [k - 1 - v for k, v in zip(s.windows.kernel, offset, strict=True)] if s.flip else list(offset)
    if s.apart:
        i, each, z = s.windows.meetings(place=place)
        here = (each == u).all(axis=1)
        i, z = i[here], z[here]
    else:
        i, _, z = s.windows.meetings(offset=u)
    filters, inputs = _kernel(s)
    n = _over(np.arange(len(s.x.given)))
    return _paired(s, [("y", (n, f, i)), ("x", (n, f // (filters // s.groups) * inputs + c, z))])


def scattered(s: Sum, at: Place) -> Products:
    """x[n,c,z], at = (n, c, *z): y times w, over the filters of the group and all places that reach the cell."""
    n, c, *cell = at
    filters, inputs = _kernel(s)
    i, u, _ = s.windows.meetings(cell=cell)
    f = _over(c // inputs * (filters // s.groups) + np.arange(filters // s.groups))
    return _paired(s, [("y", (n, f, i)), ("w", _kernel_at(s, i, f, c % inputs, u))])


def summed(part: Part, f: int, place: Place | None = None) -> Products:
    """db[f] of a delta (N, F, *places): all of its numbers for a filter, or those at one place."""
    array = part.given
    sizes = array.shape[2:]
    here = np.array([place]) if place else np.indices(sizes).reshape(len(sizes), prod(sizes)).T
    return Products((cells(part.called, array, _rows(_over(np.arange(len(array))), f, here), part.axes),))


def _kernel(s: Sum) -> tuple[int, int]:
    """(F, C/groups)."""
    shape = s.shape("w")[s.d if s.apart else 0 :]
    return shape[0], shape[1]


def _kernel_at(s: Sum, i: Array, f: Any, c: Any, u: Array) -> Index:
    """The cells of a kernel (F, I, *k), or (*places, F, I, *k)."""
    u = np.array(s.windows.kernel, int) - 1 - u if s.flip else u
    return (i, f, c, u) if s.apart else (f, c, u)


def _over(numbers: Array) -> Array:
    """Numbers that every row of places is repeated for, one by one."""
    return numbers[:, None, None]


def _rows(*parts: Any) -> Array:
    """Numbers, numbers to be repeated for (`_over`), and places (n, d) -> all of them together, (rows, axes)."""
    arrays = [np.asarray(part) if np.ndim(part) else np.array([[part]]) for part in parts]
    lead = np.broadcast_shapes(*(array.shape[:-1] for array in arrays))
    spread = [np.broadcast_to(array, (*lead, array.shape[-1])) for array in arrays]
    return np.concatenate(spread, axis=-1).reshape(prod(lead), sum(array.shape[-1] for array in spread))


def _paired(s: Sum, factors: list[tuple[str, Index]]) -> Products:
    """Products of two arrays of the sum, cell by cell."""
    rows = [_rows(*at) for _, at in factors]
    most = max(map(len, rows))
    columns = []
    for (role, _), at in zip(factors, rows, strict=True):
        part = s.part(role)
        columns.append(cells(part.called, part.given, np.broadcast_to(at, (most, at.shape[1])), part.axes))
    return Products(tuple(columns))
