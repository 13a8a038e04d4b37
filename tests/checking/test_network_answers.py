"""Answers about whole networks: what is worked rightly from a wrong one follows, through all layers."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad
from numpy.random import Generator
from numpy.typing import NDArray

from convgrad.checking import misread
from convgrad.checking.network import Network
from convgrad.checking.rules import AS_USUAL
from convgrad.checking.search import Search
from convgrad.checking.written import Answer
from convgrad.core.operand import Operand
from convgrad.kinds import STEPPED
from convgrad.layers.loss import Loss
from convgrad.problems.network import Stage, run_network

Array = NDArray[Any]

ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky-relu", "silu", "softplus", "elu", "softmax", "")


def rounded(rng: Generator, *shape: int) -> Array:
    return np.round(rng.normal(size=shape), 2)


def random_network(rng: Generator) -> Network:
    """Dense layers, behind a convolution and a pooling layer or not, on one example or a few, with a step or without."""
    batch = int(rng.choice([0, 1, 1, 3]))
    lead = (batch,) if batch else ()
    stages: list[Stage] = []

    def add(layer: str, operands: Mapping[str, Array], **settings: Any) -> None:
        where = f"layers[{len(stages)}]"
        stages.append(Stage(layer, {name: Operand(each, where) for name, each in operands.items()}, settings, where))

    def activated() -> dict[str, str]:
        name = str(rng.choice(ACTIVATIONS))
        return {"activation": name} if name else {}

    if rng.random() < 0.4:
        x = rounded(rng, *(lead or (1,)), 1, 5, 5)
        filters = int(rng.integers(1, 3))
        add("conv", {"kernel": rounded(rng, filters, 1, 2, 2), "bias": rounded(rng, filters)}, **activated())
        if rng.random() < 0.6:
            add("pool", {}, kind=str(rng.choice(["max", "avg"])), size=2, stride=2)
            size = filters * 4
        else:
            size = filters * 16
        add("flatten", {})
        lead = lead or (1,)
    else:
        size = int(rng.integers(2, 4))
        x = rounded(rng, *lead, size)
    for _ in range(int(rng.integers(1, 4))):
        nodes = int(rng.integers(2, 4))
        bias = {"bias": rounded(rng, nodes)} if rng.random() < 0.8 else {}
        add("dense", {"weight": rounded(rng, nodes, size), **bias}, **activated())
        size = nodes
        if rng.random() < 0.2:
            add("activation", {}, activation=str(rng.choice(ACTIVATIONS[:-1])))
    kind = str(rng.choice(["mse", "mse-mean", "cross-entropy", "huber"]))
    target = Operand(np.abs(rounded(rng, *lead, size)), "target")
    settings: dict[str, Any] = {}
    if rng.random() < 0.5:
        settings = {"lr": 0.5} if rng.random() < 0.5 else {"lr": 0.5, "momentum": 0.9}
    done = run_network(stages, Operand(x, "input"), target, kind, settings)
    return Network(stages, done, target, kind, settings)


def worked(network: Network, planted: Mapping[str, Array], from_output: bool) -> dict[str, Array]:
    """Every result of a pass, with those planted in place of the right ones, and all others worked from them.

    from_output: whether derivatives are taken of the layer's output, where that tells them. Written without what judges.
    """
    found: dict[str, Array] = {}

    def put(name: str, value: Any) -> Array:
        found[name] = np.asarray(planted.get(name, value), float)
        return found[name]

    last, xs = len(network.stages) - 1, []
    zs: dict[int, Array] = {}
    here = network.problem_of(0).operands["input"]
    for k in range(last + 1):
        problem = network.problem_of(k)
        xs.append(problem.shorthand.lift(here, problem.layer.input_axes))
        out = problem.shorthand.lower(problem.layer.forward(xs[k]).value, problem.output_axes)
        if "W" in problem.layer.parameters:
            out = put(f"layers[{k}].z", out)
            zs[k] = out
        if problem.activation is not None:
            out = problem.activation.forward(out).value
        here = put(f"layers[{k}].output", out)
    here = put("output", here)
    loss, delta = Loss(network.kind).backward(here, network.target.array)
    put("loss", loss.value)
    back = delta.value
    for k in reversed(range(last + 1)):
        problem, layer = network.problem_of(k), network.problem_of(k).layer
        back = put(f"layers[{k}].delta", back)
        if problem.activation is not None:
            activation, at = problem.activation, zs[k]
            if from_output and activation.tells:
                at = activation.inverse(found[f"layers[{k}].output"])
            if activation.elementwise:
                slope = put(f"layers[{k}].derivative", activation.derivative(at))
                back = put(f"layers[{k}].sensitivity", back * slope)
            else:
                back = put(f"layers[{k}].sensitivity", activation.backward(at, back)[0].value)
        elif "W" in layer.parameters:
            back = put(f"layers[{k}].sensitivity", back)
        for quantity in layer.backward(xs[k], problem.lifted(back)):
            value = put(f"layers[{k}].{quantity.name}", problem.shorthand.lower(quantity.value, quantity.axes))
            short = quantity.name[1:]
            if problem.sgd is not None and problem.parameters.get(short) in problem.operands:
                for step in problem.sgd.step(short, problem.operands[problem.parameters[short]], value, None):
                    put(f"layers[{k}].{step.name}", step.value)
        back = found[f"layers[{k}].dX"]
    return found


def to_places(array: Array, places: int) -> Answer:
    return Answer.of(np.array([f"{x:.{places}f}" for x in np.ravel(array)], object).reshape(np.shape(array)))


def plantings(count: int, seed: int) -> Iterator[tuple[Network, str, dict[str, Array], dict[str, Array], Generator]]:
    """Networks, a result in which a mistake was made, the right results, and all worked from the wrong one."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        network = random_network(rng)
        right = {name: np.asarray(each.quantity.value, float) for name, each in network.asked.items()}
        for name in network.asked:
            if name == "loss" or name.rpartition(".")[2] in STEPPED:
                continue
            wrong = right[name] + np.round(rng.normal(size=right[name].shape), 2)
            after = worked(network, {name: wrong}, bool(rng.random() < 0.5))
            if all(np.isfinite(each).all() for each in after.values()):
                yield network, name, right, after, rng


