"""Overlays as a page is told them: which cells light up, what is added to which, and the sums by then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from convgrad.core.quantity import Quantity
from convgrad.core.term import Cells
from convgrad.problems.report import Overlay, Report, Walk
from convgrad.render.number_text import readable
from convgrad.render.padding import own_cells, padding_of
from convgrad.render.page.numbered_cells import Drawn, Numbers, runs
from convgrad.render.planes import adding
from convgrad.render.sentences import headline, place, silence

MOST_SILENT = 12
"""Overlays that add nothing, named one by one."""

FILLED = ("output", "z")
"""Quantities whose cells hold nothing, rather than 0, before their overlay."""


@dataclass(frozen=True)
class OverlayLimits:
    """How many overlays are shown, and how many numbers they may have in all."""

    overlays: int
    numbers: int

    def part(self, share: int) -> OverlayLimits:
        """An equal part of it."""
        return OverlayLimits(self.overlays // share, self.numbers // share)


def walk_data(
    walk: Walk, report: Report, arrays: Mapping[str, Drawn], numbers: Numbers, most: OverlayLimits
) -> dict[str, Any]:
    """A walk for a page, with as many of its first overlays as there is room for (one always has)."""
    steps: list[dict[str, Any]] = []
    left = most.numbers
    shown = max(1, most.overlays) if report.steps is None else min(report.steps, max(1, most.overlays))
    for overlay in islice(walk.overlays(), shown):
        left -= 2 * sum(term.patch.size for term, _ in overlay.parts.values())
        if left < 0 and steps:
            break
        steps.append(_overlay(walk, overlay, report, arrays, numbers))
    return {
        "names": [quantity.name for quantity in walk.quantities],
        "unit": walk.unit,
        "rules": [[quantity.name, quantity.rule.text(marked="lit up")] for quantity in walk.quantities],
        "total": walk.total - walk.silent,
        "silence": silence(walk, MOST_SILENT),
        "padding": padding_of(walk, report).strip(),
        "start": [_start(quantity, arrays[quantity.name], numbers) for quantity in walk.quantities],
        "steps": steps,
    }


def _start(quantity: Quantity, own: Drawn, numbers: Numbers) -> int | list[int]:
    """What the cells hold before the first overlay: a number each, one for all, or -1 for nothing."""
    if quantity.start is not None:
        return numbers.all(quantity.start.ravel()[own.order])
    return -1 if quantity.name in FILLED else numbers.add(0)


def _overlay(
    walk: Walk, overlay: Overlay, report: Report, arrays: Mapping[str, Drawn], numbers: Numbers
) -> dict[str, Any]:
    """One overlay: its place, what it comes down to, the cells that light up, and what each quantity gets."""
    lights: dict[str, Cells] = {}
    parts = []
    for quantity in walk.quantities:
        term, total = overlay.parts[quantity.name]
        own = arrays[quantity.name]
        for name, cells in [(quantity.over, term.window), *((each.name, each.cells) for each in term.lit)]:
            lights.setdefault(name, cells)  # the quantities of a walk share them
        places = own.grid[term.region]
        worth = (places >= 0) & adding(term.patch, quantity.spatial)
        order = np.argsort(places[worth])  # planes are not always in reading order
        now = np.asarray(total[term.region])  # of a lone number fractions come without an axis
        added, sums = (numbers.all(array[worth][order]) for array in (np.asarray(term.patch), now))
        parts.append([runs(places[worth]), added, sums])
    hanging = _hanging(walk.quantities[0], overlay, report, arrays, numbers, lights)
    lit = [arrays[name].under(cells).ravel() for name, cells in lights.items() if name in arrays]
    return {
        "at": place(overlay.at),
        "head": headline(overlay, report.operands, lambda number: readable(number, numbers.precision)),
        "lit": runs(np.concatenate(lit)) if lit else [],
        **hanging,
        "parts": parts,
    }


def _hanging(
    quantity: Quantity,
    overlay: Overlay,
    report: Report,
    arrays: Mapping[str, Drawn],
    numbers: Numbers,
    lights: dict[str, Cells],
) -> dict[str, Any]:
    """The cells of the padding under the window, of the array it lies on; nothing where there are none.

    lights: what lights up; where the padding is drawn, not what it borrows.
    """
    term, over = overlay.parts[quantity.name][0], quantity.over
    if term.spots is not None and term.spots.on:  # a transposed convolution: what its kernel lies on
        over = term.spots.on
        window = next((each.cells for each in term.lit if each.name == over), None)
        if window is None:
            return {}
        term = replace(term, window=window)
    if term.spots is None or over not in arrays:
        return {}
    spatial, own = report.spatial.get(over, report.spatial.get("input", ())), arrays[over]
    if not (cells := own.hanging(spatial, term, numbers)):
        return {}
    lights[over] = own_cells(term, spatial, own.array.shape)
    return {"pad": [over, *cells]}
