"""One sum, read three ways: the derivatives by y, w and x of S(x, w, y) are what its trilinearity says they are."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray
from spaces import convolutions, transposed, whole_numbers

from convgrad import Conv, Dense, Pool, Transposed, Unshared
from convgrad.core.results import by_w, by_x, by_y
from convgrad.core.sum import Sum

Array = NDArray[Any]


def by_loops(s: Sum) -> float:
    """The sum itself, term by term, from where kernel cells lie."""
    x, w, y = s.x.given, s.laid, s.y.given
    filters, inputs = w.shape[s.d if s.apart else 0 :][:2]
    per_group = filters // s.groups
    places, offsets, cells = s.windows.meetings() if s.d else (np.zeros((1, 0), int),) * 3
    total = 0.0
    for i, u, z in zip(places, offsets, cells, strict=True):
        if (z < 0).any():
            continue
        kernel = w[tuple(i)] if s.apart else w
        for n in range(len(x)):
            for f in range(filters):
                for c in range(inputs):
                    weight = kernel[(f, c, *u)]
                    total += x[(n, f // per_group * inputs + c, *z)] * weight * y[(n, f, *i)]
    return total


def read_three_ways(s: Sum) -> None:
    """S is linear in each array: its derivative by one, contracted with that one, is S again."""
    expected = by_loops(s)
    for ask, role in ((by_y, "y"), (by_w, "w"), (by_x, "x")):
        quantity = ask(s, "q", "")
        assert quantity.shape == s.part(role).given.shape == quantity.value.shape
        np.testing.assert_allclose((quantity.value * s.part(role).given).sum(), expected, rtol=1e-9, atol=1e-9)


@given(convolutions())
def test_convolutions(case: tuple[Conv, Array, Array]) -> None:
    layer, x, delta = case
    if x.size * delta.size < 20_000:
        read_three_ways(layer.sum(x, delta))


@given(transposed())
def test_transposed_convolutions(case: tuple[Transposed, Array, Array]) -> None:
    layer, x, delta = case
    if x.size * delta.size < 20_000:
        read_three_ways(layer.sum(x, delta))


@pytest.mark.parametrize("flip", [False, True])
def test_a_kernel_at_every_place(flip: bool) -> None:
    x, delta = whole_numbers((2, 2, 5, 4), 0), whole_numbers((2, 3, 3, 2), 1)
    layer = Unshared(whole_numbers((3, 2, 3, 2, 2, 2), 2), stride=(2, 2), padding=(1, 0), flip=flip)
    read_three_ways(layer.sum(x, delta))


def test_no_spatial_axes() -> None:
    read_three_ways(Dense(whole_numbers((4, 3), 0)).sum(whole_numbers((2, 3), 1), whole_numbers((2, 4), 2)))


@pytest.mark.parametrize("kind", ["max", "avg", "sum", "lp"])
def test_pooling_is_the_sum_with_its_shares(kind: str) -> None:
    """Every kind is homogeneous, so that its output is the sum of share times input, and dX takes it back."""
    x, delta = whole_numbers((2, 3, 6, 5), 0) + 0.5, whole_numbers((2, 3, 3, 2), 1)
    layer = Pool(kind, (2, 2))
    (dX,) = layer.backward(x, delta)
    np.testing.assert_allclose((dX.value * x).sum(), (layer.forward(x).value * delta).sum(), rtol=1e-12)


def test_a_sum_that_is_read_wrongly_would_be_seen() -> None:
    """The judge says no: with the kernel laid the wrong way round the three readings fall apart."""
    x, delta = np.arange(16.0).reshape(1, 1, 4, 4) ** 2, np.arange(9.0).reshape(1, 1, 3, 3)
    layer = Conv(np.array([[[[0.0, 1.0], [2.0, 5.0]]]]))
    turned = Conv(layer.kernel, flip=True).sum(x, delta)
    expected = by_loops(layer.sum(x, delta))
    np.testing.assert_allclose((by_y(layer.sum(x, delta), "q", "").value * delta).sum(), expected)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose((by_y(turned, "q", "").value * delta).sum(), expected)
