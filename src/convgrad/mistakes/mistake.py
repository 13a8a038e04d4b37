"""What a mistake is: a row of the catalogue.

A row has a stable name, what happened, why people do it, how to mend it, the layers and results it is about, and the
arrays that it gives in place of the right ones. Most rows are "a slightly different problem, solved rightly".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from convgrad.core.element import Array
from convgrad.mistakes.case import Case, Variant

Alteration = Callable[[Variant, str], Iterator[Variant]]
"""(the problem at full rank, the result's name) -> the problems that are solved in its place."""

Rearrangement = Callable[[Array, Case, str], Iterator[Array]]
"""(an array, the case, the result's name) -> what is written down in its place: a multiple, a rotation."""


@dataclass(frozen=True, eq=False, repr=False)
class Mistake:
    """A row of the catalogue.

    about: the results it shows in; layers: where it is made; predict: (case, result's name) -> the arrays, in the
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
    predict: Callable[[Case, str], Iterator[Array]]
    convention: str = ""
    rank: int = 2
    change: Alteration | None = None
    turn: Rearrangement | None = None
    alike: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Sighting:
    """One explanation of a wrong answer: one mistake, or two made together."""

    mistakes: tuple[Mistake, ...]
