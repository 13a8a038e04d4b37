"""Tables for people: operands, overlay after overlay, results, drawn with rich.

The digits shown never depend on the width. A plane of numbers that is wider than the page is split by
columns; what stands side by side where there is room stands below one another where there is not.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from textwrap import wrap

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from convgrad.errors import by
from convgrad.quantity import Array, Quantity, Term
from convgrad.render import Page
from convgrad.render.numbers import aligned, readable
from convgrad.render.planes import ADDS, LIT, NAME, QUIET, TOTAL, Block, adding, flow, lit_line, planes
from convgrad.report import Facts, Overlay, Report

MOST_PLANES = 12
"""Planes of one array that an overlay draws; more are counted."""

MOST_ROWS, MOST_COLUMNS = 12, 12
"""An input larger than this is drawn only where the kernel lies."""

WIDEST = 1000
"""The console's width, or the page's if that is more: a number wider than the page (there are some of 410 digits) runs
on, and is never cut. Not more, because rich fills every line up to it with blanks."""

MOST_SUMMANDS = 9
"""Products that a headline writes out as a sum."""

MOST_CELLS = 400
"""An array larger than this is summed up in one line where the page is abridged."""

WORKED = {"products": "products", "share": "share of delta", "derivative": "derivative"}
"""Factors that an overlay draws, and what it calls them."""


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


@dataclass(frozen=True)
class Drawing:
    """Draws one report on a console."""

    report: Report
    precision: int | None
    page: Page

    def draw(self, console: Console) -> None:
        """Operands, overlays, sums of whole arrays, results, in that order."""
        console.print(Text("\n".join(wrap(self.report.title, max(20, self.page.width))), style=NAME))
        for part in (self._operands(), self._working(), self._sums(), self._results()):
            for renderable in part:
                console.print(renderable)

    # -- operands and results -------------------------------------------------------------------------

    def _operands(self) -> Iterator[RenderableType]:
        blocks: list[Block] = []
        for name, array in self.report.operands.items():
            blocks += self._array(name, array, self.report.spatial.get(name, ()), QUIET)
        yield from self._boxed(blocks)

    def _results(self) -> Iterator[RenderableType]:
        blocks: list[Block] = []
        for name, quantity in self.report.results.items():
            blocks += self._array(name, quantity.value, quantity.spatial, "")
        if self.report.steps != 0:
            yield Text("")
            yield self._rule(Text("results", style=NAME))
        for name, quantity in self.report.results.items():
            before = self.report.working.get(name, quantity)
            for formula in filter(None, dict.fromkeys((before.formula, quantity.formula))):
                yield self._said(Text(formula, style=QUIET))
        yield from self._boxed(blocks)

    def _array(self, name: str, array: Array, spatial: Sequence[int], style: str) -> list[Block]:
        """An array in full, or in one line where the page is abridged and the array is large."""
        if self.page.abridged and array.size > MOST_CELLS:
            low, high = readable(array.min(), self.precision), readable(array.max(), self.precision)
            return [
                Block(
                    Text(f"{name} {by(array.shape)}"),
                    [
                        Text(f"from {low} to {high}"),
                        Text(f"(all of it: --format table, or --only {name} -o FILE)", style=QUIET),
                    ],
                )
            ]
        size = "" if array.ndim < 2 else f" {by(array.shape)}"
        return [
            Block(Text(f"{label}{size if k == 0 else ''}"), lines)
            for k, (label, plane, _) in enumerate(planes(name, array, spatial))
            for label, lines in self._lines(label, plane, None, style)
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

    # -- the working ----------------------------------------------------------------------------------

    def _working(self) -> Iterator[RenderableType]:
        if self.report.steps == 0:
            return
        shown = 0
        yield from self._legend()
        for overlay in islice(self.report.overlays(), self.report.steps):
            yield from self._overlay(overlay)
            shown += 1
        worked = self.report.overlaid()
        if not worked:
            return
        total, adding = worked[0].live().size, int(np.count_nonzero(worked[0].live()))
        silent, rest = total - adding, adding - shown
        if rest > 0:
            yield self._said(
                Text(f"\n{rest} more {worked[0].unit}s add to the sums; --steps all shows them", style=QUIET)
            )
        if silent:
            listed = " ".join(map(_place, islice(worked[0].silent(), MOST_PLANES))) + (
                " ..." if silent > MOST_PLANES else ""
            )
            add, have = ("adds", "has") if silent == 1 else ("add", "have")
            yield self._said(
                Text(f"\n{silent} of {total} {worked[0].unit}s {have} delta 0 and {add} nothing: {listed}")
            )

    def _sums(self) -> Iterator[RenderableType]:
        """The arithmetic of results that are sums of whole arrays, such as a step of gradient descent."""
        for quantity in self.report.results.values():
            if self.report.steps == 0 or quantity.unit != "summand" or quantity.value.size > MOST_CELLS:
                continue
            parts = [
                Block(Text(text, style=NAME), lines)
                for term in quantity.terms()
                for label, plane, _ in planes(term.factors[0].name, term.patch, self._kernel_spatial(term.patch))
                for text, lines in self._lines(label, plane, None, ADDS)
            ]
            blocks = [[(block.width, block.text()) for block in self._counted(parts, quantity.name)]]
            yield Text("")
            yield self._rule(Text.assemble((quantity.name, NAME), ("  the sum of", LIT)))
            yield Padding(Group(*flow(blocks, self.page.width - 1, gap=3)), (0, 0, 0, 1))

    def _kernel_spatial(self, array: Array) -> tuple[int, ...]:
        spatial = self.report.spatial.get("kernel", ())
        return spatial if len(spatial) <= array.ndim and max(spatial, default=0) < array.ndim else ()

    def _legend(self) -> Iterator[RenderableType]:
        rules = [f"to {quantity.name}: {quantity.rule}" for quantity in self.report.overlaid()]
        if rules:
            some = any(q.value.ndim > max(2, len(q.spatial)) for q in self.report.overlaid())
            planes_left_out = " Planes to which it adds nothing are not drawn." if some else ""
            unit = self.report.overlaid()[0].unit.capitalize()
            yield self._said(
                Text(
                    f"\n{unit} by {unit.lower()}, what is added " + "; ".join(rules) + "." + planes_left_out,
                    style=QUIET,
                )
            )

    def _overlay(self, overlay: Overlay) -> Iterator[RenderableType]:
        term = overlay.term
        head = Text.assemble(
            (f"{self.report.overlaid()[0].unit} {_place(overlay.at)}", NAME), ("  ", ""), (self._headline(overlay), LIT)
        )
        yield Text("")
        yield self._rule(head)
        groups = [self._input(term)]
        for name, shown in WORKED.items():
            value = term.factor(name)
            if value is not None:
                groups.append(self._drawn(shown, value, ADDS))
        for name, (each, total) in sorted(overlay.parts.items(), key=lambda part: part[0] == "db"):
            if name not in ("output", "z", "db"):  # an output's is its headline, db's is the delta
                groups.append(self._adds(name, each))
            groups.append(self._so_far(name, each, total))
        rows = [[(block.width, block.text()) for block in blocks] for blocks in groups]
        yield Padding(Group(*flow(rows, self.page.width - 1, gap=3)), (0, 0, 0, 1))

    def _headline(self, overlay: Overlay) -> str:
        """What the overlay comes down to in one line."""
        term, place = overlay.term, ",".join(map(str, overlay.at))
        delta, products = term.factor("delta"), term.factor("products")
        if delta is not None:
            name = "sensitivity" if "sensitivity" in self.report.operands else "delta"
            return f"{name}[{place}] = {self._row(delta)}" if delta.ndim == 0 else f"{name} = {self._row(delta)}"
        if products is not None and term.patch.size == 1 and products.size <= MOST_SUMMANDS:
            bias = term.factor("bias")
            sums = " + ".join(map(self._number, products.ravel()))
            return f"{sums}{'' if bias is None else ' + ' + self._row(bias)} = {self._row(term.patch.ravel())}"
        return f"{next(iter(overlay.parts))} = {self._row(term.patch.ravel())}"

    def _input(self, term: Term) -> list[Block]:
        """The input with the window lit; and what lies under the kernel, where that is not all on the input."""
        array = self.report.operands["input"]
        lit = np.zeros(array.shape, bool)
        lit[
            np.ix_(
                *(
                    range(*c.indices(n)) if isinstance(c, slice) else list(c)
                    for c, n in zip(term.window, array.shape, strict=True)
                )
            )
        ] = True
        blocks = []
        for label, plane, mask in planes("input", array, self._input_spatial, lit):
            if mask is not None and not mask.any() and array.ndim > len(self._input_spatial):
                continue
            blocks += [
                Block(Text(text, style=NAME), lines)
                for text, lines in self._cropped(label, plane, None if lit.all() else mask)
            ]
        under = term.factor("input")
        if under is not None and lit.sum() < under.size:
            kernel = {"kernel", "dW"} & {*self.report.operands, *self.report.results}
            blocks += self._drawn(f"under the {'kernel' if kernel else 'window'}", under, "")
        return self._counted(blocks, "input")

    def _adds(self, name: str, term: Term) -> list[Block]:
        spatial = self._quantity(name).spatial
        blocks = [
            Block(Text(text, style=NAME), lines)
            for label, plane, mask in planes(f"adds to {name}", term.patch, spatial, adding(term.patch, spatial))
            if mask is None or mask.any()
            for text, lines in self._lines(label, plane, None, ADDS)
        ]
        return self._counted(blocks, name)

    def _so_far(self, name: str, term: Term, total: Array) -> list[Block]:
        spatial = self._quantity(name).spatial
        lit = np.zeros(total.shape, bool)
        lit[term.region] = adding(term.patch, spatial)
        blocks = [
            Block(Text(text, style=NAME), lines)
            for label, plane, mask in planes(name, total, spatial, lit)
            if mask is not None and mask.any()
            for text, lines in self._cropped(label, plane, None if mask.all() else mask, TOTAL, " so far")
        ]
        return self._counted(blocks, name)

    def _said(self, text: Text) -> RenderableType:
        """A sentence, wrapped to the page (the console itself is as wide as anything may be)."""
        width = max(20, self.page.width - 2)
        lines = [line for part in text.plain.split("\n") for line in wrap(part, width) or [""]]
        return Text("\n".join(f" {line}" for line in lines), style=text.style)

    def _rule(self, head: Text) -> RenderableType:
        rest = self.page.width - head.cell_len - 1
        return Text.assemble(head, (" " + "─" * rest if rest > 0 else "", QUIET))

    @property
    def _input_spatial(self) -> tuple[int, ...]:
        return self.report.spatial.get("input", ())

    def _quantity(self, name: str) -> Quantity:
        return next(quantity for quantity in self.report.worked() if quantity.name == name)

    def _drawn(self, title: str, array: Array, style: str) -> list[Block]:
        d = min(array.ndim, max(1, len(self._input_spatial)))
        blocks = [
            Block(Text(text, style=NAME), lines)
            for label, plane, _ in planes(title, array, tuple(range(array.ndim - d, array.ndim)))
            for text, lines in self._lines(label, plane, None, style)
        ]
        return self._counted(blocks, title)

    def _counted(self, blocks: list[Block], title: str) -> list[Block]:
        if len(blocks) <= MOST_PLANES:
            return blocks
        more = Block(Text(f"{title}:", style=NAME), [Text(f"{len(blocks) - MOST_PLANES} planes more", style=QUIET)])
        return [*blocks[:MOST_PLANES], more]

    # -- planes ---------------------------------------------------------------------------------------

    def _cropped(
        self, label: str, plane: Array, mask: Array | None, style: str = "", suffix: str = ""
    ) -> list[tuple[str, list[Text]]]:
        """A plane with the cells of `mask` lit; a large one only there."""
        if mask is None or (plane.shape[0] <= MOST_ROWS and plane.shape[1] <= MOST_COLUMNS):
            return self._lines(label + suffix, plane, mask, style)
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return [(label + suffix, [Text("(beside it)", style=QUIET)])]
        top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        part = (slice(top, bottom), slice(left, right))
        return self._lines(f"{label}[{top}:{bottom}, {left}:{right}]{suffix}", plane[part], mask[part], style)

    def _lines(self, label: str, plane: Array, mask: Array | None, style: str) -> list[tuple[str, list[Text]]]:
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

    def _number(self, number: float) -> str:
        return readable(number, self.precision)

    def _row(self, array: Array) -> str:
        numbers = [self._number(number) for number in array.ravel()]
        text = ", ".join(numbers[:8]) + (", ..." if len(numbers) > 8 else "")
        return text if array.size == 1 else f"[{text}]"


def _place(at: Sequence[int]) -> str:
    return f"({', '.join(map(str, at))})" if at else ""
