"""A delta in which one cell was misread: what is wrong in several gradients, and agrees among them.

The gradients are worked rightly, from a delta with one other number. One answer alone would not say so, since there are
many cells and any number may stand in one; answers that agree on the cell and on the number do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from math import log2

import numpy as np

from convgrad.checking.follow import Flow
from convgrad.checking.verdict import WRONG, Question, Remark, Verdict
from convgrad.core.element import Array, Place, element_name
from convgrad.errors import listed
from convgrad.layers import gradients
from convgrad.mistakes.evidence import MARGIN, bits, written_unit
from convgrad.mistakes.tried import MOST_REMEMBERED
from convgrad.problems import Problem

MOST_CELLS = 256
"""Cells of a delta that are tried; each takes a backward pass."""

PLACES = 7
"""Places after the point that a misread number is tried with."""


@dataclass(frozen=True)
class Misread:
    """A cell of the delta, the number that was read there, and the right one."""

    at: Place
    number: float
    right: float


def noted(found: Mapping[str, Verdict], asked: Mapping[str, Question]) -> dict[str, Verdict]:
    """The verdicts, with a remark on those that agree on a misread cell; the slip counts once."""
    told = dict(found)
    for names in _of_a_layer(found, asked):
        case = asked[names[0]].case
        assert case is not None
        seen = _misread(case.problem, {asked[name].result: found[name] for name in names})
        if seen is None:
            continue
        cell = element_name("delta", seen.at)
        text = (
            f"your {listed(names)} agree with each other if {cell} is {seen.number:.10g} in place of {seen.right:.10g}"
        )
        for name in names:
            remarks = (Remark("delta-misread", text, text), *found[name].remarks)
            told[name] = replace(found[name], remarks=remarks, same_as="" if name == names[0] else names[0])
    return told


def _of_a_layer(found: Mapping[str, Verdict], asked: Mapping[str, Question]) -> Iterator[list[str]]:
    """Gradients of one layer that are wrong for no reason known, where there are at least two."""
    layers: dict[str, list[str]] = {}
    for name, verdict in found.items():
        case = asked[name].case
        if verdict.verdict != WRONG or verdict.sightings or verdict.not_finite_cells or case is None:
            continue
        result, problem = asked[name].result, case.problem
        if problem.delta is not None and name.endswith(result) and result in gradients(problem.layer):
            layers.setdefault(name.removesuffix(result), []).append(name)
    yield from (names for names in layers.values() if len(names) > 1)


def _misread(problem: Problem, wrong: Mapping[str, Verdict]) -> Misread | None:
    """The only cell, with the number in it, that explains all that is wrong; None where it could be chance."""
    delta = np.asarray(problem.delta, np.float64)
    if delta.size > MOST_CELLS:
        return None
    found = [each for at in np.ndindex(delta.shape) for each in _read(problem, delta, at, wrong)]
    return found[0] if len(found) == 1 else None


def _read(problem: Problem, delta: Array, at: Place, wrong: Mapping[str, Verdict]) -> Iterator[Misread]:
    """The number that explains all that is wrong, if it was read at a place, with as few digits as may be."""
    step = _step(delta)
    value = {name: np.asarray(each.value, np.float64) for name, each in wrong.items()}
    sent = {name: _sent(problem, name, at, array.size * delta.size) for name, array in value.items()}
    patterns = {
        name: np.asarray((array - value[name]) / step, np.float64) for name, array in sent.items() if array is not None
    }
    if len(patterns) < len(wrong) or not all(pattern.any() for pattern in patterns.values()):
        return
    offs = {name: each.answer.numbers - value[name] for name, each in wrong.items()}
    along = sum(float((offs[name] * pattern).sum()) for name, pattern in patterns.items())
    number = float(delta[at]) + along / sum(float((pattern**2).sum()) for pattern in patterns.values())
    for places in range(PLACES + 1):
        read = round(number, places)
        given = {name: np.asarray(value[name] + (read - delta[at]) * pattern) for name, pattern in patterns.items()}
        if read != delta[at] and all(each.answer.says(given[name]) for name, each in wrong.items()):
            said = sum(
                bits(given[name], value[name], written_unit(given[name], each.answer.says))
                for name, each in wrong.items()
            )
            if said - log2(delta.size) - log2(1 + 2 * abs(read) * 10**places) >= MARGIN:
                yield Misread(at, read, float(delta[at]))
            return


def _step(delta: Array) -> float:
    """By how much a cell of the delta is moved, to see what moves with it."""
    return float(np.abs(delta).max()) or 1.0


def _sent(problem: Problem, name: str, at: Place, numbers: int) -> Array | None:
    """A gradient where a cell of the delta is moved; None where it cannot be worked. numbers: of it for all cells."""
    return _all_sent(problem, name)[at] if numbers <= MOST_REMEMBERED else _worked(problem, name, at)


@lru_cache(maxsize=16)  # the same for every answer to a problem
def _all_sent(problem: Problem, name: str) -> dict[Place, Array | None]:
    return {at: _worked(problem, name, at) for at in np.ndindex(np.asarray(problem.delta).shape)}


def _worked(problem: Problem, name: str, at: Place) -> Array | None:
    delta = np.array(problem.delta, np.float64)
    delta[at] += _step(delta)
    return Flow(problem, {"delta": delta}).value(name)
