"""The working of a normalisation: the ways in which an input reaches the output, as products and as whole arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from convgrad.core.element import Array, Column, Place, Products, cells
from convgrad.core.quantity import Derivation, Quantity
from convgrad.core.summands import Summed
from convgrad.core.term import Factor, Term
from convgrad.formula import Formula, named
from convgrad.layers.norm_graph import backward_nodes, forward_nodes, statistics
from convgrad.layers.statistics import AXES, Shared, largest

INVERSE = "(1/sqrt(var + eps))"

DIRECTLY, BY_MEAN, BY_VAR, BY_MEAN_OF_VAR = (
    "directly",
    "by the mean",
    "by the variance",
    "by the mean inside the variance",
)
WAYS = (
    f"the input reaches the output in four ways: {DIRECTLY}, {BY_MEAN}, {BY_VAR}, and {BY_MEAN_OF_VAR}; "
    "this last one is 0, because deviations from a mean add up to 0"
)
NODES = "each is a node of the computation graph, or made of two"
ZERO = "; dmean2 is 0, because deviations from a mean add up to 0"
CONSTANT = "a mean and a variance that are given do not depend on the input: it reaches the output directly alone"


def output(shared: Shared) -> Quantity:
    """gamma * xhat + beta."""
    parts = [Way("{xhat[]}", shared.xhat * shared.gamma, lambda at: [_scaled(shared, at)])]
    if shared.scale is not None:
        parts = [replace(parts[0], words="{gamma} * {xhat[]}")]
    shift = shared.shift
    if shift is not None:
        parts.append(Way("{beta}", shared.everywhere(shift), lambda at: [_shifted(shared, shift, at)]))
    shifted = "" if shift is None else " + {beta}"
    over = "" if shared.constant else f"mean and var over {shared.members_said}, "
    words = f"({{input}} - {{mean}}) / sqrt({{var}} + eps){shifted}, {over}eps = {shared.eps:g}"
    return Output(tuple(parts), shared, **_told("output", f"{shared.scaled}{words}", shared))


def back(shared: Shared) -> Quantity:
    """dX: the delta sent back in all the ways in which an input reaches the output."""
    g = f"{shared.scaled}{{{shared.told}}}"
    direct = Way(f"{{dX[]}} {DIRECTLY}", shared.inverse * shared.g, lambda at: [_directly(shared, at)])
    if shared.constant:
        words = f"{g} / sqrt({{var}} + eps), eps = {shared.eps:g}"
        return Back((direct,), shared, rule=Formula((CONSTANT,)), **_told("dX", words, shared))
    parts = (
        direct,
        Way(f"{{dX[]}} {BY_MEAN}", shared.by_mean, lambda at: [_by_mean(shared, at)]),
        Way(f"{{dX[]}} {BY_VAR}", shared.by_var, lambda at: [_by_var(shared, at)]),
        # its sum is 0: what floats leave of it is rounding, and nothing to add
        Way(f"{{dX[]}} {BY_MEAN_OF_VAR}", np.zeros_like(shared.x), lambda at: [_by_mean_of_var(shared, at)]),
    )
    short, where = ("g", f"with g = {g}, ") if shared.scaled else (g, "")
    words = (
        f"({short} - mean of {short} - {{xhat}} * mean of ({short} * {{xhat}})) / sqrt({{var}} + eps), {where}"
        f"means over {shared.members_said}"
    )
    return Back(parts, shared, rule=Formula((WAYS,)), **_told("dX", words, shared))


def gradient(shared: Shared, name: str) -> Quantity:
    """dgamma or dbeta."""
    axes = shared.letters[name]
    places = " over the places of a channel" if axes == "C" and shared.x.ndim > 2 else ""
    factor = " * {xhat}" if name == "gamma" else ""
    formula = Formula.of(f"{{d{name}}} = sum of {{{shared.told}}}{factor}{places}")
    shape = shared.x.shape[1:2] if axes == "C" else shared.x.shape[1:]
    return Gathered(shared, name, name=f"d{name}", formula=formula, shape=shape, axes=axes)


def _told(name: str, words: str, shared: Shared) -> dict[str, Any]:
    return {"name": name, "formula": Formula.of(f"{{{name}}} = {words}"), "shape": shared.x.shape, "axes": AXES}


# -- the products of one element -----------------------------------------------------------------------------------


def _cells(name: str, array: Array, at: Array) -> Column:
    """An array's cells (n, axes); name: what they are called, with braces where it is words with a name in them."""
    form = Formula.of(name) if "{" in name else named(name)
    return Column(form, np.asarray(array[tuple(at.T)]), at, AXES)


