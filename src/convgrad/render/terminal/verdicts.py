"""Verdicts for people: a panel an answer."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

import numpy as np
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from convgrad.checking.places import text_of
from convgrad.checking.verdict import (
    COARSE,
    CONVENTION,
    FOLLOWS,
    RIGHT,
    Checked,
    Verdict,
)
from convgrad.core.element import Array, element_name
from convgrad.render.number_text import aligned, readable
from convgrad.render.planes import planes
from convgrad.render.terminal.console import MOST_CELLS_LISTED, labelled, printed, title
from convgrad.render.terminal.side_by_side import NAME, QUIET, Block, flow, lit_line
from convgrad.render.verdict_sentences import MOST_CELLS_DRAWN, of_right, on_mistakes, outcome, sentences
from convgrad.render.writer import Style

COLOURS = {RIGHT: "bold green", FOLLOWS: "bold yellow", CONVENTION: "bold yellow", COARSE: "bold yellow"}
"""How verdicts are printed; the others are red."""


def draw_verdicts(checked: Checked, style: Style) -> str:
    """Verdicts -> the text of their panels."""
    return printed(_Drawing(checked, style).parts(), style)


class _Drawing:
    """Draws one check."""

    def __init__(self, checked: Checked, style: Style) -> None:
        self.checked, self.style = checked, style
        self.room = max(20, style.width - 4)

    def parts(self) -> Iterator[RenderableType]:
        """The title, a panel an answer, and how it went in all."""
        yield title(self.checked.title, self.style, NAME)
        verdicts = self.checked.verdicts.values()
        for verdict in verdicts:
            yield self._line(verdict) if verdict.verdict == RIGHT else self._panel(verdict)
        yield Text(outcome(self.checked), style=COLOURS.get(self.checked.verdict, "bold red"))

    def _line(self, verdict: Verdict) -> Text:
        """A right answer, which needs no panel."""
        text = f"{verdict.name}  {of_right(verdict, self.checked.reveal)}"
        lines = Text("\n".join(wrap(text, self.room, initial_indent="  ", subsequent_indent="    ")))
        lines.highlight_words([f"{verdict.name}  {RIGHT}"], COLOURS[RIGHT])
        return lines

    def _panel(self, verdict: Verdict) -> Panel:
        style = COLOURS.get(verdict.verdict, "bold red")
        head = Text.assemble((verdict.name, "not dim bold"), "  ", (verdict.verdict, f"not dim {style}"))
        body = list(self._body(verdict))
        return Panel(Group(*body), title=head, title_align="left", border_style=QUIET, width=max(self.style.width, 24))

    def _body(self, verdict: Verdict) -> Iterator[RenderableType]:
        for sentence in sentences(verdict, self.checked.reveal, self.style.precision):
            yield from self._sentence(sentence)
        yield from self._mistakes(verdict)
        if verdict.match is not None and verdict.verdict != RIGHT:
            yield from self._cells(verdict)

    def _mistakes(self, verdict: Verdict) -> Iterator[RenderableType]:
        if said := on_mistakes(verdict):
            yield from self._sentence(said)
        for sighting in verdict.sightings:
            for number, mistake in enumerate(sighting.mistakes):
                yield Text("")
                joined = "together with " if number else ""
                again = f", the same as in {verdict.same_as}" if verdict.same_as else ""
                yield Text.assemble((joined, QUIET), (mistake.name, "bold magenta"), (again, QUIET))
                if again:
                    continue  # it has been explained there
                for label, text in (("What", mistake.what), ("Why", mistake.why), ("Mend", mistake.mend)):
                    yield from self._sentence(text, f"{label:<5} ")

    def _sentence(self, text: str, label: str = "") -> Iterator[RenderableType]:
        return labelled(label, text, self.room)

    # -- the cells ------------------------------------------------------------------------------------

    def _cells(self, verdict: Verdict) -> Iterator[RenderableType]:
        yield Text("")
        drawn = self._drawn(verdict) if verdict.answer.numbers.size <= MOST_CELLS_DRAWN else None
        if drawn is not None:
            yield from drawn
            return
        off = verdict.wrong if verdict.wrong.any() or verdict.match is None else verdict.match.coarse
        count = int(off.sum())
        rows = [self._row(verdict, tuple(cell)) for cell in np.argwhere(off)[:MOST_CELLS_LISTED].tolist()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            yield Text("  ".join(part.ljust(width) for part, width in zip(row, widths, strict=True)).rstrip())
        if count > MOST_CELLS_LISTED:
            yield Text(f"... and {count - MOST_CELLS_LISTED} more", style=QUIET)

    def _row(self, verdict: Verdict, cell: tuple[int, ...]) -> list[str]:
        row = [element_name(verdict.name, cell), f"given {text_of(verdict.answer.given[cell])}"]
        return [*row, f"right {readable(verdict.value[cell], self.style.precision)}"] if self.checked.reveal else row

    def _drawn(self, verdict: Verdict) -> list[RenderableType] | None:
        """Planes of the answer, wrong cells in brackets, beside the right ones; None where they are too wide."""
        assert verdict.match is not None
        off = verdict.wrong if verdict.wrong.any() else verdict.match.coarse
        marked = off.any() and not off.all()
        groups: list[list[tuple[int, RenderableType]]] = []
        texts = planes("given", verdict.answer.shown, verdict.spatial, off)
        values = planes("right", np.asarray(verdict.value), verdict.spatial)
        for (label, plane, mask), (right_label, value, _) in zip(texts, values, strict=True):
            lit = mask if mask is not None and mask.any() and marked else None
            if mask is not None and off.any() and not mask.any() and verdict.answer.numbers.ndim > 2:
                continue
            key = ", [wrong]" if marked and not groups else ""
            blocks = [_block(str(label) + key, _aligned(plane), lit)]
            if self.checked.reveal:
                blocks.append(_block(str(right_label), aligned(value, self.style.precision), None))
            groups.append([(block.width, block.text()) for block in blocks])
        if any(width > self.room for group in groups for width, _ in group):
            return None
        return list(flow(groups, self.room, gap=3))


def _block(label: str, rows: list[list[str]], mask: Array | None) -> Block:
    lines = [lit_line(row, None if mask is None else mask[k], "") for k, row in enumerate(rows)]
    return Block(Text(label, style=NAME), lines)


def _aligned(plane: Array) -> list[list[str]]:
    """Texts (rows, columns), the decimal points of a column below one another."""
    columns = []
    for column in plane.T:
        parts = [str(text).strip().partition(".") for text in column]
        left = max(len(whole) for whole, _, _ in parts)
        right = max(len(point + rest) for _, point, rest in parts)
        columns.append([whole.rjust(left) + (point + rest).ljust(right) for whole, point, rest in parts])
    return [list(row) for row in zip(*columns, strict=True)]
