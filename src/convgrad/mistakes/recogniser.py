"""The search: which rows of the catalogue give a wrong answer, alone or two together; and what a problem tells apart.

Pairs are tried only where no single row fits. A pair is a changed problem that is changed once more, or any row's array
turned once more (a ratio, a sign, a rotation). The search is bounded by what it computes, not by the clock, so that it
finds the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from math import log2

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import ConvgradError
from convgrad.kinds import STEPPED
from convgrad.layers import weights
from convgrad.mistakes.case import Case, Variant
from convgrad.mistakes.catalogue import rows_for
from convgrad.mistakes.evidence import MARGIN, Fits, information
from convgrad.mistakes.mistake import Mistake, Sighting

MOST_PAIRS = 3
"""Pairs that are named at most, where several come to the same array."""

PAIRED = 4
"""By how much the rank of a pair is above that of its mistakes."""

VARIANTS = 4
"""Ways of making one mistake that are tried in a pair."""

OF_THE_STEP = ("weight-decay-in-gradient", "learning-rate-in-gradient", "step-for-gradient")
"""Mistakes in a gradient that are a part of the step taken too early: in the step they have names of their own."""

MOST_WORK = 2 * 10**8
"""Multiplications that the search for pairs may cost, about."""


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


def recognise(case: Case, name: str, fits: Fits) -> list[Sighting]:
    """Every mistake, and where none fits every pair, whose prediction for the result `name` fits, the simplest first.

    fits: whether an array (of any shape) is what the answer says, to the places given; False for another shape. It is
    asked about some thousand arrays. Nothing is named where the right value itself fits, and nothing whose match
    could be chance (evidence.py).
    """
    if name not in case.solution.quantities or fits(case.right(name)):
        return []
    alone, search = list(predictions(case, name)), Search(case.right(name), fits)
    if search.matches(alone):  # where a single mistake fits but could be chance, two would explain it no better
        return search.named()
    search.matches(pairs(case, name, alone))
    return search.named()[:MOST_PAIRS]


@dataclass(eq=False, repr=False)
class Search:
    """Predictions tried against an answer that the right value does not fit, and what is found.

    tried: the arrays tried, by a mark of each, with the lowest rank that gives it; found: mistakes whose prediction
    fits.
    """

    right: Array
    fits: Fits
    tried: dict[Mark, int] = field(default_factory=dict)
    found: dict[tuple[Mistake, ...], Prediction] = field(default_factory=dict)

    def matches(self, predictions: Iterable[Prediction]) -> bool:
        """Try them all; whether any fits."""
        for prediction in predictions:
            mark = _mark(prediction.array)
            self.tried[mark] = min(prediction.rank, self.tried.get(mark, prediction.rank))
            if self.fits(prediction.array):
                self.found.setdefault(prediction.mistakes, prediction)
        return bool(self.found)

    def spare(self) -> float:
        """The bits of the best match beyond the logarithm of the predictions tried up to its rank."""
        ranks = list(self.tried.values())
        return max(
            information(match.array, self.right, self.fits) - log2(sum(rank <= match.rank for rank in ranks))
            for match in self.found.values()
        )

    def named(self) -> list[Sighting]:
        """All that fits, the simplest first, if any of it is evidence; else nothing."""
        if not self.found or self.spare() < MARGIN:
            return []
        return [Sighting(each) for each in sorted(self.found, key=lambda found: self.found[found].rank)]


def predictions(case: Case, name: str) -> Iterator[Prediction]:
    """Every array other than the right one that a single row gives for the result, the simplest first."""
    right, wanted = case.right(name), rows_for(case.layer, name)
    with np.errstate(all="ignore"):
        for mistake in wanted:
            for array in mistake.predict(case, name):
                if differs(array, right):
                    yield Prediction((mistake,), array)
        variant, gradient = case.opened, f"d{STEPPED.get(name, '')}"
        if name not in STEPPED or variant is None or gradient not in case.solution.quantities:
            return
        for mistake in rows_for(case.layer, gradient):  # what a wrong gradient makes of the step
            if mistake.name in OF_THE_STEP:
                continue
            for array in mistake.predict(case, gradient):
                stepped = variant.stepped(name, array)
                if stepped is not None and differs(stepped, right):
                    yield Prediction((mistake,), stepped)


def pairs(case: Case, name: str, alone: list[Prediction]) -> Iterator[Prediction]:
    """Every array that two rows of the catalogue give together, the right one among them where they undo each other."""
    with np.errstate(all="ignore"):
        yield from _turned(case, name, alone)
        yield from _changed_twice(case, name)


def _turned(case: Case, name: str, alone: list[Prediction]) -> Iterator[Prediction]:
    """A row's array, turned by a row of another family."""
    turns = [mistake for mistake in rows_for(case.layer, name) if mistake.turn]
    seen: dict[Mistake, int] = {}
    for first in alone:
        (mistake,) = first.mistakes
        seen[mistake] = seen.get(mistake, 0) + 1
        if seen[mistake] > VARIANTS or mistake.convention:
            continue
        for second in turns:
            if second.family != mistake.family and not (mistake.turn and turns.index(second) < _place(turns, mistake)):
                assert second.turn is not None
                for array in islice(second.turn(first.array, case, name), VARIANTS):
                    yield Prediction((mistake, second), array)


