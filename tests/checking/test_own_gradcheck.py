"""convgrad.gradcheck: layers and functions of one's own, in complex numbers where they take them, else by differences."""

from collections.abc import Callable
from math import erf
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
import pytest

import convgrad
from convgrad import Activation, Conv, Loss, Pool, gradcheck
from convgrad.core.element import Array
from convgrad.errors import ConvgradError

X = np.random.default_rng(0).normal(size=(3, 4))
DELTA = np.random.default_rng(1).normal(size=(3, 4))


def real_alone(x: Array) -> Array:
    """Refuses complex numbers."""
    return np.vectorize(lambda each: float(each) * erf(float(each)))(x)


def dropping(x: Array) -> Array:
    """Lays what it is given into an array of real numbers, by which numpy drops imaginary parts, and warns."""
    held = np.zeros(np.shape(x))
    held[:] = x
    return held**3


FUNCTIONS: dict[str, tuple[Callable[[Array], Any], Callable[[Array], Array]]] = {
    "analytic": (lambda x: np.sin(x) * np.exp(x), lambda x: np.exp(x) * (np.sin(x) + np.cos(x))),
    "a size, whose complex step says 0": (np.abs, np.sign),
    "its real part alone": (lambda x: np.real(x) ** 2, lambda x: 2 * x),
    "a maximum": (lambda x: np.maximum(x, 0) ** 2, lambda x: 2 * np.maximum(x, 0)),
    "imaginary parts dropped": (dropping, lambda x: 3 * x**2),
    "real numbers alone": (
        real_alone,
        lambda x: np.vectorize(erf)(x) + x * 2 / np.sqrt(np.pi) * np.exp(-(x**2)),
    ),
    "nearly a step": (lambda x: np.tanh(200 * x), lambda x: 200 / np.cosh(200 * x) ** 2),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_ones_own(name: str) -> None:
    function, slope = FUNCTIONS[name]
    right = DELTA * slope(X)
    assert gradcheck(function, X, DELTA, right)
    wrong = right.copy()
    largest = np.unravel_index(np.abs(right).argmax(), right.shape)
    wrong[largest] *= 1.001
    (cell,) = gradcheck(function, X, DELTA, wrong).gradients["gradient"].differs
    assert cell.index == largest


def test_numpy_warns_nobody_that_imaginary_parts_are_dropped(recwarn: pytest.WarningsRecorder) -> None:
    assert gradcheck(dropping, X, DELTA, DELTA * 3 * X**2)
    assert not recwarn.list


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e9])
def test_differences_hold_at_any_size(size: float) -> None:
    x = X * size
    right = DELTA * 2 * np.abs(x)
    assert gradcheck(lambda x: np.abs(x) * x, x, DELTA, right)
    assert not gradcheck(lambda x: np.abs(x) * x, x, DELTA, right * 1.001)


def test_on_a_kink_whatever_lies_between_the_slopes_is_possible() -> None:
    x = np.array([0.0, 1.0])
    for slope in (-1.0, 0.0, 0.5, 1.0):
        assert gradcheck(lambda x: np.abs(x).sum(), x, gradients=np.array([slope, 1.0]))
    assert not gradcheck(lambda x: np.abs(x).sum(), x, gradients=np.array([1.5, 1.0]))
    assert not gradcheck(lambda x: np.abs(x).sum(), x, gradients=np.array([0.0, 1.5]))


@pytest.mark.parametrize(
    "function", [lambda x: np.maximum(x, 0).sum(), lambda x: np.where(x > 0, x, 0).sum(), lambda x: (x * (x > 0)).sum()]
)
def test_a_kink_is_not_decided_by_how_numpy_orders_complex_numbers(function: Callable[[Array], Any]) -> None:
    x = np.array([-1.0, 0, 2])
    for slope in (0.0, 0.5, 1.0):
        assert gradcheck(function, x, gradients=np.array([0, slope, 1]))
    assert not gradcheck(function, x, gradients=np.array([0.001, 0, 1]))


def test_a_function_in_float32_is_held_to_its_own_digits() -> None:
    for seed in range(20):
        x = np.random.default_rng(seed).normal(size=5)
        right = np.cos(x).astype(np.float32)
        assert gradcheck(lambda x: np.sin(np.float32(x)).sum(), x, gradients=right)
        assert not gradcheck(lambda x: np.sin(np.float32(x)).sum(), x, gradients=right * np.float32(1.1))


def test_steps_that_leave_what_a_function_takes_are_left_out() -> None:
    x = np.array([1e-9, 100.0])
    assert gradcheck(lambda x: np.sqrt(x).sum(), x, gradients=0.5 / np.sqrt(x))
    assert gradcheck(lambda x: np.log(x).sum(), x, gradients=1 / x)
    assert not gradcheck(lambda x: np.log(x).sum(), x, gradients=1.001 / x)


def test_what_differences_cannot_tell_bears_out_no_complex_step() -> None:
    w = np.array([1.0, -2])
    assert gradcheck(lambda w: 1e9 + 1e-6 * np.abs(w).sum(), w, gradients=1e-6 * np.sign(w))


