"""A report as plain data for a page: arrays, forms, overlays and sums, all by the numbers of cells. No word of HTML.

Everything a page shows is computed here; what reads it adds nothing, multiplies nothing and knows no stride.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convgrad.core.element import Array
from convgrad.core.quantity import Quantity
from convgrad.kinds import FORMS
from convgrad.problems.report import Report
from convgrad.render.page.numbered_cells import MOST_ARRAY_CELLS, Drawn, Numbers, drawn
from convgrad.render.page.steps import OverlayLimits, walk_data
from convgrad.render.page.written_out import Room, Sums

MOST = OverlayLimits(overlays=400, numbers=40_000)
"""Overlays of a page, and the numbers in them, of all its forms; the form it opens with has half."""

ROOM, ROOM_FOR_ARRAYS = 2_200_000, 1_700_000
"""Characters that arrays and overlays of a page may take together, and arrays alone; what is written out of elements
and the page itself stay below 750,000."""

PER_NUMBER, PER_CELL = 36, 7
"""Characters that a number of an overlay takes, about, and a cell beside its number."""


def page_data(reports: list[Report], title: str, precision: int | None = None) -> dict[str, Any]:
    """Reports -> all that a page is told: ``numbers``, and a figure a report."""
    arrays = [array for report in reports for array in _arrays(report)]
    cells, taken = _fitting(arrays, precision)
    most = OverlayLimits(MOST.overlays, min(MOST.numbers, (ROOM - taken) // PER_NUMBER)).part(len(reports))
    numbers = Numbers(precision)
    figures = [figure(report, numbers, Limits(cells, most, len(reports))) for report in reports]
    return {"title": title, "numbers": " ".join(numbers.texts), "figures": figures}


@dataclass(frozen=True)
class Limits:
    """What one of `among` figures may take: cells of one array, overlays."""

    cells: int
    overlays: OverlayLimits
    among: int


def figure(report: Report, numbers: Numbers, limits: Limits) -> dict[str, Any]:
    """One report -> what a page is told of it."""
    forms, (given, shown) = _forms(report), _shown(report)
    cells = FigureCells(numbers, limits.cells)
    operands = [cells.add(name, array, report.spatial.get(name, ())) for name, array in given.items()]
    results = [cells.add(name, quantity.value, quantity.spatial) for name, quantity in shown.items()]
    main = limits.overlays.part(1 if len(forms) == 1 else 2)
    rest = main.part(max(1, len(forms) - 1))
    worked = _worked(report)
    return {
        "title": report.title,
        "form": list(forms).index(report.form),
        "forms": [_form(name, each, cells, main if name == report.form else rest) for name, each in forms.items()],
        "operands": operands,
        "results": results,
        **_sums(report, cells, {**{n: q for n, q in worked.items() if n in given}, **shown}, limits.among),
        "arrays": [each.data for each in cells.all],
        "notes": report.notes,
    }


def _forms(report: Report) -> Mapping[str, Report]:
    return report.forms or {report.form: report}


def _worked(report: Report) -> dict[str, Quantity]:
    """What the overlays of all forms add up to, or are made of."""
    return {q.name: q for each in _forms(report).values() for q in each.working.values()}


def _shown(report: Report) -> tuple[dict[str, Array], dict[str, Quantity]]:
    """(the operands that no overlay adds up to, the results and what overlays add up to)."""
    worked, walks = _worked(report), [walk for each in _forms(report).values() for walk in each.walks()]
    summed = {quantity.name for walk in walks for quantity in walk.quantities}
    given = {name: array for name, array in report.operands.items() if name not in summed}
    return given, {**{name: worked[name] for name in worked if name in summed - {*report.results}}, **report.results}


def _arrays(report: Report) -> list[tuple[str, Array, tuple[int, ...]]]:
    """The arrays that a figure draws, with their spatial axes, those of all forms included."""
    given, shown = _shown(report)
    found = {name: (array, report.spatial.get(name, ())) for name, array in given.items()}
    found |= {name: (quantity.value, quantity.spatial) for name, quantity in shown.items()}
    for each in _forms(report).values():
        found = {name: (array, report.spatial.get(name, ())) for name, array in each.arrays.items()} | found
    return [(name, *each) for name, each in found.items()]


def _fitting(arrays: Sequence[tuple[str, Array, tuple[int, ...]]], precision: int | None) -> tuple[int, int]:
    """(the most cells of one array with which all arrays fit on the page, the characters that they take then)."""
    numbers, most = Numbers(precision), MOST_ARRAY_CELLS
    while True:
        cells = [cell for each in arrays for cell in drawn(*each, numbers, 0, most).data["numbers"]]
        taken = PER_CELL * len(cells) + sum(len(numbers.texts[number]) + 1 for number in set(cells))
        if taken <= ROOM_FOR_ARRAYS or most == 1:
            return most, taken
        most = most * 4 // 5


class FigureCells:
    """The arrays of a figure, their cells counted through; most: cells of one array."""

    def __init__(self, numbers: Numbers, most: int) -> None:
        self.numbers, self.most = numbers, most
        self.all: list[Drawn] = []
        self.by_name: dict[str, Drawn] = {}

    def add(self, name: str, array: Array, spatial: tuple[int, ...]) -> int:
        """Draw an array, unless it is drawn -> where it stands among the arrays."""
        if name in self.by_name:
            return self.all.index(self.by_name[name])
        start = sum(len(each.data["numbers"]) for each in self.all)
        self.by_name[name] = drawn(name, array, spatial, self.numbers, start, self.most)
        self.all.append(self.by_name[name])
        return len(self.all) - 1


def _form(name: str, report: Report, cells: FigureCells, most: OverlayLimits) -> dict[str, Any]:
    walks = report.walks()
    each = most.part(len(walks) or 1)
    return {
        "name": name,
        "about": FORMS[name].sentence,
        "arrays": [cells.add(made, array, report.spatial.get(made, ())) for made, array in report.arrays.items()],
        "formulas": {name: _formulas(report, quantity) for name, quantity in report.results.items()},
        "walks": [walk_data(walk, report, cells.by_name, cells.numbers, each) for walk in walks],
    }


def _formulas(report: Report, quantity: Quantity) -> list[str]:
    """The formula of a result, and of what it was before the activation."""
    before = report.working.get(quantity.name, quantity)
    return [str(each) for each in dict.fromkeys((before.formula, quantity.formula)) if each]


def _sums(report: Report, cells: FigureCells, quantities: Mapping[str, Quantity], among: int) -> dict[str, Any]:
    """What elements are sums of: those asked for, and of each quantity as many as there is room for."""
    other = {"b": "bias", **(report.problem.parameters if report.problem else {})}
    sums = Sums(cells.by_name, cells.numbers, other, report.zeros)
    opened = []
    for each in report.explanations:
        own = cells.by_name.get(each.name)
        flat = 0
        for i, size in zip(each.at, own.array.shape if own else (), strict=False):
            flat = flat * size + i
        place = int(own.cells[flat]) if own else -1
        opened.append([each.element, str(each.formula), place, sums.written(each)])
    room, found = Room(among), {}
    waiting = sorted(filter(_explainable, quantities.values()), key=lambda quantity: quantity.value.size)
    for k, quantity in enumerate(waiting):
        room.share(len(waiting) - k)
        written = sums.of(quantity, room)
        left = f"the first {len(written)} of {quantity.value.size}" if len(written) < quantity.value.size else ""
        found[quantity.name] = {"formula": str(quantity.formula), "cells": written, "left": left}
    return {"sums": found, "factors": sums.factors, "opened": opened}


def _explainable(quantity: Quantity) -> bool:
    """Whether its elements have products; a bare result has none."""
    return bool(quantity.formula)
