"""Planes of numbers, sentences and rules as lines that fit on the terminal, for whoever draws a report."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap

from rich.console import RenderableType
from rich.text import Text

from convgrad.core.element import Array
from convgrad.problems.report import Report
from convgrad.render.number_text import aligned, readable
from convgrad.render.terminal.side_by_side import QUIET, lit_line
from convgrad.render.writer import Style


@dataclass(frozen=True)
class Lines:
    """Makes the lines of a report."""

    report: Report
    style: Style

    def said(self, text: Text) -> RenderableType:
        """A sentence, wrapped to the terminal (the console itself is as wide as anything may be)."""
        width = max(20, self.style.width - 2)
        parts = text.plain.split("\n")
        lines = [
            line for part in parts for line in wrap(part, width, break_long_words=False, break_on_hyphens=False) or [""]
        ]
        return Text("\n".join(f" {line}" for line in lines), style=text.style)

    def rule(self, head: Text) -> RenderableType:
        """A heading with a line behind it."""
        rest = self.style.width - head.cell_len - 1
        return Text.assemble(head, (" " + "─" * rest if rest > 0 else "", QUIET))

    def lines(
        self,
        label: str,
        plane: Array,
        mask: Array | None,
        style: str,
        pad: Array | None = None,
        blank: Array | None = None,
    ) -> list[tuple[str, list[Text]]]:
        """A plane as lines, in several pieces by columns where it is wider than the terminal.

        pad: the cells that lie in the padding, which are put in parentheses; blank: those that hold nothing.
        """
        cells = aligned(plane, self.style.precision, blank)
        if pad is not None:
            cells = _in_parentheses(cells, pad)
        room, start, pieces = max(10, self.style.width - 7), 0, []
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
                [
                    lit_line(
                        row[a:b],
                        None if mask is None else mask[k, a:b],
                        style,
                        None if pad is None else pad[k, a:b],
                    )
                    for k, row in enumerate(cells)
                ],
            )
            for a, b in pieces
        ]

    def number(self, number: float) -> str:
        """A number as a table shows it."""
        return readable(number, self.style.precision)


def _in_parentheses(cells: list[list[str]], pad: Array) -> list[list[str]]:
    """Cells of the padding in parentheses, the columns that have some widened alike."""
    columns = []
    for k, column in enumerate(zip(*cells, strict=True)):
        if not pad[:, k].any():
            columns.append(list(column))
            continue
        marks = [("(", ")") if each else (" ", " ") for each in pad[:, k]]
        columns.append([_around(cell, *mark) for cell, mark in zip(column, marks, strict=True)])
    return [list(row) for row in zip(*columns, strict=True)]


def _around(cell: str, before: str, after: str) -> str:
    text = cell.strip()
    at = cell.find(text)
    return f"{cell[:at]}{before}{text}{after}{cell[at + len(text) :]}"