def test_a_search_that_ends_before_it_finds_a_cell_is_no_agreement() -> None:
    random = np.random.default_rng(0)
    x = np.where(random.random(3000) < 0.8, 0, random.normal(size=3000))
    x[-1] = 1.0
    right = 1.0 * (x > 0)
    wrong = right.copy()
    wrong[-1] = 2
    calls = []

    def relu(x: Array) -> Array:
        calls.append(1)
        return np.maximum(x.astype(float), 0) if x.dtype.kind != "c" else np.zeros(x.shape)

    assert not gradcheck(relu, x, np.ones(3000), wrong)
    assert len(calls) < 30_000


def test_what_drops_imaginary_parts_takes_no_complex_numbers() -> None:
    with catch_warnings():
        simplefilter("error")
        assert gradcheck(lambda x: x.astype(float) ** 2, X, DELTA, 2 * X * DELTA)


def test_a_function_of_several_arrays() -> None:
    at = {"W": np.random.default_rng(2).normal(size=(5, 4)), "x": X}
    delta = np.random.default_rng(3).normal(size=(3, 5))
    right = {"W": delta.T @ X, "x": delta @ at["W"]}
    assert gradcheck(lambda x, W: x @ W.T, at, delta, right)
    found = gradcheck(lambda x, W: x @ W.T, at, delta, right | {"W": right["W"] * 1.0001})
    assert [name for name, each in found.gradients.items() if each.differs] == ["W"]


class Scale:
    """A layer of one's own."""

    def __init__(self, W: Array, wrong: float = 1.0) -> None:
        self.W, self.wrong = W, wrong

    def forward(self, x: Array) -> Array:
        return self.W * x**2

    def backward(self, x: Array, delta: Array) -> dict[str, Array]:
        return {"dW": (delta * x**2).sum(axis=0), "dX": self.wrong * 2 * self.W * x * delta}


def test_a_layer_of_ones_own() -> None:
    assert gradcheck(Scale(np.arange(4.0)), X, DELTA)
    found = gradcheck(Scale(np.arange(4.0), wrong=1.00001), X, DELTA)
    assert {name: each.verdict for name, each in found.gradients.items()} == {"dW": "agrees", "dX": "differs"}
    with pytest.raises(AssertionError, match="not every gradient is the derivative"):
        found.raise_if_wrong()
    assert "dX" in str(found)
    assert "differs" in repr(found)


class Mine(Conv):  # type: ignore[misc]  # its names are found when they are asked for
    """A layer made from one of the library's, with a gradient of its own."""

    def backward(self, x: Any, delta: Any) -> Any:
        return {"dX": np.zeros_like(x)}


def test_layers_of_the_library_and_what_is_made_from_them() -> None:
    x = np.random.default_rng(4).normal(size=(2, 1, 5, 5))
    kernel, delta = np.random.default_rng(5).normal(size=(2, 1, 2, 2)), np.ones((2, 2, 4, 4))
    assert gradcheck(Conv(kernel), x, delta)
    assert gradcheck(Pool("max", 2), x, np.ones((2, 1, 2, 2)))
    assert gradcheck(Activation("gelu"), X, DELTA)
    assert gradcheck(Loss("mse"), X, DELTA)
    assert not gradcheck(Mine(kernel), x, delta)


def test_gradients_that_come_from_elsewhere_are_held_against_a_layer_in_their_own_precision() -> None:
    x = np.random.default_rng(4).normal(size=(2, 1, 5, 5))
    kernel, delta = np.random.default_rng(5).normal(size=(2, 1, 2, 2)), np.ones((2, 2, 4, 4))
    layer = Conv(kernel)
    right = {q.name: q.value.astype(np.float32) for q in layer.backward(x, delta)}
    assert gradcheck(layer, x, delta, right)
    assert not gradcheck(layer, x, delta, right, tolerance=1e-10)
    assert not gradcheck(layer, x, delta, {"dX": right["dX"] * np.float32(1.001)})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((lambda x: x, X, DELTA), "there is no gradient to compare"),
        ((lambda x: x, X, None, X), "there is no delta"),
        ((lambda x: x, X, DELTA[0], X), "delta is 4, but expected is 3x4"),
        ((lambda x: x, X, DELTA, X[0]), "gradient is 4, but expected is 3x4"),
        ((lambda x: x, {"x": X}, DELTA, {"y": X}), "only x"),
        (("conv", X, DELTA), "neither a layer"),
        ((lambda x: None, X, None, X), "the output holds objects (NoneType)"),
        ((lambda x: x.sum(), X, None, X + 1j), "holds complex numbers"),
        ((Conv(np.ones((1, 1, 2))), np.ones((1, 1, 3)), np.ones((1, 1, 2)), {"dw": 1}), "no gradient 'dw'"),
    ],
)
def test_what_does_not_fit_is_said(arguments: tuple[Any, ...], said: str) -> None:
    with pytest.raises(ConvgradError) as caught:
        gradcheck(*arguments)
    assert said in str(caught.value)


def test_it_is_a_public_name() -> None:
    assert "gradcheck" in convgrad.__all__
