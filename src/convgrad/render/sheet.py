"""A sheet of a report: planes of numbers, sentences and rules that fit on the page, for whoever draws on it."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap

import numpy as np
from rich.console import RenderableType
from rich.text import Text

from convgrad.quantity import Array
from convgrad.render import Page
from convgrad.render.numbers import aligned, readable
from convgrad.render.planes import NAME, QUIET, Block, lit_line, planes
from convgrad.report import Report

MOST_PLANES = 12
"""Planes of one array that an overlay draws; more are counted."""

MOST_ROWS, MOST_COLUMNS = 12, 12
"""A plane larger than this is drawn only where cells of it are lit."""


@dataclass(frozen=True)
class Sheet:
    """A report, how many digits its numbers have, and the page it is drawn on."""

    report: Report
    precision: int | None
    page: Page

    def said(self, text: Text) -> RenderableType:
        """A sentence, wrapped to the page (the console itself is as wide as anything may be)."""
        width = max(20, self.page.width - 2)
        parts = text.plain.split("\n")
        lines = [
            line for part in parts for line in wrap(part, width, break_long_words=False, break_on_hyphens=False) or [""]
        ]
        return Text("\n".join(f" {line}" for line in lines), style=text.style)

    def rule(self, head: Text) -> RenderableType:
        """A heading with a line behind it."""
        rest = self.page.width - head.cell_len - 1
        return Text.assemble(head, (" " + "─" * rest if rest > 0 else "", QUIET))

    def drawn(self, title: str, array: Array, style: str) -> list[Block]:
        """An array's planes, its last axes being the spatial ones."""
        d = min(array.ndim, max(1, len(self.input_spatial)))
        blocks = [
            Block(Text(text, style=NAME), lines)
            for label, plane, _ in planes(title, array, tuple(range(array.ndim - d, array.ndim)))
            for text, lines in self.lines(label, plane, None, style)
        ]
        return self.counted(blocks, title)

    def counted(self, blocks: list[Block], title: str) -> list[Block]:
        """The first planes of many, the others counted."""
        if len(blocks) <= MOST_PLANES:
            return blocks
        more = Block(Text(f"{title}:", style=NAME), [Text(f"{len(blocks) - MOST_PLANES} planes more", style=QUIET)])
        return [*blocks[:MOST_PLANES], more]

    def cropped(
        self, label: str, plane: Array, mask: Array | None, style: str = "", suffix: str = ""
    ) -> list[tuple[str, list[Text]]]:
        """A plane with the cells of `mask` lit; a large one only there."""
        if mask is None or (plane.shape[0] <= MOST_ROWS and plane.shape[1] <= MOST_COLUMNS):
            return self.lines(label + suffix, plane, mask, style)
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return [(label + suffix, [Text("(beside it)", style=QUIET)])]
        top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        part = (slice(top, bottom), slice(left, right))
        return self.lines(f"{label}[{top}:{bottom}, {left}:{right}]{suffix}", plane[part], mask[part], style)

    def lines(self, label: str, plane: Array, mask: Array | None, style: str) -> list[tuple[str, list[Text]]]:
        """A plane as lines, in several pieces by columns where it is wider than the page."""
        cells = aligned(plane, self.precision)
        room, start, pieces = max(10, self.page.width - 7), 0, []
        widths = [len(cell) + 2 for cell in cells[0]]
        while start < len(widths):
            end, width = start + 1, widths[start]
            while end < len(widths) and width + widths[end] <= room:
                width, end = width + widths[end], end + 1
            pieces.append((start, end))
            start = end
        return [
            (
                label if len(pieces) == 1 else f"{label} columns {a}:{b}",
                [lit_line(row[a:b], None if mask is None else mask[k, a:b], style) for k, row in enumerate(cells)],
            )
            for a, b in pieces
        ]

    def number(self, number: float) -> str:
        """A number as the page shows it."""
        return readable(number, self.precision)

    @property
    def input_spatial(self) -> tuple[int, ...]:
        """Which axes of the input are spatial."""
        return self.report.spatial.get("input", ())
