"""What a problem shows of the catalogue: which mistakes its numbers tell apart, and which they do not.

It is a promise: what is told apart would be named, and alone, in whichever of its ways it is made, by an answer of
DIGITS significant digits or more. So every prediction is held against every other, and against chance, as the search
holds them against an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import ConvgradError
from convgrad.mistakes.case import Case
from convgrad.mistakes.catalogue import rows_for
from convgrad.mistakes.evidence import grid
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.recogniser import predictions
from convgrad.mistakes.tried import Prediction, Tried
from convgrad.problems import Operand

DIGITS = 4
"""Significant digits that the largest number of an answer is taken to have."""

DRAWS = 3
"""How often other numbers are drawn, to see whether they would show what these hide."""

SAMPLE = 12
"""Cells by which arrays are compared before they are compared whole."""


@dataclass(frozen=True, eq=False, repr=False)
class Shown:
    """What a problem shows of the catalogue in one result.

    alone: mistakes that would be named alone, in whichever way they are made; together: groups of which some give the
    same numbers; too_few: mistakes some answers of which could be chance, or a rounding; hidden: those that other
    numbers in the same shapes would show, and these do not; foreign: those that cannot be made with these shapes and
    settings.
    """

    name: str
    alone: list[Mistake]
    together: list[list[Mistake]]
    too_few: list[Mistake]
    hidden: list[Mistake]
    foreign: list[Mistake]

    @property
    def applying(self) -> list[Mistake]:
        """The mistakes that can be made with these shapes and settings."""
        together = [row for group in self.together for row in group]
        return [*self.alone, *together, *self.too_few, *self.hidden]

    @property
    def entry(self) -> dict[str, list[Any]]:
        """The same by names, as it stands in JSON."""
        return {
            "told_apart": [row.name for row in self.alone],
            "together": [[row.name for row in group] for group in self.together],
            "too_few_numbers": [row.name for row in self.too_few],
            "invisible": [row.name for row in self.hidden],
            "does_not_apply": [row.name for row in self.foreign],
        }


def shown(case: Case, name: str) -> Shown:
    """Which mistakes about a result this problem would show, and which of them it cannot tell apart."""
    found = seen(case, name)
    unseen = [row for row in rows_for(case.layer, name) if row not in found.applying]
    shows = {row for other in redrawn(case) for row in _showing(other, name)} if unseen else set()
    hidden = [row for row in unseen if row in shows]
    return replace(found, hidden=hidden, foreign=[row for row in unseen if row not in hidden])


def seen(case: Case, name: str) -> Shown:
    """The same of the mistakes that show in these numbers, without asking what others would show; it is quicker."""
    table = _Table(case.right(name), [*predictions(case, name)])
    groups, weak = table.groups, table.weak
    single = [group[0] for group in groups if len(group) == 1]
    return Shown(
        name,
        [row for row in single if row not in weak],
        [group for group in groups if len(group) > 1],
        [row for row in single if row in weak],
        [],
        [],
    )


def _showing(case: Case, name: str) -> set[Mistake]:
    """The mistakes that show in a result."""
    return {each.mistakes[0] for each in predictions(case, name)} if name in case.solution.quantities else set()


class _Table:
    """The predictions of one result, held against each other."""

    def __init__(self, right: Array, found: Sequence[Prediction]) -> None:
        """Those that are the right result to the digits that are written are left out."""
        self.right = right
        self.found = [each for each in found if not _fits(each.array, right, written_to(each.array))]
        self.tried = Tried()
        for each in found:
            self.tried.add(each)

    @cached_property
    def alike(self) -> list[list[int]]:
        """For each prediction the numbers of those that fit an answer which says it, itself among them."""
        shapes: dict[tuple[int, ...], list[int]] = {}
        for number, each in enumerate(self.found):
            shapes.setdefault(each.array.shape, []).append(number)
        alike: list[list[int]] = [[] for _ in self.found]
        for shape, numbers in shapes.items():
            step = max(1, int(np.prod(shape)) // SAMPLE)
            sample = np.stack([self.found[number].array.reshape(-1)[::step] for number in numbers])
            for number in numbers:
                array = self.found[number].array
                unit = written_to(array)
                near = (np.abs(sample - array.reshape(-1)[::step]) <= 1.5 * unit).all(axis=1)
                some = [numbers[k] for k in np.flatnonzero(near)]
                alike[number] = [other for other in some if _fits(array, self.found[other].array, unit)]
        return alike

    @cached_property
    def groups(self) -> list[list[Mistake]]:
        """The mistakes that are seen, in the order in which they are tried, those together of which some are alike."""
        groups = {each.mistakes[0]: [each.mistakes[0]] for each in self.found}
        for number, others in enumerate(self.alike):
            own = groups[self.found[number].mistakes[0]]
            for other in others:
                joined = groups[self.found[other].mistakes[0]]
                if joined is not own:
                    own += joined
                    groups.update((mistake, own) for mistake in joined)
        order = list(groups)
        distinct = {id(group): group for group in groups.values()}
        return [sorted(group, key=order.index) for group in distinct.values()]

    @cached_property
    def weak(self) -> set[Mistake]:
        """The mistakes that would not be named in some of their ways: chance, or a rounding of the right result."""
        weak = set()
        for each, others in zip(self.found, self.alike, strict=True):
            unit = max(written_to(each.array), grid(each.array))
            spare = max(self._spare(self.found[other], unit) for other in others)
            if spare < 0 or _rounding(each.array, self.right):
                weak.add(each.mistakes[0])
        return weak

    def _spare(self, match: Prediction, unit: float) -> float:
        """The bits beyond what makes it evidence; a cell that is cut off may accept twice the width of one rounded."""
        return min(self.tried.spare(match, self.right, times * unit) for times in (1, 2))


def written_to(array: Array) -> float:
    """The unit of the last place of an answer of DIGITS digits."""
    largest = float(np.abs(array).max(initial=0.0))
    return float(10.0 ** (np.floor(np.log10(largest)) + 1 - DIGITS)) if largest else 1e-12


def _fits(array: Array, other: Array, unit: float) -> bool:
    """Whether an answer that says one array, rounded or cut off, says the other too."""
    return array.shape == other.shape and bool((np.abs(array - other) <= 1.5 * unit).all())


def _rounding(array: Array, right: Array) -> bool:
    """Whether every number, written with as many places as it needs, is a rounding of the right one: too coarse."""
    if array.shape != right.shape:
        return False
    coarse = np.zeros(array.shape, bool)
    for places in range(7):
        exact = np.abs(np.round(array, places) - array) <= 1e-12 * np.abs(array)
        coarse |= exact & (np.abs(array - right) <= 0.5000001 * 10.0**-places)
    return bool(coarse.all())


# -- other numbers ---------------------------------------------------------------------------------------------


def redrawn(case: Case) -> Iterator[Case]:
    """The same problem with other numbers: decimals, then small whole numbers among which are ties and zeros."""
    for draw in range(DRAWS):
        rng = np.random.default_rng(draw)
        given = {role: operand.array for role, operand in case.operands.items()}
        drawn = {role: _drawn(role, array, case, draw, rng) for role, array in given.items()}
        operands = {role: Operand(array, role) for role, array in drawn.items()}
        try:
            yield Case.of(case.solver, operands, case.settings, case.backward)
        except ConvgradError:
            continue


def _drawn(role: str, array: Array, case: Case, draw: int, rng: np.random.Generator) -> Array:
    """Other numbers that an operand may have."""
    shape, of_loss = np.shape(array), case.layer == "loss"
    if of_loss and role == "target" and shape != np.shape(case.operands["output"].array):
        return array  # classes stay what they are
    if of_loss or role == "var":
        return np.asarray(np.round(rng.uniform(0.05, 0.95, shape), 2))
    if draw == 0:
        return np.asarray(np.round(rng.normal(size=shape), 2))
    if draw == 1:
        return np.asarray(rng.integers(-1, 2, shape), float)
    return np.asarray(np.round(rng.normal(size=shape), 1) + 0.005 * rng.integers(0, 3, shape))
