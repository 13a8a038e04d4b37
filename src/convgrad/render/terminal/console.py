"""What is drawn with rich, as text."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from textwrap import wrap

from rich.console import Console, RenderableType
from rich.text import Text

from convgrad.render.terminal.side_by_side import QUIET
from convgrad.render.writer import Style

WIDEST = 1000
"""The console's width, or the terminal's if that is more: a number wider than that (there are some of 410 digits) runs
on, and is never cut. Not more, because rich fills every line up to it with blanks."""


MOST_CELLS_LISTED = 12
"""Cells that are written out one by one; more are counted."""


def printed(parts: Iterable[RenderableType], style: Style) -> str:
    """Parts below one another -> their text, with escapes only where there may be colour."""
    drawn = io.StringIO()
    console = Console(
        file=drawn,
        width=max(style.width, WIDEST),
        force_terminal=style.colour,
        highlight=False,
        markup=False,
        emoji=False,
        color_system="standard" if style.colour else None,
        legacy_windows=False,
        _environ={},
    )
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in drawn.getvalue().splitlines()) + "\n"


def title(text: str, style: Style, printed_as: str) -> Text:
    """A title, wrapped to the terminal."""
    return Text("\n".join(wrap(text, max(20, style.width))), style=printed_as)


def labelled(label: str, text: str, width: int, printed_as: str = "") -> Iterator[Text]:
    """A sentence in lines of some width, behind a label that stands before the first."""
    blank = " " * len(label)
    for number, line in enumerate(wrap(text, width - len(label))):
        yield Text.assemble((blank if number else label, QUIET), (line, printed_as))
