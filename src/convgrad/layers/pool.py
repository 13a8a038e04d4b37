"""Pooling layers: maximum, average, sum and p-norm over windows.

A pooling layer is the sum of a convolution (core/sum.py), channel by channel, with a kernel of its own at every place:
the *share* of a window's delta that each of its cells gets. The maximum takes it all, an average gives each cell
1/divisor, a sum gives each cell the whole, the p-norm (sum |x|^p)^(1/p) gives a cell sign(x) (|x| / output)^(p-1)::

    dX[c,x] = sum over all i,u with cell(i,u) = x of share[c,i,u] * delta[c,i]

Source: the chain rule, with d output / d cell as the share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any, ClassVar

import numpy as np

from convgrad.core.axis import Ints, Padding
from convgrad.core.derivatives import ByX, ByY
from convgrad.core.element import Array, Column, Place, Products, cell, cells, constant
from convgrad.core.quantity import Quantity
from convgrad.core.rational import cast, refuse
from convgrad.core.sum import Part, Sum
from convgrad.core.term import Factor, Term, beside, block, real
from convgrad.core.windows import Windows
from convgrad.errors import OptionError, ShapeError, by
from convgrad.formula import Formula, Over, named
from convgrad.layers import Parameter

TIES = ("first", "last", "all", "split")


@dataclass(frozen=True, eq=False, repr=False)
class Pool:
    """A pooling layer over windows of `size` cells, whose `stride` is the size where none is given.

    kind: a key of KINDS. ceil: count a last window that hangs over the end (PyTorch's rule).
    count_include_pad: padding counts in an average's divisor; cells that hang over the padded input never
    do. divisor: the average's divisor, whatever the window holds. ties: who takes the delta among equal
    maxima (`split` shares it equally). whole: one window over the whole input; adaptive:
    as many windows as it says, cutting the input as equally as can be. p: the power of the lp kind. Padding never
    wins a maximum.
    """

    kind: str = "max"
    size: Ints = field(default=())
    stride: Ints | None = None
    padding: Padding = 0
    dilation: Ints = 1
    ceil: bool = False
    count_include_pad: bool = True
    divisor: float | None = None
    ties: str = "first"
    whole: bool = False
    adaptive: Ints | None = None
    p: float = 2.0
    placed: Windows | None = None
    """Where the kernel is believed to lie, in place of what the options say: how a mistake sees it."""

    known_as: ClassVar[str] = "pool"
    input_axes: ClassVar[str] = "NC*"
    output_axes: ClassVar[str] = "NC*"
    parameters: ClassVar[Mapping[str, Parameter]] = {}

    def __post_init__(self) -> None:
        """OptionError for a kind or ties that there are none of."""
        for name, value, known in (("kind", self.kind, KINDS), ("ties", self.ties, TIES)):
            if value not in known:
                raise OptionError(f"there is no {name} called {value!r}", hint=f"use one of {', '.join(known)}")

    def windows(self, x: Array) -> Windows:
        """x (N, C, *sizes) -> the windows; ShapeError where one lies wholly in the padding."""
        return self.windows_on(x.shape[2:]) if self.placed is None else self.placed

    def windows_on(self, sizes: Sequence[int]) -> Windows:
        """The same from the input's spatial shape alone."""
        if self.whole:
            return Windows.fit(sizes, sizes)
        if self.adaptive is not None:
            return Windows.cut(sizes, self.adaptive)
        stride = self.size if self.stride is None else self.stride
        windows = Windows.fit(sizes, self.size, stride, self.padding, self.dilation, self.ceil)
        for number, axis in enumerate(windows.axes):
            empty = axis.inside(0, axis.size) == 0
            if empty.any():
                place = ", ".join(str(int(empty.argmax())) if k == number else "..." for k in range(len(windows.axes)))
                raise ShapeError(
                    f"the pooling window at place ({place}) holds no cell of the input, only padding",
                    hint="use less --padding or a larger --size",
                )
        return windows

    def sum(self, x: Array, delta: Array | None = None) -> Sum:
        """x (N, C, *sizes), delta (N, C, *places) -> the sum that they have a part in; the shares follow from x."""
        input_, share = Part("input", "NC*", x), Part("share", "NCP*")
        return Sum(input_, share, Part("delta", "NC*", delta), self.windows(x), groups=x.shape[1])

    def forward(self, x: Array) -> Quantity:
        """x (N, C, *sizes) -> output (N, C, *places)."""
        x = real(x)
        s, words = self.sum(x), self._kind(x).words
        return Pooled(
            s,
            None,
            self,
            name="output",
            formula=Formula((s.named("y", name="output"), " = ", Over(letters=s.offsets, word=words), s.named("x"))),
            shape=(*x.shape[:2], *s.windows.places),
            axes="NC*",
            window_axes="NC*",
            rule=Formula.of(f"the {words} of the {{input}} {{marked}}"),
        )

    def backward(self, x: Array, delta: Array) -> tuple[Quantity, ...]:
        """x (N, C, *sizes), delta (N, C, *places) -> (dX like x,); ShapeError where delta does not fit."""
        x, delta = real(x), real(delta)
        s = self.sum(x, delta)
        self._kind(x)
        if delta.shape != (*x.shape[:2], *s.windows.places):
            raise ShapeError(f"delta is {by(delta.shape)}, but the output is {by((*x.shape[:2], *s.windows.places))}")
        over = Over(every=(*s.places, *s.offsets), wanted=s.inputs)
        dX = s.named("x", s.inputs, "dX")
        return (
            SharedOut(
                s,
                None,
                self,
                name="dX",
                formula=Formula((dX, " = ", over, s.named("w"), " * ", s.named("y"))),
                shape=x.shape,
                axes="NC*",
                window_axes="NC*",
                rule=Formula.of("share x {delta}, laid on the same cells"),
            ),
        )

    def indices(self, x: Array) -> Quantity:
        """x (N, C, *sizes) -> indices (N, C, *places): the flat position in the unpadded plane that gave each maximum.

        Among equal maxima the first, or the last where `ties` says so. OptionError for another kind than max.
        """
        if self.kind != "max":
            raise OptionError(f"indices are the places of maxima, and the kind is {self.kind}", hint="use --kind max")
        x = real(x)
        shape = (*x.shape[:2], *self.windows(x).places)
        formula = Formula.of("{indices} = flat position of each maximum in its channel's unpadded plane")
        return Indices(self, x, name="indices", formula=formula, shape=shape, axes="NC*")

    def positions(self, x: Array) -> Array:
        """x (N, C, *sizes) -> the positions (N, C, *places) that `indices` tells."""
        windows = self.windows(x)
        d = len(windows.axes)
        flat = _flat(self.seen(x), d)
        chosen = flat.shape[-1] - 1 - flat[..., ::-1].argmax(-1) if self.ties == "last" else flat.argmax(-1)
        position: Array = np.zeros(chosen.shape, np.int64)
        for k, (axis, u) in enumerate(zip(windows.axes, np.unravel_index(chosen, windows.kernel), strict=True)):
            place = np.arange(axis.places).reshape(-1, *(1,) * (d - 1 - k))
            position = position * axis.size + axis.cells[place, u]
        return position

    # -- the windows, all of them and one ----------------------------------------------------------------

    def seen(self, x: Array) -> Array:
        """x (N, C, *sizes) -> windows (N, C, *places, *kernel), padded with what never changes the result."""
        return self.windows(x).unfold(x, self._kind(x).fill)

    def combined(self, x: Array) -> Array:
        """x (N, C, *sizes) -> what the windows come to, (N, C, *places)."""
        return self._kind(x).output(self, self.seen(x), self.windows(x))

    def shares(self, x: Array) -> Array:
        """x (N, C, *sizes) -> the share of each cell of each window, (N, C, *places, *kernel)."""
        return self._kind(x).share(self, self.seen(x), self.windows(x))

    def seen_at(self, x: Array, n: int, channels: slice, place: Place) -> Array:
        """The window of some channels of an example at a place, (channels, *kernel)."""
        return self.windows(x).seen(x[n, channels], place, self._kind(x).fill)

    def combined_at(self, x: Array, seen: Array, place: Place) -> Array:
        """seen (C, *kernel) at a place -> what the windows come to, (C, 1, ...)."""
        windows = self.windows(x)
        return self._kind(x).output(self, _alone(seen, windows), windows, place)

    def shares_at(self, x: Array, seen: Array, place: Place) -> Array:
        """seen (C, *kernel) at a place -> the share of each cell, of the same shape."""
        windows = self.windows(x)
        return np.asarray(self._kind(x).share(self, _alone(seen, windows), windows, place)).reshape(seen.shape)

    # -- kinds ----------------------------------------------------------------------------------------

    def _kind(self, x: Array) -> Kind:
        if not KINDS[self.kind].rational:
            refuse(x, f"{self.kind} pooling", "--kind")
        return KINDS[self.kind]

    def _divisors(self, windows: Windows, dtype: Any, place: Place | None) -> Array:
        """What each window's sum is divided by, (*places); or at one place, (1, ...)."""
        if self.divisor is not None:
            return np.full((1,) * len(windows.axes) if place else windows.places, cast(self.divisor, dtype))
        counts = np.ones((), int)
        for k, axis in enumerate(windows.axes):
            padded = axis.inside(-axis.before, axis.size + axis.after)
            along = padded if self.count_include_pad else axis.inside(0, axis.size)
            counts = np.multiply.outer(counts, along if place is None else along[place[k] : place[k] + 1])
        return cast(counts, dtype)

    def _max(self, seen: Array, windows: Windows, place: Place | None = None) -> Array:
        return _reduced(np.maximum, seen, windows)

    def _max_share(self, seen: Array, windows: Windows, place: Place | None = None) -> Array:
        top = self._max(seen, windows)
        share = np.zeros(seen.shape, bool)
        kernel = list(np.ndindex(windows.kernel))
        alone = self.ties in ("first", "last")
        free = np.ones(top.shape, bool)
        for u in reversed(kernel) if self.ties == "last" else kernel:
            wins = (seen[(..., *u)] == top) & free
            share[(..., *u)] = wins
            if alone:
                free &= ~wins
        shares = cast(share, seen.dtype)
        if self.ties == "split":
            return shares / beside(_reduced(np.add, shares, windows), len(windows.axes))
        return shares

    def _sum(self, seen: Array, windows: Windows, place: Place | None = None) -> Array:
        return _reduced(np.add, seen, windows)

    def _sum_share(self, seen: Array, windows: Windows, place: Place | None = None) -> Array:
        return np.broadcast_to(cast(1, seen.dtype), seen.shape)

    def _power(self, seen: Array, windows: Windows, place: Place | None = None) -> Array:
        p = seen.dtype.type(self.p)
        return self._sum(np.abs(seen) ** p, windows) ** (1 / p)

    def _power_share(self, seen: Array, windows: Windows, place: Place | None = None) -> Array:
        """sign(x) |x|^(p-1) / output^(p-1), 0 where the output is."""
        p = seen.dtype.type(self.p)
        output = beside(self._power(seen, windows), len(windows.axes))
        ratio = np.divide(np.abs(seen), output, out=np.zeros_like(seen), where=output != 0)
        return np.where(seen == 0, 0, np.sign(seen) * ratio ** (p - 1))

    def _average(self, seen: Array, windows: Windows, place: Place | None = None) -> Array:
        return self._sum(seen, windows) / self._divisors(windows, seen.dtype, place)

    def _average_share(self, seen: Array, windows: Windows, place: Place | None = None) -> Array:
        share = 1 / self._divisors(windows, seen.dtype, place)
        return np.broadcast_to(share.reshape(*share.shape, *(1,) * share.ndim), seen.shape)


@dataclass(frozen=True, eq=False, repr=False)
class Pooled(ByY):
    """What the windows come to: gathered like any output, but by the kind's own way of combining cells."""

    layer: Pool

    def compute(self) -> Any:
        """All windows at once."""
        return self.layer.combined(self.sum.x.given)

    def live(self) -> Array:
        """Every place has an output."""
        return np.ones((self.shape[0], *self.shape[2:]), bool)

    def products(self, at: Place) -> Sequence[Products]:
        """Any output here is the sum of share times input: the maximum's share is 1, the p-norm is homogeneous."""
        n, c, *place = at
        x, layer = self.sum.x, replace(self.layer, ties="first")
        seen = layer.seen_at(x.given, n, slice(c, c + 1), tuple(place))
        _, u, z = self.sum.windows.meetings(place=place)
        here = np.column_stack([np.full((len(z), 2), (n, c)), z])
        window = np.column_stack([np.full((len(z), 2 + len(place)), (n, c, *place)), u])
        share = Column(named("share"), layer.shares_at(x.given, seen, tuple(place)).ravel(), window, self.sum.w.axes)
        return [Products((share, cells(x.called, x.given, here, x.axes)))]

    def term(self, place: Place) -> Term:
        """One window and what it comes to."""
        s, x = self.sum, self.sum.x.given
        seen = self.layer.seen_at(x, place[0], slice(None), place[1:])
        patch = self.layer.combined_at(x, seen, place[1:])[None]
        return self.made(place, block(place, self.box(place)), patch, (Factor(s.x.name, seen, "C*"),), "x")


@dataclass(frozen=True, eq=False, repr=False)
class SharedOut(ByX):
    """The delta of each window shared out to its cells."""

    layer: Pool

    def compute(self) -> Any:
        """fold(share * delta)."""
        s = self.sum
        return s.windows.fold(self.layer.shares(s.x.given) * beside(s.y.given, s.d))

    def products(self, at: Place) -> Sequence[Products]:
        """The share times the delta of every window that holds the cell."""
        n, c, *z = at
        x, delta = self.sum.x.given, self.sum.y
        found = []
        for place, u in zip(*self.sum.windows.meetings(cell=z)[:2], strict=True):
            i = (n, c, *map(int, place))
            seen = self.layer.seen_at(x, n, slice(c, c + 1), i[2:])
            share = self.layer.shares_at(x, seen, i[2:])[(0, *u)]
            each = Column(named("share"), np.asarray(share).reshape(1), np.array([(*i, *u)]), self.sum.w.axes)
            found.append(Products((each, cell(delta.called, delta.given, i, delta.axes))))
        return found or [Products((Column(named("share"), np.zeros(0, x.dtype)),))]

    def term(self, place: Place) -> Term:
        """One window's share times its delta, laid on its cells."""
        s, x = self.sum, self.sum.x.given
        seen, d = self.layer.seen_at(x, place[0], slice(None), place[1:]), s.facing(place)
        share = self.layer.shares_at(x, seen, place[1:])
        patch = s.windows.spread(place[1:], share * beside(d, s.d))[None]
        factors = (self.factor("y", d), Factor(s.x.name, seen, "C*"), Factor(s.w.name, share, "C*"))
        return self.made(place, block(place, self.box(place)), patch, factors, "xy")


@dataclass(frozen=True, eq=False, repr=False)
class Indices(Quantity):
    """The position of each maximum."""

    layer: Pool
    x: Array

    def compute(self) -> Any:
        """All positions at once."""
        return self.layer.positions(self.x)

    def live(self) -> Array:
        """Every place has one."""
        return np.ones((self.shape[0], *self.shape[2:]), bool)

    def products(self, at: Place) -> Sequence[Products]:
        """The position itself."""
        return [Products((constant("position", self.value[at]),))]

    def term(self, place: Place) -> Term:
        """The positions of all channels at a place."""
        box = tuple((i, i + 1) for i in place[1:])
        return Term(place, box, (), block(place, box), self.value[block(place, box)])


@dataclass(frozen=True, eq=False, repr=False)
class Kind:
    """A kind of pooling: the output of each window, each cell's share of the delta, and what padding holds."""

    words: str
    output: Callable[..., Array]
    share: Callable[..., Array]
    fill: float = 0
    rational: bool = True


KINDS = {
    "max": Kind("maximum", Pool._max, Pool._max_share, fill=-np.inf),
    "avg": Kind("average", Pool._average, Pool._average_share),
    "sum": Kind("sum", Pool._sum, Pool._sum_share),
    "lp": Kind("p-norm", Pool._power, Pool._power_share, rational=False),
}


def _reduced(combine: np.ufunc, seen: Array, windows: Windows) -> Array:
    """seen (..., *places, *kernel) -> (..., *places): all cells of each window combined.

    A cell of the kernel at all places is one strided view, which is quicker than many short reductions, as long as the
    kernel has few cells.
    """
    if prod(windows.kernel) > prod(windows.places):
        return np.asarray(combine.reduce(_flat(seen, len(windows.axes)), axis=-1))
    total: Array | None = None
    for u in np.ndindex(windows.kernel):
        cell = seen[(..., *u)]
        total = cell.copy() if total is None else combine(total, cell, out=total)
    assert total is not None
    return total


def _alone(seen: Array, windows: Windows) -> Array:
    """seen (C, *kernel) at one place -> (C, 1, ..., *kernel), like the windows at all places."""
    return seen.reshape(len(seen), *(1,) * len(windows.axes), *windows.kernel)


def _flat(windows: Array, d: int) -> Array:
    """windows (..., *kernel) -> (..., cells of the kernel)."""
    return windows.reshape(*windows.shape[:-d], prod(windows.shape[-d:]))
