"""What an answer may be off by that was computed in a coarser dtype than the result: cell by cell, from its own sums.

A sum of n products a b in a dtype of precision eps is off by up to about sqrt(n) eps sum |a b|, in whatever order it is
taken (Higham & Mary 2019, with a constant of 1; n eps sum |a b| is the bound that no order exceeds). Both n and
sum |a b| of every cell are what the layer itself gives for ones, and for the operands without their signs.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, log10
from typing import Any

import numpy as np

from convgrad.checking.rules import Rules
from convgrad.checking.written import Answer
from convgrad.core.element import Array
from convgrad.kinds import STEPPED
from convgrad.layers import weights
from convgrad.problems import Solution
from convgrad.problems.noise import largest_summand, noise_of

ACCEPTABLE = (1e-6, 1e-5, 1e-4, 1e-3)
"""Relative tolerances that a hint may name."""


def held(answer: Answer, solution: Solution, name: str, dtype: str, carried: Array | float = 0.0) -> Answer:
    """An answer with what its result's sums may be off by, in the dtype of the result or in its own coarser one.

    carried: what a result in float32 is off by because what it was worked from is.
    """
    noise, own = noise_of(solution, name, dtype), answer.own_dtype
    coarser = own and np.finfo(own).eps > np.finfo("float32" if dtype == "float32" else "float64").eps
    if answer.rules.tolerant or not coarser:
        return answer.within(noise, dtype)
    carried = carried * float(np.finfo(own).eps / np.finfo("float32").eps)
    sums = in_dtype(solution, name, own)
    if isinstance(carried, np.ndarray) and carried.shape != sums.shape:
        sums = np.full(carried.shape, sums.max())  # of a layer without a command, that hands numbers on
    return answer.within(noise + carried + sums, own)


def in_dtype(solution: Solution, name: str, dtype: str) -> Array:
    """What every cell of a result may be off by that was computed in a dtype."""
    eps, least = float(np.finfo(dtype).eps), float(np.finfo(dtype).smallest_subnormal)
    problem, quantity = solution.problem, solution.every[name]
    value = np.asarray(quantity.value, np.float64)
    if name in STEPPED and problem.sgd is not None:
        gradient = f"d{STEPPED[name]}"
        share = problem.sgd.lr * (1 + (problem.sgd.momentum or 0)) if name.endswith("_new") else 1.0
        before = problem.operands.get(problem.parameters.get(STEPPED[name], ""), value)
        return share * in_dtype(solution, gradient, dtype) + 2 * eps * (np.abs(value) + float(np.abs(before).max()))
    if name in ("derivative", "sensitivity"):
        above = 1.0 if name == "derivative" or problem.delta is None else float(np.abs(problem.delta).max())
        return np.full(value.shape, above * (8 * eps + 2 * float(in_dtype(solution, "z", dtype).max())))
    if problem.is_layer and weights(problem.layer) and quantity.made_of is None:
        sizes, counts = (_without_signs(solution, name, ones) for ones in (False, True))
        if sizes is not None and counts is not None:
            return eps * np.sqrt(counts) * sizes + least * counts
    largest, terms = largest_summand(solution, name)
    return np.full(value.shape, 2 * eps * np.sqrt(max(1.0, terms / max(1, value.size))) * largest)


def _without_signs(solution: Solution, name: str, ones: bool) -> Array | None:
    """A result of the layer with its operands made positive, or made ones; None where it has no such result."""
    problem = solution.problem

    def plain(array: Any) -> Any:
        return None if array is None else np.ones(array.shape) if ones else np.abs(np.asarray(array, np.float64))

    layer: Any = problem.layer
    fields = [each.field for each in layer.parameters.values()]
    layer = replace(layer, **{each: plain(getattr(layer, each)) for each in fields})
    x = plain(problem.x)
    if name in ("output", "z"):
        found = layer.forward(x)
        return np.asarray(problem.shorthand.lower(found.value, problem.output_axes), np.float64)
    if problem.delta is None:
        return None
    above = plain(problem.delta)
    if problem.activation is not None and not ones:
        above = above + plain(solution.operands.get("sensitivity", above))
    for quantity in layer.backward(x, problem.lifted(above)):
        if quantity.name == name:
            return np.asarray(problem.shorthand.lower(quantity.value, quantity.axes), np.float64)
    return None


def accepting(answer: Answer, value: Array) -> str:
    """The options that would accept a nearly right answer, tried on it; empty where no small tolerance does."""
    off, sizes = np.abs(answer.numbers - value), np.abs(value)
    for rtol in ACCEPTABLE:
        left = float((off - rtol * sizes).max(initial=0.0))
        atol = 0.0 if left <= 0 else 10.0 ** ceil(log10(left))
        if atol > rtol * float(sizes.max(initial=0.0)):
            continue
        rules = Rules(rtol, atol)
        if replace(answer, rules=rules, noise=0.0).says(value):
            return f"--rtol {_power(rtol)}" + (f" --atol {_power(atol)}" if atol else "")
    return ""


def _power(tolerance: float) -> str:
    """A power of ten as it is typed: ``1e-5``."""
    return f"1e{round(log10(tolerance))}"
