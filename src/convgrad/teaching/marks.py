"""Points: what each verdict of a submission earns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from convgrad.checking.verdict import COARSE, CONVENTION, FOLLOWS, RIGHT, Verdict

CREDITS = ("all", "cells")
"""Whether an answer earns its points whole or not at all, or by the cells that are right."""


@dataclass(frozen=True)
class Marks:
    """How points are given.

    points: of each result that counts; credit: one of CREDITS; follows, convention, coarse: the share of its points
    that an answer earns which follows from a wrong one, is right under another convention, or has too few digits.
    """

    points: Mapping[str, Fraction]
    credit: str = "all"
    follows: Fraction = Fraction(1)
    convention: Fraction = Fraction(1)
    coarse: Fraction = Fraction(0)

    @property
    def most(self) -> Fraction:
        """The points of a submission that is right."""
        return sum(self.points.values(), Fraction(0))

    def of(self, verdict: Verdict) -> Fraction:
        """What an answer earns; nothing where its result has no points."""
        return self.points.get(verdict.name, Fraction(0)) * self.share(verdict)

    def share(self, verdict: Verdict) -> Fraction:
        """The share of its points that an answer earns, from 0 to 1."""
        whole = {RIGHT: Fraction(1), FOLLOWS: self.follows, CONVENTION: self.convention}
        if verdict.verdict in whole:
            return whole[verdict.verdict]
        if self.credit == "cells" and verdict.match is not None:
            right = Fraction(int(np.count_nonzero(verdict.match.right & ~verdict.answer.blank)))
            coarse = int(np.count_nonzero(verdict.match.coarse & ~verdict.match.right & ~verdict.answer.blank))
            return (right + self.coarse * coarse) / max(1, verdict.match.right.size)
        return self.coarse if verdict.verdict == COARSE else Fraction(0)
