"""The catalogue: the rows of all families, and those that a result of a layer can show."""

from __future__ import annotations

from functools import cache

from convgrad.mistakes import (
    Mistake,
    activations,
    convention,
    derivatives,
    factor,
    geometry,
    kernels,
    losses,
    padding,
    partial,
    pooling,
    ratio,
    setting,
    sizes,
    step,
)

FAMILIES = ("convention", "ratio", "geometry", "setting", "partial", "factor")

MODULES = (
    convention,
    ratio,
    geometry,
    sizes,
    setting,
    padding,
    kernels,
    pooling,
    partial,
    factor,
    derivatives,
    activations,
    losses,
    step,
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
