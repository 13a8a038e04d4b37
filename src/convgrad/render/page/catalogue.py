"""The catalogue of mistakes as a page: a section a family, a part a mistake."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

from convgrad.mistakes.mistake import FAMILIES, Mistake


def body_of(rows: Sequence[Mistake]) -> str:
    """What stands on the page below its title."""
    sections = []
    for family, group in groupby(rows, key=lambda row: row.family):
        parts = "".join(map(_row, group))
        sections.append(f'<section class="answer"><h2>{escape(FAMILIES[family])}</h2>{parts}</section>')
    return "".join(sections)


def _row(row: Mistake) -> str:
    about = f"{', '.join(row.about)} of {', '.join(row.layers)}"
    told = (("In", about), ("What", row.what), ("Why", row.why), ("Mend", row.mend))
    listed = "".join(f"<dt>{label}</dt><dd>{escape(text)}</dd>" for label, text in told)
    return f'<h3 id="{escape(row.name)}">{escape(row.name)}</h3><dl>{listed}</dl>'
