"""What `grade` has to say: a row a submission, as JSON has it, and what they add up to when all are told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from convgrad.teaching.summary import Summary

Row = dict[str, Any]


@dataclass(frozen=True, eq=False, repr=False)
class Grades:
    """Rows, to be gone through once, and their summary, which is whole when that is done.

    names: the results that have points; alone: whether there is just one submission, which some formats are about.
    """

    noun: ClassVar[str] = "grades"
    called: ClassVar[str] = "grades are"

    rows: Iterable[Row]
    summary: Summary
    names: tuple[str, ...] = ()
    alone: bool = False


def mistakes_in(row: Row) -> dict[str, list[str]]:
    """The names of the mistakes in each answer of a row, by result."""
    return {name: [each["name"] for each in answer.get("mistakes", ())] for name, answer in row["answers"].items()}


def told(answer: Row) -> str:
    """In a few sentences what there is to say of one answer, without a right value."""
    parts = [f"{answer['verdict']}."]
    if "follows" in answer:
        parts = [f"follows: worked rightly from your {answer['follows']}, which is not right itself."]
    if "convention" in answer:
        parts.append(f"Right under another convention: {answer['convention']['name']}.")
    if cells := answer.get("wrong_cells"):
        parts.append(f"{len(cells)} cell{'s are' if len(cells) > 1 else ' is'} wrong, the first at {cells[0]}.")
    if "expected_shape" in answer:
        parts.append(f"Its shape is {answer['shape']}, expected is {answer['expected_shape']}.")
    for each in () if "convention" in answer else answer.get("mistakes", ()):
        parts.append(f"{each['name']}: {each['what']} {each['mend']}")
    return " ".join(parts)
