"""Pooling layers: maximum, average, sum and p-norm over windows.

Every kind has a *share*: how much of a window's delta each of its cells gets. The maximum takes it all,
an average gives each cell 1/divisor, a sum gives each cell the whole, the p-norm (sum |x|^p)^(1/p) gives a cell
sign(x) (|x| / output)^(p-1)::

    dX[c,x] = sum over all i,u with cell(i,u) = x of share[c,i,u] * delta[c,i]

Source: the chain rule, with d output / d cell as the share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import prod
from typing import Any, ClassVar

import numpy as np

from convgrad.core.axis import Ints, Padding
from convgrad.core.quantity import (
    Array,
    Cells,
    Column,
    Factor,
    Lit,
    Place,
    Products,
    Quantity,
    Term,
    beside,
    block,
    cell,
    cells,
    constant,
    everywhere,
    real,
)
from convgrad.core.rational import cast, refuse
from convgrad.core.windows import Windows
from convgrad.errors import OptionError, ShapeError, by
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

    def forward(self, x: Array) -> Quantity:
        """x (N, C, *sizes) -> output (N, C, *places)."""
        x = real(x)
        windows = self.windows(x)
        kind = self._kind(x)
        i, u = ",".join("ijk"[: len(windows.axes)]), ",".join("mno"[: len(windows.axes)])
        cell = ",".join(axis.formula(p, o) for axis, p, o in zip(windows.axes, "ijk", "mno", strict=False))
        formula = f"output[c,{i}] = {kind.words} over {u} of input[c,{cell}]"
        return Quantity(
            "output",
            formula,
            (*x.shape[:2], *windows.places),
            lambda: kind.output(self, self._seen(x, windows), windows),
            "NC*",
            lambda: np.ones((len(x), *windows.places), bool),
            partial(self._output_term, x, windows),
            partial(self._output_products, x, windows),
            rule=f"the {kind.words} of the input in brackets",
        )

    def backward(self, x: Array, delta: Array) -> tuple[Quantity, ...]:
        """x (N, C, *sizes), delta (N, C, *places) -> (dX like x,); ShapeError where delta does not fit."""
        x, delta = real(x), real(delta)
        windows = self.windows(x)
        if delta.shape != (*x.shape[:2], *windows.places):
            raise ShapeError(f"delta is {by(delta.shape)}, but the output is {by((*x.shape[:2], *windows.places))}")
        d = len(windows.axes)
        kind = self._kind(x)

        def dX() -> Array:
            return windows.fold(kind.share(self, self._seen(x, windows), windows) * beside(delta, d))

        i, u, cell = ",".join("ijk"[:d]), ",".join("mno"[:d]), ",".join("xyz"[:d])
        formula = f"dX[c,{cell}] = sum over all {i},{u} that lie on ({cell}) of share[c,{i},{u}] * delta[c,{i}]"
        return (
            Quantity(
                "dX",
                formula,
                x.shape,
                dX,
                "NC*",
                lambda: np.any(delta != 0, axis=1),
                partial(self._dX_term, x, delta, windows),
                partial(self._dX_products, x, delta, windows),
                rule="share x delta, laid on the same cells",
            ),
        )

    def indices(self, x: Array) -> Quantity:
        """x (N, C, *sizes) -> indices (N, C, *places): the flat position in the unpadded plane that gave each maximum.

        Among equal maxima the first, or the last where `ties` says so. OptionError for another kind than max.
        """
        if self.kind != "max":
            raise OptionError(f"indices are the places of maxima, and the kind is {self.kind}", hint="use --kind max")
        windows = self.windows(x)
        d = len(windows.axes)

        def positions() -> Array:
            flat = _flat(self._seen(x, windows), d)
            chosen = flat.shape[-1] - 1 - flat[..., ::-1].argmax(-1) if self.ties == "last" else flat.argmax(-1)
            position: Array = np.zeros(chosen.shape, np.int64)
            for k, (axis, u) in enumerate(zip(windows.axes, np.unravel_index(chosen, windows.kernel), strict=True)):
                place = np.arange(axis.places).reshape(-1, *(1,) * (d - 1 - k))
                position = position * axis.size + axis.cells[place, u]
            return position

        quantity = replace(
            self.forward(x),
            name="indices",
            rule="",
            compute=positions,
            window_axes="",
            formula="indices = flat position of each maximum in its channel's unpadded plane",
        )
        return replace(
            quantity,
            term=lambda at: self._position_term(quantity, at),
            products=lambda at: [Products((constant("position", quantity.value[at]),))],
        )

    # -- working --------------------------------------------------------------------------------------

    def _output_term(self, x: Array, windows: Windows, at: Place) -> Term:
        box, kind = tuple((i, i + 1) for i in at[1:]), self._kind(x)
        seen = windows.seen(x[at[0]], at[1:], kind.fill)
        patch = kind.output(self, _alone(seen, windows), windows, at[1:])[None]
        return Term(at, box, self._window(x, windows, at), block(at, box), patch, (Factor("input", seen, "C*"),))

    def _position_term(self, indices: Quantity, at: Place) -> Term:
        box = tuple((i, i + 1) for i in at[1:])
        return Term(at, box, (), block(at, box), indices.value[block(at, box)])

    def _output_products(self, x: Array, windows: Windows, at: Place) -> list[Products]:
        """Any output here is the sum of share times input: the maximum's share is 1, the p-norm is homogeneous."""
        n, c, *place = at
        one = replace(self, ties="first")._shares(x, windows, n, c, place)
        _, u, z = windows.meetings(place=place)
        here = np.column_stack([np.full((len(z), 2), (n, c)), z])
        window = np.column_stack([np.full((len(z), 2 + len(place)), (n, c, *place)), u])
        return [Products((Column("share", one.ravel(), window, "NCP*"), cells("input", x, here, "NC*")))]

    def _dX_products(self, x: Array, delta: Array, windows: Windows, at: Place) -> list[Products]:
        n, c, *z = at
        found = []
        for place, u in zip(*windows.meetings(cell=z)[:2], strict=True):
            i = (n, c, *map(int, place))
            share = self._shares(x, windows, n, c, i[2:])[(0, *u)]
            each = Column("share", np.asarray(share).reshape(1), np.array([(*i, *u)]), "NCP*")
            found.append(Products((each, cell("delta", delta, i, "NC*"))))
        return found or [Products((Column("share", np.zeros(0, x.dtype)),))]

    def _shares(self, x: Array, windows: Windows, n: int, c: int, place: Sequence[int]) -> Array:
        """The share (1, *kernel) of each cell of one channel's window at a place."""
        seen = windows.seen(x[n, c : c + 1], place, self._kind(x).fill)
        return np.asarray(self._kind(x).share(self, _alone(seen, windows), windows, tuple(place))).reshape(seen.shape)

    def _dX_term(self, x: Array, delta: Array, windows: Windows, at: Place) -> Term:
        place, kind = at[1:], self._kind(x)
        seen = windows.seen(x[at[0]], place, kind.fill)
        share = kind.share(self, _alone(seen, windows), windows, place).reshape(seen.shape)
        d = delta[everywhere(at)]
        box = windows.box(place)
        patch = windows.spread(place, share * beside(d, len(place)))[None]
        return Term(
            at,
            box,
            self._window(x, windows, at),
            block(at, box),
            patch,
            (Factor("delta", d, "C"), Factor("input", seen, "C*"), Factor("share", share, "C*")),
            (Lit("delta", block(at, [(i, i + 1) for i in place]), "NC*"),),
        )

    def _window(self, x: Array, windows: Windows, at: Place) -> Cells:
        return (range(at[0], at[0] + 1), range(x.shape[1]), *windows.touched(at[1:]))

    # -- kinds ----------------------------------------------------------------------------------------

    def _kind(self, x: Array) -> Kind:
        if not KINDS[self.kind].rational:
            refuse(x, f"{self.kind} pooling", "--kind")
        return KINDS[self.kind]

    def _seen(self, x: Array, windows: Windows) -> Array:
        """x (N, C, *sizes) -> windows (N, C, *places, *kernel), padded with what never changes the result."""
        return windows.unfold(x, self._kind(x).fill)

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
