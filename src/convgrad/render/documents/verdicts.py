"""A checked answer as a document: what a teacher sends back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from convgrad.checking.places import text_of
from convgrad.checking.verdict import RIGHT, Checked, Verdict
from convgrad.core.element import Array, element_name
from convgrad.render.number_text import readable
from convgrad.render.planes import GIVEN, TOTAL, Plane, planes
from convgrad.render.verdict_sentences import MOST_CELLS_DRAWN, of_right, on_mistakes, outcome, sentences

if TYPE_CHECKING:
    from convgrad.render.documents.document import Prose

MOST_CELLS_LISTED = 20
"""Cells of a large answer that are listed with their numbers."""


def written(checked: Checked, prose: Prose) -> str:
    """Verdicts in a kind of document: how it went in all, then answer by answer."""
    parts = [prose.heading(checked.title, 1), prose.sentence(f"{_capital(outcome(checked))}.")]
    for verdict in checked.verdicts.values():
        parts += [prose.heading(f"{verdict.name}: {verdict.verdict}", 2), *_answer(verdict, checked.reveal, prose)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _answer(verdict: Verdict, reveal: bool, prose: Prose) -> Iterator[str]:
    if verdict.verdict == RIGHT:
        yield prose.sentence(f"{_capital(of_right(verdict, reveal))}.")
        return
    yield from map(prose.sentence, sentences(verdict, reveal, prose.style.precision))
    if said := on_mistakes(verdict):
        yield prose.sentence(said)
    for sighting in verdict.sightings:
        for number, mistake in enumerate(sighting.mistakes):
            yield prose.heading(f"{'together with ' if number else ''}{mistake.name}", 3)
            if verdict.same_as:
                yield prose.sentence(f"The same as in {verdict.same_as}.")
            else:
                yield from map(prose.sentence, (mistake.what, mistake.why, mistake.mend))
    if verdict.match is not None:
        small = verdict.answer.numbers.size <= MOST_CELLS_DRAWN
        yield from _side_by_side(verdict, reveal, prose) if small else _listed(verdict, reveal, prose)


def _side_by_side(verdict: Verdict, reveal: bool, prose: Prose) -> Iterator[str]:
    """The planes of the answer as it was written, wrong cells in bold, each with that of the right value."""
    off = _off(verdict)
    given = planes(f"{verdict.name}, given", verdict.answer.shown, verdict.spatial, off)
    right = planes(f"{verdict.name}, right", np.asarray(verdict.value), verdict.spatial)
    if off.any() and not off.all():
        yield prose.sentence(
            "Wrong cells are in bold." if verdict.wrong.any() else "Cells with too few digits are in bold."
        )
    for (label, plane, mask), (right_label, value, _) in zip(given, right, strict=True):
        group = [Plane(label, plane, None if off.all() else mask, GIVEN)]
        yield prose.planes([*group, *([Plane(right_label, value, part=TOTAL)] if reveal else [])])


def _listed(verdict: Verdict, reveal: bool, prose: Prose) -> Iterator[str]:
    off = _off(verdict)
    for cell in map(tuple, np.argwhere(off)[:MOST_CELLS_LISTED].tolist()):
        said = f"{element_name(verdict.name, cell)}: given {text_of(verdict.answer.given[cell])}"
        right = f", right {readable(verdict.value[cell], prose.style.precision)}" if reveal else ""
        yield prose.sentence(said + right)
    if (left := int(off.sum()) - MOST_CELLS_LISTED) > 0:
        yield prose.sentence(f"... and {left} more.")


def _off(verdict: Verdict) -> Array:
    assert verdict.match is not None
    return verdict.wrong if verdict.wrong.any() else verdict.match.coarse


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
