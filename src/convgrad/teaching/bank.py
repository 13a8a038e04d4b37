"""What a question bank asks, and which answers it knows: the right one, and the wrong ones with the mistakes behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from convgrad.core.element import Array
from convgrad.core.rational import cast
from convgrad.kinds import STEPPED
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.recogniser import predictions
from convgrad.teaching.asked import Asked, asked_for
from convgrad.teaching.exercise import Exercise

HALF = 0.501
"""Of the unit of a rounded number's last place, what an answer may be off by: half of it, and what binary adds."""

TIGHT = 0.01
"""Of the unit of the last place of a number that is no rounding, what an answer may be off by."""

OF_FRACTIONS = 1e-9
"""What an answer that is asked for in fractions may be off by, of the largest number."""

MOST_NOTE = 255
"""Characters of an answer note that STACK keeps."""

RIGHT, FOLLOWS, OTHER = "right", "follows", "other"
"""The notes of answers that are no mistake of the catalogue."""


@dataclass(frozen=True, eq=False, repr=False)
class Sought:
    """An answer that is known: its numbers as text, and what each may be off by; all of the result's shape."""

    texts: Array
    tolerance: Array

    @classmethod
    def of(cls, asked: Asked, value: Array, digits: int) -> Sought:
        """A result, or what a mistake makes of it, as it would be answered to so many significant digits."""
        texts, values = asked.texts, np.asarray(value, np.float64)
        if asked.fractions:
            largest = float(np.abs(values).max(initial=0.0)) or 1.0
            return cls(texts, np.full(texts.shape, OF_FRACTIONS * largest))
        pairs = zip(texts.ravel(), values.ravel(), strict=True)
        return cls(texts, np.reshape([_tolerance(text, number, digits) for text, number in pairs], texts.shape))

    @cached_property
    def values(self) -> Array:
        """The numbers, as floats."""
        return np.reshape([float(Fraction(text)) for text in self.texts.ravel()], self.texts.shape)

    def near(self, values: Array, spare: Array | float = 0.0) -> bool:
        """Whether an answer is this one; spare: what it may be off by besides."""
        return bool((np.abs(values - self.values) <= self.tolerance + spare).all())

    def meets(self, other: Sought) -> bool:
        """Whether there may be answers that are both: within twice the tolerance of each other."""
        apart = np.abs(self.values - other.values)
        return bool((apart <= 2 * np.maximum(self.tolerance, other.tolerance)).all())


def _tolerance(text: str, number: float, digits: int) -> float:
    """What an answer may be off by where a number is asked for as `text`."""
    written = float(text)
    exact = 10.0 ** -len(text.partition(".")[2])
    if abs(number - written) <= 1e-6 * exact or not written:
        return TIGHT * exact
    return float(HALF * 10.0 ** (np.floor(np.log10(abs(written))) - digits + 1))


@dataclass(frozen=True, eq=False, repr=False)
class Wrong:
    """Wrong answers that cannot be told from each other, and the mistakes that give them, in the order of their rank.

    note: their stable names, each with a number behind where the mistake has given another answer before.
    """

    note: str
    answers: Sequence[Sought]
    mistakes: Sequence[Mistake]

    @property
    def convention(self) -> bool:
        """Whether it is right under another convention, which is no error."""
        return any(each.convention for each in self.mistakes)

    def near(self, values: Array) -> bool:
        """Whether an answer is one of these."""
        return any(each.near(values) for each in self.answers)


@dataclass(frozen=True, eq=False, repr=False)
class Part:
    """One result that is asked for: right, and the wrong answers that are known, the simplest first."""

    name: str
    asked: Asked
    right: Sought
    wrong: Sequence[Wrong]

    def note(self, values: Array) -> str:
        """The note of what an answer is."""
        if self.right.near(values):
            return RIGHT
        return next((each.note for each in self.wrong if each.near(values)), OTHER)


