"""What there is to say of a function, an activation or a loss: what their rows fill in, without numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

Part = tuple[tuple[str, Any], ...]
"""Factors by name (``{output[]}`` is a cell, with its index), of the output's shape or one number."""

Parts = tuple[Part, ...]
"""Products by their factors: what a loss is summed from position by position, and its gradient cell by cell."""


@dataclass(frozen=True)
class Written:
    """An expression with the places of its operands in braces, and a remark above it where it needs one.

    when: for which operands it is written so, None for all; of several the first that fits is taken.
    """

    text: str
    remark: str = ""
    when: Callable[..., Any] | None = None


def written(choices: tuple[Written, ...], *operands: Any) -> Written:
    """How it is written for some operands."""
    return next(each for each in choices if each.when is None or each.when(*operands))


# -- activations -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class Chosen:
    """What the settings say beside an activation's name, and which piece of it each of the numbers x lies on."""

    alpha: Any
    approximate: str
    x: Array
    above: Callable[[Array], Array] | None = None
    slope: Any = 0
    shift: Any = 0

    @cached_property
    def on(self) -> Array:
        """Which numbers lie above the bend."""
        assert self.above is not None
        return self.above(self.x)


@dataclass(frozen=True, eq=False, repr=False)
class Column:
    """A factor of products: its name, its numbers (n,), and where they stand.

    name: as a formula has it, ``{softmax[]}`` being a cell with its index; at: one index for all of them, None where
    each stands at its own.
    """

    name: str
    value: Array
    at: int | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Along:
    """What an activation that takes all numbers of the last axis together has in place of a derivative.

    back: x, delta (..., n) -> dX (..., n); formula, rule: of dX, and what one row of it is; factors: x (n,) and an
    index i -> the products with delta (n,) that dX[i] is the sum of: which of the n, and their other factors.
    """

    back: Callable[[Array, Array, Chosen], Array]
    formula: str
    rule: str
    factors: Callable[[Array, int, Chosen], list[tuple[Array, tuple[Column, ...]]]]


@dataclass(frozen=True, eq=False, repr=False)
class Alpha:
    """What --alpha is to an activation, what it is where it is not given, and which are drawn at random."""

    what: str
    default: float
    drawn: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Ramp:
    """What --slope and --shift are to an activation that is a line between two levels, 0 and 1, unless given."""

    slope: float
    shift: float
    drawn: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class ActivationRow:
    """An activation and its facts.

    words: the right-hand side of its formula, arrays in braces; derivative: of each number alone, or else `along`;
    pytorch: how it is written there, given x; above: which numbers lie above the bend, for one in pieces; kinks:
    where its slope jumps, given alpha; exact: whether it keeps fractions; inverse: an input that gives the output,
    or at least its derivative; at_output: the derivative as people write it of the output; straight: whether its
    slope is the same all over a piece; at_zero: whether its slope jumps at 0, where another may be said; idle:
    whether it leaves everything as it is; grows: how large (the value, what a delta is multiplied by) may be for
    inputs as large as z, where it grows faster than they do; alpha, ramp, approximate: the settings that belong to
    it, the last as the help says it; drawn: its seats in the round from which one is drawn at random.
    """

    name: str
    words: str
    value: Callable[[Array, Chosen], Any]
    derivative: Callable[[Array, Chosen], Any] | None = None
    pytorch: tuple[Written, ...] = ()
    along: Along | None = None
    above: Callable[[Array], Array] | None = None
    kinks: Callable[[Any], tuple[float, ...]] = lambda alpha: ()
    exact: bool = False
    inverse: Callable[[Array, Chosen], Array] | None = None
    at_output: Callable[[Array], Array] | None = None
    straight: bool = False
    at_zero: bool = False
    idle: bool = False
    grows: Callable[[float], tuple[float, float]] | None = None
    alpha: Alpha | None = None
    ramp: Ramp | None = None
    approximate: str = ""
    drawn: tuple[int, ...] = ()

    def bounds(self, z: float, alpha: Any) -> tuple[float, float]:
        """How large (the value, what a delta is multiplied by) may be for inputs as large as z.

        Where the slope changes with z, so does what rounding has done to z.
        """
        if self.grows is not None:
            return self.grows(z)
        steep = abs(float(alpha or 1))
        return max(1.0, steep) * z + 1, max(1.2, steep) * (1 if self.straight else 1 + z)


# -- losses ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class LossRow:
    """A loss and its facts.

    each, slope: what each position adds to the loss, and the gradient; formulas: of both, given the count; parts: the
    products of both. mean: what a mean runs over, one of `counts`, empty for a sum; classes: whether it
    compares distributions over classes, along axis 1 or the last of a vector; probabilities: whether output and target
    lie between 0 and 1 (with classes the output alone); logits: the activation that it applies to the output itself;
    error: what it makes of output - target, ``squares`` or, far out, ``sizes``; kinks: the errors at which its slope
    jumps; bends: other outputs at which it does, or at which the gradient is held and no slope of the loss, given both;
    exact: whether it keeps fractions; note: what --help says in brackets; convention: how a reader is told that this
    one was used in place of its like; sizes: output, target, how far these may be apart, and how large the numbers are
    that the output is summed from -> how large those are that (the loss, its gradient) are
    summed from; pytorch: how it is written there, given output and target; working: the arrays that it is worked out
    by, as far as they are worth seeing, by name; signs: what it is where the target is no classes but -1 or 1 for each
    output; drawn: its seats in the round from which one is drawn at random.
    """

    name: str
    each: Callable[[Array, Array, Any], Any]
    slope: Callable[[Array, Array, Any], Any]
    formulas: Callable[[int], tuple[str, ...]]
    parts: Callable[[Array, Array, Any], tuple[Parts, Parts]]
    pytorch: tuple[Written, ...]
    mean: str = "numbers"
    classes: bool = False
    probabilities: bool = False
    logits: str = ""
    error: str = ""
    kinks: tuple[float, ...] = ()
    bends: Callable[[Array, Array], Array] | None = None
    exact: bool = False
    note: str = ""
    convention: str = ""
    sizes: Callable[[Array, Array, float, float], tuple[float, float]] = lambda a, t, far, x: (far, 1 + far)
    working: Callable[[Array, Array], dict[str, Array]] = lambda a, t: {}
    signs: LossRow | None = None
    drawn: tuple[int, ...] = ()

    def taken(self, output: tuple[int, ...], target: tuple[int, ...]) -> LossRow:
        """The row that counts for an output and a target of these shapes."""
        return self.signs if self.signs is not None and target == output else self

    def count(self, shape: tuple[int, ...]) -> int:
        """How many the mean runs over, of an output of a shape; 1 for a sum."""
        return counts(shape)[self.mean] if self.mean else 1


def class_axis(shape: tuple[int, ...]) -> int:
    """The axis along which an output holds classes: 1, the only one of a vector."""
    return min(1, len(shape) - 1)


def counts(shape: tuple[int, ...]) -> dict[str, int]:
    """What a loss of an output may be a mean over; positions are what is left beside the classes."""
    numbers, classes = prod(shape), shape[class_axis(shape)] if shape else 1
    examples = shape[0] if len(shape) > 1 else 1
    return {"numbers": numbers, "examples": examples, "classes": classes, "positions": numbers // max(1, classes)}
