"""Verdicts as a page: what is said of each answer, its numbers beside the right ones, and maps of where it is off."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import numpy as np

from convgrad.checking.verdict import COARSE, CONVENTION, FOLLOWS, RIGHT, Checked, Verdict
from convgrad.core.element import Array, element_name
from convgrad.mistakes.mistake import Mistake
from convgrad.render.number_text import readable
from convgrad.render.page.heat import heat_maps
from convgrad.render.planes import planes
from convgrad.render.verdict_sentences import MOST_CELLS_DRAWN, of_right, on_mistakes, outcome, sentences

MOST_CELLS_LISTED = 50
"""Wrong cells of an answer that is not drawn that are listed with their numbers."""

SIGNS = {
    RIGHT: ("\u2713", "right"),
    FOLLOWS: ("\u2248", "half"),
    CONVENTION: ("\u2248", "half"),
    COARSE: ("\u2248", "half"),
}
"""The sign of a verdict and the class that colours it; the others are wrong."""


def body_of(checked: Checked, precision: int | None) -> str:
    """What stands on the page below its title."""
    sections = [_section(verdict, checked.reveal, precision) for verdict in checked.verdicts.values()]
    return "".join([f"<p><b>{escape(_capital(outcome(checked)))}.</b></p>", *sections])


def _section(verdict: Verdict, reveal: bool, precision: int | None) -> str:
    name, (sign, looks) = escape(verdict.name), SIGNS.get(verdict.verdict, ("\u2717", "wrong"))
    head = f'<span class="{looks}">{sign}</span> {escape(f"{verdict.name}: {verdict.verdict}")}'
    if verdict.verdict == RIGHT:
        parts = [_paragraph(_capital(of_right(verdict, reveal)) + ".")]
        return f'<section class="answer" id="{name}"><h2>{head}</h2>{parts[0]}</section>'
    parts = [_paragraph(sentence) for sentence in sentences(verdict, reveal, precision)]
    parts += _mistakes(verdict)
    if verdict.match is not None:
        small = verdict.answer.numbers.size <= MOST_CELLS_DRAWN
        parts += _side_by_side(verdict, reveal, precision) if small else _listed(verdict, reveal, precision)
        parts.append(heat_maps(verdict, reveal))
    return f'<section class="answer" id="{name}"><h2>{head}</h2>{"".join(parts)}</section>'


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _mistakes(verdict: Verdict) -> Iterator[str]:
    if said := on_mistakes(verdict):
        yield _paragraph(said)
    for sighting in verdict.sightings:
        for number, mistake in enumerate(sighting.mistakes):
            yield f"<h3>{'together with ' if number else ''}{escape(mistake.name)}</h3>"
            if verdict.same_as:
                yield _paragraph(f"The same as in {verdict.same_as}.")
            else:
                yield _explained(mistake)


def _explained(mistake: Mistake) -> str:
    rows = (("What", mistake.what), ("Why", mistake.why), ("Mend", mistake.mend))
    return f"<dl>{''.join(f'<dt>{label}</dt><dd>{escape(text)}</dd>' for label, text in rows)}</dl>"


def _side_by_side(verdict: Verdict, reveal: bool, precision: int | None) -> Iterator[str]:
    """The planes of the answer as it was written, wrong cells marked, and those of the right value."""
    assert verdict.match is not None
    off = verdict.wrong if verdict.wrong.any() else verdict.match.coarse
    given = planes("given", verdict.answer.shown, verdict.spatial, off)
    right = planes("right", np.asarray(verdict.value), verdict.spatial)
    for (label, plane, mask), (right_label, value, _) in zip(given, right, strict=True):
        tables = [_table(str(label), plane, mask, str)]
        if reveal:
            tables.append(_table(str(right_label), value, None, lambda number: readable(number, precision)))
        yield f'<div class="side">{"".join(tables)}</div>'


def _table(label: str, plane: Array, mask: Array | None, text: Any) -> str:
    rows = []
    for k, row in enumerate(plane):
        marked = np.zeros(len(row), bool) if mask is None else mask[k]
        cells = (_cell(text(number), bool(off)) for number, off in zip(row, marked, strict=True))
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><caption>{escape(label)}</caption>{''.join(rows)}</table>"


def _cell(text: str, off: bool) -> str:
    """A number; one that is off says so without colour, too."""
    return f'<td class="off" title="wrong">[{escape(text)}]</td>' if off else f"<td>{escape(text)}</td>"


def _listed(verdict: Verdict, reveal: bool, precision: int | None) -> Iterator[str]:
    """The first wrong cells of a large answer, in memory order."""
    assert verdict.match is not None
    off = verdict.wrong if verdict.wrong.any() else verdict.match.coarse
    rows = []
    for cell in map(tuple, np.argwhere(off)[:MOST_CELLS_LISTED].tolist()):
        row = [element_name(verdict.name, cell), readable(verdict.answer.numbers[cell], precision)]
        row += [readable(verdict.value[cell], precision)] if reveal else []
        rows.append(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>")
    head = "".join(f"<th>{each}</th>" for each in ("cell", "given", "right")[: 2 + reveal])
    left = int(off.sum()) - len(rows)
    more = _paragraph(f"... and {left} more.") if left else ""
    table = f"<table><tr>{head}</tr>{''.join(rows)}</table>"
    yield f"<details><summary>The first cells that are off</summary>{table}{more}</details>"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
