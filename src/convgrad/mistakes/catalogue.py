"""The catalogue: the rows of all families, and those that a result of a layer can show."""

from __future__ import annotations

from functools import cache

from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.rows import (
    activations,
    conventions,
    derivatives,
    descent,
    factors,
    geometry,
    kernels,
    losses,
    missing_parts,
    padding,
    pooling,
    ratios,
    sizes,
    stride_dilation,
)

FAMILIES = ("convention", "ratio", "geometry", "setting", "partial", "factor")

MODULES = (
    conventions,
    ratios,
    geometry,
    sizes,
    stride_dilation,
    padding,
    kernels,
    pooling,
    missing_parts,
    factors,
    derivatives,
    activations,
    losses,
    descent,
)

ROWS: tuple[Mistake, ...] = tuple(
    sorted(
        (mistake for module in MODULES for mistake in module.ROWS),
        key=lambda mistake: FAMILIES.index(mistake.family),
    )
)


@cache
def rows_for(layer: str, name: str) -> tuple[Mistake, ...]:
    """The rows about a result of a layer, the simplest first."""
    found = [mistake for mistake in ROWS if layer in mistake.layers and name in mistake.about]
    return tuple(sorted(found, key=lambda mistake: mistake.rank))
