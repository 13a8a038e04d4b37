"""How gradients compare with central differences, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from rich.box import ROUNDED
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from convgrad.checking.gradcheck import Gradcheck
from convgrad.render.number_text import readable
from convgrad.render.sentences import element
from convgrad.render.terminal.console import MOST_CELLS_LISTED, printed, title
from convgrad.render.terminal.side_by_side import NAME, QUIET
from convgrad.render.writer import Style


def draw_gradcheck(found: Gradcheck, style: Style) -> str:
    """A comparison of gradients -> the text of its table, and of what is to be said besides."""
    return printed(_parts(found, style), style)


def _parts(found: Gradcheck, style: Style) -> Iterator[RenderableType]:
    yield title(found.title, style, NAME)
    yield _table(found)
    for line in _sentences(found, style.precision):
        for part in wrap(line, max(20, style.width - 1), subsequent_indent="  "):
            yield Text(part)


def _table(found: Gradcheck) -> Table:
    table = Table(box=ROUNDED, border_style=QUIET, header_style=NAME)
    for heading in ("gradient", "verdict", "cells", "largest difference", "kinks"):
        table.add_column(heading, no_wrap=True, justify="left" if heading in ("gradient", "verdict") else "right")
    for name, each in found.gradients.items():
        style = "bold green" if each.verdict == "agrees" else "bold red"
        cells = str(each.total) if each.compared == each.total else f"{each.compared} of {each.total}"
        difference = f"{each.largest:.1e}" if each.compared > len(each.kinks) else ""
        table.add_row(Text(name), Text(each.verdict, style=style), cells, difference, str(len(each.kinks) or ""))
    return table


def _sentences(found: Gradcheck, precision: int | None) -> Iterator[str]:
    for name, each in found.gradients.items():
        if each.compared < each.total:
            ways = f"{each.directions} random directions, in which all cells move at once, agree"
            yield f"{name} has {each.total} cells: {each.compared} of them were drawn and compared; {ways}."
        if each.astray:
            yield f"{name}: the slope differs in {each.astray} random directions."
        for cell in each.differs[:MOST_CELLS_LISTED]:
            analytic, numerical = readable(cell.analytic, precision), readable(cell.numerical, precision)
            yield f"{element(name, cell.index)} is {analytic}, but the central difference is {numerical}."
        if each.kinks:
            listed = ", ".join(element(name, cell) for cell in each.kinks[:MOST_CELLS_LISTED])
            more = f" and {len(each.kinks) - MOST_CELLS_LISTED} more" if len(each.kinks) > MOST_CELLS_LISTED else ""
            yield f"{'Kinks' if len(each.kinks) > 1 else 'A kink'} at {listed}{more}."
    if any(each.kinks for each in found.gradients.values()):
        yield (
            "At a kink (relu at 0, equal maxima, a corner) the slopes on the two sides differ, and no central "
            "difference can tell what the gradient should be: that is no failure."
        )
