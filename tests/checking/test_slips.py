"""Slips by hand: what explains one cell, or a few; a delta in which one cell was misread."""

import json
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad
from numpy.random import Generator
from numpy.typing import NDArray

from convgrad.checking import check_case
from convgrad.checking.search import Search
from convgrad.checking.written import Answer
from convgrad.mistakes.case import Case
from convgrad.teaching.draws import drawn

Array = NDArray[Any]

X = np.array([[0.12, 0.84, -0.37], [0.45, -0.91, 0.26], [0.73, 0.58, -0.69]])
G = np.array([[0.31, -0.27], [1.13, 0.84]])
K = np.array([[0.52, -0.33], [0.71, 0.94]])
CONV = f"convgrad conv-backward '{X.tolist()}' '{G.tolist()}' -k '{K.tolist()}'"


def notes(
    convgrad: Convgrad, answers: dict[str, Any], line: str = CONV, options: str = ""
) -> dict[str, dict[str, str]]:
    """What is noticed about each answer, by kind."""
    ran = convgrad(f"{line} --check - --format json {options}", stdin=json.dumps(answers))
    assert ran.code == 1, ran.err
    checked = json.loads(ran.out)["answers"]
    assert all(each["mistakes"] == [] for each in checked.values())
    return {name: {note["kind"]: note["text"] for note in each.get("notes", [])} for name, each in checked.items()}


def off(convgrad: Convgrad, name: str, at: tuple[int, ...], by: float) -> dict[str, Any]:
    """A right answer but for one cell, to four places."""
    right = np.array(json.loads(convgrad(f"{CONV} --only {name}").out)[name])
    right[at] += by
    return {name: np.round(right, 4).tolist()}


def test_one_product_of_a_cell_explains_it(convgrad: Convgrad) -> None:
    product = G[1, 0] * X[1, 1]  # of dW[0,1]
    for kind, times, said in (
        ("left-out", -1, "is left out"),
        ("taken-twice", 1, "is taken twice"),
        ("wrong-sign", -2, "has the wrong sign"),
    ):
        found = notes(convgrad, off(convgrad, "dW", (0, 1), times * product))["dW"]
        assert found[f"product-{kind}"] == f"in dW[0,1] delta[1,0] * input[1,1] {said}"
    misread = off(convgrad, "dW", (0, 1), G[1, 0] * (X[2, 0] - X[1, 1]))
    found = notes(convgrad, misread)["dW"]
    assert found["product-misread"] == "in dW[0,1] input[2,0] is taken for input[1,1], times delta[1,0]"


def test_results_of_every_kind_have_products(convgrad: Convgrad) -> None:
    found = notes(convgrad, off(convgrad, "dX", (1, 1), -2 * G[0, 1] * K[1, 0]))["dX"]
    assert found["product-wrong-sign"] == "in dX[1,1] delta[0,1] * kernel[1,0] has the wrong sign"
    found = notes(convgrad, off(convgrad, "output", (1, 0), -X[2, 1] * K[1, 1]))["output"]
    assert found["product-left-out"] == "in output[1,0] input[2,1] * kernel[1,1] is left out"
    dense = "convgrad dense-backward '[[0.37,1.21],[-0.82,0.55]]' '[[0.131,0.947],[1.072,-0.363]]' -w '[[1.2,0.7],[0.3,2.1]]'"
    found = notes(convgrad, {"db": [1.203, 1.31]}, dense)["db"]
    assert found["product-wrong-sign"] == "in db[1] delta[1,1] has the wrong sign"
    pool = "convgrad pool-backward '[[1,2,3],[4,9,5],[6,7,8]]' '[[0.317,1.203],[-0.551,0.829]]' --size 2 --stride 1"
    dX = [[0, 0, 0], [0, round(0.317 + 1.203 - 0.551, 3), 0], [0, 0, 0]]
    found = notes(convgrad, {"dX": dX}, pool)["dX"]
    assert found["overlay"] == "the overlay at (1, 1) is missing"  # which is more, and is said first


def test_several_cells_with_the_same_slip_are_told_as_one(convgrad: Convgrad) -> None:
    right = np.array(json.loads(convgrad(f"{CONV} --only dW").out)["dW"])
    right[0, 1] -= G[1, 0] * X[1, 1]
    right[1, 1] -= G[0, 1] * X[1, 2]
    found = notes(convgrad, {"dW": np.round(right, 4).tolist()})["dW"]
    assert found["product-left-out"] == (
        "in dW[0,1] delta[1,0] * input[1,1] is left out; in dW[1,1] delta[0,1] * input[1,2] is left out"
    )


