"""Patterns that are unions of whole rows and whole columns: a border, the seams between tiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from convgrad.checking.patterns.cells import Cells, Pattern, along
from convgrad.checking.patterns.index_sets import IndexSet, index_set
from convgrad.checking.patterns.products import index_of, product_words

NEARLY = 0.9
"""The share of a line's cells that have to be off for the line to be."""


def lines_of(cells: Cells, words: Sequence[str], spatial: tuple[int, ...]) -> Iterator[Pattern]:
    """All cells that lie in one of several whole rows or in one of several whole columns: a border, seams of tiles."""
    shape = cells.wrong.shape
    held = [np.flatnonzero(along(cells.wrong, axis)) for axis in range(len(shape))]
    around = tuple(index_set(each, n) for each, n in zip(held, shape, strict=True))
    part = np.ix_(*held)
    wrong, telling = cells.wrong[part], cells.telling[part]
    lines: dict[int, IndexSet] = {}
    union = np.zeros(wrong.shape, bool)
    for axis in spatial:
        off = along(wrong, axis) >= np.maximum(1, NEARLY * along(telling, axis))
        if off.any() and not off.all():
            lines[axis] = index_set(np.flatnonzero(off), len(off))
            union |= off.reshape([-1 if other == axis else 1 for other in range(len(shape))])
    if len(lines) < 2:
        return
    inside, covered = int(np.count_nonzero(wrong & union)), int(np.count_nonzero(telling & union))
    cost = sum(each.cost for each in (*around, *lines.values())) + len(spatial)
    indices = [
        index_of([each if other == axis else around[other] for other in range(len(shape))])
        for axis, each in lines.items()
    ]
    yield Pattern(
        "border" if all(_at_ends(each) for each in lines.values()) else "lines",
        " and ".join(indices),
        _line_words(lines, around, words, spatial),
        int(np.count_nonzero(union)),
        inside,
        cells.count - inside,
        cells.saved(cost, covered, inside),
        covered == inside,
    )


def _at_ends(each: IndexSet) -> bool:
    first, last = int(each.members[0]), int(each.members[-1])
    return each.kind in ("ends", "from") or (each.kind in ("range", "one") and (first == 0 or last == each.size - 1))


def _line_words(
    lines: dict[int, IndexSet], around: Sequence[IndexSet], words: Sequence[str], spatial: tuple[int, ...]
) -> str:
    """``the border, one cell wide``, or which rows and columns."""
    rest = product_words([each for k, each in enumerate(around) if k not in lines], _without(words, lines))
    behind = "" if rest == "all cells" else f" of {rest}"
    indices = {each.index for each in lines.values()}
    width = len(next(iter(lines.values())).members) // 2
    if indices == {f"[:{width},-{width}:]"} and len(lines) == len(spatial):
        behind = behind and f",{behind}"
        return f"the border, {'one cell' if width == 1 else f'{width} cells'} wide{behind}"
    return " and ".join(each.said(words[axis]) for axis, each in lines.items()) + behind


def _without(words: Sequence[str], lines: dict[int, IndexSet]) -> list[str]:
    return [word for k, word in enumerate(words) if k not in lines]
