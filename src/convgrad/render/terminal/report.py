"""Tables for people: operands, overlay after overlay, results, drawn with rich.

The digits shown never depend on the width. A plane of numbers that is wider than the terminal is split by
columns; what stands side by side where there is room stands below one another where there is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from convgrad.core.element import Array
from convgrad.errors import by
from convgrad.formula import Formula
from convgrad.problems.report import Facts, Report
from convgrad.render.number_text import fact, readable
from convgrad.render.planes import MOST_CELLS_IN_FULL, planes
from convgrad.render.sentences import written_out
from convgrad.render.terminal.console import printed, title
from convgrad.render.terminal.lines import Lines
from convgrad.render.terminal.overlays import Working
from convgrad.render.terminal.side_by_side import ADDS, NAME, QUIET, TOTAL, Block, flow
from convgrad.render.writer import Style


def draw_report(report: Report, style: Style) -> str:
    """A report -> the text of its tables."""
    return printed(Drawing(report, style).parts(), style)


def draw_facts(facts: Facts, style: Style) -> str:
    """Facts -> a table of names and values."""
    table = Table(title=Text(facts.title, style=NAME), title_justify="left", show_header=False, border_style=QUIET)
    for name, entry in facts.entries.items():
        if isinstance(entry, dict):
            for part, value in entry.items():
                table.add_row(Text(f"{name}, {part}"), Text(fact(value)))
        else:
            table.add_row(Text(name), Text(fact(entry)))
    return printed([table], style)


class Drawing(Lines):
    """Draws one report."""

    def parts(self) -> Iterator[RenderableType]:
        """Operands, overlays, sums of whole arrays, single elements, results, in that order."""
        yield title(self.report.title, self.style, NAME)
        yield from self._operands()
        yield from Working(self.report, self.style).drawings()
        yield from self._explanations()
        yield from self._results()

    def _operands(self) -> Iterator[RenderableType]:
        blocks: list[Block] = []
        for name, array in {**self.report.operands, **self.report.arrays}.items():
            made = self.report.made.get(name)
            blocks += self._array(name, array, self.report.spatial.get(name, ()), QUIET, made)
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
                yield self.said(Text(str(formula), style=QUIET))
        yield from self._boxed(blocks)

    def _array(
        self, name: str, array: Array, spatial: Sequence[int], style: str, made: Formula | None = None
    ) -> list[Block]:
        """An array in full, under its name or how it is made; a large one in one line where the table is abridged."""
        if (self.style.abridged or self.report.explanations) and array.size > MOST_CELLS_IN_FULL:
            low, high = readable(array.min(), self.style.precision), readable(array.max(), self.style.precision)
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
            Block(Text(f"{text}{size if k == 0 else ''}"), lines)
            for k, (label, plane, _) in enumerate(planes(made or name, array, spatial))
            for text, lines in self.lines(str(label), plane, None, style)
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
        yield from flow(items, self.style.width, gap=1)

    def _explanations(self) -> Iterator[RenderableType]:
        """Single elements: formula, products by name, in numbers, and their sum."""
        for each in self.report.explanations:
            yield Text("")
            yield self.rule(Text(each.element, style=NAME))
            if each.formula:
                yield self.said(Text(str(each.formula), style=QUIET))
            for style, line in written_out(each, self.number, self.report.zeros):
                yield self.said(Text(line, style={"names": "", "numbers": ADDS, "sum": TOTAL, "aside": QUIET}[style]))