def followed(count: int, seed: int, places: int = 6, step: int = 16) -> tuple[int, list[tuple[str, str, str]]]:
    """How many answers were worked from a wrong one, and those that are not said to follow: (it, the cause, verdict).

    step: of so many results one is made wrong.
    """
    tried, missed = 0, []
    for network, name, right, after, _ in islice(plantings(count, seed), 0, None, step):
        answers = {each: to_places(after[each], places) for each in network.asked if each in after}
        verdicts = network.check("", answers, AS_USUAL).verdicts
        for each, verdict in verdicts.items():
            off = float(np.abs(after[each] - right[each]).max())
            if each == name or off < 30 * 10**-places:
                continue
            tried += 1
            if verdict.verdict != "follows":
                missed.append((each, name, verdict.verdict))
    return tried, missed


@pytest.fixture
def follows_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows is tried without what comes after it and takes longer: the catalogue, patterns, misread numbers."""
    monkeypatch.setattr(misread, "noted", lambda found, asked: found)
    monkeypatch.setattr(Search, "explained", lambda self: self._following() or self.first)


@pytest.mark.slow
@pytest.mark.usefixtures("follows_alone")
def test_what_is_worked_from_a_wrong_answer_follows_through_all_layers() -> None:
    tried, missed = followed(8, 0)
    assert tried > 120
    # a mask of zeros and ones, or a lone number, may say too little to be told from chance
    assert len(missed) <= 0.01 * tried, missed


NETWORK = (
    "convgrad backprop samples/two-two-two/network.json samples/two-two-two/input.json samples/two-two-two/target.json"
)


def test_z_sensitivity_and_derivative_are_results(convgrad: Convgrad) -> None:
    found = json.loads(convgrad(f"{NETWORK} --only layers[1].z,layers[1].derivative,layers[1].sensitivity").out)
    assert found["layers[1].z"] == pytest.approx([1.10590597, 1.2249214], rel=1e-6)
    layer = json.loads(convgrad(NETWORK).out)["layers"][1]
    assert not {"z", "derivative", "sensitivity"} & set(layer)
    np.testing.assert_allclose(
        np.array(layer["delta"]) * found["layers[1].derivative"], found["layers[1].sensitivity"], rtol=1e-12
    )
    dense = "convgrad dense-backward '[1,2]' '[1,0.5]' -w '[[1,2],[3,-4]]' -b '[0.5,0.25]' --activation sigmoid"
    alone = json.loads(convgrad(f"{dense} --only sensitivity").out)
    whole = json.loads(convgrad(dense).out)
    assert list(whole) == ["output", "dW", "db", "dX"]
    np.testing.assert_allclose(alone["sensitivity"], whole["db"])
    right = {"layers": [{}, {name: found[f"layers[1].{name}"] for name in ("z", "derivative", "sensitivity")}]}
    checked = json.loads(convgrad(f"{NETWORK} --check -", stdin=json.dumps(right)).out)
    assert checked["verdict"] == "right" and len(checked["answers"]) == 3
    refused = convgrad(f"{dense} --only z --format torch")
    assert refused.code == 2 and "z is neither" in refused.err


LINEAR = "convgrad backprop '{}' '[1.3, -0.7]' '[0.2, 0.4]' --lr 0.1"
ONE_LAYER = {"layers": [{"type": "dense", "weight": [[0.3, -0.2], [0.5, 0.1]], "bias": [0.05, -0.05]}]}


def test_without_an_activation_the_sensitivity_is_delta_and_z_the_output(convgrad: Convgrad) -> None:
    line = LINEAR.format(json.dumps({**ONE_LAYER, "loss": "mse-sum"}))
    names = ("output", "z", "delta", "sensitivity")
    found = json.loads(convgrad(f"{line} --only {','.join(f'layers[0].{name}' for name in names)}").out)
    own = {name: found[f"layers[0].{name}"] for name in names}
    assert own["z"] == own["output"] and own["sensitivity"] == own["delta"]
    assert not {"z", "sensitivity"} & set(json.loads(convgrad(line).out)["layers"][0])
    right = {"layers": [{"z": own["z"], "sensitivity": own["delta"]}]}
    checked = convgrad(f"{line} --check -", stdin=json.dumps(right))
    assert checked.code == 0 and set(json.loads(checked.out)["answers"]) == {"layers[0].z", "layers[0].sensitivity"}
    turned = {"layers[0].sensitivity": [-each for each in own["delta"]]}
    turned["layers[0].dW"] = np.outer(turned["layers[0].sensitivity"], [1.3, -0.7]).tolist()
    answers = json.loads(convgrad(f"{line} --check -", stdin=json.dumps(turned)).out)["answers"]
    assert [each["name"] for each in answers["layers[0].sensitivity"]["mistakes"]] == ["target-minus-output"]
    assert answers["layers[0].dW"]["follows"] == "layers[0].sensitivity"


def test_a_wrong_derivative_is_the_one_mistake_and_comes_first(convgrad: Convgrad) -> None:
    """All gradients behind it are worked rightly from it; causes are listed before what follows."""
    layers = json.loads(convgrad(NETWORK).out)["layers"]
    x = np.array([0.05, 0.1])
    slope, delta, a0 = np.array([0.2713, 0.1455]), np.array(layers[1]["delta"]), np.array(layers[0]["output"])
    top = delta * slope
    below = top @ np.array([[0.4, 0.45], [0.5, 0.55]])
    under = below * a0 * (1 - a0)
    answers = {
        "layers": [
            {"dW": np.outer(under, x).round(8).tolist(), "db": under.round(8).tolist()},
            {
                "dW": np.outer(top, a0).round(8).tolist(),
                "dX": below.round(8).tolist(),
                "sensitivity": top.round(8).tolist(),
                "derivative": slope.tolist(),
            },
        ]
    }
    checked = json.loads(convgrad(f"{NETWORK} --check -", stdin=json.dumps(answers)).out)["answers"]
    assert {name: each["verdict"] for name, each in checked.items()} == {
        "layers[1].derivative": "wrong",
        "layers[1].sensitivity": "follows",
        "layers[1].dW": "follows",
        "layers[1].dX": "follows",
        "layers[0].db": "follows",
        "layers[0].dW": "follows",
    }
    assert list(checked)[:2] == ["layers[1].derivative", "layers[1].sensitivity"]
    assert (
        list(checked).index("layers[1].dX") < list(checked).index("layers[0].db") < list(checked).index("layers[0].dW")
    )


def of_two_layers(weight: Array, below: Array, activation: str = "sigmoid") -> tuple[dict[str, Any], Array]:
    """dW of the first of two square layers and what is needed for it: by hand, with `weight` for the second's."""
    first, bias = np.array([[0.4, -0.7], [1.1, 0.3]]), np.array([0.2, -0.1])
    x, target = np.array([0.5, -1.25]), np.array([1.0, 0.25])
    a0 = 1 / (1 + np.exp(-(first @ x + bias)))
    delta = below @ a0 - target
    dX = weight.T @ delta
    network = {
        "layers": [
            {"type": "dense", "weight": first.tolist(), "bias": bias.tolist(), "activation": "sigmoid"},
            {"type": "dense", "weight": below.tolist()},
        ]
    }
    return network, np.outer(dX * a0 * (1 - a0), x)


