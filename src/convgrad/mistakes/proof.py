"""What a right answer proves: the mistakes that it would not be right with.

A row is ruled out where it makes other numbers than the right ones of this problem, in each of its ways, and where the
answer says none of them: a symmetric kernel proves nothing about a rotation, nor do numbers rounded so that they say
both. What is the right result but for rounding is never ruled out. Conventions are no mistakes, and not among them.
"""

from __future__ import annotations

from dataclasses import dataclass

from convgrad.mistakes.case import Case
from convgrad.mistakes.concepts import said
from convgrad.mistakes.evidence import Fits
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.recogniser import differs, every_way, work_of
from convgrad.mistakes.tried import FitsEach, Remembered, Tried

MOST_CELLS, MOST_WORK = 4096, 10**6
"""Numbers of a result, and multiplications of one pass about, up to which it is asked what an answer proves.

More would cost as much as a search for mistakes, where there is nothing to be mended.
"""


@dataclass(frozen=True)
class Proof:
    """What an answer proves: the mistakes that it rules out, and in words what was done in their place."""

    mistakes: tuple[Mistake, ...] = ()
    phrases: tuple[str, ...] = ()


NOTHING = Proof()


def proof(case: Case, name: str, fits: Fits, fits_each: FitsEach | None = None) -> Proof:
    """What an answer to the result `name` proves; nothing where it is not right, or the result is too large."""
    if name not in case.solution.quantities or not fits(case.right(name)) or _large(case, name):
        return NOTHING
    ways = case.remembered.get((name, "ways")) or Remembered([*every_way(case, name)], Tried())
    case.remembered[name, "ways"] = ways
    right, noise = case.right(name), case.noise(name)
    made: dict[Mistake, bool] = {}
    for each in ways.predictions:
        (row,) = each.mistakes
        made[row] = made.get(row, True) and differs(each.array, right, noise)
    still = {row for row, apart in made.items() if not apart}
    still |= {each.mistakes[0] for each in ways.fitting(fits, fits_each)}
    ruled_out = tuple(row for row in made if row not in still and not row.convention)
    return Proof(ruled_out, said(case, name, ruled_out, still))


def _large(case: Case, name: str) -> bool:
    """Whether it would cost too much."""
    variant = case.opened
    return case.right(name).size > MOST_CELLS or (variant is not None and work_of(variant) > MOST_WORK)
