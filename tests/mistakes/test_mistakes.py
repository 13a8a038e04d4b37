"""The catalogue of mistakes: every row is recognised from what it gives, outside loops agree, and nothing else is accused."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad, quoted
from numpy.typing import NDArray
from scipy.signal import convolve, correlate

from convgrad.kinds import RESULTS
from convgrad.mistakes import catalogue
from convgrad.mistakes.about import LAYERS
from convgrad.mistakes.case import Case
from convgrad.mistakes.catalogue import rows_for
from convgrad.mistakes.evidence import information
from convgrad.mistakes.mistake import FAMILIES, Mistake
from convgrad.mistakes.recogniser import differs, pairs, predictions, recognise
from convgrad.mistakes.shown import shown
from convgrad.problems import Operand
from convgrad.teaching.draws import case_of, drawn, showing
from convgrad.teaching.example import example

Array = NDArray[Any]

ROWS = {row.name: row for row in catalogue.ROWS}
MOST = 60
"""Problems on which a row is tried before it is said that it is never named alone."""


def says(answer: Any, digits: int = 5) -> Callable[[Array], bool]:
    """Whether an array is what the answer says, to so many significant digits."""
    answer = np.asarray(answer, float)
    unit = 10.0 ** (np.floor(np.log10(np.where(answer == 0, 1, np.abs(answer)))) - digits + 1)
    slack = np.where(answer == 0, 1e-9, 0.5000001 * unit)
    return lambda array: array.shape == answer.shape and bool((np.abs(array - answer) <= slack).all())


def rounded(array: Array, digits: int = 5) -> Array:
    scale = 10.0 ** (digits - 1 - np.floor(np.log10(np.where(array == 0, 1, np.abs(array)))))
    return np.asarray(np.round(array * scale) / scale)


def problem(layer: str = "conv", seed: int = 0, settings: dict[str, Any] | None = None, **shapes: Any) -> Case:
    """A problem of random numbers in these shapes; arrays are taken as they are."""
    rng = np.random.default_rng(seed)
    arrays = {
        role: np.asarray(given, float) if isinstance(given, np.ndarray | list) else np.round(rng.normal(size=given), 2)
        for role, given in shapes.items()
    }
    operands = {role: Operand(array, role) for role, array in arrays.items()}
    return case_of(layer, operands, settings or {}, backward="delta" in shapes or layer == "loss")


def named(case: Case, name: str, answer: Any, digits: int = 5) -> set[str]:
    """The mistakes named alone for an answer."""
    found = recognise(case, name, says(answer, digits))
    return {sighting.mistakes[0].name for sighting in found if len(sighting.mistakes) == 1}


# -- the table ------------------------------------------------------------------------------------------------


def test_every_row_is_whole() -> None:
    assert len(ROWS) == len(catalogue.ROWS) >= 150
    for row in catalogue.ROWS:
        assert re.fullmatch(r"[a-zA-Z]+(-[a-z]+)*", row.name), row.name
        assert row.family in FAMILIES
        assert set(row.layers) <= set(LAYERS) and set(row.about) <= set(RESULTS), row.name
        assert row.layers and row.about
        assert set(row.alike) <= set(ROWS), row.name
        assert bool(row.convention) == (row.rank == 0), row.name
        for text in (row.what, row.why, row.mend):
            assert text.endswith(".") and len(text) > 6, text
    assert {"kernel-not-rotated", "dW-rotated", "overlaps-overwrite", "averaged-over-batch"} <= set(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_recognised_from_what_it_gives_and_named_alone(name: str) -> None:
    """On a suitable problem it is the only one named, but for those that are declared to be alike."""
    row, rng = ROWS[name], np.random.default_rng(7)
    for case, result in islice(showing(row, rng), MOST):
        with np.errstate(all="ignore"):
            given = [array for array in row.predict(case, result) if differs(array, case.right(result))]
        found = named(case, result, rounded(given[int(rng.integers(len(given)))]))
        if name in found and found <= {name, *row.alike}:
            return
    raise AssertionError(f"{name} was never named alone")


# -- outside opinions: the wrong algorithm itself, written as people write it -------------------------------------


def test_dX_by_correlating_with_the_kernel_itself() -> None:
    case = problem(input=(6, 7), kernel=(3, 2), delta=(4, 6))
    x, w, g = (case.operands[role].array for role in ("input", "kernel", "delta"))
    assert np.allclose(case.right("dX"), convolve(g, w, "full"))
    assert named(case, "dX", rounded(correlate(g, w, "full"))) == {"kernel-not-rotated"}
    assert named(case, "output", rounded(convolve(x, w, "valid"))) == {"kernel-rotated"}
    assert named(case, "dW", rounded(correlate(x[::-1, ::-1], g[::-1, ::-1], "valid"))) == {"dW-rotated"}
    assert named(case, "dW", rounded(convolve(x, g, "valid"))) == {"delta-rotated"}
    assert named(case, "dX", rounded(correlate(g, w[::-1, ::-1], "valid"))) == {"valid-for-full"}


def loops(case: Case, stride: int, padding: int, assign: bool = False, step: int | None = None) -> dict[str, Array]:
    """A convolution's backward pass as a course's exercise has it: four loops, with a padded input."""
    x, w, g = (case.operands[role].array for role in ("input", "kernel", "delta"))
    (n, _, h, v), (f, _, kh, kw) = x.shape, w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dX, dW = np.zeros_like(padded), np.zeros_like(w)
    step = stride if step is None else step
    for e, i, j, k in np.ndindex(n, g.shape[2], g.shape[3], f):
        a, b = i * step, j * step
        window = (e, slice(None), slice(a, a + kh), slice(b, b + kw))
        if assign:
            dX[window], dW[k] = g[e, k, i, j] * w[k], g[e, k, i, j] * padded[window]
        else:
            dX[window] += g[e, k, i, j] * w[k]
            dW[k] += g[e, k, i, j] * padded[window]
    return {"dX": dX[:, :, padding : padding + h, padding : padding + v], "dXp": dX, "dW": dW}


def test_the_loops_of_a_course_with_their_usual_slips() -> None:
    case = problem(
        input=(2, 2, 7, 8),
        kernel=(3, 2, 3, 3),
        delta=(2, 3, 4, 4),
        settings={"stride": (2, 2), "padding": ((1, 1),) * 2},
    )
    right, slipped = loops(case, 2, 1), loops(case, 2, 1, assign=True)
    assert np.allclose(right["dX"], case.right("dX")) and np.allclose(right["dW"], case.right("dW"))
    assert named(case, "dX", rounded(slipped["dX"])) == {"overlaps-overwrite"}
    assert named(case, "dW", rounded(slipped["dW"])) == {"last-overlay-only"}
    assert named(case, "dX", rounded(loops(case, 2, 1, step=1)["dX"])) == {"stride-ignored"}
    assert named(case, "dW", rounded(loops(case, 2, 1, step=1)["dW"])) == {"stride-ignored"}
    assert named(case, "dX", rounded(right["dXp"])) == {"padding-not-removed"}
    assert named(case, "dX", rounded(right["dXp"][:, :, :7, :8])) == {"not-shifted-back"}
    delta = case.operands["delta"].array
    assert named(case, "db", rounded(delta.mean(axis=(0, 2, 3)))) == {"averaged-over-batch-and-overlays"}
    assert named(case, "db", rounded(delta.sum(axis=(0, 1, 2)))) == {"summed-over-wrong-axes"}
    assert named(case, "db", rounded(delta[-1].sum(axis=(1, 2)))) == {"one-example-only"}
    assert named(case, "dW", rounded(right["dW"] / 2)) == {
        "averaged-over-batch",  # two examples, two channels: nothing tells them apart here
        "averaged-over-channels",
        "halved",
    }


def correlated(x: Array, w: Array, g: Array, holes: int = 1) -> dict[str, Array]:
    """dX and dW of planes by whole correlations, the delta laid with `holes` - 1 zeros, in the shapes that they have."""
    laid = np.zeros([(n - 1) * holes + 1 for n in g.shape])
    laid[::holes, ::holes] = g
    return {"dX": convolve(laid, w, "full"), "dW": correlate(x, laid, "valid")}


@pytest.mark.parametrize("padding", [0, 1])
def test_a_forgotten_stride_is_named_in_the_shape_that_it_leaves(padding: int) -> None:
    settings = {"stride": (2, 2), "padding": ((padding, padding),) * 2}
    case = problem(input=(9, 7), kernel=(3 + 2 * padding,) * 2, delta=(4, 3), settings=settings)
    x, w, g = (case.operands[role].array for role in ("input", "kernel", "delta"))
    padded = np.pad(x, padding)
    inside = (slice(padding, -padding or None),) * 2
    right = correlated(padded, w, g, 2)
    assert np.allclose(right["dX"][inside], case.right("dX")) and np.allclose(right["dW"], case.right("dW"))
    slipped = correlated(padded, w, g)
    for array in (slipped["dX"], slipped["dX"][inside]):
        assert array.shape != case.right("dX").shape
        assert named(case, "dX", rounded(array)) == {"stride-ignored"}
    assert slipped["dW"].shape != case.right("dW").shape
    assert named(case, "dW", rounded(slipped["dW"])) == {"stride-ignored"}
    assert named(case, "dX", rounded(correlated(padded, w, g, 3)["dX"][inside])) == {"stride-off-by-one"}
    if padding:
        assert named(case, "dW", rounded(correlated(x, w, g, 2)["dW"])) == {"padding-forgotten"}


def test_a_dilation_forgotten_is_named_in_the_shape_that_it_leaves() -> None:
    case = problem(input=(8, 9), kernel=(3, 2), delta=(4, 7), settings={"dilation": (2, 2)})
    x, w, g = (case.operands[role].array for role in ("input", "kernel", "delta"))
    dense = correlated(x, w, g)
    assert np.allclose(dense["dW"][::2, ::2], case.right("dW"))
    assert named(case, "dW", rounded(dense["dW"])) == {"dilation-ignored"}
    assert named(case, "dX", rounded(dense["dX"])) == {"dilation-ignored"}


def test_a_transposed_convolution_without_its_stride_in_the_shape_that_it_leaves() -> None:
    case = problem(
        "transposed", input=(3, 4), kernel=(3, 2), delta=(7, 8), settings={"transposed": True, "stride": (2, 2)}
    )
    x, w, g = (case.operands[role].array for role in ("input", "kernel", "delta"))
    assert np.allclose(correlate(g, w, "valid")[::2, ::2], case.right("dX"))
    assert named(case, "dX", rounded(correlate(g, w, "valid"))) == {"stride-ignored"}
    assert named(case, "dW", rounded(correlate(g, x, "valid"))) == {"stride-ignored"}


def test_bias_and_channels_of_an_output() -> None:
    case = problem(input=(3, 5, 5), kernel=(2, 3, 2, 2), bias=(2,))
    x, w, b = (case.operands[role].array for role in ("input", "kernel", "bias"))
    each = np.stack([[correlate(x[c], w[f, c], "valid") for c in range(3)] for f in range(2)])
    assert np.allclose(each.sum(1) + b[:, None, None], case.right("output"))
    assert named(case, "output", rounded(each.sum(1))) == {"bias-forgotten"}
    assert named(case, "output", rounded(each[:, -1] + b[:, None, None])) == {"one-channel-only"}
    assert named(case, "output", rounded(each.sum(1) + 12 * b[:, None, None])) == {"bias-in-every-product"}


def test_pooling_worked_by_hand() -> None:
    x = [[-1.0, -2.0, 3.0, 3.0], [-4.0, -5.0, 1.0, 2.0], [7.0, 0.5, -6.0, -1.5], [7.0, 2.5, -2.0, -3.0]]
    pool = problem("pool", input=x, delta=[[0.3, 1.7], [-2.1, 0.9]], settings={"size": (2, 2)})
    shared = [[0.3, 0, 0.85, 0.85], [0, 0, 0, 0], [-1.05, 0, 0, 0.9], [-1.05, 0, 0, 0]]
    assert named(pool, "dX", shared) == {"ties-split"}
    everywhere = np.kron([[0.3, 1.7], [-2.1, 0.9]], np.ones((2, 2)))
    assert "delta-to-every-cell" in named(pool, "dX", everywhere)
    average = problem("pool", input=x, delta=[[0.3, 1.7], [-2.1, 0.9]], settings={"size": (2, 2), "kind": "avg"})
    assert "average-not-shared" in named(average, "dX", everywhere)
    padded = problem("pool", input=x, settings={"size": (3, 3), "padding": ((1, 1),) * 2, "stride": (1, 1)})
    zeros = np.pad(np.asarray(x), 1)
    with_zeros = [[zeros[i : i + 3, j : j + 3].max() for j in range(4)] for i in range(4)]
    assert not np.allclose(with_zeros, padded.right("output"))
    assert "maximum-padded-with-zeros" in named(padded, "output", with_zeros)


def test_derivatives_and_losses_by_formula() -> None:
    z, dA = np.array([[0.3, -1.2, 0.7], [1.5, 0.2, -0.4]]), np.array([[1.3, -0.6, 0.8], [0.4, -1.1, 0.9]])
    sigmoid = problem("activation", input=z, delta=dA, settings={"activation": "sigmoid"})
    a = 1 / (1 + np.exp(-z))
    assert np.allclose(sigmoid.right("dX"), dA * a * (1 - a))
    twice = 1 / (1 + np.exp(-a))
    assert named(sigmoid, "dX", rounded(dA * twice * (1 - twice))) == {"derivative-at-output"}
    assert named(sigmoid, "dX", rounded(dA * z * (1 - z))) == {"output-form-at-input"}
    assert named(sigmoid, "dX", dA) == {"derivative-missing"}
    softmax = problem("activation", input=z, delta=dA, settings={"activation": "softmax"})
    s = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    assert named(softmax, "dX", rounded(dA * s * (1 - s))) == {"softmax-diagonal-only"}
    loss = problem("loss", output=z, target=[2, 0], settings={"kind": "cross-entropy"})
    one_hot = np.eye(3)[[2, 0]]
    assert np.allclose(loss.right("delta"), (s - one_hot) / 2)
    assert named(loss, "delta", rounded(s / 2)) == {"one-hot-forgotten"}
    assert named(loss, "delta", rounded((s - one_hot) / 2 * s * (1 - s))) == {"derivative-applied-again"}
    assert named(loss, "delta", rounded(s - one_hot)) >= {"loss-not-averaged"}
    across = np.exp(z) / np.exp(z).sum(axis=0)
    assert named(loss, "delta", rounded((across - one_hot) / 2)) == {"softmax-of-loss-over-wrong-axis"}


def test_dense_layers_and_steps_by_formula() -> None:
    step = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.5}
    case = problem("dense", input=(2, 3), weight=(3, 3), delta=(2, 3), velocity_W=(3, 3), settings=step)
    x, W, g, v = (case.operands[role].array for role in ("input", "weight", "delta", "velocity_W"))
    assert named(case, "dX", rounded(g @ W.T)) == {"weight-not-transposed"}
    assert named(case, "dX", rounded(g @ np.linalg.inv(W).T)) == {"inverse-for-transpose"}
    assert named(case, "dW", rounded(x.T @ g)) == {"channel-axes-exchanged", "reshaped-in-wrong-order"}
    assert named(case, "dW", rounded(x * g)) == {"element-wise-product"}
    dW = g.T @ x
    assert np.allclose(case.right("W_new"), W - 0.1 * (0.9 * v + dW + 0.5 * W))
    assert named(case, "W_new", rounded(W + 0.1 * (0.9 * v + dW + 0.5 * W))) == {"ascent"}
    assert named(case, "W_new", rounded(W - (0.9 * v + dW + 0.5 * W))) == {"learning-rate-forgotten"}
    assert named(case, "W_new", rounded(W - 0.1 * (0.9 * v + dW - 0.5 * W))) == {"weight-decay-sign-lost"}
    assert named(case, "W_new", rounded(W + (0.9 * v - 0.1 * (dW + 0.5 * W)))) == {"velocity-with-learning-rate"}
    assert named(case, "W_new", rounded(W - 0.1 * (0.9 * v + x.T @ g + 0.5 * W))) == {
        "channel-axes-exchanged",
        "reshaped-in-wrong-order",
    }  # a wrong dW is recognised in what the step makes of it


def test_an_ascent_without_momentum_is_an_ascent_and_nothing_else() -> None:
    """A row applies where its setting is in force: no momentum, no signs of it to mix; and W_new's sign is right."""
    shapes: dict[str, Any] = {"input": (2,), "weight": (2, 2), "delta": (2,), "bias": (2,)}
    for step in ({"lr": 0.1}, {"lr": 0.1, "momentum": 0.9}, {"lr": 0.1, "weight_decay": 0.5}):
        case = problem("dense", settings=step, **shapes)
        for name, parameter in (("W_new", "weight"), ("b_new", "bias")):
            old = case.operands[parameter].array
            assert named(case, name, rounded(2 * old - case.right(name)), 6) == {"ascent"}, (step, name)
    plain = problem("dense", settings={"lr": 0.1}, **shapes)
    assert named(plain, "W_new", rounded(plain.operands["weight"].array)) == {"step-not-taken"}
    conv = problem(input=(5, 6), kernel=(2, 3), delta=(4, 4))
    rows = {each.mistakes[0].name for name in ("output", "dW", "dX") for each in predictions(conv, name)}
    assert not {row for row in rows if row.startswith(("dilat", "stride", "padding", "wrong-group", "weight-decay"))}


