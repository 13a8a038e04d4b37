"""Every way of answering, over every rank, dtype and rule of comparing: a verdict comes out, and it can be believed."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convgrad.checking import check_case
from convgrad.checking.rules import Manner, Quantised, Rules
from convgrad.checking.verdict import Checked
from convgrad.checking.written import Answer
from convgrad.core.element import Array
from convgrad.core.operand import Operand
from convgrad.kinds import KINDS
from convgrad.mistakes.case import Case
from convgrad.problems.solve import solver_of
from convgrad.render import write

VOCABULARY = {"right", "follows", "convention", "too-coarse", "wrong", "wrong-shape", "unanswered", "missing"}

PROBLEMS = {
    "numbers": ((3,), (2,), (2,)),  # db has no axes
    "planes": ((4, 4), (2, 2), (3, 3)),
    "channels": ((2, 4, 4), (2, 2, 2), (3, 3)),
    "filters": ((2, 4, 4), (2, 2, 2, 2), (2, 3, 3)),
    "batch": ((2, 2, 4, 3), (2, 2, 2, 2), (2, 2, 3, 2)),
}
"""Shapes of input, kernel and delta: results of 0 to 4 axes."""

RULES = {
    "places": Rules(),
    "rtol": Rules(rtol=1e-5),
    "atol": Rules(atol=1e-5),
    "both": Rules(rtol=0.0, atol=0.0),
    "ulp": Rules(ulp=4),
    "quantised": Rules(quantised=Quantised(0.01, 3)),
    "strict": Rules(strict_shape=True),
}


def case_of(shapes: str, dtype: str, seed: int) -> Case:
    random = np.random.default_rng(seed)
    x, kernel, delta = (random.integers(-99, 100, shape) / 16 for shape in PROBLEMS[shapes])
    arrays = {"input": x, "kernel": kernel, "bias": np.array(0.5), "delta": delta}
    if shapes in ("filters", "batch"):
        arrays["bias"] = np.array([0.5, -1.25])
    if dtype == "exact":
        from fractions import Fraction

        arrays = {name: np.vectorize(Fraction, [object])(array) for name, array in arrays.items()}
    operands = {name: Operand(array, name) for name, array in arrays.items()}
    return Case.of(solver_of(KINDS["conv"]), operands, {"dtype": dtype, "lr": 0.5, "momentum": 0.5}, True)


def _one_off(value: Array) -> Array:
    changed = value.copy()
    changed[(0,) * value.ndim] += 1 + np.abs(value).max()
    return changed


def _with(number: float) -> Callable[[Array], Array]:
    def changed(value: Array) -> Array:
        changed = value.copy()
        changed[(-1,) * value.ndim] = number
        return changed

    return changed


RIGHT: dict[str, Callable[[Array], Any]] = {
    "as it is": lambda value: value,
    "axes of one": lambda value: value[None, ..., None],
}
COARSE: dict[str, Callable[[Array], Any]] = {"whole": np.round}
WRONG: dict[str, Callable[[Array], Any]] = {
    "one off": _one_off,
    "NaN": _with(float("nan")),
    "infinite": _with(float("-inf")),
    "all NaN": lambda value: np.full(value.shape, np.nan),
    "sign": lambda value: -value - (value == 0),
    "rotated": lambda value: value[(slice(None, None, -1),) * value.ndim] + 0.5,
    "ratio": lambda value: value * 1.5 + (value == 0),
    "shifted": lambda value: value + 7.25,
    "nearly": lambda value: value + np.abs(value).max() * 0.02 + 0.01,
    "zeros": lambda value: np.zeros(value.shape) if value.all() else value + 1,
    "constant": lambda value: np.full(value.shape, 1e3),
    "larger": lambda value: np.pad(np.atleast_1d(value), 1),
    "flat": lambda value: value.ravel()[::-1] + 1.0,
    "a number": lambda value: np.array(1234.5),
    "turned": lambda value: value.T + 1.0,
    "texts": np.vectorize(lambda number: f"{number + 1:.2f}", [object]),
    "blank": lambda value: np.full(value.shape, "?", object),
}


def checked(case: Case, name: str, given: Any, dtype: str, rules: Rules) -> Checked:
    array = np.asarray(given)
    if rules.quantised is not None:
        array = np.round(array / rules.quantised.scale + rules.quantised.zero)
    elif array.dtype.kind == "f":
        array = array.astype(dtype)
    return check_case("conv", case, {name: Answer.of(array, rules)}, Manner(require=("db",)))


@pytest.mark.slow
@settings(max_examples=150)
@given(
    st.sampled_from(sorted(PROBLEMS)),
    st.sampled_from(["output", "dW", "db", "dX", "W_new", "b_new", "velocity_W", "velocity_b"]),
    st.sampled_from(sorted({**RIGHT, **COARSE, **WRONG})),
    st.sampled_from(["float64", "float32", "float16"]),
    st.sampled_from(sorted(RULES)),
    st.sampled_from(["float64", "float32", "exact"]),
    st.integers(0, 10**6),
)
def test_a_verdict_comes_out_and_can_be_believed(
    shapes: str, name: str, form: str, dtype: str, rule: str, computed: str, seed: int
) -> None:
    case, rules = case_of(shapes, computed, seed), RULES[rule]
    value = np.asarray(case.right(name), np.float64)
    given = {**RIGHT, **COARSE, **WRONG}[form](value)
    if rules.quantised is not None and np.asarray(given).dtype.kind != "f":
        return
    found = checked(case, name, given, dtype, rules)
    verdict = found.verdicts[name].verdict
    assert {each.verdict for each in found.verdicts.values()} <= VOCABULARY
    loose = dtype != "float64" and rule in ("rtol", "atol", "both", "ulp")
    if form in RIGHT and not loose and not (rule == "strict" and form == "axes of one"):
        assert verdict == "right"
    elif form in WRONG and not (rules.quantised is not None and form == "nearly"):
        assert verdict not in ("right", "too-coarse")
        assert not found
    for text in (str(found), write(found, "json").decode()):
        assert name in text
    json.loads(write(found, "json"), parse_constant=pytest.fail)


@pytest.mark.parametrize("rule", ["--rtol 1e-5", "--atol 1e-5", "--rtol 0 --atol 0", "--ulp 1"])
def test_a_wrong_lone_number_under_a_tolerance_is_wrong(convgrad: Any, rule: str) -> None:
    classic = "convgrad conv-backward samples/classic/input.json samples/classic/delta.json"
    ran = convgrad(f"{classic} --check '{{\"db\":0.9}}' {rule}")
    assert (ran.code, json.loads(ran.out)["answers"]["db"]["verdict"]) == (1, "wrong")
