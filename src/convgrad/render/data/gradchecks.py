"""How gradients compare with central differences, as entries."""

from __future__ import annotations

from typing import Any

from convgrad.checking.gradcheck import Compared, Gradcheck


def as_entries(found: Gradcheck) -> dict[str, Any]:
    """A comparison of gradients -> its verdict, and an entry a gradient."""
    return {"verdict": found.verdict, "gradients": {name: _entry(each) for name, each in found.gradients.items()}}


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
