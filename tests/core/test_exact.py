"""Rational arithmetic: the decimals as they are written, and what is not rational refused by name."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad, quoted
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from spaces import EVERY_LAYER, whole_numbers

from convgrad import SGD, Activation, Loss, Pool
from convgrad.core.rational import cast, fraction
from convgrad.errors import OptionError
from convgrad.numerals import parse_number, to_fraction
from convgrad.render.number_text import written

Array = NDArray[Any]
CLASSIC = "convgrad conv-backward samples/classic/input.json samples/classic/delta.json"
NOT_RATIONAL = {"elu", "sigmoid", "tanh", "softplus", "gelu", "silu", "softmax"}


def exactly(layer: Any) -> Any:
    """The layer with its arrays in fractions."""
    from dataclasses import replace

    arrays = {name: getattr(layer, name, None) for name in ("kernel", "bias", "weight")}
    return replace(layer, **{name: cast(array, object) for name, array in arrays.items() if array is not None})


@pytest.mark.slow
@given(EVERY_LAYER)
def test_exact_equals_float_to_rounding(case: Any) -> None:
    layer, x, delta = case
    if getattr(layer, "kind", "") == "lp" or getattr(layer, "name", layer.known_as) in (*NOT_RATIONAL, "norm"):
        with pytest.raises(OptionError, match="of a fraction is no fraction"):
            _ = exactly(layer).forward(cast(x, object)).value
        return
    own = exactly(layer)
    found = (own.forward(cast(x, object)), *own.backward(cast(x, object), cast(delta, object)))
    for exact, floating in zip(found, (layer.forward(x), *layer.backward(x, delta)), strict=True):
        assert exact.value.dtype == object
        assert {type(each) for each in exact.value.ravel()} <= {Fraction, int}, exact.name
        np.testing.assert_allclose(exact.value.astype(float), floating.value, rtol=1e-12, atol=1e-12)
        total = np.zeros_like(exact.value) if exact.start is None else exact.start.copy()
        for term in exact.terms():
            total[term.region] += term.patch
        assert np.array_equal(total, exact.value)  # to the last digit, for once
        at = exact.largest()
        assert exact.explain(at).value == exact.value[at]


@pytest.mark.parametrize("kind", ["mse", "mse-mean", "mse-sum", "mse-batch", "mae", "huber"])
@pytest.mark.parametrize("shape", [(2, 3), ()])
def test_rational_losses(kind: str, shape: tuple[int, ...]) -> None:
    output, target = cast(whole_numbers(shape, 0) / 7, object), cast(whole_numbers(shape, 1) / 3, object)
    floats = Loss(kind).backward(output.astype(float), target.astype(float))
    for exact, floating in zip(Loss(kind).backward(output, target), floats, strict=True):
        assert {type(each) for each in exact.value.ravel()} <= {Fraction, int}
        np.testing.assert_allclose(exact.value.astype(float), floating.value, rtol=1e-12)
        assert exact.explain(exact.largest()).value == exact.value[exact.largest()]


def test_steps_are_exact() -> None:
    W, g, v = (cast(whole_numbers((3,), seed), object) for seed in range(3))
    W_new, velocity = SGD(0.1, 0.9, True, 0.01).step("W", W, g, v)
    for k in range(3):
        gradient = g[k] + W[k] / 100
        moved = Fraction(9, 10) * v[k] + gradient
        assert velocity.value[k] == moved
        assert W_new.value[k] == W[k] - (gradient + Fraction(9, 10) * moved) / 10


@pytest.mark.parametrize("ties", ["first", "split"])
def test_shares_are_fractions(ties: str) -> None:
    x = cast(np.ones((1, 1, 3, 3)), object)
    (dX,) = Pool("max", 3, ties=ties).backward(x, cast(np.ones((1, 1, 1, 1)), object))
    assert dX.value[0, 0, 1, 1] == (Fraction(1, 9) if ties == "split" else 0)


def run(convgrad: Convgrad, line: str, stdin: str = "") -> Any:
    ran = convgrad(f"{line} --dtype exact", stdin)
    assert ran.code == 0, ran.err
    return json.loads(ran.out, parse_float=str)


def test_decimals_as_they_are_written(convgrad: Convgrad) -> None:
    found = run(convgrad, CLASSIC)
    assert found == {"dW": [["0.044606", "0.094061"], ["0.011262", "0.068288"]], "db": "0.0836"}
    explained = run(convgrad, f"{CLASSIC} --explain 'dW[0,1]'")["explain"][0]
    assert explained["value"] == "0.094061"
    assert [term["product"] for term in explained["terms"]] == ["0.057624", "0.008008", "0.034558", "-0.006129"]
    ninths = run(convgrad, "convgrad pool-backward samples/classic/input.json 1 --size 3 --kind avg --only dX")["dX"]
    assert ninths[0] == ["1/9", "1/9", "1/9", 0, 0]
    out = convgrad(f"{CLASSIC} --dtype exact --explain 'dW[0,1]' --format table").out
    assert "= 0.0686*0.84 + 0.0364*0.22 + 0.0467*0.74 + -0.0681*0.09\n" in out
    assert "\n = 0.094061\n" in out


LONG = "0.12345678901234567890123"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.json", f"[{LONG}, 1e-30]"),
        ("x.json", f'{{"input": [{LONG}, 1e-30], "dtype": "exact"}}'),
        ("x.csv", f"{LONG},1e-30"),
        ("x.csv", f"{LONG.replace('.', ',')};1e-30"),
        ("x.txt", f"tensor([{LONG}, 1e-30])"),
        ("", f"[{LONG}, 1e-30]"),
        ("-", f"[{LONG}, 1e-30]"),
    ],
)
def test_no_digit_is_lost_on_the_way_in(convgrad: Convgrad, tmp_path: Path, name: str, text: str) -> None:
    source: Any = text if not name else "-" if name == "-" else tmp_path / name
    if name not in ("", "-"):
        source.write_text(text)
    found = run(convgrad, f"convgrad conv-forward {quoted(source)} -k '[3]'", stdin=text)
    assert found["output"] == ["0.37037036703703703670369", "0." + "0" * 29 + "3"]


def test_results_are_read_back(convgrad: Convgrad, tmp_path: Path) -> None:
    for name in ("a.json", "a.csv"):
        ran = convgrad(
            f"convgrad pool-forward '[1, 2, 4]' --size 3 --kind avg --dtype exact -o {quoted(tmp_path / name)}"
        )
        assert ran.code == 0, ran.err
        assert "7/3" in (tmp_path / name).read_text()
        assert run(convgrad, f"convgrad conv-forward {quoted(tmp_path / name)} -k '[3]'")["output"] == [7]
        floating = convgrad(f"convgrad conv-forward {quoted(tmp_path / name)} -k '[3]'")
        assert json.loads(floating.out)["output"] == [pytest.approx(7)]
    ran = convgrad(f"convgrad pool-forward '[1, 2]' --size 2 --dtype exact -o {quoted(tmp_path)}/a.npy")
    assert (ran.code, (tmp_path / "a.npy").exists()) == (2, False)
    assert "json or csv" in ran.err


def test_a_network_in_fractions(convgrad: Convgrad, tmp_path: Path) -> None:
    network = {
        "layers": [{"type": "dense", "weight": [[0.1, 0.2], ["1/3", 0.4]], "activation": "leaky-relu", "alpha": 0.1}],
        "loss": "mse",
    }
    (tmp_path / "n.json").write_text(json.dumps(network))
    found = run(
        convgrad,
        f"convgrad backprop {quoted(tmp_path)}/n.json '[1, 2]' '[0, 0]' --lr 0.1 --save-network {quoted(tmp_path)}/m.json",
    )
    assert found["output"] == ["0.5", "17/15"]
    assert found["loss"] == "1381/1800"
    assert json.loads((tmp_path / "m.json").read_text())["layers"][0]["weight"] == [
        [0.05, 0.1],
        [0.22, "13/75"],
    ]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        *((f"convgrad activation-forward '[1]' --activation {name}", name) for name in sorted(NOT_RATIONAL)),
        *((f"convgrad activation-backward '[1]' 1 --activation {name}", name) for name in sorted(NOT_RATIONAL)),
        ("convgrad conv-forward '[1, 2]' -k '[1]' --activation sigmoid", "sigmoid"),
        ("convgrad pool-forward '[1, 2]' --size 2 --kind lp", "lp pooling"),
        ("convgrad loss '[0.5]' '[1]' --kind bce", "bce"),
        ("convgrad loss '[0.5, 1]' 1 --kind cross-entropy", "cross-entropy"),
    ],
)
def test_what_is_not_rational_is_refused_by_name(convgrad: Convgrad, line: str, name: str) -> None:
    ran = convgrad(f"{line} --dtype exact")
    assert (ran.code, ran.out) == (2, "")
    assert f"{name} of a fraction is no fraction" in ran.err


@given(st.fractions(max_denominator=10**6))
def test_written_fractions_read_back(number: Fraction) -> None:
    assert parse_number(written(number), to_fraction) == number


def test_written() -> None:
    assert [written(Fraction(*each)) for each in ((1, 3), (-1, 8), (5, 1), (1, 50))] == ["1/3", "-0.125", "5", "0.02"]
    assert written(Fraction(2, 3), 4) == "0.6667"
    assert written(Fraction(1, 3000), 2) == "1/3000"  # not rounded to 0
    assert fraction(0.1) == Fraction(1, 10)


def test_numbers_that_are_too_long_are_refused(convgrad: Convgrad) -> None:
    for number in ("1e9999", "1e-99999999", "0." + "3" * 5000):
        ran = convgrad(f"convgrad conv-forward '[{number}]' -k '[1]' --dtype exact")
        assert (ran.code, ran.out) == (2, "")
        assert "too long for exact arithmetic" in ran.err
    ran = convgrad("convgrad conv-forward '[1e999]' -k '[1e900]' --dtype exact")
    assert (ran.code, ran.out[:30]) == (0, '{\n  "output": [1' + "0" * 14)


def test_steps_of_single_numbers(convgrad: Convgrad) -> None:
    """Sums without an axis are fractions too, and no arrays."""
    steps = run(convgrad, "convgrad conv-backward '[1, 0.5]' '[0.1, 3]' -k '[2]' --steps all")["steps"]
    assert [step["sum"] for step in steps["db"]] == ["0.1", "3.1"]
    assert [step["contribution"] for step in steps["dX"]] == [["0.2"], [6]]


@pytest.mark.parametrize("form", ["html", "table", "markdown", "latex", "csv", "torch"])
def test_lone_filters_in_every_format(convgrad: Convgrad, form: str) -> None:
    only = "--only dW" if form == "csv" else ""
    for more in ("", "--transposed", "--unshared --kernel-size 2"):
        kernel = "" if "--unshared" in more else """-k '["1/3", 2]'"""
        ran = convgrad(f"convgrad conv-backward '[1,2,3]' 2 {kernel} {more} {only} --dtype exact --format {form}")
        assert ran.code == 0, ran.err


def test_a_document_may_ask_for_fractions_in_the_network_too(convgrad: Convgrad, tmp_path: Path) -> None:
    layer = {"type": "dense", "weight": [["1/3", "1/7"]]}
    (tmp_path / "n.json").write_text(json.dumps({"layers": [layer]}))
    document = '{"input": [1, 1], "target": ["1/3"], "dtype": "exact"}'
    ran = convgrad(f"convgrad backprop {quoted(tmp_path)}/n.json {quoted(document)} --only loss")
    assert json.loads(ran.out) == {"loss": "1/98"}, ran.err


def test_a_fraction_too_large_for_a_float_is_no_bug(convgrad: Convgrad) -> None:
    ran = convgrad(f"convgrad conv-forward {quoted(['9' * 400 + '/1', 1])} -k '[1]'")
    assert ran.code == 2 and "too large for a float" in ran.err


@pytest.mark.parametrize(
    ("line", "name", "expected"),
    [
        (
            f"convgrad conv-backward '[1,2]' '[1]' -k '[1,1]' --lr {LONG}",
            "W_new",
            ["0.87654321098765432109877", "0.75308642197530864219754"],
        ),
        (
            "convgrad conv-backward '[1,2]' '[1]' -k '[1,1]' --lr 0.1 --weight-decay 1/3 --momentum 1/7",
            "W_new",
            ["13/15", "23/30"],
        ),
        ("""convgrad conv-backward '{"input":[1,2],"delta":[1],"kernel":[1,1],"lr":"1/3"}'""", "W_new", ["2/3", "1/3"]),
        ("convgrad activation-forward '[-1,2]' --activation leaky-relu --alpha 1/3", "output", ["-1/3", 2]),
        ("convgrad activation-backward '[-1,0,\"1/3\",6,7]' 1 --activation relu6", "output", [0, 0, "1/3", 6, 6]),
        ("convgrad activation-backward '[-1,0,\"1/3\",6,7]' 1 --activation relu6", "dX", [0, 0, 1, 0, 0]),
        ("convgrad activation-forward '[-3,\"-1/3\",3,4]' --activation hard-swish", "output", [0, "-4/27", 3, 4]),
        ("convgrad activation-backward '[-3,\"-1/3\",3,4]' 1 --activation hard-swish", "dX", [0, "7/18", 1, 1]),
        ("convgrad activation-backward '[-1,2]' 1 --activation leaky-relu --alpha 1/3", "dX", ["1/3", 1]),
        ("convgrad pool-forward '[1,2,3,4]' --kind avg --size 2 --divisor 1/3", "output", [9, 21]),
    ],
)
def test_options_are_taken_as_they_are_written(convgrad: Convgrad, line: str, name: str, expected: Any) -> None:
    assert run(convgrad, line)[name] == expected


def test_whole_numbers_of_npy_files_are_kept(convgrad: Convgrad, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([2**53 + 1, 2**63 - 1]))
    np.savez(tmp_path / "a.npz", input=np.array([2**64 - 1], np.uint64))
    assert run(convgrad, f"convgrad conv-forward {quoted(tmp_path)}/a.npy -k '[1]'")["output"] == [2**53 + 1, 2**63 - 1]
    assert run(convgrad, f"convgrad conv-forward {quoted(tmp_path)}/a.npz -k '[1]'")["output"] == [2**64 - 1]


def test_refused_activation_is_named() -> None:
    with pytest.raises(OptionError, match="sigmoid"):
        Activation("sigmoid").forward(cast([1, 2], object))
