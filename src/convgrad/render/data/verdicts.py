"""Verdicts: JSON for programs; for people, a panel an answer (verdict_table.py)."""

from __future__ import annotations

from typing import Any

from convgrad.checking.verdict import RIGHT, WRONG_SHAPE, Checked, Remark, Verdict
from convgrad.errors import OptionError
from convgrad.mistakes.mistake import Mistake
from convgrad.render import Page
from convgrad.render.data.json import dump

Verdicts = dict[str, Any]


def render_verdicts(checked: Checked, form: str, precision: int | None, page: Page) -> bytes:
    """Verdicts -> the bytes of a format, json or table; OptionError for the others."""
    if form == "json":
        return (dump(as_json(checked), precision) + "\n").encode()
    if form != "table":
        raise OptionError(f"verdicts are written as table or json, not as {form}", where="--format")
    from convgrad.render.terminal.verdicts import draw_verdicts

    return draw_verdicts(checked, precision, page).encode()


def as_json(checked: Checked) -> Verdicts:
    """Verdicts -> ``{"verdict": ..., "answers": {name: {"verdict", "wrong_cells", "mistakes", ...}}}``."""
    answers = {name: _entry(verdict, checked.reveal) for name, verdict in checked.verdicts.items()}
    return {"verdict": checked.verdict, "answers": answers}


def _entry(verdict: Verdict, reveal: bool) -> Verdicts:
    entry: Verdicts = {"verdict": verdict.verdict, "wrong_cells": _lists(verdict.wrong_cells)}
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
    if verdict.verdict == WRONG_SHAPE:
        entry["shape"], entry["expected_shape"] = list(verdict.answer.numbers.shape), list(verdict.value.shape)
    if verdict.remarks:
        entry["notes"] = [{"kind": each.kind, "text": words(each, reveal)} for each in verdict.remarks]
    if reveal and verdict.verdict != RIGHT:
        entry["value"] = verdict.value
    return entry


def _mistake(mistake: Mistake, made_with: list[str]) -> Verdicts:
    entry: Verdicts = {"name": mistake.name, "what": mistake.what, "why": mistake.why, "mend": mistake.mend}
    if made_with:
        entry["together_with"] = made_with
    return entry


def words(remark: Remark, reveal: bool) -> str:
    """What a remark may say."""
    return remark.text if reveal else remark.hint


def _lists(cells: list[tuple[int, ...]]) -> list[list[int]]:
    return [list(cell) for cell in cells]
