"""What several tests use: running the program inside this process, and drawing problems over the option space."""

import io
import json
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from convgrad.cli import run

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "samples"

# Some tests start the program in another folder, where a path such as PYTHONPATH=src has to mean the same.
if path := os.environ.get("PYTHONPATH"):
    os.environ["PYTHONPATH"] = os.pathsep.join(os.path.abspath(folder) for folder in path.split(os.pathsep))


@dataclass
class Ran:
    code: int
    out: str
    err: str


class Terminal(io.TextIOWrapper):
    def __init__(self, tty: bool, data: bytes = b"") -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8")
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode()  # type: ignore[attr-defined]


def quoted(value: Any) -> str:
    """A path or a text, or data as JSON, as one word of a command line."""
    return shlex.quote(str(value) if isinstance(value, str | Path) else json.dumps(value))


Convgrad = Callable[..., Ran]


@pytest.fixture
def convgrad(monkeypatch: pytest.MonkeyPatch) -> Convgrad:
    """Run a command line as it is typed at the top of the project -> exit code, stdout, stderr.

    `stdin` is what `-` reads, `tty` makes stdout a terminal.
    """
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.chdir(ROOT)

    def call(line: str, stdin: str | bytes = "", tty: bool = False, **env: str) -> Ran:
        program, *arguments = shlex.split(line)
        assert program == "convgrad", line
        data = stdin.encode() if isinstance(stdin, str) else stdin
        streams = Terminal(tty), Terminal(tty), Terminal(False, data)
        with monkeypatch.context() as patch:
            for name, value in env.items():
                patch.setenv(name, value)
            for name, stream in zip(("stdout", "stderr", "stdin"), streams, strict=True):
                patch.setattr(sys, name, stream)
            code = run(arguments)
        return Ran(code, streams[0].text(), streams[1].text())

    return call


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="write the golden screens anew from what is printed now")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Screens, picture and pages are written by one process: two would write over each other in one page."""
    if config.getoption("--rewrite"):
        config.option.numprocesses = 0


# A machine under load is no reason to fail, and a failure has to be the same failure on every machine.
settings.register_profile(
    "convgrad", deadline=None, derandomize=True, max_examples=100, suppress_health_check=list(HealthCheck)
)
settings.load_profile("convgrad")