def test_the_undilated_delta_whose_correlation_happens_to_fit() -> None:
    """A 5x5 input under a 3x3 kernel with stride 2 and padding 1: its delta is 3x3, and so the full correlation 5x5."""
    case = problem(input=(5, 5), kernel=(3, 3), delta=(3, 3), settings={"stride": (2, 2), "padding": ((1, 1),) * 2})
    w, g = (case.operands[role].array for role in ("kernel", "delta"))
    full = convolve(g, w, "full")
    assert full.shape == case.right("dX").shape
    assert named(case, "dX", rounded(full)) == {"undilated-delta-fits"}
    both = recognise(case, "dX", says(rounded(correlate(g, w, "full"))))
    assert {"undilated-delta-fits", "kernel-not-rotated"} in [{m.name for m in each.mistakes} for each in both]


def test_the_largest_cell_that_keeps_the_last_delta() -> None:
    """dX[argmax] = delta, where 9 is the maximum of four windows."""
    x, g = [[1.0, 2.0, 3.0], [4.0, 9.0, 5.0], [6.0, 7.0, 8.0]], [[0.317, 1.203], [-0.551, 0.829]]
    x = [[8.5, *row] for row in x]  # and a column of its own maxima before it
    case = problem("pool", input=x, delta=[[0.713, *row] for row in g], settings={"size": (2, 2), "stride": (1, 1)})
    found = case.right("dX").copy()
    assert found[1, 2] == pytest.approx(np.sum(g))
    dX = np.zeros_like(found)
    for (i, j), delta in np.ndenumerate(case.operands["delta"].array):
        window = np.asarray(x)[i : i + 2, j : j + 2]
        u, v = np.unravel_index(int(window.argmax()), (2, 2))
        dX[i + u, j + v] = delta
    assert "maximum-assigned" in named(case, "dX", rounded(dX))


