"""Draw the picture that opens the README: the main job's tables, as an SVG.

Run it with ``python tests/screens/picture.py``; `pytest --rewrite` does the same. The picture names no font from
elsewhere, so that it looks alike with and without a network.
"""

import contextlib
import io
import re
import shlex
import sys
from pathlib import Path
from unittest import mock

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from convgrad.cli import run

HERE = Path(__file__).parent
PICTURE = HERE / "main-job.svg"
SAMPLES = HERE.parent.parent / "samples"
WIDTH = 96

COMMAND = "convgrad conv-backward input.json delta.json -k '[[0.1, 0.2], [0.3, 0.4]]' --steps 2"

# the colours of a dark terminal, on which dim text can still be read
THEME = TerminalTheme(
    (24, 26, 31),
    (220, 223, 228),
    [
        (24, 26, 31),
        (224, 108, 117),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (214, 140, 235),
        (86, 200, 216),
        (220, 223, 228),
    ],
    [
        (120, 126, 138),
        (224, 108, 117),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (214, 140, 235),
        (86, 200, 216),
        (255, 255, 255),
    ],
)


def screen() -> str:
    """What the command prints on a terminal in colour."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    out.isatty = lambda: True  # type: ignore[method-assign]
    environment = {"COLUMNS": str(WIDTH), "TERM": "xterm", "FORCE_COLOR": "1", "NO_COLOR": ""}
    patched = mock.patch.dict("os.environ", environment), mock.patch.object(sys, "stdout", out)
    with patched[0], patched[1], contextlib.chdir(SAMPLES / "classic"):
        code = run(shlex.split(COMMAND)[1:])
    assert code == 0
    out.flush()
    return out.buffer.getvalue().decode()


def draw() -> str:
    """The picture, as SVG."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    console.print(Text.from_ansi(screen()))
    svg = console.export_svg(title=COMMAND, theme=THEME, unique_id="convgrad")
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.S)
    return svg.replace("Fira Code", "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono")


def words(svg: str) -> list[str]:
    """What stands in a picture, line by line, wherever it stands."""
    return re.findall(r">([^<>]+)</text>", svg)


if __name__ == "__main__":
    PICTURE.write_text(draw())
