"""Which results `--only`, `--explain` and the entries of an answer mean: paths, read in one place.

A path names a result (``dW``, ``layers[0].dW``, ``parameters.shared``) or what holds several of them (``layers[0]``,
``layers``, ``parameters``); an element is a result and an index (``dW[0,1]``, ``layers[0].dW[0][1]``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from convgrad.core.element import Explanation, Place
from convgrad.core.quantity import Quantity
from convgrad.errors import OptionError, at, did_you_mean
from convgrad.kinds import ADDED_BY, near_result
from convgrad.problems.problem import Solution
from convgrad.problems.solve import check_finite

MOST_HEADS = 12
"""Names that an error lists at most."""

_ELEMENT = re.compile(
    r"\s*([A-Za-z_]\w*(?:\[[0-9]{1,6}\]\.\w+)?)\s*(\[\s*[0-9]{1,9}(?:\s*(?:,|\]\s*\[)\s*[0-9]{1,9})*\s*\])?\s*",
    re.ASCII,
)


@dataclass(frozen=True)
class Selection:
    """The results that there are to choose from, by path, in the order in which they are written.

    left_out: results that cannot be had here, and what each needs; option: how they are asked for; what: what one of
    them is called.
    """

    results: tuple[str, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    option: str = "--only"
    what: str = "result"

    @classmethod
    def of(cls, entries: Mapping[str, Any]) -> Selection:
        """What there is to choose from in entries of objects and lists."""
        return cls(tuple(path for path, value in _nodes(entries) if not _holds(value)))

    def paths(self, asked: Iterable[str]) -> list[str]:
        """The paths asked for, each once and in that order; OptionError for one that leads to no result."""
        found = list(dict.fromkeys(asked))
        for path in found:
            if not self._below(path):
                raise self.error(path)
        return found

    def chosen(self, asked: Iterable[str]) -> list[str]:
        """The results that paths lead to, in the order in which they are written; all where nothing is asked for."""
        paths = self.paths(asked)
        wanted = {result for path in paths for result in self._below(path)}
        return [result for result in self.results if not paths or result in wanted]

    def element(self, text: str) -> tuple[str, Place | None]:
        """``dW[0,1]`` -> the result and the index, None where there is no index; OptionError for another text."""
        match = _ELEMENT.fullmatch(text)
        if match is None:
            raise OptionError(f"{text!r} is no element", where=self.option, hint="write it as dW[0,1]")
        if match[1] not in self.results:
            raise self.error(match[1], alone=True)
        return match[1], None if match[2] is None else tuple(map(int, re.findall("[0-9]+", match[2])))

    def error(self, path: str, alone: bool = False) -> OptionError:
        """What is wrong with a path that leads to no result, and what would do; alone: a single result is wanted."""
        if path in self.left_out:
            return OptionError(f"{path} needs {self.left_out[path]}", where=self.option)
        heads = list(dict.fromkeys(result.partition(".")[0] for result in self.results))
        listed = ", ".join(heads[:MOST_HEADS])
        listed += f" and {len(heads) - MOST_HEADS} more" if len(heads) > MOST_HEADS else ""
        return OptionError(
            f"there is no {self.what} {path!r} here, only {listed}", where=self.option, hint=self._hint(path, alone)
        )

    def _below(self, path: str) -> list[str]:
        """The results that a path leads to: itself, or those in what it names."""
        return [each for each in self.results if each == path or (path and each.startswith((f"{path}.", f"{path}[")))]

    def _hint(self, path: str, alone: bool) -> str:
        holder, _, name = path.rpartition(".")
        if name in ADDED_BY and self.what == "result" and (not holder or self._below(holder)):
            return f"{path} comes with {ADDED_BY[name]}"
        holders = set() if alone or "." in path else {result.rpartition(".")[0] for result in self.results} - {""}
        own = {result.rpartition(".")[2]: result for result in reversed(self.results)}  # dW alone: the first layer's
        if path in own:
            return f"Did you mean '{own[path]}'?"
        near = near_result(path, (*self.results, *sorted(holders)))
        if not near and (inner := re.search("'(.*)'", did_you_mean(path, own))):
            near = f"Did you mean '{own[inner[1]]}'?"
        nested = next((result for result in self.results if "." in result), "")
        return near or (f"what lies inside is written as {nested}" if nested else "")


def select(solution: Solution, only: Iterable[str]) -> dict[str, Quantity]:
    """The results asked for, all of them where nothing is; ConvgradError where one of them overflows.

    Here is where they are computed. Those on the way through an activation are there where they are asked for.
    """
    asked, every = list(only), solution.every
    names = Selection(tuple(every), solution.left_out).chosen(asked) if asked else list(solution.quantities)
    chosen = {name: every[name] for name in names}
    check_finite(chosen)
    return chosen


def explained(
    quantities: Mapping[str, Quantity], asked: Iterable[str], left_out: Mapping[str, str]
) -> list[Explanation]:
    """The elements asked for, such as ``dW[0,1]``, written out; a name alone stands for its largest element."""
    selection, found = Selection(tuple(quantities), left_out, "--explain"), []
    for text in asked:
        name, index = selection.element(text)
        with at(selection.option):
            found.append(quantities[name].explain(quantities[name].largest() if index is None else index))
    return found


def picked(entries: Mapping[str, Any], only: Iterable[str]) -> dict[str, Any]:
    """Entries of objects and lists -> what the paths asked for lead to, by path; all entries where nothing is asked."""
    nodes = dict(_nodes(entries))
    return {path: nodes[path] for path in Selection.of(entries).paths(only)} or dict(entries)


def _holds(value: Any) -> bool:
    """Whether an entry holds named entries, and is no result itself."""
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(each, dict) for each in value))


def _nodes(entries: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Everything that entries of objects and lists hold, by path; texts, such as a layer's type, are no results."""
    for name, entry in entries.items():
        if not isinstance(entry, str):
            yield name, entry
        if isinstance(entry, dict):
            yield from _nodes({f"{name}.{part}": value for part, value in entry.items()})
        elif _holds(entry):
            yield from _nodes({f"{name}[{k}]": value for k, value in enumerate(entry)})
