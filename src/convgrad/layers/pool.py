"""Pooling layers: maximum, average, sum and p-norm over windows.

A pooling layer is the sum of a convolution (core/sum.py), channel by channel, with a kernel of its own at every place:
the *share* of a window's delta that each of its cells gets. The maximum takes it all, an average gives each cell
1/divisor, a sum gives each cell the whole, the p-norm (sum |x|^p)^(1/p) gives a cell sign(x) (|x| / output)^(p-1)::

    dX[c,x] = sum over all i,u with cell(i,u) = x of share[c,i,u] * delta[c,i]

Source: the chain rule, with d output / d cell as the share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from convgrad.core.axis import Ints, Padding, per_axis
from convgrad.core.derivatives import ByX, ByY
from convgrad.core.element import Array, Column, Place, Products, cell, cells, constant
from convgrad.core.quantity import Quantity
from convgrad.core.rational import refuse
from convgrad.core.sum import Part, Sum
from convgrad.core.term import Factor, Term, beside, block
from convgrad.core.windows import Windows
from convgrad.errors import OptionError
from convgrad.formula import Formula, Over, Piece, named
from convgrad.kinds.pool import TIES
from convgrad.layers import Parameter
from convgrad.layers.pool_blocks import combined, shared_out
from convgrad.layers.pool_kinds import POOL_KINDS, WHO, PoolKind, alone, positions
from convgrad.layers.shapes import check_shape, check_windows_see_input, input_of, pair_of


@dataclass(frozen=True, eq=False, repr=False)
class Pool:
    """A pooling layer over windows of `size` cells, whose `stride` is the size where none is given.

    kind: a key of POOL_KINDS. ceil: count a last window that hangs over the end (PyTorch's rule). count_include_pad:
    padding counts in an average's divisor; cells that hang over the padded input never do. divisor: the average's
    divisor, whatever the window holds. ties: who takes the delta among equal maxima (`split` shares it equally). whole:
    one window over the whole input; adaptive: as many windows as it says, cutting the input as equally as can be. p:
    the power of the lp kind. Padding never wins a maximum.
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
        for name, value, known in (("kind", self.kind, POOL_KINDS), ("ties", self.ties, TIES)):
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
        if self.size == ():
            raise OptionError("the size of the window is not given", hint="give size=2")
        per_axis(self.size, len(sizes), "size")
        stride = self.size if self.stride is None else self.stride
        windows = Windows.fit(sizes, self.size, stride, self.padding, self.dilation, self.ceil)
        check_windows_see_input(windows)
        return windows

    def sum(self, x: Array, delta: Array | None = None) -> Sum:
        """x (N, C, *sizes), delta (N, C, *places) -> the sum that they have a part in; the shares follow from x."""
        input_, share = Part("input", "NC*", x), Part("share", "NCP*")
        return Sum(
            input_, share, Part("delta", "NC*", delta), self.windows(x), x.shape[1], fill=POOL_KINDS[self.kind].fill
        )

    def forward(self, x: Array) -> Quantity:
        """x (N, C, *sizes) -> output (N, C, *places)."""
        x = input_of(self, x)
        s, words = self.sum(x), self.kind_of(x).words

        def formula() -> list[Piece]:
            return [s.named("y", name="output"), " = ", Over(letters=s.cell_letters, word=words), s.named("x")]

        return Pooled(
            s,
            None,
            self,
            name="output",
            formula=Formula(formula),
            shape=(*x.shape[:2], *s.windows.places),
            axes="NC*",
            window_axes="NC*",
            rule=Formula.of(f"the {words} of the {{input}} {{marked}}"),
        )

    @property
    def tells(self) -> bool:
        """Whether the gradient can be worked from the output: that of the power mean is divided by a power of it."""
        return self.kind == "lp"

    def told_by(self, output: Array, x: Array, delta: Array) -> tuple[Array, Array]:
        """An output (N, C, *places) of a power mean -> x and delta that give the gradient worked from it."""
        return x, delta * (np.abs(self.forward(x).value) / np.abs(output)) ** (self.p - 1)

    def backward(self, x: Array, delta: Array) -> tuple[Quantity, ...]:
        """x (N, C, *sizes), delta (N, C, *places) -> (dX like x,); ShapeError where delta does not fit."""
        x, delta = pair_of(self, x, delta)
        s = self.sum(x, delta)
        self.kind_of(x)
        check_shape("delta", delta, (*x.shape[:2], *s.windows.places))

        def formula() -> list[Piece]:
            over = Over(every=(*s.place_letters, *s.cell_letters), wanted=s.input_letters)
            return [s.named("x", s.input_letters, "dX"), " = ", over, s.named("w"), " * ", s.named("y")]

        return (
            SharedOut(
                s,
                None,
                self,
                name="dX",
                formula=Formula(formula),
                shape=x.shape,
                axes="NC*",
                window_axes="NC*",
                rule=Formula.of("share x {delta}, laid on the same cells"),
            ),
        )

    def bends(self, x: Array) -> Array:
        """x (N, C, *sizes) -> which cells lie where the slope jumps, (N, C, *sizes) of bool."""
        windows = self.windows(x)
        return np.asarray(windows.fold(1.0 * self.kind_of(x).bends(self, self.seen(x, windows), windows)) > 0)

    @property
    def taken(self) -> str:
        """What is taken for the gradient there, in words."""
        return POOL_KINDS[self.kind].taken.format(who=WHO[self.ties])

    def indices(self, x: Array) -> Quantity:
        """x (N, C, *sizes) -> indices (N, C, *places): the flat position in the unpadded plane that gave each maximum.

        Among equal maxima the first, or the last where `ties` says so. OptionError for another kind than max.
        """
        if self.kind != "max":
            raise OptionError(f"indices are the places of maxima, and the kind is {self.kind}", hint="use kind=max")
        x = input_of(self, x)
        shape = (*x.shape[:2], *self.windows(x).places)
        formula = Formula.of("{indices} = flat position of each maximum in its channel's unpadded plane")
        return Indices(self, x, name="indices", formula=formula, shape=shape, axes="NC*")

    # -- what windows come to, all of them and one --------------------------------------------------------

    def seen(self, x: Array, windows: Windows) -> Array:
        """x (N, C, *sizes) -> windows (N, C, *places, *kernel), padded with what never changes the result."""
        return windows.unfold(x, self.kind_of(x).fill)

    def shares(self, x: Array, windows: Windows) -> Array:
        """x (N, C, *sizes) -> the share of each cell of each window, (N, C, *places, *kernel)."""
        seen = self.seen(x, windows)
        return self.kind_of(x).share(self, seen, windows).whole(seen, len(windows.axes))

    def seen_at(self, x: Array, windows: Windows, at: Place) -> Array:
        """The windows of all channels of an example at a place, (C, *kernel); at = (example, *place)."""
        return windows.seen(x[at[0]], at[1:], self.kind_of(x).fill)

    def combined_at(self, seen: Array, windows: Windows, place: Place) -> Array:
        """seen (C, *kernel) at a place -> what the windows come to, (C, 1, ...)."""
        return self.kind_of(seen).output(self, alone(seen, windows), windows, place)

    def shares_at(self, seen: Array, windows: Windows, place: Place) -> Array:
        """seen (C, *kernel) at a place -> the share of each cell, of the same shape."""
        lone = alone(seen, windows)
        return self.kind_of(seen).share(self, lone, windows, place).whole(lone, len(windows.axes)).reshape(seen.shape)

    # -- kinds ----------------------------------------------------------------------------------------

    def kind_of(self, x: Array) -> PoolKind:
        """What is said of its kind; OptionError for fractions where that keeps none."""
        if not POOL_KINDS[self.kind].rational:
            refuse(x, f"{self.kind} pooling", "kind")
        return POOL_KINDS[self.kind]


@dataclass(frozen=True, eq=False, repr=False)
class Pooled(ByY):
    """What the windows come to: gathered like any output, but by the kind's own way of combining cells."""

    layer: Pool

    def compute(self) -> Any:
        """All windows at once."""
        x, windows = self.sum.x.given, self.sum.windows
        return combined(self.layer, self.layer.kind_of(x), x, windows)

    def live(self) -> Array:
        """Every place has an output."""
        return np.ones((self.shape[0], *self.shape[2:]), bool)

    def products(self, at: Place) -> Sequence[Products]:
        """Any output here is the sum of share times input: the maximum's share is 1, the p-norm is homogeneous."""
        n, c, *place = at
        x, windows = self.sum.x, self.sum.windows
        layer = replace(self.layer, ties="first")  # shares that add up to 1: with 1 for every equal maximum, too much
        seen = layer.seen_at(x.given[:, c : c + 1], windows, (n, *place))
        _, u, z = windows.meetings(place=place)
        here = np.column_stack([np.full((len(z), 2), (n, c)), z])
        window = np.column_stack([np.full((len(z), 2 + len(place)), (n, c, *place)), u])
        share = Column(named("share"), layer.shares_at(seen, windows, tuple(place)).ravel(), window, self.sum.w.axes)
        return [Products((share, cells(x.called, x.given, here, x.axes)))]

    def term(self, place: Place) -> Term:
        """One window and what it comes to."""
        s, x = self.sum, self.sum.x.given
        seen = self.layer.seen_at(x, s.windows, place)
        patch = self.layer.combined_at(seen, s.windows, place[1:])[None]
        return self.made(place, block(place, self.box(place)), patch, (Factor(s.x.name, seen, "C*"),), "x")


@dataclass(frozen=True, eq=False, repr=False)
class SharedOut(ByX):
    """The delta of each window shared out to its cells."""

    layer: Pool

    def compute(self) -> Any:
        """fold(share * delta)."""
        s = self.sum
        return shared_out(self.layer, self.layer.kind_of(s.x.given), s.x.given, s.y.given, s.windows)

    def products(self, at: Place) -> Sequence[Products]:
        """The share times the delta of every window that holds the cell."""
        n, c, *z = at
        x, windows, delta = self.sum.x.given, self.sum.windows, self.sum.y
        found = []
        for place, u in zip(*windows.meetings(cell=z)[:2], strict=True):
            i = (n, c, *map(int, place))
            seen = self.layer.seen_at(x[:, c : c + 1], windows, (n, *i[2:]))
            share = self.layer.shares_at(seen, windows, i[2:])[(0, *u)]
            each = Column(named("share"), np.asarray(share).reshape(1), np.array([(*i, *u)]), self.sum.w.axes)
            found.append(Products((each, cell(delta.called, delta.given, i, delta.axes))))
        return found or [Products((Column(named("share"), np.zeros(0, x.dtype)),))]

    def term(self, place: Place) -> Term:
        """One window's share times its delta, laid on its cells."""
        s, x = self.sum, self.sum.x.given
        seen, d = self.layer.seen_at(x, s.windows, place), s.facing(place)
        share = self.layer.shares_at(seen, s.windows, place[1:])
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
        windows = self.layer.windows(self.x)
        return positions(self.layer, self.layer.seen(self.x, windows), windows)

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
