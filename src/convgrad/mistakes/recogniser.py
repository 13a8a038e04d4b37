"""The search: which rows of the catalogue give a wrong answer, alone or two together.

Pairs are tried only where no single row fits. A pair is a changed problem that is changed once more, or any row's array
turned once more (a ratio, a sign, a rotation). The search is bounded by what it computes, so that it finds the same
everywhere; of large arrays also by the clock, and then says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import inf

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import ConvgradError
from convgrad.kinds import STEPPED
from convgrad.layers import weights
from convgrad.mistakes.case import Case, Variant
from convgrad.mistakes.catalogue import rows_for
from convgrad.mistakes.deadline import Deadline
from convgrad.mistakes.evidence import Fits, written_unit
from convgrad.mistakes.mistake import Mistake, Sighting
from convgrad.mistakes.tried import MOST_REMEMBERED, FitsEach, Prediction, Remembered, Tried

MOST_PAIRS = 3
"""Pairs that are named at most, where several come to the same array."""

VARIANTS = 4
"""Ways of making one mistake that are tried in a pair."""

OF_THE_STEP = ("weight-decay-in-gradient", "learning-rate-in-gradient", "step-for-gradient")
"""Mistakes in a gradient that are a part of the step taken too early: in the step they have names of their own."""

MOST_WORK = 2 * 10**8
"""Multiplications that the search for pairs may cost, about."""

MANY = 50_000
"""Numbers of a result that is so large that time may run out."""

MOST_KEPT = 2 * 10**7
"""Numbers of predictions that are kept, to make pairs of."""


@dataclass(frozen=True)
class Recognised:
    """What a search found: mistakes that are named, or single ones that fit, but that could be chance."""

    named: list[Sighting]
    doubtful: list[Sighting] = field(default_factory=list)


def recognise(case: Case, name: str, fits: Fits, deadline: Deadline | None = None) -> list[Sighting]:
    """The mistakes that are named where `recognised` looks for them."""
    return recognised(case, name, fits, deadline).named


def recognised(
    case: Case, name: str, fits: Fits, deadline: Deadline | None = None, fits_each: FitsEach | None = None
) -> Recognised:
    """Every mistake, and where none fits every pair, whose prediction for the result `name` fits, the simplest first.

    fits: whether an array (of any shape) is what the answer says, to the places given; False for another shape. It is
    asked about some thousand arrays. fits_each: the same of many at once, asked in its place where the case remembers
    what an earlier search tried. Nothing is named where the right value itself fits, and nothing whose match could be
    chance (evidence.py). deadline: when to stop, never without one; it knows whether the search was cut.
    """
    if name not in case.solution.quantities or fits(case.right(name)):
        return Recognised([])
    deadline, search = deadline or Deadline(inf), Search(case.right(name), fits, fits_each)
    alone = search.through(case, (name, "alone"), predictions(case, name), deadline)
    if search.found or deadline.cut:
        named = search.named()  # where a single mistake fits but could be chance, two would explain it no better
        return Recognised(named, [] if named else search.fitting())
    search.through(case, (name, "pairs"), pairs(case, name, alone), deadline, MOST_REMEMBERED)
    return Recognised(search.named()[:MOST_PAIRS])


def _kept(predictions: Iterable[Prediction], kept: list[Prediction], room: int | None = None) -> Iterator[Prediction]:
    """Predictions, which are also put into a list as far as there is room for their cells."""
    room = MOST_KEPT if room is None else room
    for prediction in predictions:
        room -= prediction.array.size
        if room >= 0:
            kept.append(prediction)
        yield prediction


@dataclass(eq=False, repr=False)
class Search:
    """Predictions tried against an answer that the right value does not fit, and what is found.

    fits_each: `fits` of many at once, where there is such; found: mistakes whose prediction fits; asked: how often it
    was asked about one.
    """

    right: Array
    fits: Fits
    fits_each: FitsEach | None = None
    tried: Tried = field(default_factory=Tried)
    found: dict[tuple[Mistake, ...], Prediction] = field(default_factory=dict)
    asked: int = 0

    def matches(self, predictions: Iterable[Prediction]) -> bool:
        """Try them all; whether any fits."""
        for prediction in predictions:
            self.asked += 1
            self.tried.add(prediction)
            if self.fits(prediction.array):
                self.found.setdefault(prediction.mistakes, prediction)
        return bool(self.found)

    def through(
        self,
        case: Case,
        key: tuple[str, str],
        predictions: Iterable[Prediction],
        deadline: Deadline,
        room: int | None = None,
    ) -> Sequence[Prediction]:
        """Try predictions as long as there is time -> those that are kept, up to so many numbers (MOST_KEPT).

        Where all were tried, the case remembers them under a key: for the next answer nothing is worked out again.
        """
        known = case.remembered.get(key)
        if known is not None:
            self.tried = known.tried.copy()
            for prediction in known.fitting(self.fits, self.fits_each):
                self.found.setdefault(prediction.mistakes, prediction)
            return known.predictions
        kept: list[Prediction] = []
        before = self.asked
        self.matches(deadline.within(_kept(predictions, kept, room)))
        whole = not deadline.cut and self.asked - before == len(kept)
        if whole and sum(each.array.size for each in kept) <= MOST_REMEMBERED:
            case.remembered[key] = Remembered(kept, self.tried.copy())
        return kept

    def spare(self) -> float:
        """The most that any match has beyond what makes it evidence."""
        return max(
            self.tried.spare(match, self.right, written_unit(match.array, self.fits)) for match in self.found.values()
        )

    def _says_zeros(self) -> bool:
        """Whether zeros fit as well as what is found: who writes zeros says nothing of how they were come by."""
        return any(self.fits(np.zeros(match.array.shape)) for match in self.found.values())

    def named(self) -> list[Sighting]:
        """All that fits, the simplest first, if any of it is evidence; else nothing."""
        return self.fitting() if self.found and self.spare() >= 0 else []

    def fitting(self) -> list[Sighting]:
        """All that fits, the simplest first, whether or not it is evidence."""
        if self._says_zeros():
            return []
        return [Sighting(each) for each in sorted(self.found, key=lambda found: self.found[found].rank)]


def predictions(case: Case, name: str) -> Iterator[Prediction]:
    """Every array other than the right one that a single row gives for the result, the simplest first."""
    found = []
    for each in every_way(case, name):
        if differs(each.array, case.right(name), case.noise(name)):
            yield each
            if name in STEPPED:
                found.append(each)
    variant, gradient = case.opened, f"d{STEPPED.get(name, '')}"
    if name not in STEPPED or variant is None or gradient not in case.solution.quantities:
        return
    for made in predictions(case, gradient):  # what a wrong gradient makes of the step
        if made.mistakes[0].name in OF_THE_STEP:
            continue
        stepped = variant.stepped(name, made.array)
        if stepped is None or not differs(stepped, case.right(name), case.noise(name)):
            continue
        if all(differs(stepped, each.array, case.noise(name)) for each in found):  # else it is a slip of the step
            yield Prediction(made.mistakes, stepped)


def every_way(case: Case, name: str) -> Iterator[Prediction]:
    """What the rows about a result give, in every way of each, the right one among it; what is rounding of 0 is 0."""
    rows = rows_for(case.layer, name)
    if case.right(name).size > MANY:  # there may be no time for all: first what costs nothing
        rows = tuple(sorted(rows, key=lambda row: row.turn is None))
    with np.errstate(all="ignore"):
        for mistake in rows:
            for array in mistake.predict(case, name):
                yield Prediction((mistake,), np.where(np.abs(array) <= case.noise(name), 0, array))


def pairs(case: Case, name: str, alone: Sequence[Prediction]) -> Iterator[Prediction]:
    """Every array that two rows of the catalogue give together, the right one among them where they undo each other."""
    with np.errstate(all="ignore"):
        yield from _turned(case, name, alone)
        yield from _changed_twice(case, name)


def _turned(case: Case, name: str, alone: Sequence[Prediction]) -> Iterator[Prediction]:
    """A row's array, turned by a row of another family."""
    turns = [mistake for mistake in rows_for(case.layer, name) if mistake.turn]
    seen: dict[Mistake, int] = {}
    for first in alone:
        (mistake,) = first.mistakes
        seen[mistake] = seen.get(mistake, 0) + 1
        if seen[mistake] > VARIANTS or mistake.convention:
            continue
        for second in turns:
            if second.family != mistake.family and not (mistake.turn and turns.index(second) < _place(turns, mistake)):
                assert second.turn is not None
                for array in islice(second.turn(first.array, case, name), VARIANTS):
                    yield Prediction((mistake, second), array)


