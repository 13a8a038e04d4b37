"""What is off in a large answer in sentences, the same for every format that people read."""

from __future__ import annotations

from collections.abc import Iterator

from convgrad.checking.errors import Error, Errors
from convgrad.checking.verdict import Verdict
from convgrad.core.element import element_name
from convgrad.render.number_text import readable


def errors_told(verdict: Verdict, reveal: bool, precision: int | None = None) -> Iterator[str]:
    """How much is off at most and where, the first cell, the box of all, their pattern unless a remark says it."""
    errors = verdict.errors
    if errors is None:
        return
    if 1 < errors.count < errors.total:
        place = f"the first in memory order is {element_name(verdict.name, errors.first)}"
        box = f", all lie in {verdict.name}{errors.box_index}" if _tells(errors) else ""
        yield f"{place[0].upper()}{place[1:]}{box}."
    for word, error in (("absolute", errors.largest_absolute), ("relative", errors.largest_relative)):
        if error is not None:
            yield _largest(verdict.name, word, error, reveal, precision)
    if (
        errors.pattern is not None
        and errors.count < errors.total
        and not any(remark.place for remark in verdict.remarks)
    ):
        sentence = errors.sentence(verdict.name)
        yield f"{sentence[0].upper()}{sentence[1:]}."


def _tells(errors: Errors) -> bool:
    """Whether the box says more than that the cells lie anywhere, and the pattern does not say it."""
    inside = 1
    for start, stop in errors.box:
        inside *= stop - start
    same = errors.pattern is not None and errors.pattern.index == errors.box_index
    return inside < errors.total and not same


def _largest(name: str, word: str, error: Error, reveal: bool, precision: int | None) -> str:
    where = f"is at {element_name(name, error.at)}, given {readable(error.answer, precision)}"
    if not reveal:
        return f"The largest {word} error {where}."
    return f"The largest {word} error, {error.off:.3g}, {where}, right {readable(error.value, precision)}."
