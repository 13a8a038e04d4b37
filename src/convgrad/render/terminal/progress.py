"""A bar on stderr where something takes long."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn


def spinner(what: str) -> Progress:
    """Something on stderr, which is a terminal, that turns, with the seconds it has turned for."""
    columns = (SpinnerColumn(), TextColumn(what), TimeElapsedColumn())
    progress = Progress(*columns, console=Console(file=sys.stderr), transient=True)
    progress.add_task("", total=None)
    return progress


@contextmanager
def bar(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr, which is a terminal -> what moves it by one."""
    console = Console(file=sys.stderr)
    columns = (TextColumn(what), BarColumn(), TextColumn("{task.completed} of {task.total}"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)
