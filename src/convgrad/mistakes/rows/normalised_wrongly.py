"""Normalisations worked as people work them wrongly: on purpose, and with none of the code that works them rightly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import ConvgradError
from convgrad.mistakes.case import Case
from convgrad.mistakes.row import lowered

Mean = Callable[[Array], Array]
"""(N, C, *sizes) -> the mean over what shares it, in the place of every cell."""


def over_axes(*axes: int) -> Mean:
    """The mean over some axes."""
    return lambda array: np.broadcast_to(array.mean(axis=axes, keepdims=True), array.shape)


def over_groups(groups: int, in_turn: bool = False) -> Mean:
    """The mean over groups of channels, one after the other or dealt out in turn."""

    def mean(array: Array) -> Array:
        n, channels, *sizes = array.shape
        shape = (n, channels // groups, groups, *sizes) if in_turn else (n, groups, channels // groups, *sizes)
        axes = tuple(axis for axis in range(1, len(shape)) if axis != (2 if in_turn else 1))
        parted = array.reshape(shape)
        return np.broadcast_to(parted.mean(axis=axes, keepdims=True), shape).reshape(array.shape)

    return mean


@dataclass(frozen=True, eq=False, repr=False)
class Worked:
    """A normalisation as people write it; mean, var: given ones in place of x's own; alike in every cell's place."""

    x: Array
    G: Array
    gamma: Array
    beta: Array
    mean: Mean
    m: int
    eps: float
    letters: tuple[str, str]
    given: tuple[Array, Array] | None = None
    sqrt: Callable[[Array, float], Array] = lambda v, eps: np.sqrt(v + eps)
    bias: float = 1.0

    @property
    def mu(self) -> Array:
        """The mean."""
        return self.mean(self.x) if self.given is None else self.given[0]

    @property
    def v(self) -> Array:
        """The variance."""
        return self.mean((self.x - self.mu) ** 2) * self.bias if self.given is None else self.given[1]

    @property
    def root(self) -> Array:
        """What is divided by."""
        return self.sqrt(self.v, self.eps)

    @property
    def xhat(self) -> Array:
        """The normalised input."""
        return np.asarray((self.x - self.mu) / self.root)

    @property
    def g(self) -> Array:
        """gamma times delta."""
        return np.asarray(self.gamma * self.G)

    def summed(self, array: Array, which: int) -> Array:
        """What dgamma (0) or dbeta (1) adds up of an array."""
        axes = (0, *range(2, array.ndim)) if self.letters[which] == "C" else (0,)
        return np.asarray(array.sum(axis=axes))

    def result(self, name: str) -> Array:
        """A result as it comes out of this."""
        if name == "output":
            return self.gamma * self.xhat + self.beta
        if name == "dgamma":
            return self.summed(self.G * self.xhat, 0)
        if name == "dbeta":
            return self.summed(self.G, 1)
        if self.given is not None:
            return np.asarray(self.g / self.root)
        return np.asarray((self.g - self.mean(self.g) - self.xhat * self.mean(self.g * self.xhat)) / self.root)


def worked(case: Case) -> Worked:
    """A case of a normalisation, worked out; ConvgradError where its activation hides the output."""
    variant = case.opened
    assert variant is not None
    layer: Any = variant.layer
    x, over = variant.x, layer.over
    places = tuple(range(2, x.ndim))
    groups = 1 if over == "layer" else layer.groups or x.shape[1]
    mean = over_axes(0, *places) if over == "batch" else over_groups(groups)
    m = x[:, 0].size if over == "batch" else x[0].size // groups

    def beside(array: Array | None, neutral: float) -> Array:
        return (
            np.full(x.shape, neutral)
            if array is None
            else array.reshape(array.shape + (1,) * (x.ndim - 1 - array.ndim))
        )

    given = None if layer.mean is None else (beside(layer.mean, 0), beside(layer.var, 0))
    delta = np.zeros_like(x) if variant.delta is None else variant.delta
    letters = (layer.parameters["gamma"].axes, layer.parameters["beta"].axes)
    gamma, beta = beside(layer.gamma, 1), beside(layer.beta, 0)
    return Worked(x, delta, gamma, beta, mean, m, layer.eps, letters, given)


def written(others: Callable[[Worked, str], Iterator[Array]]) -> Callable[[Case, str], Iterator[Array]]:
    """(the normalisation, a result's name) -> other results at full rank; nothing behind an activation."""

    def predict(case: Case, name: str) -> Iterator[Array]:
        if name == "output" and case.problem.activation is not None:
            return
        right = case.right(name)
        for array in others(worked(case), name):
            try:
                yield lowered(array, case, name)
            except (ConvgradError, ValueError, IndexError):  # of another rank than the result
                if array.shape != right.shape:
                    yield array

    return predict


def without_ways(*left_out: str) -> Callable[[Worked, str], Iterator[Array]]:
    """dX with some of its ways left out."""

    def others(w: Worked, name: str) -> Iterator[Array]:
        if w.given is None:
            by_mean = 0 if "mean" in left_out else w.mean(w.g)
            by_var = 0 if "var" in left_out else w.xhat * w.mean(w.g * w.xhat)
            yield np.asarray((w.g - by_mean - by_var) / w.root)

    return others


def not_constant(w: Worked, name: str) -> Iterator[Array]:
    """dX of training where mean and variance are given."""
    if w.given is not None:
        yield np.asarray((w.g - w.mean(w.g) - w.xhat * w.mean(w.g * w.xhat)) / w.root)


def gamma_left_out(w: Worked, name: str) -> Iterator[Array]:
    """dX with gamma missing in all, or in two, of its three parts."""
    if w.given is not None:
        yield np.asarray(w.G / w.root)
        return
    for left_out in ((0, 1, 2), *combinations(range(3), 2)):
        a, b, c = (w.G if k in left_out else w.g for k in range(3))
        yield np.asarray((a - w.mean(b) - w.xhat * w.mean(c * w.xhat)) / w.root)


def unbiased(w: Worked, name: str) -> Iterator[Array]:
    """The variance divided by m - 1, with the derivative of the usual one or its own."""
    if w.given is None and w.m > 1:
        other = replace(w, bias=w.m / (w.m - 1))
        yield other.result(name)
        if name == "dX":  # with the derivative of that variance
            tail = other.xhat * w.mean(w.g * other.xhat) * other.bias
            yield np.asarray((w.g - w.mean(w.g) - tail) / other.root)


def with_root(*roots: Callable[[Array, float], Array]) -> Callable[[Worked, str], Iterator[Array]]:
    """Divided by something else than sqrt(var + eps)."""

    def others(w: Worked, name: str) -> Iterator[Array]:
        for sqrt in roots:
            yield replace(w, sqrt=sqrt).result(name)

    return others


def eps_of_keras(w: Worked, name: str) -> Iterator[Array]:
    """eps as Keras has it."""
    yield replace(w, eps=1e-3).result(name)


def by_variance(w: Worked, name: str) -> Iterator[Array]:
    """Divided by the variance, or by the deviation twice."""
    yield replace(w, sqrt=lambda v, eps: v + eps).result(name)
    if name == "dX":
        yield w.result(name) / w.root


def without_xhat(w: Worked, name: str) -> Iterator[Array]:
    """dgamma with the input, or with its deviations."""
    yield w.summed(w.G * w.x, 0)
    yield w.summed(w.G * (w.x - w.mu), 0)


def other_statistics(w: Worked, name: str) -> Iterator[Array]:
    """Mean and variance over other axes."""
    if w.given is not None:
        return
    places = tuple(range(2, w.x.ndim))
    for axes in ((0,), (0, *places), places, (1,), (1, *places), tuple(range(w.x.ndim))):
        if axes:
            yield replace(w, mean=over_axes(*axes)).result(name)


def other_sums(w: Worked, name: str) -> Iterator[Array]:
    """dgamma or dbeta summed over other axes."""
    each = w.G * w.xhat if name == "dgamma" else w.G
    places = tuple(range(2, w.x.ndim))
    right = (0, *places) if w.letters[name == "dbeta"] == "C" else (0,)
    for axes in ((0,), (0, *places), places, (1,), (0, 1), (1, *places)):
        if axes and axes != right:
            yield np.asarray(each.sum(axis=axes))


def other_count(w: Worked, name: str) -> Iterator[Array]:
    """dX with its means divided by another count."""
    if w.given is not None:
        return
    n, places = len(w.x), w.x[0, 0].size
    for count in dict.fromkeys((n, places, n * places, w.x.shape[1], w.x.size)):
        if count not in (w.m, 1):
            factor = w.m / count
            yield np.asarray((w.g - factor * (w.mean(w.g) + w.xhat * w.mean(w.g * w.xhat))) / w.root)


def in_turn(case: Case, name: str) -> Iterator[Array]:
    """Groups of channels dealt out in turn."""
    layer: Any = case.problem.layer
    groups = layer.groups
    if layer.over == "group" and 1 < groups < case.problem.x.shape[1]:
        yield from written(lambda w, name: iter([replace(w, mean=over_groups(groups, True)).result(name)]))(case, name)


def not_cancelled(w: Worked, name: str) -> Iterator[Array]:
    """dX with the mean inside the variance, its sum taken for something else than 0."""
    if w.given is not None:
        return
    dvar = -w.mean(w.g * w.xhat) * w.m / (2 * w.root**2)
    for kept in (w.mean(w.x), w.mean(np.abs(w.x - w.mu)), (w.x - w.mu) / w.m):
        yield w.result("dX") - 2 * dvar * kept / w.m


def averaged(w: Worked, name: str) -> Iterator[Array]:
    """dgamma or dbeta as means."""
    right = w.result(name)
    for count in dict.fromkeys((w.G.size // right.size, w.m)):
        if count > 1:
            yield right / count


def exchanged(case: Case, name: str) -> Iterator[Array]:
    """dgamma for dbeta, and the other way round."""
    other = {"dgamma": "dbeta", "dbeta": "dgamma"}[name]
    if case.right(other).shape == case.right(name).shape:
        yield case.right(other)
