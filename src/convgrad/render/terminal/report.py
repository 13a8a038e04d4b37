"""Tables for people: operands, overlay after overlay, results, drawn with rich.

The digits shown never depend on the width. A plane of numbers that is wider than the page is split by
columns; what stands side by side where there is room stands below one another where there is not.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from textwrap import wrap

from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from convgrad.core.quantity import Array
from convgrad.errors import by
from convgrad.problems.report import Facts, Report
from convgrad.render import Page
from convgrad.render.number_text import readable
from convgrad.render.planes import MOST_CELLS, planes
from convgrad.render.sentences import written_out
from convgrad.render.terminal.lines import Sheet
from convgrad.render.terminal.overlays import Working
from convgrad.render.terminal.side_by_side import ADDS, NAME, QUIET, TOTAL, Block, flow

WIDEST = 1000
"""The console's width, or the page's if that is more: a number wider than the page (there are some of 410 digits) runs
on, and is never cut. Not more, because rich fills every line up to it with blanks."""


def render_table(report: Report, precision: int | None, page: Page) -> str:
    """A report -> the text of its tables, with escapes only where the page is in colour."""
    console = new_console(page)
    Drawing(report, precision, page).draw(console)
    return drawn_on(console)


def render_facts_table(facts: Facts, page: Page) -> str:
    """Facts -> a table of names and values."""
    table = Table(title=Text(facts.title, style=NAME), title_justify="left", show_header=False, border_style=QUIET)
    for name, entry in facts.entries.items():
        if isinstance(entry, dict):
            for part, value in entry.items():
                table.add_row(Text(f"{name}, {part}"), Text(str(value)))
        else:
            table.add_row(Text(name), Text(by(entry) if isinstance(entry, list) else str(entry)))
    console = new_console(page)
    console.print(table)
    return drawn_on(console)


def new_console(page: Page) -> Console:
    """A console that writes into a text, in the page's colours."""
    return Console(
        file=io.StringIO(),
        width=max(page.width, WIDEST),
        force_terminal=page.colour,
        highlight=False,
        markup=False,
        emoji=False,
        color_system="standard" if page.colour else None,
        legacy_windows=False,
        _environ={},
    )


def drawn_on(console: Console) -> str:
    """What was printed on a console."""
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


class Drawing(Sheet):
    """Draws one report on a console."""

    def draw(self, console: Console) -> None:
        """Operands, overlays, sums of whole arrays, results, in that order."""
        console.print(Text("\n".join(wrap(self.report.title, max(20, self.page.width))), style=NAME))
        working = Working(self.report, self.precision, self.page).drawings()
        parts = (self._operands(), working, self._explanations(), self._results())
        for part in parts:
            for renderable in part:
                console.print(renderable)

    def _operands(self) -> Iterator[RenderableType]:
        blocks: list[Block] = []
        for name, array in {**self.report.operands, **self.report.arrays}.items():
            blocks += self._array(name, array, self.report.spatial.get(name, ()), QUIET)
        yield from self._boxed(blocks)

    def _results(self) -> Iterator[RenderableType]:
        blocks: list[Block] = []
        for name, quantity in self.report.results.items():
            blocks += self._array(name, quantity.value, quantity.spatial, "")
        if not self.report.results:
            return
        if self.report.steps != 0 or self.report.explanations:
            yield Text("")
            yield self.rule(Text("results", style=NAME))
        for name, quantity in self.report.results.items():
            before = self.report.working.get(name, quantity)
            for formula in filter(None, dict.fromkeys((before.formula, quantity.formula))):
                yield self.said(Text(formula, style=QUIET))
        yield from self._boxed(blocks)

    def _array(self, name: str, array: Array, spatial: Sequence[int], style: str) -> list[Block]:
        """An array in full; a large one in one line where the page is abridged, or single elements are asked for."""
        if (self.page.abridged or self.report.explanations) and array.size > MOST_CELLS:
            low, high = readable(array.min(), self.precision), readable(array.max(), self.precision)
            more = f"(all of it: --format table, or --only {name} -o FILE)"
            return [
                Block(
                    Text(f"{name} {by(array.shape)}"),
                    [
                        Text(f"from {low} to {high}"),
                        *([Text(more, style=QUIET)] if name in self.report.results else []),
                    ],
                )
            ]
        size = "" if array.ndim < 2 else f" {by(array.shape)}"
        return [
            Block(Text(f"{label}{size if k == 0 else ''}"), lines)
            for k, (label, plane, _) in enumerate(planes(name, array, spatial))
            for label, lines in self.lines(label, plane, None, style)
        ]

    def _boxed(self, blocks: list[Block]) -> Iterator[RenderableType]:
        items = []
        for block in blocks:
            width = max(block.width, block.title.cell_len + 2) + 4
            title = Text(block.title.plain, style="not dim bold")
            items.append(
                [
                    (
                        width,
                        Panel(
                            Text("\n").join(block.lines),
                            title=title,
                            title_align="left",
                            border_style=QUIET,
                            width=width,
                        ),
                    )
                ]
            )
        yield from flow(items, self.page.width, gap=1)

    def _explanations(self) -> Iterator[RenderableType]:
        """Single elements: formula, products by name, in numbers, and their sum."""
        for each in self.report.explanations:
            yield Text("")
            yield self.rule(Text(each.element, style=NAME))
            if each.formula:
                yield self.said(Text(each.formula, style=QUIET))
            for style, line in written_out(each, self.number, self.report.zeros):
                yield self.said(Text(line, style={"names": "", "numbers": ADDS, "sum": TOTAL, "aside": QUIET}[style]))
