"""Losses: a number that says how far an output is from its target, and its gradient, the first delta.

    loss = sum over the positions of what each adds        delta = its derivative by the output

What each position adds, and what is known of a loss, stands in its row (kinds/losses.py). A loss with classes takes
them along axis 1 (the only axis of a vector), and targets as class indices or distributions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from convgrad.core.element import Array, Column, Place, Products, everywhere_in
from convgrad.core.quantity import Quantity
from convgrad.core.rational import cast, refuse
from convgrad.core.term import Cells, Term
from convgrad.errors import OptionError, ShapeError, by
from convgrad.formula import Formula
from convgrad.kinds.analytic import deciding
from convgrad.kinds.functions import LossRow, class_axis
from convgrad.kinds.losses import LOSSES
from convgrad.layers import Parameter
from convgrad.layers.shapes import alike, numbers


@dataclass(frozen=True)
class Loss:
    """A loss by kind, one of kinds.losses.LOSSES."""

    kind: str = "mse"

    known_as: ClassVar[str] = "loss"
    input_axes: ClassVar[str] = ""
    output_axes: ClassVar[str] = ""
    parameters: ClassVar[Mapping[str, Parameter]] = {}

    def __post_init__(self) -> None:
        """OptionError for a loss that there is none of."""
        if self.kind not in LOSSES:
            raise OptionError(f"there is no loss called {self.kind!r}", hint=f"use one of {', '.join(LOSSES)}")

    @property
    def row(self) -> LossRow:
        """Its facts."""
        return LOSSES[self.kind]

    def worked(self, output: Array, target: Array) -> Worked:
        """output (...), target (...) -> the loss worked out; ShapeError as of `backward`.

        A lone number is the target of an output of one number, however many axes that has.
        """
        output, target = numbers("the output", output), numbers("the target", target)
        output = alike("the output", output, target)
        if output.size == 1 and not target.ndim:  # one number for one, in whatever brackets it stands
            target = np.reshape(target, output.shape)
        if not self.row.exact:
            refuse(output, self.kind, "kind")
        row = self.row.taken(output.shape, target.shape)
        return Worked(row, output, target, _fitted(row, output, target))

    def shown(self, x: Array, above: Array) -> dict[str, Array]:
        """output (...), target (...) -> what it is worked out by: the softmax of logits, margins."""
        return self.worked(x, above).working

    def backward(self, output: Array, target: Array) -> tuple[Quantity, ...]:
        """output (...), target (...) -> loss (a number), delta like the output.

        ShapeError where the target does not belong to the output, or holds no classes or probabilities.
        """
        worked = self.worked(output, target)
        row, output = worked.row, worked.output
        loss, delta = (Formula.of(each) for each in row.formulas(row.count(output.shape)))
        last = (output.ndim - 1,) if output.ndim else ()
        return (
            LossValue(worked, name="loss", formula=loss, shape=()),
            FirstDelta(worked, name="delta", formula=delta, shape=output.shape, spatial=last),
        )

    def bends(self, output: Array, target: Array) -> Array:
        """output, target (...) -> at which outputs the slope jumps, or is held and no slope of the loss."""
        worked = self.worked(output, target)
        (a, t, _), row = worked.operands, worked.row
        found = np.isin(a - t, row.kinks) if row.kinks else np.zeros(a.shape, bool)
        return worked.home(found if row.bends is None else found | row.bends(a, t))

    @property
    def taken(self) -> str:
        """What is taken for the gradient there, in words."""
        if self.row.probabilities:
            return f"the gradient of {self.kind} is held where an output is as good as certain"
        return f"the slope of {self.kind} is taken as 0 where it jumps"


@dataclass(frozen=True, eq=False, repr=False)
class Worked:
    """A loss worked out; fitted: the target as the row takes it, a distribution where there are classes."""

    row: LossRow
    output: Array
    target: Array
    fitted: Array

    @property
    def operands(self) -> tuple[Array, Array, Array]:
        """(the output and the target, the classes of both last; the count that the mean runs over), of one dtype."""
        a = np.moveaxis(self.output, class_axis(self.output.shape), -1) if self.row.classes else self.output
        return a, self.fitted, cast(self.row.count(self.output.shape), self._dtype)

    @property
    def positions(self) -> Array:
        """Which positions add something: all numbers of the output, or what is left beside the classes."""
        shape = self.output.shape
        return np.ones(_beside_classes(shape) if self.row.classes else shape, bool)

    @cached_property
    def each(self) -> Array:
        """Each position's share of the loss."""
        return cast(self.row.each(*self.operands), self._dtype)

    @cached_property
    def delta(self) -> Array:
        """The gradient (...), like the output."""
        return self.home(cast(self.row.slope(*self.operands), self._dtype))

    @property
    def working(self) -> dict[str, Array]:
        """What it is worked out by, like the output: the softmax of logits, margins."""
        a, t, _ = self.operands
        return {name: self.home(cast(array, self._dtype)) for name, array in self.row.working(a, t).items()}

    @cached_property
    def parts(self) -> list[list[list[tuple[str, Array]]]]:
        """The products of the loss and of its gradient: factors by name, of the output's shape or one number."""
        called = {} if self.target.shape == self.output.shape else {"{target[]}": "{onehot(target)[]}"}
        with np.errstate(all="ignore"):
            return [
                [
                    [(called.get(name, name), self.home(cast(value, self._dtype))) for name, value in part]
                    for part in parts
                ]
                for parts in self.row.parts(*self.operands)
            ]

    @property
    def _dtype(self) -> Any:
        return np.result_type(self.output, self.fitted)

    def home(self, array: Array) -> Array:
        """An array whose classes are its last axis, with them where the output has them."""
        return np.moveaxis(array, -1, class_axis(self.output.shape)) if self.row.classes and array.ndim else array