def _fixed(name: str, value: Any, shared: Shared, count: int = 1) -> Column:
    """A factor that is the same number in each of some products."""
    return Column(Formula((name,)), np.full(count, value, shared.x.dtype))


def _of(name: str, array: Array | None, shared: Shared, at: Array) -> list[Column]:
    """gamma or beta in cells (n, axes), where it is given."""
    axes = shared.letters[name]
    return [] if array is None else [cells(name, array, at[:, 1:] if axes == "C*" else at[:, 1:2], axes)]


def _g(shared: Shared, at: Array) -> list[Column]:
    """gamma * delta in cells (n, axes)."""
    assert shared.delta is not None
    return [*_of("gamma", shared.scale, shared, at), _cells(shared.told, shared.delta, at)]


def _scaled(shared: Shared, at: Place) -> Products:
    here = np.array([at])
    deviation = _cells("({input[]} - mean)", shared.deviations, here)
    gamma = _of("gamma", shared.scale, shared, here)
    return Products((*gamma, deviation, _fixed(INVERSE, shared.inverse[at], shared)))


def _shifted(shared: Shared, shift: Array, at: Place) -> Products:
    return Products(tuple(_of("beta", shift, shared, np.array([at]))))


def _directly(shared: Shared, at: Place) -> Products:
    path = "" if shared.constant else DIRECTLY
    return Products((*_g(shared, np.array([at])), _fixed(INVERSE, shared.inverse[at], shared)), path)


def _by_mean(shared: Shared, at: Place) -> Products:
    others, m = shared.members(at), shared.m
    return Products(
        (_fixed(f"-1/{m}", -1 / m, shared, m), *_g(shared, others), _fixed(INVERSE, shared.inverse[at], shared, m)),
        BY_MEAN,
    )


def _by_var(shared: Shared, at: Place) -> Products:
    others, m = shared.members(at), shared.m
    own = _cells("xhat", shared.xhat, np.repeat([at], m, axis=0))
    each = (*_g(shared, others), _cells("xhat", shared.xhat, others))
    return Products(
        (_fixed(f"-1/{m}", -1 / m, shared, m), own, *each, _fixed(INVERSE, shared.inverse[at], shared, m)), BY_VAR
    )


def _by_mean_of_var(shared: Shared, at: Place) -> Products:
    others, m = shared.members(at), shared.m
    deviations = _cells("({input[]} - mean)", shared.deviations, others)
    numbers = (_fixed("dvar", shared.dvar[at], shared, m), _fixed(f"-2/{m}", -2 / m, shared, m))
    return Products((*numbers, deviations, _fixed(f"1/{m}", 1 / m, shared, m)), BY_MEAN_OF_VAR)


# -- the quantities ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class Way:
    """One of the arrays that a result is the sum of: words for it, its numbers, and the products of an element."""

    words: str
    value: Array
    told: Callable[[Place], Sequence[Products]]

    @property
    def called(self) -> Formula:
        """What it is called."""
        return Formula.of(self.words)

    def products(self, at: Place) -> Sequence[Products]:
        """The products that one element of it is the sum of."""
        return self.told(at)


@dataclass(frozen=True, eq=False, repr=False)
class Told(Summed):
    """The sum of some ways, which the computation graph has as nodes."""

    shared: Shared

    @property
    def has_forms(self) -> bool:
        """The closed form, and the computation graph."""
        return True

    def by_nodes(self, words: str, calling: Sequence[str], nodes: Sequence[Factor]) -> Derivation:
        """The same sum of what nodes of the graph are called."""
        ways = tuple(Way(called, way.value, way.products) for way, called in zip(self.parts, calling, strict=True))
        rule = Formula((NODES + (ZERO if "{dmean2}" in words else ""),))
        formula = Formula.of(words)
        return Derivation(replace(self, formula=formula, parts=ways, rule=rule), tuple(nodes))


