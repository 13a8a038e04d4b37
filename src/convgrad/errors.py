"""The one family of errors: what was found, what was expected, where, and what to do.

They are raised short, by whoever notices, and given their place (`where`) once, by whoever knows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class ConvgradError(Exception):
    """Something could not be done as asked.

    message: what was found and what was expected; where: the file, option or entry it is about;
    hint: what to do. `str()` is one line: ``where: message; hint``.
    """

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message, self.where, self.hint = message, where, hint

    def __str__(self) -> str:
        line = f"{self.where}: {self.message}" if self.where else self.message
        if self.hint:
            line = line.rstrip(".") + (". " if self.hint[0].isupper() else "; ") + self.hint
        return re.sub(r"\s*\n\s*", " ", line)


class FileError(ConvgradError):
    """A file could not be read or written, or does not hold what it should."""


class ShapeError(ConvgradError):
    """Shapes that do not fit one another."""


class OptionError(ConvgradError):
    """An option, or a setting in a document, has a value that it cannot have."""


@contextmanager
def at(where: str) -> Iterator[None]:
    """Give every error raised inside its place, unless it knows a closer one."""
    try:
        yield
    except ConvgradError as error:
        error.where = error.where or where
        raise


def shortened(value: object, most: int = 40) -> str:
    """What was found, as an error shows it: its repr, cut off where it is long."""
    text = repr(value)
    return text if len(text) <= most else text[: most - 4] + "..." + text[-1]


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """``Did you mean 'stride'?`` for a near miss of one of `known`, else the empty string; never the word itself.

    The dashes of options count for nothing: ``--pool`` is not near ``--rtol``.
    """
    from difflib import get_close_matches

    names = [name for name in known if name != word]
    lowered = {name.lower().lstrip("-"): name for name in reversed(names)}
    near = get_close_matches(word.lower().lstrip("-"), lowered, n=1, cutoff=cutoff)
    return f"Did you mean '{lowered[near[0]]}'?" if near else ""


def listed(names: Iterable[str]) -> str:
    """Names one after the other: ``W, b and velocity``."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def by(sizes: Iterable[int]) -> str:
    """A shape as people write it: ``3x5x5``; a scalar is ``a number``."""
    return "x".join(str(size) for size in sizes) or "a number"
