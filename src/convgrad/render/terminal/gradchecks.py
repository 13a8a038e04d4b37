"""How gradients compare with central differences: a table; and a bar on stderr where it takes long."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from textwrap import wrap

from rich.box import ROUNDED
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from convgrad.checking.gradcheck import Gradcheck
from convgrad.render import Page
from convgrad.render.number_text import readable
from convgrad.render.terminal.report import drawn_on, new_console
from convgrad.render.terminal.side_by_side import NAME, QUIET

MOST_LISTED = 12
"""Cells that are written out one by one."""


def draw_gradcheck(found: Gradcheck, precision: int | None, page: Page) -> str:
    """A comparison of gradients -> the text of its table, and of what is to be said besides."""
    console = new_console(page)
    console.print(Text("\n".join(wrap(found.title, max(20, page.width))), style=NAME))
    console.print(_table(found))
    for line in _sentences(found, precision):
        for part in wrap(line, max(20, page.width - 1), subsequent_indent="  "):
            console.print(Text(part))
    return drawn_on(console)


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
        for cell in each.differs[:MOST_LISTED]:
            analytic, numerical = readable(cell.analytic, precision), readable(cell.numerical, precision)
            yield f"{name}{_index(cell.index)} is {analytic}, but the central difference is {numerical}."
        if each.kinks:
            listed = ", ".join(f"{name}{_index(cell)}" for cell in each.kinks[:MOST_LISTED])
            more = f" and {len(each.kinks) - MOST_LISTED} more" if len(each.kinks) > MOST_LISTED else ""
            yield f"{'Kinks' if len(each.kinks) > 1 else 'A kink'} at {listed}{more}."
    if any(each.kinks for each in found.gradients.values()):
        yield (
            "At a kink (relu at 0, equal maxima, a corner) the slopes on the two sides differ, and no central "
            "difference can tell what the gradient should be: that is no failure."
        )


def _index(cell: tuple[int, ...]) -> str:
    return "[" + ",".join(map(str, cell)) + "]" if cell else ""


@contextmanager
def bar(total: int) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr, which is a terminal -> what moves it by one."""
    console = Console(file=sys.stderr)
    columns = (TextColumn("central differences"), BarColumn(), TextColumn("{task.completed} of {task.total}"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)
