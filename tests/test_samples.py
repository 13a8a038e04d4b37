"""The samples give their published numbers."""

import json
from typing import Any

import numpy as np
import pytest
from conftest import SAMPLES, Convgrad

CASES = [
    (
        "classic",
        "convgrad conv-backward samples/classic/input.json samples/classic/delta.json",
        "classic/expected.json",
    ),
    (
        "layer-1d",
        "convgrad conv-backward samples/layer-1d/input.json samples/layer-1d/delta.json -k samples/layer-1d/kernel.json",
        "layer-1d/expected.json",
    ),
    ("two-filters", "convgrad conv-backward samples/two-filters/problem.json", "two-filters/expected.json"),
    (
        "two-filters-step",
        "convgrad conv-backward samples/two-filters/problem.json --lr 0.001",
        "two-filters/expected-step.json",
    ),
    (
        "max",
        "convgrad pool-backward samples/pooling/input.json samples/pooling/delta.json --kind max --size 2",
        "pooling/expected-max.json",
    ),
    (
        "avg",
        "convgrad pool-backward samples/pooling/input.json samples/pooling/delta.json --kind avg --size 2",
        "pooling/expected-avg.json",
    ),
    (
        "two-two-two",
        "convgrad backprop samples/two-two-two/network.json samples/two-two-two/input.json samples/two-two-two/target.json --lr 0.5 --only 'loss,layers[1].W_new,layers[0].W_new' --precision 9",
        "two-two-two/expected.json",
    ),
    (
        "bars",
        "convgrad backprop samples/bars/network.json samples/bars/input.json samples/bars/target.json --only 'loss,layers[0].dW,layers[0].db,layers[3].dW,layers[3].db'",
        "bars/expected.json",
    ),
    ("normalisation", "convgrad norm-backward samples/normalisation/problem.json", "normalisation/expected.json"),
    (
        "avg-as-conv",
        "convgrad conv-backward samples/pooling/input.json samples/pooling/delta.json -k samples/pooling/quarters.json --stride 2",
        "pooling/expected-avg.json",
    ),
]


@pytest.mark.parametrize(("line", "expected"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_samples_give_their_published_numbers(convgrad: Convgrad, line: str, expected: str) -> None:
    ran = convgrad(line)
    assert ran.code == 0
    results: dict[str, Any] = json.loads(ran.out)
    published = json.loads((SAMPLES / expected).read_text())
    assert set(published) <= set(results)
    for name, value in published.items():
        np.testing.assert_allclose(results[name], value, rtol=0, atol=1e-12, err_msg=name)


def test_every_sample_is_a_case() -> None:
    named = {each.removeprefix("samples/") for _, line, expected in CASES for each in [*line.split(), expected]}
    assert {str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*.json")} <= named