@pytest.mark.parametrize("name", ["weight-not-transposed", "updated-weights-used"])
def test_a_mistake_behind_is_named_where_only_an_earlier_dW_is_handed_in(
    convgrad: Convgrad, tmp_path: Path, name: str
) -> None:
    below = np.array([[0.9, -0.35], [0.6, 1.4]])
    first, bias = np.array([[0.4, -0.7], [1.1, 0.3]]), np.array([0.2, -0.1])
    x, target = np.array([0.5, -1.25]), np.array([1.0, 0.25])
    a0 = 1 / (1 + np.exp(-(first @ x + bias)))
    moved = below - 0.5 * np.outer(below @ a0 - target, a0)
    network, dW = of_two_layers(below.T if name == "weight-not-transposed" else moved, below)
    (tmp_path / "n.json").write_text(json.dumps(network))
    line = f"convgrad backprop {tmp_path}/n.json '[0.5,-1.25]' '[1,0.25]' --lr 0.5 --check -"
    for answer in ({"dW": dW.round(6).tolist()}, {"W_new": (first - dW / 2).round(6).tolist()}):
        answers = {"layers": [answer]}
        (checked,) = json.loads(convgrad(line, stdin=json.dumps(answers)).out)["answers"].values()
        assert [each["name"] for each in checked["mistakes"]] == [name], checked
        assert "made in layers[1], and seen here in what goes back from it" in json.dumps(checked)
    _, right = of_two_layers(below, below)
    assert convgrad(line, stdin=json.dumps({"layers": [{"dW": right.round(6).tolist()}]})).code == 0


