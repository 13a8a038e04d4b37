"""What does not fit is said with both arrays and where both come from; a bias of two axes is no bug."""

import json
from pathlib import Path

import pytest
from conftest import Convgrad

WIDE_BIAS = """'{"input": [1,2,3,4], "kernel": [1,2], "delta": [1,2,3], "bias": [[1,2],[3,4]]}'"""
UNSHARED = """'{"input": [1,2,3,4], "kernel": [[1,2],[1,2],[1,2]], "unshared": true, "bias": [[1,2],[3,4]]}'"""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "convgrad dense-forward x.json -w w.json",
            "w.json and x.json: the weight is 1x3, for 3 inputs, but the input is 2x2",
        ),
        ("convgrad conv-forward x.json -k k.json", "k.json and x.json: a 3x1 kernel does not fit on a 2x2 input"),
        (
            "convgrad conv-backward x.json d.json -k s.json",
            "d.json, x.json and s.json: delta is 3, but a 2x2 input under a 1x1",
        ),
        (
            "convgrad pool-backward x.json d.json --size 1",
            "d.json and x.json: delta is 3, but a 2x2 input under a 1x1 window",
        ),
        (
            "convgrad conv-backward x.json e.json",
            "e.json and x.json: delta is 3x3, which no kernel gives on a 2x2 input",
        ),
        (
            "convgrad activation-backward x.json d.json --activation relu",
            "d.json and x.json: delta is 3, but a 2x2 input",
        ),
        ("convgrad loss x.json d.json", "d.json and x.json: the target is 3, but the output is 2x2"),
        (
            "convgrad conv-forward x.json -k s.json -b d.json",
            "d.json and s.json: the bias is 3, but expected is a number",
        ),
        (
            "convgrad dense-forward y.json -w v.json -b d.json",
            "d.json and v.json: the bias is 3, but expected are 2 numbers",
        ),
        (
            "convgrad conv-forward all.json",
            "all.json: kernel and input: the kernel has 3 input channels, but the input has 2",
        ),
    ],
)
def test_a_misfit_names_both_operands(
    convgrad: Convgrad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, said: str
) -> None:
    files = {
        "x": [[1, 2], [3, 4]],
        "y": [1, 2],
        "w": [[1, 2, 3]],
        "v": [[1, 2], [3, 4]],
        "k": [[1], [2], [3]],
        "s": [[1]],
        "d": [1, 2, 3],
        "e": [[1, 2, 3]] * 3,
        "all": {"input": [[[1]], [[2]]], "kernel": [[[[1]], [[2]], [[3]]]]},
    }
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    monkeypatch.chdir(tmp_path)
    ran = convgrad(line)
    assert ran.code == 2 and not ran.out
    assert ran.err.startswith(f"Error: {said}"), ran.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"convgrad conv-backward {WIDE_BIAS}", "bias and kernel: the bias is 2x2, but expected is a number"),
        (
            """convgrad conv-backward '{"input": [1,2,3,4], "delta": [1,2,3], "bias": [[1,2],[3,4]]}' --format torch""",
            "bias: the bias is 2x2, but expected is a number",
        ),
        (
            """convgrad conv-forward '{"input": [[1,2]], "kernel": [[[1,2]],[[3,4]]], "dims": 1, "bias": [[1,2],[3,4]]}'""",
            "bias and kernel: the bias is 2x2, but expected is 2 numbers, one a filter",
        ),
        (
            f"convgrad conv-forward {UNSHARED}",
            "bias and kernel: the bias is 2x2, but expected is a number, or 3, one a place",
        ),
    ],
)
def test_a_bias_of_two_axes_is_refused_in_the_shape_that_it_has(convgrad: Convgrad, line: str, said: str) -> None:
    ran = convgrad(line)
    assert ran.code == 2 and not ran.out
    assert ran.err.startswith(f"Error: the literal: {said}"), ran.err
