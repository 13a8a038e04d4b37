"""Verdicts as entries."""

from __future__ import annotations

from typing import Any

from convgrad.checking.verdict import RIGHT, WRONG_SHAPE, Checked, Verdict
from convgrad.mistakes.mistake import Mistake

Entries = dict[str, Any]


def as_entries(checked: Checked) -> Entries:
    """Verdicts -> the verdict of all, and an entry an answer."""
    answers = {name: _entry(verdict, checked.reveal) for name, verdict in checked.verdicts.items()}
    return {"verdict": checked.verdict, "answers": answers}


def _entry(verdict: Verdict, reveal: bool) -> Entries:
    entry: Entries = {"verdict": verdict.verdict, "wrong_cells": _lists(verdict.wrong_cells)}
    entry["mistakes"] = [
        _mistake(mistake, [each.name for each in sighting.mistakes if each is not mistake])
        for sighting in verdict.sightings
        for mistake in sighting.mistakes
    ]
    if verdict.follows:
        entry["follows"] = verdict.follows
    if verdict.same_as:
        entry["same_as"] = verdict.same_as
    if verdict.convention is not None:
        entry["convention"] = {"name": verdict.convention.name, "option": verdict.convention.convention}
    if verdict.coarse_cells:
        entry["coarse_cells"] = _lists(verdict.coarse_cells)
    if verdict.cut_cells:
        entry["truncated"] = _lists(verdict.cut_cells)
    if odd := verdict.not_finite_cells:
        entry["not_finite"] = {"count": len(odd), "first": list(odd[0])}  # in words: JSON has no NaN
    if verdict.verdict == WRONG_SHAPE:
        entry["shape"], entry["expected_shape"] = list(verdict.answer.numbers.shape), list(verdict.value.shape)
    if verdict.remarks:
        entry["notes"] = [{"kind": each.kind, "text": each.said(reveal)} for each in verdict.remarks]
    if reveal and verdict.verdict != RIGHT:
        entry["value"] = verdict.value
    return entry


def _mistake(mistake: Mistake, made_with: list[str]) -> Entries:
    entry: Entries = {"name": mistake.name, "what": mistake.what, "why": mistake.why, "mend": mistake.mend}
    if made_with:
        entry["together_with"] = made_with
    return entry


def _lists(cells: list[tuple[int, ...]]) -> list[list[int]]:
    return [list(cell) for cell in cells]
