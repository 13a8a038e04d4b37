"""What an answer of the wrong shape has to do with the right one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from math import prod

import numpy as np

from convgrad.checking.verdict import Question, Remark, Verdict
from convgrad.checking.written import Answer
from convgrad.core.element import Array
from convgrad.errors import by
from convgrad.layers import Sliding

MOST_ORDERED = 6
"""Axes from which on their orders are no longer tried."""


def as_meant(answer: Answer, right: tuple[int, ...]) -> tuple[Answer, tuple[Remark, ...]]:
    """The answer with axes of length 1 added or dropped, where only these are too many or too few, and a note of it."""
    given = answer.numbers.shape
    if answer.rules.strict_shape or given == right or not _alike(given, right):
        return answer, ()
    text = f"it is {_named(given)}, and is read as {_named(right)}"
    return answer.reshaped(right), (Remark("axes-of-one", text, text),)


def _alike(given: tuple[int, ...], right: tuple[int, ...]) -> bool:
    """Whether shapes are the same but for axes of length 1."""
    return [n for n in given if n != 1] == [n for n in right if n != 1]


def readings(answer: Answer, right: tuple[int, ...]) -> Iterator[tuple[str, Answer]]:
    """What numbers in a wrong shape may have been meant as: how they are then read, and the answer of that shape."""
    given = answer.numbers.shape
    if given == right[::-1] and len(right) > 1:
        yield "transposed", answer.transposed()
    if prod(given) == prod(right):
        yield f"read as {_named(right)}", answer.reshaped(right)


def told(how: str, verdict: Verdict) -> tuple[Remark, ...]:
    """What is to be said of numbers that were read otherwise; nothing where nothing was found in them."""
    if verdict.follows:
        text = f"{how}, its numbers are worked rightly from your {verdict.follows}"
    elif verdict.convention is not None:
        text = f"{how}, its numbers are right under another convention ({verdict.convention.convention})"
    elif verdict.sightings:
        text = f"{how}, its numbers are what the following gives"
    else:
        found = [each for each in verdict.remarks if each.kind != "all-cells"]
        return tuple(Remark(each.kind, f"{how}: {each.text}", f"{how}: {each.hint}") for each in found)
    return (Remark("read-as", text, text),)


def remarks(answer: Answer, value: Array, question: Question) -> tuple[Remark, ...]:
    """What can be said of an answer whose shape is not the value's: in words, without a right value."""
    given, right = answer.numbers.shape, value.shape
    found = _same_numbers(answer, value) or _part(answer, value) or _padded(answer, value, question)
    head = f"it is {_named(given)}, but expected is {_named(right)}"
    return tuple(
        Remark(kind, f"{head}: {text}", f"{head}: {text}") for kind, text in [found or ("shape", "")] if text
    ) or (Remark("shape", head, head),)


def _same_numbers(answer: Answer, value: Array) -> tuple[str, str] | None:
    """Right numbers in another shape."""
    given, right = answer.numbers.shape, value.shape
    if prod(given) != prod(right):
        return None
    if _alike(given, right):
        which = "extra axes" if len(given) > len(right) else "axes missing" if len(given) < len(right) else "axes"
        same = answer.reshaped(right).says(value)
        return "axes-of-one", f"{which} of length 1" + ("; the numbers are right" if same else "")
    for axes in _orders(given, right):
        if answer.transposed(axes).says(value):
            how = "it is transposed" if axes == tuple(range(len(right)))[::-1] else "its axes are in another order"
            return "transposed", f"{how}; the numbers are right"
    if answer.reshaped(right).says(value):
        return "reshaped", "the numbers are right in reading order; give them their rows"
    return None


def _orders(given: tuple[int, ...], right: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The orders of a few axes that make one shape of the other, the opposite order first."""
    if len(given) != len(right) or not 1 < len(given) < MOST_ORDERED:
        return []
    orders = sorted(permutations(range(len(given))), reverse=True)
    return [axes for axes in orders if tuple(given[axis] for axis in axes) == right]


def _part(answer: Answer, value: Array) -> tuple[str, str] | None:
    """The right result with more rows around it, or a part of it."""
    given, right = answer.numbers.shape, value.shape
    if len(given) != len(right):
        return None
    larger = all(g >= r for g, r in zip(given, right, strict=True))
    smaller = all(g <= r for g, r in zip(given, right, strict=True))
    if not larger and not smaller:
        return None
    spare = [abs(g - r) for g, r in zip(given, right, strict=True)]
    if prod(n + 1 for n in spare) > 4096:
        return None
    enough = len(np.unique(answer.numbers)) >= 3  # fewer may lie anywhere by chance
    for start in np.ndindex(*(n + 1 for n in spare)):
        if larger:
            inner = tuple(slice(s, s + r) for s, r in zip(start, right, strict=True))
            if replace(answer, numbers=answer.numbers[inner], given=answer.given[inner]).says(value):
                place = _place(start)
                return "larger", f"the right numbers are in it, from {place} on; the rest around them does not belong"
        else:
            inner = tuple(slice(s, s + g) for s, g in zip(start, given, strict=True))
            if enough and answer.says(value[inner]):
                return "part", f"it is a part of the result, the one from {_place(start)} on; the rest is missing"
    return None


def _padded(answer: Answer, value: Array, question: Question) -> tuple[str, str] | None:
    """A result as large as the padded input."""
    problem = None if question.case is None else question.case.problem
    if problem is None or question.result != "dX" or not isinstance(problem.layer, Sliding):
        return None
    spatial = question.quantity.spatial
    axes = problem.layer.windows(problem.x).axes
    given = answer.numbers.shape
    if len(spatial) != len(axes) or len(given) != value.ndim:
        return None
    padded = list(value.shape)
    for number, axis in zip(spatial, axes, strict=True):
        padded[number] = axis.padded
    if tuple(padded) == given:
        return "padding-left-on", "that is the padded input's shape; the padding is still on"
    return None


def _named(shape: tuple[int, ...]) -> str:
    """A shape in words."""
    return f"a list of {shape[0]}" if len(shape) == 1 else by(shape)


def _place(start: tuple[int, ...]) -> str:
    return "(" + ", ".join(map(str, start)) + ")"
