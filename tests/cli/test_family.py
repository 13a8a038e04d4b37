"""The rest of the family on the command line: its layers, losses and steps, and what reviews have found."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad, quoted
from hypothesis import given
from spaces import convolutions, poolings, transposed

from convgrad.kinds import setting_of
from convgrad.problems.sizes import shapes

K = "'[[1,2],[3,4]]'"
X = quoted(np.arange(25).reshape(5, 5).tolist())


def run(convgrad: Convgrad, line: str) -> Any:
    ran = convgrad(line)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_transposed_convolution(convgrad: Convgrad) -> None:
    found = run(convgrad, f"convgrad conv-backward '[[1,2],[3,4]]' 1 -k {K} --transposed --stride 2 -b 1 --steps all")
    assert found["output"] == [[2, 3, 3, 5], [4, 5, 7, 9], [4, 7, 5, 9], [10, 13, 13, 17]]
    assert found["dX"] == [[10, 10], [10, 10]]
    assert found["db"] == 16
    assert [step["region"] for step in found["steps"]["output"]][1] == [[0, 2], [2, 4]]
    assert found["steps"]["output"][-1]["sum"] == found["output"]
    assert np.shape(
        run(convgrad, f"convgrad conv-forward {K} -k {K} --transposed --stride 3 --padding same")["output"]
    ) == (6, 6)
    sizes = run(convgrad, f"convgrad conv-forward {K} -k {K} --transposed --stride 2 --output-padding 1,0")["output"]
    assert np.shape(sizes) == (5, 4)
    kernelless = run(convgrad, f"convgrad conv-backward {K} {quoted(np.ones((4, 4)).tolist())} --transposed --stride 2")
    assert kernelless["dW"] == [[10, 10], [10, 10]]


def test_transposed_layouts_agree(convgrad: Convgrad, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, w, d = rng.normal(size=(2, 4, 3, 3)), rng.normal(size=(4, 3, 2, 2)), rng.normal(size=(2, 6, 4, 4))
    np.savez(tmp_path / "first.npz", input=x, kernel=w, delta=d, groups=2, transposed=True)
    np.savez(
        tmp_path / "last.npz",
        input=np.moveaxis(x, 1, -1),
        kernel=w.transpose(2, 3, 0, 1),
        delta=np.moveaxis(d, 1, -1),
        groups=2,
        transposed=True,
        layout="channels-last",
    )
    first, last = (run(convgrad, f"convgrad conv-backward {quoted(tmp_path)}/{name}.npz") for name in ("first", "last"))
    for name in ("output", "dX"):
        np.testing.assert_allclose(np.moveaxis(first[name], 1, -1), last[name], atol=1e-12)
    np.testing.assert_allclose(np.transpose(first["dW"], (2, 3, 0, 1)), last["dW"], atol=1e-12)


def test_unshared_layer_shows_weight_sharing(convgrad: Convgrad) -> None:
    x, d = "'[[1,2,3],[4,5,6],[7,8,9]]'", "'[[1,0],[2,3]]'"
    shared = run(convgrad, f"convgrad conv-backward {x} {d} -k {K}")
    kernel = json.dumps(np.broadcast_to([[1, 2], [3, 4]], (2, 2, 2, 2)).tolist())
    apart = run(convgrad, f"convgrad conv-backward {x} {d} -k {quoted(kernel)} --unshared --steps all")
    assert np.shape(apart["dW"]) == (2, 2, 2, 2)
    assert np.sum(apart["dW"], axis=(0, 1)).tolist() == shared["dW"]
    assert (apart["output"], apart["dX"], apart["db"]) == (shared["output"], shared["dX"], shared["db"])
    biased = run(convgrad, f"convgrad conv-backward {x} {d} -k {quoted(kernel)} --unshared -b '[[1,2],[3,4]]' --lr 1")
    assert biased["db"] == [[1, 0], [2, 3]]
    assert biased["b_new"] == [[0, 2], [1, 1]]
    lone = run(convgrad, f"convgrad conv-backward {x} {d} --unshared")
    assert lone["dW"] == apart["dW"]


def test_dense_layer_in_both_layouts_and_any_rank(convgrad: Convgrad) -> None:
    w = [[1, 2, 3, 4], [5, 6, 7, 8]]
    for x, batch in (("[1,0,0,2]", False), ("[[1,0],[0,2]]", False), ("[[1,0,0,2]]", True), ("[[[1,0],[0,2]]]", True)):
        d = "[[1,-1]]" if batch else "[1,-1]"
        for layout, weight in (("out-in", w), ("in-out", np.transpose(w).tolist())):
            found = run(
                convgrad,
                f"convgrad dense-backward {quoted(x)} {quoted(d)} -w {quoted(weight)} --weight-layout {layout}",
            )
            assert np.ravel(found["output"]).tolist() == [9, 21]
            assert np.shape(found["output"]) == ((1, 2) if batch else (2,))
            assert np.shape(found["dX"]) == np.shape(json.loads(x))
            assert np.ravel(found["dX"]).tolist() == [-4, -4, -4, -4]
            dW = np.transpose(found["dW"]) if layout == "in-out" else found["dW"]
            assert np.asarray(dW).tolist() == [[1, 0, 0, 2], [-1, 0, 0, -2]]
    assert run(convgrad, "convgrad dense-backward '[1,2]' '[3,4]'") == {"dW": [[3, 6], [4, 8]], "db": [3, 4]}
    steps = run(convgrad, "convgrad dense-backward '[1,2]' '[3,4]' --steps all")["steps"]["dW"]
    assert steps[1] == {
        "at": [1],
        "region": [[1, 2], [0, 2]],
        "delta": 4.0,
        "contribution": [[4.0, 8.0]],
        "sum": [[3.0, 6.0], [4.0, 8.0]],
    }


def test_activation_after_a_layer(convgrad: Convgrad) -> None:
    alone = run(convgrad, f"convgrad conv-forward {X} -k '[[0.1,-0.2],[0.1,0]]'")
    activated = run(convgrad, f"convgrad conv-forward {X} -k '[[0.1,-0.2],[0.1,0]]' --activation tanh")
    np.testing.assert_allclose(activated["output"], np.tanh(alone["output"]))
    both = run(convgrad, f"convgrad conv-backward {X} 1 -k '[[0.1,-0.2],[0.1,0]]' --activation tanh")
    delta = run(convgrad, f"convgrad activation-backward {quoted(alone['output'])} 1 --activation tanh")["dX"]
    apart = run(convgrad, f"convgrad conv-backward {X} {quoted(delta)} -k '[[0.1,-0.2],[0.1,0]]'")
    assert (both["dW"], both["db"], both["dX"]) == (apart["dW"], apart["db"], apart["dX"])
    shown = convgrad(
        "convgrad dense-backward '[1,2]' '[1]' -w '[[0.5,0.25]]' --activation sigmoid", tty=True, NO_COLOR="1"
    ).out
    for text in ("z", "derivative", "sensitivity", "node (0)"):
        assert text in shown


def test_losses(convgrad: Convgrad) -> None:
    assert run(convgrad, "convgrad loss '[1, 3]' '[0, 1]'") == {"loss": 2.5, "delta": [1.0, 2.0]}
    assert run(convgrad, """convgrad loss '{"output": [1, 3], "target": [0, 1], "kind": "mse-sum"}'""")["loss"] == 5.0
    found = run(convgrad, "convgrad loss '[1, 2, 3]' 2 --kind cross-entropy")
    s = np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum()
    np.testing.assert_allclose(found["delta"], s - [0, 0, 1])
    assert "there is no target" in convgrad("convgrad loss '[1]'").err


def test_momentum_over_two_steps(convgrad: Convgrad, tmp_path: Path) -> None:
    first = convgrad(
        "convgrad dense-backward '[1,2]' '[1]' -w '[[1,1]]' -b 0 --lr 0.1 --momentum 0.9 --weight-decay 0.5"
    )
    (tmp_path / "v.json").write_text(first.out)
    found = json.loads(first.out)
    np.testing.assert_allclose(found["velocity_W"], [[1.5, 2.5]])
    np.testing.assert_allclose(found["W_new"], [[0.85, 0.75]])
    second = run(
        convgrad,
        f"convgrad dense-backward '[1,2]' '[1]' -w {quoted(found['W_new'])} --lr 0.1 --momentum 0.9 --velocity {quoted(tmp_path)}/v.json --nesterov -q",
    )
    v = 0.9 * np.array([[1.5, 2.5]]) + [[1, 2]]
    np.testing.assert_allclose(second["velocity_W"], v)
    np.testing.assert_allclose(second["W_new"], np.array([[0.85, 0.75]]) - 0.1 * (np.array([[1, 2]]) + 0.9 * v))


def test_the_arithmetic_of_a_step_is_shown(convgrad: Convgrad) -> None:
    out = convgrad(
        """convgrad dense-backward '[1,2]' '[3]' -w '[[1,1]]' --lr 0.1 --weight-decay 0.5 --momentum 0.9 --velocity '{"velocity_W": [[10, 20]]}' -q""",
        tty=True,
        NO_COLOR="1",
        COLUMNS="120",
    ).out
    for text in (
        "W_new  the sum of",
        "- lr * dW",
        "-0.3  -0.6",
        "- lr * 0.5 * W",
        "-0.05  -0.05",
        "- lr * 0.9 * velocity",
        "-0.9  -1.8",
    ):
        assert text in out
    assert "-0.25  -1.45" in out  # 1 - 0.3 - 0.05 - 0.9 and 1 - 0.6 - 0.05 - 1.8


def test_adaptive_and_lp_pooling(convgrad: Convgrad) -> None:
    assert run(convgrad, "convgrad pool-forward '[1,2,3,4,5]' --adaptive 2 --kind avg")["output"] == [2.0, 4.0]
    assert run(convgrad, "convgrad pool-forward '[3,-4]' --kind lp --size 2")["output"] == [5.0]
    assert run(convgrad, "convgrad pool-backward '[3,-4]' 5 --kind lp --size 2")["dX"] == [3.0, -4.0]
    found = run(convgrad, f"convgrad pool-forward {X} --adaptive 2,3 --indices")
    assert found["indices"] == [[11, 13, 14], [21, 23, 24]]


SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("conv-forward", {"stride": 2}),
    ("conv-forward", {"padding": "same"}),
    ("conv-forward", {"dilation": [2, 1]}),
    ("conv-forward", {"pad_mode": "reflect", "padding": 1}),
    ("conv-forward", {"flip": True}),
    ("conv-forward", {"dims": 2}),
    ("conv-forward", {"transposed": True, "stride": 2, "output_padding": 1}),
    ("conv-forward", {"dtype": "float32"}),
    ("conv-forward", {"activation": "elu", "alpha": 0.5}),
    ("conv-forward", {"activation": "gelu", "approximate": "tanh"}),
    ("conv-forward", {"layout": "channels-last", "dims": 1}),
    ("pool-forward", {"kind": "avg", "size": 2, "divisor": 3}),
    ("pool-forward", {"size": 2, "ceil": True}),
    ("pool-forward", {"global": True}),
    ("pool-forward", {"adaptive": [2, 3]}),
    ("pool-forward", {"kind": "lp", "size": 2, "p": 3}),
    ("pool-forward", {"size": 3, "stride": 1, "padding": 1, "indices": True}),
    ("pool-forward", {"kind": "avg", "size": 2, "padding": 1, "count_include_pad": False}),
    ("pool-backward", {"size": 2, "ties": "split"}),
    ("conv-backward", {"lr": 0.5, "momentum": 0.9, "nesterov": True}),
    ("conv-backward", {"lr": 0.5, "weight_decay": 0.1}),
    ("dense-forward", {"weight_layout": "in-out"}),
]


@pytest.mark.parametrize(("command", "settings"), SETTINGS, ids=["-".join(map(str, each[1])) for each in SETTINGS])
def test_every_setting_means_in_a_document_what_its_option_means(
    convgrad: Convgrad, tmp_path: Path, command: str, settings: dict[str, Any]
) -> None:
    x = np.random.default_rng(0).integers(-1, 2, (5, 5))
    arrays: dict[str, Any] = {"input": x}
    if command.startswith("conv"):
        arrays["kernel"] = [[1, 2], [3, 4]] if settings.get("layout") is None else np.arange(15).reshape(1, 5, 3)
        arrays["bias"] = 1 if settings.get("layout") is None else [1, 2, 3]
    if command.startswith("dense"):
        arrays["weight"] = np.arange(75).reshape(25, 3)
    if command.endswith("backward"):
        arrays["delta"] = np.ones((4, 4) if command.startswith("conv") else (2, 2))
    lists = {name: np.asarray(array).tolist() for name, array in arrays.items()}
    options = ""
    for name, value in settings.items():
        flag = setting_of(command.partition("-")[0], name)
        if isinstance(value, bool):
            options += f" {flag.option if value else flag.off}"
        else:
            options += f" {flag.option} {','.join(map(str, value)) if isinstance(value, list) else value}"
    by_options = convgrad(f"convgrad {command} {quoted(lists)}{options} -q")
    assert by_options.code == 0, by_options.err
    for named in (settings, {name.upper(): value for name, value in settings.items()}):
        assert convgrad(f"convgrad {command} {quoted({**lists, **named})} -q").out == by_options.out
    np.savez(tmp_path / "doc.npz", **arrays, **settings)
    assert convgrad(f"convgrad {command} {quoted(tmp_path)}/doc.npz -q").out == by_options.out
    plain = convgrad(f"convgrad {command} {quoted(lists)} {'--size 2' if 'size' in settings else ''} -q")
    if not {"dims", "dtype"} & set(settings):
        assert plain.out != by_options.out, "the setting changes nothing here"


def test_the_command_line_wins_over_the_document(convgrad: Convgrad) -> None:
    x = [[1, 2], [3, 4]]
    assert run(convgrad, f"convgrad pool-forward {quoted({'input': x, 'size': 1})} --global")["output"] == [[4]]
    assert run(convgrad, f"convgrad pool-forward {quoted({'input': x, 'global': True})} --size 1")["output"] == x
    ran = run(
        convgrad, f"convgrad pool-forward {quoted({'input': x, 'size': 2, 'kind': 'avg', 'divisor': 5})} --kind max"
    )
    assert ran["output"] == [[4]]


def test_remarks_in_a_document_are_nobodys_business(convgrad: Convgrad) -> None:
    remarks = dict.fromkeys(
        ("title", "notes", "date", "time", "description", "student", "solution", "mode"), "anything"
    )
    assert convgrad(f"convgrad conv-forward {quoted({'input': [1, 2], 'kernel': [1], **remarks})}").code == 0
    ran = convgrad("""convgrad conv-backward '{"input": [1,2,3], "kernal": [1,1], "delta": [1,1]}'""")
    assert "nothing is called 'kernal'. Did you mean 'kernel'?" in ran.err


def sizes(layer: Any) -> dict[str, Any]:
    """What people say of a layer's sizes, taken from it."""
    named = {name: getattr(layer, name) for name in ("stride", "groups", "padding", "dilation")}
    return {"kernel_size": layer.kernel.shape[2:], "dims": layer.kernel.ndim - 2, **named}


