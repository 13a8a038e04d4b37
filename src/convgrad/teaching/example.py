"""A small worked example of every mistake: a problem on which it shows, the right result and the wrong one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np

from convgrad.core.element import Array
from convgrad.mistakes.case import Case
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.recogniser import differs
from convgrad.teaching.draws import showing

CANDIDATES = 32
"""Problems of which the one with the least to read is taken."""


PLACES = 9
"""Digits after the point that an example shows at most: without the noise of binary floats."""


@dataclass(frozen=True, eq=False, repr=False)
class Example:
    """A problem on which a mistake shows in the result `name`: what is right there, and what the mistake gives."""

    case: Case
    name: str
    right: Array
    wrong: Array


def example(mistake: Mistake) -> Example | None:
    """The same small example at every call; None where no problem was found on which the mistake shows."""
    rng = np.random.default_rng(sum(map(ord, mistake.name)))
    found = [_worked(mistake, *each) for each in islice(showing(mistake, rng, small=True), CANDIDATES)]
    return min(found, key=_ink, default=None)


def _worked(mistake: Mistake, case: Case, name: str) -> Example:
    right = case.right(name)
    with np.errstate(all="ignore"):
        wrong = next(array for array in mistake.predict(case, name) if differs(array, right))
    return Example(case, name, np.round(right, PLACES), np.round(wrong, PLACES))


def _ink(example: Example) -> int:
    """The characters of all its numbers; a setting is as much to take in as a few of them."""
    arrays = [operand.array for operand in example.case.operands.values()]
    return 60 * len(example.case.settings) + sum(
        len(f"{number:.6g}") + 2 for array in (*arrays, example.right, example.wrong) for number in array.flat
    )
