"""Where an answer is off and by how much, as maps: tables with numbers where small, pooled drawings where large.

Nothing of it moves or loads anything; what a map is said to be stands beside it in words, so that colour says nothing
alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, prod

import numpy as np

from convgrad.checking.errors import axis_words
from convgrad.checking.verdict import Verdict
from convgrad.core.element import Array

LEVELS = 8
"""Steps of the scale, two a power of ten below the largest error."""

MOST_SIDE = 48
"""Cells along a side of a map; a longer side is pooled, so that a map is as large for a million cells."""

MOST_WRITTEN_ROWS, MOST_WRITTEN_COLUMNS = 12, 12
"""A map no larger than this is a table with its numbers."""

MOST_PLANES = 6
"""Planes that are drawn one by one; of more three maps sum up all."""


@dataclass(frozen=True, eq=False, repr=False)
class Map:
    """Errors (rows, columns): what they are of, and what a place along its sides is called."""

    caption: str
    errors: Array
    down: str
    across: str


def heat_maps(verdict: Verdict, reveal: bool) -> str:
    """The maps of a wrong answer of several cells, as HTML, else empty; reveal: whether sizes may be told."""
    if not verdict.wrong.any() or verdict.wrong.size == 1:
        return ""
    with np.errstate(all="ignore"):
        off = np.abs(verdict.answer.numbers - np.asarray(verdict.value, np.float64))
    off = np.where(verdict.wrong, np.where(np.isfinite(off), off, np.inf), 0.0)
    largest = float(off[np.isfinite(off)].max(initial=0.0)) if reveal else 0.0
    drawn = [_drawn(each, largest) for each in _maps(off, verdict)]
    legend = _legend(largest, bool(np.isinf(off).any())) if any("<svg" in each for each in drawn) else ""
    return f'<div class="heat">{legend}<div>{"".join(drawn)}</div></div>'


# -- which maps ------------------------------------------------------------------------------------------------------


def _maps(off: Array, verdict: Verdict) -> Iterator[Map]:
    """Errors -> their planes where they are few; else all laid on one another, a cell for each, and the worst."""
    words = axis_words(verdict.name, off.ndim, verdict.spatial)
    order = [axis for axis in range(off.ndim) if axis not in verdict.spatial] + list(verdict.spatial)
    moved, named = off.transpose(order), [words[axis] for axis in order]
    if off.ndim < 2:
        yield Map(verdict.name, off.reshape(1, -1), "", "".join(named))
        return
    others = moved.shape[:-2]
    down, across = named[-2], named[-1]
    if prod(others) <= MOST_PLANES:
        for at in np.ndindex(others):
            yield Map(_plane_name(verdict.name, at, order), moved[at], down, across)
        return
    over = tuple(range(len(others)))
    several = " and ".join(f"{word}s" for word in named[:-2])
    yield Map(f"{verdict.name}: the largest error over all {several}", moved.max(over), down, across)
    by_plane = moved.max((-2, -1))
    rows = f"{named[-4]}" if len(others) > 1 else ""
    caption = f"{verdict.name}: the largest error of each {named[-3]}" + (f" of each {rows}" if rows else "")
    yield Map(caption, by_plane.reshape(-1, others[-1]), rows, named[-3])
    worst = tuple(int(i) for i in np.unravel_index(int(np.argmax(by_plane)), others))
    name = _plane_name(verdict.name, worst, order)
    yield Map(f"{name}, the worst of them", moved[worst], down, across)


def _plane_name(name: str, at: Sequence[int], order: Sequence[int]) -> str:
    """``dX[3,7]``, or ``dX[3,:,:,7]`` where channels come last."""
    index = [":"] * len(order)
    for axis, i in zip(order, at, strict=False):
        index[axis] = str(i)
    while index and index[-1] == ":":
        index.pop()
    return f"{name}[{','.join(index)}]" if index else name


def _pooled(errors: Array) -> tuple[Array, tuple[int, int]]:
    """The largest error of each block, and how large blocks are."""
    sides = tuple(max(1, ceil(n / MOST_SIDE)) for n in errors.shape)
    for axis, side in enumerate(sides):
        errors = np.maximum.reduceat(errors, np.arange(0, errors.shape[axis], side), axis)
    return errors, (sides[0], sides[1])


# -- how they are drawn --------------------------------------------------------------------------------------------


def _levels(errors: Array, largest: float) -> Array:
    """0 where nothing is off, up to LEVELS for the largest error, one more where there is no number to be off by."""
    with np.errstate(divide="ignore"):
        steps = LEVELS + np.floor(2 * np.log10(errors / largest) + 1e-9) if largest else np.full(errors.shape, LEVELS)
    levels = np.where(errors > 0, np.clip(np.nan_to_num(steps, posinf=0), 1, LEVELS), 0)
    return np.asarray(np.where(np.isinf(errors), LEVELS + 1, levels), int)


def _drawn(each: Map, largest: float) -> str:
    rows, columns = each.errors.shape
    pooled, (tall, wide) = _pooled(each.errors)
    levels = _levels(pooled, largest)
    whole = (tall, wide) == (1, 1)
    written = whole and rows <= MOST_WRITTEN_ROWS and columns <= MOST_WRITTEN_COLUMNS
    size = f"{rows} {each.down}s down, {columns} {each.across}s across" if each.down else f"{columns} {each.across}s"
    pooling = "" if whole else f"; each cell is the largest error of {tall} by {wide}"
    count = int(np.count_nonzero(each.errors))
    said = f"{size}{pooling}. {count} of {each.errors.size} {'is' if count == 1 else 'are'} off."
    body = _table(pooled, levels, largest) if written else _drawing(levels, f"{each.caption}. {said}")
    return f"<figure><figcaption>{escape(each.caption)}<br><small>{escape(said)}</small></figcaption>{body}</figure>"


def _table(errors: Array, levels: Array, largest: float) -> str:
    """A table of errors, in numbers where they may be told."""
    rows = (
        "".join(f'<td class="e{level}">{_text(error, level, largest)}</td>' for error, level in zip(*row, strict=True))
        for row in zip(errors, levels, strict=True)
    )
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _text(error: float, level: int, largest: float) -> str:
    if level == 0:
        return "\u00b7"
    if level > LEVELS:
        return "NaN"
    return f"{error:.2g}" if largest else "off"


def _drawing(levels: Array, label: str) -> str:
    """Squares, a path for each level of the scale, those side by side in one."""
    rows, columns = levels.shape
    paths = []
    for level in range(1, LEVELS + 2):
        squares = "".join(_runs(levels == level))
        if squares:
            paths.append(f'<path class="e{level}" d="{squares}"/>')
    side = max(6, min(14, 448 // max(rows, columns)))
    return (
        f'<svg role="img" aria-label="{escape(label, quote=True)}" viewBox="0 0 {columns} {rows}" '
        f'width="{columns * side}" height="{rows * side}" shape-rendering="crispEdges">{"".join(paths)}</svg>'
    )


def _runs(mask: Array) -> Iterator[str]:
    """The marked cells of each row, run by run, as parts of a path."""
    for row, line in enumerate(mask):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], line, [0]])))
        for start, stop in edges.reshape(-1, 2).tolist():
            yield f"M{start} {row}h{stop - start}v1h-{stop - start}z"


def _legend(largest: float, odd: bool) -> str:
    """The scale in words and colours."""
    parts = ['<span class="e0">&nbsp;</span> right']
    if largest:
        parts += [
            f'<span class="e{level}">&nbsp;</span> {"from " if level < LEVELS else "up to "}'
            f"{largest * 10 ** ((level - LEVELS) / 2) if level < LEVELS else largest:.2g}"
            for level in range(2, LEVELS + 1, 2)
        ]
    else:
        parts.append(f'<span class="e{LEVELS}">&nbsp;</span> off')
    if odd:
        parts.append(f'<span class="e{LEVELS + 1}">&nbsp;</span> NaN or infinite')
    return f"<p>Error: {' '.join(parts)}</p>"