def _place(turns: list[Mistake], mistake: Mistake) -> int:
    return turns.index(mistake) if mistake in turns else -1


def _changed_twice(case: Case, name: str) -> Iterator[Prediction]:
    """A changed problem, changed once more by a later row."""
    variant = case.opened
    if variant is None:
        return
    rows = list(rows_for(case.layer, name))
    if name in STEPPED:
        rows = [*rows_for(case.layer, f"d{STEPPED[name]}"), *rows]
    rows = [row for row in rows if row.change and not row.convention and row.rank < 3]
    left = MOST_WORK // work_of(variant)
    for number, first in enumerate(rows):
        for once in islice(_made(first, variant, name), VARIANTS):
            for second in rows[number + 1 :]:
                for twice in islice(_made(second, once, name), VARIANTS):
                    left -= 1
                    if left < 0:
                        return
                    array = twice.solved(name)
                    if array is not None:
                        yield Prediction((first, second), array)


def _made(mistake: Mistake, variant: Variant, name: str) -> Iterator[Variant]:
    """The changes of a row, none where it does not apply."""
    assert mistake.change is not None
    asked = name if name in mistake.about or name not in STEPPED else f"d{STEPPED[name]}"
    try:
        yield from mistake.change(variant, asked)
    except ConvgradError:
        return


def work_of(variant: Variant) -> int:
    """The multiplications of one backward pass, about, and what calling it costs at least."""
    per_place = max((array.size for array in weights(variant.layer)), default=9)
    places = 1 if variant.delta is None else int(np.prod(variant.delta.shape[2:]))
    return int(len(variant.x) * per_place * places) + 20_000 if variant.x.ndim else 20_000


def differs(array: Array, right: Array, noise: float = 0.0) -> bool:
    """Whether an array is finite, holds anything, and is another than the right one in more than rounding."""
    if array.size == 0 or not np.isfinite(array).all():
        return False
    if array.shape != right.shape:
        return True
    scale = max(float(np.abs(array).max()), float(np.abs(right).max()))
    return bool((np.abs(array - right) > 1e-9 * scale + noise).any())
