"""The derivative at exactly 0 that is said: worked by hand, by a complex step, and told from the other conventions."""

import json
from fractions import Fraction

import numpy as np
import pytest
from conftest import Convgrad, quoted

from convgrad import Activation, gradcheck
from convgrad.errors import OptionError
from convgrad.kinds.activations import ACTIVATIONS

X, D = np.array([-2.0, 0.0, 3.0, 0.0, 7.0]), np.array([1.0, 2.0, 5.0, -4.0, 11.0])


@pytest.mark.parametrize(
    ("name", "below", "above"), [("relu", 0.0, [1, 1]), ("relu6", 0.0, [1, 0]), ("leaky-relu", 0.01, [1, 1])]
)
def test_only_zeros_are_touched(name: str, below: float, above: list[int]) -> None:
    for slope in (0.0, 0.5, 1.0, -3.0):
        layer = Activation(name, slope_at_zero=slope)
        assert layer.backward(X, D)[0].value.tolist() == [below, 2 * slope, 5 * above[0], -4 * slope, 11 * above[1]]
        assert layer.forward(X).value.tolist() == Activation(name).forward(X).value.tolist()
    usual = Activation(name).backward(X, D)[0].value
    assert usual.tolist() == Activation(name, slope_at_zero=below).backward(X, D)[0].value.tolist()


@pytest.mark.parametrize("name", [row.name for row in ACTIVATIONS.values() if row.at_zero])
def test_it_is_the_slope_along_a_complex_step_and_another_is_found(name: str) -> None:
    layer = Activation(name, slope_at_zero=0.25)
    right = layer.backward(X, D)[0].value
    assert gradcheck(layer, X, D).right
    for cell in (1, 3):
        wrong = right.copy()
        wrong[cell] += 0.5
        assert not gradcheck(layer, X, D, gradients={"dX": wrong}).right


def test_fractions_are_kept() -> None:
    x = np.array([Fraction(0), Fraction(-1, 3)], object)
    found = Activation("relu", slope_at_zero=Fraction(1, 3)).backward(x, np.array([Fraction(2), Fraction(5)], object))
    assert found[0].value.tolist() == [Fraction(2, 3), 0]


def test_smooth_activations_have_none() -> None:
    for row in ACTIVATIONS.values():
        if not row.at_zero:
            with pytest.raises(OptionError, match="does not jump at 0"):
                Activation(row.name, slope_at_zero=1.0)


def test_behind_layers_in_documents_and_in_networks(convgrad: Convgrad) -> None:
    job = "convgrad dense-backward '[1, 2]' '[3, 4]' -w '[[2, -1], [1, 1]]' --activation relu"
    dX = json.loads(convgrad(f"{job} --slope-at-zero 0.5 --only dX").out)["dX"]
    assert dX == [3 * 0.5 * 2 + 4 * 1, 3 * 0.5 * -1 + 4 * 1]
    document = {"input": [0], "delta": [8], "activation": "relu", "slope_at_zero": 0.25}
    assert json.loads(convgrad("convgrad activation-backward -", stdin=json.dumps(document)).out)["dX"] == [2]
    network = {"layers": [{"type": "dense", "weight": [[1, -1]], "activation": "relu", "slope_at_zero": 1}]}
    ran = convgrad("convgrad backprop - '[2, 2]' '[3]'", stdin=json.dumps(network))
    assert json.loads(ran.out)["layers"][0]["dX"] == [-3, 3]
    refused = convgrad("convgrad activation-backward '[0]' '[1]' --activation tanh --slope-at-zero 1")
    assert (refused.code, refused.out) == (2, "") and "--slope-at-zero belongs to" in refused.err


def test_each_convention_names_the_option_that_makes_the_answer_right(convgrad: Convgrad) -> None:
    x, delta = "[-1, 0, 2, 0, 3, 0]", "[1.5, 2.75, 3, 4.25, 5, -6.5]"
    job = f"convgrad activation-backward '{x}' '{delta}' --activation relu"
    for slope, other in (("1", "0"), ("0.5", "0"), ("0", "1"), ("1", "0.5"), ("0.5", "1")):
        right = json.loads(convgrad(f"{job} --slope-at-zero {slope} --only dX").out)
        ran = convgrad(f"{job} --slope-at-zero {other} --check {quoted(right)}")
        answer = json.loads(ran.out)["answers"]["dX"]
        if slope == "0":  # zeros are evidence of nothing
            continue
        assert answer["verdict"] == "convention" and answer["convention"]["option"] == f"--slope-at-zero {slope}"
        assert convgrad(f"{job} {answer['convention']['option']} --check {quoted(right)}").code == 0
