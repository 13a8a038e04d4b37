"""`follows` is given for work that was done: never for nothing, and always where an answer is worked from a wrong one."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad
from numpy.random import Generator
from numpy.typing import NDArray

from convgrad.checking import check_case, misread
from convgrad.checking.follow import LayerFollow
from convgrad.checking.search import Search
from convgrad.checking.written import Answer
from convgrad.core.operand import Operand
from convgrad.kinds import KINDS
from convgrad.mistakes.about import LAYERS
from convgrad.mistakes.case import Case
from convgrad.problems.solve import solver_of
from convgrad.teaching.draws import drawn

Array = NDArray[Any]

DENSE = "convgrad dense-backward '[1.5,-2]' '[0.37,-1.21]' -w '[[0.31,-0.27],[1.27,0.84]]' -b '[0.1,-0.2]' --lr 0.1 --check -"


@pytest.fixture
def follows_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows is tried without what comes after it and takes longer: the catalogue, patterns, misread numbers."""
    monkeypatch.setattr(misread, "noted", lambda found, asked: found)
    monkeypatch.setattr(Search, "explained", lambda self: self._following() or self.first)


def problems(seed: int, count: int) -> Iterator[tuple[Case, Generator]]:
    rng = np.random.default_rng(seed)
    layers = [layer for layer in LAYERS if layer != "loss"]
    for number in range(count):
        case = drawn(layers[number % len(layers)], rng, small=number % 3 == 0)
        if case is not None:
            yield case, rng


def to_places(array: Array) -> Answer:
    """An answer with four places after the point."""
    return Answer.of(np.array([f"{x:.4f}" for x in np.ravel(array)], object).reshape(np.shape(array)))


def of_nothing(case: Case, rng: Generator) -> Iterator[Callable[[Array], Array]]:
    """Answers that nothing was worked for: zeros, one number, whole numbers, operands copied."""
    number = float(rng.integers(1, 4))
    operands = [np.asarray(each.array, float) for each in case.operands.values()]

    def copied(value: Array) -> Array:
        fitting = [array for array in operands if array.size == value.size]
        return fitting[int(rng.integers(len(fitting)))].reshape(value.shape) if fitting else 0 * value

    yield lambda value: np.zeros(value.shape)
    yield lambda value: np.full(value.shape, number)
    yield lambda value: rng.integers(-4, 5, value.shape).astype(float)
    yield lambda value: rng.integers(-1, 2, value.shape).astype(float)
    yield lambda value: np.round(rng.normal(size=value.shape), 1)
    yield copied


def test_zeros_follow_from_nothing(convgrad: Convgrad) -> None:
    for activation in ("sigmoid", "relu", "identity"):
        zeros = {"output": [0, 0], "db": [0, 0], "dW": [[0, 0], [0, 0]], "dX": [0, 0]}
        ran = convgrad(f"{DENSE} --activation {activation}", stdin=json.dumps(zeros))
        assert "follows" not in {each["verdict"] for each in json.loads(ran.out)["answers"].values()}


@pytest.mark.slow
@pytest.mark.usefixtures("follows_alone")
def test_nothing_follows_from_nothing() -> None:
    tried = 0
    for case, rng in problems(1, 60):
        results = {name: np.asarray(each.value, float) for name, each in case.solution.quantities.items()}
        for made in of_nothing(case, rng):
            answers = {name: Answer.of(made(value)) for name, value in results.items()}
            for name, verdict in check_case("", case, answers).verdicts.items():
                tried += bool(LayerFollow(case.solution)(name)[0])
                assert verdict.verdict != "follows", (case.layer, name, answers[name].numbers, verdict.follows)
    assert tried > 300


@pytest.mark.usefixtures("follows_alone")
def test_what_is_worked_from_a_wrong_answer_follows() -> None:
    """A gradient or velocity is off; what comes after it is worked from it, and all are written to four places."""
    tried = missed = 0
    for case, rng in problems(2, 150):
        results = case.solution.quantities
        for name in results:
            names, predict = LayerFollow(case.solution)(name)
            for earlier in set(names) & set(results) - {"output"}:
                own = results[earlier].value + np.round(rng.normal(size=results[earlier].shape), 2)
                after = predict({earlier: own})
                assert after is not None
                if np.abs(after - results[name].value).max() < 1e-3:
                    continue
                answers = {earlier: to_places(own), name: to_places(after)}
                verdicts = check_case("", case, answers).verdicts
                if verdicts[earlier].verdict == "wrong":
                    tried += 1
                    missed += (verdicts[name].verdict, verdicts[name].follows) != ("follows", earlier)
    assert tried > 100
    assert missed <= 0.03 * tried  # lone numbers of one or two digits say too little


def test_a_step_follows_from_a_wrong_db_without_the_dW_between(convgrad: Convgrad) -> None:
    right = json.loads(convgrad(DENSE.removesuffix(" --check -")).out)
    wrong = np.array([0.73, 0.58])
    W, b = np.array([[0.31, -0.27], [1.27, 0.84]]), np.array([0.1, -0.2])
    answers = {
        "db": wrong.tolist(),
        "dW": np.outer(wrong, [1.5, -2]).tolist(),
        "W_new": np.round(W - 0.1 * np.outer(wrong, [1.5, -2]), 4).tolist(),
        "b_new": np.round(b - 0.1 * wrong, 4).tolist(),
    }
    for name in ("dW", "W_new", "b_new"):
        checked = json.loads(convgrad(DENSE, stdin=json.dumps({"db": answers["db"], name: answers[name]})).out)
        assert checked["answers"][name]["verdict"] == "follows"
        assert checked["answers"][name]["follows"] == "db"
    nothing = {"db": [0, 0], "b_new": b.tolist(), "W_new": W.tolist(), "dX": right["dX"]}
    checked = json.loads(convgrad(DENSE, stdin=json.dumps(nothing)).out)["answers"]
    assert [checked[name]["verdict"] for name in ("W_new", "b_new", "dX")] == ["wrong", "wrong", "right"]


@pytest.mark.parametrize("seed", range(20))
def test_a_zero_of_relu_follows_from_the_same_cell_of_z_and_from_no_other(seed: int) -> None:
    random = np.random.default_rng(seed)
    z, delta = (
        random.normal(size=(3, 3)).round(3),
        random.choice([-1, 1], (3, 3)) * random.uniform(0.6, 2, (3, 3)).round(3),
    )
    operands = {"input": z, "kernel": np.array([[1.0]]), "delta": delta}
    given = {name: Operand(array, name) for name, array in operands.items()}
    case = Case.of(solver_of(KINDS["conv"]), given, {"activation": "relu"}, True)
    live = [*map(tuple, np.argwhere(z > 0))]
    cell = live[int(random.integers(len(live)))]
    for other in live:
        changed, mine = z.copy(), np.where(z > 0, delta, 0.0)
        changed[cell] *= -1
        mine[other] = 0.0
        answers = {"z": Answer.of(changed.tolist()), "sensitivity": Answer.of(mine.tolist())}
        found = check_case("conv", case, answers).verdicts["sensitivity"]
        assert (found.verdict == "follows") == (other == cell)
