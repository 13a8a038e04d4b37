"""What a velocity holds in other systems: loops by their own rules, and that all come to the same weights."""

import json
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad, quoted

from convgrad.errors import OptionError
from convgrad.layers.sgd import SGD

LR, MU, WD = 0.1, 0.9, 0.01


def keras(w: Any, g: Any, v: Any, nesterov: bool) -> tuple[Any, Any]:
    """Keras 3's SGD, as its documentation has it."""
    v = MU * v - LR * g
    return (w + MU * v - LR * g if nesterov else w + v), v


def cs231n(w: Any, g: Any, v: Any, nesterov: bool) -> tuple[Any, Any]:
    """CS231n's notes: v_prev is kept for the step of Nesterov."""
    v_prev, v = v, MU * v - LR * g
    return (w - MU * v_prev + (1 + MU) * v if nesterov else w + v), v


def caffe(w: Any, g: Any, v: Any, nesterov: bool) -> tuple[Any, Any]:
    """Caffe's SGDSolver and NesterovSolver: history, and the difference that is taken off."""
    old, v = v, MU * v + LR * g
    return (w - ((1 + MU) * v - MU * old) if nesterov else w - v), v


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize(
    ("form", "system"), [("step", keras), ("step", cs231n), ("negative-step", caffe)], ids=["keras", "cs231n", "caffe"]
)
def test_three_steps_are_those_of_the_system_and_the_weights_those_of_pytorch(
    form: str, system: Any, nesterov: bool
) -> None:
    rng = np.random.default_rng(0)
    w = theirs = plain = rng.normal(size=(2, 3))
    v = mine = pytorch = None
    ours, usual = SGD(LR, MU, nesterov, WD, form), SGD(LR, MU, nesterov, WD)
    for _ in range(3):
        g = rng.normal(size=w.shape)
        w, v = (each.value for each in ours.step("W", w, g, v))
        theirs, mine = system(theirs, g + WD * theirs, np.zeros_like(w) if mine is None else mine, nesterov)
        plain, pytorch = (each.value for each in usual.step("W", plain, g, pytorch))
        assert np.allclose(w, theirs, rtol=1e-13) and np.allclose(v, mine, rtol=1e-13)
        assert np.allclose(w, plain, rtol=1e-13) and np.allclose(v, ours.scale * pytorch, rtol=1e-13)


@pytest.mark.parametrize("form", ["gradient", "step", "negative-step"])
@pytest.mark.parametrize("nesterov", [False, True])
def test_the_working_adds_up_and_says_the_rule(form: str, nesterov: bool) -> None:
    rng = np.random.default_rng(1)
    w, g, v = (rng.integers(-4, 5, (2, 2)).astype(float) for _ in range(3))
    for quantity in SGD(0.5, 0.5, nesterov, 0.25, form).step("W", w, g, v):
        *_, (_, total) = quantity.running()
        assert np.allclose(total, quantity.value, rtol=1e-14)
        for at in np.ndindex(2, 2):
            assert np.isclose(sum(p for _, p in quantity.explain(at).terms(True)), quantity.value[at])
    formula = str(SGD(0.5, 0.5, nesterov, 0.25, form).step("W", w, g, v)[0].formula)
    assert (
        formula
        == {
            ("gradient", False): "W_new = W - lr * (dW + 0.25 * W + 0.5 * velocity), with lr = 0.5",
            ("gradient", True): "W_new = W - lr * (dW + 0.25 * W + 0.5 * velocity_W), with lr = 0.5",
            ("step", False): "W_new = W - lr * dW - lr * 0.25 * W + 0.5 * velocity, with lr = 0.5",
            ("step", True): "W_new = W - lr * dW - lr * 0.25 * W + 0.5 * velocity_W, with lr = 0.5",
            ("negative-step", False): "W_new = W - (lr * dW + lr * 0.25 * W + 0.5 * velocity), with lr = 0.5",
            ("negative-step", True): "W_new = W - (lr * dW + lr * 0.25 * W + 0.5 * velocity_W), with lr = 0.5",
        }[form, nesterov]
    )


JOB = "convgrad dense-backward '[3, 5]' '[2, 7]' -w '[[1, 2], [4, 3]]' --lr 0.3 --momentum 0.9"
VELOCITY = quoted({"velocity_W": [[1.5, -2.25], [0.75, 3.5]]})


def test_a_convention_is_named_with_its_option(convgrad: Convgrad) -> None:
    for form in ("gradient", "step", "negative-step"):
        for other in ("gradient", "step", "negative-step"):
            if form == other:
                continue
            line = f"{JOB} --velocity {VELOCITY}"
            right = json.loads(convgrad(f"{line} --velocity-form {form} --only W_new,velocity_W").out)
            for name in ("W_new", "velocity_W"):
                answer = {name: right[name]}
                checked = json.loads(convgrad(f"{line} --velocity-form {other} --check {quoted(answer)}").out)
                found = checked["answers"][name]
                assert found["verdict"] == "convention", (form, other, name)
                assert found["convention"]["option"] == f"--velocity-form {form}"


def test_a_step_from_a_wrong_gradient_follows_in_every_form(convgrad: Convgrad) -> None:
    for form in ("gradient", "step", "negative-step"):
        for nesterov in ("", "--nesterov"):
            line = f"{JOB} --velocity {VELOCITY} --velocity-form {form} {nesterov}"
            wrong = json.loads(convgrad(f"{line} --only dW,velocity_W,W_new".replace("'[2, 7]'", "'[3, 8]'")).out)
            found = json.loads(convgrad(f"{line} --check {quoted(wrong)}").out)["answers"]
            assert found["velocity_W"]["verdict"] == found["W_new"]["verdict"] == "follows", (form, nesterov)


def test_it_is_refused_without_a_momentum_and_by_other_names(convgrad: Convgrad) -> None:
    ran = convgrad("convgrad dense-backward '[1]' '[1]' -w '[[1]]' --lr 0.1 --velocity-form step")
    assert (ran.code, ran.out) == (2, "") and "--velocity-form needs a momentum" in ran.err
    with pytest.raises(OptionError, match="no `velocity_form` 'keras'"):
        SGD(0.1, 0.9, velocity_form="keras")


def test_a_network_remembers_its_velocities_in_that_form(convgrad: Convgrad, tmp_path: Any) -> None:
    network = {"layers": [{"type": "dense", "weight": [[1, -1]], "bias": [1]}]}
    (tmp_path / "one.json").write_text(json.dumps(network))
    two = tmp_path / "two.json"
    line = "'[2, 3]' '[3]' --lr 0.1 --momentum 0.5 --velocity-form step"
    assert convgrad(f"convgrad backprop {quoted(tmp_path / 'one.json')} {line} --save-network {quoted(two)}").code == 0
    found = json.loads(convgrad(f"convgrad backprop {quoted(two)} {line}").out)["layers"][0]
    first = json.loads(convgrad(f"convgrad backprop {quoted(tmp_path / 'one.json')} {line}").out)["layers"][0]
    v = 0.5 * np.array(first["velocity_W"]) - 0.1 * np.array(found["dW"])
    assert np.allclose(found["velocity_W"], v) and np.allclose(found["W_new"], np.array(first["W_new"]) + v)
