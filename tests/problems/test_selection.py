"""Which results are meant: one reading of paths, the same for --only, --explain, --check and --gradcheck."""

import json

import pytest
from conftest import Convgrad, quoted

from convgrad.errors import OptionError
from convgrad.problems.selection import Selection, picked

NETWORK = (
    "convgrad backprop samples/two-two-two/network.json samples/two-two-two/input.json samples/two-two-two/target.json"
)
SHAPE = "convgrad shape 3x8x8 --kernel-size 3 --filters 4"

LAYERS = Selection(("output", "loss", "layers[0].dW", "layers[0].dX", "layers[1].dW", "parameters.shared"))
FLAT = Selection(("output", "dW", "db"), {"dX": "a kernel (-k)"})


def test_a_path_means_a_result_or_all_that_lie_in_it() -> None:
    assert FLAT.chosen([]) == ["output", "dW", "db"]
    assert FLAT.chosen(["db", "output"]) == ["output", "db"]
    assert LAYERS.chosen(["layers[0]"]) == ["layers[0].dW", "layers[0].dX"]
    assert LAYERS.chosen(["layers"]) == ["layers[0].dW", "layers[0].dX", "layers[1].dW"]
    assert LAYERS.chosen(["layers[1]", "loss", "layers[1].dW"]) == ["loss", "layers[1].dW"]
    assert LAYERS.paths(["layers[1].dW", "loss", "layers[1].dW"]) == ["layers[1].dW", "loss"]


@pytest.mark.parametrize(
    ("selection", "path", "said"),
    [
        (FLAT, "dX", "--only: dX needs a kernel (-k)"),
        (FLAT, "dw", "--only: there is no result 'dw' here, only output, dW, db. Did you mean 'dW'?"),
        (FLAT, "W_new", "--only: there is no result 'W_new' here, only output, dW, db. W_new comes with --lr"),
        (FLAT, "", "--only: there is no result '' here, only output, dW, db"),
        (LAYERS, "dw", "'dw' here, only output, loss, layers[0], layers[1], parameters. Did you mean 'layers[0].dW'?"),
        (LAYERS, "dW", "Did you mean 'layers[0].dW'?"),
        (LAYERS, "layers[1].dw", "Did you mean 'layers[1].dW'?"),
        (LAYERS, "layer[1]", "Did you mean 'layers[1]'?"),
        (LAYERS, "layers[1].b_new", "; layers[1].b_new comes with --lr"),
        (LAYERS, "layers[1].indices.dW", "there is no result"),
        (LAYERS, "shared", "Did you mean 'parameters.shared'?"),
        (LAYERS, "layers[", "there is no result 'layers['"),
        (LAYERS, "nothing of the kind", "parameters; what lies inside is written as layers[0].dW"),
        (Selection(("dW",), what="gradient"), "loss", "--only: there is no gradient 'loss' here, only dW"),
        (Selection(tuple(f"layers[{k}].dW" for k in range(99))), "dw", "layers[11] and 87 more. Did you mean"),
    ],
)
def test_a_path_that_leads_nowhere(selection: Selection, path: str, said: str) -> None:
    with pytest.raises(OptionError) as error:
        selection.chosen([path])
    assert said in str(error.value)


def test_elements() -> None:
    asked = Selection(("dW", "layers[0].dW"), option="--explain")
    assert asked.element("dW") == ("dW", None)
    assert asked.element(" dW[ 0, 12 ] ") == asked.element("dW[0][12]") == ("dW", (0, 12))
    assert asked.element("layers[0].dW[3]") == ("layers[0].dW", (3,))
    for text, said in (
        ("dW[a]", "'dW[a]' is no element; write it as dW[0,1]"),
        ("layers[0]", "there is no result 'layers' here"),
        ("dw[0]", "Did you mean 'dW'?"),
    ):
        with pytest.raises(OptionError) as error:
            asked.element(text)
        assert str(error.value).startswith("--explain: ")
        assert said in str(error.value)


def test_entries_are_picked_by_path() -> None:
    entries = {"loss": 1, "layers": [{"type": "conv", "dW": [1]}, {}], "shape": [2, 3], "inner": {"deep": {"er": 4}}}
    assert picked(entries, []) == entries
    assert picked(entries, ["layers[0].dW", "loss"]) == {"layers[0].dW": [1], "loss": 1}
    assert picked(entries, ["layers", "shape"]) == {"layers": entries["layers"], "shape": [2, 3]}
    assert picked(entries, ["inner.deep", "inner.deep.er"]) == {"inner.deep": {"er": 4}, "inner.deep.er": 4}
    for path in ("layers[0].type", "layers[2]", "shape[0]"):
        with pytest.raises(OptionError):
            picked(entries, [path])


def test_the_commands_all_mean_the_same(convgrad: Convgrad) -> None:
    whole = json.loads(convgrad(NETWORK).out)
    first = whole["layers"][0]
    assert json.loads(convgrad(f"{NETWORK} --only 'layers[0]'").out) == {"layers[0]": first}
    gradients = json.loads(convgrad(f"{NETWORK} --gradcheck --only 'layers[0]'").out)["gradients"]
    assert list(gradients) == ["layers[0].dW", "layers[0].db", "layers[0].dX"]
    assert len(json.loads(convgrad(f"{NETWORK} --gradcheck --only layers").out)["gradients"]) == 7
    answers = json.dumps({"layers": [{"dW": first["dW"]}, {"db": [0, 0]}]})
    assert convgrad(f"{NETWORK} --only 'layers[0]' --check {quoted(answers)}").code == 0
    assert convgrad(f"{NETWORK} --only layers --check {quoted(answers)}").code == 1
    for more in ("", "--gradcheck", f"--check {quoted(answers)}"):
        ran = convgrad(f"{NETWORK} {more} --only dw")
        assert (ran.code, ran.out) == (2, "")
        assert "'dw' here, only" in ran.err
        assert ran.err.endswith(". Did you mean 'layers[0].dW'?\n")


def test_what_lies_inside_a_result_can_be_picked(convgrad: Convgrad) -> None:
    assert json.loads(convgrad(f"{SHAPE} --only parameters.shared").out) == {"parameters.shared": 108}
    assert convgrad(f"{SHAPE} --only parameters.shared --format csv").out == "108\n"
    assert list(json.loads(convgrad(f"{SHAPE} --only parameters").out)["parameters"]) == [
        "shared",
        "unshared",
        "dense",
    ]
    assert "Did you mean 'parameters.shared'?" in convgrad(f"{SHAPE} --only shared").err
    page = convgrad(f"{NETWORK} --only layers --format html").out
    assert "layers[1]: dense" in page and "the loss, mse" not in page
