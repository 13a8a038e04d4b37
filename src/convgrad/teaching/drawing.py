"""Exercises that are drawn: of a fixed number of draws the one is kept whose wrong answers differ most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from convgrad.core.element import Array
from convgrad.core.rational import cast
from convgrad.errors import OptionError
from convgrad.kinds.exercise import DIGITS
from convgrad.kinds.kind import Kind
from convgrad.kinds.losses import LOSSES
from convgrad.mistakes.shown import seen
from convgrad.problems import Operand
from convgrad.problems.laying_out import LaidOut, laid_out
from convgrad.problems.solve import solver_of
from convgrad.teaching.asked import as_written, ends, significant
from convgrad.teaching.exercise import Exercise, of_problem
from convgrad.teaching.paper import Dice, Paper, filled

DRAWS = 40
"""Problems that are drawn, of which one is kept: about two seconds' worth where they are as large as SMALL."""

SMALL = 100
"""Numbers of a problem and its results that are quick to look at; of larger problems fewer are drawn."""

USUAL = 4
"""Results that are asked for, mostly: of more there is more to look at."""

FEWEST = 4
"""Draws of the largest problems."""

TENTHS, HUNDREDTHS = ([Fraction(k, n) for k in range(n // 20 or 1, n)] for n in (10, 100))
"""Probabilities that are easy on paper."""


@dataclass(frozen=True)
class Wanted:
    """What is to be drawn.

    kind: of the layer; shape: of its input; settings: those of the kind, and its sizes (`Kind.drawn`); paper: what
    numbers; ask, digits: what is asked for (nothing: all results), and to how many digits; without: operands that the
    problem does without; seed: the same seed gives the same exercise.
    """

    kind: Kind
    shape: tuple[int, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    paper: Paper = field(default_factory=Paper)
    ask: tuple[str, ...] = ()
    digits: int = DIGITS
    without: tuple[str, ...] = ()
    seed: str = ""


def drawn(wanted: Wanted) -> Exercise:
    """The exercise that is kept; ConvgradError where none can be drawn."""
    best, best_score, refused = None, None, None
    for draw in range(DRAWS):
        dice = Dice(f"{wanted.seed}/{draw}")
        try:
            exercise = _draw(wanted, dice)
        except _UnfitError as unfit:
            refused = unfit
            continue
        if draw >= _draws(exercise):
            break
        score = _score(exercise)
        if best_score is None or score > best_score:
            best, best_score = exercise, score
    if best is None:
        assert refused is not None
        raise OptionError(f"in {DRAWS} draws {refused.what}", hint=refused.hint)
    return best


class _UnfitError(Exception):
    """A draw that is no exercise: what is wrong with it, and what would help if all draws are so."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what, self.hint = what, hint


def _draw(wanted: Wanted, dice: Dice) -> Exercise:
    """One draw; _UnfitError where its results are trivial, or too long."""
    kind, numbers = wanted.kind, _Numbers(wanted, dice)
    out = laid_out(kind, wanted.shape, wanted.settings, dice.one)
    arrays = {role: numbers.of(role, shape, out) for role, shape in out.shapes.items() if role not in wanted.without}
    if out.settings.get("momentum") is not None:
        learned = {f"velocity_{name}": given.name for name, given in kind.parameters.items()}
        arrays |= {name: numbers.plain(arrays[role].shape) for name, role in learned.items() if role in arrays}
    if "delta" in kind.roles:
        arrays["delta"] = numbers.plain(_output_shape(kind, arrays, out.settings))
    operands = {role: Operand(array, f"the {role}") for role, array in arrays.items()}
    exercise = of_problem(
        kind, operands, out.settings, wanted.ask, wanted.digits, fractions=wanted.paper.sort == "fractions"
    )
    _check(exercise)
    exercise.check_digits()
    return replace(exercise, given={role: as_written(array, exercise.fractions) for role, array in arrays.items()})


def _output_shape(kind: Kind, arrays: Mapping[str, Array], settings: Mapping[str, Any]) -> tuple[int, ...]:
    floats = {role: Operand(cast(array, np.float64), f"the {role}") for role, array in arrays.items()}
    own = {name: value for name, value in settings.items() if name not in {each.name for each in kind.descent}}
    floats = {role: each for role, each in floats.items() if role not in kind.velocities}
    return solver_of(kind)(floats, own, False).quantities["output"].shape


class _Numbers:
    """What the operands of a draw are filled with."""

    def __init__(self, wanted: Wanted, dice: Dice) -> None:
        self.kind, self.paper, self.dice = wanted.kind, wanted.paper, dice

    def of(self, role: str, shape: tuple[int, ...], out: LaidOut) -> Array:
        """The numbers of an operand, as what takes it wants them."""
        if self.kind.name == "loss":
            return self._of_loss(role, shape, out)
        # of equal maxima it would be a convention which one takes the delta
        largest = self.kind.name == "pool" and out.settings.get("kind", "max") == "max" and role == "input"
        return self.paper.numbers(shape, self.dice, distinct=largest)

    def plain(self, shape: tuple[int, ...]) -> Array:
        """Numbers of no special kind."""
        return self.paper.numbers(shape, self.dice)

    def _of_loss(self, role: str, shape: tuple[int, ...], out: LaidOut) -> Array:
        output = out.shapes["output"]
        row = LOSSES[out.settings.get("kind", "mse")].taken(output, shape if role == "target" else out.shapes["target"])
        if row.classes and role == "target" and shape != output:
            classes = output[min(1, len(output) - 1)]
            return filled([Fraction(k) for k in range(classes)], shape, self.dice)
        if row.probabilities:
            if role == "target" and not row.classes:
                return filled([Fraction(0), Fraction(1)], shape, self.dice)
            return filled(TENTHS, shape, self.dice)
        return self.plain(shape)


# -- what makes a good one -------------------------------------------------------------------------------------


def _check(exercise: Exercise) -> None:
    """_UnfitError where a result has more digits than are wanted though it ends."""
    digits = exercise.digits
    for name in exercise.ask:
        value = exercise.results[name]
        if value.dtype != object:
            continue
        numbers = value.ravel().tolist()
        if exercise.fractions and any(len(str(part)) > digits for n in numbers for part in n.as_integer_ratio()):
            raise _UnfitError(
                f"a fraction of {name} had more than {digits} digits", "raise --digits, or narrow --range"
            )
        if not exercise.fractions and all(map(ends, numbers)) and any(significant(n) > digits for n in numbers):
            raise _UnfitError(f"a number of {name} had more than {digits} digits", "raise --digits, or narrow --range")


def _trivial(value: Array, exercise: Exercise) -> int:
    """How little work a result is: 2 for one number everywhere, 1 for mostly zeros, or an operand copied; else 0."""
    if not value.any() or (value.size > 1 and not np.ptp(value)):
        return 2
    given = (np.asarray(operand.array) for operand in exercise.case.operands.values())
    copied = any(each.shape == value.shape and bool(np.allclose(each, value)) for each in given)
    return int(copied or 2 * np.count_nonzero(value) < value.size)


def _draws(exercise: Exercise) -> int:
    """How many draws there are of problems as large as this one."""
    case = exercise.case
    arrays = [*(operand.array for operand in case.operands.values()), *map(case.right, case.solution.quantities)]
    work = sum(np.size(each) for each in arrays) * max(USUAL, len(exercise.ask)) // USUAL
    return max(FEWEST, min(DRAWS, DRAWS * SMALL // max(work, 1)))


def _score(exercise: Exercise) -> tuple[int, ...]:
    """How good it is: work to be done in all results, few to be rounded, few places where a convention decides, many
    mistakes told apart."""
    case = exercise.case
    found = [seen(case, name) for name in exercise.ask if name in case.solution.quantities]
    apart = {row.name for each in found for row in each.alone if not row.convention}
    shows = {row.name for each in found for row in each.applying}
    conventions = {row.name for each in found for row in each.applying if row.convention}
    zeros = sum(int(np.count_nonzero(exercise.asked[name].numbers == 0)) for name in exercise.ask)
    trivial = sum(_trivial(np.asarray(exercise.results[name], np.float64), exercise) for name in exercise.ask)
    return -trivial, -len(exercise.rounded), -len(conventions), len(apart), len(shows), -zeros
