"""Answers at scales where sums are off by more than 1: another sign or size is never right."""

from typing import Any

import numpy as np
import pytest
from conftest import Convgrad

from convgrad import Conv, Dense, check

Drawn = tuple[Any, Any, Any, dict[str, Any]]


def drawn(seed: int) -> Drawn:
    """A layer whose operands are of any scale, with its right results."""
    random = np.random.default_rng(seed)
    scale, above = 10.0 ** random.uniform(-6, 12, 2)
    layer: Any
    shape: tuple[int, ...]
    places: tuple[int, ...]
    if seed % 2:
        layer, shape, places = Conv(random.normal(size=(2, 1, 3, 3))), (2, 1, 6, 6), (2, 2, 4, 4)
    else:
        layer, shape, places = Dense(random.normal(size=(3, 4))), (2, 4), (2, 3)
    x, delta = random.normal(size=shape) * scale, random.normal(size=places) * above
    return layer, x, delta, {each.name: each.value for each in layer.backward(x, delta) if each.name in ("dW", "dX")}


WRONG = {"opposite": -1.0, "twice": 2.0, "half": 0.5, "zero": 0.0, "-100 times": -100.0, "1.01 times": 1.01}
HANDED: dict[str, Any] = {
    "written": lambda value: value.tolist(),
    "to six digits": lambda value: np.vectorize(lambda each: f"{each:.5e}" if each else "0", [object])(value).tolist(),
    "float64": np.float64,
    "float32": np.float32,
}


@pytest.mark.parametrize("factor", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("handed", HANDED.values(), ids=HANDED)
def test_another_sign_or_size_is_wrong_at_any_scale(factor: float, handed: Any) -> None:
    for seed in range(20):
        layer, x, delta, right = drawn(seed)
        for name, value in right.items():
            found = check({name: handed(factor * value)}, layer, x, delta, diagnosis=False).verdicts[name]
            assert found.verdict == "wrong", (seed, name)
            assert found.wrong.mean() > 0.9, (seed, name)


@pytest.mark.parametrize("handed", HANDED.values(), ids=HANDED)
def test_what_is_right_is_right_at_any_scale(handed: Any) -> None:
    for seed in range(20):
        layer, x, delta, right = drawn(seed)
        assert check({name: handed(value) for name, value in right.items()}, layer, x, delta), seed


@pytest.mark.parametrize(
    "command",
    [
        "convgrad dense-backward '[3000,1]' '[2000]' -w '[[1,1]]' --only dW --dtype float32 --check '[[-123,2000]]'",
        "convgrad dense-backward '[1e8,1]' '[1e8]' -w '[[1,1]]' --only dW --check '[[\"-123\",\"1e8\"]]'",
        "convgrad dense-backward '[3e8,1]' '[2e8]' -w '[[1,1]]' --only dW --check '[[\"-6.00e16\",\"2.00e8\"]]'",
    ],
)
def test_a_number_of_the_opposite_sign_is_wrong_however_large_the_noise_is(convgrad: Convgrad, command: str) -> None:
    assert convgrad(command).code == 1
