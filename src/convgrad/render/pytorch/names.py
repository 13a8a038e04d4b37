"""What a program calls things."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """The names of one layer's tensors: its input, parameters, output before (z) and after the activation.

    suffix: what tells the layers of a network apart; bias None: there is none.
    """

    x: str = "x"
    kernel: str = "kernel"
    bias: str | None = None
    z: str = "output"
    output: str = "output"
    suffix: str = ""

    def own(self, name: str) -> str:
        """The name of something that this layer alone uses."""
        return name + self.suffix
