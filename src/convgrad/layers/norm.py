"""Normalisation: numbers that share a mean and a variance are moved and scaled to mean 0 and variance 1.

    mean = sum of x / m     var = sum of (x - mean)^2 / m           m numbers share them
    xhat = (x - mean) / sqrt(var + eps)      output = gamma * xhat + beta
    dgamma = sum of delta * xhat             dbeta = sum of delta
    dX = (g - mean of g - xhat * mean of (g * xhat)) / sqrt(var + eps)       with g = gamma * delta

An input reaches the output directly, by the mean, by the variance, and by the mean inside the variance; the sum of this
last way is 0, because deviations from a mean add up to 0. Sources: Ioffe & Szegedy (2015), Ba, Kiros & Hinton (2016),
Ulyanov, Vedaldi & Lempitsky (2016), Wu & He (2018).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from convgrad.core.element import Array
from convgrad.core.quantity import Quantity
from convgrad.core.rational import cast, refuse
from convgrad.errors import OptionError, ShapeError, by
from convgrad.layers import Parameter
from convgrad.layers.norm_working import back, gradient, output
from convgrad.layers.shapes import check_shape, input_of, numbers, pair_of
from convgrad.layers.statistics import AXES, OVER, Shared


@dataclass(frozen=True, eq=False, repr=False)
class Norm:
    """A normalisation of x (N, C, *sizes).

    gamma, beta: (C,), with `over` layer also (C, *sizes), 1 and 0 where they are not given; over: one of OVER; groups:
    of channels, with `over` group; mean, var (C,): constants in place of x's own, with `over` batch.
    """

    gamma: Array | None = None
    beta: Array | None = None
    over: str = "batch"
    groups: int | None = None
    eps: float = 1e-5
    mean: Array | None = None
    var: Array | None = None

    known_as: ClassVar[str] = "norm"
    input_axes: ClassVar[str] = AXES
    output_axes: ClassVar[str] = AXES

    def __post_init__(self) -> None:
        """OptionError for settings that say no normalisation."""
        if self.over not in OVER:
            raise OptionError(f"there is no normalisation over {self.over!r}", hint=f"use one of {', '.join(OVER)}")
        if not self.eps > 0:
            raise OptionError(f"{self.eps:g} is not above 0", where="eps", hint="1e-5 is usual")
        if self.over == "group" and self.groups is None:
            raise OptionError("it does not say how many groups", where="over=group", hint="add groups=N")
        if self.over != "group" and self.groups is not None:
            raise OptionError(f"`groups` belongs to over=group, and it is {self.over}", hint="add over=group")
        if (self.mean is None) != (self.var is None):
            given, other = ("var", "mean") if self.mean is None else ("mean", "var")
            raise OptionError(f"`{given}` needs `{other}`", hint="give both, or neither")
        if self.mean is not None and self.over != "batch":
            raise OptionError("a given mean and variance belong to over=batch", hint="leave `mean` and `var` out")

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """gamma and beta, one number a channel, or as the one of them that is given has it."""
        gamma, beta = ("C*" if getattr(array, "ndim", 1) > 1 else "C" for array in (self.gamma, self.beta))
        return {
            "gamma": Parameter("gamma", beta if self.gamma is None else gamma, neutral=1.0),
            "beta": Parameter("beta", gamma if self.beta is None else beta, added=True),
        }

    def forward(self, x: Array) -> Quantity:
        """x (N, C, *sizes) -> output like x."""
        return output(self.shared(x))

    def backward(self, x: Array, delta: Array) -> tuple[Quantity, ...]:
        """x, delta (N, C, *sizes) -> dgamma, dbeta (C,), dX like x; ShapeError where delta does not have x's shape."""
        shared = self.shared(*pair_of(self, x, delta))
        return gradient(shared, "gamma"), gradient(shared, "beta"), back(shared)

    def shared(self, x: Array, delta: Array | None = None) -> Shared:
        """x, delta (N, C, *sizes) -> what they share; ShapeError where the layer's arrays do not belong to them."""
        x = input_of(self, x)
        refuse(x, "a root", "dtype=exact")
        if delta is not None:
            delta = numbers("delta", delta)
            check_shape("delta", delta, x.shape)
        scale, shift = (self._parameter(name, x) for name in ("gamma", "beta"))
        given = None if self.mean is None else (self._statistic("mean", x), self._statistic("var", x))
        letters = {name: each.axes for name, each in self.parameters.items()}
        shared = Shared(x, delta, self.over, self._groups(x), float(self.eps), given, scale, shift, letters)
        if given is None and shared.m < 2:
            raise ShapeError(
                f"a mean over {shared.members_said} would be over 1 number of a {by(x.shape)} input",
                hint="give more examples or places, another `over`, or `mean` and `var`",
            )
        return shared

    def _groups(self, x: Array) -> int:
        """The groups of channels that are normalised each by itself."""
        channels = x.shape[1]
        groups = 1 if self.over == "layer" else self.groups or channels
        if channels % groups:
            raise ShapeError(
                f"{channels} channels cannot be split into {groups} groups", hint="`groups` must divide the channels"
            )
        return groups

    def _parameter(self, name: str, x: Array) -> Array | None:
        """gamma or beta in x's dtype; ShapeError where it does not fit."""
        if getattr(self, name) is None:
            return None
        array = numbers(name, getattr(self, name))
        fitting = [x.shape[1:2], *([x.shape[1:]] if self.over == "layer" and x.ndim > 2 else [])]
        if array.shape not in fitting:
            wanted = " or ".join(map(by, fitting))
            raise ShapeError(f"{name} is {by(array.shape)}, but a {by(x.shape)} input takes {wanted}")
        return cast(array, x.dtype)

    def _statistic(self, name: str, x: Array) -> Array:
        """A given mean or variance in x's dtype; ShapeError where it does not fit."""
        array = cast(numbers(name, getattr(self, name)), x.dtype)
        check_shape(name, array, x.shape[1:2])
        if name == "var" and (array < 0).any():
            raise ShapeError(f"var is {array.real.min():g} somewhere, and no variance is below 0")
        return array
