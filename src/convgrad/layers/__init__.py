"""The layers: frozen dataclasses whose fields are their options and parameters.

Every layer takes full-rank arrays, x (N, C, *sizes) and delta (N, F, *places), and gives quantities. What it is called,
the letters of its axes and its parameters it tells itself, so that nobody above asks which class it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

from convgrad.core.quantity import Quantity
from convgrad.core.windows import Windows


class Parameter(NamedTuple):
    """What a layer learns: the field that holds it (which is also the operand's name), and its axes by letters.

    neutral: the number that changes nothing, which is as good as none; added: it is added to what the layer makes of
    its input, while others are factors of it.
    """

    field: str
    axes: str
    neutral: float = 0.0
    added: bool = False


class Layer(Protocol):
    """What every layer can do, and what it tells of itself.

    The letters of axes are empty where it works on any rank; the gradients of its parameters ``W`` and ``b`` are called
    ``dW`` and ``db``.
    """

    @property
    def known_as(self) -> str:
        """``conv``, ``transposed``, ``pool``: the word in files and in the catalogue."""

    @property
    def input_axes(self) -> str:
        """The letters of the input's axes: ``NC*``."""

    @property
    def output_axes(self) -> str:
        """The letters of the output's axes: ``NF*``."""

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """What it learns, by short names: ``{"W": Parameter("kernel", "FI*"), "b": Parameter("bias", "F")}``."""

    def forward(self, x: Any) -> Quantity:
        """x (N, C, *sizes) -> the output."""

    def backward(self, x: Any, delta: Any) -> tuple[Quantity, ...]:
        """x (N, C, *sizes), delta like the output -> the gradients, dX last."""


@runtime_checkable
class Sliding(Layer, Protocol):
    """A layer whose kernel or window lies at many places."""

    def windows(self, x: Any) -> Windows:
        """x (N, C, *sizes) -> where the kernel lies."""


@runtime_checkable
class Telling(Layer, Protocol):
    """A layer whose gradients may be worked from its output, as people often do."""

    @property
    def tells(self) -> bool:
        """Whether they can, with these options."""

    def told_by(self, output: Any, x: Any, delta: Any) -> tuple[Any, Any]:
        """An output (its own, or what a reader has for it) -> x and delta that give the gradients worked from it."""


@runtime_checkable
class Showing(Protocol):
    """A layer that is worked out by arrays that are worth seeing."""

    def shown(self, x: Any, above: Any) -> dict[str, Any]:
        """x, and what is given from above -> those arrays, by name."""


@runtime_checkable
class Bending(Protocol):
    """A layer whose slope jumps somewhere, so that its gradient there is what is taken for it."""

    def bends(self, x: Any) -> Any:
        """x (...) -> which of its numbers lie where the slope jumps, (...) of bool."""

    @property
    def taken(self) -> str:
        """What is taken for the gradient there, in words."""


def gradients(layer: Layer) -> tuple[str, ...]:
    """The names of its gradients: of its parameters, and dX."""
    return (*(f"d{name}" for name in layer.parameters), "dX")


def weights(layer: Layer) -> list[Any]:
    """The arrays that it multiplies with its input, as far as they are given."""
    found = (getattr(layer, each.field) for each in layer.parameters.values() if not each.added)
    return [array for array in found if array is not None]
