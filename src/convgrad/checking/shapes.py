"""What an answer of the wrong shape has to do with the right one."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from convgrad.checking.verdict import Question, Remark
from convgrad.checking.written import Answer
from convgrad.core.element import Array
from convgrad.errors import by
from convgrad.layers import Sliding


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
    if [n for n in given if n > 1] == [n for n in right if n > 1]:
        which = "extra axes" if len(given) > len(right) else "axes missing" if len(given) < len(right) else "axes"
        same = answer.reshaped(right).says(value)
        return "axes-of-one", f"{which} of length 1" + ("; the numbers are right" if same else "")
    if given == right[::-1] and answer.transposed().says(value):
        return "transposed", "it is transposed; the numbers are right"
    if answer.reshaped(right).says(value):
        return "reshaped", "the numbers are right in reading order; give them their rows"
    return None


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
