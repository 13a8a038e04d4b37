"""A layer with its arrays as given, and what has been solved of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from convgrad.core.element import Array
from convgrad.core.operand import Operand
from convgrad.core.quantity import Quantity, bare
from convgrad.errors import listed
from convgrad.formula import Formula
from convgrad.kinds import kind_of
from convgrad.layers import Layer
from convgrad.layers.sgd import SGD
from convgrad.problems.ranks import Shorthand

if TYPE_CHECKING:
    from convgrad.layers.activation import Activation


Operands = Mapping[str, Operand]


def sources(operands: Operands, *roles: str) -> str:
    """Where operands that do not fit each other come from: ``k.json and x.json``, ``p.json: kernel and input``.

    Roles that nothing was given for are passed over, and so is what holds another of them.
    """
    found = list(dict.fromkeys(operands[role].source for role in roles if role in operands))
    found = [each for each in found if not any(other.startswith(f"{each}: ") for other in found)]
    homes = {each.rpartition(": ")[0] for each in found}
    if len(homes) == 1 and len(found) > 1 and (home := homes.pop()):
        return f"{home}: {listed(each.removeprefix(f'{home}: ') for each in found)}"
    return listed(found)


Settings = Mapping[str, Any]


@dataclass(frozen=True, eq=False, repr=False)
class Problem:
    """A layer and its arrays.

    x: the input at full rank; output_axes: the letters of the output's axes; operands: all arrays as the files have
    them; delta: as the files have it, of the (activated) output's shape; above: what is given from above, for a loss
    its target; passes: the methods of the layer that make the forward pass; left_out: results that cannot be had, and
    what would have to be added for each.
    """

    layer: Layer
    x: Array
    shorthand: Shorthand
    output_axes: str
    operands: dict[str, Array]
    delta: Array | None = None
    above: str = "delta"
    activation: Activation | None = None
    sgd: SGD | None = None
    passes: tuple[str, ...] = ("forward",)
    left_out: dict[str, str] = field(default_factory=dict)
    spatial: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Which axes of each operand are spatial."""

    def lifted(self, y: Array) -> Array:
        """The layer's output, or a delta of it, as the files have it -> at full rank."""
        return self.shorthand.lift(y, self.output_axes)

    @property
    def parameters(self) -> dict[str, str]:
        """Which operand is W, and which b."""
        return {name: given.name for name, given in kind_of(self.layer.known_as).parameters.items()}

    @property
    def is_layer(self) -> bool:
        """Whether it is a layer, which has an output and is given a delta, and not a loss, which is given a target."""
        return self.above == "delta"


@dataclass(frozen=True, eq=False, repr=False)
class Solution:
    """The quantities of a problem, by name, in the order of RESULTS; what was left out and why.

    working: the quantities that the overlays add up to, where those are not the results themselves (before the
    activation), and the sensitivity, the delta through the activation; operands: the arrays given, and what the working
    has made of them; problem: what was solved; arrays: what a form works on besides; made: how those are made, where
    that is to be said.
    """

    problem: Problem
    operands: dict[str, Array]
    quantities: dict[str, Quantity]
    working: dict[str, Quantity] = field(default_factory=dict)
    spatial: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)
    made: Mapping[str, Formula] = field(default_factory=dict)

    @property
    def left_out(self) -> dict[str, str]:
        """Results that cannot be had, and what would have to be added for each."""
        return self.problem.left_out

    @property
    def inner(self) -> dict[str, Quantity]:
        """The results on the way through an activation, which are written where they are asked for."""
        found = {q.name: q for q in self.working.values() if q.name in ("z", "sensitivity")}
        if "z" in found and "derivative" in self.operands:
            found["derivative"] = bare("derivative", self.operands["derivative"], found["z"].spatial)
        return {name: found[name] for name in ("z", "derivative", "sensitivity") if name in found}

    @property
    def every(self) -> dict[str, Quantity]:
        """All results that may be asked for, those on the way included, causes before what is made of them."""
        found = {**self.inner, **self.quantities}
        first = ("z", "output", "derivative", "sensitivity")
        return {name: found[name] for name in (*first, *self.quantities) if name in found}

    def explainable(self) -> dict[str, Quantity]:
        """Every quantity whose elements can be written out, by name."""
        return {q.name: q for q in (*self.working.values(), *self.quantities.values())}


Solver = Callable[[Operands, Settings, bool], Solution]
"""(operands, settings, whether the backward pass is wanted) -> the solution."""
