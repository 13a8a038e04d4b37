"""Gradients against central differences: they agree everywhere, kinks are told, and a wrong gradient is found."""

import json
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad, quoted
from hypothesis import given, settings
from spaces import EVERY_LAYER

from convgrad import Conv
from convgrad.checking import case_of
from convgrad.checking.gradcheck import Task, compare, gradcheck, layer_tasks
from convgrad.core.element import Array
from convgrad.layers.conv import Conv as Layer

CLASSIC = "convgrad conv-backward samples/classic/input.json samples/classic/delta.json"
KERNEL = "-k '[[0.1, 0.2], [0.3, 0.4]]'"


@pytest.mark.slow
@settings(max_examples=40)
@given(EVERY_LAYER)
def test_every_layer_agrees_and_what_does_not_is_a_kink(problem: tuple[Any, Array, Array]) -> None:
    layer, x, delta = problem
    found = gradcheck("", layer_tasks(case_of(layer, x, delta).solution))
    assert found.verdict == "agrees"
    smooth = type(layer).__name__ in ("Conv", "Transposed", "Unshared", "Dense")
    for each in found.gradients.values():
        assert each.compared == each.total or each.directions
        assert not (smooth and each.kinks)


def test_the_json_says_how_much_each_gradient_is_off(convgrad: Convgrad) -> None:
    ran = convgrad(f"{CLASSIC} {KERNEL} --gradcheck")
    assert (ran.code, ran.err) == (0, "")
    found = json.loads(ran.out)
    assert found["verdict"] == "agrees"
    assert list(found["gradients"]) == ["dW", "db", "dX"]
    for name, cells in (("dW", 4), ("db", 1), ("dX", 25)):
        entry = found["gradients"][name]
        assert entry["verdict"] == "agrees"
        assert entry["largest_difference"] < 1e-9
        assert (entry["cells"], entry["compared"], entry["kinks"]) == (cells, cells, [])


def test_without_a_kernel_dW_and_db_are_compared(convgrad: Convgrad) -> None:
    found = json.loads(convgrad(f"{CLASSIC} --gradcheck").out)["gradients"]
    assert {name: entry["kinks"] for name, entry in found.items()} == {"dW": [], "db": []}


@pytest.mark.parametrize(
    ("command", "kinks"),
    [
        ("convgrad activation-backward '[-1, 0, 2]' '[1, 1, 1]' --activation relu", {"dX": [[1]]}),
        ("convgrad activation-backward '[-1, 0, 2]' '[1, 1, 1]' --activation sigmoid", {"dX": []}),
        ("convgrad pool-backward '[1, 3, 3, 2]' '[1, 1]' --size 2", {"dX": []}),
        ("convgrad pool-backward '[3, 3, 1, 2]' '[1, 1]' --size 2", {"dX": [[0], [1]]}),
        ("convgrad pool-backward '[3, 3, 1, 2]' '[1, 1]' --size 2 --ties split", {"dX": [[0], [1]]}),
        ("convgrad pool-backward '[0, 3]' '[1]' --size 2 --kind lp --p 1", {"dX": [[0]]}),
        ("convgrad loss '[1, 2, 3]' '[1, 1, 1]' --kind mae", {"delta": [[0]]}),
        ("convgrad loss '[1, 2, 3]' '[1, 1, 1]' --kind huber", {"delta": []}),
        ("convgrad loss '[1, 2, 3]' '[0.5, 1.7, 3]'", {"delta": []}),
        ("convgrad dense-backward '[1e150, 1]' '[1]' -w '[[1e150, 1]]'", {"dW": [], "db": [], "dX": []}),
        ("convgrad conv-backward '[1e8, 2e8, 3e8]' '[1e6, 2e6]' -k '[1e5, 3]'", {"dW": [], "db": [], "dX": []}),
        ("convgrad loss '[0, 0.5]' '[0, 1]' --kind bce", {"delta": [[0]]}),
        ("convgrad loss '[1, 2, 3]' 2 --kind cross-entropy", {"delta": []}),
    ],
)
def test_kinks_and_ties_are_told_and_are_no_failures(
    convgrad: Convgrad, command: str, kinks: dict[str, list[list[int]]]
) -> None:
    ran = convgrad(f"{command} --gradcheck")
    assert ran.code == 0, ran.out
    found = json.loads(ran.out)["gradients"]
    assert {name: entry["kinks"] for name, entry in found.items()} == kinks


def test_a_network_is_compared_layer_by_layer(convgrad: Convgrad) -> None:
    ran = convgrad(
        "convgrad backprop samples/two-two-two/network.json samples/two-two-two/input.json samples/two-two-two/target.json --gradcheck"
    )
    assert ran.code == 0
    found = json.loads(ran.out)["gradients"]
    assert set(found) == {*(f"layers[{k}].{name}" for k in (0, 1) for name in ("dW", "db", "dX")), "layers[1].delta"}
    assert all(entry["largest_difference"] < 1e-8 and not entry["kinks"] for entry in found.values())