@pytest.mark.parametrize("name", ["one-hot-forgotten", "labels-shifted", "derivative-applied-again"])
def test_a_mistake_of_the_loss_is_named_where_delta_is_not_handed_in(convgrad: Convgrad, name: str) -> None:
    weight, bias = np.array([[0.3, -0.2], [0.5, 0.1], [-0.4, 0.6]]), np.array([0.05, -0.05, 0.1])
    network = {"layers": [{"type": "dense", "weight": weight.tolist(), "bias": bias.tolist()}], "loss": "cross-entropy"}
    x = np.array([1.3, -0.7])
    s = np.exp(weight @ x + bias)
    s /= s.sum()
    true = np.array([0.0, 1, 0])
    made = {
        "one-hot-forgotten": s,
        "labels-shifted": s - np.roll(true, -1),
        "derivative-applied-again": (s - true) * s * (1 - s),
    }[name]
    answers = {"layers[0].db": made.round(4).tolist(), "layers[0].dW": np.outer(made, x).round(4).tolist()}
    line = f"convgrad backprop '{json.dumps(network)}' '[1.3,-0.7]' 1 --check -"
    checked = json.loads(convgrad(line, stdin=json.dumps(answers)).out)["answers"]
    assert [each["name"] for each in checked["layers[0].db"]["mistakes"]] == [name]
    assert "made in the loss, and seen here in what goes back from it" in json.dumps(checked["layers[0].db"])
    assert checked["layers[0].dW"]["follows"] == "layers[0].db"
    delta = (s - true).round(4).tolist()  # who has the right delta made no mistake in the loss
    checked = json.loads(convgrad(line, stdin=json.dumps({**answers, "layers[0].delta": delta})).out)["answers"]
    assert "made in the loss" not in json.dumps(checked)


