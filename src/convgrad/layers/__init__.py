"""The layers: frozen dataclasses whose fields are their options and parameters.

Every layer takes full-rank arrays, x (N, C, *sizes) and delta (N, F, *places), and gives quantities.
"""

from __future__ import annotations

from typing import Any, Protocol

from convgrad.core.quantity import Quantity


class Layer(Protocol):
    """What every layer can do."""

    def forward(self, x: Any) -> Quantity:
        """x (N, C, *sizes) -> the output."""

    def backward(self, x: Any, delta: Any) -> tuple[Quantity, ...]:
        """x (N, C, *sizes), delta like the output -> the gradients, dX last."""