def test_a_convention_that_differs_in_one_cell_is_one(convgrad: Convgrad) -> None:
    line = "convgrad activation-backward '[-4,2,2,0]' '[-1,5,3,-1]' --activation relu --only dX --format json --check"
    for last, verdict in (("-1.000", "convention"), ("-0.500", "convention"), ("-3.000", "wrong"), ("2", "wrong")):
        ran = convgrad(f"""{line} '["0.000","5.000","3.000","{last}"]'""")
        assert json.loads(ran.out)["answers"]["dX"]["verdict"] == verdict, last
    nothing = convgrad(f"""{line} '["-1","-1","-1","-1"]'""")
    assert json.loads(nothing.out)["answers"]["dX"]["mistakes"] == []


def test_a_lone_number_is_recognised_where_it_has_digits_enough() -> None:
    """The classic sample's db, 0.0836, without its sign and as a mean; small whole numbers say too little."""
    x, g = np.arange(25.0).reshape(5, 5), np.zeros((4, 4))
    g[0, 2], g[1, 1], g[2, 1], g[3, 3] = 0.0686, 0.0364, 0.0467, -0.0681
    classic = problem(input=x, delta=g)
    assert named(classic, "db", -0.0836, 3) == {"sign-reversed"}
    assert named(classic, "db", 0.005225, 4) == {"averaged-over-overlays"}
    assert named(classic, "db", -0.0681, 3) == {"last-overlay-only"}
    whole = problem(input=x, delta=np.round(100 * g))
    assert named(whole, "db", -float(whole.right("db")), 3) == set()


