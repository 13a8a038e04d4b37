"""How gradients compare with central differences: JSON; for people, a table (gradcheck_table.py)."""

from __future__ import annotations

from typing import Any

from convgrad.checking.gradcheck import Compared, Gradcheck
from convgrad.errors import OptionError
from convgrad.render import Page
from convgrad.render.data.json import dump


def render_gradcheck(found: Gradcheck, form: str, precision: int | None, page: Page) -> bytes:
    """A comparison of gradients -> the bytes of a format, json or table; OptionError for the others."""
    if form == "json":
        entries = {name: _entry(each) for name, each in found.gradients.items()}
        return (dump({"verdict": found.verdict, "gradients": entries}, None) + "\n").encode()
    if form != "table":
        raise OptionError(f"a comparison is written as table or json, not as {form}", where="--format")
    from convgrad.render.terminal.gradchecks import draw_gradcheck

    return draw_gradcheck(found, precision, page).encode()


def _entry(each: Compared) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "verdict": each.verdict,
        "largest_difference": each.largest,
        "cells": each.total,
        "compared": each.compared,
        "kinks": [list(cell) for cell in each.kinks],
    }
    if each.compared < each.total:
        entry["directions"] = each.directions
        entry["directions_astray"] = each.astray
    if each.differs:
        entry["differs"] = [
            {"cell": list(cell.index), "analytic": cell.analytic, "numerical": cell.numerical} for cell in each.differs
        ]
    return entry
