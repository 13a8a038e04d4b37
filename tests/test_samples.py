"""The samples give their published numbers."""

import json
from typing import Any

import numpy as np
import pytest
from conftest import SAMPLES, Convgrad

CASES = [
    ("classic", ["conv-backward", "classic/input.json", "classic/delta.json"], "classic/expected.json"),
    (
        "layer-1d",
        ["conv-backward", "layer-1d/input.json", "layer-1d/delta.json", "-k", "layer-1d/kernel.json"],
        "layer-1d/expected.json",
    ),
    ("two-filters", ["conv-backward", "two-filters/problem.json"], "two-filters/expected.json"),
    (
        "two-filters-step",
        ["conv-backward", "two-filters/problem.json", "--lr", "0.001"],
        "two-filters/expected-step.json",
    ),
    (
        "max",
        ["pool-backward", "pooling/input.json", "pooling/delta.json", "--kind", "max", "--size", "2"],
        "pooling/expected-max.json",
    ),
    (
        "avg",
        ["pool-backward", "pooling/input.json", "pooling/delta.json", "--kind", "avg", "--size", "2"],
        "pooling/expected-avg.json",
    ),
    (
        "two-two-two",
        [
            "backprop",
            "two-two-two/network.json",
            "two-two-two/input.json",
            "two-two-two/target.json",
            "--lr",
            "0.5",
            "--only",
            "loss,layers[1].W_new,layers[0].W_new",
            "--precision",
            "9",
        ],
        "two-two-two/expected.json",
    ),
    (
        "bars",
        [
            "backprop",
            "bars/network.json",
            "bars/input.json",
            "bars/target.json",
            "--only",
            "loss,layers[0].dW,layers[0].db,layers[3].dW,layers[3].db",
        ],
        "bars/expected.json",
    ),
    ("normalisation", ["norm-backward", "normalisation/problem.json"], "normalisation/expected.json"),
    (
        "avg-as-conv",
        ["conv-backward", "pooling/input.json", "pooling/delta.json", "-k", "pooling/quarters.json", "--stride", "2"],
        "pooling/expected-avg.json",
    ),
]


@pytest.mark.parametrize(("arguments", "expected"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_samples_give_their_published_numbers(convgrad: Convgrad, arguments: list[str], expected: str) -> None:
    ran = convgrad(*(str(SAMPLES / each) if "/" in each else each for each in arguments))
    assert ran.code == 0
    results: dict[str, Any] = json.loads(ran.out)
    published = json.loads((SAMPLES / expected).read_text())
    assert set(published) <= set(results)
    for name, value in published.items():
        np.testing.assert_allclose(results[name], value, rtol=0, atol=1e-12, err_msg=name)


def test_every_sample_is_a_case() -> None:
    named = {each for _, arguments, expected in CASES for each in [*arguments, expected]}
    assert {str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*.json")} <= named
