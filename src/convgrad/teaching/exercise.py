"""Exercises: a problem, what is asked of it, the key, and which mistakes its answers tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from convgrad.checking.places import ENOUGH_DIGITS
from convgrad.core.element import Array
from convgrad.core.rational import cast
from convgrad.errors import OptionError, at, listed, shortened
from convgrad.files import Reader
from convgrad.kinds.exercise import DIGITS, SAID
from convgrad.kinds.kind import Kind
from convgrad.kinds.setting import whole
from convgrad.kinds.shared import DTYPE
from convgrad.mistakes.case import Case
from convgrad.mistakes.shown import Shown, shown
from convgrad.problems import Operand, Operands, Settings, Solution
from convgrad.problems.reading import document_in, need, read_document
from convgrad.problems.report import titled
from convgrad.problems.selection import Selection, select
from convgrad.problems.solve import solver_of
from convgrad.teaching.asked import Asked, asked_for

FRACTIONS = "fractions"
"""The sort of numbers whose results are asked for as fractions."""


@dataclass(frozen=True, eq=False, repr=False)
class Exercise:
    """A problem, and what is asked of it.

    kind: of its layer; given: the operands by role, as its document has them (floats or fractions); case: the problem,
    solved in floats; ask: the results asked for; digits: to which those are rounded that have more; fractions: whether
    results that are no short decimal are asked for as fractions.
    """

    kind: Kind
    given: Mapping[str, Array]
    case: Case
    ask: tuple[str, ...]
    digits: int = DIGITS
    fractions: bool = False

    @property
    def title(self) -> str:
        """What kind of layer it is, with its settings: ``convolution, stride 2``."""
        return titled(self.kind.title, self.case.settings)

    @property
    def document(self) -> dict[str, Any]:
        """The problem as entries that every command reads."""
        settings = {name: _plain(value) for name, value in self.case.settings.items()}
        entries = {"layer": self.kind.name, **self.given, **settings, "ask": [*self.ask], "digits": self.digits}
        return entries | ({"numbers": FRACTIONS} if self.fractions else {})

    @cached_property
    def asked(self) -> dict[str, Asked]:
        """The results asked for, as they are to be answered."""
        return {
            name: asked_for(self.results[name], self.digits, self.fractions, self.case.noise(name)) for name in self.ask
        }

    @property
    def rounded(self) -> tuple[str, ...]:
        """The results that are asked for rounded to `digits`."""
        return tuple(name for name, asked in self.asked.items() if asked.rounded)

    def check_digits(self) -> None:
        """OptionError where results would be rounded to so few digits that answers prove nothing."""
        if self.digits < ENOUGH_DIGITS and self.rounded:
            raise OptionError(
                f"{listed(self.rounded)} would be rounded, and an answer of fewer than {ENOUGH_DIGITS} digits is too "
                "coarse to be judged",
                where="digits",
                hint=f"say --digits {ENOUGH_DIGITS}, or ask for other results",
            )

    @cached_property
    def shown(self) -> dict[str, Shown]:
        """What each of the results asked for shows of the catalogue."""
        return {name: shown(self.case, name) for name in self.ask if name in self.case.solution.quantities}

    @property
    def key(self) -> dict[str, Any]:
        """The answers as entries, and what they tell apart."""
        answers: dict[str, Any] = {name: asked.numbers for name, asked in self.asked.items()}
        rounded = {"rounded": dict.fromkeys(self.rounded, self.digits)} if self.rounded else {}
        return {**answers, **rounded, "separates": {name: each.entry for name, each in self.shown.items()}}

    @property
    def told_apart(self) -> tuple[int, int]:
        """How many mistakes are told apart by one of the results asked for, and how many apply to some of them.

        Conventions are no mistakes, and not counted.
        """
        apart = {row.name for each in self.shown.values() for row in each.alone if not row.convention}
        apply = {row.name for each in self.shown.values() for row in each.applying if not row.convention}
        return len(apart), len(apply)

    @cached_property
    def results(self) -> dict[str, Array]:
        """The results in fractions where the layer keeps them, else in floats."""
        operands = {role: Operand(cast(array, object), role) for role, array in self.given.items()}
        every = {name: each for name, each in self.case.solution.every.items() if name in self.ask}
        try:
            solution = self.case.solver(operands, {**self.case.settings, "dtype": "exact"}, self.case.backward)
            return {name: _one_sort(solution.every[name].value) for name in every}
        except OptionError:  # a root or an exponential, which is no fraction
            return {name: np.asarray(each.value, np.float64) for name, each in every.items()}


def _one_sort(value: Array) -> Array:
    """A result in fractions, or all of it in floats where its layer kept only some."""
    fractions = all(hasattr(each, "denominator") for each in value.ravel().tolist())
    return value if fractions else value.astype(np.float64)


@dataclass(frozen=True, eq=False, repr=False)
class Exercises:
    """Exercises to be written together; formula: whether a sheet says the formulas of what is asked."""

    noun: ClassVar[str] = "exercises"
    called: ClassVar[str] = "exercises are"

    each: Sequence[Exercise]
    formula: bool = False


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


@dataclass(frozen=True, eq=False, repr=False)
class Key:
    """The answers of an exercise, to be written."""

    noun: ClassVar[str] = "key"
    called: ClassVar[str] = "a key is"

    exercise: Exercise


# -- from a problem that exists --------------------------------------------------------------------------------


def of_problem(
    kind: Kind,
    operands: Operands,
    settings: Settings,
    ask: Sequence[str] = (),
    digits: int = DIGITS,
    fractions: bool = False,
) -> Exercise:
    """An exercise of operands and settings; without `ask` all that the problem gives is asked for.

    OptionError for what is asked and not to be had.
    """
    above = kind.given[-1].name
    given = {role: operand.array for role, operand in operands.items()}
    floats = {role: operand._replace(array=cast(operand.array, np.float64)) for role, operand in operands.items()}
    case = Case.of(solver_of(kind), floats, settings, above in operands)
    names = tuple(select(case.solution, ())) if not ask else tuple(asked_of(case.solution, ask))
    return Exercise(kind, given, case, names, digits, fractions)


def asked_of(solution: Solution, ask: Sequence[str]) -> list[str]:
    """The results that are asked for, in the order in which they are worked; OptionError for one that is not there."""
    return Selection(tuple(solution.every), solution.left_out, "--ask").chosen(ask)


def from_document(
    reader: Reader, source: str, layer: str | None, ask: Sequence[str] = (), digits: int | None = None
) -> Exercise:
    """The exercise that a document is, or becomes; what is asked and to how many digits may stand in it.

    ConvgradError where it holds no whole problem.
    """
    document = document_in(reader, source)
    kind, operands, settings = read_document(reader, source, layer, dtype="exact")
    for given in kind.given:
        if given.needed:
            need(operands, given.name, given.wanting or given.name, source)
    own = {name: value for name, value in settings.items() if name != DTYPE.name}
    said = {name: document.entries[entry] for name in SAID if (entry := document.find(name)) is not None}
    with at(f"{source}: ask"):
        asked = ask or names_of(said.get("ask", ()))
    with at(f"{source}: digits"):
        most = digits or whole(said.get("digits", DIGITS))
    found = of_problem(kind, operands, own, asked, most, said.get("numbers") == FRACTIONS)
    found.check_digits()
    return found


def names_of(given: Any) -> tuple[str, ...]:
    """Names of results, in a list or with commas between them; OptionError for anything else."""
    names = given.split(",") if isinstance(given, str) else given
    if not isinstance(names, list | tuple) or not all(isinstance(each, str) for each in names):
        raise OptionError(f"{shortened(given)} is no list of results", hint='write ["dW", "dX"]')
    return tuple(each.strip() for each in names)
