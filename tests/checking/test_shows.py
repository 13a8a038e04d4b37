"""What a right answer shows: only what is certain, on data that can tell."""

import json

import numpy as np
import pytest
from conftest import Convgrad, quoted

from convgrad import Conv, check
from convgrad.checking import check_case
from convgrad.checking.written import Answer
from convgrad.kinds import WORDS
from convgrad.mistakes.catalogue import ROWS
from convgrad.mistakes.concepts import CONCEPTS
from convgrad.mistakes.proof import NOTHING
from convgrad.mistakes.recogniser import every_way
from convgrad.teaching.draws import drawn

X, D = np.arange(16.0).reshape(1, 1, 4, 4) % 7, np.array([[[[1.0, -2], [3, 5]]]])


def shown(kernel: list[list[float]]) -> list[str]:
    layer = Conv(np.array([[kernel]], float), stride=2)
    found = check({"dX": layer.backward(X, D)[-1].value}, layer, X, D).verdicts["dX"]
    return [each.name for each in found.shows.mistakes]


def test_a_symmetric_kernel_shows_nothing_of_the_rotation() -> None:
    assert "kernel-not-rotated" in shown([[1, 2], [3, 4]])
    assert "kernel-not-rotated" not in shown([[1, 2], [2, 1]])


def test_a_wrong_answer_shows_nothing() -> None:
    layer = Conv(np.array([[[[1.0, 2], [3, 4]]]]), stride=2)
    right = layer.backward(X, D)[-1].value
    for wrong in (right + 1, right[..., ::-1], np.zeros_like(right)):
        assert check({"dX": wrong}, layer, X, D).verdicts["dX"].shows is NOTHING


@pytest.mark.parametrize("word", WORDS)
def test_what_is_ruled_out_does_not_fit_and_what_fits_is_not_ruled_out(word: str) -> None:
    rng, seen = np.random.default_rng(WORDS.index(word)), 0
    for _ in range(25):
        case = drawn(word, rng)
        if case is None:
            continue
        for name, quantity in case.solution.quantities.items():
            places = int(rng.integers(0, 4))
            texts = np.array([f"{number:.{places}f}" for number in quantity.value.ravel()], object)
            answer = Answer.of(texts.reshape(quantity.value.shape))
            verdict = check_case("", case, {name: answer}).verdicts[name]
            if verdict.verdict != "right":
                assert verdict.shows is NOTHING
                continue
            fits = {each.mistakes[0].name for each in every_way(case, name) if answer.says(each.array)}
            made = {each.mistakes[0].name for each in every_way(case, name)}
            conventions = {row.name for row in ROWS if row.convention}
            out = {row.name for row in verdict.shows.mistakes}
            assert not out & fits and not out & conventions and out <= made
            right = {
                each.mistakes[0].name for each in every_way(case, name) if np.array_equal(each.array, quantity.value)
            }
            assert not out & right
            for phrase in verdict.shows.phrases:
                assert any(phrase.startswith(concept.verb) for concept in CONCEPTS)
            seen += bool(out)
    assert seen > 5


def test_coarse_numbers_that_say_both_show_nothing_of_it() -> None:
    layer, ones = Conv(np.array([[[[50.01, 50.02], [50.03, 50.04]]]]), stride=2), np.ones((1, 1, 2, 2))
    right = layer.backward(X, ones)[-1].value
    for places, apart in ((2, True), (1, False)):
        answer = np.array([f"{number:.{places}f}" for number in right.ravel()], object).reshape(right.shape)
        verdict = check({"dX": answer}, layer, X, ones).verdicts["dX"]
        assert verdict.verdict == "right"
        assert ("kernel-not-rotated" in [each.name for each in verdict.shows.mistakes]) == apart


def test_rows_behind_the_words_are_rows_of_the_catalogue() -> None:
    known = {row.name for row in ROWS}
    assert {name for concept in CONCEPTS for name in concept.rows} <= known


def test_it_is_said_in_a_line_and_listed_in_json(convgrad: Convgrad) -> None:
    job = "convgrad conv-backward '[[1,2,3],[4,5,7],[2,8,9]]' '[[1,2],[3,5]]' -k '[[1,2],[3,5]]'"
    right = json.loads(convgrad(job).out)
    line = f"{job} --check {quoted(right)}"
    found = json.loads(convgrad(line).out)["answers"]
    assert "kernel-not-rotated" in found["dX"]["shows"] and "dW-rotated" in found["dW"]["shows"]
    table = " ".join(convgrad(f"{line} --format table").out.split())
    assert "db right, to the places given: summed over the places" in table
    assert "dX right, to the places given: rotated the kernel" in table
    silent = f"{job} --check {quoted({'db': 11})} --no-diagnosis"
    assert json.loads(convgrad(silent).out)["answers"]["db"]["shows"] == []
    wrong = json.loads(convgrad(f"{job} --check {quoted({'db': 12})}").out)
    assert "shows" not in wrong["answers"]["db"]