def _beside_classes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without its class axis."""
    axis = class_axis(shape)
    return shape[:axis] + shape[axis + 1 :]


def _fitted(row: LossRow, output: Array, target: Array) -> Array:
    """The target as a row takes it; ShapeError where it does not belong to the output."""
    if row.classes:
        fitted = _distribution(row, target, output)
        if row.probabilities:
            _check_probabilities(row, output, "output")
            _check_asked(row, np.moveaxis(output, class_axis(output.shape), -1), fitted)
        return fitted
    if target.shape != output.shape:
        raise ShapeError(
            f"the target is {by(target.shape)}, but the output is {by(output.shape)}",
            hint=f"{row.name} needs a number for each output",
        )
    for array, name in ((output, "output"), (target, "target")) if row.probabilities else ():
        _check_probabilities(row, array, name)
    if LOSSES[row.name].signs is row and (wrong := np.abs(target) != 1).any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ShapeError(
            f"the target{list(index) if index else ''} is {float(target[index]):g}, "
            f"but {row.name} takes -1 or 1 for each output",
            hint=f"or class indices ({by(_beside_classes(output.shape))})" if output.ndim else "",
        )
    return target


def _check_probabilities(row: LossRow, array: Array, name: str) -> None:
    """ShapeError for numbers that are no probabilities."""
    low, high = deciding(array).min(), deciding(array).max()
    if low < 0 or high > 1:
        raise ShapeError(
            f"the {name} has numbers outside 0 to 1 (from {low:g} to {high:g})",
            hint=f"{row.name} takes probabilities; {_of_logits()} takes logits",
        )


def _check_asked(row: LossRow, a: Array, t: Array) -> None:
    """ShapeError where the target asks for what has probability 0 (a, t: the classes last), which has no logarithm."""
    if (none := (a == 0) & (t != 0)).any():
        *beside, k = (int(i) for i in np.argwhere(none)[0])
        place = [*beside[:1], k, *beside[1:]]
        raise ShapeError(
            f"the output{place} is 0, and the target asks for it: {row.name} is infinite there",
            hint=f"give probabilities above 0, or the logits with {_of_logits()}",
        )


def _of_logits() -> str:
    """The loss that takes logits."""
    return next(row.name for row in LOSSES.values() if row.logits)


def _distribution(row: LossRow, target: Array, output: Array) -> Array:
    """Targets as distributions, class axis last: given so, or made from class indices."""
    if not output.ndim:
        raise ShapeError(f"the output is one number, but {row.name} needs one for each class")
    axis = class_axis(output.shape)
    if target.shape == output.shape:
        return np.moveaxis(target, axis, -1)
    wanted, classes = _beside_classes(output.shape), output.shape[axis]
    if target.shape != wanted:
        raise ShapeError(
            f"the target is {by(target.shape)}, but the output is {by(output.shape)}",
            hint=f"give class indices ({by(wanted)}) or {'-1 and 1' if row.signs else 'a distribution'} "
            f"({by(output.shape)})",
        )
    wrong = (target != np.floor(target)) | (target < 0) | (target >= classes)
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ShapeError(
            f"the target{list(index) if index else ''} is {target[index]:g}, but the classes are 0 to {classes - 1}"
        )
    return (np.arange(classes) == target[..., None]).astype(output.dtype)


@dataclass(frozen=True, eq=False, repr=False)
class LossValue(Quantity):
    """The loss: a sum over the positions."""

    worked: Worked

    def compute(self) -> Any:
        """What all positions add."""
        return self.worked.each.sum()

    def products(self, at: Place) -> Sequence[Products]:
        """The products of every position."""
        shape = self.worked.output.shape
        return [
            Products(tuple(everywhere_in(Formula.of(name), array, shape) for name, array in part))
            for part in self.worked.parts[0]
        ]

    def live(self) -> Array:
        """Every position."""
        return self.worked.positions

    def term(self, place: Place) -> Term:
        """What one position adds."""
        return Term(place, (), (), (), np.asarray(self.worked.each[place]))


@dataclass(frozen=True, eq=False, repr=False)
class FirstDelta(Quantity):
    """The gradient of a loss by the output."""

    worked: Worked

    def compute(self) -> Any:
        """The derivative of the loss by every number of the output."""
        return self.worked.delta

    def products(self, at: Place) -> Sequence[Products]:
        """The products of one cell."""
        return [
            Products(tuple(_at(Formula.of(name), array, at) for name, array in part)) for part in self.worked.parts[1]
        ]

    def live(self) -> Array:
        """Every position."""
        return self.worked.positions

    def term(self, place: Place) -> Term:
        """What one position adds: its own numbers, all classes of it."""
        axes: list[Any] = [slice(i, i + 1) for i in place]
        if self.worked.row.classes:
            axes.insert(class_axis(self.shape), slice(None))
        region: Cells = tuple(axes)
        return Term(place, (), (), region, self.value[region])


def _at(form: Formula, array: Array, at: Place) -> Column:
    """One factor of one cell."""
    if not np.ndim(array) and at:
        return Column(form, np.asarray(array).reshape(1))
    return Column(form, np.asarray(array[at]).reshape(1), np.array([at], int).reshape(1, -1))