def test_a_network_with_pooling_and_flatten_agrees(convgrad: Convgrad) -> None:
    bars = "convgrad backprop samples/bars/network.json samples/bars/input.json samples/bars/target.json --gradcheck"
    ran = convgrad(f"{bars} --only 'layers[0].dW,layers[3].dW'")
    assert ran.code == 0
    assert len(json.loads(ran.out)["gradients"]) == 2
    assert convgrad(f"{bars} --only 'layers[9].dW'").code == 2


@pytest.mark.parametrize("name", ["dW", "db", "dX"])
def test_a_wrong_gradient_is_found(convgrad: Convgrad, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    right = Layer.backward

    def wrong(self: Layer, x: Array, delta: Array) -> tuple[Any, ...]:
        quantities = right(self, x, delta)
        for quantity in quantities:
            if quantity.name == name:
                quantity.value.flat[-1] += 1e-4
        return quantities

    monkeypatch.setattr(Layer, "backward", wrong)
    ran = convgrad(f"{CLASSIC} {KERNEL} --gradcheck")
    assert ran.code == 1
    found = json.loads(ran.out)
    assert found["verdict"] == "differs"
    assert {each: entry["verdict"] for each, entry in found["gradients"].items() if entry["verdict"] != "agrees"} == {
        name: "differs"
    }
    (cell,) = found["gradients"][name]["differs"]
    assert abs(cell["analytic"] - cell["numerical"] - 1e-4) < 1e-8
    table = convgrad(f"{CLASSIC} {KERNEL} --gradcheck --format table").out
    assert f"{name}[" in table or f"{name} is" in table


def test_float32_operands_are_compared_in_float64(convgrad: Convgrad) -> None:
    found = json.loads(convgrad(f"{CLASSIC} {KERNEL} --gradcheck --dtype float32").out)
    assert all(entry["largest_difference"] < 1e-9 for entry in found["gradients"].values())


def test_of_a_large_gradient_a_sample_and_whole_directions_are_compared() -> None:
    random = np.random.default_rng(0)
    conv = Conv(random.normal(size=(1, 1, 3, 3)), padding=1)
    x, delta = random.normal(size=(1, 1, 256, 256)), random.normal(size=(1, 1, 256, 256))
    tasks = {task.name: task for task in layer_tasks(case_of(conv, x, delta).solution)}
    found = compare(tasks["dX"])
    assert found.verdict == "agrees"
    assert 16 <= found.compared < found.total == 65536
    assert found.directions == 4
    # one wrong cell among all is not drawn, but no direction misses it
    wrong = tasks["dX"].analytic.copy()
    wrong[0, 0, 5, 5] += 0.5
    task = tasks["dX"]
    assert compare(Task("dX", task.at, wrong, task.values, task.cost)).verdict == "differs"


@pytest.mark.slow
def test_it_is_a_table_on_a_terminal_and_a_bar_only_where_it_takes_long(convgrad: Convgrad) -> None:
    ran = convgrad(f"{CLASSIC} {KERNEL} --gradcheck", tty=True, COLUMNS="80", NO_COLOR="1")
    assert ran.err == ""
    assert "largest difference" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    big = json.dumps(np.random.default_rng(0).normal(size=(40, 40)).round(3).tolist())
    command = f"convgrad conv-backward {quoted(big)} 1 -k '[[1, 2], [3, 4]]' --gradcheck --only dX"
    assert "central differences" in convgrad(command, tty=True, COLUMNS="80").err
    assert convgrad(command).err == ""


def test_a_forward_command_has_no_gradients(convgrad: Convgrad) -> None:
    ran = convgrad("convgrad conv-forward '[1, 2]' -k '[1]' --gradcheck")
    assert ran.code == 2
    assert "--gradcheck" in ran.err


def test_other_formats_are_refused(convgrad: Convgrad) -> None:
    ran = convgrad(f"{CLASSIC} --gradcheck --format csv")
    assert (ran.code, ran.out) == (2, "")
    assert "table or json" in ran.err


def test_a_gradient_that_is_0_but_for_rounding_agrees(convgrad: Convgrad) -> None:
    """What cancels leaves some 1e-17, and no slope says so."""
    found = convgrad("convgrad conv-backward '[0.1, 0.2, 0.3]' '[0.1, 0.2, -0.3]' -k '[1]' -b 0 --gradcheck")
    gradients = json.loads(found.out)["gradients"]
    assert (found.code, gradients["db"]["verdict"]) == (0, "agrees")