# -- two mistakes at once -----------------------------------------------------------------------------------------


def test_two_mistakes_at_once_are_recognised() -> None:
    case = problem(input=(2, 2, 6, 7), kernel=(3, 2, 3, 2), delta=(2, 3, 2, 6), settings={"stride": (2, 1)})
    w, g = case.operands["kernel"].array, case.operands["delta"].array
    turned = {**case.operands, "kernel": Operand(w[:, :, ::-1, ::-1], "kernel")}
    unrotated = case.solver(turned, case.settings, True).quantities["dX"].value
    last = {**case.operands, "delta": Operand(g * np.arange(2)[:, None, None, None], "delta")}
    only_last = case.solver(last, case.settings, True).quantities["dW"].value
    for name, answer, both in (
        ("dX", -unrotated, {"kernel-not-rotated", "sign-reversed"}),
        ("dX", unrotated / 2, {"kernel-not-rotated", "averaged-over-batch"}),
        ("dW", only_last[..., ::-1, ::-1], {"one-example-only", "dW-rotated"}),
    ):
        found = recognise(case, name, says(rounded(answer)))
        assert all(len(sighting.mistakes) == 2 for sighting in found)
        assert any(both == {mistake.name for mistake in sighting.mistakes} for sighting in found), (name, both)
    assert recognise(case, "dW", says(rounded(only_last[..., ::-1, ::-1] / 12))) == []  # three at once are too many


