"""What writes a format, what it is given to say, and how that is to look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol


class Said(Protocol):
    """What a command has to say. A format that can say it has a method of the name `noun`.

    called: what errors call it, as the beginning of a sentence: ``verdicts are``.
    """

    noun: ClassVar[str]
    called: ClassVar[str]


@dataclass(frozen=True)
class Style:
    """How something is to look: digits after the point (None: as many as the number has, or up to eight).

    width: of a table, in columns; colour: whether it may have colour; abridged: whether large arrays are summed up.
    """

    precision: int | None = None
    width: int = 80
    colour: bool = False
    abridged: bool = False


@dataclass(frozen=True)
class Writer:
    """Writes one format: for each thing that it can say a method that is named after it (`Said.noun`)."""

    form: str
    style: Style = Style()
