"""How rows of the catalogue are written: by what makes their predictions, and what several families count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import ConvgradError
from convgrad.mistakes.case import Case
from convgrad.mistakes.mistake import Alteration, Mistake, Rearrangement

Maker = Callable[[Case, str], Iterator[Array]]


def row(
    family: str,
    name: str,
    about: str,
    layers: str,
    what: str,
    why: str,
    mend: str,
    *,
    change: Alteration | None = None,
    alone: Alteration | None = None,
    turn: Rearrangement | None = None,
    predict: Maker | None = None,
    rank: int = 2,
    convention: str = "",
    alike: str = "",
) -> Mistake:
    """A row of the catalogue: made by a change of the problem, a turn of the right result, or its own predictions.

    alone: further changes, that go together with no other mistake.
    """
    maker = predict or (_changed(change, alone) if change else _turned(turn) if turn else None)
    assert maker is not None, name
    return Mistake(
        name,
        family,
        tuple(about.split()),
        tuple(layers.split()),
        what,
        why,
        mend,
        maker,
        convention,
        rank,
        change,
        turn,
        tuple(alike.split()),
    )


def _changed(*changes: Alteration | None) -> Maker:
    def predict(case: Case, name: str) -> Iterator[Array]:
        variant = case.opened
        if variant is None:
            return
        try:
            for change in filter(None, changes):
                for changed in change(variant, name):
                    value = changed.solved(name)
                    if value is not None:
                        yield value
        except ConvgradError:  # an operand that this change is about is not there
            return

    return predict


def _turned(turn: Rearrangement) -> Maker:
    def predict(case: Case, name: str) -> Iterator[Array]:
        yield from turn(case.right(name), case, name)

    return predict


def axes_of(case: Case, name: str) -> str:
    """The letters of a result's axes at full rank, empty where they have none."""
    if not case.problem.is_layer:
        return ""
    layer = case.problem.layer
    if name == "dX":
        return layer.input_axes
    for short, parameter in layer.parameters.items():
        if name in (f"d{short}", f"{short}_new", f"velocity_{short}"):
            return parameter.axes
    return case.problem.output_axes


def lifted(array: Array, case: Case, name: str) -> Array | None:
    """A result, or what stands in its place, at full rank; None where its shape is not the result's."""
    if not case.problem.is_layer or array.shape != case.right(name).shape:
        return None
    return case.problem.shorthand.lift(array, axes_of(case, name))


def lowered(array: Array, case: Case, name: str) -> Array:
    """The array back in the file's axes."""
    return case.problem.shorthand.lower(array, axes_of(case, name))


def count(case: Case, what: str) -> int:
    """How many examples, places, kernel (cells), channels, filters, nodes or inputs there are; 1 where none."""
    variant = case.opened
    if variant is None:
        return 1
    counted: dict[str, Any] = {"examples": lambda: variant.x.shape[0] if variant.x.ndim else 1}
    if variant.windows is not None:
        windows = variant.windows
        counted |= {
            "places": lambda: prod(windows.places),
            "kernel": lambda: prod(windows.kernel),
            "channels": lambda: variant.x.shape[1],
            "filters": lambda: variant.delta.shape[1] if variant.delta is not None else 1,
        }
    if "O" in case.problem.output_axes:
        counted |= {
            "nodes": lambda: variant.delta.shape[1] if variant.delta is not None else 1,
            "inputs": lambda: variant.x.shape[1],
        }
    return int(counted[what]()) if what in counted else 1


def loss_operands(case: Case) -> tuple[Array, Array]:
    """output and target of a loss, as floats."""
    arrays = case.solution.operands
    return np.asarray(arrays["output"], float), np.asarray(arrays["target"], float)