@given(convolutions())
def test_shape_agrees_with_the_convolution(case: Any) -> None:
    layer, x, delta = case
    found = shapes(x.shape, delta.shape[1], sizes(layer))
    assert found["output_shape"] == list(delta.shape)
    places = int(np.prod(delta.shape[2:]))
    assert found["parameters"] == {
        "shared": layer.kernel.size,
        "unshared": layer.kernel.size * places,
        "dense": x[0].size * delta[0].size,
    }


@given(transposed())
def test_shape_agrees_with_the_transposed_convolution(case: Any) -> None:
    layer, x, delta = case
    more = {"transposed": True, "output_padding": layer.output_padding}
    found = shapes(x.shape, delta.shape[1], sizes(layer) | more)
    assert found["output_shape"] == list(delta.shape)
    assert found["parameters"]["shared"] == layer.kernel.size


@given(poolings())
def test_shape_agrees_with_pooling(case: Any) -> None:
    layer, x, delta = case
    settings = (
        {"global": True}
        if layer.whole
        else {"adaptive": layer.adaptive}
        if layer.adaptive
        else {
            "size": layer.size,
            "padding": layer.padding,
            "dilation": layer.dilation,
            "ceil": layer.ceil,
            "stride": layer.size if layer.stride is None else layer.stride,
        }
    )
    assert shapes(x.shape, None, {**settings, "dims": x.ndim - 2})["output_shape"] == list(delta.shape)


