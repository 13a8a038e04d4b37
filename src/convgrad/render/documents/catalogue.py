"""The catalogue of mistakes as a document, and one mistake of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from convgrad.mistakes.mistake import FAMILIES, Mistake
from convgrad.render.catalogue import Listing, MistakeInFull

if TYPE_CHECKING:
    from convgrad.render.documents.document import Prose


def listed(listing: Listing, prose: Prose) -> str:
    """Rows, family by family."""
    parts = [prose.heading(f"{len(listing.rows)} mistakes", 1)]
    for family, group in groupby(listing.rows, key=lambda row: row.family):
        parts.append(prose.heading(FAMILIES[family], 2))
        for row in group:
            parts += [prose.heading(row.name, 3), *_row(row, prose)]
    return "\n\n".join(parts) + "\n"


def in_full(told: MistakeInFull, prose: Prose) -> str:
    """One row; its worked example is for screens and for programs, which draw and read it."""
    row = told.row
    parts = [prose.heading(row.name, 1), *_row(row, prose)]
    if row.convention:
        parts.append(prose.sentence(f"A convention, not an error: {row.convention}."))
    if row.alike:
        parts.append(prose.sentence(f"Gives the same numbers as {', '.join(row.alike)} wherever both can be made."))
    return "\n\n".join(parts) + "\n"


def _row(row: Mistake, prose: Prose) -> Iterator[str]:
    yield prose.sentence(f"In {', '.join(row.about)} of {', '.join(row.layers)}.")
    yield from map(prose.sentence, (row.what, row.why, row.mend))
