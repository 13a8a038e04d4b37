"""What an attacker found of a check: integers for floats, zeros taken for evidence, what overflows, odd names."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad, quoted

from convgrad import Conv, check

CLASSIC = "convgrad conv-backward samples/classic/input.json samples/classic/delta.json"


@pytest.mark.parametrize("made", [np.trunc, np.round, lambda value: value.astype(np.int32), np.int64])
def test_an_array_cast_to_whole_numbers_is_wrong(made: Any) -> None:
    random = np.random.default_rng(0)
    layer, x = Conv(random.normal(size=(2, 1, 3, 3))), random.integers(0, 256, (4, 1, 9, 9)) * 1.0
    delta = random.normal(size=(4, 2, 7, 7)) * 100
    value = next(each.value for each in layer.backward(x, delta) if each.name == "dW")
    mine = made(value)
    found = check({"dW": mine}, layer, x, delta).verdicts["dW"]
    assert (found.verdict, found.wrong.mean() > 0.9) == ("wrong", True)
    told = [each.kind for each in found.remarks]
    assert ("integers" in told) == (mine.dtype.kind == "i"), told
    assert check({"dW": mine}, layer, x, delta, atol=1.0)
    assert check({"dW": value}, layer, x, delta)


def test_an_array_of_integers_is_right_where_it_is_so_exactly(convgrad: Convgrad, tmp_path: Path) -> None:
    np.save(tmp_path / "mine.npy", np.array([[3, 4]]))
    command = f"-w '[[1,1]]' --only dW --check {quoted(tmp_path / 'mine.npy')}"
    assert convgrad(f"convgrad dense-backward '[3,4]' '[1]' {command}").code == 0
    ran = convgrad(f"convgrad dense-backward '[3.2,4]' '[1]' {command}")
    assert (ran.code, "whole numbers are right only where they are exactly so" in ran.out) == (1, True)


def test_several_wrong_answers_to_an_exact_result_are_looked_at(convgrad: Convgrad) -> None:
    mine = {"db": 0.0845, "dW": [[0.0448, 0.0947], [0.0113, 0.0691]]}
    assert convgrad(f"{CLASSIC} --dtype exact --check {quoted(mine)}").code == 1


def test_what_is_off_beyond_all_floats_is_json(convgrad: Convgrad) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    ran = convgrad(f"{CLASSIC} --check '{{\"db\": 1e308}}'")
    errors = json.loads(ran.out, parse_constant=refuse)["answers"]["db"]["errors"]
    assert errors["largest_relative"]["off"] is None


@pytest.mark.filterwarnings("error")
def test_differences_beyond_all_floats_are_not_told(convgrad: Convgrad) -> None:
    ran = convgrad("convgrad activation-backward '[1,2]' '[1,1]' --activation relu --only dX --check '[1e308,1e308]'")
    assert (ran.code, "inf too" in ran.out, ran.err.count("Warning")) == (1, False, 0)


def test_zeros_are_no_delta_called_otherwise(convgrad: Convgrad, tmp_path: Path) -> None:
    hidden = {"type": "dense", "weight": [[1, 1], [1, -1]], "bias": [-9, -9], "activation": "relu"}
    layers = [hidden, {"type": "dense", "weight": [[1, 2], [3, -1]], "bias": [0, 1]}]
    (tmp_path / "net.json").write_text(json.dumps({"layers": layers}))
    ran = convgrad(
        f"convgrad backprop {quoted(tmp_path / 'net.json')} '[1,2]' '[1,1]' "
        """--check '{"layers": [{"delta": [0, 0]}, {}]}'"""
    )
    assert (ran.code, "sensitivity-called-delta" in ran.out) == (1, False)


def test_zeros_are_not_accused(convgrad: Convgrad) -> None:
    ran = convgrad(
        "convgrad dense-backward '[-5,-4,-3,4]' '[-4,-4,-2]' -w '[[-5,1,-2,1],[2,3,1,2],[2,-3,0,5]]' "
        "--activation gelu --only dW --check '[[0,0,0,0],[0,0,0,0],[0,0,0,0]]'"
    )
    assert json.loads(ran.out)["answers"]["dW"]["mistakes"] == []


def test_escapes_in_the_name_of_a_file_are_printed_harmlessly(convgrad: Convgrad) -> None:
    ran = convgrad(f"{CLASSIC} --check '\x1b[31mq.json'")
    assert (ran.code, "\x1b" in ran.err, "\\x1b[31mq.json" in ran.err) == (2, False, True)
