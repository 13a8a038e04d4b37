"""Verdicts and the catalogue as rows of text with a heading, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from convgrad.checking.verdict import Checked, Verdict
from convgrad.core.element import element_name
from convgrad.mistakes.mistake import Mistake
from convgrad.numerals import parse_number

MOST_LISTED = 100
"""Wrong cells of an answer that are listed; more are counted."""

ANSWER = ("answer", "verdict", "cells", "wrong", "wrong_cells", "mistakes", "follows", "convention", "notes")
"""What is said of an answer, a column each."""


def of_verdicts(checked: Checked, separator: str) -> str:
    """A row an answer: no right value stands in it but in notes, which tell none where it may not be told."""
    return table([ANSWER, *(_answer(each, checked.reveal) for each in checked.verdicts.values())], separator)


def _answer(verdict: Verdict, reveal: bool) -> Iterator[str]:
    wrong = int(verdict.wrong.sum())
    cells = [element_name(verdict.name, cell) for cell in np.argwhere(verdict.wrong)[:MOST_LISTED].tolist()]
    cells += [f"and {wrong - MOST_LISTED} more"] if wrong > MOST_LISTED else []
    sightings = (" with ".join(mistake.name for mistake in each.mistakes) for each in verdict.sightings)
    yield from (verdict.name, verdict.verdict, str(verdict.answer.numbers.size), str(wrong), " ".join(cells))
    yield from ("; ".join(sightings), verdict.follows)
    yield verdict.convention.convention if verdict.convention is not None else ""
    yield "; ".join(remark.said(reveal) for remark in verdict.remarks)


def of_catalogue(rows: Sequence[Mistake], separator: str) -> str:
    """A row a mistake."""
    told = ((row.name, " ".join(row.about), " ".join(row.layers), row.what, row.why, row.mend) for row in rows)
    return table([("name", "about", "layers", "what", "why", "mend"), *told], separator)


def table(rows: Iterable[Iterable[str]], separator: str) -> str:
    """Rows of text; those that a spreadsheet would take for a formula are made harmless by a sign before them."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=separator, lineterminator="\n")
    for row in rows:
        writer.writerow([_harmless(each) for each in row])
    return stream.getvalue()


def _harmless(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") and parse_number(text) is None else text
