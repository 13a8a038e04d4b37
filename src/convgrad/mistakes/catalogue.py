"""The catalogue: the rows of all families, and those that a result of a layer can show."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module

from convgrad.mistakes.mistake import FAMILIES, Mistake

TABLES = (
    "conventions",
    "ratios",
    "loss_ratios",
    "geometry",
    "sizes",
    "stride_dilation",
    "padding",
    "kernels",
    "pooling",
    "missing_parts",
    "collecting",
    "factors",
    "derivatives",
    "activations",
    "losses",
    "losses_of_classes",
    "normalisation",
    "descent",
    "networks",
    "decay",
)
"""The modules of rows/, in the order in which those of one family are listed."""


def _rows() -> Iterator[Mistake]:
    for table in TABLES:
        yield from import_module(f"convgrad.mistakes.rows.{table}").ROWS


ROWS: tuple[Mistake, ...] = tuple(sorted(_rows(), key=lambda mistake: [*FAMILIES].index(mistake.family)))


@cache
def rows_for(layer: str, name: str) -> tuple[Mistake, ...]:
    """The rows about a result of a layer, the simplest first."""
    found = [mistake for mistake in ROWS if layer in mistake.layers and name in mistake.about]
    return tuple(sorted(found, key=lambda mistake: mistake.rank))
