"""Answers held against results: what is right as it is written, what follows, what wrong cells share, exit codes."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, SAMPLES, Convgrad, quoted
from hypothesis import given, settings
from hypothesis import strategies as st
from spaces import EVERY_LAYER

from convgrad import Activation, Conv, Dense, Loss, Pool, check
from convgrad.checking import case_of
from convgrad.checking.rules import Rules
from convgrad.checking.verdict import Verdict
from convgrad.checking.written import Answer
from convgrad.core.element import Array

CLASSIC = "convgrad conv-backward samples/classic/input.json samples/classic/delta.json"
KERNEL = "-k '[[0.1, 0.2], [0.3, 0.4]]'"
RIGHT = {"dW": [[0.0446, 0.0941], [0.0113, 0.0683]], "db": 0.0836}


def verdict_of(answer: Any, value: Any, **rules: Any) -> str:
    match = Answer.of(answer, Rules(**rules)).matches(np.asarray(value, float))
    return "right" if match.right.all() else "too-coarse" if (match.right | match.coarse).all() else "wrong"


@pytest.mark.parametrize(
    ("written", "value", "verdict"),
    [
        ("0.0446", 0.044606, "right"),
        ("0.04461", 0.044606, "right"),
        ("0.04460", 0.044606, "right"),  # cut off
        ("0.0447", 0.044606, "wrong"),
        ("0.0445", 0.044606, "wrong"),
        ("0.04", 0.044606, "too-coarse"),
        ("0.045", 0.044606, "too-coarse"),
        ("0.05", 0.044606, "wrong"),
        ("0.04", 0.0468, "too-coarse"),  # cut off, and few digits
        ("0.0446", 0.04468, "right"),  # cut off
        ("-0.0446", -0.04468, "right"),
        ("-0.0446", 0.0446, "wrong"),
        ("0.0450", 0.045, "right"),
        ("0.0450", 0.04504, "right"),
        ("0.0450", 0.0451, "wrong"),
        ("1.5", 1.5, "right"),
        ("2", 2, "right"),
        ("2", 2.04, "too-coarse"),
        ("2.0", 2.04, "too-coarse"),
        ("2.00", 2.004, "right"),
        ("2", 2.6, "too-coarse"),
        ("2", 3.1, "wrong"),
        ("0", 0, "right"),
        ("0", 0.0003, "too-coarse"),
        ("0.000", 0.0003, "too-coarse"),
        ("0", 0.9, "wrong"),
        ("0.0", -0.0, "right"),
        ("-0", 0, "right"),
        ("100", 100.4, "right"),
        ("1e-3", 0.001, "right"),
        ("1.00e-3", 0.0010004, "right"),
        ("1e-3", 0.0012, "too-coarse"),
        ("1.23e3", 1234.0, "right"),
        ("1200", 1234.0, "wrong"),
        ("1/3", 1 / 3, "right"),
        ("1/3", 0.3334, "wrong"),
        ("0.25", 0.25000000000000006, "right"),
        ("0.35", 0.345, "too-coarse"),
        ("0.1235", 0.12345, "right"),  # a tie, up
        ("0.1234", 0.12345, "right"),  # or down
        ("0.1235", 0.12345000000000002, "right"),
        (".5", 0.5, "right"),
        ("+0.500", 0.5, "right"),
        (3, 3.0, "right"),
        (0.1, 0.1, "right"),
        (0.30000000000000004, 0.3, "right"),
    ],
)
def test_numbers_as_people_write_them(written: Any, value: float, verdict: str) -> None:
    assert verdict_of(written, value) == verdict


@pytest.mark.parametrize(
    ("written", "value", "verdict"),
    [
        (["0.1235", "0.0003"], [0.12346, 0.00031], "right"),  # four places throughout
        (["0.1235", "0"], [0.12346, 0.00031], "too-coarse"),
        (["0.1235", "0"], [0.12346, 0.00003], "right"),
        (["0.1235", "0.1"], [0.12346, 0.10002], "right"),  # a program drops the zeros of 0.1000
        (["0.1235", "0.1"], [0.12346, 0.104], "too-coarse"),
        (["0.12", "0.00"], [0.123, 0.0003], "too-coarse"),
        (["0.1235", "0.1"], [0.12346, 0.1999], "wrong"),  # not cut off where the others are
        (["0.1235", "12"], [0.12346, 12.93], "wrong"),
        (["2.93", "2"], [2.93, 2.93], "wrong"),
        (["2.93", "-2.0"], [2.93, -2.09], "wrong"),
        (["0.12", "0.59", "2.9"], [0.129, 0.599, 2.99], "too-coarse"),  # all of them cut off to two digits
        (["12", "2.9", "0.1"], [12.93, 2.93, 0.1099], "too-coarse"),
        (["12", "2.9", "2"], [12.93, 2.93, 2.93], "wrong"),
        ([-2.0, 0.0453, 1.25], [-2.003, 0.045312, 1.2541], "right"),  # a program writes -2.0 for -2.00
        (["0.500", "0.0453", "1.25"], [0.5003, 0.045312, 1.2541], "right"),
        ([0.5, 0.0453, 1.25], [0.5009, 0.04538, 1.2541], "right"),  # 0.500, cut off
        (["0.5000", "0"], [0.5, -0.015], "wrong"),  # a 0 that is meant
        ([0, 0, 0.53], [0, 0.42, 0.53], "wrong"),
        ([0, 0], [0.3, 0.2], "wrong"),  # nothing but zeros
        ([0.0, 0.0], [0.03, 0.02], "wrong"),
        (["0.000", "0.000"], [0.0003, 0.0002], "too-coarse"),
        ([0, 3, -12], [0.42, 2.9, -12.4], "too-coarse"),  # all of them rounded to whole numbers
        (["0.12", "0.07"], [0.123, 0.0003], "wrong"),
    ],
)
def test_places_are_those_of_the_whole_answer(written: list[Any], value: list[float], verdict: str) -> None:
    assert verdict_of(written, value) == verdict


@pytest.mark.parametrize(
    ("written", "value", "rules", "verdict"),
    [
        ("0.05", 0.044606, {"atol": 0.01}, "right"),
        ("0.05", 0.044606, {"atol": 0.001}, "wrong"),
        ("0.0447", 0.044606, {"rtol": 0.01}, "right"),
        ("0.0447", 0.044606, {"rtol": 1e-4}, "wrong"),
        ("0", 1e-9, {"rtol": 1e-4}, "wrong"),
        ("0.0446", 0.044606, {"rtol": 1e-9}, "wrong"),
        ("0.04", 0.044606, {"rtol": 0, "atol": 0.0047}, "right"),
    ],
)
def test_tolerances_take_the_ordinary_rule(written: str, value: float, rules: dict[str, float], verdict: str) -> None:
    assert verdict_of(written, value, **rules) == verdict


def layer(seed: int) -> tuple[Conv, Array, Array]:
    random = np.random.default_rng(seed)
    kernel, x = random.normal(size=(2, 1, 2, 2)), random.normal(size=(1, 1, 4, 4))
    return Conv(kernel, random.normal(size=2)), x, random.normal(size=(1, 2, 3, 3))


@given(st.integers(0, 10**6), st.integers(3, 12), st.booleans())
def test_a_right_answer_to_any_number_of_digits_is_right(seed: int, digits: int, places: bool) -> None:
    conv, x, delta = layer(seed)
    for quantity in conv.backward(x, delta):
        smallest = np.abs(quantity.value).min()
        decimals = digits - int(np.floor(np.log10(smallest)))
        form = f".{decimals}f" if places else f".{digits - 1}e"
        spelled = [f"{number:{form}}" for number in quantity.value.ravel()]
        answer = np.array(spelled, object).reshape(quantity.value.shape)
        assert check({quantity.name: answer}, conv, x, delta).verdict == "right"
        assert check({quantity.name: quantity.value}, conv, x, delta).verdict == "right"


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(0, 7), st.floats(0.02, 3), st.booleans())
def test_a_changed_cell_is_found_and_no_mistake_is_named(seed: int, cell: int, change: float, up: bool) -> None:
    conv, x, delta = layer(seed)
    value = conv.backward(x, delta)[0].value.round(4)
    value.flat[cell] += change if up else -change
    found = check({"dW": value}, conv, x, delta).verdicts["dW"]
    assert found.verdict == "wrong"
    assert found.wrong_cells == [tuple(int(i) for i in np.unravel_index(cell, value.shape))]
    assert found.sightings == ()


@pytest.mark.slow
@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_a_random_answer_is_wrong_and_no_mistake_is_named(seed: int) -> None:
    conv, x, delta = layer(seed)
    answer = np.random.default_rng(seed + 1).normal(size=(1, 1, 4, 4)).round(3)
    found = check({"dX": answer}, conv, x, delta).verdicts["dX"]
    assert (found.verdict, found.sightings, found.follows) == ("wrong", (), "")
    assert {remark.kind for remark in found.remarks} <= {"all-cells"}


@given(EVERY_LAYER)
def test_a_layer_is_checked_as_files_would_describe_it(problem: tuple[Any, Array, Array]) -> None:
    """The operands and settings made of a layer give its own results again; its rounded results are right."""
    layer, x, delta = problem
    answers = {quantity.name: quantity.value for quantity in (layer.forward(x), *layer.backward(x, delta))}
    solved = case_of(layer, x, delta).solution.quantities
    for name, value in answers.items():
        np.testing.assert_allclose(solved[name].value, value, rtol=1e-12, atol=1e-12)
    assert check(answers, layer, x, delta).verdict == "right"


# -- shapes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"db": [0.0836]}, "axes-of-one"),
        ({"dW": [[[0.0446, 0.0941], [0.0113, 0.0683]]]}, "axes-of-one"),
        ({"dW": [0.0446, 0.0941, 0.0113, 0.0683]}, "reshaped"),
        ({"dW": [[0, 0, 0], [0, 0.0446, 0.0941], [0, 0.0113, 0.0683]]}, "larger"),
        ({"dW": 0.0446}, "shape"),
        ({"dX": [[0.1, 0.2], [0.3, 0.4]]}, "shape"),
    ],
)
def test_a_wrong_shape_is_told_with_what_it_has_to_do_with_the_right_one(
    convgrad: Convgrad, answer: dict[str, Any], kind: str
) -> None:
    ran = convgrad(f"{CLASSIC} {KERNEL} --check {quoted(answer)} --strict-shape")
    assert ran.code == 1
    (entry,) = json.loads(ran.out)["answers"].values()
    assert entry["verdict"] == "wrong-shape"
    assert entry["wrong_cells"] == []
    assert [note["kind"] for note in entry["notes"]] == [kind]


def test_a_number_is_never_broadcast() -> None:
    conv, x, _ = layer(0)
    zeros = np.zeros((1, 2, 3, 3))
    assert check({"dW": 0}, conv, x, zeros).verdicts["dW"].verdict == "wrong-shape"
    assert check({"dW": np.zeros((2, 1, 2, 2))}, conv, x, zeros).verdict == "right"


# -- what wrong cells share -------------------------------------------------------------------------------


def kinds(answer: dict[str, Any], *problem: Any) -> set[str]:
    (verdict,) = check(answer, *problem).verdicts.values()
    assert verdict.verdict == "wrong"
    return {remark.kind for remark in verdict.remarks}


def classic(dW: Any) -> Verdict:
    x = np.asarray(json.loads((SAMPLES / "classic/input.json").read_text()))
    delta = np.asarray(json.loads((SAMPLES / "classic/delta.json").read_text()))
    conv = Conv(np.array([[[[0.1, 0.2], [0.3, 0.4]]]]))
    return check({"dW": [[dW]]}, conv, x[None, None], delta[None, None]).verdicts["dW"]


@pytest.mark.parametrize(
    ("dW", "kind", "text"),
    [
        ([["0.0464", "0.0941"], ["0.0113", "0.0683"]], "digits-transposed", "exchanged in dW[0,0,0,0]"),
        ([["0.446", "0.0941"], ["0.0113", "0.0683"]], "point-slipped", "in dW[0,0,0,0]"),
        ([["0.04461", "0.09406"], ["0.01126", "0.06839"]], "digit", "in dW[0,0,1,1]"),
        ([["0.0446", "0.0941"], ["0.0113", "-0.0683"]], "sign", "wrong sign"),
        ([["0.0941", "0.0446"], ["0.0113", "0.0683"]], "exchanged", "dW[0,0,0,0] and dW[0,0,0,1] are exchanged"),
        ([["0.05798", "0.12228"], ["0.01464", "0.08877"]], "ratio", "every cell is 1.3 times the right value"),
        ([["0.08461", "0.13406"], ["0.05126", "0.10829"]], "difference", "every cell is 0.04 too large"),
        ([["0.0220336", "0.066063"], ["-0.000292", "0.0496"]], "all-cells", "all 4 cells are off"),
        ([["0.0446061", "0.0940611"], ["0.0112619", "0.0682881"]], "float32", "float32"),
    ],
)
def test_what_the_cells_share(dW: Any, kind: str, text: str) -> None:
    found = classic(dW)
    assert found.verdict == "wrong"
    said = {remark.kind: remark.text for remark in found.remarks}
    assert text in said[kind]
    assert found.sightings == ()


@pytest.mark.parametrize(("times", "text"), [(-1, "is missing"), (1, "is counted twice"), (-2, "has the wrong sign")])
@pytest.mark.parametrize("name", ["dW", "dX"])
def test_one_overlay_is_named(times: int, text: str, name: str) -> None:
    conv, x, delta = layer(3)
    quantity = next(each for each in conv.backward(x, delta) if each.name == name)
    terms = list(quantity.terms())
    answer = quantity.value.copy()
    answer[terms[5].region] += times * terms[5].patch
    found = check({name: answer.round(5)}, conv, x, delta).verdicts[name]
    assert [remark.text for remark in found.remarks if remark.kind == "overlay"] == [f"the overlay at (0, 1, 2) {text}"]


def test_the_place_of_the_wrong_cells_is_told() -> None:
    conv, x, delta = layer(4)
    dX = conv.backward(x, delta)[2].value.round(4)
    row, column, border = dX.copy(), dX.copy(), dX.copy()
    random = np.random.default_rng(0)
    row[0, 0, 2] += random.normal(size=4)
    column[..., 1] += random.normal(size=4)
    border[..., [0, -1], :] += 1.2345
    border[..., 1:-1, [0, -1]] *= 3
    for answer, kind in ((row, "one-row"), (column, "one-column"), (border, "border")):
        assert kind in kinds({"dX": answer}, conv, x, delta)
    dW = conv.backward(x, delta)[0].value.round(4)
    dW[1] += random.normal(size=dW[1].shape)
    assert "one-filter" in kinds({"dW": dW}, conv, x, delta)


# -- what follows -----------------------------------------------------------------------------------------


def answers_of(convgrad: Convgrad, line: str) -> dict[str, Any]:
    results: dict[str, Any] = json.loads(convgrad(f"{line} -q").out)
    return results


@pytest.mark.parametrize("rule", ["--lr 0.1", "--lr 0.1 --momentum 0.9 --nesterov"])
def test_a_step_worked_from_a_wrong_gradient_follows(convgrad: Convgrad, rule: str) -> None:
    command = f"{CLASSIC} {KERNEL} -b 0.5 {rule}"
    right = answers_of(convgrad, command)
    wrong_dW = np.array([[0.1234, -0.4321], [0.1111, 0.2468]])
    factor = 0.1 * (1.9 if "--nesterov" in rule else 1)
    step = np.array(right["W_new"]) + factor * (np.array(right["dW"]) - wrong_dW)
    mine = {"dW": wrong_dW.tolist(), "W_new": step.round(6).tolist(), "db": right["db"], "b_new": right["b_new"]}
    ran = convgrad(f"{command} --check {quoted(mine)}")
    assert ran.code == 1
    found = json.loads(ran.out)["answers"]
    assert {name: each["verdict"] for name, each in found.items()} == {
        "dW": "wrong",
        "db": "right",
        "W_new": "follows",
        "b_new": "right",
    }
    assert found["W_new"]["follows"] == "dW"
    mine["W_new"] = (step + 0.02).round(6).tolist()
    assert json.loads(convgrad(f"{command} --check {quoted(mine)}").out)["answers"]["W_new"]["verdict"] == "wrong"


@pytest.mark.parametrize("short", ["W", "b"])
def test_a_velocity_follows_from_a_wrong_gradient(convgrad: Convgrad, short: str) -> None:
    before = json.dumps({"velocity_W": [[1, 2], [-3, 4]], "velocity_b": 7})
    command = f"{CLASSIC} {KERNEL} -b 0.5 --lr 0.1 --momentum 0.9 --velocity {quoted(before)}"
    right = answers_of(convgrad, command)
    wrong = np.array(right[f"d{short}"]) + np.array({"W": [[0.1234, 0], [0, -0.3521]], "b": 0.12345}[short])
    velocity = np.array(right[f"velocity_{short}"]) + wrong - right[f"d{short}"]
    mine = {f"d{short}": wrong.round(6).tolist(), f"velocity_{short}": velocity.round(6).tolist()}
    found = json.loads(convgrad(f"{command} --check {quoted(mine)}").out)["answers"]
    assert found[f"d{short}"]["verdict"] == "wrong"
    assert (found[f"velocity_{short}"]["verdict"], found[f"velocity_{short}"]["follows"]) == ("follows", f"d{short}")


def test_a_step_follows_a_gradient_that_was_rounded_when_it_was_written(convgrad: Convgrad) -> None:
    command = f"{CLASSIC} {KERNEL} --lr 0.5"
    right = answers_of(convgrad, command)
    exact = np.array([[0.123449, -0.432149], [0.111149, 0.246751]])
    step = np.array(right["W_new"]) + 0.5 * (np.array(right["dW"]) - exact)
    mine = {"dW": exact.round(4).tolist(), "W_new": step.tolist()}
    found = json.loads(convgrad(f"{command} --check {quoted(mine)}").out)["answers"]
    assert found["W_new"]["verdict"] == "follows"


def test_gradients_follow_from_the_readers_own_output_through_the_derivative() -> None:
    z, delta = np.array([0.5, -1.0, 2.0]), np.array([1.0, 2.0, 3.0])
    own = np.array([0.7, 0.3, 0.8])
    mine = {"output": own, "dX": (delta * own * (1 - own)).round(6)}
    found = check(mine, Activation("sigmoid"), z, delta).verdicts
    assert (found["output"].verdict, found["dX"].verdict, found["dX"].follows) == ("wrong", "follows", "output")


def test_a_dense_layers_gradients_follow_from_its_own_sensitivities() -> None:
    layer, x, delta = Dense(np.array([[0.2, -0.5], [0.3, 0.7]])), np.array([[1.5, -2.5]]), np.array([[0.25, 0.75]])
    own = np.array([0.31, -0.87])
    mine = {"db": own, "dW": np.outer(own, x[0]), "dX": [(own @ [[0.2, -0.5], [0.3, 0.7]]).tolist()]}
    found = check(mine, layer, x, delta).verdicts
    assert {name: (each.verdict, each.follows) for name, each in found.items()} == {
        "db": ("wrong", ""),
        "dW": ("follows", "db"),
        "dX": ("follows", "db"),
    }


def test_one_slip_in_several_answers_is_counted_once(convgrad: Convgrad) -> None:
    linear = "convgrad dense-backward '[1.5, -2.5]' '[0.25, 0.75]' -w '[[0.2, -0.5], [0.3, 0.7]]'"
    mine = {name: answers_of(convgrad, linear)[name] for name in ("dW", "dX")}
    command = f"{linear} --activation sigmoid --check {quoted(mine)}"
    found = json.loads(convgrad(command).out)["answers"]
    assert found["dW"]["mistakes"][0]["name"] == found["dX"]["mistakes"][0]["name"]
    assert (found["dW"].get("same_as"), found["dX"].get("same_as")) == (None, "dW")
    assert "the same as in dW" in convgrad(f"{command} --format table").out


NETWORK = (
    "convgrad backprop samples/two-two-two/network.json samples/two-two-two/input.json "
    "samples/two-two-two/target.json --lr 0.5"
)


def test_a_whole_network_follows_from_one_slip(convgrad: Convgrad) -> None:
    right = answers_of(convgrad, NETWORK)
    network = json.loads((SAMPLES / "two-two-two/network.json").read_text())["layers"]
    top, below = right["layers"][1], right["layers"][0]
    slip = np.array(top["delta"]) + np.array([0.25, -0.125])  # the one slip; all else is worked from it
    a1, a0 = np.array(top["output"]), np.array(below["output"])
    sensitivity = slip * a1 * (1 - a1)
    weight = np.array(network[1]["weight"])
    dX = sensitivity @ weight
    under = dX * a0 * (1 - a0)
    x = np.array(json.loads((SAMPLES / "two-two-two/input.json").read_text()))
    mine = {
        "output": right["output"],
        "layers": [
            {"dW": np.outer(under, x).round(7).tolist(), "db": under.round(7).tolist()},
            {
                "type": "dense",
                "delta": slip.round(7).tolist(),
                "dW": np.outer(sensitivity, a0).round(7).tolist(),
                "W_new": (weight - 0.5 * np.outer(sensitivity, a0)).round(7).tolist(),
            },
        ],
    }
    found = json.loads(convgrad(f"{NETWORK} --check {quoted(mine)}").out)["answers"]
    assert {name: (each["verdict"], each.get("follows")) for name, each in found.items()} == {
        "output": ("right", None),
        "layers[0].dW": ("follows", "layers[0].db"),
        "layers[0].db": ("follows", "layers[1].delta"),
        "layers[1].delta": ("wrong", None),
        "layers[1].dW": ("follows", "layers[1].delta"),
        "layers[1].W_new": ("follows", "layers[1].dW"),
    }


def test_results_in_float32_are_explained_too(convgrad: Convgrad) -> None:
    command = f"{CLASSIC} {KERNEL} --dtype float32"
    right = answers_of(convgrad, command)
    assert convgrad(f"{command} --check {quoted(right)}").code == 0
    ran = convgrad(command + """ --check '{"dW": [[0.0683, 0.0113], [0.0941, 0.0446]]}'""")
    assert [each["name"] for each in json.loads(ran.out)["answers"]["dW"]["mistakes"]] == ["dW-rotated"]
    network = f"{NETWORK} --dtype float32"
    assert convgrad(f"{network} --check {quoted(answers_of(convgrad, network))}").code == 0
    mine = json.dumps({"layers[1].delta": (-np.array(right_delta(convgrad))).round(6).tolist()})
    assert json.loads(convgrad(f"{network} --check {quoted(mine)}").out)["answers"]["layers[1].delta"]["mistakes"]


def right_delta(convgrad: Convgrad) -> Any:
    return answers_of(convgrad, NETWORK)["layers"][1]["delta"]


def test_a_delta_follows_from_the_readers_own_output(convgrad: Convgrad) -> None:
    own, target = np.array([0.61, 0.52]), np.array(json.loads((SAMPLES / "two-two-two/target.json").read_text()))
    mine = {"output": own.tolist(), "loss": float(((own - target) ** 2).sum() / 2)}
    mine["layers[1].delta"] = (own - target).tolist()
    found = json.loads(convgrad(f"{NETWORK} --check {quoted(mine)}").out)["answers"]
    assert {name: each.get("follows") for name, each in found.items()} == {
        "output": None,
        "loss": "output",
        "layers[1].delta": "output",
    }


# -- the command line -------------------------------------------------------------------------------------


def test_right_answers_leave_with_0_and_wrong_ones_with_1(convgrad: Convgrad) -> None:
    ran = convgrad(f"{CLASSIC} --check {quoted(RIGHT)}")
    assert ran.code == 0
    found = json.loads(ran.out)
    assert "dW-rotated" in found["answers"]["dW"].pop("shows")
    assert "averaged-over-overlays" in found["answers"]["db"].pop("shows")
    assert found == {
        "verdict": "right",
        "answers": {name: {"verdict": "right", "wrong_cells": [], "mistakes": []} for name in ("dW", "db")},
    }
    ran = convgrad(f"{CLASSIC} --check {quoted({**RIGHT, 'db': 0.0863})}")
    assert ran.code == 1
    found = json.loads(ran.out)
    assert found["verdict"] == "wrong"
    assert found["answers"]["db"]["wrong_cells"] == [[]]
    assert found["answers"]["db"]["value"] == 0.0836
    assert set(found["answers"]["db"]) >= {"verdict", "wrong_cells", "mistakes"}


def test_a_known_mistake_is_named_with_what_why_and_mend(convgrad: Convgrad) -> None:
    ran = convgrad(CLASSIC + """ --check '{"dW": [[0.0683, 0.0113], [0.0941, 0.0446]]}'""")
    (entry,) = json.loads(ran.out)["answers"].values()
    assert entry["verdict"] == "wrong"
    assert entry["wrong_cells"] == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert entry["mistakes"]
    assert all(set(each) >= {"name", "what", "why", "mend"} for each in entry["mistakes"])


def test_another_convention_is_no_mistake_and_its_option_is_named() -> None:
    pool, x = Pool("max", size=2), np.array([[[[1.0, 5.0], [5.0, 2.0]]]])
    found = check({"dX": [[[[0, 0], [0.75, 0]]]]}, pool, x, np.array([[[[0.75]]]])).verdicts["dX"]
    assert found.verdict == "convention"
    assert found.convention is not None
    assert "--ties last" in found.convention.convention


def test_a_loss_is_checked_too(convgrad: Convgrad) -> None:
    command = "convgrad loss '[0.75, 0.77]' '[0.01, 0.99]'"
    assert convgrad(command + """ --check '{"loss": 0.298, "delta": [0.74, -0.22]}'""").code == 0
    ran = convgrad(command + """ --check '{"loss": 0.298, "delta": [1.48, -0.44]}'""")
    assert ran.code == 1
    entry = json.loads(ran.out)["answers"]["delta"]
    assert entry["verdict"] == "convention"
    assert "--kind mse-sum" in entry["convention"]["option"]
    x, target = np.array([0.75, 0.77, 0.5]), np.array([0.01, 0.99, 0.25])
    found = check({"delta": (2 / 3 * (x - target)).round(5)}, Loss("mse"), x, target).verdicts["delta"]
    assert found.convention is not None
    assert "mse-mean" in found.convention.convention


def test_half_a_square_over_the_examples_is_a_convention_and_a_loss(convgrad: Convgrad) -> None:
    """As Caffe and MATLAB divide it: two examples of three numbers each, added up in loops."""
    x, target = [[0.5, -1.25, 2.0], [0.75, -0.5, 1.0]], [[0.25, 0.5, 1.0], [-0.75, 0.5, 0.0]]
    loss = sum((a - t) ** 2 for row, wanted in zip(x, target, strict=True) for a, t in zip(row, wanted, strict=True))
    delta = [[(a - t) / 2 for a, t in zip(row, wanted, strict=True)] for row, wanted in zip(x, target, strict=True)]
    answers = json.dumps({"loss": loss / 4, "delta": delta})
    command = f"convgrad loss '{x}' '{target}'"
    assert convgrad(f"{command} --kind mse-batch --check '{answers}'").code == 0
    for kind in ("mse", "mse-sum"):
        entries = json.loads(convgrad(f"{command} --kind {kind} --check '{answers}'").out)["answers"]
        for name in ("loss", "delta"):
            assert entries[name]["verdict"] == "convention", (kind, name)
            assert entries[name]["convention"]["option"] == "--kind mse-batch", (kind, name)
    over_all = json.dumps({"delta": (np.array(delta) / 3).tolist()})
    entry = json.loads(convgrad(f"{command} --kind mse-batch --check '{over_all}'").out)["answers"]["delta"]
    assert entry["mistakes"][0]["name"] == "averaged-over-everything"
    assert ".sum() / (2 * 2)\n" in convgrad(f"{command} --kind mse-batch --format torch").out


def test_answers_are_read_from_every_kind_of_source(convgrad: Convgrad, tmp_path: Path) -> None:
    def code(source: Any, stdin: str = "") -> int:
        return convgrad(f"{CLASSIC} --only dW --check {quoted(source)}", stdin=stdin).code

    (tmp_path / "mine.csv").write_text("0.0446,0.0941\n0.0113,0.0683\n")
    (tmp_path / "comma.csv").write_text("0,0446;0,0941\n0,0113;0,0683\n")
    (tmp_path / "coarse.csv").write_text("0.04,0.09\n0.01,0.07\n")
    (tmp_path / "mine.txt").write_text("tensor([[0.0446, 0.0941],\n        [0.0113, 0.0683]])")
    (tmp_path / "mine.json").write_text('{"mine": {"dW": [["0.0446", "0.0941"], ["0.0113", "0.0683"]]}}')
    np.save(tmp_path / "mine.npy", [[0.044606, 0.094061], [0.011262, 0.068288]])
    np.savez(tmp_path / "mine.npz", dW=[[0.044606, 0.094061], [0.011262, 0.068288]])
    for name in ("mine.csv", "comma.csv", "mine.txt", "mine.npy", "mine.npz", "mine.json#mine.dW", "mine.json#mine"):
        assert code(tmp_path / name) == 0, name
    assert code("[0.0446 0.0941; 0.0113 0.0683]") == 0
    assert code("-", stdin='{"dW": [[0.0446, 0.0941], [0.0113, 0.0683]]}') == 0
    assert code(tmp_path / "coarse.csv") == 1
    entry = json.loads(convgrad(f"{CLASSIC} --only dW --check {quoted(tmp_path)}/coarse.csv").out)["answers"]["dW"]
    assert entry["verdict"] == "too-coarse"
    assert len(entry["coarse_cells"]) == 4


def test_a_piped_document_may_hold_both_the_problem_and_the_answers(convgrad: Convgrad) -> None:
    document = {"input": [1, 2, 3], "kernel": [0.3, 0.5], "delta": [-0.1, 0.2], "dW": ["3/10", 0.4], "stride": 1}
    ran = convgrad("convgrad conv-backward - --check -", stdin=json.dumps(document))
    assert (ran.code, ran.err) == (0, "Note: not answered: output, db and dX; --require says which have to be\n")
    assert convgrad("convgrad conv-backward - --check - -q", stdin=json.dumps(document)).err == ""
    assert convgrad("convgrad conv-backward - --only dW --check -", stdin=json.dumps(document)).err == ""


def test_names_count_in_any_case_and_remarks_may_stand_beside(convgrad: Convgrad) -> None:
    mine = {"dw": RIGHT["dW"], "student": "Ann", "number": 7, "input": [[1]], "stride": 1}
    assert convgrad(f"{CLASSIC} --check {quoted(mine)}").code == 0


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        ('{"dWW": [[1]]}', "Did you mean 'dW'?"),
        ('{"gradient": [[1]]}', "there is no result 'gradient', only dW, db"),
        ('{"student": "Ann"}', "there is no answer in it to any of dW, db"),
        ('{"dX": [[1]]}', "it needs a kernel (-k)"),
        ('{"W_new": [[1]]}', "--lr"),
        ("[[1, 2], [3, 4]]", "it holds one array, and there are 2 results"),
        ('{"dW": [[1, 2], [3]]}', "has 1 number, but the rows before it have 2"),
        ('{"dW": [["a", 2]]}', "'a', not a number"),
        ('{"dW": [[true, 2]]}', "true, not a number"),
        ('{"dW": []}', "empty"),
        ("missing.json", "no such file"),
    ],
)
def test_answers_that_cannot_be_compared_are_errors(convgrad: Convgrad, mine: str, words: str) -> None:
    ran = convgrad(f"{CLASSIC} --check {quoted(mine)}")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Error: ")
    assert ran.err.count("\n") == 1
    assert words in ran.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--rtol 0.1", "--rtol belongs to --check"),
        ("--no-reveal", "--no-reveal belongs to --check"),
        ("--check '{}' --gradcheck", "two different things"),
        ("""--check '{"dW": 1}' --steps 3""", "--steps shows working"),
        ("""--check '{"db": 1}' --rtol -1""", "below 0"),
        ("""--check '{"db": 1}' --format torch""", "table, json, csv, html, markdown or latex"),
        ("""--check '{"db": 1}' --only dWW""", "there is no result 'dWW'"),
    ],
)
def test_options_that_do_not_go_together_are_errors(convgrad: Convgrad, options: str, words: str) -> None:
    ran = convgrad(f"{CLASSIC} {options}")
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err


def test_answers_to_a_network_may_not_be_beyond_its_layers(convgrad: Convgrad) -> None:
    assert convgrad(NETWORK + """ --check '{"layers": [{}, {}, {"dW": [[1, 2], [3, 4]]}]}'""").code == 2
    assert "Did you mean" in convgrad(NETWORK + """ --check '{"layers": [{"dWW": [[1, 2], [3, 4]]}]}'""").err
    assert convgrad(NETWORK + """ --check '{"layers": [{"dX": [0.1, 0.2]}]}' --save-network n.json""").code == 2
    assert convgrad(NETWORK + """ --only 'layers[1]' --check '{"output": [0.7513, 0.7729]}'""").code == 2


def test_without_revealing_no_right_number_is_told(convgrad: Convgrad) -> None:
    right = answers_of(convgrad, f"{CLASSIC} {KERNEL} --lr 0.5")
    wrongs: list[Any] = [
        [[0.05798, 0.12228], [0.01464, 0.08877]],  # a ratio
        [[0.08461, 0.13406], [0.05126, 0.10829]],  # a difference
        [[0.0683, 0.0113], [0.0941, 0.0446]],  # a mistake
        [[0.1, 0.0941], [0.0113, 0.0683]],
        [[0.0941, 0.0446], [0.0113, 0.0683]],
    ]
    for form in ("json", "table"):
        for wrong in wrongs:
            mine = {"dW": wrong, "W_new": [[1, 2], [3, 4]], "dX": [[1]], "db": 0.08}
            ran = convgrad(f"{CLASSIC} {KERNEL} --lr 0.5 --check {quoted(mine)} --no-reveal --format {form}")
            assert ran.code == 1
            given = json.dumps(mine)
            for number in (n for name in mine for n in np.ravel(right[name]) if n and n != 1):
                if f"{abs(number):.3g}" not in given:
                    assert f"{abs(number):.3g}" not in ran.out
            assert not re.search(r"1\.3\b|0\.04\b", ran.out)  # the ratio, the difference
            assert '"value"' not in ran.out


@pytest.mark.parametrize("width", [80, 120])
def test_verdicts_are_panels_on_a_terminal(convgrad: Convgrad, width: int) -> None:
    mine = {"dW": [[0.0683, 0.0113], [0.0941, 0.0446]], "db": 0.08, "dX": np.full((5, 5), 0.1234).tolist()}
    ran = convgrad(f"{CLASSIC} {KERNEL} --check {quoted(mine)}", tty=True, COLUMNS=str(width), NO_COLOR="1")
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert max(map(len, lines)) <= width
    assert "dW  wrong" in ran.out
    assert "db  too-coarse" in ran.out
    assert "0.0683  0.0113" in ran.out
    assert "0.044606  0.094061" in ran.out
    assert lines[-1] == "none of the 3 answers is right"
    coloured = convgrad(f"{CLASSIC} --check {quoted(RIGHT)}", tty=True).out
    assert "\x1b[" in coloured
    assert "\x1b[" not in convgrad(f"{CLASSIC} --check {quoted(RIGHT)} --format json", FORCE_COLOR="1").out


HOMEWORK = {
    "output": [[0.599, 0.54, 0.558, 0.311], [0.277, 0.462, 0.494, 0.234], [0.196, 0.511, 0.675, 0.307], [1, 2, 3, 4]],
    "dW": [["0.0220", "0.0861"], ["0.00398", "0.0414"]],
    "db": "0.08",
    "dX": [[0.1, 0.2], [0.3, 0.4]],
    "W_new": [["0.0890", "0.1570"], ["0.29801", "0.3793"]],
}


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("reveal", [True, False])
def test_the_screen_of_a_homework(convgrad: Convgrad, request: pytest.FixtureRequest, width: int, reveal: bool) -> None:
    """`pytest --rewrite` writes the screens anew; look at them before committing."""
    command = f"{CLASSIC} {KERNEL} --lr 0.5 --check {quoted(HOMEWORK)}"
    ran = convgrad(f"{command} {'' if reveal else '--no-reveal'}", tty=True, COLUMNS=str(width), NO_COLOR="1")
    assert ran.code == 1
    assert max(map(len, ran.out.splitlines())) <= width
    golden = ROOT / "tests" / "screens" / f"check-{'' if reveal else 'hints-'}{width}.txt"
    if request.config.getoption("--rewrite"):
        golden.write_text(ran.out)
    assert ran.out == golden.read_text()


def test_a_large_answer_lists_its_first_wrong_cells(convgrad: Convgrad) -> None:
    x = np.arange(400.0).reshape(20, 20)
    wrong = (x * 2 + 0.5).tolist()
    ran = convgrad(f"convgrad conv-forward {quoted(x.tolist())} -k '[[2]]' --check {quoted(wrong)}", tty=True)
    assert ran.code == 1
    assert "output[0,0]" in ran.out
    assert "... and 388 more" in ran.out


def test_a_verdict_goes_to_a_file(convgrad: Convgrad, tmp_path: Path) -> None:
    ran = convgrad(CLASSIC + f""" --check '{{"db": 0.0836}}' -o {quoted(tmp_path)}/verdict.json""")
    assert (ran.code, ran.out) == (0, "")
    assert json.loads((tmp_path / "verdict.json").read_text())["verdict"] == "right"


def test_it_works_in_a_shell_script(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(RIGHT))
    (tmp_path / "wrong.json").write_text(json.dumps({**RIGHT, "db": 1}))
    folder = quoted(tmp_path)
    script = f"""
    convgrad() {{ {quoted(sys.executable)} -m convgrad "$@"; }}
    for answers in mine wrong missing; do
        if {CLASSIC} --check {folder}/$answers.json >{folder}/out 2>{folder}/err; then
            echo "$answers: right"
        else
            echo "$answers: $?"
        fi
    done
    """
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["mine: right", "wrong: 1", "missing: 2"]


def test_nothing_of_it_is_imported_unless_it_is_asked_for() -> None:
    program = (
        "import sys; from convgrad.cli import run; run(sys.argv[1:]); "
        "print(sorted(name for name in sys.modules if name.startswith(('convgrad.checking', 'convgrad.mistakes', "
        "'convgrad.teaching'))), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "conv-backward", "[1,2,3]", "[1,2]", "-q"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "[]\n"
