"""Where work takes more than a second a terminal's stderr says so; elsewhere, and before, there is nothing."""

import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from conftest import Convgrad

from convgrad.cli import waiting as module
from convgrad.cli.waiting import waiting


class Terminal(io.StringIO):
    def __init__(self, tty: bool) -> None:
        super().__init__()
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty


def said(monkeypatch: pytest.MonkeyPatch, tty: bool, patience: float, quiet: bool = False) -> str:
    stream = Terminal(tty)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(module, "PATIENCE", patience)
    monkeypatch.setenv("TERM", "xterm")
    with waiting("checking the answers", quiet):
        deadline = time.monotonic() + 30
        while patience < 1 and tty and not quiet and not stream.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
    return stream.getvalue()


def test_what_takes_long_is_said_on_a_terminal_and_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    text = said(monkeypatch, True, 0.01)
    assert "checking the answers" in text
    assert text.endswith(("\x1b[2K", "\x1b[?25h")) or "\x1b[2K" in text  # the line is gone when the work is done


@pytest.mark.parametrize(("tty", "patience", "quiet"), [(False, 0.0, False), (True, 0.0, True), (True, 60.0, False)])
def test_nothing_elsewhere_nor_of_what_is_quick(
    monkeypatch: pytest.MonkeyPatch, tty: bool, patience: float, quiet: bool
) -> None:
    assert said(monkeypatch, tty, patience, quiet) == ""


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("conv-backward '[[1,2],[3,4]]' 1 -k '[[1]]' --format html", "working on the html"),
        ('mistakes \'{"input":[1,2,3],"kernel":[1,2],"delta":[1,3]}\'', "trying the mistakes"),
    ],
)
def test_long_work_of_every_command_is_said_on_a_terminal_alone(
    convgrad: Convgrad, monkeypatch: pytest.MonkeyPatch, line: str, what: str
) -> None:
    """A page of a large problem, and what a problem shows: on stderr, so that what is piped stays what it was."""
    started: list[str] = []

    @contextmanager
    def recorded(what: str, quiet: bool | None = False) -> Iterator[None]:
        started.append(what)
        yield

    for command in ("layer", "outputs", "mistakes"):
        monkeypatch.setattr(f"convgrad.cli.{command}.waiting", recorded)
    assert convgrad(f"convgrad {line}").err == ""
    assert what in started
