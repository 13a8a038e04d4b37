"""Tables for people: operands, overlay after overlay, results, drawn with rich.

The digits shown never depend on the width. A plane of numbers that is wider than the page is split by
columns; what stands side by side where there is room stands below one another where there is not.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from convgrad.errors import by
from convgrad.quantity import Array, Term
from convgrad.render import Page
from convgrad.render.numbers import aligned, readable
from convgrad.report import Facts, Overlay, Report

MOST_PLANES = 12
"""Planes of one array that an overlay draws; more are counted."""

MOST_ROWS, MOST_COLUMNS = 12, 12
"""An input larger than this is drawn only where the kernel lies."""

MOST_CELLS = 400
"""An array larger than this is summed up in one line where the page is abridged."""

NAME, LIT, ADDS, TOTAL, QUIET = "bold", "bold cyan", "magenta", "bold green", "dim"


def render_table(report: Report, precision: int | None, page: Page) -> str:
    """A report -> the text of its tables, with escapes only where the page is in colour."""
    console = _console(page)
    Drawing(report, precision, page).draw(console)
    return _drawn_on(console)


def render_facts_table(facts: Facts, page: Page) -> str:
    """Facts -> a table of names and values."""
    table = Table(title=Text(facts.title, style=NAME), title_justify="left", show_header=False, border_style=QUIET)
    for name, entry in facts.entries.items():
        if isinstance(entry, dict):
            for part, value in entry.items():
                table.add_row(Text(f"{name}, {part}"), Text(str(value)))
        else:
            table.add_row(Text(name), Text(by(entry) if isinstance(entry, list) else str(entry)))
    console = _console(page)
    console.print(table)
    return _drawn_on(console)


def _console(page: Page) -> Console:
    return Console(file=io.StringIO(), width=page.width, force_terminal=page.colour, highlight=False, markup=False,
                   emoji=False, color_system="standard" if page.colour else None, legacy_windows=False, _environ={})


def _drawn_on(console: Console) -> str:
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


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


@dataclass(frozen=True)
class Drawing:
    """Draws one report on a console."""

    report: Report
    precision: int | None
    page: Page

    def draw(self, console: Console) -> None:
        """Operands, overlays, results, in that order."""
        console.print(Text(self.report.title, style=NAME))
        for part in (self._operands(), self._working(), self._results()):
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
            yield Rule(Text("results", style=NAME), style=QUIET, align="left")
        for quantity in self.report.results.values():
            yield _indented(Text(quantity.formula, style=QUIET, overflow="fold"))
        yield from self._boxed(blocks)

    def _array(self, name: str, array: Array, spatial: Sequence[int], style: str) -> list[Block]:
        """An array in full, or in one line where the page is abridged and the array is large."""
        if self.page.abridged and array.size > MOST_CELLS:
            low, high = readable(array.min(), self.precision), readable(array.max(), self.precision)
            return [Block(Text(f"{name} {by(array.shape)}"), [Text(f"from {low} to {high}"),
                    Text(f"(all of it: --format table, or --only {name} -o FILE)", style=QUIET)])]
        size = "" if array.ndim < 2 else f" {by(array.shape)}"
        return [Block(Text(f"{label}{size if k == 0 else ''}"), lines)
                for k, (label, plane, _) in enumerate(planes(name, array, spatial))
                for label, lines in self._lines(label, plane, None, style)]

    def _boxed(self, blocks: list[Block]) -> Iterator[RenderableType]:
        items = []
        for block in blocks:
            width = max(block.width, block.title.cell_len + 2) + 4
            title = Text(block.title.plain, style="not dim bold")
            items.append([(width, Panel(Text("\n").join(block.lines), title=title, title_align="left",
                                        border_style=QUIET, width=width))])
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
        silent, worked = self.report.silent(), self.report.overlaid()
        total = int(worked[-1].live().size) if worked else 0
        rest = total - len(silent) - shown
        if rest > 0:
            yield _indented(Text(f"\n{rest} more overlays add to the sums; --steps all shows them", style=QUIET))
        if silent:
            listed = " ".join(map(_place, silent[:MOST_PLANES])) + (" ..." if len(silent) > MOST_PLANES else "")
            add, have = ("adds", "has") if len(silent) == 1 else ("add", "have")
            yield _indented(Text(f"\n{len(silent)} of {total} overlays {have} delta 0 and {add} nothing: {listed}"))

    def _legend(self) -> Iterator[RenderableType]:
        rules = [f"to {quantity.name}: {quantity.rule}" for quantity in self.report.overlaid()]
        if rules:
            some = any(q.value.ndim > max(2, len(q.spatial)) for q in self.report.overlaid())
            planes_left_out = " Planes to which it adds nothing are not drawn." if some else ""
            yield _indented(Text("\nAn overlay adds " + "; ".join(rules) + "." + planes_left_out, style=QUIET))

    def _overlay(self, overlay: Overlay) -> Iterator[RenderableType]:
        term = overlay.term
        head = Text.assemble((f"overlay {_place(overlay.at)}", NAME), ("  ", ""), (self._headline(overlay), LIT))
        yield Text("")
        yield Rule(head, style=QUIET, align="left")
        groups = [self._input(term)]
        for name in ("products", "share"):
            value = term.factor(name)
            if value is not None:
                shown = {"products": "input x kernel", "share": "share of delta"}[name]
                groups.append(self._drawn(shown, value, ADDS))
        for name, (each, total) in sorted(overlay.parts.items(), key=lambda part: part[0] == "db"):
            if name not in ("output", "db"):  # an output's is its headline, db's is the delta
                groups.append(self._adds(name, each))
            groups.append(self._so_far(name, each, total))
        rows = [[(block.width, block.text()) for block in blocks] for blocks in groups]
        yield Padding(Group(*flow(rows, self.page.width - 1, gap=3)), (0, 0, 0, 1))

    def _headline(self, overlay: Overlay) -> str:
        """What the overlay comes down to in one line."""
        term, place = overlay.term, ",".join(map(str, overlay.at))
        delta, products = term.factor("delta"), term.factor("products")
        if delta is not None:
            return f"delta[{place}] = {self._row(delta)}" if delta.ndim == 0 else f"delta = {self._row(delta)}"
        if products is not None and products.ndim == len(self.report.spatial.get("kernel", ())) and products.size <= 9:
            bias = term.factor("bias")
            sums = " + ".join(map(self._number, products.ravel()))
            return f"{sums}{'' if bias is None else ' + ' + self._row(bias)} = {self._row(term.patch.ravel())}"
        return f"output = {self._row(term.patch.ravel())}"

    def _input(self, term: Term) -> list[Block]:
        """The input with the window lit; and what lies under the kernel, where that is not all on the input."""
        array = self.report.operands["input"]
        lit = np.zeros(array.shape, bool)
        lit[np.ix_(*(range(*c.indices(n)) if isinstance(c, slice) else list(c)
                     for c, n in zip(term.window, array.shape, strict=True)))] = True
        blocks = []
        for label, plane, mask in planes("input", array, self.report.spatial["input"], lit):
            if mask is not None and not mask.any() and array.ndim > len(self.report.spatial["input"]):
                continue
            blocks += [Block(Text(text, style=NAME), lines)
                       for text, lines in self._cropped(label, plane, mask)]
        under = term.factor("input")
        if under is not None and lit.sum() < under.size:
            blocks += self._drawn("under the kernel", under, "")
        return self._counted(blocks, "input")

    def _adds(self, name: str, term: Term) -> list[Block]:
        spatial = self.report.results[name].spatial
        blocks = [Block(Text(text, style=NAME), lines)
                  for label, plane, mask in planes(f"adds to {name}", term.patch, spatial, _adding(term.patch, spatial))
                  if mask is None or mask.any()
                  for text, lines in self._lines(label, plane, None, ADDS)]
        return self._counted(blocks, name)

    def _so_far(self, name: str, term: Term, total: Array) -> list[Block]:
        spatial = self.report.results[name].spatial
        lit = np.zeros(total.shape, bool)
        lit[term.region] = _adding(term.patch, spatial)
        blocks = [Block(Text(text, style=NAME), lines)
                  for label, plane, mask in planes(name, total, spatial, lit)
                  if mask is not None and mask.any()
                  for text, lines in self._cropped(label, plane, None if mask.all() else mask, TOTAL, " so far")]
        return self._counted(blocks, name)

    def _drawn(self, title: str, array: Array, style: str) -> list[Block]:
        d = min(array.ndim, max(1, len(self.report.spatial["input"])))
        blocks = [Block(Text(text, style=NAME), lines)
                  for label, plane, _ in planes(title, array, tuple(range(array.ndim - d, array.ndim)))
                  for text, lines in self._lines(label, plane, None, style)]
        return self._counted(blocks, title)

    def _counted(self, blocks: list[Block], title: str) -> list[Block]:
        if len(blocks) <= MOST_PLANES:
            return blocks
        more = Block(Text(f"{title}:", style=NAME), [Text(f"{len(blocks) - MOST_PLANES} planes more", style=QUIET)])
        return [*blocks[:MOST_PLANES], more]

    # -- planes ---------------------------------------------------------------------------------------

    def _cropped(self, label: str, plane: Array, mask: Array | None, style: str = "",
                 suffix: str = "") -> list[tuple[str, list[Text]]]:
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
        room, start, pieces = self.page.width - 7, 0, []
        widths = [len(cell) + 2 for cell in cells[0]]
        while start < len(widths):
            end, width = start + 1, widths[start]
            while end < len(widths) and width + widths[end] <= room:
                width, end = width + widths[end], end + 1
            pieces.append((start, end))
            start = end
        return [(label if len(pieces) == 1 else f"{label} columns {a}:{b}",
                 [_line(row[a:b], None if mask is None else mask[k, a:b], style) for k, row in enumerate(cells)])
                for a, b in pieces]

    def _number(self, number: float) -> str:
        return readable(number, self.precision)

    def _row(self, array: Array) -> str:
        numbers = [self._number(number) for number in array.ravel()]
        text = ", ".join(numbers[:8]) + (", ..." if len(numbers) > 8 else "")
        return text if array.size == 1 else f"[{text}]"


def _adding(patch: Array, spatial: Sequence[int]) -> Array:
    """Which planes of a contribution are worth drawing: those that add something, all where none does."""
    adding = np.any(patch != 0, axis=tuple(spatial), keepdims=True)
    return np.broadcast_to(adding | ~adding.any(), patch.shape)


def _place(at: Sequence[int]) -> str:
    return f"({', '.join(map(str, at))})"


def _indented(text: Text) -> RenderableType:
    return Padding(text, (0, 0, 0, 1))


def planes(name: str, array: Array, spatial: Sequence[int],
           mask: Array | None = None) -> Iterator[tuple[str, Array, Array | None]]:
    """An array of any rank -> (label, plane (rows, columns), its part of `mask`), one a channel, filter, example.

    A single spatial axis makes rows of the channels.
    """
    others = [axis for axis in range(array.ndim) if axis not in spatial]
    order = [*others, *spatial]
    moved = array.transpose(order)
    moved_mask = None if mask is None else mask.transpose(order)
    if array.ndim < 2:
        yield name, moved.reshape(1, -1), None if moved_mask is None else moved_mask.reshape(1, -1)
        return
    for index in np.ndindex(moved.shape[:-2]):
        at = [":"] * array.ndim
        for axis, i in zip(order, index, strict=False):
            at[axis] = str(i)
        while at and at[-1] == ":":
            at.pop()
        label = f"{name}[{','.join(at)}]" if at else name
        yield label, moved[index], None if moved_mask is None else moved_mask[index]


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


def _line(cells: Sequence[str], mask: Array | None, style: str) -> Text:
    """A row of numbers, runs of lit cells in brackets (to be seen without colour too)."""
    if mask is None:
        return Text("  ".join(cells), style=style)
    line = Text("[" if mask[0] else " ", style=style)
    for k, cell in enumerate(cells):
        line.append(cell, style=LIT if mask[k] else "")
        if k + 1 < len(cells):
            line.append("]" if mask[k] and not mask[k + 1] else " ")
            line.append("[" if mask[k + 1] and not mask[k] else " ")
    return line.append("]" if mask[-1] else " ")
