"""Where no known mistake explains an answer: which cells are off, and what they share.

Nothing is said that could as well be chance: an explanation counts only where the cells it accounts for are unlikely to
agree with one of the explanations tried by accident.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import numpy as np

from convgrad.checking.errors import Errors, axis_words
from convgrad.checking.slips import slips
from convgrad.checking.tolerance import accepting
from convgrad.checking.typed import typed
from convgrad.checking.verdict import Remark, Verdict
from convgrad.core.element import Array, Place
from convgrad.core.quantity import Quantity
from convgrad.core.term import Term
from convgrad.mistakes.tried import MOST_REMEMBERED

CHANCE = 0.02
"""How likely chance agreement may be, by a rough estimate, for an explanation to be given."""

ROUNDED_FACTOR = 0.01
"""A ratio as near to 1 as that is a factor rounded to two digits or more, not another factor."""

MOST_OVERLAYS = 4096
"""Overlays that are tried."""


def diagnose(verdict: Verdict, quantity: Quantity, operands: Mapping[str, Array] | None = None) -> Iterator[Remark]:
    """Which cells of a wrong answer are off, and the first thing found that they share.

    operands: the arrays whose cells may have been taken for others, by name.
    """
    assert verdict.match is not None
    cells = _Cells(verdict, verdict.wrong, np.asarray(verdict.value, np.float64))
    yield from _place_of(cells)
    if not np.isfinite(cells.given).all():
        return
    whole = (_sign(cells), _exchanged(cells), _one_overlay(cells, quantity), _multiple(cells), _shifted(cells))
    single = (slips(verdict, quantity, cells.mask, operands or {}), typed(verdict, cells.mask), _rounding(cells))
    shared = next((remark for found in (*whole, *single) for remark in found), None)
    if shared is not None:
        yield shared


@dataclass(frozen=True, eq=False, repr=False)
class _Cells:
    """A wrong answer: its verdict, the mask of its wrong cells, the right value as floats."""

    verdict: Verdict
    mask: Array
    value: Array

    @property
    def given(self) -> Array:
        """The wrong cells as given."""
        return self.verdict.answer.numbers[self.mask]

    @property
    def right(self) -> Array:
        """What they should be."""
        return self.value[self.mask]

    def says(self, value: Array) -> bool:
        """Whether the wrong cells say `value` (one number a cell)."""
        whole = self.value.copy()
        whole[self.mask] = value
        return bool(self.verdict.answer.matches(whole).right[self.mask].all())

    def chance(self, mask: Array | None = None) -> float:
        """How likely random numbers agree with one explanation in all wrong cells, or those of `mask`."""
        mask = self.mask if mask is None else mask
        wide = np.maximum(np.abs(self.value).max(), np.abs(self.verdict.answer.numbers).max())
        each = np.minimum(1, 2 * self.verdict.answer.spread[mask] / wide) if wide else np.ones(1)
        return float(np.prod(each))


# -- which cells ------------------------------------------------------------------------------------------


def _place_of(cells: _Cells) -> Iterator[Remark]:
    """One cell, all, their pattern, or at least the row, the column or the channel that they lie in."""
    errors, name = cells.verdict.errors, cells.verdict.name
    if errors is None or errors.total == 1:
        return
    if not np.isfinite(cells.given).any() and errors.count in (1, errors.total):
        return  # it is said of what is not finite
    if errors.count == 1:
        yield _place("one-cell", f"one cell is off, {name}{_index(errors.first)}")
    elif errors.count == errors.total:
        yield _place("all-cells", "both cells are off" if errors.total == 2 else f"all {errors.total} cells are off")
    elif errors.pattern is not None:
        yield _place(errors.pattern.kind, errors.sentence(name))
    else:
        yield from _lying_in(errors, axis_words(name, cells.mask.ndim, cells.verdict.spatial), cells)


def _lying_in(errors: Errors, words: list[str], cells: _Cells) -> Iterator[Remark]:
    """One row, one column, one channel, the border: what is plain to see of few cells, though it may be chance."""
    mask, spatial = cells.mask, cells.verdict.spatial
    for axis, ((start, stop), word) in enumerate(zip(errors.box, words, strict=True)):
        if stop - start == 1 and mask.shape[axis] > 1:
            yield _place(f"one-{word}", f"the cells that are off lie in {word} {start}")
            return
    if spatial and min(mask.shape[axis] for axis in spatial) > 2:
        inner = np.zeros(mask.shape, bool)
        inner[tuple(slice(1, -1) if axis in spatial else slice(None) for axis in range(mask.ndim))] = True
        if not mask[inner].any() and mask[~inner].all():
            yield _place("border", "only the border is off, all of it")


# -- what they share --------------------------------------------------------------------------------------


def _sign(cells: _Cells) -> Iterator[Remark]:
    if cells.says(-cells.right) and cells.chance() < CHANCE:
        every = "every cell that is off" if cells.mask.size > 1 else "the number"
        yield _said("sign", f"{every} has the wrong sign")


def _exchanged(cells: _Cells) -> Iterator[Remark]:
    if len(cells.right) == 2 and cells.says(cells.right[::-1]) and cells.chance() < 10 * CHANCE:
        first, second = (cells.verdict.name + _index(index) for index in np.argwhere(cells.mask))
        yield Remark("exchanged", f"{first} and {second} are exchanged", "two cells are exchanged")


def _multiple(cells: _Cells) -> Iterator[Remark]:
    """One ratio between all that is off and what is right."""
    right, given = cells.right, cells.given
    sure = np.abs(right) > 0
    if sure.sum() < 2 or len(np.unique(np.abs(right[sure]))) < 2:
        return
    steady = int(np.argmax(np.abs(right)))
    ratio = given[steady] / right[steady]
    rest = cells.mask.copy()
    rest[tuple(np.argwhere(cells.mask)[steady])] = False
    if ratio and cells.says(right * ratio) and cells.chance(rest) < CHANCE:
        which = "every cell" if cells.mask.all() else "every cell that is off"
        if abs(ratio - 1) < ROUNDED_FACTOR:
            yield _said("nearly-right", f"{which} is nearly right, by one ratio: a factor was rounded on the way")
            return
        yield Remark(
            "ratio", f"{which} is {ratio:.4g} times the right value", f"{which} is the same multiple of the right value"
        )


def _shifted(cells: _Cells) -> Iterator[Remark]:
    """One difference between all that is off and what is right."""
    if len(cells.right) < 2:
        return
    rest = cells.mask.copy()
    rest[tuple(np.argwhere(cells.mask)[0])] = False
    with np.errstate(over="ignore"):
        difference = float(np.median(cells.given - cells.right))
    if np.isfinite(difference) and cells.says(cells.right + difference) and cells.chance(rest) < CHANCE:
        which = "every cell" if cells.mask.all() else "every cell that is off"
        size = f"{abs(difference):.4g} too {'large' if difference > 0 else 'small'}"
        yield Remark("difference", f"{which} is {size}", "every cell that is off is off by the same number")


def _rounding(cells: _Cells) -> Iterator[Remark]:
    """Off by little everywhere: rounding on the way, or arithmetic in float32."""
    largest = float(np.abs(cells.value).max())
    off = float(np.abs(cells.given - cells.right).max())
    if not largest or off > 2e-3 * largest:
        return
    if off <= 2e-6 * largest:
        text = "it is right to about six digits, as float32 computes it"
        if tried := accepting(cells.verdict.answer, cells.value):
            text += f"; {tried} accepts that"
        yield Remark("float32", text, text)
    else:
        text = "it is nearly right: rounded on the way, or a last digit wrong; keep more digits until the end"
        yield Remark("nearly-right", text, text)


# -- one overlay ------------------------------------------------------------------------------------------


def _one_overlay(cells: _Cells, quantity: Quantity) -> Iterator[Remark]:
    """One term of the sum missing, counted twice, or taken with the wrong sign."""
    if quantity.name == "output" or not quantity.window_axes or quantity.value.shape != cells.value.shape:
        return
    live = quantity.live()
    count = int(np.count_nonzero(live))
    if not 1 < count <= MOST_OVERLAYS or 3 * count * cells.chance() > CHANCE:
        return
    middle = next(islice(quantity.places(), count // 2, None))  # no border has cut what it adds
    inner = quantity.term(middle)
    if len(cells.right) > 2 * inner.patch.size:
        return
    found = list(islice(_overlays(cells, quantity), 2))
    if len(found) != 1:
        return  # none, or one of several that cannot be told apart
    place, how = found[0]
    called = "(" + ", ".join(map(str, place)) + ")"
    text = f"the {quantity.unit} at {called} {how}"
    yield _said("overlay", text)


_HOW = {-1: "is missing", 1: "is counted twice", -2: "has the wrong sign"}


def _overlays(cells: _Cells, quantity: Quantity) -> Iterator[tuple[Place, str]]:
    """(the overlay's name, what is wrong with it) for each that accounts for the whole difference."""
    answer, value = cells.verdict.answer, cells.value
    off = answer.numbers - value
    width = answer.spread + answer.noise + 1e-12 * np.abs(value)
    worst = np.unravel_index(int(np.argmax(np.abs(off))), off.shape) if off.ndim else ()
    count = int(np.count_nonzero(quantity.live()))
    for term in _terms(quantity) if count * value.size <= MOST_REMEMBERED else quantity.terms():
        patch = np.zeros_like(value)
        patch[term.region] = np.asarray(term.patch, np.float64)
        for times, how in _HOW.items():
            if abs(off[worst] - times * patch[worst]) <= 2 * width[worst] and answer.says(value + times * patch):
                yield term.at, how


@lru_cache(maxsize=16)  # the same for every answer to a problem
def _terms(quantity: Quantity) -> tuple[Term, ...]:
    return tuple(quantity.terms())


def _place(kind: str, text: str) -> Remark:
    return Remark(kind, text, text, place=True)


def _said(kind: str, text: str) -> Remark:
    return Remark(kind, text, text)


def _index(index: Array | Place) -> str:
    return "[" + ",".join(str(int(i)) for i in index) + "]" if len(index) else ""
