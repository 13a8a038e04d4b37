"""The search for what is behind one wrong answer: an earlier answer, a convention, mistakes of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from convgrad.checking.verdict import (
    CONVENTION,
    FOLLOWS,
    RIGHT,
    Question,
    Remark,
    Verdict,
)
from convgrad.core.element import Array
from convgrad.kinds import STEPPED
from convgrad.mistakes.case import Case
from convgrad.mistakes.deadline import Deadline
from convgrad.mistakes.mistake import Sighting

if TYPE_CHECKING:
    from convgrad.mistakes.recogniser import Recognised
    from convgrad.mistakes.tried import Prediction

DRAWS = 8
"""How often the rounding of an earlier answer is tried out, to see how far it may carry."""


Predict = Callable[[Mapping[str, Array]], Array | None]
"""Earlier answers by name -> what would follow from them; None where nothing would."""

Follow = Callable[[str], tuple[list[str], Predict]]
"""A result's name -> the earlier answers that it may follow from, the nearest first, and how."""

Carried = Callable[[str], Iterable[tuple[str, "Prediction"]]]
"""A result's name -> what mistakes made before it, in what is not handed in, would make of it: where, and what."""

Reworked = Callable[[str, str, Array], Case | None]
"""(a result, an earlier answer's name and numbers) -> the case as it is with that answer for the right value."""