def test_a_hint_names_no_product(convgrad: Convgrad) -> None:
    answers = off(convgrad, "dW", (0, 1), -G[1, 0] * X[1, 1])
    found = notes(convgrad, answers, options="--no-reveal")["dW"]
    assert found["product-left-out"] == "in dW[0,1] one product is left out"


def test_few_digits_say_nothing(convgrad: Convgrad) -> None:
    line = "convgrad conv-backward '[[1,2,3],[4,5,6],[7,8,9]]' '[[1,2],[3,4]]' -k '[[1,2],[3,5]]'"
    dW = json.loads(convgrad(f"{line} --only dW").out)["dW"]
    for wrong in (-1, 2, 5):
        found = notes(convgrad, {"dW": [[dW[0][0] + wrong, dW[0][1]], dW[1]]}, line)["dW"]
        assert not any(kind.startswith("product") for kind in found)


@pytest.fixture
def slips_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slips are looked for without the catalogue, which takes longer and comes before them."""
    monkeypatch.setattr(Search, "_mistaken", lambda self: None)


def said(case: Case, name: str, at: tuple[int, ...], by: float, places: int = 5) -> str | None:
    """What is said of a result with one cell off; None where that is right all the same."""
    answer = np.round(np.asarray(case.right(name), float), places)
    answer[at] = round(float(case.right(name)[at]) + by, places)
    verdict = check_case("", case, {name: Answer.of(answer)}).verdicts[name]
    if verdict.verdict != "wrong":
        return None
    return next((each.kind for each in verdict.remarks if each.kind.startswith("product")), "")


def cells(seed: int, count: int) -> list[tuple[Case, str, tuple[int, ...], Generator]]:
    rng, found = np.random.default_rng(seed), []
    layers = ("conv", "transposed", "unshared", "dense", "pool")
    for number in range(count):
        case = drawn(layers[number % len(layers)], rng, small=True)
        for name in case.solution.quantities if case else ():
            shape = case.right(name).shape if case else ()
            if shape and case:
                found.append((case, name, tuple(int(rng.integers(n)) for n in shape), rng))
    return found


@pytest.mark.usefixtures("slips_alone")
def test_numbers_without_sense_are_seldom_explained() -> None:
    found = [
        said(case, name, at, float(rng.normal(0, 1 + np.abs(case.right(name)).max())))
        for case, name, at, rng in cells(1, 120)
    ]
    wrong = [each for each in found if each is not None]
    assert len(wrong) > 200
    assert sum(map(bool, wrong)) <= 0.03 * len(wrong)


@pytest.mark.usefixtures("slips_alone")
def test_products_left_out_are_found_where_the_numbers_have_digits() -> None:
    tried = right = other = 0
    for case, name, at, rng in cells(2, 120):
        products = [float(each) for part in case.solution.quantities[name].products(at) for each in part.value if each]
        product = products[int(rng.integers(len(products)))] if len(products) > 1 else 0.0
        if abs(product * 10 - round(product * 10)) < 1e-9:
            continue
        kind = said(case, name, at, -product)
        tried += kind is not None
        right += kind == "product-left-out"
        other += kind not in ("product-left-out", "", None)
    assert tried > 50
    assert right > 0.6 * tried
    assert other <= 0.03 * tried


# -- a misread delta ------------------------------------------------------------------------------------------


def misread(convgrad: Convgrad, at: tuple[int, int], number: float, names: str) -> dict[str, Any]:
    other = G.copy()
    other[at] = number
    line = f"convgrad conv-backward '{X.tolist()}' '{other.tolist()}' -k '{K.tolist()}' --only {names}"
    found = json.loads(convgrad(line).out)
    return {name: np.round(array, 4).tolist() for name, array in found.items()}


def test_a_db_from_a_delta_in_which_one_cell_was_misread(convgrad: Convgrad) -> None:
    found = notes(convgrad, misread(convgrad, (0, 1), -0.72, "dW,db,dX"))
    for name in ("dW", "db", "dX"):
        assert found[name]["delta-misread"] == (
            "your dW, db and dX agree with each other if delta[0,1] is -0.72 in place of -0.27"
        )
    ran = convgrad(f"{CONV} --check -", stdin=json.dumps(misread(convgrad, (0, 1), -0.72, "dW,db,dX")))
    answers = json.loads(ran.out)["answers"]
    assert [answers[name].get("same_as") for name in ("dW", "db", "dX")] == [None, "dW", "dW"]


def test_a_wrong_db_alone_or_with_a_dW_of_another_kind_tells_of_no_delta(convgrad: Convgrad) -> None:
    answers = misread(convgrad, (0, 1), -0.72, "dW,db")
    assert "delta-misread" not in notes(convgrad, {"db": answers["db"]})["db"]
    answers["dW"][0][0] += 0.03
    assert "delta-misread" not in notes(convgrad, answers)["db"]
