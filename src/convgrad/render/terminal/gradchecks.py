"""How gradients compare with derivatives of the forward pass, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from rich.box import ROUNDED
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from convgrad.checking.directions import Gradcheck
from convgrad.core.element import element_name
from convgrad.render.number_text import readable
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
    for heading in ("gradient", "verdict", "cells", "difference"):
        table.add_column(heading, no_wrap=True, justify="left" if heading in ("gradient", "verdict") else "right")
    for name, each in found.gradients.items():
        style = "bold green" if each.verdict == "agrees" else "bold red"
        table.add_row(Text(name), Text(each.verdict, style=style), f"{each.cells:,}", f"{each.difference:.1e}")
    return table


def _sentences(found: Gradcheck, precision: int | None) -> Iterator[str]:
    for name, each in found.gradients.items():
        for cell in each.differs[:MOST_CELLS_LISTED]:
            analytic, numerical = readable(cell.analytic, precision), readable(cell.numerical, precision)
            yield f"{element_name(name, cell.index)} is {analytic}, but the forward pass has the slope {numerical}."
        unlisted = len(each.differs) - MOST_CELLS_LISTED
        if unlisted > 0:
            yield f"{unlisted} more cells of {name} differ."
        if each.astray:
            yield f"{name} is far off along a random direction; the search for cells ended before it found one."
        elif not each.complete:
            yield f"The search in {name} ended there: others may differ too."
    for name, kinks in found.kinks.items():
        listed = ", ".join(element_name(name, cell) for cell in kinks.cells[:MOST_CELLS_LISTED])
        more = f" and {len(kinks.cells) - MOST_CELLS_LISTED} more" if len(kinks.cells) > MOST_CELLS_LISTED else ""
        verb, where = ("lie", "kinks") if len(kinks.cells) > 1 else ("lies", "a kink")
        yield f"{listed}{more} {verb} on {where}: {kinks.taken}, and so it is compared."