@dataclass(frozen=True, eq=False, repr=False)
class Output(Told):
    """The output: what is scaled, and what that is shifted by."""

    @property
    def made_of(self) -> float:
        """gamma times what xhat is made of, and beta."""
        return largest(self.shared.gamma) * self.shared.made_of + largest(self.shared.shift)

    def in_form(self, form: str) -> Derivation | None:
        """closed: from the mean, the variance and xhat; graph: node by node."""
        if form != "graph":
            return Derivation(self, tuple(statistics(self.shared)))
        scaled = "scaled" if self.shared.scaled else "xhat"
        words = f"{{output}} = {{{scaled}}}" + (" + {beta}" if len(self.parts) > 1 else "")
        return self.by_nodes(words, (f"{{{scaled}[]}}", "{beta}")[: len(self.parts)], forward_nodes(self.shared))


@dataclass(frozen=True, eq=False, repr=False)
class Back(Told):
    """dX: what comes back to an input."""

    @property
    def made_of(self) -> float:
        """All ways are of one size, but for xhat and what that is made of."""
        shared = self.shared
        each = largest(shared.inverse * shared.g)
        return each * (1 if shared.constant else (2 + largest(shared.xhat) ** 2) * shared.made_of)

    def in_form(self, form: str) -> Derivation | None:
        """graph: node by node."""
        if form != "graph":
            return None
        ways = ["{ddeviations[]}", "{dmean}", "{dsquared[]}", "{dmean2}"][: len(self.parts)]
        calling = [way if "[]" in way else f"{way} / {self.shared.m}" for way in ways]
        words = "{dX} = " + " + ".join(each.replace("[]", "") for each in calling)
        return self.by_nodes(words, calling, backward_nodes(self.shared))

    def renamed(self, array: str, other: str) -> Quantity:
        """The same told of a delta of another name."""
        told = self.shared.told
        return back(replace(self.shared, told=other)) if array == told else super().renamed(array, other)


@dataclass(frozen=True, eq=False, repr=False)
class Gathered(Quantity):
    """dgamma or dbeta: what all cells of a channel say, or all examples of a cell."""

    shared: Shared
    parameter: str

    @cached_property
    def each(self) -> Array:
        """What each cell says (N, C, *sizes)."""
        shared = self.shared
        assert shared.delta is not None
        return np.asarray(shared.delta * shared.xhat) if self.parameter == "gamma" else shared.delta

    def compute(self) -> Any:
        """All of it."""
        return self._examples().sum(axis=0)

    def _examples(self) -> Array:
        """What each example says: (N, C), or (N, C, *sizes)."""
        places = tuple(range(2, self.each.ndim)) if self.axes == "C" else ()
        return np.asarray(self.each.sum(axis=places))

    @property
    def made_of(self) -> float:
        """As many deltas as there are added up, times what xhat is made of."""
        shared = self.shared
        count = len(self.each) if self.axes == "C*" else self.each[:, 0].size
        return count * largest(shared.delta) * (shared.made_of if self.parameter == "gamma" else 1)

    def products(self, at: Place) -> Sequence[Products]:
        """A product a cell."""
        shared, sizes = self.shared, self.each.shape
        assert shared.delta is not None
        places = [[i] for i in at[1:]] if self.axes == "C*" else [range(n) for n in sizes[2:]]
        grid = np.meshgrid(range(sizes[0]), [at[0]], *places, indexing="ij")
        here = np.stack(grid, axis=-1).reshape(-1, len(sizes))
        xhat = [_cells("xhat", shared.xhat, here)] if self.parameter == "gamma" else []
        return [Products((_cells(shared.told, shared.delta, here), *xhat))]

    def live(self) -> Array:
        """Every example."""
        return np.ones(len(self.each), bool)

    def term(self, place: Place) -> Term:
        """What one example says."""
        return Term(place, (), (), (slice(None),) * len(self.shape), self._examples()[place[0]])

    @property
    def unit(self) -> str:
        """What is told at a time."""
        return "example"

    @property
    def has_forms(self) -> bool:
        """It is the same sum in both."""
        return True

    def renamed(self, array: str, other: str) -> Quantity:
        """The same told of a delta of another name."""
        told = self.shared.told
        renamed = replace(self.shared, told=other)
        return gradient(renamed, self.parameter) if array == told else super().renamed(array, other)
