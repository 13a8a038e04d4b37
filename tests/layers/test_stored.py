"""Every forward pass and gradient against PyTorch's results, stored by stored/make.py."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from convgrad import SGD, Activation, Conv, Loss, Norm, Pool, Transposed, Unshared
from convgrad.kinds.activations import ACTIVATIONS
from convgrad.kinds.losses import LOSSES

Array = NDArray[Any]
HERE = Path(__file__).parents[1] / "stored"


def split(name: str) -> list[tuple[dict[str, Any], dict[str, Array]]]:
    with np.load(HERE / name) as stored:
        arrays = dict(stored)
    options = json.loads(str(arrays.pop("cases")))
    found: list[dict[str, Array]] = [{} for _ in options]
    for key, array in arrays.items():
        number, role = key.split(".")
        found[int(number)][role] = array
    return list(zip(options, found, strict=True))


def cases(name: str) -> list[Any]:
    return [pytest.param(*case, id=f"{name.removesuffix('.npz')}-{k}") for k, case in enumerate(split(name))]


def close(found: Any, expected: Array, name: str = "") -> None:
    # 1e-8, not less: PyTorch holds bce's divisor above 1e-12 as a float32 has it
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-11, err_msg=name)


def agree(layer: Any, stored: dict[str, Array]) -> None:
    close(layer.forward(stored["x"]).value, stored["output"], "output")
    for gradient in layer.backward(stored["x"], stored["delta"]):
        if gradient.name in stored:
            close(gradient.value, stored[gradient.name], gradient.name)


@pytest.mark.parametrize(("options", "stored"), cases("conv.npz"))
def test_convolutions(options: dict[str, Any], stored: dict[str, Array]) -> None:
    options["padding"] = [tuple(pair) for pair in options["padding"]]
    agree(Conv(stored["kernel"], stored.get("bias"), **options), stored)


@pytest.mark.parametrize(("options", "stored"), cases("transposed.npz"))
def test_transposed_convolutions(options: dict[str, Any], stored: dict[str, Array]) -> None:
    agree(Transposed(stored["kernel"], stored.get("bias"), **options), stored)


@pytest.mark.parametrize(("options", "stored"), cases("unshared.npz"))
def test_unshared_layers(options: dict[str, Any], stored: dict[str, Array]) -> None:
    agree(Unshared(stored["kernel"], stored["bias"], **options), stored)


@pytest.mark.parametrize(("options", "stored"), [*cases("pool.npz"), *cases("spread_pool.npz")])
def test_pooling(options: dict[str, Any], stored: dict[str, Array]) -> None:
    layer = Pool(**options)
    agree(layer, stored)
    if "indices" in stored:
        np.testing.assert_array_equal(layer.indices(stored["x"]).value, stored["indices"])


@pytest.mark.parametrize(("options", "stored"), cases("norm.npz"))
def test_normalisations(options: dict[str, Any], stored: dict[str, Array]) -> None:
    arrays = {name: stored.get(name) for name in ("gamma", "beta", "mean", "var")}
    agree(Norm(**arrays, **options), stored)


@pytest.mark.parametrize(("options", "stored"), cases("activation.npz"))
def test_activations(options: dict[str, Any], stored: dict[str, Array]) -> None:
    agree(Activation(**options), stored)


@pytest.mark.parametrize(("options", "stored"), cases("loss.npz"))
def test_losses(options: dict[str, Any], stored: dict[str, Array]) -> None:
    loss, delta = Loss(**options).backward(stored["x"], stored["target"])
    close(loss.value, stored["loss"], "loss")
    close(delta.value, stored["delta"], "delta")


@pytest.mark.parametrize(("options", "stored"), cases("sgd.npz"))
def test_steps_of_gradient_descent(options: dict[str, Any], stored: dict[str, Array]) -> None:
    parameter, velocity = stored["W"], None
    for gradient, expected in zip(stored["gradients"], stored["steps"], strict=True):
        found = {q.name: q for q in SGD(**options).step("W", parameter, gradient, velocity)}
        for quantity in found.values():
            close(sum(term.patch for term in quantity.terms()), quantity.value, quantity.name)
        parameter = found["W_new"].value
        velocity = found["velocity_W"].value if options["momentum"] is not None else None
        close(parameter, expected)


def test_every_activation_and_loss_is_among_the_cases() -> None:
    assert {options["name"] for options, _ in split("activation.npz")} == set(ACTIVATIONS)
    assert {options["kind"] for options, _ in split("loss.npz")} == set(LOSSES)
