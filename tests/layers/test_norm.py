"""Normalisation: numbers worked by loops, its four ways, its graph, its answers, its networks."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import SAMPLES, Convgrad, quoted
from hypothesis import given
from numpy.typing import NDArray
from spaces import norms

from convgrad import Norm
from convgrad.errors import ConvgradError
from convgrad.kinds.norm import OVER
from convgrad.mistakes.catalogue import ROWS
from convgrad.mistakes.recogniser import predictions, recognise
from convgrad.problems import Operand
from convgrad.teaching.draws import case_of, drawn

Array = NDArray[Any]
SAMPLE = "samples/normalisation/problem.json"
JOB = f"convgrad norm-backward {SAMPLE}"
IMAGES = [[[[1, 2], [3, 5]], [[0, 1], [1, 4]]], [[[2, 2], [0, 1]], [[6, -1], [2, 2]]]]


def run(convgrad: Convgrad, line: str, stdin: str = "", code: int = 0) -> Any:
    ran = convgrad(line, stdin)
    assert ran.code == code, ran.err
    return json.loads(ran.out)


def sharing(layer: Norm, shape: tuple[int, ...]) -> list[list[tuple[int, ...]]]:
    """The cells that share a mean, told by loops over all cells."""
    size = shape[1] // (layer.groups or 1)
    found: dict[Any, list[tuple[int, ...]]] = {}
    for cell in product(*map(range, shape)):
        n, c, *_ = cell
        key = {"batch": c, "layer": n, "instance": (n, c), "group": (n, c // size)}[layer.over]
        found.setdefault(key, []).append(cell)
    return list(found.values())


def scale(array: Array | None, cell: tuple[int, ...], neutral: float) -> float:
    if array is None:
        return neutral
    return float(array[cell[1]] if array.ndim == 1 else array[cell[1:]])


@given(norms())
def test_it_agrees_with_loops_over_what_shares_a_mean(case: tuple[Norm, Array, Array]) -> None:
    """dX by the chain rule, through mean and variance, cell by cell: no closed form."""
    layer, x, delta = case
    output, dX = np.zeros_like(x), np.zeros_like(x)
    found = {each.name: each.value for each in (layer.forward(x), *layer.backward(x, delta))}
    sums = {name: np.zeros_like(found[name]) for name in ("dgamma", "dbeta")}
    for cells in sharing(layer, x.shape):
        channel = cells[0][1]
        mean = sum(x[c] for c in cells) / len(cells) if layer.mean is None else layer.mean[channel]
        var = sum((x[c] - mean) ** 2 for c in cells) / len(cells) if layer.var is None else layer.var[channel]
        root = (var + layer.eps) ** 0.5
        for c in cells:
            xhat = (x[c] - mean) / root
            output[c] = scale(layer.gamma, c, 1) * xhat + scale(layer.beta, c, 0)
            for name, amount in (("dgamma", delta[c] * xhat), ("dbeta", delta[c])):
                sums[name][c[1] if sums[name].ndim == 1 else c[1:]] += amount
            for other in cells:
                g = scale(layer.gamma, other, 1) * delta[other]
                constant = layer.mean is not None
                by_deviation = (other == c) - (0 if constant else 1 / len(cells))
                by_root = 0 if constant else -(x[other] - mean) / root**3 * (x[c] - mean) / len(cells)
                dX[c] += g * (by_deviation / root + by_root)
    for name, expected in {"output": output, "dX": dX, **sums}.items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-10, atol=1e-10, err_msg=name)


@given(norms())
def test_means_variances_and_sums_of_gradients(case: tuple[Norm, Array, Array]) -> None:
    """A plain normalisation has mean 0 and variance 1 but for eps, and nothing comes back along a shift or a stretch."""
    layer, x, delta = case
    plain = Norm(over=layer.over, groups=layer.groups, eps=layer.eps)
    output, dX = plain.forward(x).value, plain.backward(x, delta)[-1].value
    for cells in sharing(layer, x.shape):
        at = tuple(np.array(cells).T)
        var = x[at].var()
        np.testing.assert_allclose(output[at].mean(), 0, atol=1e-12)
        np.testing.assert_allclose(output[at].var(), var / (var + layer.eps), atol=1e-12)
        np.testing.assert_allclose(dX[at].sum(), 0, atol=1e-10)
    if layer.over == "batch" and layer.mean is None:  # an input moved by as much in each example changes nothing
        np.testing.assert_allclose(layer.forward(x + 3).value, layer.forward(x).value, atol=1e-10)


@given(norms())
def test_every_element_is_the_sum_of_its_products(case: tuple[Norm, Array, Array]) -> None:
    layer, x, delta = case
    for quantity in (layer.forward(x), *layer.backward(x, delta)):
        for at in list(np.ndindex(quantity.shape))[:6]:
            told = quantity.explain(at)
            np.testing.assert_allclose(told.value, quantity.value[at], rtol=1e-9, atol=1e-10, err_msg=told.element)
            ways = {part.path: part.total for part in told.parts}
            if quantity.name == "dX" and layer.mean is None:
                assert list(ways) == ["directly", "by the mean", "by the variance", "by the mean inside the variance"]
                assert abs(ways["by the mean inside the variance"]) < 1e-12


def test_images_share_by_channel_example_or_group() -> None:
    x = np.arange(48.0).reshape(2, 4, 2, 3) ** 1.5
    whole, parts = Norm(over="layer").forward(x).value, Norm(over="group", groups=1).forward(x).value
    np.testing.assert_allclose(whole, parts)
    np.testing.assert_allclose(
        Norm(over="instance").forward(x).value, Norm(over="group", groups=4).forward(x).value, atol=1e-12
    )
    alone = Norm().forward(x[:1]).value
    np.testing.assert_allclose(alone, Norm(over="instance").forward(x[:1]).value, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("over", OVER)
def test_results_keep_the_dtype(over: str, dtype: Any) -> None:
    x = np.arange(16, dtype=dtype).reshape(2, 2, 4)
    layer = Norm(np.ones(2, dtype), over=over, groups=1 if over == "group" else None)
    for quantity in (layer.forward(x), *layer.backward(x, x)):
        assert quantity.value.dtype == dtype, quantity.name
        assert quantity.explain((0,) * len(quantity.shape)).value.dtype == dtype


# -- the command line ---------------------------------------------------------------------------------------------


def test_the_sample_written_out(convgrad: Convgrad) -> None:
    """dX[0,0] on paper: g is 3, 0, 6, 3 with mean 3; xhat is -1, -1/3, 1/3, 1; g xhat has mean 1/2; the root is 3."""
    told = run(convgrad, f"{JOB} --explain 'dX[0,0]' --explain 'output[1,0]'")["explain"]
    ways: dict[str, float] = {}
    for term in told[0]["terms"]:
        ways[term["path"]] = ways.get(term["path"], 0) + term["product"]
    assert ways == pytest.approx(
        {"directly": 1, "by the mean": -1, "by the variance": 1 / 6, "by the mean inside the variance": 0}
    )
    assert told[0]["value"] == pytest.approx(1 / 6)
    assert told[1]["terms"][0]["factors"] == [
        ["gamma[0]", 3.0],
        ["(input[1,0] - mean)", -1.0],
        ["(1/sqrt(var + eps))", pytest.approx(1 / 3)],
    ]
    table = convgrad(f"{JOB} --explain 'dX[0,1]'", tty=True, NO_COLOR="1", COLUMNS="100").out
    assert "by the mean inside the variance: dvar*-2/4*(input[0,1] - mean)*1/4 + " in " ".join(table.split())
    words = " ".join(table.split())
    assert "by the variance: -1/4*xhat[0,1]*gamma[1]*delta[0,1]*xhat[0,1]*(1/sqrt(var + eps)) + " in words


def test_the_four_ways_are_shown_whole(convgrad: Convgrad) -> None:
    found = run(convgrad, f"{JOB} --steps all")
    steps = found["steps"]["dX"]
    assert [each["called"] for each in steps] == [
        "dX directly",
        "dX by the mean",
        "dX by the variance",
        "dX by the mean inside the variance",
    ]
    assert not np.any(steps[3]["contribution"])
    np.testing.assert_allclose(sum(np.array(each["contribution"]) for each in steps), found["dX"], atol=1e-15)
    assert steps[3]["sum"] == found["dX"]
    assert found["form"] == "closed" and found["arrays"]["mean"] == [4, 1] and found["arrays"]["var"] == [5, 12]
    for form in ("table", "markdown", "latex"):
        text = convgrad(f"{JOB} --steps all --format {form}").out
        assert "deviations from a mean add up to 0" in " ".join(text.split())


def test_the_graph_is_told_node_by_node_and_ends_in_the_same_numbers(convgrad: Convgrad) -> None:
    closed, graph = (run(convgrad, f"{JOB} --steps all --form {form}") for form in ("closed", "graph"))
    for name in ("output", "dgamma", "dbeta", "dX"):
        assert closed[name] == graph[name]
    assert graph["form"] == "graph"
    node = {name: np.array(array) for name, array in graph["arrays"].items()}
    x, delta, gamma = (
        np.array(json.loads((SAMPLES / "normalisation/problem.json").read_text())[name])
        for name in ("input", "delta", "gamma")
    )
    made = {
        "mean": x.mean(0),
        "deviations": x - node["mean"],
        "squares": node["deviations"] ** 2,
        "var": node["squares"].mean(0),
        "root": np.sqrt(node["var"] + 4),
        "inverse": 1 / node["root"],
        "xhat": node["deviations"] * node["inverse"],
        "scaled": gamma * node["xhat"],
        "dxhat": gamma * delta,
        "dinverse": (node["dxhat"] * node["deviations"]).sum(0),
        "droot": -node["dinverse"] * node["inverse"] ** 2,
        "dvar": node["droot"] * node["inverse"] / 2,
        "dsquares": node["dvar"] / 4,
        "ddeviations": node["dxhat"] * node["inverse"],
        "dsquared": 2 * node["deviations"] * node["dsquares"],
        "dmean": -node["ddeviations"].sum(0),
        "dmean2": -node["dsquared"].sum(0),
    }
    assert list(made) == list(graph["arrays"])
    for name, expected in made.items():
        np.testing.assert_allclose(node[name], expected, atol=1e-14, err_msg=name)
    total = node["ddeviations"] + node["dmean"] / 4 + node["dsquared"] + node["dmean2"] / 4
    np.testing.assert_allclose(total, graph["dX"], atol=1e-14)
    shown = ["ddeviations", "dmean / 4", "dsquared", "dmean2 / 4"]
    assert [each["called"] for each in graph["steps"]["dX"]] == shown
    for form in ("table", "markdown", "latex", "html"):
        assert "dsquared" in convgrad(f"{JOB} --form graph --steps all --format {form}").out


def test_given_statistics_are_constants(convgrad: Convgrad) -> None:
    given = "--mean '[1,2]' --var '[3,5]' --eps 1 --gamma '[2,1]'"
    found = run(convgrad, f"convgrad norm-backward '[[1,2],[3,4]]' '[[1,0],[0,6]]' {given} --steps all")
    np.testing.assert_allclose(found["output"], np.array([[0, 0], [2, 2 / np.sqrt(6)]]))
    np.testing.assert_allclose(found["dX"], np.array([[1, 0], [0, np.sqrt(6)]]))
    assert [each["called"] for each in found["steps"]["dX"]] == ["dX directly"]
    one = run(convgrad, "convgrad norm-forward '[[1,2]]' --mean 0 --var 1")["output"]  # a mean of one cell, given
    np.testing.assert_allclose(one, np.array([[1, 2]]) / 1.00001**0.5)
    graph = run(convgrad, f"convgrad norm-backward '[[1,2],[3,4]]' 1 {given} --form graph --steps all")
    assert list(graph["arrays"]) == ["deviations", "root", "inverse", "xhat", "scaled", "dxhat", "ddeviations"]


def test_layouts_numbers_and_rows_of_an_example(convgrad: Convgrad) -> None:
    x, d = np.array(IMAGES, float), np.arange(16.0).reshape(2, 2, 2, 2)
    moved = " ".join(quoted(np.moveaxis(each, 1, -1).tolist()) for each in (x, d))
    for over in ("batch", "layer", "instance", "group --groups 2"):
        options = f"-g '[2,3]' --beta 0.5 --over {over}"
        first = run(convgrad, f"convgrad norm-backward {quoted(x.tolist())} {quoted(d.tolist())} {options}")
        turned = f"convgrad norm-backward {moved} {options} --layout channels-last"
        last = run(convgrad, turned)
        assert last["dgamma"] == pytest.approx(first["dgamma"])
        np.testing.assert_allclose(np.moveaxis(np.array(last["dX"]), -1, 1), first["dX"], atol=1e-14)
        graph = run(convgrad, f"{turned} --form graph --steps all")
        assert np.shape(graph["arrays"]["xhat"]) == (2, 2, 2, 2)
    whole = run(convgrad, f"convgrad norm-backward {quoted(IMAGES)} 1 --over layer --beta {quoted(IMAGES[0])}")
    assert np.shape(whole["dgamma"]) == np.shape(whole["dbeta"]) == (2, 2, 2)
    assert np.ravel(whole["dbeta"]).tolist() == [2] * 8


def test_a_step_of_descent(convgrad: Convgrad, tmp_path: Path) -> None:
    step = f"{JOB} --lr 0.5 --momentum 0.9"
    first = run(convgrad, step)
    assert list(first) == [
        *("output", "dgamma", "dbeta", "dX", "gamma_new", "beta_new", "velocity_gamma", "velocity_beta")
    ]
    assert first["gamma_new"] == pytest.approx([3 - 1 / 3, 4]) and first["beta_new"] == [-1, -1]
    (tmp_path / "first.json").write_text(json.dumps(first))
    again = run(convgrad, f"{step} --velocity {quoted(tmp_path)}/first.json")
    assert again["velocity_beta"] == pytest.approx([7.6, 0])
    bare = convgrad("convgrad norm-backward '[[1],[2]]' 1 --lr 1")
    assert "gamma_new left out: add gamma (-g)" in bare.err and "beta_new left out: add beta (--beta)" in bare.err
    no = convgrad(f"{step} --velocity '[1]'")
    assert "velocities are a document with velocity_gamma and velocity_beta" in no.err


ERRORS = [
    ("convgrad norm-forward '[1,2]'", "expected are 2 or more: (N, C, *)"),
    ("convgrad norm-forward '[[1,2]]'", "a mean over the examples would be over 1 number of a 1x2 input"),
    (
        "convgrad norm-forward '[[1,2],[3,4]]' --over instance",
        "the places of a channel of an example would be over 1 number",
    ),
    ("convgrad norm-forward '[[1,2],[3,4]]' --over group", "add --groups N"),
    ("convgrad norm-forward '[[1,2],[3,4]]' --groups 2", "--groups belongs to --over group"),
    ("convgrad norm-forward '[[1,2,3],[3,4,5]]' --over group --groups 2", "3 channels cannot be split into 2 groups"),
    ("convgrad norm-forward '[[1,2],[3,4]]' --eps 0", "--eps: 0 is not above 0"),
    ("convgrad norm-forward '[[1,2],[3,4]]' --mean 0", "--mean needs --var"),
    ("convgrad norm-forward '[[1,2],[3,4]]' --var 0", "--var needs --mean"),
    ("convgrad norm-forward '[[1,2],[3,4]]' --mean 0 --var -1", "no variance is below 0"),
    ("convgrad norm-forward '[[1,2],[3,4]]' --mean 0 --var 1 --over layer", "belong to --over batch"),
    (
        "convgrad norm-forward '[[1,2],[3,4]]' -g '[1,2,3]'",
        "gamma is 3, but a 2x2 input takes 2; write one number a channel",
    ),
    (
        "convgrad norm-forward '[[[1,2],[3,4]],[[1,2],[3,5]]]' -g '[[1,2],[3,4]]'",
        "gamma is 2x2, but a 2x2x2 input takes 2",
    ),
    ("convgrad norm-forward '[[1,2],[3,4]]' --dtype exact", "--dtype exact: a root of a fraction is no fraction"),
    ("convgrad norm-forward '[[1,2],[3,4]]' --over bach", "Did you mean 'batch'?"),
    (
        "convgrad norm-forward '[[1,2],[3,4]]' --form matrix",
        "there is no matrix form of this layer; it belongs to convolutions",
    ),
]


@pytest.mark.parametrize(("line", "message"), ERRORS)
def test_what_is_refused(convgrad: Convgrad, line: str, message: str) -> None:
    ran = convgrad(line)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert message in ran.err


def test_wrong_settings_of_the_layer_itself() -> None:
    for options in ({"over": "bath"}, {"eps": -1.0}, {"over": "group"}, {"mean": np.zeros(2)}):
        with pytest.raises(ConvgradError):
            Norm(**options)


def test_gradients_agree_with_differences(convgrad: Convgrad) -> None:
    assert run(convgrad, f"{JOB} --gradcheck")["verdict"] == "agrees"
    for over in ("batch", "layer", "instance"):
        checked = run(convgrad, f"convgrad norm-backward {quoted(IMAGES)} 1 --over {over} --gradcheck")
        assert checked["verdict"] == "agrees", over


# -- answers ------------------------------------------------------------------------------------------------------


def test_answers_and_what_follows_from_them(convgrad: Convgrad) -> None:
    check = f"{JOB} --lr 0.5 --check -"
    right = run(convgrad, f"{JOB} --lr 0.5")
    assert run(convgrad, check, stdin=json.dumps(right))["verdict"] == "right"
    own = json.dumps({"dgamma": [1.8642, -4], "gamma_new": [2.0679, 4]})
    found = run(convgrad, check, stdin=own, code=1)["answers"]
    assert (found["gamma_new"]["verdict"], found["gamma_new"]["follows"]) == ("follows", "dgamma")
    constant = json.dumps({"dX": [[1, 1], [0, 0.5], [2, 0], [1, -1.5]]})
    mistake = run(convgrad, check, stdin=constant, code=1)["answers"]["dX"]["mistakes"]
    assert [each["name"] for each in mistake] == ["statistics-taken-for-constants"]
    problem = run(convgrad, f"convgrad mistakes {SAMPLE}")
    assert problem["layer"] == "norm" and "mean-path-left-out" in problem["results"]["dX"]["told_apart"]
    assert "variance-unbiased" in {row["name"] for row in run(convgrad, "convgrad mistakes --layer norm")}
    assert run(convgrad, "convgrad mistakes mean-path-left-out")["example"]["result"] == "dX"


def says(answer: Array) -> Any:
    """Whether an array is what the answer says, to six digits."""
    unit = 10.0 ** (np.floor(np.log10(np.where(answer == 0, 1, np.abs(answer)))) - 5)
    rounded = np.round(answer / unit) * unit
    return lambda array: array.shape == answer.shape and bool((np.abs(array - rounded) <= 0.5000001 * unit).all())


OWN = [row for row in ROWS if row.layers == ("norm",)]


def test_the_rows_of_normalisation_are_there() -> None:
    assert len(OWN) >= 18


@pytest.mark.parametrize("row", OWN, ids=[row.name for row in OWN])
def test_each_variant_of_a_row_is_recognised_where_it_is_planted(row: Any) -> None:
    """In every problem that is drawn, whatever arrays it gives there; the row is among those named."""
    planted = found = 0
    for seed in range(150):
        case = drawn("norm", np.random.default_rng(seed))
        if case is None:
            continue
        for name in row.about:
            if name not in case.solution.quantities:
                continue
            given = [each.array for each in predictions(case, name) if each.mistakes == (row,)]
            for array in given:
                if array.any() and not says(array)(case.right(name)):  # zeros are no evidence
                    planted += 1
                    named = {m.name for s in recognise(case, name, says(array)) for m in s.mistakes}
                    found += row.name in named
        if planted > 60:
            break
    assert planted and found >= 0.85 * planted  # a few answers say too little to be evidence


def test_right_answers_of_every_kind_are_not_accused() -> None:
    for seed in range(25):
        case = drawn("norm", np.random.default_rng(seed))
        for name in case.solution.quantities if case else ():
            assert case is not None
            assert recognise(case, name, says(case.right(name))) == []


def test_the_code_that_people_copy() -> None:
    """The backward pass of a course, with a slip in each line, is named by that slip."""
    rng = np.random.default_rng(1)
    x, gamma, d = rng.normal(size=(5, 3)).round(2), np.array([1.5, -0.5, 2]), rng.normal(size=(5, 3)).round(2)
    case = case_of("norm", {n: Operand(a, n) for n, a in (("input", x), ("gamma", gamma), ("delta", d))}, {"eps": 0.1})
    n, mu, var = len(x), x.mean(0), x.var(0)
    root = np.sqrt(var + 0.1)
    xhat, g = (x - mu) / root, gamma * d
    np.testing.assert_allclose(case.right("dX"), (n * g - g.sum(0) - xhat * (g * xhat).sum(0)) / (n * root))
    for wrong, name in (
        ((n * g - xhat * (g * xhat).sum(0)) / (n * root), "mean-path-left-out"),
        ((n * g - g.sum(0)) / (n * root), "variance-path-left-out"),
        ((n * d - d.sum(0) - xhat * (d * xhat).sum(0)) / (n * root), "gamma-left-out"),
        ((n * g - g.sum(0) - xhat * (g * xhat).sum(0)) / (n * root**2), "divided-by-variance"),
    ):
        assert [s.mistakes[0].name for s in recognise(case, "dX", says(wrong))] == [name]
    unbiased = gamma * (x - mu) / np.sqrt(x.var(0, ddof=1) + 0.1)
    assert [s.mistakes[0].name for s in recognise(case, "output", says(unbiased))] == ["variance-unbiased"]


# -- networks and programs ----------------------------------------------------------------------------------------

NETWORK = {
    "layers": [
        {"type": "conv", "kernel": [[[[1, -2], [0, 1]]], [[[2, 1], [-1, 0]]]], "bias": [1, 2]},
        {"type": "norm", "gamma": [1.5, -1], "beta": [0.5, 0.25], "activation": "relu"},
        {"type": "flatten"},
        {"type": "dense", "weight": [[1, 0, 2, -1, 0.5, 1, 1, 0], [0, 1, 1, 1, -1, 2, 0, 1]]},
        {"type": "norm", "over": "layer", "eps": 0.1},
    ]
}
X, TARGET = "'[[[[1,2,0],[3,1,4],[0,2,5]]],[[[2,0,1],[1,1,3],[4,0,0]]]]'", "'[[1,0],[0,2]]'"
ONE = "'[[[1,2,0],[3,1,4],[0,2,5]]]'"


def test_networks(convgrad: Convgrad, tmp_path: Path) -> None:
    path, saved = tmp_path / "n.json", tmp_path / "next.json"
    path.write_text(json.dumps(NETWORK))
    line = f"convgrad backprop {quoted(path)} {X} {TARGET}"
    found = run(convgrad, f"{line} --lr 0.1 --save-network {quoted(saved)}")
    assert list(found["layers"][1]) == ["type", "output", "delta", "dgamma", "dbeta", "dX", "gamma_new", "beta_new"]
    assert np.abs(found["layers"][0]["db"]).max() < 1e-12  # a bias before a normalisation changes nothing
    checked = run(convgrad, f"{line} --gradcheck")
    assert checked["verdict"] == "agrees", checked
    updated = json.loads(saved.read_text())["layers"][1]
    assert updated["gamma"] == found["layers"][1]["gamma_new"] and updated["beta"] == found["layers"][1]["beta_new"]
    right = json.dumps({"layers[1].dgamma": found["layers"][1]["dgamma"], "layers[1].dX": found["layers"][1]["dX"]})
    assert run(convgrad, f"{line} --check -", right)["verdict"] == "right"
    for form in ("table", "html", "torch"):
        assert convgrad(f"{line} --format {form}").code == 0


def test_a_network_without_an_axis_for_examples(convgrad: Convgrad, tmp_path: Path) -> None:
    path = tmp_path / "n.json"
    path.write_text(json.dumps({"layers": NETWORK["layers"][:4]}))
    line = f"convgrad backprop {quoted(path)} {ONE} '[1,0]'"
    found = run(convgrad, line)
    assert np.shape(found["layers"][1]["dX"]) == (2, 2, 2)
    assert run(convgrad, f"{line} --gradcheck")["verdict"] == "agrees"
    program = convgrad(f"{line} --format torch").out
    assert "F.batch_norm(output0[None], None, None, training=True, weight=gamma1, bias=beta1, eps=1e-05)[0]" in program


CALLS = [
    ("", "F.batch_norm(x, None, None, training=True, eps=1e-05)"),
    ("-g 2", "F.batch_norm(x, None, None, training=True, weight=gamma, eps=1e-05)"),
    ("--mean 1 --var 2", "F.batch_norm(x, mean, var, training=False, eps=1e-05)"),
    ("--over layer", "F.layer_norm(x, x.shape[1:], eps=1e-05)"),
    ("--over layer -g 2", "F.group_norm(x, 1, weight=gamma, eps=1e-05)"),
    (
        f"--over layer -g {quoted(IMAGES[0])} --beta 1",
        "weight=gamma, eps=1e-05) + beta.reshape(-1, *[1] * (x.dim() - 2))",
    ),
    (f"--over layer -g {quoted(IMAGES[0])}", "F.layer_norm(x, x.shape[1:], weight=gamma, eps=1e-05)"),
    ("--over instance --eps 0.1", "F.instance_norm(x, eps=0.1"),
    ("--over group --groups 2 --beta '[1,2]'", "F.group_norm(x, 2, bias=beta, eps=1e-05)"),
]


@pytest.mark.parametrize(("options", "said"), CALLS)
def test_programs(convgrad: Convgrad, options: str, said: str) -> None:
    assert said in convgrad(f"convgrad norm-forward {quoted(IMAGES)} {options} --format torch").out


def test_the_page(convgrad: Convgrad) -> None:
    page = convgrad("convgrad norm-forward --help").out
    for words in ("-g, --gamma SOURCE", "--over NAME", "--groups N", "--eps X", "--mean SOURCE", "--var SOURCE"):
        assert words in page
    assert "closed (the ways in which an input reaches the output; the default) or graph" in " ".join(page.split())
    back = " ".join(convgrad("convgrad norm-backward --help").out.split())
    assert "adds gamma_new and beta_new" in back and "velocity_gamma and velocity_beta of the last step" in back
