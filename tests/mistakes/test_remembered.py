"""What a case remembers of a search: the next answer gets the same verdict as it would have got as the first."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from convgrad.checking import check_case
from convgrad.checking.rules import TO_THE_PLACES, Quantised, Rules
from convgrad.checking.verdict import Checked
from convgrad.checking.written import Answer
from convgrad.mistakes import recogniser
from convgrad.mistakes.about import LAYERS
from convgrad.mistakes.case import Case
from convgrad.mistakes.deadline import Deadline
from convgrad.mistakes.recogniser import predictions, recognised
from convgrad.mistakes.tried import MOST_REMEMBERED
from convgrad.problems import Operand
from convgrad.teaching.draws import case_of, drawn

Array = NDArray[Any]


def problems(layer: str, rng: np.random.Generator) -> Iterator[Case]:
    """Random problems of a layer, small ones."""
    yield from (case for _ in range(99) if (case := drawn(layer, rng, small=True)) is not None)


def texts(array: Array, places: int) -> Answer:
    return Answer.of(np.vectorize(lambda number: f"{number:.{places}f}", [object])(array))


def answers_to(case: Case, name: str, rng: np.random.Generator) -> Iterator[Answer]:
    """Wrong answers of every kind: what a row gives, what a pair gives, noise, one cell off, zeros, another shape."""
    right = case.right(name)
    alone = [*islice(predictions(case, name), 40)]
    for each in rng.permutation(np.arange(len(alone)))[:3]:
        yield texts(alone[each].array, int(rng.integers(1, 6)))
        yield Answer.of(np.asarray(alone[each].array, np.float64))
    for pair in [*islice(recogniser.pairs(case, name, alone), 60)][::20]:
        yield texts(pair.array, 5)
    noisy = right + np.round(rng.normal(size=right.shape), 2)
    yield texts(noisy, 4)
    yield Answer.of(noisy, Rules(rtol=1e-2))
    yield Answer.of(noisy.astype(np.float32)).within(np.full(right.shape, 1e-6), "float32")
    yield Answer.of(np.round(noisy * 10).astype(int), replace(TO_THE_PLACES, quantised=Quantised(0.1)))
    one = np.array(right, float)
    one.flat[rng.integers(one.size)] += 0.37
    yield texts(one, 3)
    yield texts(np.zeros(right.shape), 1)
    yield texts(np.ones((*right.shape, 2)), 2)


def said(found: recogniser.Recognised) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    named, doubtful = (
        [tuple(mistake.name for mistake in each.mistakes) for each in some] for some in (found.named, found.doubtful)
    )
    return named, doubtful


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS)
def test_a_search_that_remembers_finds_what_a_plain_one_does(layer: str) -> None:
    rng = np.random.default_rng(len(layer))
    for case in islice(problems(layer, rng), 1):
        for name in case.solution.quantities:
            for answer in answers_to(case, name, rng):
                plain = recognised(replace(case), name, answer.says)
                for _ in range(2):  # what it finds first, and what it remembers
                    assert said(recognised(case, name, answer.says, None, answer.says_each)) == said(plain)


@pytest.mark.parametrize("layer", ["conv", "pool", "dense"])
def test_what_was_tried_counts_as_much_when_it_is_remembered(layer: str) -> None:
    rng = np.random.default_rng(3)
    case = next(problems(layer, rng))
    for name in case.solution.quantities:
        noisy = texts(case.right(name) + np.round(rng.normal(size=case.right(name).shape), 2), 4)
        first, second = (recogniser.Search(case.right(name), noisy.says, noisy.says_each) for _ in range(2))
        for search in (first, second):
            for what in ("alone", "pairs"):
                made = predictions(case, name) if what == "alone" else recogniser.pairs(case, name, [])
                search.through(case, (name, what), made, Deadline(1e9))
        assert first.asked > 0 == second.asked
        assert first.tried.ranks == second.tried.ranks and first.found.keys() == second.found.keys()


def test_an_answer_says_many_as_it_says_each() -> None:
    rng = np.random.default_rng(5)
    for seed in range(200):
        shape = [(3,), (2, 3), (5, 8), ()][seed % 4]
        value = np.round(rng.normal(size=shape), int(rng.integers(0, 5)))
        rules = [TO_THE_PLACES, Rules(rtol=1e-2), Rules(ulp=2.0)][seed % 3]
        answer = texts(value, int(rng.integers(0, 5))) if seed % 2 else Answer.of(value, rules)
        offs = [0, 1e-9, 0.004, 0.04, 0.4, 1]
        stack = np.stack([value + off * rng.choice((-1, 0, 1), shape) for off in offs for _ in range(4)])
        assert [*answer.says_each(stack)] == [answer.says(each) for each in stack]
        assert not answer.says_each(stack[..., None]).any()


def test_a_search_that_was_cut_or_is_too_large_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(problems("conv", np.random.default_rng(0)))
    noisy = texts(case.right("dX") + 0.37, 4)
    recognised(case, "dX", noisy.says, Deadline(0))
    assert not case.remembered
    monkeypatch.setattr(recogniser, "MOST_REMEMBERED", 5 * case.right("dX").size)
    recognised(case, "dX", noisy.says)
    assert not case.remembered
    monkeypatch.undo()
    recognised(case, "dX", noisy.says)
    kept = case.remembered["dX", "alone"].predictions
    assert 0 < sum(each.array.size for each in kept) <= MOST_REMEMBERED


def test_predictions_that_there_was_no_room_for_are_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(problems("conv", np.random.default_rng(0)))
    monkeypatch.setattr(recogniser, "MOST_KEPT", 3 * case.right("dX").size)
    recognised(case, "dX", texts(case.right("dX") + 0.37, 4).says)
    assert ("dX", "alone") not in case.remembered


def verdicts(checked: Checked) -> list[Any]:
    return [
        (each.verdict, each.follows, each.same_as, each.remarks, [[*map(id, s.mistakes)] for s in each.sightings])
        for each in checked.verdicts.values()
    ]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_check_says_the_same_of_a_case_that_was_checked_before(dtype: str) -> None:
    rng = np.random.default_rng(2)
    arrays = {"input": (1, 1, 5, 5), "kernel": (1, 1, 2, 3), "bias": (1,), "delta": (1, 1, 4, 3)}
    operands = {role: Operand(np.round(rng.normal(size=shape), 2), role) for role, shape in arrays.items()}

    def fresh() -> Case:
        return case_of("conv", operands, {"dtype": dtype}, backward=True)

    case = fresh()
    for _ in range(5):
        off = {name: rng.random(case.right(name).shape) < rng.choice((0, 0.2, 1)) for name in case.solution.quantities}
        answers = {
            name: texts(case.right(name) + np.round(rng.normal(size=mask.shape), 2) * mask, 4)
            for name, mask in off.items()
        }
        assert verdicts(check_case("conv", case, answers)) == verdicts(check_case("conv", fresh(), answers))
    misread = np.array(operands["delta"].array)
    misread[0, 0, 1, 1] += 0.5
    other = case_of("conv", {**operands, "delta": Operand(misread, "delta")}, {}, backward=True)
    answers = {name: texts(other.right(name), 4) for name in ("dW", "dX")}
    found = check_case("conv", case, answers)
    assert verdicts(found) == verdicts(check_case("conv", fresh(), answers))
    assert "delta-misread" in {remark.kind for each in found.verdicts.values() for remark in each.remarks}
