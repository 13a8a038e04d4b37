"""The search for mistakes in a large answer: bounded in time and memory, and it says where it was cut."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from convgrad.checking import case_of, check_case
from convgrad.checking.rules import Manner
from convgrad.checking.written import Answer
from convgrad.layers.conv import Conv
from convgrad.mistakes import recogniser
from convgrad.mistakes.case import Case
from convgrad.mistakes.deadline import Deadline
from convgrad.mistakes.recogniser import predictions, recognise


def ticking(step: float) -> Callable[[], float]:
    """A clock that moves by `step` at each look."""
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += step
        return now

    return clock


@pytest.fixture(scope="module")
def case() -> Case:
    random = np.random.default_rng(0)
    x, delta = random.standard_normal((2, 3, 9, 9)), random.standard_normal((2, 4, 7, 7))
    return case_of(Conv(kernel=random.standard_normal((4, 3, 3, 3))), x, delta)


def random_answer(case: Case, name: str) -> Any:
    return case.right(name) + np.random.default_rng(1).standard_normal(case.right(name).shape)


def test_a_deadline_stops_between_steps_and_says_so() -> None:
    deadline = Deadline(2, ticking(0.5))
    assert list(deadline.within(range(100))) == [0, 1, 2, 3] and deadline.cut
    deadline = Deadline(2, ticking(0.001))
    assert list(deadline.within(range(100))) == [*range(100)] and not deadline.cut
    deadline = Deadline(0)
    assert list(deadline.within("abc")) == ["a"] and deadline.cut


def test_several_searches_share_what_is_left() -> None:
    whole = Deadline(2, ticking(0.0))
    assert whole.part(4).seconds == 0.5
    later = iter([0.0, 1.0])
    whole = Deadline(2, lambda: next(later))
    assert (whole.part(2).seconds, whole.part(1).seconds) == (1.0, 1.0)


def test_the_search_looks_at_the_clock_between_rows(case: Case) -> None:
    tried = 0

    def fits(array: Any) -> bool:
        nonlocal tried
        tried += 1
        return False

    deadline = Deadline(2, ticking(0.25))
    assert recognise(case, "dX", fits, deadline) == [] and deadline.cut
    assert tried <= 1 + 9  # the right value, and one prediction a look at the clock
    whole = Deadline(2, ticking(0.0))
    recognise(case, "dX", fits, whole)
    assert tried > 100 and not whole.cut


def test_what_is_found_before_the_end_is_named(case: Case) -> None:
    negated = -case.right("dX")
    says = Answer.of(negated).says
    whole = recognise(case, "dX", says)
    deadline = Deadline(1, ticking(0.0))
    assert [each.mistakes for each in recognise(case, "dX", says, deadline)] == [each.mistakes for each in whole] != []


def test_an_answer_whose_search_was_cut_says_so(case: Case) -> None:
    answer = {"dX": Answer.of(random_answer(case, "dX"))}
    kinds = {seconds: _kinds(replace(case), answer, seconds) for seconds in (0.0, 1e9)}  # nothing is remembered
    assert "search-cut" in kinds[0.0] and "search-cut" not in kinds[1e9]
    assert kinds[0.0] - {"search-cut"} == kinds[1e9]  # where cells are off, and what they share, is told all the same


def _kinds(case: Case, answers: dict[str, Answer], seconds: float) -> set[str]:
    checked = check_case("conv", case, answers, Manner(seconds=seconds))
    return {remark.kind for verdict in checked.verdicts.values() for remark in verdict.remarks}


def test_small_answers_are_never_cut(case: Case) -> None:
    answers = {name: Answer.of(random_answer(case, name)) for name in ("output", "dW", "db", "dX")}
    assert "search-cut" not in _kinds(case, answers, Manner().seconds)


def test_no_more_predictions_are_kept_than_there_is_room_for(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    monkeypatch.setattr(recogniser, "MOST_KEPT", 5 * case.right("dX").size)
    made = list(recogniser._kept(predictions(case, "dX"), kept))
    assert sum(each.array.size for each in kept) <= 5 * case.right("dX").size < sum(each.array.size for each in made)


def test_what_costs_nothing_is_tried_first_of_a_large_answer(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = [each.mistakes[0].name for each in predictions(case, "dX")]
    monkeypatch.setattr(recogniser, "MANY", 10)
    turned = [each.mistakes[0] for each in predictions(case, "dX")]
    assert sorted(each.name for each in turned) == sorted(usual)
    first_change = next(k for k, each in enumerate(turned) if each.turn is None)
    assert all(each.turn is None for each in turned[first_change:]) and first_change > 5
