"""What a command has to say, before anybody decides how it looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from convgrad.errors import OptionError, did_you_mean
from convgrad.problems import RESULTS, Solution
from convgrad.quantity import Array, Place, Quantity, Term


@dataclass(frozen=True, eq=False, repr=False)
class Overlay:
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

    spatial: which axes of each operand are spatial, for whoever draws planes.
    """

    title: str
    operands: Mapping[str, Array]
    spatial: Mapping[str, tuple[int, ...]]
    results: Mapping[str, Quantity]
    steps: int | None = 0
    notes: list[str] = field(default_factory=list)

    def worked(self) -> list[Quantity]:
        """The results whose terms are overlays."""
        return [quantity for quantity in self.results.values() if quantity.window_axes]

    def overlaid(self) -> list[Quantity]:
        """The results that the overlays are shown for: the gradients, or the output where there are none."""
        worked = self.worked()
        return [quantity for quantity in worked if quantity.name != "output"] or worked

    def overlays(self) -> Iterator[Overlay]:
        """The overlays that add something, in reading order, to the overlaid results."""
        overlaid = self.overlaid()
        running = {quantity.name: quantity.running() for quantity in overlaid}
        for _ in overlaid[0].places() if overlaid else ():
            parts = {name: next(each) for name, each in running.items()}
            yield Overlay(next(iter(parts.values()))[0].at, parts)

    def silent(self) -> list[Place]:
        """How the overlays are called that add nothing."""
        overlaid = self.overlaid()
        return overlaid[0].silent() if overlaid else []


@dataclass(frozen=True, eq=False, repr=False)
class Facts:
    """Named entries that are no quantities: numbers, lists and objects of them."""

    title: str
    entries: Mapping[str, Any]


def select(solution: Solution, only: tuple[str, ...]) -> dict[str, Quantity]:
    """The results asked for, all of them where nothing is; OptionError for a name that is not to be had."""
    if not only:
        return solution.quantities
    for name in only:
        if name in solution.left_out:
            raise OptionError(f"{name} needs {solution.left_out[name]}", where="--only")
        if name not in solution.quantities:
            known = [*solution.quantities, *(n for n in RESULTS if n not in solution.quantities)]
            raise OptionError(f"there is no result {name!r} here, only {', '.join(solution.quantities)}",
                              where="--only", hint=did_you_mean(name, known))
    return {name: quantity for name, quantity in solution.quantities.items() if name in only}


def left_out_notes(left_out: Mapping[str, str]) -> list[str]:
    """One line a missing operand: what is left out for the want of it."""
    wanting: dict[str, list[str]] = {}
    for name, need in left_out.items():
        wanting.setdefault(need, []).append(name)
    return [f"{' and '.join(names)} left out: add {need}" for need, names in wanting.items()]