def test_mazurs_warning_the_updated_weights_are_not_to_be_used(convgrad: Convgrad) -> None:
    """His w1+, with w5+ to w8+ in place of w5 to w8 on the way back."""
    ran = json.loads(convgrad(f"{NETWORK} --lr 0.5").out)["layers"]
    sensitivity = np.array(ran[1]["db"])
    dX = np.array(ran[1]["W_new"]).T @ sensitivity
    a0 = np.array(ran[0]["output"])
    dW = np.outer(dX * a0 * (1 - a0), [0.05, 0.1])
    for answers, name in (
        ({"layers": [{}, {"dX": dX.round(9).tolist()}]}, "layers[1].dX"),
        ({"layers": [{"delta": dX.round(9).tolist()}, {}]}, "layers[0].delta"),
        ({"layers": [{"dW": dW.round(9).tolist()}, {}]}, "layers[0].dW"),
    ):
        checked = json.loads(convgrad(f"{NETWORK} --lr 0.5 --check -", stdin=json.dumps(answers)).out)["answers"][name]
        assert [each["name"] for each in checked["mistakes"]] == ["updated-weights-used"], checked


def test_a_delta_that_is_the_sensitivity_is_a_named_convention(convgrad: Convgrad) -> None:
    inner = json.loads(convgrad(f"{NETWORK} --only layers[0].sensitivity,layers[1].sensitivity").out)
    books = {"layers": [{"delta": inner[f"layers[{k}].sensitivity"]} for k in range(2)]}
    checked = json.loads(convgrad(f"{NETWORK} --check -", stdin=json.dumps(books)).out)["answers"]
    assert {name: each["verdict"] for name, each in checked.items()} == {
        "layers[1].delta": "convention",
        "layers[0].delta": "convention",
    }
    assert checked["layers[1].delta"]["convention"]["name"] == "sensitivity-called-delta"
    slip = np.array(inner["layers[0].sensitivity"]) + np.array([0.25, -0.125])
    books["layers"][0] = {"delta": slip.tolist(), "dW": np.outer(slip, [0.05, 0.1]).round(8).tolist()}
    checked = json.loads(convgrad(f"{NETWORK} --check -", stdin=json.dumps(books)).out)["answers"]
    assert [checked[f"layers[{k}].delta"]["verdict"] for k in (1, 0)] == ["convention", "wrong"]
    assert checked["layers[0].dW"]["follows"] == "layers[0].delta"
