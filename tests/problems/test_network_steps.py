"""The working of a network's layers: overlays with contribution and running sum, as the layers' own commands show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Convgrad

NETWORK: dict[str, Any] = {
    "layers": [
        {"type": "conv", "kernel": [[[[1, 0], [0, 1]]], [[[0, 1], [-1, 0]]]], "padding": 1, "activation": "relu"},
        {"type": "pool", "kind": "avg", "size": 2},
        {"type": "norm", "over": "layer"},
        {"type": "flatten"},
        {"type": "dense", "weight": [[1, 2, 0, 1, 1, 2, 1, 1], [0, 1, -1, 1, 2, 0, 0, 3]], "bias": [0, 1]},
    ],
    "loss": "cross-entropy",
}
IMAGE = [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]
ALONE = {0: "conv-backward", 1: "pool-backward", 2: "norm-backward", 4: "dense-backward"}
"""The commands of its layers, by number."""


@pytest.fixture
def line(tmp_path: Path) -> str:
    (tmp_path / "network.json").write_text(json.dumps(NETWORK))
    return f"convgrad backprop {tmp_path / 'network.json'} '{json.dumps(IMAGE)}' 1"


def steps_of(convgrad: Convgrad, line: str) -> list[Any]:
    return [layer.get("steps") for layer in json.loads(convgrad(line).out)["layers"]]


@pytest.mark.parametrize("steps", ["all", "2"])
def test_json_has_the_steps_under_each_layer_as_the_layers_commands_write_them(
    convgrad: Convgrad, line: str, tmp_path: Path, steps: str
) -> None:
    batch = line.replace("'[[[", "'[[[[").replace("]]]' 1", "]]]]' '[1]'")  # a norm layer alone takes batches only
    found = json.loads(convgrad(f"{batch} --steps {steps}").out)["layers"]
    for k, command in ALONE.items():
        given = {name: value for name, value in NETWORK["layers"][k].items() if name != "type"}
        before = found[k - 1]["output"] if k else [IMAGE]
        document = tmp_path / "layer.json"
        document.write_text(json.dumps({**given, "input": before, "delta": found[k]["delta"]}))
        alone = json.loads(convgrad(f"convgrad {command} {document} --steps {steps}").out)
        assert alone["steps"]
        for name in ("form", "arrays", "steps"):
            assert found[k].get(name) == alone.get(name), (k, name)
        for name, each in found[k]["steps"].items():
            assert steps == "all" or len(each) <= 2 or "called" in each[0]
            if steps == "all" and name in found[k] and name not in ("output", "dX"):
                assert each[-1]["sum"] == found[k][name]
    assert found[3]["steps"] == {}  # flattening adds nothing up


def test_without_steps_or_with_none_json_has_none(convgrad: Convgrad, line: str) -> None:
    assert steps_of(convgrad, line) == [None] * 5
    assert convgrad(f"{line} --steps none").out == convgrad(line).out == convgrad(f"{line} --steps 0").out


def test_what_only_asks_for_brings_its_own_steps(convgrad: Convgrad, line: str) -> None:
    whole = json.loads(convgrad(f"{line} --steps 1").out)["layers"]
    out = convgrad(f"{line} --steps 1 --only layers[4].dW,layers[2].dX,layers[1]").out
    some = json.loads(out)
    assert some["steps"] == {
        "layers[4].dW": whole[4]["steps"]["dW"],
        "layers[2].dX": whole[2]["steps"]["dX"],
    }
    assert some["layers[1]"] == whole[1]
    assert some["arrays"]["layers[2].xhat"] == whole[2]["arrays"]["xhat"]
    bare = json.loads(convgrad(f"{line} --steps 1 --only loss").out)
    assert list(bare) == ["loss"]


def test_tables_show_contribution_and_running_sum_where_steps_asks_for_them(convgrad: Convgrad, line: str) -> None:
    plain = convgrad(f"{line} --format table").out
    assert "so far" not in plain
    assert convgrad(f"{line} --format table --steps none").out == plain
    one, every = (convgrad(f"{line} --format table --steps {steps}").out for steps in ("1", "all"))
    for words in ("adds to dW", "dW so far", "adds to dX", "dX so far", "db so far", "node (0)", "dX[0] by the mean"):
        assert words in one, one
    assert one.count("\noverlay (") == 2  # one of the convolution, one of the pool
    assert "more overlays add to the sums; --steps all shows them" in one
    assert every.count("\noverlay (") > 10
    assert "--steps all" not in every
    for k in range(5):
        assert f"layers[{k}]: " in one


def test_each_delta_that_is_shown_says_which_layer_it_comes_from(convgrad: Convgrad, line: str) -> None:
    out = convgrad(f"{line} --format table --steps 1").out
    assert "delta[1] = the dX[1] of layers[1], behind it" in out
    assert " delta = the dX of layers[4], behind it" in out
    assert "delta = (softmax(output) - target)" in out


def test_documents_and_the_page_show_as_many_as_steps_says(convgrad: Convgrad, line: str) -> None:
    for form, scene in (("markdown", "### overlay"), ("latex", r"\paragraph*{overlay")):
        assert scene not in convgrad(f"{line} --format {form}").out
        assert convgrad(f"{line} --format {form} --steps 3").out.count(scene) == 6
    sizes = [len(convgrad(f"{line} --format html {more}").out) for more in ("--steps none", "--steps 2", "")]
    assert sizes == sorted(set(sizes))
    assert convgrad(f"{line} --format html --steps all").out == convgrad(f"{line} --format html").out


def test_elements_written_out_stand_beside_the_steps_asked_for(convgrad: Convgrad, line: str) -> None:
    out = convgrad(f"{line} --format table --steps 1 --explain layers[4].dW[0,1]").out
    assert "node (0)" in out
    assert "dW[0,1] ──" in out
    assert "node (0)" not in convgrad(f"{line} --format table --explain layers[4].dW[0,1]").out


def test_steps_that_cannot_be_are_refused(convgrad: Convgrad, line: str) -> None:
    ran = convgrad(f"{line} --steps few")
    assert (ran.code, "neither a number nor all or none" in ran.err) == (2, True)
    ran = convgrad(f"""{line} --steps 2 --check '{{"loss": 1}}'""")
    assert (ran.code, "--steps shows working" in ran.err) == (2, True)
