"""Gradients against derivatives of the forward pass, along random directions in which all cells move at once.

    sum of gradient * direction = derivative of f along the direction        of f = sum of delta * output, or of a loss

One such product says something about every cell of a gradient, however large it is: along a direction without zeros one
wrong cell shifts it. Where it does not hold, the cells are halved until those that are wrong are found. What gives the
derivative (checking/complex_step.py for the layers of this library) takes no difference, so that 1e-10 of the largest
cell is a tolerance that rounding does not reach; how far rounding may go all the same is said by the task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np

from convgrad.checking.judgement import Judgement
from convgrad.core.element import Array
from convgrad.errors import ConvgradError

TOLERANCE = 1e-10
"""Largest difference of a cell, in parts of the largest cell of its gradient (what rounding makes of it besides)."""

COARSE = 1e-6
"""The same for what a derivative itself may be off by, along a direction: past it, cells are compared one by one."""

DIRECTIONS = 2
"""Random directions that every gradient is compared along."""

MOST_LISTED = 1000
"""Wrong cells that are listed, at most."""

MOST_WORK = 5e9
"""Estimated work, in nanoseconds, after which the search for more wrong cells ends."""

EPSILON = float(np.finfo(np.float64).eps)

FAR = 30
"""How many times what is allowed a product is off that is wrong even where no cell was found."""

SAMPLE = 8
"""Cells whose summands are looked at to know how far rounding goes."""

Slope = Callable[[Array], tuple[float, float]]
"""A direction, of the shape of what the gradient is by -> the derivative of f along it, and what that may be off by."""


@dataclass(frozen=True, eq=False, repr=False)
class Task:
    """One gradient to be compared.

    analytic: the gradient; slope: what it is compared with; rounding: a cell's index -> what rounding may make of that
    cell; cost: of one slope, in nanoseconds, about; tolerance: in parts of the gradient's largest cell.
    """

    name: str
    analytic: Array
    slope: Slope
    rounding: Callable[[tuple[int, ...]], float]
    cost: float = 1e6
    tolerance: float = TOLERANCE

    @cached_property
    def gradient(self) -> Array:
        """The gradient in float64."""
        return np.asarray(self.analytic, np.float64)

    @cached_property
    def largest_rounding(self) -> float:
        """What rounding may make of any cell, by a few of them, the largest included."""
        size = self.gradient.size
        numbers = {*np.linspace(0, size - 1, min(SAMPLE, size)).astype(int).tolist()}
        if size:
            numbers.add(int(np.abs(np.nan_to_num(self.gradient)).argmax()))
        return max((self.rounding(self.index(number)) for number in numbers), default=0.0)

    def index(self, number: int) -> tuple[int, ...]:
        """Where the cell of a number in reading order stands."""
        return tuple(int(i) for i in np.unravel_index(number, self.gradient.shape))


@dataclass(frozen=True)
class Cell:
    """A cell that is wrong: its index, the gradient there, and the derivative of the forward pass."""

    index: tuple[int, ...]
    analytic: float
    numerical: float


@dataclass(frozen=True, eq=False, repr=False)
class Compared:
    """How one gradient compares: how many cells it has, the cells that differ, and the difference along a direction.

    difference: the largest of any direction, in parts of what all cells together are (their norm), or are made of;
    complete: whether all cells that differ are listed; astray: the product along a direction is far off, though the
    search ended before it came to a cell.
    """

    name: str
    cells: int
    difference: float = 0.0
    differs: tuple[Cell, ...] = ()
    complete: bool = True
    astray: bool = False

    @property
    def verdict(self) -> str:
        """``agrees`` or ``differs``."""
        return "differs" if self.differs or self.astray else "agrees"


@dataclass(frozen=True)
class Kinks:
    """Where a function's slope jumps exactly at the numbers given: the cells, and what is taken for the slope there."""

    cells: tuple[tuple[int, ...], ...]
    taken: str

    @classmethod
    def of(cls, mask: Array, taken: str) -> Kinks:
        """mask (...) of bool, of an array's shape -> the cells in reading order."""
        return cls(tuple(map(tuple, np.argwhere(mask).tolist())), taken)


@dataclass(frozen=True, eq=False, repr=False)
class Gradcheck(Judgement):
    """How all gradients compare, by name; kinks: what lies on one, by the array's name."""

    noun: ClassVar[str] = "gradcheck"
    called: ClassVar[str] = "a comparison is"

    title: str
    gradients: Mapping[str, Compared] = field(default_factory=dict)
    kinks: Mapping[str, Kinks] = field(default_factory=dict)

    @property
    def right(self) -> bool:
        """Whether all gradients agree."""
        return self.verdict == "agrees"

    @property
    def complaint(self) -> str:
        """What is to be said where one does not."""
        return "not every gradient is the derivative of the forward pass"

    @property
    def verdict(self) -> str:
        """``agrees`` where all do, else ``differs``."""
        return "differs" if any(each.verdict == "differs" for each in self.gradients.values()) else "agrees"


def compare_all(
    title: str, tasks: Sequence[Task], kinks: Mapping[str, Kinks] | None = None, tick: Callable[[], None] = lambda: None
) -> Gradcheck:
    """Compare gradients; `tick` is called after every direction."""
    return Gradcheck(title, {task.name: compare(task, tick) for task in tasks}, kinks or {})