# -- silence ------------------------------------------------------------------------------------------------------


def accusations(case: Case, name: str, answer: Array, digits: int = 5) -> list[list[str]]:
    return [[m.name for m in sighting.mistakes] for sighting in recognise(case, name, says(answer, digits))]


def test_a_right_answer_is_never_accused() -> None:
    rng = np.random.default_rng(3)
    for layer in LAYERS:
        for _ in range(6):
            case = drawn(layer, rng)
            for name in case.solution.quantities if case else ():
                assert case is not None
                for digits in (3, 6):
                    assert accusations(case, name, rounded(case.right(name), digits), digits) == []


@pytest.mark.slow
def test_a_right_answer_with_one_cell_changed_is_not_accused() -> None:
    rng = np.random.default_rng(4)
    for seed in range(3):
        case = problem(seed=seed, input=(2, 6, 6), kernel=(3, 2, 2, 2), delta=(3, 5, 5), bias=(3,))
        for name in ("output", "dW", "dX", "db"):
            answer = np.array(rounded(case.right(name)))
            cell = tuple(int(rng.integers(n)) for n in answer.shape)
            for wrong in (0.0, -answer[cell], 2 * answer[cell], answer[cell] + 1, round(float(rng.normal()), 3)):
                answer[cell] = wrong
                assert accusations(case, name, answer) == [], (seed, name, cell, wrong)
                answer[cell] = rounded(case.right(name))[cell]


