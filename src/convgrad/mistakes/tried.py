"""What a search tries against an answer: predictions, the count of them, and those of a case that are remembered.

The predictions of a case are the same for every answer to it. Where many answers are held against one case, all that
have the answer's shape are asked about at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from convgrad.core.element import Array
from convgrad.mistakes.evidence import Fits, spare
from convgrad.mistakes.mistake import Mistake

PAIRED = 4
"""By how much the rank of a pair is above that of its mistakes."""

MOST_REMEMBERED = 500_000
"""Numbers of the predictions that a case remembers of one search; of larger results none are."""

FitsEach = Callable[[Array], Array]
"""(arrays of one shape, stacked) -> which of them an answer says, as `Fits` would say it of each."""

Mark = tuple[tuple[int, ...], tuple[str, ...]]


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """An array that a row, or two together, would give for a result."""

    mistakes: tuple[Mistake, ...]
    array: Array

    @property
    def rank(self) -> int:
        """How far-fetched it is; two together are more so than any alone."""
        return max(mistake.rank for mistake in self.mistakes) + PAIRED * (len(self.mistakes) - 1)


@dataclass(eq=False, repr=False)
class Tried:
    """The arrays tried, by a mark of each, with the lowest rank that gives it."""

    ranks: dict[Mark, int] = field(default_factory=dict)

    def add(self, prediction: Prediction) -> None:
        """One more; an array that was tried already counts once."""
        mark = _mark(prediction.array)
        self.ranks[mark] = min(prediction.rank, self.ranks.get(mark, prediction.rank))

    def copy(self) -> Tried:
        """The same, to be added to."""
        return Tried(dict(self.ranks))

    def spare(self, match: Prediction, right: Array, unit: float) -> float:
        """The bits of a match, written to a unit, beyond what makes it evidence; below 0 it could be chance."""
        count = sum(rank <= match.rank for rank in self.ranks.values())
        convention = all(mistake.convention for mistake in match.mistakes)
        return spare(match.array, right, unit, count, convention)


@dataclass(frozen=True, eq=False, repr=False)
class Remembered:
    """All predictions of one search, in their order, and what had been tried when it was over."""

    predictions: Sequence[Prediction]
    tried: Tried

    @cached_property
    def _stacks(self) -> list[tuple[list[int], Array]]:
        """Predictions of one shape, by their numbers, and their arrays on top of one another."""
        shapes: dict[tuple[int, ...], list[int]] = {}
        for number, each in enumerate(self.predictions):
            shapes.setdefault(np.shape(each.array), []).append(number)
        return [
            (numbers, np.stack([self.predictions[number].array for number in numbers])) for numbers in shapes.values()
        ]

    def fitting(self, fits: Fits, fits_each: FitsEach | None = None) -> Iterator[Prediction]:
        """Those that an answer says, in their order."""
        if fits_each is None:
            yield from (each for each in self.predictions if fits(each.array))
            return
        for numbers, stack in self._stacks:  # an answer has one shape, and says none of another
            yield from (self.predictions[numbers[k]] for k in np.flatnonzero(fits_each(stack)))


def _mark(array: Array) -> Mark:
    """A few cells of an array, rounded: enough to count how many different ones there were."""
    flat = array.reshape(-1)
    cells = flat[:: max(1, len(flat) // 12)]
    return array.shape, tuple(f"{cell:.7e}" for cell in cells.tolist())
