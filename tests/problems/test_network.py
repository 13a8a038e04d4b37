"""backprop: the whole pass, against the single commands in a pipe, central differences, and a textbook."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad, quoted

RNG = np.random.default_rng(0)


def rounded(*shape: int) -> Any:
    return np.round(RNG.normal(size=shape), 2).tolist()


IMAGE: dict[str, Any] = {
    "layers": [
        {"type": "conv", "kernel": rounded(2, 1, 3, 3), "bias": rounded(2), "padding": 1, "activation": "tanh"},
        {"type": "pool", "kind": "max", "size": 2},
        {"type": "conv", "kernel": rounded(3, 2, 2, 2), "activation": "leaky-relu", "alpha": 0.1},
        {"type": "flatten"},
        {"type": "dense", "weight": rounded(4, 12), "bias": rounded(4), "activation": "sigmoid"},
        {"type": "dense", "weight": rounded(4, 3), "weight_layout": "in-out"},
        {"type": "activation", "activation": "softmax"},
    ],
    "loss": "mse",
}
X, T = rounded(2, 1, 6, 6), rounded(2, 3)


def write(folder: Path, **contents: Any) -> str:
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return " ".join(quoted(folder / f"{name}.json") for name in contents)


def run(convgrad: Convgrad, line: str) -> Any:
    ran = convgrad(line)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_the_classic_network(convgrad: Convgrad) -> None:
    found = run(
        convgrad,
        "convgrad backprop samples/two-two-two/network.json samples/two-two-two/input.json samples/two-two-two/target.json --lr 0.5",
    )
    assert round(found["loss"], 9) == 0.298371109
    assert round(found["layers"][1]["W_new"][0][0], 8) == 0.35891648
    assert list(found) == ["output", "loss", "layers"]
    assert list(found["layers"][0]) == ["type", "output", "delta", "dW", "db", "dX", "W_new", "b_new"]
    assert found["layers"][0]["delta"] == found["layers"][1]["dX"]


def test_gradients_agree_with_central_differences(convgrad: Convgrad, tmp_path: Path) -> None:
    def loss(network: Any, x: Any) -> float:
        return float(run(convgrad, f"convgrad backprop {write(tmp_path, n=network, x=x, t=T)} --only loss")["loss"])

    found = run(convgrad, f"convgrad backprop {write(tmp_path, n=IMAGE, x=X, t=T)}")
    for layer, key, result, index in (
        (0, "kernel", "dW", (1, 0, 2, 1)),
        (0, "bias", "db", (1,)),
        (2, "kernel", "dW", (2, 1, 0, 1)),
        (4, "weight", "dW", (3, 7)),
        (4, "bias", "db", (2,)),
        (5, "weight", "dW", (1, 2)),
    ):
        ends = []
        for step in (1e-5, -1e-5):
            network = json.loads(json.dumps(IMAGE))
            value = np.array(network["layers"][layer][key])
            value[index] += step
            network["layers"][layer][key] = value.tolist()
            ends.append(loss(network, X))
        gradient = np.array(found["layers"][layer][result])[index]
        assert gradient == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5, abs=1e-8), (layer, key)
    x = np.array(X)
    shift = np.zeros_like(x)
    shift[1, 0, 2, 3] = 1e-5
    numeric = (loss(IMAGE, (x + shift).tolist()) - loss(IMAGE, (x - shift).tolist())) / 2e-5
    assert np.array(found["layers"][0]["dX"])[1, 0, 2, 3] == pytest.approx(numeric, rel=1e-5, abs=1e-8)


def test_a_pipe_of_single_commands_gives_the_same_digits(convgrad: Convgrad, tmp_path: Path) -> None:
    layers = IMAGE["layers"]
    whole = run(convgrad, f"convgrad backprop {write(tmp_path, n=IMAGE, x=X, t=T)}")
    options = [
        ("conv", f"-k {quoted(layers[0]['kernel'])} -b {quoted(layers[0]['bias'])} --padding 1 --activation tanh"),
        ("pool", "--kind max --size 2"),
        ("conv", f"-k {quoted(layers[2]['kernel'])} --activation leaky-relu --alpha 0.1"),
        ("dense", f"-w {quoted(layers[4]['weight'])} -b {quoted(layers[4]['bias'])} --activation sigmoid"),
        ("dense", f"-w {quoted(layers[5]['weight'])} --weight-layout in-out"),
        ("activation", "--activation softmax"),
    ]
    inputs, flowing = [], json.dumps({"output": X})
    for command, rest in options:
        inputs.append(flowing)
        flowing = convgrad(f"convgrad {command}-forward - {rest}", stdin=flowing).out
    assert json.loads(flowing)["output"] == whole["output"]
    flowing = convgrad(f"convgrad loss - {quoted(T)}", stdin=flowing).out
    assert json.loads(flowing)["loss"] == whole["loss"]
    results = [layer for layer in whole["layers"] if layer["type"] != "flatten"]
    for (command, rest), given, layer in reversed(list(zip(options, inputs, results, strict=True))):
        (tmp_path / "x.json").write_text(given)
        flowing = convgrad(f"convgrad {command}-backward {quoted(tmp_path)}/x.json - {rest}", stdin=flowing).out
        found = json.loads(flowing)
        for name in ("output", "dW", "db", "dX"):
            if name in layer:
                # the dense layer's dX has the shape of what came in, which the network has flattened before
                assert np.ravel(found[name]).tolist() == np.ravel(layer[name]).tolist(), (command, name)


def test_training_lowers_the_loss_and_keeps_the_form(convgrad: Convgrad, tmp_path: Path) -> None:
    network, operands = write(tmp_path, n=IMAGE), write(tmp_path, x=X, t=T)
    losses = []
    for k in range(8):
        following = f"{quoted(tmp_path)}/n{k}.json"
        losses.append(
            run(
                convgrad,
                f"convgrad backprop {network} {operands} --lr 0.1 --momentum 0.5 --save-network {following} --only loss",
            )["loss"]
        )
        network = following
    assert losses == sorted(losses, reverse=True)
    saved = json.loads((tmp_path / "n7.json").read_text())
    assert [set(layer) - {"velocity_W", "velocity_b"} for layer in saved["layers"]] == [
        set(layer) for layer in IMAGE["layers"]
    ]
    assert "velocity_W" in saved["layers"][0]
    assert saved["loss"] == "mse"


def test_only_csv_npz_and_tables(convgrad: Convgrad, tmp_path: Path) -> None:
    files = write(tmp_path, n=IMAGE, x=X, t=T)
    found = run(convgrad, f"convgrad backprop {files}")
    only = run(convgrad, f"convgrad backprop {files} --only 'layers[4].dW,loss'")
    assert only == {"layers[4].dW": found["layers"][4]["dW"], "loss": found["loss"]}
    ran = convgrad(f"convgrad backprop {files} --only 'layers[5].db' --format csv")
    assert [float(n) for n in ran.out.split(",")] == found["layers"][5]["db"]
    assert convgrad(f"convgrad backprop {files} -o {quoted(tmp_path)}/all.npz").code == 0
    with np.load(tmp_path / "all.npz") as arrays:
        np.testing.assert_array_equal(arrays["layers[0].dX"], found["layers"][0]["dX"])
    shown = convgrad(f"convgrad backprop {files}", tty=True, NO_COLOR="1").out
    assert shown.index("the loss, mse") < shown.index("layers[6]: activation") < shown.index("layers[0]: conv")


def test_one_axis_is_pooled_behind_a_convolution_over_one(convgrad: Convgrad, tmp_path: Path) -> None:
    network = {
        "layers": [
            {"type": "conv", "kernel": rounded(2, 1, 3), "dims": 1},
            {"type": "pool", "size": 2, "kind": "avg"},
            {"type": "flatten"},
            {"type": "dense", "weight": rounded(1, 4)},
        ]
    }
    found = run(convgrad, f"convgrad backprop {write(tmp_path, n=network, x=rounded(6), t=[1])}")
    assert np.shape(found["layers"][1]["output"]) == (2, 2)


BAD: list[tuple[Any, str]] = [
    ([1, 2], "it holds an array, not a network"),
    ({"layers": []}, "there is no list of layers"),
    ({"layrs": []}, "nothing is called 'layrs' in a network, only layers and loss. Did you mean 'layers'?"),
    ({"layers": [5]}, "layers[0]: it is no object"),
    ({"layers": [{}]}, "layers[0]: type: there is no type; use one of conv, pool"),
    (
        {"layers": [{"type": "cnov"}]},
        "layers[0]: type: there is no 'cnov', only conv, pool, dense, activation, norm, flatten. Did you mean 'conv'?",
    ),
    ({"layers": [{"type": "dense"}]}, "layers[0]: a dense layer needs its weight"),
    (
        {"layers": [{"type": "flatten"}, {"type": "dense", "weight": [[1, 2], [3]]}]},
        "layers[1]: weight: [1] has 1 number",
    ),
    ({"layers": [{"type": "dense", "weight": [[1]], "strid": 2}]}, "layers[0]: a dense layer has no 'strid'"),
    (
        {"layers": [{"type": "conv", "kernel": [[1]], "strid": 2}]},
        "a conv layer has no 'strid'. Did you mean 'stride'?",
    ),
    ({"layers": [{"type": "conv", "kernel": [[1]], "stride": "x"}]}, "layers[0]: stride: 'x' is not a whole number"),
    (
        {"layers": [{"type": "conv", "kernel": [[1]], "weight": [[1]]}]},
        "layers[0]: 'kernel' and 'weight' are both the kernel",
    ),
    (
        {"layers": [{"type": "dense", "weight": [[1, 2, 3]]}]},
        "layers[0]: weight: the weight is 1x3, for 3 inputs, but the input is 2x2",
    ),
    ({"layers": [{"type": "pool"}]}, "layers[0]: the window's size is not given"),
    ({"layers": [{"type": "activation"}]}, "layers[0]: there is no activation"),
    ({"layers": [{"type": "activation", "activation": "rellu"}]}, "activation: there is no 'rellu'"),
    ({"layers": [{"type": "flatten"}], "loss": "mes"}, "loss: there is no 'mes', only mse"),
    (
        {"layers": [{"type": "activation", "activation": "softmax"}], "loss": "cross-entropy"},
        "layers[0]: its activation is softmax, but cross-entropy takes the softmax of the output itself; leave the softmax "
        'out, or write "loss": "nll", which takes probabilities',
    ),
    ({"layers": [{"type": "flatten"}]}, "the target is 3, but the output is 4"),
    (
        {"layers": [{"type": "flatten"}, {"type": "dense", "weight": [[1, 2, 3]]}]},
        "flattened, the 2x2 input gives 4 numbers",
    ),
]


@pytest.mark.parametrize(("network", "message"), BAD, ids=range(len(BAD)))
def test_errors_name_the_layer_and_the_key(convgrad: Convgrad, tmp_path: Path, network: Any, message: str) -> None:
    ran = convgrad(f"convgrad backprop {write(tmp_path, n=network)} '[[1,2],[3,4]]' '[1,2,3]'")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert message in ran.err, ran.err
    assert f"{tmp_path}/n.json" in ran.err or "target" in message


def test_what_is_missing(convgrad: Convgrad, tmp_path: Path) -> None:
    network = write(tmp_path, n={"layers": [{"type": "flatten"}]})
    assert "there is no target" in convgrad(f"convgrad backprop {network} '[1]'").err
    assert (
        "add --lr" in convgrad(f"convgrad backprop {network} '[1]' '[1]' --save-network {quoted(tmp_path)}/m.json").err
    )
    ran = convgrad(f"convgrad backprop {network} '[1]' '[1]' --lr 1 --save-network {network}")
    assert "one of this command's own inputs" in ran.err
    assert (
        "Did you mean 'layers[0].dX'" in convgrad(f"convgrad backprop {network} '[1]' '[1]' --only 'layers[0].dx'").err
    )


def test_paths_files_and_screens_of_single_results(convgrad: Convgrad, tmp_path: Path) -> None:
    files = write(tmp_path, n=IMAGE, x=X, t=T)
    for path in (".", "[", "layers[0]dW", "layers..[0].dW", "layers[9]", "layers[0].type", "layers[0].W_new"):
        ran = convgrad(f"convgrad backprop {files} --only {quoted(path)}")
        assert (ran.code, ran.out) == (2, ""), path
        assert "--only: there is no result" in ran.err
    for path in ("layers[0]", "layers"):
        assert (
            "is no array, which is all that csv holds"
            in convgrad(f"convgrad backprop {files} --only {quoted(path)} --format csv").err
        )
    whole = run(convgrad, f"convgrad backprop {files}")
    assert run(convgrad, f"convgrad backprop {files} --only 'layers[4]'")["layers[4]"] == whole["layers"][4]
    shown = convgrad(
        f"convgrad backprop {files} --only 'layers[4].db,layers[5]' --precision 3", tty=True, NO_COLOR="1"
    ).out
    assert "array(" not in shown
    assert "  ".join(f"{n:.3f}" for n in whole["layers"][5]["db"]).split()[0] in shown
    assert "layers[5].dW" in shown


def test_files_are_written_all_or_none(convgrad: Convgrad, tmp_path: Path) -> None:
    files = write(tmp_path, n=IMAGE, x=X, t=T)
    step = f"convgrad backprop {files} --lr 0.1"
    for network, results in (
        (tmp_path / "no/such/n.json", tmp_path / "r.json"),
        (tmp_path / "m.json", tmp_path / "no/r.json"),
        (tmp_path / "m.json", tmp_path / "m.json"),
        ("-", tmp_path / "r.json"),
        (tmp_path / "m.npz", "-"),
    ):
        assert convgrad(f"{step} --save-network {quoted(network)} -o {quoted(results)}").code == 2
        assert sorted(each.name for each in tmp_path.iterdir()) == ["n.json", "t.json", "x.json"]
    assert convgrad(f"{step} --save-network {quoted(tmp_path)}/m.json -o {quoted(tmp_path)}/r.json").code == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == ["m.json", "n.json", "r.json", "t.json", "x.json"]


def test_formulas_of_a_pass_are_each_layers_own(convgrad: Convgrad, tmp_path: Path) -> None:
    shown = convgrad(
        f"convgrad backprop {write(tmp_path, n=IMAGE, x=X, t=T)}", tty=True, NO_COLOR="1", COLUMNS="120"
    ).out
    flatten = shown[shown.index("layers[3]: flatten") : shown.index("layers[2]: conv")]
    assert "dX = delta in the input's shape" in flatten
    assert "delta = the dX of layers[4], behind it" in flatten
    assert "weight" not in flatten
    assert "sensitivity" in shown


def test_softmax_under_cross_entropy_is_refused_and_both_ways_out_are_the_same_loss(
    convgrad: Convgrad, tmp_path: Path
) -> None:
    dense = {"type": "dense", "weight": rounded(3, 2), "bias": rounded(3)}

    def run_with(loss: str, activation: str) -> Any:
        network = write(tmp_path, n={"layers": [{**dense, "activation": activation}], "loss": loss})
        return convgrad(f"convgrad backprop {network} '[[0.5,-1],[0.3,0.8]]' '[2,0]'")

    refused = run_with("cross-entropy", "softmax")
    assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
    without, of_probabilities = (
        json.loads(run_with(*each).out) for each in (("cross-entropy", "identity"), ("nll", "softmax"))
    )
    assert of_probabilities["loss"] == pytest.approx(without["loss"], rel=1e-12)
    for name in ("dW", "db", "dX"):
        np.testing.assert_allclose(
            of_probabilities["layers"][0][name], without["layers"][0][name], rtol=1e-9, atol=1e-12
        )


def test_a_terminal_shows_input_parameters_and_target_and_the_page_the_target(convgrad: Convgrad) -> None:
    folder = "samples/two-two-two"
    line = f"convgrad backprop {folder}/network.json {folder}/input.json {folder}/target.json"
    shown = convgrad(f"{line} --format table").out
    for name in ("target", "weight", "bias", "z", "input"):
        assert f" {name} " in shown, shown
    assert "target" in json.dumps(convgrad(f"{line} --format html").out.partition("figures")[2])
