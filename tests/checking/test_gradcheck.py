"""Gradients against the forward pass: what is right always agrees, whatever is planted is found, and kinks are said."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad
from hypothesis import given, settings
from networks_drawn import drawn as network_drawn
from spaces import EVERY_LAYER

from convgrad import Activation, Conv, Dense, Norm, Pool, gradcheck
from convgrad.checking import case_of
from convgrad.checking.complex_step import kinks_of, layer_tasks, network_tasks
from convgrad.checking.directions import Gradcheck, Task, compare, compare_all
from convgrad.core.element import Array
from convgrad.core.windows import Windows
from convgrad.errors import ConvgradError
from convgrad.kinds import KINDS
from convgrad.layers.activation import Activation as Activating
from convgrad.layers.conv import Conv as Layer
from convgrad.layers.pool_kinds import Share
from convgrad.mistakes.catalogue import ROWS
from convgrad.mistakes.recogniser import differs
from convgrad.problems import Operand
from convgrad.problems.network import Stage, run_network
from convgrad.render.data.gradchecks import as_entries
from convgrad.teaching.draws import drawn, showing

CLASSIC = "convgrad conv-backward samples/classic/input.json samples/classic/delta.json"
KERNEL = "-k '[[0.1, 0.2], [0.3, 0.4]]'"
GRADIENTS = {"dW", "db", "dX", "dgamma", "dbeta", "delta"}
WORDS = [word for kind in KINDS.values() for word in kind.words if word != "flatten"]


def tasks_of(layer: Any, x: Array, delta: Array, **settings: Any) -> dict[str, Task]:
    case = case_of(layer, x, delta)
    return {task.name: task for task in layer_tasks(case.solved(**settings).solution if settings else case.solution)}


# -- what is right ------------------------------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=60)
@given(EVERY_LAYER)
def test_every_layer_agrees_on_whole_numbers_where_ties_and_zeros_are_frequent(
    problem: tuple[Any, Array, Array],
) -> None:
    layer, x, delta = problem
    assert compare_all("", list(tasks_of(layer, x, delta).values())).verdict == "agrees"


@pytest.mark.parametrize("word", WORDS)
def test_none_of_many_random_layers_is_accused(word: str) -> None:
    rng = np.random.default_rng(WORDS.index(word))
    for case in filter(None, (drawn(word, rng) for _ in range(30))):
        found = compare_all("", layer_tasks(case.solution))
        assert found.verdict == "agrees", (case.settings, found.gradients)


def test_none_of_many_random_networks_is_accused() -> None:
    random = np.random.default_rng(5)
    for _ in range(40):
        done, kind, target = network_drawn(random)
        found = compare_all("", network_tasks(done, kind, target))
        assert found.verdict == "agrees", {name: each.differs for name, each in found.gradients.items() if each.differs}
        assert all(each.difference < 1e-12 for each in found.gradients.values())


@pytest.mark.parametrize("size", [1e-8, 1.0, 255.0, 1e4, 1e8, 1e12])
@pytest.mark.parametrize("activation", ["identity", "relu", "sigmoid", "tanh", "softplus", "gelu"])
def test_at_any_scale_of_the_input_a_thousandth_is_found_and_what_is_right_agrees(size: float, activation: str) -> None:
    random = np.random.default_rng(int(size) % 97)
    x = random.integers(0, 256, (2, 1, 8, 8)) * 1.0 if size == 255 else random.normal(size=(2, 1, 8, 8)) * size
    conv = Conv(random.normal(size=(2, 1, 3, 3)), random.normal(size=2))
    delta = random.normal(size=(2, 2, 6, 6))
    for task in tasks_of(conv, x, delta, activation=activation).values():
        assert compare(task).verdict == "agrees"
        if np.abs(task.gradient).max() > 0:  # of a relu or a sigmoid far out nothing may be left
            assert compare(replace(task, analytic=task.gradient * 1.001)).verdict == "differs"


@pytest.mark.parametrize(
    "command",
    [
        "convgrad conv-backward '[1,200]' '[1,1]' -k '[1]' -b -1 --activation relu --only dW",
        "convgrad dense-backward '[0]' '[1,-1]' -w '[[1],[-1]]' --activation relu --only dX",
        "convgrad dense-backward '[1e150, 1]' '[1]' -w '[[1e150, 1]]'",
        "convgrad conv-backward '[1e8, 2e8, 3e8]' '[1e6, 2e6]' -k '[1e5, 3]'",
        "convgrad conv-backward '[0.1, 0.2, 0.3]' '[0.1, 0.2, -0.3]' -k '[1]' -b 0",
        "convgrad norm-backward '[[1], [2], [4]]' '[[1], [2], [5]]'",
        "convgrad loss '[1, 2, 3]' 2 --kind cross-entropy",
        f"{CLASSIC} {KERNEL} --dtype float32",
        CLASSIC,  # dW and db alone, without a kernel
    ],
)
def test_what_is_right_agrees(convgrad: Convgrad, command: str) -> None:
    ran = convgrad(f"{command} --gradcheck")
    assert (ran.code, ran.err) == (0, "")
    assert all(entry["difference"] < 1e-12 for entry in json.loads(ran.out)["gradients"].values())


@pytest.mark.parametrize(
    "command",
    [
        "convgrad activation-backward '[-700]' '[1]' --activation sigmoid",
        "convgrad activation-backward '[345]' '[1]' --activation tanh",
        "convgrad activation-backward '[-680]' '[1]' --activation elu",
        "convgrad activation-backward '[-720]' '[1]' --activation silu",
        "convgrad activation-backward '[1e150, -1e150]' '[1, 1]' --activation gelu --approximate tanh",
        "convgrad conv-backward '[1e-300, 2e-300, 3e-300]' '[1, 1]' -k '[1, 2]'",
        "convgrad loss '[1e-305, 2e-305]' '[0, 0]'",
        "convgrad loss '[1e-19, 0.5]' 0 --kind nll",
        "convgrad pool-backward '[1e-18, 2e-18]' '[1]' --size 2 --kind lp",
    ],
)
def test_what_is_right_agrees_where_numbers_are_saturated_or_tiny(convgrad: Convgrad, command: str) -> None:
    assert convgrad(f"{command} --gradcheck").code == 0


@pytest.mark.parametrize(("depth", "width", "activation"), [(16, 32, "relu"), (10, 64, "tanh"), (20, 16, "relu")])
def test_in_a_deep_network_a_ten_thousandth_is_found(depth: int, width: int, activation: str) -> None:
    random = np.random.default_rng(0)

    def stage(k: int) -> Stage:
        arrays = {"weight": random.normal(size=(width, width)) / np.sqrt(width), "bias": random.normal(size=width) / 10}
        operands = {name: Operand(array, name) for name, array in arrays.items()}
        return Stage("dense", operands, {"activation": activation}, f"layers[{k}]")

    x, target = random.normal(size=(2, 4, width))
    done = run_network([stage(k) for k in range(depth)], Operand(x, "x"), Operand(target, "target"), "mse", {})
    for task in network_tasks(done, "mse", target)[:3]:
        assert compare(task).verdict == "agrees"
        assert compare(replace(task, analytic=task.gradient * 1.0001)).verdict == "differs"


def test_a_channel_of_large_numbers_hides_no_fault_of_another() -> None:
    random = np.random.default_rng(0)
    x, delta = random.normal(size=(2, 4, 2, 3, 3)) * 1.0
    x *= np.array([1e9, 0.01]).reshape(1, 2, 1, 1)
    task = tasks_of(Norm(np.array([1.0, 2])), x, delta)["dgamma"]
    assert compare(task).verdict == "agrees"
    assert compare(replace(task, analytic=task.gradient * 1.0001)).verdict == "differs"
    dense = tasks_of(Dense(np.array([[0.0], [1.0]])), np.ones((1, 1)), np.array([[1e15, 1.0]]), activation="relu")["dX"]
    assert compare(replace(dense, analytic=dense.gradient * 1.001)).verdict == "differs"


# -- kinks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "kinks"),
    [
        ("convgrad activation-backward '[-1,0,3,6,7]' 1 --activation relu6", {"input": [[1], [3]]}),
        ("convgrad activation-backward '[-4,-3,0,3,4]' 1 --activation hard-swish", {"input": [[1], [3]]}),
        ("convgrad activation-backward '[-1, 0, 2]' '[1, 1, 1]' --activation relu", {"input": [[1]]}),
        ("convgrad activation-backward '[-1, 0, 2]' '[1, 1, 1]' --activation sigmoid", {}),
        ("convgrad pool-backward '[1, 3, 3, 2]' '[1, 1]' --size 2", {}),
        ("convgrad pool-backward '[3, 3, 1, 2]' '[1, 1]' --size 2", {"input": [[0], [1]]}),
        ("convgrad pool-backward '[3, 3, 1, 2]' '[1, 1]' --size 2 --ties split", {"input": [[0], [1]]}),
        ("convgrad pool-backward '[3, 3, 1, 2]' '[1, 1]' --size 2 --ties all", {"input": [[0], [1]]}),
        ("convgrad pool-backward '[0, 3]' '[1]' --size 2 --kind lp --p 1", {"input": [[0]]}),
        ("convgrad pool-backward '[0, 3, 0, 0]' '[1, 1]' --size 2 --kind lp", {"input": [[2], [3]]}),
        ("convgrad conv-backward '[1,2]' '[1,1]' -k '[1]' -b -1 --activation relu", {"z": [[0]]}),
        ("convgrad loss '[1, 2, 3]' '[1, 1, 1]' --kind mae", {"output": [[0]]}),
        ("convgrad loss '[1, 2, 3]' '[1, 1, 1]' --kind huber", {}),
        ("convgrad loss '[0, 0.5]' '[0, 1]' --kind bce", {"output": [[0]]}),
    ],
)
def test_kinks_and_ties_are_said_and_compared_with_the_convention_in_force(
    convgrad: Convgrad, command: str, kinks: dict[str, list[list[int]]]
) -> None:
    ran = convgrad(f"{command} --gradcheck")
    assert ran.code == 0, ran.out
    found = json.loads(ran.out)
    assert {name: entry["cells"] for name, entry in found.get("kinks", {}).items()} == kinks
    table = convgrad(f"{command} --gradcheck --format table").out
    assert ("on a kink" in table or "on kinks" in table) == bool(kinks)


@pytest.mark.parametrize("ties", ["first", "last", "split", "all"])
def test_ties_broken_otherwise_differ(ties: str) -> None:
    x, delta = np.array([[[3.0, 3, 1, 2, 2, 2]]]), np.array([[[1.0, 2, 5]]])
    task = tasks_of(Pool("max", 2, ties=ties), x, delta)["dX"]
    for other in ("first", "last", "split", "all"):
        gradient = Pool("max", 2, ties=other).backward(x, delta)[0].value
        expected = "agrees" if other == ties else "differs"
        assert compare(replace(task, analytic=gradient)).verdict == expected


def test_another_slope_at_0_differs() -> None:
    x = np.array([-1.0, 0, 2])
    task = tasks_of(Activation("relu"), x, np.ones(3))["dX"]
    assert compare(task).verdict == "agrees"
    for slope in (1, 0.5):
        (cell,) = compare(replace(task, analytic=np.array([0, slope, 1]))).differs
        assert (cell.index, cell.analytic, cell.numerical) == ((1,), slope, 0)


def test_a_relu_decided_by_rounding_is_on_the_piece_that_the_pass_was_on() -> None:
    """0.1 + 0.2 - 0.3 is not 0 in floating point, and no order of summing may take it over the kink."""
    random = np.random.default_rng(3)
    for _ in range(200):
        x = random.integers(-9, 10, (1, 1, 6)) / 10
        kernel = random.integers(-9, 10, (1, 1, 3)) / 10
        z = Conv(kernel).forward(x).value
        conv = Conv(kernel, -np.array([z[0, 0, 1]]))
        found = compare_all("", list(tasks_of(conv, x, random.normal(size=z.shape), activation="relu").values()))
        assert found.verdict == "agrees"


# -- what is wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mistake", [mistake for mistake in ROWS if GRADIENTS & {*mistake.about}], ids=lambda mistake: mistake.name
)
def test_every_mistake_of_the_catalogue_in_a_gradient_is_found(mistake: Any) -> None:
    rng = np.random.default_rng(1)
    for case, name in islice(showing(mistake, rng), 4):
        task = {each.name: each for each in layer_tasks(case.solution)}.get(name)
        if task is None:  # not about this gradient
            continue
        for wrong in mistake.predict(case, name):
            if wrong.shape == task.gradient.shape and differs(wrong, task.gradient):
                assert compare(replace(task, analytic=wrong)).verdict == "differs"


def planted(monkeypatch: pytest.MonkeyPatch, owner: type, method: str, wrong: Callable[..., Any]) -> None:
    right = getattr(owner, method)
    monkeypatch.setattr(owner, method, lambda *arguments: wrong(right, *arguments))


def rounded(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    kind = int(random.integers(3))
    return random.integers(-4, 5, shape) * 1.0 if kind == 0 else random.normal(size=shape).round(1 if kind == 1 else 9)


def test_relus_mask_left_out_is_found_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    planted(monkeypatch, Activating, "derivative", lambda right, self, x: np.ones(x.shape))

    def make(random: np.random.Generator) -> tuple[Any, Array, Array]:
        return Activation("relu"), rounded(random, (3, 4)), rounded(random, (3, 4))

    random, seen = np.random.default_rng(2), 0
    while seen < 60:
        layer, x, delta = make(random)
        if (delta[x <= 0] != 0).any():
            seen += 1
            assert compare(tasks_of(layer, x, delta)["dX"]).verdict == "differs"


def all_of(delta: Array, windows: Windows) -> Iterator[tuple[tuple[int, ...], Array]]:
    """The whole delta of its window to every cell."""
    return ((u, delta) for u in np.ndindex(windows.kernel))


def test_max_poolings_mask_left_out_is_found_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    planted(monkeypatch, Share, "by_cell", lambda right, self, seen, delta, windows: all_of(delta, windows))
    random = np.random.default_rng(2)
    for _ in range(60):
        x, delta = rounded(random, (1, 2, 4, 4)), 1 + np.abs(rounded(random, (1, 2, 2, 2)))
        assert compare(tasks_of(Pool("max", 2), x, delta)["dX"]).verdict == "differs"


@pytest.mark.parametrize("layer", [Activation("relu"), Pool("max", 2)], ids=["relu", "pooling"])
def test_one_dead_cell_given_the_largest_gradient_is_found_every_time(layer: Any) -> None:
    random, seen = np.random.default_rng(4), 0
    while seen < 60:
        x = rounded(random, (1, 2, 4, 4))
        delta = rounded(random, layer.forward(x).shape)
        task = tasks_of(layer, x, delta)["dX"]
        dead = np.flatnonzero(task.gradient == 0)
        if not len(dead) or not task.gradient.any():
            continue
        seen += 1
        wrong = task.gradient.copy()
        wrong.flat[dead[-1]] = np.abs(wrong).max()
        (cell,) = compare(replace(task, analytic=wrong)).differs
        assert cell.index == tuple(np.unravel_index(dead[-1], wrong.shape))


@pytest.mark.slow
def test_one_cell_off_by_a_ten_thousandth_among_a_million_is_found_and_named() -> None:
    random = np.random.default_rng(0)
    conv = Conv(random.normal(size=(4, 4, 3, 3)), padding=1)
    x = random.normal(size=(4, 4, 256, 256))
    task = tasks_of(conv, x, random.normal(size=x.shape))["dX"]
    assert task.gradient.size == 2**20
    assert compare(task).verdict == "agrees"
    wrong = task.gradient.copy()
    index = (2, 1, 200, 17)
    wrong[index] *= 1.0001
    found = compare(replace(task, analytic=wrong))
    assert [cell.index for cell in found.differs] == [index]


def test_wrong_cells_are_all_listed_where_the_gradient_is_small() -> None:
    random = np.random.default_rng(0)
    conv, x = Conv(random.normal(size=(2, 2, 3, 3))), random.normal(size=(2, 2, 9, 9))
    task = tasks_of(conv, x, random.normal(size=(2, 2, 7, 7)))["dX"]
    wrong = task.gradient.copy()
    wrong[:, 1, ::3] += 1e-6
    wrong[0, 0, 0, 0] = np.nan
    found = compare(replace(task, analytic=wrong))
    assert found.complete
    assert {cell.index for cell in found.differs} == {tuple(i) for i in np.argwhere(wrong != task.gradient).tolist()}


def test_what_is_far_off_differs_though_the_search_ended_before_it_came_to_a_cell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(0)
    task = tasks_of(Dense(random.normal(size=(3, 20))), random.normal(size=(4, 20)), random.normal(size=(4, 3)))["dX"]
    wrong = replace(task, analytic=task.gradient * 1.01, cost=1e12)
    monkeypatch.setattr("convgrad.checking.directions._Product.cell", lambda self, number: None)
    found = compare(wrong)
    assert (found.verdict, found.differs, found.complete) == ("differs", (), False)
    assert "far off along a random direction" in " ".join(str(Gradcheck("", {"dX": found})).split())


def test_a_forward_pass_that_overflows_is_said() -> None:
    with pytest.raises(ConvgradError, match="the forward pass overflows"):
        gradcheck(lambda x: np.exp(x).sum(), np.array([1.0, 800.0]), gradients=np.array([1.0, 1.0]))


def test_what_is_no_number_is_null_in_json() -> None:
    found = gradcheck(lambda x: (x**2).sum(), np.array([1.0, 2]), gradients=np.array([np.nan, 4]))
    assert as_entries(found)["gradients"]["gradient"]["differs"] == [{"cell": [0], "analytic": None, "numerical": 2.0}]


@pytest.mark.parametrize("name", ["dW", "db", "dX"])
def test_a_wrong_gradient_is_found_at_the_command_line(
    convgrad: Convgrad, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
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
    assert [each for each, entry in found["gradients"].items() if entry["verdict"] == "differs"] == [name]
    entry = found["gradients"][name]
    (cell,) = entry["differs"]
    assert entry["complete"]
    assert abs(cell["analytic"] - cell["numerical"] - 1e-4) < 1e-12
    table = convgrad(f"{CLASSIC} {KERNEL} --gradcheck --format table").out
    assert "but the forward pass has the slope" in " ".join(table.split())


def test_in_a_network_a_derivative_left_out_shows_in_all_that_comes_of_it(
    convgrad: Convgrad, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Activating.back
    hidden = "convgrad backprop samples/two-two-two/network.json samples/two-two-two/input.json "

    def wrong(self: Activating, x: Array, delta: Array) -> Array:
        return delta if np.isclose(x, 0.3775).any() else right(self, x, delta)  # of the first layer

    monkeypatch.setattr(Activating, "back", wrong)
    found = json.loads(convgrad(f"{hidden} samples/two-two-two/target.json --gradcheck").out)["gradients"]
    differ = {name for name, entry in found.items() if entry["verdict"] == "differs"}
    assert differ == {"layers[0].dW", "layers[0].db", "layers[0].dX"}


# -- how it is said -----------------------------------------------------------------------------------------------


def test_the_json_says_how_much_each_gradient_is_off(convgrad: Convgrad) -> None:
    ran = convgrad(f"{CLASSIC} {KERNEL} --gradcheck")
    assert (ran.code, ran.err) == (0, "")
    found = json.loads(ran.out)
    assert found["verdict"] == "agrees"
    assert {name: entry["cells"] for name, entry in found["gradients"].items()} == {"dW": 4, "db": 1, "dX": 25}
    assert all(entry["difference"] < 1e-14 for entry in found["gradients"].values())
    assert "kinks" not in found


def test_a_network_is_compared_layer_by_layer(convgrad: Convgrad) -> None:
    ran = convgrad(
        "convgrad backprop samples/two-two-two/network.json samples/two-two-two/input.json "
        "samples/two-two-two/target.json --gradcheck"
    )
    assert ran.code == 0
    found = json.loads(ran.out)["gradients"]
    assert set(found) == {*(f"layers[{k}].{name}" for k in (0, 1) for name in ("dW", "db", "dX")), "layers[1].delta"}


def test_a_network_with_pooling_and_flatten_agrees(convgrad: Convgrad) -> None:
    bars = "convgrad backprop samples/bars/network.json samples/bars/input.json samples/bars/target.json --gradcheck"
    ran = convgrad(f"{bars} --only 'layers[0].dW,layers[3].dW'")
    assert ran.code == 0
    assert len(json.loads(ran.out)["gradients"]) == 2
    assert convgrad(f"{bars} --only 'layers[9].dW'").code == 2


def test_it_is_a_table_on_a_terminal_and_a_bar_only_where_it_takes_long(
    convgrad: Convgrad, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = convgrad(f"{CLASSIC} {KERNEL} --gradcheck", tty=True, COLUMNS="80", NO_COLOR="1")
    assert ran.err == ""
    assert "difference" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    monkeypatch.setattr("convgrad.cli.gradcheck.LONG", 0)
    assert "random directions" in convgrad(f"{CLASSIC} {KERNEL} --gradcheck", tty=True, COLUMNS="80").err
    assert convgrad(f"{CLASSIC} {KERNEL} --gradcheck").err == ""


def test_a_forward_command_has_no_gradients(convgrad: Convgrad) -> None:
    ran = convgrad("convgrad conv-forward '[1, 2]' -k '[1]' --gradcheck")
    assert ran.code == 2
    assert "--gradcheck" in ran.err


def test_other_formats_are_refused(convgrad: Convgrad) -> None:
    ran = convgrad(f"{CLASSIC} --gradcheck --format csv")
    assert (ran.code, ran.out) == (2, "")
    assert "table or json" in ran.err


def test_kinks_of_a_layer_are_known_from_its_pieces() -> None:
    kinks = kinks_of(case_of(Dense(np.array([[1.0], [-1.0]])), np.zeros((1, 1)), np.ones((1, 2))).solution)
    assert kinks == {}
