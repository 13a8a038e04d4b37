"""What is said of an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from convgrad.checking.errors import Errors, axis_words, errors_of
from convgrad.checking.judgement import Judgement
from convgrad.checking.written import Answer, Match
from convgrad.core.element import Array
from convgrad.core.quantity import Quantity
from convgrad.mistakes.case import Case
from convgrad.mistakes.mistake import Mistake, Sighting

if TYPE_CHECKING:
    from convgrad.mistakes.proof import Proof

RIGHT, FOLLOWS, CONVENTION = "right", "follows", "convention"
COARSE, WRONG, WRONG_SHAPE = "too-coarse", "wrong", "wrong-shape"
UNANSWERED, MISSING = "unanswered", "missing"


@dataclass(frozen=True, eq=False, repr=False)
class Question:
    """A result that may be answered: its quantity, and the case that it comes from, with its name there."""

    quantity: Quantity
    case: Case | None
    result: str


@dataclass(frozen=True)
class Remark:
    """Something noticed about an answer: its kind, in full, and as a hint from which no right value follows.

    kind: a stable name, such as ``exchanged``; place: whether it says where cells are off, not what they have become.
    """

    kind: str
    text: str
    hint: str
    place: bool = False

    def said(self, reveal: bool) -> str:
        """What may be said of it where right values may be shown, and where they may not."""
        return self.text if reveal else self.hint


@dataclass(frozen=True, eq=False, repr=False)
class Verdict:
    """An answer held against a result.

    name: the result's; verdict: one of the eight above; value: the right one; match: cell by cell, None where the
    shapes differ; sightings: the mistakes that reproduce the answer, the simplest first; doubtful: those that do, but
    could be chance, where none is named; follows: the earlier answer that it follows from; same_as: the other answer
    that shows the same slip, to be counted once; convention: the one under which it is right; remarks: what else was
    noticed; searched: whether mistakes were looked for.
    """

    name: str
    verdict: str
    answer: Answer
    value: Array
    match: Match | None = None
    sightings: tuple[Sighting, ...] = ()
    doubtful: tuple[Sighting, ...] = ()
    follows: str = ""
    same_as: str = ""
    convention: Mistake | None = None
    remarks: tuple[Remark, ...] = ()
    spatial: tuple[int, ...] = ()
    searched: bool = False
    proving: Callable[[], Proof] | None = None

    @cached_property
    def shows(self) -> Proof:
        """What a right answer shows: the mistakes that it rules out; worked out when it is asked for."""
        from convgrad.mistakes.proof import NOTHING

        return NOTHING if self.proving is None else self.proving()

    @cached_property
    def wrong(self) -> Array:
        """Which cells are answered wrongly, as a mask; one without cells where the shapes differ."""
        if self.match is None:
            return np.zeros(0, bool)
        return np.asarray(~(self.match.right | self.match.coarse | self.answer.blank))

    @cached_property
    def errors(self) -> Errors | None:
        """What is off, summed up; None where no cell is, or the shapes differ."""
        if self.match is None:
            return None
        words = axis_words(self.name, self.wrong.ndim, self.spatial)
        return errors_of(self.answer.numbers, self.value, self.wrong, words, self.spatial)

    @property
    def wrong_cells(self) -> list[tuple[int, ...]]:
        """The cells that are wrong, in reading order; none where the shapes differ, and one, (), of a wrong number."""
        return _cells(self.wrong)

    @property
    def coarse_cells(self) -> list[tuple[int, ...]]:
        """The cells that have too few digits."""
        return _cells(None if self.match is None else self.match.coarse)

    @property
    def cut_cells(self) -> list[tuple[int, ...]]:
        """The cells that are cut off rather than rounded."""
        return _cells(None if self.match is None else self.match.cut)

    @property
    def blank_cells(self) -> list[tuple[int, ...]]:
        """The cells that are left blank."""
        return _cells(self.answer.blank)

    @property
    def not_finite_cells(self) -> list[tuple[int, ...]]:
        """The cells that hold NaN or an infinity; none where the shapes differ, though they may be there."""
        return _cells(~np.isfinite(self.answer.numbers) & ~self.answer.blank)


@dataclass(frozen=True, eq=False, repr=False)
class Checked(Judgement):
    """The verdicts of one check, by the results' names: true where every answer is right.

    reveal: whether right values may be shown; strange: entries that were handed in, but are no results. Its text is the
    report that people read.
    """

    noun: ClassVar[str] = "verdicts"
    called: ClassVar[str] = "verdicts are"

    title: str
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    reveal: bool = True
    strange: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether every answer is right: not one that follows, is too coarse, or is missing."""
        return self.verdict == RIGHT

    @property
    def complaint(self) -> str:
        """What is to be said where not every one is."""
        return "not every answer is right"

    @property
    def verdict(self) -> str:
        """``right`` where every answer is, else ``wrong``."""
        return RIGHT if all(each.verdict == RIGHT for each in self.verdicts.values()) else WRONG


def _cells(mask: Array | None) -> list[tuple[int, ...]]:
    return [] if mask is None else [*map(tuple, np.argwhere(mask).tolist())]


def causes_first(found: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """The verdicts in their order, but what follows from an answer behind that."""
    placed: dict[str, Verdict] = {}
    begun: set[str] = set()

    def place(name: str) -> None:
        if name in found and name not in begun:
            begun.add(name)
            for cause in found[name].follows.split(" and "):
                place(cause)
            placed[name] = found[name]

    for name in found:
        place(name)
    return placed
