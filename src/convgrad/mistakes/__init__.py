"""The mistakes people make: a catalogue of predictions, by families, and its recogniser.

A mistake is a row: a stable name, what happened, why people do it, how to mend it, the layers and results it is about,
and the arrays that it gives in place of the right ones. Most rows are "a slightly different problem, solved rightly".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from convgrad.core.quantity import Array
from convgrad.problems import Operand, Problem, Solution

if TYPE_CHECKING:
    from convgrad.mistakes.variant import Setup

Solver = Callable[[Mapping[str, Operand], Mapping[str, Any], bool], Solution]

LAYERS = ("conv", "transposed", "unshared", "pool", "dense", "activation", "loss")
"""The layers that a subject may have."""


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

    def right(self, name: str) -> Array:
        """The right value of the result `name`, in the file's axes."""
        return self.solution.quantities[name].value


Change = Callable[["Setup", str], Iterator["Setup"]]
"""(the problem at full rank, the result's name) -> the problems that are solved in its place."""

Turn = Callable[[Array, Subject, str], Iterator[Array]]
"""(an array, the subject, the result's name) -> what is written down in its place: a multiple, a rotation."""


@dataclass(frozen=True, eq=False, repr=False)
class Mistake:
    """A row of the catalogue.

    about: the results it shows in; layers: where it is made; predict: (subject, result's name) -> the arrays, in the
    file's axes, that it would give there: none where it does not apply, several where it can be made in several ways.
    convention: where it is no error but another convention, the option that selects that (or that there is none); else
    empty. rank: 0 conventions, 1 everyday mistakes, 2 others, 3 the far-fetched. change, turn: the same as `predict` in
    a form that goes together with other mistakes, where there is one. alike: rows that give the same array by nature
    wherever both apply, not for want of telling data.
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
    rank: int = 2
    change: Change | None = None
    turn: Turn | None = None
    alike: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Sighting:
    """One explanation of a wrong answer: one mistake, or two made together."""

    mistakes: tuple[Mistake, ...]


def recognise(subject: Subject, name: str, fits: Callable[[Array], bool]) -> list[Sighting]:
    """Every mistake, and where none fits every pair, whose prediction for the result `name` fits, the simplest first.

    fits: whether an array (of any shape) is what the answer says, to the places given; False for another shape. It is
    asked about some thousand arrays. Nothing is named where the right value itself fits, and nothing whose match
    could be chance (mistakes/evidence.py).
    """
    from convgrad.mistakes.recogniser import recognise as search

    return search(subject, name, fits)
