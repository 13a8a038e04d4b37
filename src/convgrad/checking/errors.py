"""What is off in an answer, summed up: how much at most and where, how many cells, in which box and pattern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convgrad.checking.patterns import pattern_of
from convgrad.checking.patterns.cells import Cells, Pattern, along
from convgrad.checking.patterns.index_sets import index_set
from convgrad.core.element import Array, Place


@dataclass(frozen=True)
class Error:
    """One cell that is off: where, what is said there, what is right, and by how much (of the value, if relative)."""

    at: Place
    answer: float
    value: float
    off: float


@dataclass(frozen=True)
class Errors:
    """The wrong cells of an answer.

    count, total: how many are wrong, of how many; largest_absolute, largest_relative: None where no finite cell is off,
    or none whose value is not 0; first: in memory order; box: (from, to) an axis, the smallest that holds them, `to`
    excluded; pattern: None for none; said: what the answer says in all of them, ``0`` or ``NaN``, else empty.
    """

    count: int
    total: int
    largest_absolute: Error | None
    largest_relative: Error | None
    first: Place
    box: tuple[tuple[int, int], ...]
    box_index: str
    pattern: Pattern | None
    said: str = ""

    def sentence(self, name: str) -> str:
        """The pattern of the wrong cells of the result `name`, in words; empty where they have none."""
        found = self.pattern
        if found is None:
            return ""
        cells = f"{name}{found.index}: {found.words}" if found.index.startswith(("[", ".")) else found.words
        if found.kind in ("tiles", "border", "lines"):
            cells = f"{found.words} ({found.index.replace('[', f'{name}[', 1)})"
        if found.outside:
            text = f"all but {found.outside} of the {self.count} cells that are off lie in {cells}"
        elif found.exact:
            text = f"what is off is {cells}"
        else:
            text = f"the cells that are off lie in {cells}, {found.inside} of its {found.covered} cells"
        return text + (f"; the answer is {self.said} in all of them" if self.said else "")


def errors_of(given: Array, value: Array, wrong: Array, words: Sequence[str], spatial: Sequence[int]) -> Errors | None:
    """An answer, the right value and which cells are wrong, all of one shape -> what is off; None where nothing is.

    words: what an index along each axis is called; spatial: the axes of places.
    """
    count = int(np.count_nonzero(wrong))
    if not count:
        return None
    shape, places = wrong.shape, np.flatnonzero(wrong)
    numbers, right = given.ravel()[places], np.asarray(value, np.float64).ravel()[places]
    finite = np.isfinite(numbers)
    with np.errstate(all="ignore"):
        absolute = np.where(finite, np.abs(numbers - right), -1)
        relative = np.where(finite & (right != 0), absolute / np.abs(right), -1)
    held = [np.flatnonzero(along(wrong, axis)) for axis in range(wrong.ndim)]
    box = tuple((int(each[0]), int(each[-1]) + 1) for each in held)
    ranges = [index_set(np.arange(*each), n).index for each, n in zip(box, shape, strict=True)]

    def largest(sizes: Array) -> Error | None:
        k = int(np.argmax(sizes))
        return (
            None if sizes[k] <= 0 else Error(_at(places[k], shape), float(numbers[k]), float(right[k]), float(sizes[k]))
        )

    return Errors(
        count,
        wrong.size,
        largest(absolute),
        largest(relative),
        _at(places[0], shape),
        box,
        f"[{','.join(ranges)}]",
        pattern_of(Cells.of(wrong, (given != 0) | wrong), words, spatial),
        _everywhere(numbers),
    )


def _at(place: int, shape: tuple[int, ...]) -> Place:
    return tuple(int(i) for i in np.unravel_index(int(place), shape))


def _everywhere(numbers: Array) -> str:
    """The number that all are, as text, where they are several and it is 0 or no number; else empty."""
    if len(numbers) < 2:
        return ""
    if np.isnan(numbers).all():
        return "NaN"
    return "0" if not numbers.any() else ""


def axis_words(name: str, ndim: int, spatial: Sequence[int]) -> list[str]:
    """What an index along each axis of a result is called: ``example``, ``channel``, ``row``, ``column``."""
    words = ["index"] * ndim
    for number, axis in enumerate(reversed(spatial)):
        words[axis] = ("column", "row", "plane")[number]
    rest = [axis for axis in range(ndim) if axis not in spatial]
    of_weights = name.rpartition(".")[2].removesuffix("_new").removeprefix("velocity_") in ("dW", "W")
    inner = (
        rest if of_weights and spatial and spatial[0] == 0 else rest[::-1]
    )  # a kernel (kh, kw, C, F), or (F, C, ...)
    for axis, word in zip(inner, ("channel", "filter" if of_weights else "example"), strict=False):
        words[axis] = word
    return ["row", "column"] if not spatial and ndim == 2 else words
