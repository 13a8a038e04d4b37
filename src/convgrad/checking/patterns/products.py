"""Patterns that are products of index sets: a block, every n-th row, from an index on, one channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from convgrad.checking.patterns.cells import Cells, Pattern, along
from convgrad.checking.patterns.index_sets import IndexSet, index_set
from convgrad.core.element import Array

MERGED = 3.0
"""Bits that it costs to say that axes are counted through as one."""


def products(cells: Cells, words: Sequence[str], spatial: tuple[int, ...], merged: str = "") -> Iterator[Pattern]:
    """All cells whose index along each axis is in a set of that axis: [3,7,20:,:]."""
    for sets in _index_sets(cells):
        if merged and {"periodic", "list"} & {each.kind for each in sets}:
            continue  # true, but nobody would say so
        covered, inside = _counted(cells, sets)
        cost = sum(each.cost for each in sets) + (MERGED if merged else 0)
        yield Pattern(
            _product_kind(sets, words, spatial, merged),
            "" if merged and len(sets) > 1 else index_of(sets, merged),
            product_words(sets, words) + merged,
            prod(len(each.members) for each in sets),
            inside,
            cells.count - inside,
            cells.saved(cost, covered, inside),
            covered == inside,
        )


def index_of(sets: Sequence[IndexSet], merged: str = "") -> str:
    """Index sets as one index: ``[3,7,20:,:]``."""
    return ".ravel()" * bool(merged) + f"[{','.join(each.index for each in sets)}]"


def _index_sets(cells: Cells) -> Iterator[tuple[IndexSet, ...]]:
    """Index sets an axis: those that hold a wrong cell, as they are, filled up to a regular set, and the main ones."""
    shape = cells.wrong.shape
    counts = [along(cells.wrong, axis) for axis in range(len(shape))]
    held = [np.flatnonzero(each) for each in counts]
    yield tuple(index_set(each, n) for each, n in zip(held, shape, strict=True))
    filled = [np.arange(each[0], each[-1] + 1, _step(each)) for each in held]
    if any(len(a) != len(b) for a, b in zip(held, filled, strict=True)):
        yield tuple(index_set(each, n) for each, n in zip(filled, shape, strict=True))
    if len(shape) == 1:
        return
    telling = [along(cells.telling, axis) for axis in range(len(shape))]
    share = [each / np.maximum(all_, 1) for each, all_ in zip(counts, telling, strict=True)]
    main = [np.flatnonzero(each >= each.max() / 2) for each in share]
    if any(len(a) != len(b) for a, b in zip(held, main, strict=True)):
        yield tuple(index_set(each, n) for each, n in zip(main, shape, strict=True))


def _step(indices: Array) -> int:
    return int(np.gcd.reduce(np.diff(indices))) if len(indices) > 1 else 1


def _counted(cells: Cells, sets: Sequence[IndexSet]) -> tuple[int, int]:
    """How many telling cells the sets cover, and how many wrong ones."""
    part = np.ix_(*(each.members for each in sets)) if any(each.kind != "all" for each in sets) else ...
    return int(np.count_nonzero(cells.telling[part])), int(np.count_nonzero(cells.wrong[part]))


_OF_ONE_AXIS = {
    "from": "tail",
    "range": "block",
    "every": "every-nth",
    "periodic": "every-nth",
    "ends": "border",
    "list": "several",
}
"""What a product is called that leaves out something along one axis only."""


def _product_kind(sets: Sequence[IndexSet], words: Sequence[str], spatial: tuple[int, ...], merged: str) -> str:
    """The stable name of a product of index sets."""
    special = [(each, word) for each, word in zip(sets, words, strict=True) if each.kind != "all"]
    if merged:
        return "memory-order" if len(sets) == 1 else "plane-order"
    if len(special) == 1:
        ((each, word),) = special
        return f"one-{word}" if each.kind == "one" else _OF_ONE_AXIS[each.kind]
    kinds = {each.kind for each, _ in special}
    if kinds & {"every", "periodic"}:
        return "every-nth"
    tiled = [sets[axis] for axis in spatial]
    if len(tiled) > 1 and all(_is_tile(each) for each in tiled):
        return "tile"
    return "block" if kinds <= {"one", "range", "from"} else "several"


def _is_tile(each: IndexSet) -> bool:
    """Whether a range is one of those that cut its axis into parts of equal length."""
    start, length = int(each.members[0]), len(each.members)
    return each.kind in ("range", "from") and length > 1 and start % length == 0


def product_words(sets: Sequence[IndexSet], words: Sequence[str]) -> str:
    """``rows 20 to 27 of channel 7 of example 3``."""
    said = [each.said(word) for each, word in zip(sets, words, strict=True) if each.kind != "all"]
    return " of ".join(reversed(said)) or "all cells"
