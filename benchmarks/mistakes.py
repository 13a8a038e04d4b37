"""How well mistakes are recognised: ``python benchmarks/mistakes.py [problems per mistake] [wrong answers]``.

Every row is planted on fifty random problems where it shows, and must be among those named (or a pair or look-alike that
gives the very same array). Wrong answers of no known origin must not be accused: ten thousand of them, on problems of small
whole numbers among others. And the time of a diagnosis of a wrong 28x28 answer.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.random import Generator

from convgrad.core.element import Array
from convgrad.mistakes.about import LAYERS
from convgrad.mistakes.case import Case
from convgrad.mistakes.catalogue import ROWS
from convgrad.mistakes.recogniser import differs, predictions, recognise
from convgrad.problems import Operand
from convgrad.teaching.draws import case_of, drawn, showing

KINDS = (
    "whole numbers -4 to 4",
    "one cell changed",
    "noise added",
    "shuffled",
    "unrelated",
    "one row changed",
    "one number everywhere",
)
SMALL = 0.4
"""The share of problems that are a 2x2 kernel of small whole numbers on a 3x3 or 4x4 input."""


def rounded(array: Array, digits: int) -> Array:
    """An array as homework has it: every number to so many significant digits."""
    scale = 10.0 ** (digits - 1 - np.floor(np.log10(np.where(array == 0, 1, np.abs(array)))))
    return np.asarray(np.round(array * scale) / scale)


def says(answer: Array, digits: int) -> Callable[[Array], bool]:
    """Whether an array is what the answer says, to the digits written."""
    unit = 10.0 ** (np.floor(np.log10(np.where(answer == 0, 1, np.abs(answer)))) - digits + 1)
    slack = np.where(answer == 0, 1e-9, 0.5000001 * unit)
    return lambda array: array.shape == answer.shape and bool((np.abs(array - answer) <= slack).all())


def planted(number: int, problems: int) -> tuple[str, int, int]:
    """(name, problems where a row shows, those where it is recognised)."""
    row, rng = ROWS[number], np.random.default_rng(number)
    shown = found = 0
    for case, name in islice(showing(row, rng), problems):
        with np.errstate(all="ignore"):
            arrays = [array for array in row.predict(case, name) if differs(array, case.right(name))]
        digits = int(rng.integers(4, 7))
        answer = rounded(arrays[int(rng.integers(len(arrays)))], digits)
        if says(answer, digits)(case.right(name)):
            continue  # rounded so, it is the right answer
        named = {
            mistake.name for sighting in recognise(case, name, says(answer, digits)) for mistake in sighting.mistakes
        }
        shown, found = shown + 1, found + (row.name in named)
    return row.name, shown, found


def accused(seed: int, answers: int) -> tuple[Counter[str], Counter[str], list[str]]:
    """(wrong answers tried, those accused, which ones), by kind."""
    rng = np.random.default_rng(seed)
    tried: Counter[str] = Counter()
    blamed: Counter[str] = Counter()
    which = []
    while tried.total() < answers:
        case = small(rng) if rng.random() < SMALL else drawn(LAYERS[int(rng.integers(len(LAYERS)))], rng)
        if case is None:
            continue
        names = list(case.solution.quantities)
        name = names[int(rng.integers(len(names)))]
        kind = KINDS[tried.total() % len(KINDS)]
        digits = int(rng.integers(3, 6))
        answer = wrong(kind, case.right(name), digits, rng)
        if answer is None or says(answer, digits)(case.right(name)):
            continue
        if kind == "shuffled" and any(says(answer, digits)(p.array) for p in predictions(case, name)):
            continue  # of four cells every third shuffle is a rotation or a mirror, cell by cell
        tried[kind] += 1
        if sightings := recognise(case, name, says(answer, digits)):
            blamed[kind] += 1
            which.append(f"{kind}: {case.layer} {name} {answer.shape} {[m.name for m in sightings[0].mistakes]}")
    return tried, blamed, which


def wrong(kind: str, right: Array, digits: int, rng: Generator) -> Array | None:
    """A wrong answer of no known origin; None where it would be no array of its kind."""
    size = float(np.abs(right).max(initial=0.0)) or 1.0
    if kind == KINDS[0]:
        return rng.integers(-4, 5, right.shape).astype(float)
    if kind == KINDS[6]:
        number = [0.0, 1.0, float(rng.integers(-4, 5)), round(float(rng.normal(0, size)), 2), float(right.ravel()[0])]
        return np.full(right.shape, rounded(np.asarray(number[int(rng.integers(len(number)))]), digits))
    if kind in (KINDS[1], KINDS[5]):
        answer = np.array(rounded(right, digits))
        if kind == KINDS[5] and (right.ndim < 2 or right.size == right.shape[-1]):
            return None
        cells = answer.reshape(-1) if kind == KINDS[1] else answer.reshape(-1, answer.shape[-1])
        k = int(rng.integers(len(cells)))
        slips: list[Any] = [cells[k] + int(rng.integers(1, 5)), 0 * cells[k], rng.normal(0, size, cells[k].shape)]
        slips += [-cells[k]] if len(cells) > 1 else []  # the sign of the only number is a mistake that has a name
        cells[k] = rounded(np.asarray(slips[int(rng.integers(len(slips)))]), digits)
        return answer
    if kind == KINDS[2]:
        return rounded(right + rng.normal(0, 0.1 * size, right.shape), digits)
    if kind == KINDS[3]:
        return None if right.size < 3 else rounded(rng.permutation(right.ravel()).reshape(right.shape), digits)
    return np.round(rng.normal(0, size, right.shape), int(rng.integers(0, 4)))


def small(rng: Generator) -> Case:
    """A problem as it is set on paper: whole numbers from -4 to 4, a 2x2 kernel."""
    n = int(rng.integers(2, 4))
    shapes = {"input": (n + 1, n + 1), "kernel": (2, 2), "delta": (n, n), "bias": ()}
    arrays = {role: rng.integers(-4, 5, shape).astype(float) for role, shape in shapes.items()}
    return case_of("conv", {role: Operand(np.asarray(array), role) for role, array in arrays.items()}, {})


def diagnosis() -> None:
    """The time of a search that finds nothing, the longest there is."""
    rng = np.random.default_rng(0)
    shapes = {"input": (1, 28, 28), "kernel": (8, 1, 3, 3), "bias": (8,), "delta": (8, 26, 26)}
    case = case_of("conv", {role: Operand(rng.normal(size=shape), role) for role, shape in shapes.items()}, {})
    print("\na wrong answer of unknown origin on 28x28, 8 filters 3x3, over the whole catalogue and its pairs")
    for name in ("output", "dW", "db", "dX"):
        answer = rounded(case.right(name) + rng.normal(size=case.right(name).shape), 5)
        start, busy = time.perf_counter(), time.process_time()
        assert recognise(case, name, says(answer, 5)) == []
        wall, own = time.perf_counter() - start, time.process_time() - busy
        print(f"  {name:<8} {1000 * wall:6.0f} ms, {1000 * own:6.0f} ms of them computing")


def main(problems: int = 50, answers: int = 10_000) -> None:
    rows, workers = ROWS, os.cpu_count() or 1
    print(f"{len(rows)} mistakes, {sum(bool(row.convention) for row in rows)} of them conventions")
    diagnosis()
    with ProcessPoolExecutor(workers) as pool:
        results = list(pool.map(planted, range(len(rows)), [problems] * len(rows)))
        shown, found = sum(each[1] for each in results), sum(each[2] for each in results)
        print(
            f"\nplanted on {problems} random problems each: {found} of {shown} recognised, {100 * found / shown:.1f} %"
        )
        for name, seen, hits in sorted(results, key=lambda each: each[2] / max(1, each[1]))[:12]:
            print(f"  {name:<36} {hits} of {seen}")
        parts = 20
        tried_all: Counter[str] = Counter()
        blamed_all: Counter[str] = Counter()
        listed: list[str] = []
        for tried, blamed, which in pool.map(accused, range(parts), [answers // parts] * parts):
            tried_all += tried
            blamed_all += blamed
            listed += which
    print(f"\nwrong answers of no known origin: {blamed_all.total()} of {tried_all.total()} accused")
    for kind in KINDS:
        print(f"  {kind:<24} {blamed_all[kind]} of {tried_all[kind]}")
    for each in listed[:20]:
        print(f"  {each}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
