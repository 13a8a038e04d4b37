"""How gradients compare with derivatives of the forward pass, as entries."""

from __future__ import annotations

from math import isfinite
from typing import Any

from convgrad.checking.directions import Compared, Gradcheck


def as_entries(found: Gradcheck) -> dict[str, Any]:
    """A comparison of gradients -> its verdict, an entry a gradient, and what lies on a kink."""
    entries: dict[str, Any] = {
        "verdict": found.verdict,
        "gradients": {name: _entry(each) for name, each in found.gradients.items()},
    }
    if found.kinks:
        entries["kinks"] = {
            name: {"cells": [list(cell) for cell in each.cells], "taken": each.taken}
            for name, each in found.kinks.items()
        }
    return entries


def _entry(each: Compared) -> dict[str, Any]:
    entry: dict[str, Any] = {"verdict": each.verdict, "cells": each.cells, "difference": each.difference}
    if each.differs:
        entry["differs"] = [
            {"cell": list(cell.index), "analytic": _number(cell.analytic), "numerical": cell.numerical}
            for cell in each.differs
        ]
        entry["complete"] = each.complete
    return entry


def _number(value: float) -> float | None:
    """A number, or null for what is none."""
    return value if isfinite(value) else None
