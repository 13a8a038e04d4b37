"""Planes of numbers as blocks of text, and blocks laid side by side on a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from convgrad.core.element import Array
from convgrad.render import planes

NAME, LIT, PAD, ADDS, TOTAL, QUIET = "bold", "bold cyan", "cyan", "magenta", "bold green", "dim"
"""How titles, lit cells, those of them in the padding, contributions, sums and asides are printed."""

PARTS = {planes.GIVEN: QUIET, planes.WINDOW: "", planes.ADDS: ADDS, planes.TOTAL: TOTAL}
"""How the planes of a scene are printed, by the part they play."""


@dataclass(frozen=True)
class Block:
    """A titled plane of numbers, as lines of text of equal width."""

    title: Text
    lines: list[Text]

    @property
    def width(self) -> int:
        """Columns it takes."""
        return max(self.title.cell_len, *(line.cell_len for line in self.lines))

    def text(self) -> Text:
        """Title and lines."""
        return Text("\n").join([self.title, *self.lines])


def flow(groups: Sequence[Sequence[tuple[int, RenderableType]]], width: int, gap: int) -> Iterator[RenderableType]:
    """Things of known width, side by side as long as there is room, then below; groups stay together if they can."""
    row: list[tuple[int, RenderableType]] = []
    for group in groups:
        if row and sum(w + gap for w, _ in [*row, *group]) - gap > width:
            yield _grid(row, gap)
            row = []
        for item in group:
            if row and sum(w + gap for w, _ in row) + item[0] > width:
                yield _grid(row, gap)
                row = []
            row.append(item)
    if row:
        yield _grid(row, gap)


def _grid(row: Sequence[tuple[int, RenderableType]], gap: int) -> RenderableType:
    grid = Table.grid(padding=(0, gap, 0, 0))
    for width, _ in row:
        grid.add_column(width=width, no_wrap=True)
    grid.add_row(*(item for _, item in row))
    return grid


def lit_line(cells: Sequence[str], mask: Array | None, style: str, pad: Array | None = None) -> Text:
    """A row of numbers, runs of lit cells in brackets (to be seen without colour too); pad: those in the padding."""
    if mask is None:
        return Text("  ".join(cells), style=style)
    line = Text("[" if mask[0] else " ", style=style)
    for k, cell in enumerate(cells):
        line.append(cell, style=PAD if pad is not None and pad[k] else LIT if mask[k] else "")
        if k + 1 < len(cells):
            line.append("]" if mask[k] and not mask[k + 1] else " ")
            line.append("[" if mask[k + 1] and not mask[k] else " ")
    return line.append("]" if mask[-1] else " ")
