"""What a program calls things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Names:
    """The names of one layer's tensors: its input, operands, output before (z) and after the activation.

    operands: by the field of the layer that holds them, those that there are; suffix: what tells the layers of a
    network apart; asked: the results that the program is to compare.
    """

    x: str = "x"
    operands: Mapping[str, str] = field(default_factory=dict)
    z: str = "output"
    output: str = "output"
    suffix: str = ""
    asked: frozenset[str] = frozenset()

    def own(self, name: str) -> str:
        """The name of something that this layer alone uses."""
        return name + self.suffix

    @property
    def kernel(self) -> str:
        """The kernel."""
        return self.operands["kernel"]

    @property
    def bias(self) -> str | None:
        """The bias, None where there is none."""
        return self.operands.get("bias")
