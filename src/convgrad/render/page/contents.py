"""A report as plain data for a page: arrays, forms, overlays and sums, all by the numbers of cells. No word of HTML.

Everything a page shows is computed here; what reads it adds nothing, multiplies nothing and knows no stride.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convgrad.core.quantity import Array, Quantity
from convgrad.problems.report import Report
from convgrad.render.page.numbered_cells import Drawn, Numbers, drawn
from convgrad.render.page.steps import Most, walk_data
from convgrad.render.page.written_out import Room, Sums

MOST = Most(overlays=400, numbers=40_000)
"""Overlays of a page, and the numbers in them, of all its forms; the form it opens with has half."""

ABOUT = {
    "overlay": "One place of the kernel after the other.",
    "rotated": "One cell of the result after the other, each the sum of one window.",
    "matrix": "Every place of the kernel is a column of a matrix (im2col).",
}
"""What a form does, in one sentence."""


def page_data(reports: list[Report], title: str, precision: int | None = None) -> dict[str, Any]:
    """Reports -> all that a page is told: ``numbers``, and a figure a report."""
    numbers = Numbers(precision)
    figures = [figure(report, numbers, len(reports)) for report in reports]
    return {"title": title, "numbers": " ".join(numbers.texts), "figures": figures}


def figure(report: Report, numbers: Numbers, among: int = 1) -> dict[str, Any]:
    """One report -> what a page is told of it; among: how many figures share the page."""
    forms = report.forms or {report.form: report}
    cells = Cells(numbers)
    worked = {q.name: q for each in forms.values() for q in each.working.values()}
    summed = {name for each in forms.values() for walk in each.walks() for name in (q.name for q in walk.quantities)}
    given = {name: array for name, array in report.operands.items() if name not in summed}
    operands = [cells.add(name, array, report.spatial.get(name, ())) for name, array in given.items()]
    shown = {**{name: worked[name] for name in worked if name in summed - {*report.results}}, **report.results}
    results = [cells.add(name, quantity.value, quantity.spatial) for name, quantity in shown.items()]
    main = MOST.part(among if len(forms) == 1 else 2 * among)
    rest = main.part(max(1, len(forms) - 1))
    return {
        "title": report.title,
        "form": list(forms).index(report.form),
        "forms": [_form(name, each, cells, main if name == report.form else rest) for name, each in forms.items()],
        "operands": operands,
        "results": results,
        **_sums(report, cells, {**{n: q for n, q in worked.items() if n in given}, **shown}, among),
        "arrays": [each.data for each in cells.all],
        "notes": report.notes,
    }


class Cells:
    """The arrays of a figure, their cells counted through."""

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self.all: list[Drawn] = []
        self.by_name: dict[str, Drawn] = {}

    def add(self, name: str, array: Array, spatial: tuple[int, ...]) -> int:
        """Draw an array, unless it is drawn -> where it stands among the arrays."""
        if name in self.by_name:
            return self.all.index(self.by_name[name])
        start = sum(len(each.data["numbers"]) for each in self.all)
        self.by_name[name] = drawn(name, array, spatial, self.numbers, start)
        self.all.append(self.by_name[name])
        return len(self.all) - 1


def _form(name: str, report: Report, cells: Cells, most: Most) -> dict[str, Any]:
    walks = report.walks()
    each = most.part(len(walks) or 1)
    return {
        "name": name,
        "about": ABOUT[name],
        "arrays": [cells.add(made, array, report.spatial.get(made, ())) for made, array in report.arrays.items()],
        "formulas": {name: _formulas(report, quantity) for name, quantity in report.results.items()},
        "walks": [walk_data(walk, report, cells.by_name, cells.numbers, each) for walk in walks],
    }


def _formulas(report: Report, quantity: Quantity) -> list[str]:
    """The formula of a result, and of what it was before the activation."""
    before = report.working.get(quantity.name, quantity)
    return list(filter(None, dict.fromkeys((before.formula, quantity.formula))))


def _sums(report: Report, cells: Cells, quantities: Mapping[str, Quantity], among: int) -> dict[str, Any]:
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
        opened.append([each.element, each.formula, place, sums.written(each)])
    room, found = Room(among), {}
    waiting = sorted(filter(_explainable, quantities.values()), key=lambda quantity: quantity.value.size)
    for k, quantity in enumerate(waiting):
        room.share(len(waiting) - k)
        written = sums.of(quantity, room)
        left = f"the first {len(written)} of {quantity.value.size}" if len(written) < quantity.value.size else ""
        found[quantity.name] = {"formula": quantity.formula, "cells": written, "left": left}
    return {"sums": found, "factors": sums.factors, "opened": opened}


def _explainable(quantity: Quantity) -> bool:
    """Whether its elements have products; a bare result has none."""
    return bool(quantity.formula)
