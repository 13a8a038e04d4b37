"""How gradients compare with central differences: a table, and JSON; and a bar on stderr where it takes long."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from textwrap import wrap
from typing import Any

from rich.box import ROUNDED
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from convgrad.errors import OptionError
from convgrad.gradcheck import Compared, Gradcheck
from convgrad.render import Page
from convgrad.render.json import dump
from convgrad.render.numbers import readable
from convgrad.render.planes import NAME, QUIET
from convgrad.render.table import drawn_on, new_console

MOST_LISTED = 12
"""Cells that are written out one by one."""


def render_gradcheck(found: Gradcheck, form: str, precision: int | None, page: Page) -> bytes:
    """A comparison of gradients -> the bytes of a format, json or table; OptionError for the others."""
    if form == "json":
        entries = {name: _entry(each) for name, each in found.gradients.items()}
        return (dump({"verdict": found.verdict, "gradients": entries}, None) + "\n").encode()
    if form != "table":
        raise OptionError(f"a comparison is written as table or json, not as {form}", where="--format")
    console = new_console(page)
    console.print(Text("\n".join(wrap(found.title, max(20, page.width))), style=NAME))
    console.print(_table(found))
    for line in _sentences(found, precision):
        for part in wrap(line, max(20, page.width - 1), subsequent_indent="  "):
            console.print(Text(part))
    return drawn_on(console).encode()


def _entry(each: Compared) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "verdict": each.verdict,
        "largest_difference": each.largest,
        "cells": each.total,
        "compared": each.compared,
        "kinks": [list(cell) for cell in each.kinks],
    }
    if each.compared < each.total:
        entry["directions"] = each.directions
        entry["directions_astray"] = each.astray
    if each.differs:
        entry["differs"] = [
            {"cell": list(cell.index), "analytic": cell.analytic, "numerical": cell.numerical} for cell in each.differs
        ]
    return entry


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
