"""Something on a terminal's stderr where work takes more than a second; nothing of it is imported before."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from typing import Any

PATIENCE = 1.0
"""Seconds after which people want to know that something is going on."""


@contextmanager
def waiting(what: str, quiet: bool | None = False) -> Iterator[None]:
    """Say what is being done, from PATIENCE seconds on until it is done; never where stderr is no terminal."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    lock, shown, over = Lock(), list[Any](), False

    def show() -> None:
        from convgrad.render.terminal.progress import spinner

        with lock:
            if not over:
                shown.append(spinner(what))
                shown[0].start()

    timer = Timer(PATIENCE, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with lock:
            over = True
            for each in shown:
                each.stop()


@contextmanager
def counting(what: str, things: Iterable[Any], quiet: bool | None = False) -> Iterator[Callable[[], None]]:
    """A bar of how many are done -> what is called for each; never where stderr is no terminal."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda: None
        return
    from convgrad.render.terminal.progress import bar

    with bar(what, sum(1 for _ in things)) as step:
        yield step