def test_small_whole_numbers_that_mean_nothing_are_not_accused() -> None:
    rng = np.random.default_rng(5)
    for seed in range(20):
        whole = [rng.integers(-4, 5, shape).tolist() for shape in ((3, 3), (2, 2), (2, 2))]
        case = problem(seed=seed, input=whole[0], kernel=whole[1], delta=whole[2])
        for name in ("output", "dW", "db", "dX"):
            answer = rng.integers(-4, 5, case.right(name).shape).astype(float)
            if differs(answer, case.right(name)):
                assert accusations(case, name, answer) == [], (seed, name, answer)


def test_zeros_and_one_number_everywhere_are_no_evidence() -> None:
    case = problem(input=(6, 6), kernel=(2, 2), delta=[[1.0] * 5] * 5, bias=[0.5])
    ones = problem(input=[[1.0] * 6] * 6, kernel=[[1.0, 1.0], [1.0, 1.0]], delta=[[2.0] * 5] * 5)
    for each in (case, ones):
        for name in ("output", "dW", "dX"):
            assert accusations(each, name, np.zeros(each.right(name).shape)) == []
    assert accusations(ones, "output", np.full((5, 5), 8.0)) == []  # twice the right 4, as anything could be


def test_zeros_are_not_explained_by_the_noise_of_sums_that_cancel() -> None:
    case = problem(input=(6, 6), kernel=(2, 2), delta=[[0.1, 0.2, -0.3]] * 5, settings={"stride": (1, 2)})
    assert 0 < abs(float(case.right("db"))) < 1e-15  # so delta times weight is noise too
    assert accusations(case, "dW", np.zeros((2, 2))) == []


def test_evidence_counts_what_is_not_known_already() -> None:
    right = np.arange(1.0, 26.0).reshape(5, 5) * 1.37
    one_off = right.copy()
    one_off[2, 2] = -31.0
    whole = np.array([[2.0, -1.0], [0.0, 3.0]])
    assert information(right, right, says(right)) == 0
    assert information(0 * right, right, says(0 * right)) == 0
    assert information(one_off, right, says(one_off)) < information(-right, right, says(-right))
    assert information(whole, -whole, says(whole)) < 12  # four small whole numbers are not much
    coarse = rounded(-right, 3)
    assert information(-right, right, says(coarse, 3)) < information(-right, right, says(-right, 6))


@pytest.mark.slow
def test_predictions_are_never_the_right_value_and_cost_little() -> None:
    rng = np.random.default_rng(6)
    for layer in LAYERS:
        case = next(filter(None, (drawn(layer, rng) for _ in range(20))))
        for name in case.solution.quantities:
            alone = list(predictions(case, name))
            assert all(differs(each.array, case.right(name)) for each in alone)
            assert len(alone) < 300
            assert sum(1 for _ in pairs(case, name, alone)) < 20_000


# -- what a problem shows -----------------------------------------------------------------------------------------


def test_a_symmetric_kernel_hides_a_rotation_and_asymmetry_shows_it() -> None:
    kernels = {"symmetric": [[1.0, 2.0], [2.0, 1.0]], "plain": [[1.0, 2.0], [3.0, 5.0]]}
    found = {}
    for name, kernel in kernels.items():
        case = problem(input=(5, 6), kernel=kernel, delta=(4, 5))
        each = shown(case, "dX")
        seen = [*each.alone, *chain(*each.together), *each.too_few]
        assert sorted(row.name for row in [*seen, *each.hidden, *each.foreign]) == sorted(
            row.name for row in rows_for("conv", "dX")
        )
        found[name] = {row.name for row in each.hidden}
    assert "kernel-not-rotated" in found["symmetric"] - found["plain"]


