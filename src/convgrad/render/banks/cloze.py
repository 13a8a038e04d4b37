"""Core Moodle's Cloze XML: a numerical sub-question for each cell, which knows the wrong numbers of everyday mistakes.

A cell alone cannot tell a mistake, so what is said of one says what the other cells would have to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

import numpy as np

from convgrad.core.rational import fraction
from convgrad.render.banks.text import STYLE, grid, task, wanted, words
from convgrad.render.banks.xml import put, put_text, quiz
from convgrad.render.writer import Writer
from convgrad.teaching.asked import plain
from convgrad.teaching.bank import Part, Wrong, parts_of
from convgrad.teaching.exercise import Exercise, Exercises

MOST_A_CELL = 5
"""Wrong numbers of a cell that are known at most."""

EVERYDAY = 1
"""The rank up to which a mistake is an everyday one."""


@dataclass(frozen=True, eq=False, repr=False)
class Cloze(Writer):
    """Writes question banks for Moodle without STACK."""

    def exercises(self, told: Exercises) -> str:
        """A question for each exercise."""
        return quiz(_question(each, f" ({k})" if len(told.each) > 1 else "") for k, each in enumerate(told.each, 1))


def _question(exercise: Exercise, behind: str) -> Element:
    # what is asked for in fractions elsewhere is asked for in decimals, which is all that a cell can take
    exercise = replace(exercise, fractions=False)
    root = Element("question", type="cloze")
    put_text(root, "name", exercise.title + behind)
    asked = (wanted(part, exercise.digits) + _cells(part) for part in parts_of(exercise))
    put_text(root, "questiontext", task(exercise) + "".join(asked), "html")
    put_text(root, "generalfeedback", "", "html")
    put(root, {"penalty": "0.3333333", "hidden": 0, "idnumber": ""})
    return root


def _cells(part: Part) -> str:
    """The sub-questions of a result, as a table."""
    each = np.empty(part.right.texts.size, object)
    each[:] = [_cell(part, k) for k in range(each.size)]
    rows = grid(each.reshape(part.right.texts.shape)).tolist()
    return (
        f"<table {STYLE}>"
        + "".join(f"<tr>{''.join(f'<td>{one}</td>' for one in row)}</tr>" for row in rows)
        + ("</table>")
    )


def _cell(part: Part, k: int) -> str:
    """One cell's sub-question: ``{1:NUMERICAL:=0.0446:0.00005#Right.~%0%...}``."""
    right = f"={part.right.texts.ravel()[k]}:{_tolerance(part.right.tolerance.ravel()[k])}#Right."
    wrong = (
        f"%{share}%{text}:{_tolerance(tolerance)}#{escaped(said)}" for text, tolerance, share, said in _wrong(part, k)
    )
    return "{1:NUMERICAL:" + "~".join([right, *wrong]) + "}"


def _wrong(part: Part, k: int) -> Iterator[tuple[str, float, int, str]]:
    """The wrong numbers of a cell, apart from the right one and from each other: text, tolerance, share, words."""
    known = [(part.right.values.ravel()[k], part.right.tolerance.ravel()[k])]
    for wrong in part.wrong:
        if min(each.rank for each in wrong.mistakes) > EVERYDAY:
            continue
        answer = wrong.answers[0]
        value, tolerance = answer.values.ravel()[k], answer.tolerance.ravel()[k]
        if any(abs(value - other) <= 2 * max(tolerance, its) for other, its in known):
            continue
        known.append((value, tolerance))
        yield answer.texts.ravel()[k], tolerance, 100 if wrong.convention else 0, _said(wrong)
        if len(known) > MOST_A_CELL:
            return


def _said(wrong: Wrong) -> str:
    first = wrong.mistakes[0]
    if first.convention:
        return words(f"Right if the others too follow another convention: {first.what} ({first.convention})")
    also = " Other mistakes give the same numbers." if len(wrong.mistakes) > 1 else ""
    return words(f"If the others too are what this gives: {first.what} {first.mend}{also}")


def _tolerance(number: float) -> str:
    return plain(fraction(float(f"{number:.6g}")))


def escaped(text: str) -> str:
    """A text in which nothing is Cloze's own sign."""
    return re.sub(r'([}#~/"\\])', r"\\\1", text)
