"""Pooling of whole arrays: plane after plane, in blocks, and what lies under one kernel cell after the other."""

from __future__ import annotations

from math import prod

import numpy as np

from convgrad.core.blocks import in_blocks
from convgrad.core.element import Array
from convgrad.core.term import beside
from convgrad.core.windows import Windows
from convgrad.layers.pool_kinds import Options, PoolKind


def combined(pool: Options, kind: PoolKind, x: Array, windows: Windows) -> Array:
    """x (N, C, *sizes) -> what the windows come to, (N, C, *places)."""
    planes = x.reshape(-1, *windows.sizes)
    found = np.empty((len(planes), *windows.places), x.dtype)

    def work(block: slice) -> None:
        found[block] = kind.output(pool, windows.unfold(planes[block], kind.fill), windows)

    in_blocks(work, len(planes), prod(windows.sizes))
    return found.reshape(*x.shape[:2], *windows.places)


def shared_out(pool: Options, kind: PoolKind, x: Array, delta: Array, windows: Windows) -> Array:
    """x (N, C, *sizes), delta (N, C, *places) -> the delta laid on the cells by their shares, like x.

    Windows of more cells than there are places are laid one after the other, whole.
    """
    d, few = len(windows.axes), prod(windows.places) < prod(windows.kernel)
    planes, deltas = x.reshape(-1, *windows.sizes), delta.reshape(-1, *windows.places)
    found = np.empty(planes.shape, np.result_type(x, delta))

    def work(block: slice) -> None:
        seen = windows.unfold(planes[block], kind.fill)
        share, canvas = kind.share(pool, seen, windows), windows.canvas((len(seen),), found.dtype)
        if few:
            windows.lay(canvas, share.whole(seen, d) * beside(deltas[block], d))
        else:
            windows.lay_cells(canvas, share.by_cell(seen, deltas[block], windows))
        found[block] = windows.crop(canvas)

    in_blocks(work, len(planes), prod(windows.sizes))
    return found.reshape(x.shape)
