"""What `mistakes` has to say: the catalogue, one mistake in full, or what a problem shows of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from convgrad.mistakes.mistake import Mistake
    from convgrad.mistakes.shown import Shown
    from convgrad.teaching.example import Example


@dataclass(frozen=True, eq=False, repr=False)
class Listing:
    """Rows of the catalogue."""

    noun: ClassVar[str] = "catalogue"
    called: ClassVar[str] = "the catalogue is"

    rows: Sequence[Mistake]


@dataclass(frozen=True, eq=False, repr=False)
class MistakeInFull:
    """One row with its worked example, if it has one, whose problem is called `title`."""

    noun: ClassVar[str] = "mistake"
    called: ClassVar[str] = "a mistake is"

    row: Mistake
    example: Example | None
    title: str


@dataclass(frozen=True, eq=False, repr=False)
class Shows:
    """What the problem of a layer shows of the catalogue, result by result."""

    noun: ClassVar[str] = "shows"
    called: ClassVar[str] = "what a problem shows is"

    layer: str
    results: Sequence[Shown]
