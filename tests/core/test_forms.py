"""The three forms end in the same numbers: their steps add up to the value, and their arrays are what they say."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import signal
from spaces import convolutions, transposed

from convgrad import Conv, Quantity

Array = NDArray[Any]


def adds_up(quantity: Quantity) -> None:
    total = np.zeros_like(quantity.value) if quantity.start is None else quantity.start.copy()
    for term in quantity.terms():
        total[term.region] += term.patch
    np.testing.assert_allclose(total, quantity.value, rtol=1e-12, atol=1e-12, err_msg=str(quantity.formula))


@given(st.one_of(convolutions(), transposed()))
def test_the_forms_agree(case: Any) -> None:
    layer, x, delta = case
    for quantity in (layer.forward(x), *layer.backward(x, delta)):
        for form in ("rotated", "matrix"):
            derived = quantity.in_form(form)
            if derived:
                adds_up(derived.quantity)
                places = list(derived.quantity.places())
                assert len(places) + sum(1 for _ in derived.quantity.silent()) == derived.quantity.live().size
            else:
                assert quantity.name == "db" or form == "rotated"


@given(convolutions())
def test_the_matrices_multiply_to_the_results(case: tuple[Conv, Array, Array]) -> None:
    layer, x, delta = case
    if layer.groups > 1:
        return
    output, dW, dX = (
        quantity.in_form("matrix") for quantity in (layer.forward(x), *layer.backward(x, delta)) if quantity.has_forms
    )
    W, patches = (factor.value for factor in output.arrays)
    bias = 0 if layer.bias is None else layer.bias[:, None]
    spatial = delta.shape[2:]
    found = (W @ patches + bias).reshape(delta.shape[1], len(x), *spatial).swapaxes(0, 1)
    np.testing.assert_allclose(found, output.quantity.value, atol=1e-12)
    y, again = (factor.value for factor in dW.arrays)
    np.testing.assert_array_equal(again, patches)
    laid = np.flip(dW.quantity.value, tuple(range(2, x.ndim))) if layer.flip else dW.quantity.value
    np.testing.assert_allclose((y @ patches.T).reshape(dW.quantity.shape), laid, atol=1e-12)
    np.testing.assert_allclose(W.T @ y, dX.arrays[2].value, atol=1e-12)


def test_the_rotated_form_is_what_textbooks_say() -> None:
    rng = np.random.default_rng(0)
    x, kernel, delta = rng.normal(size=(7, 8)), rng.normal(size=(3, 2)), rng.normal(size=(3, 4))
    layer = Conv(kernel[None, None], stride=2)
    dW, _, dX = layer.backward(x[None, None], delta[None, None])
    derived = dX.in_form("rotated")
    spread, turned = (factor.value[0, 0] for factor in derived.arrays)
    np.testing.assert_array_equal(turned, np.rot90(kernel, 2))
    assert spread.shape == (5 + 4, 7 + 2)
    np.testing.assert_allclose(signal.correlate2d(spread, turned, "valid"), dX.value[0, 0][:7, :8])
    holes = dW.in_form("rotated").arrays[0].value[0, 0]
    np.testing.assert_allclose(signal.correlate2d(x[: 5 + 2, : 7 + 1], holes, "valid"), dW.value[0, 0])


@given(st.one_of(convolutions(), transposed()))
def test_a_form_of_an_output_names_the_bias(case: Any) -> None:
    layer, x, _ = case
    for form in ("rotated", "matrix"):
        derived = layer.forward(x).in_form(form)
        if derived:
            assert (" + b" in str(derived.quantity.formula)) == (layer.bias is not None)
