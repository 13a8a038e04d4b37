"""What a command has to say, before anybody decides how it looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from convgrad.core.element import Array, Explanation, Place
from convgrad.core.quantity import Quantity
from convgrad.core.term import Term
from convgrad.formula import Formula
from convgrad.problems.problem import Problem

if TYPE_CHECKING:
    from convgrad.problems.network import Pass


class Overlay(NamedTuple):
    """One overlay: how it is called, and what it adds to each quantity, with the sum so far."""

    at: Place
    parts: dict[str, tuple[Term, Array]]

    @property
    def term(self) -> Term:
        """Any of its terms: they share window and factors."""
        return next(iter(self.parts.values()))[0]


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """Operands, results by name, and how many overlays of the working are wanted (None: all).

    spatial: which axes of each operand are spatial, for whoever draws planes; working: quantities that overlays add up
    to in place of a result of that name; explanations: single elements, written out; zeros: whether products that are
    0 are listed in them; form: the derivation that the working follows; arrays: what it works on besides the operands;
    made: how some of those are made; forms: the same report in each form there is, by name; problem: what was solved;
    path: what it is a report of among the entries of a network, such as ``layers[0]``.
    """

    noun: ClassVar[str] = "report"
    called: ClassVar[str] = "results are"

    title: str
    operands: Mapping[str, Array]
    spatial: Mapping[str, tuple[int, ...]]
    results: Mapping[str, Quantity]
    steps: int | None = 0
    notes: list[str] = field(default_factory=list)
    working: Mapping[str, Quantity] = field(default_factory=dict)
    explanations: list[Explanation] = field(default_factory=list)
    zeros: bool = False
    form: str = "overlay"
    arrays: Mapping[str, Array] = field(default_factory=dict)
    made: Mapping[str, Formula] = field(default_factory=dict)
    forms: Mapping[str, Report] = field(default_factory=dict)
    problem: Problem | None = None
    path: str = ""

    def _repr_html_(self) -> str:
        """What a notebook shows: the page that steps through it."""
        from convgrad.render.page.notebook import report_html

        return report_html(self)

    def worked(self) -> list[Quantity]:
        """The quantities that overlays add up to: the results, or what they were before the activation."""
        if self.steps == 0:
            return []
        quantities = [self.working.get(name, quantity) for name, quantity in self.results.items()]
        return [quantity for quantity in quantities if quantity.window_axes]

    def summed(self) -> list[Quantity]:
        """The results that are sums of whole arrays, such as a step of gradient descent."""
        if self.steps == 0:
            return []
        quantities = [self.working.get(name, quantity) for name, quantity in self.results.items()]
        return [quantity for quantity in quantities if quantity.unit == "summand"]

    def walks(self) -> list[Walk]:
        """What the overlays are shown for: the gradients that share them, or the output where there is none."""
        worked = self.worked()
        chosen = [quantity for quantity in worked if quantity.name not in ("output", "z")] or worked
        walks: dict[str, Walk] = {}
        for quantity in chosen:
            walk = walks.setdefault(quantity.walk, Walk([]))
            if not walk.quantities or np.array_equal(quantity.live(), walk.quantities[0].live()):
                walk.quantities.append(quantity)
        return list(walks.values())


@dataclass(frozen=True, eq=False, repr=False)
class Walk:
    """Quantities that are added up together, overlay after overlay."""

    quantities: list[Quantity]

    @property
    def unit(self) -> str:
        """What one overlay is called."""
        return self.quantities[0].unit

    @property
    def silent(self) -> int:
        """How many overlays add nothing."""
        live = self.quantities[0].live()
        return int(live.size - np.count_nonzero(live))

    @property
    def total(self) -> int:
        """How many overlays there are."""
        return int(self.quantities[0].live().size)

    def overlays(self) -> Iterator[Overlay]:
        """The overlays that add something, in reading order."""
        running = {quantity.name: quantity.running() for quantity in self.quantities}
        for steps in zip(*running.values(), strict=True):
            yield Overlay(steps[0][0].at, dict(zip(running, steps, strict=True)))


@dataclass(frozen=True, eq=False, repr=False)
class Facts:
    """Named entries that are no quantities: numbers, arrays, lists and objects of them.

    reports: what a table shows in place of the bare entries, one after the other, whose overlays JSON has beside the
    entries; explanations: elements written
    out; network: the pass that they are of.
    """

    noun: ClassVar[str] = "facts"
    called: ClassVar[str] = "these are"

    title: str
    entries: Mapping[str, Any]
    reports: list[Report] = field(default_factory=list)
    explanations: list[Explanation] = field(default_factory=list)
    zeros: bool = False
    network: Pass | None = None

    def arrays(self) -> dict[str, Array]:
        """The arrays among the entries, those in lists and objects by path: ``layers[0].dW``, ``parameters.shared``."""
        return _by_path(self.entries)


def _by_path(entries: Mapping[str, Any]) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    for name, entry in entries.items():
        if isinstance(entry, dict):
            arrays |= _by_path({f"{name}.{part}": value for part, value in entry.items()})
        elif isinstance(entry, list) and any(isinstance(each, dict) for each in entry):
            arrays |= _by_path({f"{name}[{k}]": value for k, value in enumerate(entry)})
        elif not isinstance(entry, str):
            arrays[name] = np.asarray(entry)
    return arrays


def left_out_notes(left_out: Mapping[str, str]) -> list[str]:
    """One line a missing operand: what is left out for the want of it."""
    wanting: dict[str, list[str]] = {}
    for name, need in left_out.items():
        wanting.setdefault(need, []).append(name)
    return [f"{' and '.join(names)} left out: add {need}" for need, names in wanting.items()]


def titled(title: str, settings: Mapping[str, Any]) -> str:
    """A title that says the settings: ``convolution, stride 2, padding 1``."""
    said = [
        f"no {name.replace('_', ' ')}" if value is False else f"{name.replace('_', ' ')} {_in_words(value)}".rstrip()
        for name, value in settings.items()
    ]
    return ", ".join([title, *said])


def _in_words(value: Any) -> str:
    """A setting's value as people say it."""
    if value is True:
        return ""
    if isinstance(value, tuple):
        parts = [":".join(map(str, dict.fromkeys(each))) if isinstance(each, tuple) else str(each) for each in value]
        return ",".join(parts)
    return f"{value:g}" if isinstance(value, float) else str(value)
