"""How far the floating-point sums of a result may be from exact ones."""

from __future__ import annotations

import numpy as np

from convgrad.kinds import STEPPED
from convgrad.problems.problem import Problem, Solution


def noise_of(solution: Solution, name: str, dtype: str = "float64") -> float:
    """How far a result may be from what exact arithmetic gives, or another order of the same sums: an estimate."""
    largest, terms = largest_summand(solution, name)
    epsilon = np.finfo(np.float32 if dtype == "float32" else np.float64).eps
    return float(8 * epsilon * np.sqrt(terms) * largest)


def largest_summand(solution: Solution, name: str) -> tuple[float, int]:
    """How large the numbers are that a result is the sum of, and how many of them there may be, at most."""
    operands = {each: np.abs(np.asarray(array, np.float64)) for each, array in solution.operands.items() if array.size}
    own = solution.working.get(name, solution.quantities.get(name))
    largest = 0.0 if own is None else own.made_of or 0.0
    for factors in _summands(solution.problem, name):
        found = [float(operands[each].max()) for each in factors if each in operands]
        largest += float(np.prod(found)) if found else 0.0
    return largest, max((array.size for array in operands.values()), default=1)


def _summands(problem: Problem, name: str) -> list[tuple[str, ...]]:
    """What a result is a sum of: products of operands."""
    if not problem.is_layer:
        return [(each,) for each in problem.operands]
    parameters = problem.layer.parameters
    factors = tuple(each.field for each in parameters.values() if not each.added)
    if name == "output":
        return [("input", *factors), *((each.field,) for each in parameters.values() if each.added)]
    if name == "dX":
        return [("delta", *factors)]
    if name in STEPPED:
        return [*_summands(problem, f"d{STEPPED[name]}"), (parameters[STEPPED[name]].field,)]
    own = parameters.get(name.removeprefix("d"))
    return [] if own is None else [("delta",) if own.added else ("delta", "input")]
