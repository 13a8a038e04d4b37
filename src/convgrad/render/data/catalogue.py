"""The catalogue of mistakes as entries: its rows, one in full, and what a problem shows of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from convgrad.kinds import kind_of
from convgrad.mistakes.mistake import Mistake
from convgrad.render.catalogue import MistakeInFull, Shows
from convgrad.teaching.example import Example


def entry(row: Mistake) -> dict[str, Any]:
    """A row as lists of the catalogue have it."""
    return {
        "name": row.name,
        "about": list(row.about),
        "layers": list(row.layers),
        "what": row.what,
        "why": row.why,
        "mend": row.mend,
    }


def in_full(told: MistakeInFull) -> dict[str, Any]:
    """A row with all that is known of it."""
    row = told.row
    found = {**entry(row), "family": row.family}
    found |= {"convention": row.convention} if row.convention else {}
    found |= {"alike": list(row.alike)} if row.alike else {}
    return found | ({"example": _worked(told.example)} if told.example else {})


def told_apart(told: Shows) -> dict[str, Any]:
    """What a problem tells apart, what it does not, what stays invisible, and what is not to be had, by result."""
    results = {each.name: each.entry for each in told.results}
    return {"layer": told.layer, "results": results}


def _worked(example: Example) -> dict[str, Any]:
    """An example whose problem is a document that the program reads."""
    case = example.case
    settings = {name: _plain(value) for name, value in case.settings.items()}
    operands = {name: np.asarray(operand.array) for name, operand in case.operands.items()}
    return {
        "problem": {"layer": kind_of(case.layer).name, **operands, **settings},
        "result": example.name,
        "right": example.right,
        "wrong": example.wrong,
    }


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, tuple) else value
