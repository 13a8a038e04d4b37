"""Answers as people and programs hand them in: what is required, tolerances, what is no number, shapes as meant."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad, quoted

from convgrad import Conv, Dense, check
from convgrad.errors import OptionError

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


def test_what_is_not_answered_is_said(convgrad: Convgrad) -> None:
    ran = convgrad(f"{CLASSIC} --check {quoted({'dW': RIGHT['dW']})}")
    assert (ran.code, ran.err) == (0, "Note: not answered: db; --require says which have to be\n")
    ran = convgrad(f"{CLASSIC} --check {quoted({'dW': RIGHT['dW'], 'db': None})}")
    assert (ran.code, ran.err) == (1, "Note: not answered: db; --require says which have to be\n")
    assert convgrad(f"{CLASSIC} --check {quoted({'dW': RIGHT['dW']})} -q").err == ""
    assert convgrad(f"{CLASSIC} --check {quoted(RIGHT)}").err == ""


def test_an_entry_that_is_no_result_is_said(convgrad: Convgrad, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps({**RIGHT, "bias": 0.5, "dK": [[1]], "student": "Ann"}))
    ran = convgrad(f"{CLASSIC} --check {quoted(tmp_path)}/mine.json")
    assert ran.code == 0
    assert ran.err == f"Note: {tmp_path}/mine.json: 'bias' and 'dK' are no results, and not compared\n"
    assert json.loads(ran.out)["not_compared"] == ["bias", "dK"]
    ran = convgrad(f"{CLASSIC} --check {quoted({'dK': [[1]]})}")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no result 'dK', only dW, db. Did you mean 'dW'?" in ran.err
    ran = convgrad(f"{CLASSIC} --check {quoted({'dWW': [[1]], 'db': 0.0836})}")  # a slip of the pen would go unnoticed
    assert (ran.code, "Did you mean 'dW'?" in ran.err) == (2, True)


def test_an_entry_of_a_layer_that_is_no_result_is_said(convgrad: Convgrad) -> None:
    sample = "samples/two-two-two"
    network = f"convgrad backprop {sample}/network.json {sample}/input.json {sample}/target.json --only output,layers"
    mine = {"output": [0.7514, 0.7729], "layers": [{"foo": 3, "dW": None}, {"weights": [1, 2]}]}
    ran = convgrad(f"{network} --check {quoted(mine)} --require 'layers[0].dW,layers[1].db'")
    assert (ran.code, ran.err) == (
        1,
        "Note: the literal: 'layers[0].foo' and 'layers[1].weights' are no results, and not compared\n",
    )
    found = json.loads(ran.out)["answers"]
    assert {name: each["verdict"] for name, each in found.items()} == {
        "output": "right",
        "layers[0].dW": "unanswered",
        "layers[1].db": "missing",
    }
    ran = convgrad(f"{network} --check {quoted({'layers': [{'dWW': [[1]]}, {'db': [1, 2]}]})}")
    assert (ran.code, "Did you mean 'layers[0].dW'?" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("--check {mine} --check {mine}", "--check: it is given 2 times; --check takes one file of answers"),
        ("--check {folder}", "it is a folder; --check takes one file of answers: check one at a time"),
        ("--check {mine} {mine}", "--check takes one file of answers: check one at a time"),
    ],
)
def test_one_file_is_checked_at_a_time(convgrad: Convgrad, tmp_path: Path, more: str, words: str) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(RIGHT))
    ran = convgrad(f"{CLASSIC} {more.format(mine=quoted(tmp_path / 'mine.json'), folder=quoted(tmp_path))}")
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err


def test_a_term_without_a_place_is_not_said_to_be_missing(convgrad: Convgrad) -> None:
    softmax = "convgrad activation-backward '[1,2,3]' '[1,2,4]' --activation softmax --only dX"
    out = convgrad(f"""{softmax} --check '["0.000","0.000","0.000"]' --format table""").out
    assert "()" not in out
    assert "All 3 cells are off." in out


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


def in_dtype(layer: Conv, x: Any, delta: Any, dtype: Any) -> dict[str, Any]:
    """dW and dX as a kernel in a dtype computes them: one product after the other."""
    kernel, small, d = layer.kernel.astype(dtype), x.astype(dtype), delta.astype(dtype)
    dW, dX = np.zeros(kernel.shape, dtype), np.zeros(x.shape, dtype)
    rows, columns = kernel.shape[2:]
    for n, i, j in np.ndindex(len(x), *delta.shape[2:]):
        at = np.s_[n, :, i : i + rows, j : j + columns]
        for f, number in enumerate(d[n, :, i, j]):
            dW[f] += number * small[at]
            dX[at] += number * kernel[f]
    return {"dW": dW, "dX": dX}


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("seed", range(20))
def test_arrays_of_a_coarse_dtype_bring_their_own_tolerance(dtype: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 4, 3)
    draw = random.normal if seed % 2 else random.random
    layer = Conv(draw(size=(sizes[0], sizes[1], 3, 3)).astype(dtype).astype(float))
    x = draw(size=(sizes[2], sizes[1], 7, 7)).astype(dtype).astype(float)
    delta = draw(size=(sizes[2], sizes[0], 5, 5)).astype(dtype).astype(float)
    mine = in_dtype(layer, x, delta, dtype)
    assert check(mine, layer, x, delta)
    assert not check({"dW": mine["dW"].astype(float)}, layer, x, delta)  # as float64 it is wrong
    for name, array in mine.items():
        wrong = array.copy()
        wrong[(0,) * array.ndim] += dtype(0.25) * np.abs(array).max()
        found = check({name: wrong}, layer, x, delta).verdicts[name]
        assert (found.verdict, found.wrong_cells) == ("wrong", [(0,) * array.ndim])


def test_the_tolerance_of_an_npy_is_said(convgrad: Convgrad, tmp_path: Path) -> None:
    np.save(tmp_path / "mine.npy", np.array([[0.044606, 0.094061], [0.011262, 0.068288]], np.float32))
    ran = convgrad(f"{CLASSIC} --only dW --check {quoted(tmp_path)}/mine.npy")
    assert (ran.code, "sums in float32 may be off by" in json.loads(ran.out)["answers"]["dW"]["compared"]) == (0, True)
    table = convgrad(f"{CLASSIC} --only dW --check {quoted(tmp_path)}/mine.npy --format table").out
    assert "dW  right, within what sums in float32 may be off by" in table


def test_what_lies_on_the_way_through_an_activation_may_be_an_array_of_float32_too(
    convgrad: Convgrad, tmp_path: Path
) -> None:
    dense = "convgrad dense-backward '[1.1, 2.3]' '[1, 2]' -w '[[1.7, 0.2], [0.3, -0.4]]' --activation tanh"
    names = "z,derivative,sensitivity"
    right = json.loads(convgrad(f"{dense} --only {names}").out)
    mine: dict[str, Any] = {name: np.asarray(right[name], np.float32) for name in right}
    np.savez(tmp_path / "mine.npz", **mine)
    ran = convgrad(f"{dense} --only {names} --check {quoted(tmp_path / 'mine.npz')}")
    assert ran.code == 0, ran


def test_a_network_in_float32_carries_its_errors_on(convgrad: Convgrad, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    layers: list[dict[str, Any]] = [
        {"type": "conv", "kernel": random.normal(size=(3, 2, 3, 3)).tolist(), "activation": "relu"},
        {"type": "pool", "kind": "max", "size": 2},
        {"type": "flatten"},
        {"type": "dense", "weight": (random.normal(size=(5, 27)) / 20).tolist(), "activation": "tanh"},
        {"type": "dense", "weight": random.normal(size=(2, 5)).tolist()},
    ]
    (tmp_path / "net.json").write_text(json.dumps({"layers": layers, "loss": "mse"}))
    np.savez(tmp_path / "data.npz", input=random.normal(size=(4, 2, 8, 8)), target=random.normal(size=(4, 2)))
    command = f"convgrad backprop {quoted(tmp_path / 'net.json')} {quoted(tmp_path / 'data.npz')}"
    results = json.loads(convgrad(f"{command} --dtype float32").out)
    mine: dict[str, Any] = {name: np.asarray(results[name], np.float32) for name in ("output", "loss")}
    for k, layer in enumerate(results["layers"]):
        mine |= {f"layers[{k}].{name}": np.asarray(each, np.float32) for name, each in layer.items() if name != "type"}
    np.savez(tmp_path / "mine.npz", **mine)
    ran = convgrad(f"{command} --check {quoted(tmp_path / 'mine.npz')}")
    assert ran.code == 0, ran
    dW = mine["layers[0].dW"]
    dW[0, 0, 0, 0] += np.abs(dW).max() / 100
    np.savez(tmp_path / "mine.npz", **mine)
    found = json.loads(convgrad(f"{command} --check {quoted(tmp_path / 'mine.npz')}").out)["answers"]
    assert {name for name, each in found.items() if each["verdict"] != "right"} == {"layers[0].dW"}


def test_ulps_are_of_the_answers_own_dtype(convgrad: Convgrad, tmp_path: Path) -> None:
    right = np.array([[0.044606, 0.094061], [0.011262, 0.068288]], np.float32)
    for steps in (0, 3):
        moved = right + np.float32(steps) * np.spacing(right)
        np.save(tmp_path / "mine.npy", moved)
        for ulp in (1, 4):
            code = convgrad(f"{CLASSIC} --only dW --ulp {ulp} --check {quoted(tmp_path)}/mine.npy").code
            assert code == (0 if steps <= ulp else 1), (steps, ulp)


@pytest.mark.parametrize("off", [1e-8, 3e-8, 1e-7])
def test_a_hint_about_tolerances_is_true(convgrad: Convgrad, off: float) -> None:
    mine = {"dW": [[0.044606 + off, 0.094061 - off], [0.011262 + off, 0.068288]]}
    ran = convgrad(f"{CLASSIC} --only dW --check {quoted(mine)}")
    said = " ".join(note["text"] for note in json.loads(ran.out)["answers"]["dW"]["notes"])
    assert ran.code == 1
    options = re.search(r"(--rtol \S+( --atol \S+)?) accepts that", said)
    assert options, said
    assert convgrad(f"{CLASSIC} --only dW --check {quoted(mine)} {options[1]}").code == 0


# -- right answers, however they are written ------------------------------------------------------------------


def kernel(seed: int = 0) -> tuple[Conv, Any, Any]:
    random = np.random.default_rng(seed)
    return Conv(random.normal(size=(2, 3, 3, 3))), random.normal(size=(1, 3, 8, 8)), random.normal(size=(1, 2, 6, 6))


def cut(number: float, places: int) -> str:
    whole, _, rest = f"{Decimal(f'{number:.12g}'):f}".partition(".")
    return f"{whole}.{(rest + '0' * places)[:places]}"


def spelled(value: Any, form: Callable[[float], str]) -> Any:
    return np.array([form(float(number)) for number in value.flat], object).reshape(value.shape)


WAYS: dict[str, Callable[[Any], Any]] = {
    "to five places": lambda value: spelled(value, lambda number: f"{number:.5f}"),
    "to three digits": lambda value: spelled(value, lambda number: f"{number:.3g}"),
    "with exponents": lambda value: spelled(value, lambda number: f"{number:.4e}"),
    "cut off": lambda value: spelled(value, lambda number: cut(number, 4)),
    "rounded floats": lambda value: value.round(6),
    "floats": lambda value: value,
    "lists": lambda value: value.tolist(),
    "float32": lambda value: value.astype(np.float32),
    "float16": lambda value: value.astype(np.float16),
    "with axes of one": lambda value: value[None, ..., None],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(6))
def test_right_answers_are_right_however_they_are_written(way: str, seed: int) -> None:
    layer, x, delta = kernel(seed)
    for quantity in (layer.forward(x), *layer.backward(x, delta)):
        found = check({quantity.name: WAYS[way](quantity.value)}, layer, x, delta)
        assert found, (quantity.name, str(found))


@pytest.mark.parametrize("digits", [1, 2])
@pytest.mark.parametrize("seed", range(6))
def test_right_answers_in_few_digits_are_coarse_at_worst(digits: int, seed: int) -> None:
    layer, x, delta = kernel(seed)
    for quantity in layer.backward(x, delta):
        for form in (f".{digits}g", f".{digits - 1}e"):
            mine = spelled(quantity.value, lambda number, form=form: f"{number:{form}}")  # type: ignore[misc]
            (found,) = check({quantity.name: mine}, layer, x, delta).verdicts.values()
            assert found.verdict in ("right", "too-coarse")


# -- NaN and infinities, and what is left blank ---------------------------------------------------------------


def test_what_is_not_finite_is_a_wrong_cell_with_its_place_and_count(convgrad: Convgrad, tmp_path: Path) -> None:
    nan = float("nan")
    (tmp_path / "mine.json").write_text('{"dW": [[0.0446, NaN], [0.0113, NaN]]}')
    (tmp_path / "mine.csv").write_text("0.0446,nan\n0.0113,NaN\n")
    (tmp_path / "mine.txt").write_text("[[0.0446    nan]\n [0.0113 nan]]")
    (tmp_path / "tensor.txt").write_text("tensor([[0.0446, nan], [0.0113, nan]])")
    np.save(tmp_path / "mine.npy", np.array([[0.044606, nan], [0.011262, nan]], np.float32))
    np.savez(tmp_path / "mine.npz", dW=[[0.044606, nan], [0.011262, nan]])
    for name in ("mine.json", "mine.csv", "mine.txt", "tensor.txt", "mine.npy", "mine.npz"):
        ran = convgrad(f"{CLASSIC} --only dW --check {quoted(tmp_path / name)}")
        assert (ran.code, ran.err) == (1, ""), (name, ran)
        assert "NaN," not in ran.out
        entry = json.loads(ran.out, parse_constant=pytest.fail)["answers"]["dW"]
        assert entry["verdict"] == "wrong"
        assert entry["wrong_cells"] == [[0, 1], [1, 1]]
        assert entry["not_finite"] == {"count": 2, "first": [0, 1]}
        assert entry["notes"][0] == {
            "kind": "not-finite",
            "text": "2 of 4 cells are not finite (NaN), the first of them dW[0,1]",
        }
        assert entry["notes"][1]["text"] == "all other numbers are right"


@pytest.mark.parametrize(
    ("db", "said"),
    [("NaN", "It is not finite (NaN)."), ("-Infinity", "It is not finite (infinite)."), ("1e999", "infinite")],
)
def test_a_lone_number_that_is_not_finite_is_wrong(convgrad: Convgrad, db: str, said: str) -> None:
    ran = convgrad(f"{CLASSIC} --check '{{\"db\": {db}}}' --format table")
    assert ran.code == 1
    assert said in ran.out


@pytest.mark.parametrize("blank", ["null", '""', '"?"', '"-"', '[["?", null], ["-", ""]]'])
def test_what_says_that_there_is_no_answer_is_unanswered(convgrad: Convgrad, blank: str) -> None:
    mine = f'{{"dW": {blank}, "db": 0.0836}}'
    ran = convgrad(f"{CLASSIC} --check {quoted(mine)}")
    assert ran.code == 1
    assert {name: each["verdict"] for name, each in json.loads(ran.out)["answers"].items()} == {
        "dW": "unanswered",
        "db": "right",
    }
    assert "dW  unanswered" in convgrad(f"{CLASSIC} --check {quoted(mine)} --format table").out


@pytest.mark.parametrize(
    ("dW", "verdict", "wrong", "blank", "said"),
    [
        ('[[0.0446, null], [0.0113, "?"]]', "unanswered", [], [[0, 1], [1, 1]], "all of the 2 cells that are answered are right"),
        ('[[0.0446, ""], [0.0113, 0.0683]]', "unanswered", [], [[0, 1]], "all of the 3 cells that are answered are right"),
        ('[[0.0446, "-"], [0.011, null]]', "unanswered", [], [[0, 1], [1, 1]], "1 of the 2 cells that are answered is right"),
        ('[[0.0446, null], [0.0213, "?"]]', "wrong", [[1, 0]], [[0, 1], [1, 1]], "1 of the 2 cells that are answered is right"),
        ('[["?", null], [0.0113, "?"]]', "unanswered", [], [[0, 0], [0, 1], [1, 1]], "the cell that is answered is right"),
    ],
)  # fmt: skip
def test_a_blank_cell_is_unanswered_and_not_wrong(
    convgrad: Convgrad, dW: str, verdict: str, wrong: list[Any], blank: list[Any], said: str
) -> None:
    command = f"{CLASSIC} --check '{{\"dW\": {dW}}}' -q"
    ran = convgrad(command)
    entry = json.loads(ran.out)["answers"]["dW"]
    assert (ran.code, entry["verdict"], entry["wrong_cells"], entry["blank_cells"]) == (1, verdict, wrong, blank)
    notes = {each["kind"]: each["text"] for each in entry["notes"]}
    many = f"{len(blank)} of 4 cells are" if len(blank) > 1 else "dW[0,1] is"
    assert notes["blank"].startswith(f"{many} left blank")
    assert notes["answered"] == said
    assert "not_finite" not in entry
    for form in ("json", "table", "csv", "markdown", "html"):
        text = convgrad(f"{command} --format {form}").out
        body = text.partition("<body")[2] if form == "html" else text
        assert "NaN" not in body, form
        assert verdict in text
        assert f"{len(wrong)} of 4 cells are wrong" not in text
    row = convgrad(f"{command} --format csv").out.splitlines()[1].split(",")
    assert row[:4] == ["dW", verdict, "4", str(len(wrong))]
    assert "[]" not in convgrad(f"{command} --format table").out


def test_blank_rows_are_not_said_to_be_NaN(convgrad: Convgrad) -> None:
    rows = [["?", "?"]] * 2 + [["0.5", "0.25"]] + [["?", None]] * 2
    command = "convgrad conv-backward '[[1,1],[1,1],[1,1],[1,1],[1,1]]' '[[1],[2],[3],[4],[5]]' -k '[[1,1]]' --only dX"
    assert "NaN" not in convgrad(f"{command} --check {quoted(rows)} --format table").out


def test_a_cell_that_is_not_finite_is_told_once(convgrad: Convgrad) -> None:
    ran = convgrad(f"{CLASSIC} --check '{{\"dW\": [[0.0446, NaN], [0.0113, 0.0683]]}}'")
    entry = json.loads(ran.out)["answers"]["dW"]
    assert [each["kind"] for each in entry["notes"]] == ["not-finite", "others-right"]


# -- shapes ---------------------------------------------------------------------------------------------------

ROTATED = [[0.0683, 0.0113], [0.0941, 0.0446]]


@pytest.mark.parametrize(
    ("mine", "note"),
    [
        ({"db": [0.0836]}, "it is a list of 1, and is read as a number"),
        ({"dW": [[RIGHT["dW"]]]}, "it is 1x1x2x2, and is read as 2x2"),
    ],
)
def test_axes_of_one_are_read_as_meant(convgrad: Convgrad, mine: dict[str, Any], note: str) -> None:
    ran = convgrad(f"{CLASSIC} --check {quoted(mine)}")
    (entry,) = json.loads(ran.out)["answers"].values()
    assert (ran.code, entry["verdict"]) == (0, "right")
    assert [each["text"] for each in entry["notes"]] == [note]
    assert note in " ".join(convgrad(f"{CLASSIC} --check {quoted(mine)} --format table").out.split())
    ran = convgrad(f"{CLASSIC} --check {quoted(mine)} --strict-shape")
    (entry,) = json.loads(ran.out)["answers"].values()
    assert (ran.code, entry["verdict"]) == (1, "wrong-shape")


@pytest.mark.parametrize("strict", ["", "--strict-shape"])
@pytest.mark.parametrize(
    "mine", [[[ROTATED]], [0.0683, 0.0113, 0.0941, 0.0446], [[[each] for each in row] for row in ROTATED]]
)
def test_the_numbers_of_another_shape_are_diagnosed(convgrad: Convgrad, mine: Any, strict: str) -> None:
    ran = convgrad(f"{CLASSIC} --check {quoted({'dW': mine})} {strict}")
    entry = json.loads(ran.out)["answers"]["dW"]
    flat = not isinstance(mine[0], list)
    assert (ran.code, entry["verdict"]) == (1, "wrong-shape" if flat or strict else "wrong")
    assert [each["name"] for each in entry["mistakes"]] == ["dW-rotated"]


def test_right_numbers_flat_or_transposed_are_of_a_wrong_shape_with_that_note() -> None:
    layer, x = Dense(np.array([[0.11, 0.22, 0.33], [0.44, 0.55, 0.66]])), np.array([[1.25, -2.5, 3.75]])
    delta = np.array([[0.5, -0.25]])
    dW = layer.backward(x, delta)[0].value
    found = check({"dW": dW.T}, layer, x, delta).verdicts["dW"]
    assert found.verdict == "wrong-shape"
    assert "it is transposed; the numbers are right" in found.remarks[0].text
    found = check({"dW": dW.ravel()}, layer, x, delta).verdicts["dW"]
    assert found.verdict == "wrong-shape"
    assert "the numbers are right in reading order" in found.remarks[0].text


def test_channels_last_is_told_of_a_kernel() -> None:
    random = np.random.default_rng(1)
    layer, x = Conv(random.normal(size=(4, 3, 2, 2))), random.normal(size=(1, 3, 4, 4))
    delta = random.normal(size=(1, 4, 3, 3))
    dW = layer.backward(x, delta)[0].value.transpose(0, 2, 3, 1)
    found = check({"dW": dW}, layer, x, delta).verdicts["dW"]
    assert (found.verdict, found.remarks[0].kind) == ("wrong-shape", "transposed")
    assert "its axes are in another order; the numbers are right" in found.remarks[0].text


# -- few digits -----------------------------------------------------------------------------------------------


def test_a_number_cut_off_to_few_digits_is_coarse_not_wrong(convgrad: Convgrad) -> None:
    assert verdicts(convgrad, "", {"dW": [["0.04", "0.09"], ["0.01", "0.06"]], "db": "0.08"}, code=1) == {
        "dW": "too-coarse",
        "db": "too-coarse",
    }


def test_a_zero_of_too_few_places_beside_finer_numbers_says_why(convgrad: Convgrad) -> None:
    mine = {"dW": [["0.0446", "0.0941"], ["0.0", "0.0683"]]}
    entry = json.loads(convgrad(f"{CLASSIC} --check {quoted(mine)}").out)["answers"]["dW"]
    assert (entry["verdict"], entry["wrong_cells"]) == ("wrong", [[1, 0]])
    assert entry["notes"][0]["text"] == (
        "dW[1,0] is written 0.0 beside numbers of more places, so it is read as 0; write as many places there"
    )


@pytest.mark.parametrize(
    ("command", "mine", "verdict"),
    [
        ("conv-backward '[[0.5999,0.3812],[0.1234,0.7777]]' 1 --kernel-size 2 --only dW", "[[0.5,0.3812],[0.1234,0.7777]]", "wrong"),
        ("conv-backward '[[0.5999,0.3812],[0.1234,0.7777]]' 1 --kernel-size 2 --only dW", "[[0.59,0.38],[0.12,0.77]]", "too-coarse"),
        ("conv-backward '[[0.5999,0.3812],[0.1234,0.7777]]' 1 --kernel-size 2 --only dW", "[[0,0],[0,0]]", "wrong"),
        ("conv-backward '[[0.5498]]' '[[1]]' --kernel-size 1 --only dW", "0.54", "too-coarse"),
        ("activation-backward '[-1.5,2.5,0.5]' '[0.31,0.42,0.53]' --activation relu", '{"dX":[0,0,0.53]}', "wrong"),
        ("pool-backward '[[5,2],[1,0.5]]' 0.375 --size 2 --only dX", "[[0,0,0.375,0]]", "wrong-shape"),
        ("pool-backward '[[5,2],[1,0.5]]' 0.375 --size 2 --only dX", "[[0,0],[0.375,0]]", "wrong"),
    ],
)  # fmt: skip
def test_a_cell_far_from_its_value_is_wrong_however_few_its_digits(
    convgrad: Convgrad, command: str, mine: str, verdict: str
) -> None:
    ran = convgrad(f"convgrad {command} --check '{mine}'")
    (entry,) = json.loads(ran.out)["answers"].values()
    assert (ran.code, entry["verdict"]) == (1, verdict)
    assert not [note for note in entry.get("notes", []) if note["kind"] == "zero-beside-finer"]


# -- numbers too few to name a mistake by ---------------------------------------------------------------------


def answers_to(convgrad: Convgrad, command: str, mine: Any) -> Any:
    ran = convgrad(f"convgrad {command} --check {quoted(mine)} -q")
    assert ran.code == 1
    table = convgrad(f"convgrad {command} --check {quoted(mine)} -q --format table").out
    return json.loads(ran.out)["answers"], " ".join(table.split())


def test_a_known_mistake_that_few_digits_do_not_name_is_not_denied(convgrad: Convgrad) -> None:
    found, table = answers_to(convgrad, "conv-backward '[1,2,3]' '[1,1.2]' -k '[1,1]' --only db", "-2.2")
    assert found["db"]["mistakes"] == []
    text = "a known mistake may give it, but too few digits were written to tell"
    assert {"kind": "too-few-to-tell", "text": text} in found["db"]["notes"]
    assert "No known mistake" not in table


def test_what_no_mistake_gives_is_still_said_to_be_such(convgrad: Convgrad) -> None:
    found, table = answers_to(convgrad, "conv-backward '[1,2,3]' '[1,1.2]' -k '[1,1]' --only db", "7.13")
    assert found["db"].get("notes", []) == []
    assert "No known mistake gives these numbers." in table


STEP = "conv-backward '{\"input\":[[0.61,0.62,0.03],[-0.23,-0.18,-0.91],[0.3,-0.53,-0.13]],\"kernel\":[[0.74,-0.55],[0.74,-0.96]],\"bias\":0.25,\"delta\":[[-0.297,-0.175],[-0.184,0.351]]}' --lr 0.5"  # fmt: skip


@pytest.mark.parametrize(("mistake", "rate"), [("ascent", -0.5), ("learning-rate-forgotten", 1.0)])
def test_a_lone_number_is_the_same_slip_as_is_named_elsewhere(convgrad: Convgrad, mistake: str, rate: float) -> None:
    right = json.loads(convgrad(f"convgrad {STEP}").out)
    kernel = np.array([[0.74, -0.55], [0.74, -0.96]])
    mine = {"W_new": (kernel - rate * np.array(right["dW"])).round(4).tolist(), "b_new": round(0.25 - rate * right["db"], 4)}  # fmt: skip
    found, table = answers_to(convgrad, STEP, mine)
    assert [each["name"] for each in found["W_new"]["mistakes"]] == [mistake]
    assert [each["name"] for each in found["b_new"]["mistakes"]] == [mistake]
    assert found["b_new"]["same_as"] == "W_new"
    assert "notes" not in found["b_new"]
    assert f"{mistake}, the same as in W_new" in table
    assert "taken twice" not in table


def test_a_factor_rounded_on_the_way_is_told_as_that(convgrad: Convgrad) -> None:
    mine = {"dW": (np.array([[0.044606, 0.094061], [0.011262, 0.068288]]) * 0.997).tolist()}
    (note,) = [each for each in answers_to(convgrad, CLASSIC.removeprefix("convgrad "), mine)[0]["dW"]["notes"] if each["kind"] != "all-cells"]  # fmt: skip
    assert note["kind"] == "nearly-right"
    assert "a factor was rounded on the way" in note["text"]


# -- in Python ------------------------------------------------------------------------------------------------


def test_an_infinity_beside_rounded_numbers_is_wrong() -> None:
    layer, x, delta = kernel()
    dW = layer.backward(x, delta)[0].value.round(4)
    dW[0, 0, 0, 0] = -np.inf
    assert not check({"dW": dW}, layer, x, delta)


def test_a_check_is_true_only_where_all_is_right_and_shows_its_report() -> None:
    layer, x, delta = kernel()
    dW, _, dX = (each.value for each in layer.backward(x, delta))
    good = check({"dW": dW.round(4), "dX": dX}, layer, x, delta)
    assert good
    assert good.right
    good.raise_if_wrong()
    assert repr(good) == str(good)
    assert "all 2 answers are right" in repr(good)
    rotated = check({"dW": dW[..., ::-1, ::-1].round(4), "dX": dX.round(4)}, layer, x, delta)
    assert not rotated
    assert not rotated.right
    for text in (repr(rotated), str(rotated)):
        assert "dW-rotated" in text
        assert "\x1b" not in text
        assert "1 of 2 answers is right" in text
    with pytest.raises(AssertionError, match="dW-rotated"):
        rotated.raise_if_wrong()
    coarse = check({"dW": np.array([f"{number:.1g}" for number in dW.flat]).reshape(dW.shape)}, layer, x, delta)
    assert not coarse
    missing = check({"dW": dW}, layer, x, delta, require=["dW", "dX"])
    assert (bool(missing), missing.verdicts["dX"].verdict) == (False, "missing")
    assert not check({"dW": None}, layer, x, delta)


def test_the_report_of_a_large_array_is_short() -> None:
    random = np.random.default_rng(0)
    layer, x = Conv(random.normal(size=(8, 4, 3, 3))), random.normal(size=(2, 4, 64, 64))
    delta = random.normal(size=(2, 8, 62, 62))
    dX = layer.backward(x, delta)[2].value + 0.25
    with pytest.raises(AssertionError) as raised:
        check({"dX": dX}, layer, x, delta, diagnosis=False).raise_if_wrong()
    assert len(str(raised.value).splitlines()) < 40


def test_nothing_to_check_is_no_right_answer() -> None:
    layer, x, delta = kernel()
    with pytest.raises(OptionError, match="there is no answer to check"):
        check({}, layer, x, delta)
    with pytest.raises(OptionError, match="Did you mean 'dW'"):
        check({"dX": np.zeros((1, 3, 8, 8))}, layer, x, delta, require="dWW")
