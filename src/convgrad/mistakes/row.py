"""How rows of the catalogue are written: by what makes their predictions, and what several families count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np

from convgrad.core.quantity import Array
from convgrad.errors import ConvgradError
from convgrad.mistakes import Change, Mistake, Subject, Turn
from convgrad.mistakes.variant import opened

KERNEL = "conv transposed unshared"
"""The layers with a kernel."""

Maker = Callable[[Subject, str], Iterator[Array]]


def row(
    family: str,
    name: str,
    about: str,
    layers: str,
    what: str,
    why: str,
    mend: str,
    *,
    change: Change | None = None,
    turn: Turn | None = None,
    predict: Maker | None = None,
    rank: int = 2,
    convention: str = "",
    alike: str = "",
) -> Mistake:
    """A row of the catalogue: made by a change of the problem, a turn of the right result, or its own predictions."""
    maker = predict or (_changed(change) if change else _turned(turn) if turn else None)
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


def _changed(change: Change) -> Maker:
    def predict(subject: Subject, name: str) -> Iterator[Array]:
        setup = opened(subject)
        if setup is None:
            return
        try:
            for changed in change(setup, name):
                value = changed.solved(name)
                if value is not None:
                    yield value
        except ConvgradError:  # an operand that this change is about is not there
            return

    return predict


def _turned(turn: Turn) -> Maker:
    def predict(subject: Subject, name: str) -> Iterator[Array]:
        yield from turn(subject.right(name), subject, name)

    return predict


def axes_of(subject: Subject, name: str) -> str:
    """The letters of a result's axes at full rank, empty where they have none."""
    if subject.problem is None:
        return ""
    layer = subject.problem.layer
    if name == "dX":
        return layer.input_axes
    for short, parameter in layer.parameters.items():
        if name in (f"d{short}", f"{short}_new", f"velocity_{short}"):
            return parameter.axes
    return subject.problem.output_axes


def lifted(array: Array, subject: Subject, name: str) -> Array | None:
    """A result, or what stands in its place, at full rank; None where its shape is not the result's."""
    if subject.problem is None or array.shape != subject.right(name).shape:
        return None
    return subject.problem.shorthand.lift(array, axes_of(subject, name))


def lowered(array: Array, subject: Subject, name: str) -> Array:
    """The array back in the file's axes."""
    assert subject.problem is not None
    return subject.problem.shorthand.lower(array, axes_of(subject, name))


def count(subject: Subject, what: str) -> int:
    """How many examples, places, kernel (cells), channels, filters, nodes or inputs there are; 1 where none."""
    setup = opened(subject)
    if setup is None:
        return 1
    counted: dict[str, Any] = {"examples": lambda: setup.x.shape[0] if setup.x.ndim else 1}
    if subject.layer in ("conv", "transposed", "unshared", "pool"):
        windows = setup.places
        counted |= {
            "places": lambda: prod(windows.places),
            "kernel": lambda: prod(windows.kernel),
            "channels": lambda: setup.x.shape[1],
            "filters": lambda: setup.delta.shape[1] if setup.delta is not None else 1,
        }
    if subject.layer == "dense":
        counted |= {
            "nodes": lambda: setup.delta.shape[1] if setup.delta is not None else 1,
            "inputs": lambda: setup.x.shape[1],
        }
    return int(counted[what]()) if what in counted else 1


def loss_operands(subject: Subject) -> tuple[Array, Array]:
    """output and target of a loss, as floats."""
    arrays = subject.solution.operands
    return np.asarray(arrays["output"], float), np.asarray(arrays["target"], float)