def compare(task: Task, tick: Callable[[], None] = lambda: None) -> Compared:
    """One gradient, whole, along a few directions; where it differs the cells that do."""
    product = _Product(task)
    difference, differs = 0.0, False
    for _ in range(DIRECTIONS):
        off, allowed = product.off(direction := product.direction())
        difference = max(difference, abs(off) / (product.size or 1.0))
        differs |= not abs(off) <= allowed  # not a number is not within it
        tick()
    broken = np.flatnonzero(~product.finite.ravel())
    listed = broken[: max(1, min(MOST_LISTED, int(MOST_WORK / task.cost)))]
    cells, complete = _Search(product, direction, tick).found() if differs else ([], True)
    found = sorted(filter(None, (*map(product.cell, listed.tolist()), *cells)), key=lambda cell: cell.index)
    complete &= len(listed) == len(broken)
    astray = not found and not complete and abs(off) > FAR * allowed
    return Compared(task.name, product.gradient.size, difference, tuple(found), complete, astray)


class _Product:
    """The product of a gradient with directions, held against the derivatives along them."""

    def __init__(self, task: Task) -> None:
        self.task, self.random = task, np.random.default_rng(0)
        self.finite = np.isfinite(task.gradient)
        """Cells that are numbers; those that are none are wrong by themselves, and take no part."""
        self.gradient = np.where(self.finite, task.gradient, 0)
        size = np.abs(self.gradient)
        self.largest = float(size.max(initial=0))
        # a gradient that is 0 but for rounding is compared with what cancelled in it
        self.size = max(float(np.sqrt((size**2).sum())), task.largest_rounding / EPSILON)

    def direction(self) -> Array:
        """A random direction whose every cell moves, no two by the same: a wrong cell shows, and two do not cancel."""
        shape = self.gradient.shape
        return np.where(self.finite, self.random.uniform(1, 2, shape) * self.random.choice((-1.0, 1.0), shape), 0)

    def off(self, direction: Array) -> tuple[float, float]:
        """A direction -> how far the product is from the derivative along it, and how far it may be.

        What a kink leaves open in one cell hides no other: more than a coarse doubt is looked into cell by cell.
        """
        slope, doubt = self._slope(direction)
        coarse = COARSE * self.largest * float(np.sqrt((direction**2).sum()))
        return float((self.gradient * direction).sum()) - slope, self.allowed(direction) + min(doubt, coarse)

    def _slope(self, direction: Array) -> tuple[float, float]:
        slope, doubt = self.task.slope(direction)
        if not np.isfinite(slope):
            hint = "scale the operands down"
            raise ConvgradError(
                f"the forward pass overflows, and has no slope that {self.task.name} could be", hint=hint
            )
        return slope, doubt

    def allowed(self, direction: Array) -> float:
        """How far the product may be from the derivative along a direction, by tolerance and rounding."""
        return self.task.tolerance * self.largest + self.task.largest_rounding * float(np.sqrt((direction**2).sum()))

    def cell(self, number: int) -> Cell | None:
        """One cell of the gradient, where it differs."""
        direction, index = np.zeros(self.gradient.shape), self.task.index(number)
        direction[index] = 1
        slope, doubt = self._slope(direction)
        analytic = float(self.task.gradient[index])
        allowed = self.task.tolerance * self.largest + self.task.rounding(index) + doubt
        return None if abs(analytic - slope) <= allowed else Cell(index, analytic, slope)


class _Search:
    """The search for the cells that differ, by halving: a half whose product holds is left alone."""

    def __init__(self, product: _Product, direction: Array, tick: Callable[[], None]) -> None:
        self.product, self.direction, self.tick = product, direction, tick
        size = max(2, product.gradient.size)
        self.left = int(max(2 * np.log2(size) + 8, MOST_WORK / product.task.cost))
        """Slopes that may still be asked for."""

    def found(self) -> tuple[list[Cell], bool]:
        """The cells in reading order, and whether they are all."""
        found: list[Cell] = []
        everything = np.arange(self.product.gradient.size)
        for cell in self._within(everything, self._off(everything)):
            found.append(cell)
            if len(found) == MOST_LISTED:
                return found, False
        return found, self.left > 0

    def _within(self, numbers: Array, off: float) -> Iterator[Cell]:
        """The cells that differ among those of some numbers in reading order, whose product is off."""
        if self.left <= 0:
            return
        if len(numbers) == 1:
            self._spend()
            cell = self.product.cell(int(numbers[0]))
            if cell is not None:
                yield cell
            return
        first, second = np.array_split(numbers, 2)
        here = self._off(first)
        halves = ((first, here), (second, off - here))
        shares = [self._share(*half) for half in halves]
        # what both hold together may be more than either: then follow the larger
        least = 1 if max(shares) > 1 else max(shares)
        for half, share in zip(halves, shares, strict=True):
            if share >= least and share > 0:
                yield from self._within(*half)

    def _off(self, numbers: Array) -> float:
        """How far the product of some cells is off."""
        self._spend()
        return self.product.off(self._direction(numbers))[0]

    def _share(self, numbers: Array, off: float) -> float:
        """The same in parts of how far it may be."""
        allowed = self.product.allowed(self._direction(numbers))
        return abs(off) / allowed if allowed else float("inf") if off else 0.0

    def _direction(self, numbers: Array) -> Array:
        direction = np.zeros(self.direction.size)
        direction[numbers] = self.direction.ravel()[numbers]
        return direction.reshape(self.direction.shape)

    def _spend(self) -> None:
        self.left -= 1
        self.tick()