def promised(case: Case, digits: int) -> Iterator[tuple[str, str, set[str]]]:
    """(the result, a mistake that is told apart, what is named), for each way of making it."""
    for name in case.solution.quantities:
        alone = {row.name for row in shown(case, name).alone}
        for each in predictions(case, name):
            if each.mistakes[0].name in alone:
                yield name, each.mistakes[0].name, named(case, name, rounded(each.array, digits), digits)


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS)
def test_what_is_told_apart_is_named_alone_in_whichever_way_it_is_made(layer: str) -> None:
    rng, planted = np.random.default_rng(8), 0
    for number in range(4):
        case = drawn(layer, rng, small=True) if planted <= 20 else None  # of some layers one problem plants hundreds
        for name, mistake, found in promised(case, 4 + number % 2) if case else ():
            planted += 1
            assert found == {mistake}, (name, case and case.settings)
    assert planted > 20


def test_where_variants_overlap_mistakes_are_together() -> None:
    """Of a sum over two numbers the mean over all is a convention, and half the right one."""
    case = problem("loss", output=[0.31, -1.27], target=[0.54, 0.83], settings={"kind": "mse-sum"})
    groups = [{row.name for row in group} for group in shown(case, "delta").together]
    assert any({"loss-averaged", "loss-mse-mean"} <= group for group in groups)


def test_too_few_numbers_and_what_does_not_apply() -> None:
    case = problem(input=[[1, 2], [3, 5]], kernel=[[1, 1], [1, 1]], delta=[[2]])
    each = {name: shown(case, name) for name in ("db", "dX", "dW")}
    assert "sign-reversed" in {row.name for row in each["db"].too_few}
    assert "kernel-not-rotated" in {row.name for row in each["dX"].hidden}
    assert {"stride-ignored", "averaged-over-batch"} <= {row.name for row in each["dW"].foreign}


def test_what_is_0_but_for_rounding_is_0() -> None:
    """0.1 + 0.2 - 0.3 is no number of its own, and neither is its double or its opposite."""
    case = problem(input=(6, 6), kernel=(2, 2), delta=[[0.1, 0.2, -0.3]] * 5, settings={"stride": (1, 2)})
    assert 0 < abs(float(case.right("db"))) < 1e-15
    assert not any(0 < np.abs(each.array).max() < 1e-12 for each in predictions(case, "db"))
    seen = shown(case, "db")
    assert not {"sign-reversed", "doubled"} & {row.name for row in [*seen.alone, *chain(*seen.together), *seen.too_few]}
    assert {"sign-reversed", "doubled"} <= {row.name for row in seen.hidden}


@pytest.mark.parametrize("name", ["kernel-not-rotated", "ties-split", "learning-rate-forgotten", "one-hot-forgotten"])
def test_a_worked_example_shows_its_mistake(name: str) -> None:
    worked = example(ROWS[name])
    assert worked is not None
    assert worked.right.shape == worked.case.right(worked.name).shape
    assert name in named(worked.case, worked.name, worked.wrong)
    again = example(ROWS[name])
    assert again is not None
    assert np.array_equal(worked.wrong, again.wrong)


# -- the command --------------------------------------------------------------------------------------------------


def test_the_catalogue_as_json_and_as_a_table(convgrad: Convgrad) -> None:
    rows = json.loads(convgrad("convgrad mistakes").out)
    assert [set(row) for row in rows] == [{"name", "about", "layers", "what", "why", "mend"}] * len(ROWS)
    assert len(json.loads(convgrad("convgrad mistakes --layer pool").out)) == sum(
        "pool" in row.layers for row in catalogue.ROWS
    )
    for width in (80, 120):
        table = convgrad("convgrad mistakes", tty=True, COLUMNS=str(width), NO_COLOR="1").out
        assert max(map(len, table.splitlines())) <= width
        assert all(name in table for name in ROWS)


def test_one_mistake_in_full(convgrad: Convgrad) -> None:
    entry = json.loads(convgrad("convgrad mistakes kernel-not-rotated").out)
    assert entry["what"].startswith("dX is the full correlation of delta with the kernel itself")
    assert entry["example"]["result"] == "dX"
    document = json.dumps(entry["example"]["problem"])
    again = json.loads(convgrad("convgrad conv-backward - --only dX", stdin=document).out)
    np.testing.assert_allclose(again["dX"], entry["example"]["right"], atol=1e-8)
    screen = convgrad("convgrad mistakes kernel-not-rotated", tty=True, COLUMNS="80", NO_COLOR="1").out
    assert max(map(len, screen.splitlines())) <= 80
    for part in ("What ", "Why ", "Mend ", "For example", "dX, right", "dX, wrong"):
        assert part in screen
    option = convgrad("convgrad mistakes ties-split", tty=True, NO_COLOR="1").out
    assert "--ties split" in option


