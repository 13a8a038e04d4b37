"""The catalogue of mistakes: as a table, one in full, and what a problem shows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from convgrad.core.element import Array
from convgrad.errors import by
from convgrad.mistakes.mistake import FAMILIES, Mistake
from convgrad.mistakes.shown import Shown
from convgrad.render.catalogue import Listing, MistakeInFull, Shows
from convgrad.render.number_text import aligned
from convgrad.render.planes import planes
from convgrad.render.terminal.console import labelled, printed
from convgrad.render.terminal.side_by_side import LIT, NAME, QUIET, Block, flow, lit_line
from convgrad.render.writer import Style
from convgrad.teaching.example import Example


def draw_listing(listing: Listing, style: Style) -> str:
    """Rows -> the text of a table a family."""
    return printed(_listed(listing.rows, style.width), style)


def draw_mistake(told: MistakeInFull, style: Style) -> str:
    """One row in full -> its text."""
    return printed(_whole(told, style.width), style)


def draw_shows(told: Shows, style: Style) -> str:
    """What a problem shows -> the text of a table a result."""
    return printed(_shown(told, style.width), style)


def _listed(rows: Sequence[Mistake], width: int) -> Iterator[RenderableType]:
    longest = max((len(row.name) for row in rows), default=1)
    for family, group in groupby(rows, key=lambda row: row.family):
        listed = list(group)
        table = Table(
            title=Text(f"{FAMILIES[family]} ({len(listed)})", style=NAME),
            title_justify="left",
            border_style=QUIET,
            width=width,
            show_lines=True,
            show_header=False,
        )
        table.add_column(width=min(longest, width // 2), overflow="fold")
        table.add_column(overflow="fold")
        for row in listed:
            about = f"{', '.join(row.about)} of {', '.join(row.layers)}"
            table.add_row(Text.assemble((row.name, "bold magenta"), "\n", (about, QUIET)), Text(row.what))
        yield table
    yield Text(f"{len(rows)} mistakes; 'convgrad mistakes NAME' shows one in full", style=QUIET)


def _whole(told: MistakeInFull, width: int) -> Iterator[RenderableType]:
    row, width = told.row, max(20, width)
    yield Text(row.name, style="bold magenta")
    about = f"In {' and '.join(row.about)} of {', '.join(row.layers)}. {FAMILIES[row.family]}."
    yield from labelled("", about, width, QUIET)
    for label, text in (("What", row.what), ("Why", row.why), ("Mend", row.mend)):
        yield from labelled(f"{label:<5} ", text, width)
    if row.convention:
        yield from labelled("", f"A convention, not an error: {row.convention}.", width)
    if row.alike:
        alike = f"Gives the same numbers as {', '.join(row.alike)} wherever both can be made."
        yield from labelled("", alike, width, QUIET)
    if told.example is not None:
        yield Text("")
        yield from labelled("", f"For example: {told.title}", width, NAME)
        yield from _worked(told.example, width)


def _worked(example: Example, width: int) -> Iterator[RenderableType]:
    operands = example.case.solution.operands
    spatial = example.case.solution.spatial
    blocks = [
        block
        for name, array in operands.items()
        if name in example.case.operands
        for block in _blocks(name, array, spatial.get(name, ()))
    ]
    yield from flow([[(block.width, block.text())] for block in blocks], width, gap=3)
    yield Text("")
    off = _off(example)
    axes = example.case.solution.quantities[example.name].spatial
    right = _blocks(f"{example.name}, right", example.right, axes)
    wrong = _blocks(f"{example.name}, wrong", example.wrong, axes, off)
    same = example.right.shape == example.wrong.shape
    groups = [[left, other] for left, other in zip(right, wrong, strict=True)] if same else [right, wrong]
    yield from flow([[(block.width, block.text()) for block in group] for group in groups], width, gap=3)


def _off(example: Example) -> Array | None:
    """The cells that are wrong, where that are some and not all."""
    if example.right.shape != example.wrong.shape:
        return None
    off = ~np.isclose(example.right, example.wrong, rtol=1e-9, atol=0)
    return None if off.all() else off


def _blocks(name: str, array: Array, spatial: Sequence[int], lit: Array | None = None) -> list[Block]:
    axes = spatial if len(spatial) <= array.ndim and max(spatial, default=0) < array.ndim else ()
    size = f" {by(array.shape)}" if array.ndim > 1 else ""
    drawn = []
    for number, (label, plane, mask) in enumerate(planes(name, array, axes or _last(array), lit)):
        lines = [lit_line(row, None if mask is None else mask[k], LIT) for k, row in enumerate(aligned(plane))]
        drawn.append(Block(Text(str(label) + (size if number == 0 else ""), style=NAME), lines))
    return drawn


def _last(array: Array) -> tuple[int, ...]:
    return (array.ndim - 1,) if array.ndim else ()


def _shown(told: Shows, width: int) -> Iterator[RenderableType]:
    yield Text(f"what this problem shows of the catalogue ({told.layer})", style=NAME)
    for each in told.results:
        table = Table(border_style=QUIET, width=width, show_header=False, show_lines=True)
        table.title, table.title_justify = Text(each.name, style="bold magenta"), "left"
        table.add_column(ratio=1, overflow="fold")
        table.add_column(ratio=4, overflow="fold")
        for label, names in _groups(each).items():
            table.add_row(Text(label, style=NAME), Text(names or "none"))
        yield Text("")
        yield table


def _groups(shown: Shown) -> Mapping[str, str]:
    together = "\n".join(" = ".join(row.name for row in group) for group in shown.together)
    listed = {
        "too few numbers to tell": shown.too_few,
        "invisible": shown.hidden,
        "does not apply": shown.foreign,
    }
    return {
        f"told apart ({len(shown.alone)})": ", ".join(row.name for row in shown.alone),
        f"not told apart ({sum(map(len, shown.together))})": together,
        **{f"{label} ({len(rows)})": ", ".join(row.name for row in rows) for label, rows in listed.items()},
    }
