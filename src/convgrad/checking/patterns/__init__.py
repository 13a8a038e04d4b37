"""The pattern of the wrong cells of an array: a block, tiles, lines, borders, from an index on, every n-th.

A mask of wrong cells is described in several ways, and each description is weighed in bits: what it costs to say it and
then which cells it gets wrong, against naming the wrong cells one by one. The cheapest is the pattern, if it saves
MARGIN bits, and half of all; of masks drawn at random fewer than 2^-MARGIN have one (the Kraft inequality of a prefix
code). Cells that are 0 and right say nothing, since a kernel that leaves out its work is right there too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from convgrad.checking.patterns.cells import Cells, Pattern
from convgrad.checking.patterns.lines import lines_of
from convgrad.checking.patterns.products import products
from convgrad.checking.patterns.tiles import tiles_of

MARGIN = 10.0
"""Bits that a pattern has to save."""

SHARE = 0.5
"""The share of the bits that naming the cells takes which a pattern has to save: it is the larger part of the story."""


def pattern_of(cells: Cells, words: Sequence[str], spatial: Sequence[int] = ()) -> Pattern | None:
    """The pattern of wrong cells; None where they have none.

    words: what an index along each axis is called: ``row``; spatial: the axes of places, the last two without any.
    """
    count, shape = cells.count, cells.wrong.shape
    if count < 2:
        return None
    if count == cells.telling_count:
        every = f"all {cells.wrong.size} cells" if count == cells.wrong.size else f"all {count} cells that are not 0"
        return Pattern("all-cells", f"[{','.join(':' * len(shape))}]", every, cells.wrong.size, count, 0, np.inf)
    places = tuple(spatial) or tuple(range(len(shape)))[-2:]
    best = max(_found(cells, words, places), key=lambda each: each.saved, default=None)
    return best if best is not None and best.saved >= max(MARGIN, SHARE * cells.alone) else None


def _found(cells: Cells, words: Sequence[str], spatial: tuple[int, ...]) -> Iterator[Pattern]:
    """Every description of the cells."""
    shape = cells.wrong.shape
    yield from products(cells, words, spatial)
    if len(shape) > 1:
        yield from lines_of(cells, words, spatial)
        yield from tiles_of(cells, words, spatial)
        flat = cells.reshaped((cells.wrong.size,))
        yield from products(flat, ["cell"], (), " in memory order")
    d = len(spatial)
    if 1 < d < len(shape) and spatial == tuple(range(len(shape) - d, len(shape))):
        planes = cells.reshaped((*shape[:-d], prod(shape[-d:])))
        yield from products(planes, [*words[:-d], "cell"], (), " in reading order")
