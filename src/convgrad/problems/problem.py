"""A layer with its arrays as given, and what has been solved of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from convgrad.core.quantity import Array, Quantity
from convgrad.layers import Layer
from convgrad.layers.sgd import SGD
from convgrad.problems.ranks import Shorthand

if TYPE_CHECKING:
    from convgrad.layers.activation import Activation


@dataclass(frozen=True, eq=False, repr=False)
class Operand:
    """An array as given, where it came from, and whether it was typed (a typed number stands everywhere)."""

    array: Array
    source: str
    typed: bool = False

    @property
    def lone(self) -> bool:
        """Whether it is a number typed on the command line, which stands for that number everywhere."""
        return self.typed and self.array.ndim == 0


Operands = Mapping[str, Operand]
Settings = Mapping[str, Any]


@dataclass(frozen=True, eq=False, repr=False)
class Problem:
    """A layer and its arrays.

    x: the input at full rank; output_axes: the letters of the output's axes; operands: all arrays as the files have
    them; delta: as the files have it, of the (activated) output's shape; more: results of the forward pass besides
    the output; left_out: results that cannot be had, and what would have to be added for each.
    """

    layer: Layer
    x: Array
    shorthand: Shorthand
    output_axes: str
    operands: dict[str, Array]
    delta: Array | None = None
    activation: Activation | None = None
    sgd: SGD | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Which operand is W, and which b."""
    more: tuple[Callable[[Array], Quantity], ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    spatial: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Which axes of each operand are spatial."""


@dataclass(frozen=True, eq=False, repr=False)
class Solution:
    """The quantities of a problem, by name, in the order of RESULTS; what was left out and why.

    working: the quantities that the overlays add up to, where those are not the results themselves (before the
    activation), and the sensitivity, the delta through the activation; operands: the arrays given, and what the working
    has made of them; problem: what was solved, None for a loss; arrays: what a form other than overlay works on.
    """

    operands: dict[str, Array]
    quantities: dict[str, Quantity]
    left_out: dict[str, str] = field(default_factory=dict)
    working: dict[str, Quantity] = field(default_factory=dict)
    spatial: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    problem: Problem | None = None
    arrays: Mapping[str, Array] = field(default_factory=dict)

    def explainable(self) -> dict[str, Quantity]:
        """Every quantity whose elements can be written out, by name."""
        return {q.name: q for q in (*self.working.values(), *self.quantities.values())}


Solver = Callable[[Operands, Settings, bool], Solution]
"""(operands, settings, whether the backward pass is wanted) -> the solution."""
