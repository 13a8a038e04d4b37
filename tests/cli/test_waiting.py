"""Where work takes more than a second a terminal's stderr says so; elsewhere, and before, there is nothing."""

import io
import sys
import time

import pytest

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
