"""The mistakes people make: a catalogue of predictions, by families, and its recogniser.

A mistake is a row: a stable name, what happened, why people do it, how to mend it, the layers and results it is about,
and the arrays that it gives in place of the right ones. Most rows are "a slightly different problem, solved rightly".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from convgrad.problems import Operand, Problem, Solution
from convgrad.quantity import Array

Solver = Callable[[Mapping[str, Operand], Mapping[str, Any], bool], Solution]


@dataclass(frozen=True, eq=False, repr=False)
class Subject:
    """A solved problem, on which mistakes are made.

    layer: conv, transposed, unshared, pool, dense, activation or loss; solver, operands, settings and backward: what
    solves it, or a slightly different one, again; problem: at full rank (None for a loss); solution: the right results.
    """

    layer: str
    solver: Solver
    operands: Mapping[str, Operand]
    settings: Mapping[str, Any]
    backward: bool
    problem: Problem | None
    solution: Solution


@dataclass(frozen=True, eq=False, repr=False)
class Mistake:
    """A row of the catalogue.

    about: the results it shows in; layers: where it is made; predict: (subject, result's name) -> the arrays, in the
    file's axes, that it would give there: none where it does not apply, several where it can be made in several ways.
    convention: where it is no error but another convention, the option that selects that; else empty.
    """

    name: str
    family: str
    about: tuple[str, ...]
    layers: tuple[str, ...]
    what: str
    why: str
    mend: str
    predict: Callable[[Subject, str], Iterator[Array]]
    convention: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Sighting:
    """One explanation of a wrong answer: one mistake, or two made together."""

    mistakes: tuple[Mistake, ...]


def recognise(subject: Subject, name: str, fits: Callable[[Array], bool]) -> list[Sighting]:
    """Every mistake, and where none fits every pair, whose prediction for the result `name` fits, the simplest first."""
    raise NotImplementedError