@dataclass(frozen=True, eq=False, repr=False)
class Search:
    """The search for what is behind one wrong answer.

    doubtful: filled with mistakes that fit the answer, but that could be chance.
    """

    first: Verdict
    question: Question
    others: Mapping[str, Verdict]
    follow: Follow
    reworked: Reworked | None
    deadline: Deadline
    carried: Carried | None = None
    doubtful: list[Sighting] = field(default_factory=list)

    def explained(self) -> Verdict:
        """The verdict with what explains it: an earlier answer, a convention, mistakes; else what the cells share."""
        verdict = self._following() or self._mistaken()
        if verdict is not None:
            return verdict
        first = replace(self.first, doubtful=tuple(self.doubtful))
        if first.match is None:
            return first
        from convgrad.checking.diagnosis import diagnose

        operands = {} if self.question.case is None else self.question.case.solution.operands
        found = diagnose(first, self.question.quantity, operands)
        return replace(first, remarks=(*first.remarks, *found))

    # -- earlier answers ------------------------------------------------------------------------------

    def _following(self) -> Verdict | None:
        """The verdict where the answer is worked rightly from an earlier answer of the same file."""
        names, predict = self.follow(self.first.name)
        earlier = [name for name in names if name in self.others and self._usable(self.others[name])]
        own = {name: self.others[name] for name in earlier if self.others[name].verdict != RIGHT}
        choices = [[name] for name in own] + [[*own][:count] for count in range(2, len(own) + 1)]
        seen: dict[bytes, list[str]] = {}
        for chosen in choices:  # what several ways lead to is tried once
            found = _or_empty(predict({name: own[name].answer.numbers for name in chosen}))
            seen.setdefault(repr(found.shape).encode() + found.tobytes(), chosen)
        for chosen in seen.values():
            mine = {name: own[name].answer.numbers for name in chosen}
            if self._follows(mine, earlier, predict, len(seen)):
                return replace(self.first, verdict=FOLLOWS, follows=" and ".join(chosen))
        for name in earlier:
            rounded = self.others[name]
            if name not in own and self.first.answer.says(_or_empty(predict({name: rounded.answer.numbers}))):
                text = f"it is what your {name} gives as you wrote it: its rounding was carried on; keep more digits"
                return replace(self.first, remarks=(Remark("rounding-carried", text, text),))
        return None

    def _usable(self, other: Verdict) -> bool:
        return other is not self.first and other.match is not None

    def _follows(self, own: Mapping[str, Array], earlier: list[str], predict: Predict, tried: int) -> bool:
        """Whether the answer is what `own` gives, as far as earlier answers' rounding can tell, and not by chance.

        tried: how many such answers are looked at.
        """
        value, answer = self.first.value, self.first.answer
        predicted = _or_empty(predict(own))
        if predicted.shape != answer.numbers.shape or not self._worked(predicted, own):
            return False
        slack = 0.0
        if not answer.says(predicted):
            slack = self._carried(own, earlier, predict, predicted)
            apart = float(np.abs(predicted - value).max()) if predicted.shape == value.shape else np.inf
            if apart <= 4 * slack or not answer.says(predicted, slack):
                return False
        from convgrad.mistakes.evidence import spare, written_unit  # not needed where every answer is right

        unit = written_unit(predicted, lambda array: answer.says(array, slack))
        # where one cell follows from another, those that are right show the work, as they do of a convention
        alike = self.first.name.rpartition(".")[2] in ("output", "derivative", "sensitivity") and self._at_the_same(own)
        return spare(predicted, np.asarray(value, np.float64), unit, tried, alike) >= 0

    def _at_the_same(self, own: Mapping[str, Array]) -> bool:
        """Whether the answer is off only where earlier answers are, and these in fewer than half their cells."""
        off, masks = self.first.wrong, [self.others[name].wrong for name in own]
        if any(mask.shape != off.shape for mask in masks):
            return False
        cells = np.logical_or.reduce(masks)
        return bool(2 * cells.sum() < cells.size and not (off & ~cells).any())

    def _worked(self, predicted: Array, own: Mapping[str, Array]) -> bool:
        """Whether earlier answers left anything to be worked."""
        from convgrad.checking.follow import is_work

        case = self.question.case
        operands = [] if case is None else [np.asarray(each.array) for each in case.operands.values()]
        return is_work(predicted, own.values(), operands)

    def _carried(self, own: Mapping[str, Array], earlier: list[str], predict: Predict, predicted: Array) -> float:
        """How far the rounding of earlier answers may carry into what follows from them."""
        random, most = np.random.default_rng(0), 0.0
        for _ in range(DRAWS):
            drawn = {}
            for name in earlier:
                base, half = own.get(name, self.others[name].value), self.others[name].answer.slack
                if name in own or half.any():
                    drawn[name] = base + half * random.choice((-1.0, 1.0), half.shape)
            moved = _or_empty(predict(drawn))
            if moved.shape == predicted.shape:
                most = max(most, float(np.abs(moved - predicted).max()))
        return 1.2 * most

    # -- mistakes -------------------------------------------------------------------------------------

    def _mistaken(self) -> Verdict | None:
        """The verdict with the mistakes that reproduce the answer, made rightly or on an earlier answer."""
        case = self.question.case
        if case is None:
            return None
        found = self._recognised(case)
        self.doubtful.extend(found.doubtful)
        if found.named:
            return self._with(found.named)
        if self.reworked is None:
            return None
        for name in self.follow(self.first.name)[0]:
            other = self.others.get(name)
            if other is None or other.match is None or other.verdict == RIGHT:
                continue
            changed = self.reworked(self.first.name, name, other.answer.numbers)
            if changed is not None and (sightings := self._recognised(changed).named):
                text = f"worked from your own {name}, which is wrong already"
                return self._with(sightings, (Remark("from-own", text, text),))
        return self._carried_back()

    def _carried_back(self) -> Verdict | None:
        """The verdict with a mistake of another layer, whose own results are not handed in."""
        if self.carried is None or self.first.match is None:
            return None
        from convgrad.mistakes import recogniser

        says = self.first.answer.says
        search = recogniser.Search(np.asarray(self.first.value, np.float64), says)
        made = [
            (where, each)
            for where, each in self.deadline.within(self.carried(self.first.name))
            if not any(name in self.others for name in (f"{where}.dX", f"{where}.sensitivity"))
        ]
        search.matches(each for _, each in made)
        if not (sightings := search.named()):
            return None
        best = sightings[0].mistakes
        where = next(where for where, each in made if each.mistakes == best and says(each.array))
        text = f"made in {where}, and seen here in what goes back from it"
        return self._with(sightings, (Remark("from-behind", text, text),))

    def _recognised(self, case: Case) -> Recognised:
        from convgrad.mistakes.recogniser import recognised  # not needed where every answer is right

        answer = self.first.answer
        return recognised(case, self.question.result, answer.says, self.deadline, answer.says_each)

    def _with(self, sightings: list[Sighting], remarks: tuple[Remark, ...] = ()) -> Verdict:
        return with_sightings(self.first, self.question.result, sightings, remarks)


def with_sightings(
    first: Verdict, result: str, sightings: Sequence[Sighting], remarks: tuple[Remark, ...] = ()
) -> Verdict:
    """A wrong answer to a result with the mistakes that reproduce it, or the convention under which it is right."""
    first = replace(first, remarks=(*first.remarks, *remarks))
    conventional = [each for each in sightings if all(mistake.convention for mistake in each.mistakes)]
    if conventional and not remarks:
        only = tuple(conventional)
        return replace(first, verdict=CONVENTION, sightings=only, convention=only[0].mistakes[0])
    own = {mistake for each in sightings for mistake in each.mistakes if result in mistake.about}
    if not own and result in STEPPED:
        text = f"made in d{STEPPED[result]}, and seen here in what the step makes of it"
        first = replace(first, remarks=(*first.remarks, Remark("from-gradient", text, text)))
    return replace(first, sightings=tuple(sightings))


def _or_empty(array: Array | None) -> Array:
    """An array; one that no answer has the shape of where there is none."""
    return np.zeros((0,)) if array is None else np.asarray(array, np.float64)
