"""What writes a format, what it is given to say, and how that is to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol


class Said(Protocol):
    """What a command has to say. A format that can say it has a method of the name `noun`.

    called: what errors call it, as the beginning of a sentence: ``verdicts are``.
    """

    noun: ClassVar[str]
    called: ClassVar[str]


@dataclass(frozen=True)
class Style:
    """How something is to look: digits after the point (None: as many as the number has, or up to eight).

    width: of a table, in columns; colour: whether it may have colour; abridged: whether large arrays are summed up;
    beside: whether it goes to a file, so that others may be written beside that.
    """

    precision: int | None = None
    width: int = 80
    colour: bool = False
    abridged: bool = False
    beside: bool = False


class Accompanied(NamedTuple):
    """A text with the files that it needs beside its own: their bytes by the suffix that takes the place of its own."""

    text: str
    beside: Mapping[str, bytes]


@dataclass(frozen=True)
class Writer:
    """Writes one format: for each thing that it can say a method that is named after it (`Said.noun`)."""

    form: str
    style: Style = Style()