def test_shape_makes_no_arrays(convgrad: Convgrad) -> None:
    assert run(convgrad, "convgrad shape 1000000x1000000 --kernel-size 3")["output_shape"] == [999998, 999998]
    assert run(convgrad, "convgrad shape 1000000 --size 500000 --stride 1")["output_shape"] == [500001]
    assert run(convgrad, "convgrad shape 3x32x32 --filters 10") == {
        "output_shape": [10],
        "parameters": {"shared": 30720, "unshared": 30720, "dense": 30720},
        "biases": {"shared": 10, "unshared": 10, "dense": 10},
    }
    assert "--ceil: it belongs to pooling" in convgrad("convgrad shape 5x5 --kernel-size 2 --ceil").err


FOUND = [
    ("convgrad conv-backward '[1,2,3]' '[1,2]' -k '[1,1]' -b '[0.5]' --lr 0.1", 0, ""),
    (f"convgrad conv-backward {X} '[1,2,3]' --format table", 0, ""),
    ("convgrad conv-backward '[[1,2,3],[1,2,3],[1,2,3]]' '[[[1,2],[3,4]],[[1,2],[3,4]]]' --format table", 0, ""),
    (
        f"convgrad conv-backward {quoted(np.ones((2, 3, 5, 5)).tolist())} {quoted(np.ones((4, 3, 2, 2)).tolist())}",
        2,
        "delta has 4 examples, but the input has 2",
    ),
    ("convgrad conv-backward 5 1 --kernel-size 2", 2, "the input is one number"),
    ("convgrad conv-backward '[5]' 0 --kernel-size 3,2,1", 2, "check --kernel-size and --dims"),
    (
        f"convgrad conv-backward {X} {K} -k '[[1,2]]' --kernel-size 3",
        2,
        "the kernel is 1x2, but the kernel-size given is 3",
    ),
    (
        f"convgrad conv-backward {X} '[[1,1,1,1],[1,1,1,1],[1,1,1,1],[1,1,1,1]]' -b 0.5 --lr 1 -q --only b_new",
        0,
        "",
    ),
    (f"convgrad conv-forward {X} -k {K} -o {quoted('a' * 300 + '.json')}", 2, "cannot be written"),
    (f"convgrad conv-backward {quoted({'input': [1], 'delta': [1], 'lr': 10**400})}", 2, "lr: 1000"),
    ("convgrad conv-forward '[1-2 3]' -k '[1]'", 2, "found '1'"),
    ("convgrad conv-forward '{}'", 2, "it is an empty object"),
    ("convgrad pool-forward '[1]' --size 1 --only indices", 2, "indices comes with --indices"),
    ("convgrad conv-backward '[1,2]' 1 -k '[1]' --only W_new", 2, "W_new comes with --lr"),
    ("convgrad conv-forward '[1]' -k '[1]' --steps 2000001", 2, "--steps: 2000001 is not between 0 and 1000000"),
    ("convgrad shape 3X3 --size 1", 2, "SHAPE: '3X3' is not a shape"),
    (
        f"convgrad conv-backward {quoted([0] * 16)} {quoted([1e308, 1e308, *[0] * 6, -1e308, -1e308, *[0] * 6])} -k '[1]' --steps all --only db",
        2,
        "the running sum of db overflows at (1,), though the result does not",
    ),
    ("convgrad dense-backward '[1,2]' '[1]' -w '[[1],[2]]'", 2, "the other way round it fits: --weight-layout in-out"),
    ("convgrad dense-forward '[1,2]'", 2, "there is no weight; add one with -w"),
    (f"convgrad conv-forward {X} -k {K} --transposed --unshared", 2, "two different layers"),
    (f"convgrad conv-forward {X} -k {K} --output-padding 1", 2, "add --transposed"),
    (
        f"convgrad conv-forward {X} -k {K} --transposed --output-padding 1",
        2,
        "is not smaller than stride 1 or dilation 1",
    ),
    (f"convgrad conv-forward {X} -k {K} --unshared", 2, "leave the number of spatial axes open"),
    (
        "convgrad conv-forward '[[1,2],[3,4]]' -k '[[[[1,1],[1,1]]]]' --unshared --padding 1",
        2,
        "the unshared kernel is",
    ),
    (f"convgrad conv-forward {X} -k {K} --alpha 1", 2, "--alpha belongs to an activation"),
    (f"convgrad conv-backward {X} 1 -k {K} --momentum 1", 2, "add --lr"),
    (f"convgrad conv-backward {X} 1 -k {K} --lr 1 --nesterov", 2, "--nesterov needs a momentum"),
    (f"convgrad conv-backward {X} 1 -k {K} --lr 1 --velocity '[1]'", 2, "velocities are a document"),
    ("convgrad activation-forward '[1]'", 2, "there is no activation"),
    ("convgrad activation-forward '[1]' --activation rellu", 2, "Did you mean 'relu'?"),
    ("convgrad activation-backward '[1,2]' '[1]' --activation relu", 2, "delta is 1, but a 2 input gives 2"),
    ("convgrad activation-backward '[-1e308,1e308]' 1 --activation gelu", 0, ""),
    ("convgrad activation-backward '[-1e300,1e300]' 1 --activation gelu --approximate tanh", 0, ""),
    (
        f"convgrad conv-backward {X} 1 -k {K}" + """ --velocity '{"velocity_W": [[1]]}'""",
        2,
        "a velocity belongs to a step",
    ),
    (f"convgrad conv-forward {X} -k {K} --output-padding 0", 0, ""),
    ("""convgrad conv-forward '{"input": [1, 2], "kernel": [1], "kernel_size": 1}'""", 0, ""),
    (
        f"convgrad conv-forward {X} -k {K} --activation relu --alpha 2",
        2,
        "--alpha belongs to --activation leaky-relu or elu",
    ),
    (f"convgrad pool-forward {X} --size 2 --kind avg --ties last", 2, "--ties belongs to --kind max"),
    ("convgrad loss '[1e200]' '[0]'", 2, "[1e200]: loss overflows"),
    ("""convgrad conv-backward '[1]' '{"output": [1], "loss": 1}'""", 2, "there is no delta in it, only output, loss"),
    ("convgrad loss '[1]' '[1,2]' --kind mae", 2, "mae needs a number for each output"),
]