def _place(turns: list[Mistake], mistake: Mistake) -> int:
    return turns.index(mistake) if mistake in turns else -1


def _changed_twice(case: Case, name: str) -> Iterator[Prediction]:
    """A changed problem, changed once more by a later row."""
    variant = case.opened
    if variant is None:
        return
    rows = list(rows_for(case.layer, name))
    if name in STEPPED:
        rows = [*rows_for(case.layer, f"d{STEPPED[name]}"), *rows]
    rows = [row for row in rows if row.change and not row.convention and row.rank < 3]
    left = MOST_WORK // _work(variant)
    for number, first in enumerate(rows):
        for once in islice(_made(first, variant, name), VARIANTS):
            for second in rows[number + 1 :]:
                for twice in islice(_made(second, once, name), VARIANTS):
                    left -= 1
                    if left < 0:
                        return
                    array = twice.solved(name)
                    if array is not None:
                        yield Prediction((first, second), array)


def _made(mistake: Mistake, variant: Variant, name: str) -> Iterator[Variant]:
    """The changes of a row, none where it does not apply."""
    assert mistake.change is not None
    asked = name if name in mistake.about or name not in STEPPED else f"d{STEPPED[name]}"
    try:
        yield from mistake.change(variant, asked)
    except ConvgradError:
        return


def _work(variant: Variant) -> int:
    """The multiplications of one backward pass, about, and what calling it costs at least."""
    per_place = max((array.size for array in weights(variant.layer)), default=9)
    places = 1 if variant.delta is None else int(np.prod(variant.delta.shape[2:]))
    return int(len(variant.x) * per_place * places) + 20_000 if variant.x.ndim else 20_000


def differs(array: Array, right: Array) -> bool:
    """Whether an array is finite, holds anything, and is another than the right one in more than rounding."""
    if array.size == 0 or not np.isfinite(array).all():
        return False
    if array.shape != right.shape:
        return True
    scale = max(float(np.abs(array).max()), float(np.abs(right).max()))
    return bool((np.abs(array - right) > 1e-9 * scale).any())


def _mark(array: Array) -> Mark:
    """A few cells of an array, rounded: enough to count how many different ones there were."""
    flat = array.reshape(-1)
    cells = flat[:: max(1, len(flat) // 12)]
    return array.shape, tuple(f"{cell:.7e}" for cell in cells.tolist())


def _key(array: Array) -> bytes:
    """Equal for arrays that are equal but for rounding."""
    scale = float(np.abs(array).max(initial=0.0)) or 1.0
    rounded = np.round(array / scale, 9) + 0.0
    return repr((array.shape, f"{scale:.9e}")).encode() + rounded.tobytes()


# -- what a problem can tell apart -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class Shown:
    """What a problem shows of the catalogue in one result.

    alone: mistakes that give an array of their own; together: groups that give one array; hidden: mistakes that would
    leave the result as it is, or cannot be made here.
    """

    name: str
    alone: list[Mistake]
    together: list[list[Mistake]]
    hidden: list[Mistake]


def shown(case: Case, name: str) -> Shown:
    """Which mistakes about a result this problem would show, and which of them it cannot tell apart."""
    arrays: dict[Mistake, set[bytes]] = {}
    for prediction in predictions(case, name):
        arrays.setdefault(prediction.mistakes[0], set()).add(_key(prediction.array))
    groups: list[tuple[set[bytes], list[Mistake]]] = []
    for mistake, keys in arrays.items():
        group = next((group for group in groups if group[0] == keys), None)
        if group is None:
            groups.append((keys, [mistake]))
        else:
            group[1].append(mistake)
    rows = rows_for(case.layer, name)
    return Shown(
        name,
        [mistakes[0] for _, mistakes in groups if len(mistakes) == 1],
        [mistakes for _, mistakes in groups if len(mistakes) > 1],
        [row for row in rows if row not in arrays],
    )
