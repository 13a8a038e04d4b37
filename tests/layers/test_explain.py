"""Every element written out: its products add up to it, for every layer and option; and what is printed of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad, quoted
from hypothesis import given
from numpy.typing import NDArray
from spaces import EVERY_LAYER, convolutions, whole_numbers

from convgrad import SGD, Conv, Flatten, Loss, Quantity
from convgrad.kinds.losses import LOSSES
from convgrad.problems import Operand
from convgrad.problems.conv import conv_problem
from convgrad.problems.solve import solve

Array = NDArray[Any]
CLASSIC = "convgrad conv-backward samples/classic/input.json samples/classic/delta.json"


def agree(quantity: Quantity, most: int = 60) -> None:
    """The products of each element (of `most` of them) add up to it."""
    everywhere = list(np.ndindex(quantity.shape))
    for at in everywhere[:: max(1, len(everywhere) // most)]:
        explanation = quantity.explain(at)
        products = [product for _, product in explanation.terms(zeros=True)]
        assert len(products) - explanation.zero_terms == len(list(explanation.terms()))
        for factors, product in explanation.terms():
            np.testing.assert_allclose(np.prod([float(value) for _, value in factors]), float(product), rtol=1e-12)
        np.testing.assert_allclose(sum(products), explanation.value, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(
            float(explanation.value), float(quantity.value[at]), rtol=1e-9, atol=1e-9, err_msg=explanation.element
        )


@pytest.mark.slow
@given(EVERY_LAYER)
def test_products_add_up_to_every_element_of_every_layer(case: Any) -> None:
    layer, x, delta = case
    for quantity in (layer.forward(x), *layer.backward(x, delta)):
        agree(quantity, 25)


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 3, 2)])
def test_products_add_up_to_losses(kind: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(len(shape))
    targets: list[Array] = [rng.random(shape)]
    if kind == "hinge":
        targets = [rng.choice([-1.0, 1.0], shape)]
    if LOSSES[kind].classes:
        targets.append(rng.integers(0, shape[min(1, len(shape) - 1)], (shape[0], *shape[2:]) if len(shape) > 1 else ()))
    for target in targets:
        for quantity in Loss(kind).backward(rng.random(shape) * (1 if LOSSES[kind].probabilities else 3), target):
            agree(quantity)
            terms = quantity.explain((0,) * len(quantity.shape)).terms(zeros=True)
            assert not any("." in str(name) for factors, _ in terms for name, _ in factors)  # counts are whole: 1/12


def test_products_add_up_to_steps_and_flattened_arrays() -> None:
    W, g, v = (whole_numbers((2, 3), seed) for seed in range(3))
    for sgd in (SGD(0.1), SGD(0.1, 0.9, weight_decay=0.01), SGD(0.1, 0.9, nesterov=True, weight_decay=0.5)):
        for velocity in (None, v):
            for quantity in sgd.step("W", W, g, velocity):
                agree(quantity)
    x = whole_numbers((2, 3, 2), 4)
    for batch in (False, True):
        layer = Flatten(batch)
        agree(layer.forward(x))
        agree(layer.backward(x, layer.forward(x).value)[0])


@given(convolutions())
def test_names_and_indices_are_the_files_own(case: tuple[Conv, Array, Array]) -> None:
    """Each factor's name, looked up in the operand of that name, gives the factor's number."""
    layer, x, delta = case
    d = x.ndim - 2
    for last in (False, True):
        arrays = {"input": x, "delta": delta, "kernel": layer.kernel, "bias": layer.bias}
        if last:
            arrays |= {"input": np.moveaxis(x, 1, -1), "delta": np.moveaxis(delta, 1, -1)}
            arrays["kernel"] = np.moveaxis(layer.kernel, (0, 1), (-1, -2))
        operands = {name: Operand(array, name) for name, array in arrays.items() if array is not None}
        options = {
            name: getattr(layer, name) for name in ("stride", "padding", "dilation", "flip", "groups", "pad_mode")
        }
        options |= {"dims": d, "layout": "channels-last" if last else "channels-first", "activation": "relu"}
        solution = solve(conv_problem(operands, options, True))
        named = {**solution.operands, "b": arrays["bias"]}
        for name in ("dW", "dX", "db", "output", "z", "sensitivity"):
            quantity = solution.explainable()[name]
            at = quantity.largest()
            explanation = quantity.explain(at)
            np.testing.assert_allclose(float(explanation.value), quantity.value[at], atol=1e-12)
            for factors, _ in list(explanation.terms())[:20]:
                for factor, value in factors:
                    label, _, index = (
                        str(factor).removesuffix("]").removeprefix("relu(").removesuffix(")").partition("[")
                    )
                    array = named[label] if name != "output" else np.maximum(named["z"], 0)
                    place = tuple(int(i) for i in index.rstrip("])").split(",")) if index else ()
                    assert array[place] == value, str(factor)


def test_an_element_costs_no_more_than_itself() -> None:
    """A layer whose results would take minutes, explained at once: nothing but the element is computed."""
    x, delta = np.ones((1, 64, 512, 512), np.float32), np.ones((1, 64, 512, 512), np.float32)
    layer = Conv(np.ones((64, 64, 7, 7), np.float32), padding=3)
    quantities = {q.name: q for q in (layer.forward(x), *layer.backward(x, delta))}
    assert quantities["dX"].explain((0, 3, 100, 100)).value == 64 * 49
    assert quantities["output"].explain((0, 3, 0, 0)).value == 64 * 16
    assert quantities["dW"].explain((5, 3, 0, 0)).value == 509 * 509
    assert not any("value" in vars(quantity) for quantity in quantities.values())


def explained(convgrad: Convgrad, line: str) -> list[Any]:
    ran = convgrad(line)
    assert ran.code == 0, ran.err
    found: list[Any] = json.loads(ran.out)["explain"]
    return found


def test_the_classic_element(convgrad: Convgrad) -> None:
    (found,) = explained(convgrad, f"{CLASSIC} --explain 'dW[0,1]'")
    assert found["element"] == "dW[0,1]"
    assert found["value"] == pytest.approx(0.094061, abs=1e-15)
    assert found["zero_terms"] == 12
    assert [term["factors"] for term in found["terms"]] == [
        [["delta[0,2]", 0.0686], ["input[0,3]", 0.84]],
        [["delta[1,1]", 0.0364], ["input[1,2]", 0.22]],
        [["delta[2,1]", 0.0467], ["input[2,2]", 0.74]],
        [["delta[3,3]", -0.0681], ["input[3,4]", 0.09]],
    ]
    out = convgrad(f"{CLASSIC} --explain 'dW[0,1]' --format table --steps none").out
    assert "0.0686*0.84 + 0.0364*0.22 + 0.0467*0.74 + -0.0681*0.09" in " ".join(out.split())
    assert "12 products are 0" in " ".join(out.split())


def test_what_can_be_asked_for(convgrad: Convgrad) -> None:
    found = explained(convgrad, f"{CLASSIC} -k '[[1,2],[3,4]]' --explain dX --explain db --explain 'dX[0,0]'")
    assert [each["element"] for each in found] == ["dX[1,2]", "db", "dX[0,0]"]  # 0.2058 + 0.0728 is the largest
    assert found[2]["terms"] == [] and found[2]["zero_terms"] == 1 and found[2]["value"] == 0
    # results that are not written can be explained all the same
    ran = json.loads(convgrad(f"{CLASSIC} --only db --explain 'dW[1, 1]'").out)
    assert list(ran) == ["db", "explain"]
    listed = explained(convgrad, f"{CLASSIC} --explain 'dW[0,1]' --zeros")[0]
    assert len(listed["terms"]) == 16 and listed["zero_terms"] == 12


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("dW[2,0]", "its indices are dW[0..1,0..1]"),
        ("dW[0]", "its indices are dW[0..1,0..1]"),
        ("db[0]", "db is one number: leave the index out"),
        ("dw", "Did you mean 'dW'?"),
        ("dX", "dX needs a kernel (-k)"),
        ("dW[a]", "is no element"),
        ("dW[-1,0]", "is no element"),
    ],
)
def test_what_cannot_be_explained(convgrad: Convgrad, asked: str, message: str) -> None:
    ran = convgrad(f"{CLASSIC} --explain {quoted(asked)}")
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err and "--explain" in ran.err


NETWORK = (
    "convgrad backprop samples/two-two-two/network.json samples/two-two-two/input.json samples/two-two-two/target.json"
)


def test_elements_of_a_network(convgrad: Convgrad) -> None:
    names = ["loss", "output[0]", "layers[0].dW[0,1]", "layers[0].delta", "layers[1].z[0]", "layers[1].W_new[0,0]"]
    ran = convgrad(f"{NETWORK} --lr 0.5 {' '.join(f'--explain {quoted(name)}' for name in names)}")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    each = {explained["element"]: explained for explained in found["explain"]}
    assert each["loss"]["value"] == pytest.approx(found["loss"])
    assert each["layers[0].dW[0,1]"]["value"] == pytest.approx(found["layers"][0]["dW"][0][1])
    assert each["layers[1].W_new[0,0]"]["value"] == pytest.approx(0.35891648, abs=1e-8)
    assert [name for name, _ in each["layers[1].z[0]"]["terms"][0]["factors"]] == ["b[0]"]
    for explained in found["explain"]:
        assert sum(term["product"] for term in explained["terms"]) == pytest.approx(explained["value"], abs=1e-15)
    wrong = convgrad(f"{NETWORK} --explain 'layers[2].dW[0,0]'")
    assert wrong.code == 2 and "Did you mean" in wrong.err
    out = convgrad(f"{NETWORK} --explain 'layers[1].dW[0,0]' --format table").out
    assert "sensitivity[0]*input[0]" in out and "╭─ W" not in out


def test_a_large_problem_is_not_printed_around_its_element(convgrad: Convgrad, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((200, 200)))
    for form in ("table", "markdown", "latex"):
        for derivation in ("overlay", "matrix"):
            ran = convgrad(
                f"convgrad conv-backward {quoted(tmp_path)}/x.npy 1 -k '[[1,2],[3,4]]' --explain 'dX[5,5]' --format {form} --form {derivation}"
            )
            assert ran.code == 0, ran.err
            assert "10" in ran.out and len(ran.out.splitlines()) < 60, len(ran.out)


def test_a_share_is_called_by_place_and_cell(convgrad: Convgrad) -> None:
    x = "[[0.51,0.9,-0.3],[0.4,0.62,1.5],[0.11,0.2,0.74]]"
    found = explained(
        convgrad,
        f"convgrad pool-backward {quoted(x)} 1 --size 2 --stride 1 --kind lp --explain 'dX[1,1]' --explain 'output[0,0]'",
    )
    shares = [dict(map(tuple, term["factors"][:1])) for each in found for term in each["terms"]]
    merged = {name: value for share in shares for name, value in share.items()}
    assert all(merged[name] == pytest.approx(value) for share in shares for name, value in share.items())
    assert "share[0,0,1,1]" in merged and len(merged) == 7  # one of them is in both