@pytest.mark.parametrize(("line", "code", "message"), FOUND, ids=[each[0][9:69] for each in FOUND])
def test_what_reviews_have_found(convgrad: Convgrad, line: str, code: int, message: str) -> None:
    ran = convgrad(line)
    assert ran.code == code, ran.err
    assert message in ran.err
    assert ran.err.count("\n") <= 1
    assert code == 0 or ran.out == ""


def test_a_negative_input_stays_the_input(convgrad: Convgrad) -> None:
    assert run(convgrad, "convgrad loss -1 2") == {"loss": 4.5, "delta": -3.0}
    assert run(convgrad, "convgrad conv-backward '[1,2]' -k '[1]' -qd -1")["db"] == -2


def test_standard_input_is_an_input_too(tmp_path: Path) -> None:
    import subprocess
    import sys

    (tmp_path / "h.json").write_text("[1, 2]")
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m convgrad conv-forward - -k '[1]' -o h.json < h.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "own inputs" in done.stderr
    assert (tmp_path / "h.json").read_text() == "[1, 2]"


def test_a_number_is_a_number_though_a_file_bears_its_name(
    convgrad: Convgrad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("1").write_text("[5, 5]")
    assert run(convgrad, "convgrad conv-backward '[1,2]' -k '[1]' -d 1")["db"] == 2
    assert run(convgrad, "convgrad conv-backward '[1,2]' -k '[1]' -d ./1")["db"] == 10


def test_npz_entries_with_dots_and_unreadable_neighbours(convgrad: Convgrad, tmp_path: Path) -> None:
    np.savez(
        tmp_path / "state.npz",
        allow_pickle=False,
        **{"conv1.weight": np.ones((2, 2)), "labels": np.array(["a", "b"]), "bad": np.array([np.nan])},
    )
    state = quoted(tmp_path / "state.npz")
    assert run(convgrad, f"convgrad conv-forward {X} -k {state}#conv1.weight")["output"][0][0] == 12
    ran = convgrad(f"convgrad conv-forward {X} -k {state}#bad")
    assert "state.npz: bad: the number at [0] is not finite" in ran.err
    assert "names no entry" in convgrad(f"convgrad conv-forward {X} -k {state}'#['").err


def test_no_width_cuts_a_single_number(convgrad: Convgrad) -> None:
    out = convgrad("convgrad conv-forward '[[1e300,1]]' -k '[[1]]' --precision 5 --format table", COLUMNS="40").out
    assert "…" not in out
    assert f"{1e300:.5f}" in out
    out = convgrad("convgrad shape 1000x1000x1000 --kernel-size 3 --filters 1000000", tty=True, COLUMNS="30").out
    assert str(1000**3 * 10**6 * 998**2) in out


def test_padding_under_a_maximum_is_called_so(convgrad: Convgrad) -> None:
    out = convgrad(f"convgrad pool-backward {K} 1 --size 2 --stride 1 --padding 1", tty=True, NO_COLOR="1").out
    assert "inf" not in out
    assert "(pad)" in out and "Cells in parentheses lie in the padding." in " ".join(out.split())


def test_long_strings_do_not_hang_the_reader(convgrad: Convgrad, tmp_path: Path) -> None:
    (tmp_path / "q.json").write_text('["' + '\\"' * 40000)
    assert convgrad(f"convgrad conv-forward {quoted(tmp_path)}/q.json -k '[1]'").code == 2


def test_a_repeated_choice_resets_nothing(convgrad: Convgrad) -> None:
    lp = {"input": [[1, 2], [3, 4]], "kind": "lp", "p": 3, "size": 2}
    assert (
        convgrad(f"convgrad pool-forward {quoted(lp)}").out
        == convgrad(f"convgrad pool-forward {quoted(lp)} --kind lp").out
    )
    elu = {"input": [-1], "activation": "elu", "alpha": 3}
    assert run(convgrad, f"convgrad activation-forward {quoted(elu)} --activation elu")["output"][0] < -1.8
    assert run(convgrad, f"convgrad activation-forward {quoted(elu)} --activation relu")["output"] == [0.0]


def test_velocities_in_the_document_itself(convgrad: Convgrad) -> None:
    problem = {
        "input": [[1, 2], [3, 4]],
        "kernel": [[1]],
        "delta": [[1, 1], [1, 1]],
        "lr": 0.1,
        "momentum": 0.9,
        "velocity_W": [[5]],
    }
    found = run(convgrad, f"convgrad conv-backward {quoted(problem)} --only W_new")
    np.testing.assert_allclose(found["W_new"], [[1 - 0.1 * (0.9 * 5 + 10)]])
