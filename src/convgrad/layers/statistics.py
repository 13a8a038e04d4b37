"""Numbers that share a mean and a variance, and all that a normalisation makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

import numpy as np

from convgrad.core.element import Array, Place

OVER = {
    "batch": "the examples and places of a channel",
    "layer": "all of an example",
    "instance": "the places of a channel of an example",
    "group": "a group of channels of an example",
}
"""What numbers share a mean and a variance, by the name of it."""

AXES = "NC*"
"""The letters of the axes of what is normalised."""


def largest(array: Array | None) -> float:
    """The largest number of an array, whatever its sign; 0 where there is none."""
    return 0.0 if array is None else float(np.abs(array).max(initial=0.0))


@dataclass(frozen=True, eq=False, repr=False)
class Shared:
    """A normalisation worked out: x and delta (N, C, *sizes), and what groups of their numbers share.

    over: one of OVER; groups: of channels; given: a mean and a variance (C,) in place of x's own; scale, shift: gamma
    and beta, (C,) or (C, *sizes), where they are given; letters: of the axes of dgamma and dbeta; told: what people
    call the delta.
    """

    x: Array
    delta: Array | None
    over: str
    groups: int
    eps: float
    given: tuple[Array, Array] | None = None
    scale: Array | None = None
    shift: Array | None = None
    letters: Mapping[str, str] = field(default_factory=dict)
    told: str = "delta"

    # -- who shares what ------------------------------------------------------------------------------

    @property
    def constant(self) -> bool:
        """Whether mean and variance are given, and do not depend on the input."""
        return self.given is not None

    @property
    def parted(self) -> tuple[int, ...]:
        """(N, groups, channels of a group, *sizes)."""
        n, channels, *sizes = self.x.shape
        return (n, self.groups, channels // self.groups, *sizes)

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes of `parted` over which numbers share a mean."""
        return (*((0,) if self.over == "batch" else ()), *range(2, len(self.parted)))

    @property
    def members_said(self) -> str:
        """What share a mean, in words."""
        return "the examples" if self.over == "batch" and self.x.ndim == 2 else OVER[self.over]

    @property
    def m(self) -> int:
        """How many numbers share a mean."""
        return prod(self.parted[axis] for axis in self.axes)

    def sums(self, array: Array) -> Array:
        """(N, C, *sizes) -> the sum of each group, in the place of each of its members."""
        each = array.reshape(self.parted).sum(axis=self.axes, keepdims=True)
        return np.asarray(np.broadcast_to(each, self.parted).reshape(array.shape))

    def means(self, array: Array) -> Array:
        """The same with means."""
        return np.asarray(self.sums(array) / self.x.dtype.type(self.m))

    def members(self, at: Place) -> Array:
        """The indices (m, axes) of all that share a mean with a cell."""
        n, channel, *_ = at
        size = self.x.shape[1] // self.groups
        first = channel // size * size
        examples = range(len(self.x)) if self.over == "batch" else range(n, n + 1)
        each = np.meshgrid(examples, range(first, first + size), *map(np.arange, self.x.shape[2:]), indexing="ij")
        return np.stack(each, axis=-1).reshape(-1, self.x.ndim)

    def one_each(self, array: Array) -> Array:
        """What is alike in every group, (N, C, *sizes) -> one number a group: (C,), (N,) or (N, groups)."""
        each = array.reshape(self.parted)[(0, ...) if self.over == "batch" else ...]
        each = each.reshape(*each.shape[: {"batch": 1, "layer": 1}.get(self.over, 2)], -1)
        return np.asarray(each[..., 0])

    @property
    def shared_axes(self) -> str:
        """The letters of such an array's axes."""
        return {"batch": "C", "layer": "N"}.get(self.over, "NC")

    # -- numbers, each in the place of every cell -----------------------------------------------------

    def everywhere(self, array: Array) -> Array:
        """(C,) or (C, *sizes) -> (N, C, *sizes), in the place of every cell."""
        beside = array.reshape(1, *array.shape, *(1,) * (self.x.ndim - 1 - array.ndim))
        return np.broadcast_to(beside, self.x.shape)

    @cached_property
    def mean(self) -> Array:
        """The mean, in the place of every cell."""
        return self.means(self.x) if self.given is None else self.everywhere(self.given[0])

    @cached_property
    def deviations(self) -> Array:
        """x - mean."""
        return np.asarray(self.x - self.mean)

    @cached_property
    def var(self) -> Array:
        """The biased variance."""
        return self.means(self.deviations**2) if self.given is None else self.everywhere(self.given[1])

    @cached_property
    def root(self) -> Array:
        """sqrt(var + eps)."""
        return np.asarray(np.sqrt(self.var + self.eps))

    @cached_property
    def inverse(self) -> Array:
        """1 / sqrt(var + eps)."""
        return np.asarray(1 / self.root)

    @cached_property
    def xhat(self) -> Array:
        """The normalised input."""
        return np.asarray(self.deviations * self.inverse)

    @cached_property
    def gamma(self) -> Array:
        """gamma, 1 where it is not given."""
        return np.ones_like(self.x) if self.scale is None else self.everywhere(self.scale)

    @cached_property
    def g(self) -> Array:
        """gamma * delta: the gradient by xhat."""
        assert self.delta is not None
        return np.asarray(self.gamma * self.delta)

    @property
    def scaled(self) -> str:
        """What formulas multiply with: ``{gamma} * ``, nothing where gamma is not given."""
        return "" if self.scale is None else "{gamma} * "

    @property
    def made_of(self) -> float:
        """How large the numbers are that xhat is made of, which may cancel."""
        return 1.0 + largest(self.inverse * (np.abs(self.x) + np.abs(self.mean)))

    # -- what comes back --------------------------------------------------------------------------------

    @property
    def by_mean(self) -> Array:
        """What comes back by the mean."""
        return np.asarray(-self.inverse * self.means(self.g))

    @property
    def by_var(self) -> Array:
        """What comes back by the variance."""
        return np.asarray(-self.inverse * self.xhat * self.means(self.g * self.xhat))

    @property
    def dvar(self) -> Array:
        """The gradient by the variance."""
        return np.asarray(-self.sums(self.g * self.xhat) * self.inverse**2 / 2)
