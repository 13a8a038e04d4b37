"""hard-sigmoid: by hand, by fractions, by a complex step, and the slopes of other systems as conventions."""

import json
from fractions import Fraction

import numpy as np
import pytest
from conftest import Convgrad, quoted

from convgrad import Activation, gradcheck

X = np.array([-4.0, -3.0, -1.5, 0.0, 1.5, 3.0, 4.0])


def test_as_pytorch_and_keras_3_have_it_worked_by_hand() -> None:
    layer = Activation("hard-sigmoid")
    assert np.allclose(layer.forward(X).value, [0, 0, 0.25, 0.5, 0.75, 1, 1], atol=1e-15)
    dX = layer.backward(X, np.full(7, 6.0))[0].value
    assert np.allclose(dX, [0, 0, 1, 1, 1, 0, 0], atol=1e-15)


def test_as_onnx_and_keras_2_have_it() -> None:
    layer = Activation("hard-sigmoid", slope=0.2, shift=0.5)
    by_loop = [max(0.0, min(1.0, 0.2 * each + 0.5)) for each in X]
    assert np.allclose(layer.forward(X).value, by_loop, atol=1e-15)
    assert np.allclose(layer.backward(X, np.full(7, 5.0))[0].value, [0, 0, 1, 1, 1, 0, 0], atol=1e-15)


def test_fractions_are_kept(convgrad: Convgrad) -> None:
    ran = convgrad(
        "convgrad activation-backward '[1, \"1/2\", -3]' '[1, 2, 3]' --activation hard-sigmoid --dtype exact"
    )
    assert json.loads(ran.out) == {"output": ["2/3", "7/12", 0], "dX": ["1/6", "1/3", 0]}
    ran = convgrad("convgrad activation-forward 1 --activation hard-sigmoid --slope 1/3 --shift 1/7 --dtype exact")
    assert json.loads(ran.out)["output"] == str(Fraction(10, 21))


@pytest.mark.parametrize(("slope", "shift"), [(None, None), (0.2, 0.5), (-0.5, 0.25), (0.0, 0.3), (2.0, -1.0)])
def test_a_complex_step_agrees_and_a_wrong_cell_is_found(slope: float | None, shift: float | None) -> None:
    layer, delta = Activation("hard-sigmoid", slope=slope, shift=shift), np.arange(1.0, 8.0)
    assert gradcheck(layer, X, delta).right
    wrong = layer.backward(X, delta)[0].value
    wrong[3] += 0.01
    assert not gradcheck(layer, X, delta, gradients={"dX": wrong}).right


def test_the_slope_of_another_system_is_named(convgrad: Convgrad) -> None:
    job = "convgrad activation-backward '[-1.25, 0.5, 2.25, 0.75]' '[1.5, -2.5, 3.25, 7]' --activation hard-sigmoid"
    for slope, other in (("0.2", "1/6"), ("1/6", "0.2")):
        right = json.loads(convgrad(f"{job} --slope {slope}").out)
        found = json.loads(convgrad(f"{job} --slope {other} --check {quoted(right)}").out)["answers"]
        for name in ("output", "dX"):
            assert found[name]["convention"]["option"] == f"--slope {slope}", name


def test_slope_and_shift_belong_to_it(convgrad: Convgrad) -> None:
    ran = convgrad("convgrad activation-forward 1 --activation relu --slope 2")
    assert (ran.code, ran.out) == (2, "") and "--slope belongs to --activation hard-sigmoid" in ran.err
