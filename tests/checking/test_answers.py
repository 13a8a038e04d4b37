"""Answers as people and programs hand them in: what is required, tolerances, what is no number, shapes as meant."""

import json
from typing import Any

import pytest
from conftest import Convgrad, quoted

CLASSIC = "convgrad conv-backward samples/classic/input.json samples/classic/delta.json"
RIGHT = {"dW": [[0.0446, 0.0941], [0.0113, 0.0683]], "db": 0.0836}


def verdicts(convgrad: Convgrad, options: str, mine: Any, code: int) -> dict[str, str]:
    ran = convgrad(f"{CLASSIC} --check {quoted(mine)} {options}")
    assert ran.code == code, ran
    return {name: entry["verdict"] for name, entry in json.loads(ran.out)["answers"].items()}


# -- which results are answered -------------------------------------------------------------------------------


def test_a_required_answer_that_is_not_there_is_missing(convgrad: Convgrad) -> None:
    only = {"dW": RIGHT["dW"]}
    assert verdicts(convgrad, "", only, code=0) == {"dW": "right"}
    assert verdicts(convgrad, "--require dW", only, code=0) == {"dW": "right"}
    assert verdicts(convgrad, "--require dW,db", only, code=1) == {"dW": "right", "db": "missing"}
    table = convgrad(f"{CLASSIC} --check {quoted(only)} --require db --format table")
    assert (table.code, "db  missing" in table.out) == (1, True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--require dWW", "--require: there is no result 'dWW' here, only dW, db; Did you mean 'dW'?"),
        ("--require dX", "--require: there is no result 'dX' here, only dW, db"),
        ("--ulp -1", "--ulp: -1 is below 0"),
        ("--quantised 0", "the scale is above 0"),
        ("--quantised 0.1,0.5", "the zero point a whole number"),
        ("--ulp 2 --rtol 0.1", "rtol/atol and ulp are two ways to compare; give one of them"),
    ],
)
def test_options_of_a_check_that_cannot_be_are_errors(convgrad: Convgrad, options: str, words: str) -> None:
    ran = convgrad(f"{CLASSIC} --check {quoted(RIGHT)} {options}")
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err.replace(". Did", "; Did")


@pytest.mark.parametrize("option", ["--require dW", "--ulp 1", "--quantised 0.1", "--strict-shape", "--no-diagnosis"])
def test_options_of_a_check_belong_to_one(convgrad: Convgrad, option: str) -> None:
    ran = convgrad(f"{CLASSIC} {option}")
    assert ran.code == 2
    assert f"{option.split(maxsplit=1)[0]} belongs to --check" in ran.err


def test_without_diagnosis_answers_are_compared_only(convgrad: Convgrad) -> None:
    mine = {"dW": [[0.0683, 0.0113], [0.0941, 0.0446]]}
    ran = convgrad(f"{CLASSIC} --check {quoted(mine)} --no-diagnosis")
    entry = json.loads(ran.out)["answers"]["dW"]
    assert (ran.code, entry["verdict"], entry["mistakes"], len(entry["wrong_cells"])) == (1, "wrong", [], 4)


# -- tolerances -----------------------------------------------------------------------------------------------


def test_quantised_answers_are_right_within_half_a_step(convgrad: Convgrad) -> None:
    mine = {"dW": [[4, 9], [1, 7]], "db": 8}  # of 0.0446, 0.0941, 0.0113, 0.0683; 0.0836, in steps of 0.01
    assert set(verdicts(convgrad, "--quantised 0.01", mine, code=0).values()) == {"right"}
    shifted = {"dW": [[-124, -119], [-127, -121]], "db": -120}
    assert set(verdicts(convgrad, "--quantised 0.01,-128", shifted, code=0).values()) == {"right"}
    assert verdicts(convgrad, "--quantised 0.01", {"dW": [[4, 9], [2, 7]]}, code=1) == {"dW": "wrong"}
    assert verdicts(convgrad, "--quantised 0.01", {"dW": [[4, 9], [0, 7]]}, code=1) == {"dW": "wrong"}
    ran = convgrad(f"{CLASSIC} --check {quoted(RIGHT)} --quantised 0.01")
    assert ran.code == 2
    assert "quantised answers are integers, and 0.0446 is none" in ran.err