@dataclass(frozen=True, eq=False, repr=False)
class Step:
    """A step of descent that may follow from the student's own gradient: right - slope * (theirs - right gradient).

    copied: the operands of the gradient's shape; a gradient that is one of them, or zero, left no work to do.
    """

    new: Part
    gradient: Part
    slope: float
    copied: Sequence[Array]

    @property
    def tolerance(self) -> Array:
        """What the step may be off by: its own rounding, and that of the gradient in it."""
        return np.asarray(self.new.right.tolerance + abs(self.slope) * self.gradient.right.tolerance)

    def followed(self, gradient: Array) -> Array:
        """What follows from a gradient."""
        return np.asarray(self.new.right.values - self.slope * (gradient - self.gradient.right.values))

    def note(self, values: Array, gradient: Array) -> str:
        """The note of an answer to the step, with the answer to the gradient."""
        if self.new.right.near(values):
            return RIGHT
        worked = all((np.abs(gradient - each) > 1e-9).any() for each in (np.zeros(gradient.shape), *self.copied))
        near = (np.abs(values - self.followed(gradient)) <= self.tolerance).all()
        return FOLLOWS if worked and near else OTHER


def parts_of(exercise: Exercise) -> list[Part]:
    """What is asked, with the answers that are known."""
    return [_part(exercise, name, asked) for name, asked in exercise.asked.items()]


def _part(exercise: Exercise, name: str, asked: Asked) -> Part:
    right = Sought.of(asked, exercise.results[name], exercise.digits)
    groups: list[tuple[list[Sought], list[Mistake]]] = []
    for mistake, answer in _known(exercise, name, right):
        same = [group for group in groups if any(answer.meets(each) for each in group[0])]
        groups = [group for group in groups if group not in same]
        answers = [each for group in same for each in group[0]]
        mistakes = [each for group in same for each in group[1]]
        if not any((each.texts == answer.texts).all() for each in answers):
            answers.append(answer)
        groups.append((answers, mistakes if mistake in mistakes else [*mistakes, mistake]))
    groups.sort(key=lambda group: min(each.rank for each in group[1]))
    counted: dict[str, int] = {}
    wrong = [Wrong(_note(mistakes, counted), answers, mistakes) for answers, mistakes in groups]
    return Part(name, asked, right, wrong)


def _known(exercise: Exercise, name: str, right: Sought) -> Iterator[tuple[Mistake, Sought]]:
    """What the mistakes of the catalogue would answer, in the right shape, in the order of their rank."""
    case = exercise.case
    if name not in case.solution.quantities:
        return
    found = [each for each in predictions(case, name) if each.array.shape == case.right(name).shape]
    for each in sorted(found, key=lambda each: each.rank):
        asked = asked_for(each.array, exercise.digits, noise=case.noise(name))
        answer = Sought.of(asked, each.array, exercise.digits)
        if answer.values.any() and not answer.meets(right):  # zeros do not say how they were come by
            yield each.mistakes[0], answer


def _note(mistakes: Sequence[Mistake], counted: dict[str, int]) -> str:
    """Their names, those that gave other answers before with a number, and no more than there is room for."""
    names = []
    for each in mistakes:
        counted[each.name] = counted.get(each.name, 0) + 1
        names.append(each.name if counted[each.name] == 1 else f"{each.name}-{counted[each.name]}")
    note, left = names[0], len(names) - 1
    for name in names[1:]:
        if len(note) + len(name) > MOST_NOTE - 20:
            return f"{note}+{left}-more"
        note, left = f"{note}+{name}", left - 1
    return note


def steps_of(exercise: Exercise, parts: Sequence[Part]) -> Iterator[Step]:
    """The steps of descent asked for whose gradient is asked for too."""
    named, opened = {each.name: each for each in parts}, exercise.case.opened
    for new in parts:
        gradient = named.get(f"d{STEPPED.get(new.name, '')}")
        if opened is None or gradient is None:
            continue
        value = exercise.case.right(gradient.name)
        moved = opened.stepped(new.name, value + 1)
        if moved is None:
            continue
        slope = float((exercise.case.right(new.name) - moved).mean())
        given = [cast(each, np.float64) for each in exercise.given.values() if np.shape(each) == value.shape]
        yield Step(new, gradient, float(f"{slope:.12g}"), given)
