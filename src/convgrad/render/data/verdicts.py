"""Verdicts as entries."""

from __future__ import annotations

from typing import Any

import numpy as np

from convgrad.checking.errors import Error, Errors
from convgrad.checking.verdict import RIGHT, WRONG_SHAPE, Checked, Verdict
from convgrad.core.element import Array
from convgrad.mistakes.mistake import Mistake

Entries = dict[str, Any]

MOST_LISTED = 1000
"""Cells that are listed, and numbers that the right value may have to be written; of more only the first are."""


def as_entries(checked: Checked) -> Entries:
    """Verdicts -> the verdict of all, and an entry an answer."""
    answers = {name: _entry(verdict, checked.reveal) for name, verdict in checked.verdicts.items()}
    entries: Entries = {"verdict": checked.verdict, "answers": answers}
    if checked.strange:
        entries["not_compared"] = list(checked.strange)
    return entries


def _entry(verdict: Verdict, reveal: bool) -> Entries:
    entry: Entries = {"verdict": verdict.verdict, "wrong_cells": _cells(verdict.wrong)}
    entry["mistakes"] = [
        _mistake(mistake, [each.name for each in sighting.mistakes if each is not mistake])
        for sighting in verdict.sightings
        for mistake in sighting.mistakes
    ]
    if verdict.verdict == RIGHT:
        entry["shows"] = [each.name for each in verdict.shows.mistakes]
    if verdict.follows:
        entry["follows"] = verdict.follows
    if verdict.same_as:
        entry["same_as"] = verdict.same_as
    if verdict.convention is not None:
        entry["convention"] = {"name": verdict.convention.name, "option": verdict.convention.convention}
    if verdict.match is not None and verdict.match.coarse.any():
        entry["coarse_cells"] = _cells(verdict.match.coarse)
    if verdict.match is not None and verdict.match.cut.any():
        entry["truncated"] = _cells(verdict.match.cut)
    if verdict.blank_cells:
        entry["blank_cells"] = _cells(verdict.answer.blank)
    if verdict.errors is not None:
        entry["errors"] = _errors(verdict.errors, reveal)
    if verdict.answer.by_dtype:
        entry["compared"] = verdict.answer.words
    if odd := verdict.not_finite_cells:
        entry["not_finite"] = {"count": len(odd), "first": list(odd[0])}  # in words: JSON has no NaN
    if verdict.verdict == WRONG_SHAPE:
        entry["shape"], entry["expected_shape"] = list(verdict.answer.numbers.shape), list(verdict.value.shape)
    if verdict.remarks:
        entry["notes"] = [{"kind": each.kind, "text": each.said(reveal)} for each in verdict.remarks]
    if reveal and verdict.verdict != RIGHT:
        entry |= _value(verdict)
    if cut := _cut(verdict):
        entry["cut"] = cut
    return entry


def _value(verdict: Verdict) -> Entries:
    """The right value; of a large one the right values in the wrong cells that are listed."""
    if verdict.value.size <= MOST_LISTED:
        return {"value": verdict.value}
    cells = np.argwhere(verdict.wrong)[:MOST_LISTED]
    return {"values": verdict.value[tuple(cells.T)]} if len(cells) else {}


def _cut(verdict: Verdict) -> Entries:
    """How many there are of what is listed in part only: by key ``{"listed", "of"}``."""
    counts = {"wrong_cells": int(verdict.wrong.sum()), "blank_cells": int(verdict.answer.blank.sum())}
    if verdict.match is not None:
        counts |= {"coarse_cells": int(verdict.match.coarse.sum()), "truncated": int(verdict.match.cut.sum())}
    return {name: {"listed": MOST_LISTED, "of": count} for name, count in counts.items() if count > MOST_LISTED}


def _errors(errors: Errors, reveal: bool) -> Entries:
    """What is off, summed up."""
    found = errors.pattern
    return {
        "count": errors.count,
        "of": errors.total,
        "largest_absolute": _error(errors.largest_absolute, reveal),
        "largest_relative": _error(errors.largest_relative, reveal),
        "first": list(errors.first),
        "box": errors.box_index,
        "pattern": None if found is None else {"kind": found.kind, "cells": found.index, "text": found.words},
    }


def _error(error: Error | None, reveal: bool) -> Entries | None:
    if error is None:
        return None
    off = error.off if np.isfinite(error.off) else None  # beyond what a float holds: JSON has no infinity
    told = {"at": list(error.at), "answer": error.answer, "value": error.value, "off": off}
    return told if reveal else {"at": told["at"], "answer": told["answer"]}


def _mistake(mistake: Mistake, made_with: list[str]) -> Entries:
    entry: Entries = {"name": mistake.name, "what": mistake.what, "why": mistake.why, "mend": mistake.mend}
    if made_with:
        entry["together_with"] = made_with
    return entry


def _cells(mask: Array) -> list[list[int]]:
    """The cells of a mask in memory order, the first of many."""
    found: list[list[int]] = np.argwhere(mask)[:MOST_LISTED].tolist()
    return found