def test_a_near_miss_of_a_name(convgrad: Convgrad) -> None:
    ran = convgrad("convgrad mistakes kernel-not-rotatd")
    assert (ran.code, ran.out) == (2, "")
    assert "Did you mean 'kernel-not-rotated'?" in ran.err
    for rest in ("nothing-of-the-kind", "absent.json", "--only dX"):
        ran = convgrad(f"convgrad mistakes {rest}")
        assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert convgrad("convgrad mistakes dW-rotated --format csv").code == 2


PROBLEMS: dict[str, dict[str, Any]] = {
    "conv": {"input": [[1, 2, 3], [4, 5, 7], [7, 8, 9]], "kernel": [[1, 2], [3, 5]], "delta": [[1, 2], [3, 5]]},
    "transposed": {"input": [[1, 2], [3, 5]], "kernel": [[1, 2], [3, 5]], "transposed": True, "delta": [[1, 2, 3]] * 3},
    "pool": {"input": [[1, 2], [3, 3]], "size": 2, "delta": [[1]]},
    "dense": {"input": [1, 2], "weight": [[1, 2], [3, 4]], "delta": [1, 2], "lr": 0.1},
    "activation": {"input": [1, -2, 0], "activation": "relu", "delta": [1, 2, 3]},
    "loss": {"output": [1, 2], "target": [0, 1]},
}


@pytest.mark.parametrize("layer", PROBLEMS)
def test_what_a_problem_shows(convgrad: Convgrad, tmp_path: Path, layer: str) -> None:
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(PROBLEMS[layer]))
    found = json.loads(convgrad(f"convgrad mistakes {quoted(path)}").out)
    assert found["layer"] == layer
    for name, groups in found["results"].items():
        assert list(groups) == ["told_apart", "together", "too_few_numbers", "invisible", "does_not_apply"]
        rows = [*chain(*groups["together"]), *chain(*(groups[key] for key in groups if key != "together"))]
        assert len(rows) == len(set(rows))
        assert {row.name for row in rows_for(layer, name)} <= set(rows)
    for width in (80, 120):
        screen = convgrad(f"convgrad mistakes {quoted(path)}", tty=True, COLUMNS=str(width), NO_COLOR="1").out
        assert max(map(len, screen.splitlines())) <= width
        for label in ("told apart", "too few", "invisible", "does not apply"):
            assert label in screen


def test_ties_of_a_problem_are_seen(convgrad: Convgrad, tmp_path: Path) -> None:
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(PROBLEMS["pool"]))
    groups = json.loads(convgrad(f"convgrad mistakes {quoted(path)} --only dX").out)["results"]["dX"]
    assert any(
        "ties-split" in names for names in [groups["told_apart"], *groups["together"], groups["too_few_numbers"]]
    )
    path.write_text(json.dumps({**PROBLEMS["pool"], "input": [[1, 2], [3, 4]]}))
    groups = json.loads(convgrad(f"convgrad mistakes {quoted(path)} --only dX").out)["results"]["dX"]
    assert "ties-split" in groups["invisible"]
    assert {"padding-not-removed", "stride-axes-exchanged", "root-forgotten"} <= {*groups["does_not_apply"]}


def test_a_problem_that_does_not_say_its_layer(convgrad: Convgrad, tmp_path: Path) -> None:
    path = tmp_path / "problem.json"
    path.write_text('{"input": [1, 2, 3], "delta": [1, 2]}')
    ran = convgrad(f"convgrad mistakes {quoted(path)}")
    assert (ran.code, ran.out) == (2, "")
    assert "--layer" in ran.err
    assert json.loads(convgrad(f"convgrad mistakes {quoted(path)} --layer conv").out)["layer"] == "conv"
    path.write_text('{"layer": "cnv", "input": [1, 2, 3]}')
    assert "Did you mean 'conv'?" in convgrad(f"convgrad mistakes {quoted(path)}").err


def test_the_help_begins_with_an_example(convgrad: Convgrad) -> None:
    assert convgrad("convgrad mistakes --help").out.startswith("Example:\n\n  convgrad mistakes ")


def test_rows_are_their_own(convgrad: Convgrad) -> None:
    """Rows are values: the same object every time, so that they can be counted and compared."""
    assert len({row.name for row in catalogue.ROWS}) == len(catalogue.ROWS)
    assert all(isinstance(row, Mistake) for row in catalogue.ROWS)


def test_a_problem_in_fractions_is_looked_at_in_floats(convgrad: Convgrad) -> None:
    problem = '{"input": [1,2,3,4], "kernel": [1,2], "delta": [1,2,5], "dtype": "exact"}'
    ran = convgrad(f"convgrad mistakes {quoted(problem)} --only dW --format json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["results"]["dW"]["told_apart"]
