"""Whether a match is evidence, or could be chance.

False accusations are the worst that a catalogue can do, so a match has to say more than the search could have found by
luck. How much it says is counted in bits, against what a wrong answer of another origin would look like: right in most
cells, and off by any amount in some.

- Cells where the prediction is the right value say nothing. In the others each number that occurs says how many
  numbers up to its size could have stood there: log2(1 + 2 |v| / unit), at most 20 bits; a number that occurs again
  says nothing more, and a 0 one bit, six of them at most (cells are left empty for many reasons). Zeros alone are no
  evidence, nor is one number everywhere: who has nothing to say writes such.
- Where the numbers stand says something too: which of the cells are off, log2 (n over k), or how the prediction tells
  cells apart that are equal in the right result; the larger of the two.
- The unit is the step between the numbers that the answer could have been: the places it was written to (asked of
  `fits`, by moving single cells), or the whole numbers, halves or tenths that all of the prediction consists of.

A search over k distinct predictions finds a chance match about k times as often as one does. A match counts if it has
log2(k) + MARGIN bits, k being the predictions tried up to its rank: so an everyday mistake needs less than a
far-fetched one, and a pair more than both. By that count fewer than 2^-MARGIN of the wrong answers are accused;
measured it is far fewer (benchmarks/mistakes.py).

A convention is no accusation, and differs in few cells, often in one: the cells that are right are then a sign that the
work was done, and fewer bits will do for those that are not.
"""

from __future__ import annotations

from collections.abc import Callable
from math import lgamma, log

import numpy as np

from convgrad.core.element import Array

MARGIN = 5.0
"""Bits that a match has to have beyond the logarithm of the number of predictions tried."""

CONVENTION_MARGIN = 2.0
"""The same of the cells where a convention decides, if all cells together have MARGIN."""

MOST_BITS = 20.0
"""Bits that one number says at most: nobody is asked to write more than six digits."""

MOST_CELLS = 4096
"""Cells of a large array that are looked at."""

Fits = Callable[[Array], bool]


def information(prediction: Array, right: Array, fits: Fits) -> float:
    """The bits that a matching prediction says, beyond the right value being known."""
    return bits(prediction, right, written_unit(np.asarray(prediction), fits))


def spare(prediction: Array, right: Array, unit: float, tried: int, convention: bool = False) -> float:
    """The bits that a match has beyond what makes it evidence, after so many predictions; below 0 it could be chance.

    unit: of the last place written.
    """
    own = bits(prediction, right, unit) - log(tried, 2)
    if convention and own > CONVENTION_MARGIN:
        return max(own, _said(_counted(prediction, right, unit)) - log(tried, 2)) - MARGIN
    return own - MARGIN


def bits(prediction: Array, right: Array, unit: float) -> float:
    """The bits that numbers written to a unit say to one who knows the right result."""
    prediction = np.asarray(prediction, float)  # a product of arrays without axes is a bare number
    if not prediction.any() or (prediction.size > 1 and np.ptp(prediction) <= 1e-12 * np.abs(prediction).max()):
        return 0.0
    unit = max(unit, grid(_clean(prediction, right)))
    p = _counted(prediction, right, unit)
    if prediction.shape == right.shape:
        r = np.round(np.asarray(right, float).ravel() / unit)
        differs = np.abs(prediction.ravel() - right.ravel()) > unit / 2
    else:
        r, differs = np.zeros_like(p), np.ones(p.shape, bool)
    n, k = len(p), int(np.count_nonzero(differs))
    if k == 0:
        return 0.0
    if n > MOST_CELLS:
        kept = np.flatnonzero(differs)[:MOST_CELLS]
        p, r, differs = p[kept], r[kept], differs[kept]
    return _said(p[differs]) + max(_chosen(n, k), _told_apart(p, r))


def _clean(prediction: Array, right: Array) -> Array:
    """The numbers, sums that cancel being zeros."""
    noise = 1e-12 * max(float(np.abs(right).max(initial=0.0)), float(np.abs(prediction).max(initial=0.0)))
    return np.where(np.abs(prediction) <= noise, 0, prediction)


def _counted(prediction: Array, right: Array, unit: float) -> Array:
    """The numbers in units of the last place, or of the grid that all of them lie on."""
    clean = _clean(np.asarray(prediction, float), right)
    return np.asarray(np.round(clean.ravel() / max(unit, grid(clean))))


def _said(numbers: Array) -> float:
    """The bits of the numbers that occur, each counted once; one with its opposite sign is one bit more."""
    distinct = np.unique(numbers[numbers != 0])
    sizes = np.unique(np.abs(distinct))
    zeros = min(6, len(numbers) - np.count_nonzero(numbers))
    return float(np.minimum(np.log2(1 + 2 * sizes), MOST_BITS).sum() + (len(distinct) - len(sizes)) + zeros)


def _chosen(n: int, k: int) -> float:
    """log2 of the ways to choose k of n cells."""
    return max(0.0, (lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)) / log(2))


def _told_apart(p: Array, r: Array) -> float:
    """How many bits it takes to say what the prediction has where, for one who knows the right result."""
    pairs, together = np.unique(np.stack([r, p]), axis=1, return_counts=True)
    firsts, index = np.unique(pairs[0], return_inverse=True)
    totals = np.zeros(len(firsts))
    np.add.at(totals, index.ravel(), together)
    return float((together * np.log2(totals[index.ravel()] / together)).sum())


def written_unit(prediction: Array, fits: Fits) -> float:
    """The width of what `fits` accepts in one cell: the unit of the last place written, or twice a tolerance."""
    scale = float(np.abs(prediction).max(initial=0.0))
    if scale == 0:
        return 1.0
    flat = prediction.ravel()
    order = np.argsort(-np.abs(flat), kind="stable")
    cells = order[np.linspace(0, len(order) - 1, min(5, len(order))).astype(int)]
    return 2 * float(np.median([_slack(prediction, int(cell), scale, fits) for cell in cells]))


def _slack(prediction: Array, cell: int, scale: float, fits: Fits) -> float:
    """The largest step by which one cell may move and the array still fits."""
    for exponent in range(0, 13):
        moved = prediction.copy()
        step = scale * 10.0**-exponent
        for signed in (step, -step):
            moved.ravel()[cell] = prediction.ravel()[cell] + signed
            if fits(moved):
                return step
    return scale * 1e-12


def grid(prediction: Array) -> float:
    """The largest power of ten, or half or fifth of one, that all numbers are multiples of; 0 where there is none."""
    scale = float(np.abs(prediction).max(initial=0.0))
    if scale == 0:
        return 1.0
    flat = prediction.ravel()[:MOST_CELLS]
    top = int(np.floor(np.log10(scale)))
    for exponent in range(top, top - 10, -1):
        for step in (10.0**exponent, 5 * 10.0 ** (exponent - 1), 2 * 10.0 ** (exponent - 1)):
            parts = flat / step
            if float(np.abs(parts - np.round(parts)).max()) < 1e-6:
                return step
    return 0.0
