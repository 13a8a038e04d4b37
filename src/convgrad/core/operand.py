"""An array as it was given, and how errors call it."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

Array = NDArray[Any]


class Operand(NamedTuple):
    """An array as given, where it came from, and whether a number that it may be was meant to stand everywhere.

    typed: it was typed, or it stands in a document beside the input that it belongs to. A file of its own that holds
    one number is a scalar.
    """

    array: Array
    source: str
    typed: bool = False

    @property
    def lone(self) -> bool:
        """Whether it is a number that stands for that number everywhere."""
        return self.typed and self.array.ndim == 0

    def take(self, role: str) -> Operand:
        """What plays a role here: the array itself, whatever the role."""
        return self
