"""Every forward pass and gradient against PyTorch's results, stored by stored/make.py."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from convgrad import Conv, Pool

Array = NDArray[Any]
HERE = Path(__file__).parent / "stored"


def cases(name: str) -> list[Any]:
    with np.load(HERE / name) as stored:
        arrays = dict(stored)
    options = json.loads(str(arrays.pop("cases")))
    split: list[dict[str, Array]] = [{} for _ in options]
    for key, array in arrays.items():
        number, role = key.split(".")
        split[int(number)][role] = array
    return [pytest.param(each, found, id=f"{k}-{found['x'].ndim - 2}d")
            for k, (each, found) in enumerate(zip(options, split, strict=True))]


@pytest.mark.parametrize(("options", "stored"), cases("conv.npz"))
def test_convolution_agrees_with_pytorch(options: dict[str, Any], stored: dict[str, Array]) -> None:
    options["padding"] = [tuple(pair) for pair in options["padding"]]
    layer = Conv(stored["kernel"], stored.get("bias"), **options)
    np.testing.assert_allclose(layer.forward(stored["x"]).value, stored["output"], rtol=1e-10, atol=1e-12)
    for gradient in layer.backward(stored["x"], stored["delta"]):
        if gradient.name in stored:
            np.testing.assert_allclose(gradient.value, stored[gradient.name], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("options", "stored"), cases("pool.npz"))
def test_pooling_agrees_with_pytorch(options: dict[str, Any], stored: dict[str, Array]) -> None:
    layer = Pool(**options)
    np.testing.assert_allclose(layer.forward(stored["x"]).value, stored["output"], rtol=1e-10, atol=1e-12)
    (gradient,) = layer.backward(stored["x"], stored["delta"])
    np.testing.assert_allclose(gradient.value, stored["dX"], rtol=1e-10, atol=1e-12)
    if "indices" in stored:
        np.testing.assert_array_equal(layer.indices(stored["x"]).value, stored["indices"])
