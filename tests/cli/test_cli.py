"""The program as it is used: what it prints, where, and with which exit code."""

import io
import json
import os
import pty
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import SAMPLES, Convgrad, quoted

from convgrad.cli.app import commands

CLASSIC = "convgrad conv-backward samples/classic/input.json samples/classic/delta.json"
KERNEL = "-k '[[0.1, 0.2], [0.3, 0.4]]'"


def test_the_main_job_prints_json_into_a_pipe(convgrad: Convgrad) -> None:
    ran = convgrad(CLASSIC)
    assert ran.code == 0
    results = json.loads(ran.out)
    assert list(results) == ["dW", "db"]
    np.testing.assert_allclose(results["dW"], [[0.044606, 0.094061], [0.011262, 0.068288]], atol=1e-12)
    assert ran.err == "Note: output and dX left out: add a kernel (-k)\n"
    assert convgrad(f"{CLASSIC} -q").err == ""


def test_the_main_job_draws_tables_on_a_terminal(convgrad: Convgrad) -> None:
    ran = convgrad(CLASSIC, tty=True)
    assert ran.code == 0
    for text in ("overlay (0, 2)", "overlay (3, 3)", "12 of 16 overlays have delta 0 and add nothing", "dW so far"):
        assert text in ran.out
    assert "\x1b[" in ran.out


def test_steps_are_part_of_the_json_where_asked_for(convgrad: Convgrad) -> None:
    results = json.loads(convgrad(f"{CLASSIC} {KERNEL} --steps all").out)
    assert list(results) == ["output", "dW", "db", "dX", "steps"]
    steps = results["steps"]["dW"]
    assert [step["at"] for step in steps] == [[0, 2], [1, 1], [2, 1], [3, 3]]
    first = steps[0]
    assert list(first) == ["at", "region", "delta", "contribution", "sum"]
    assert first["region"] == [[0, 2], [2, 4]]
    assert first["delta"] == 0.0686
    np.testing.assert_allclose(first["contribution"], [[0.060368, 0.057624], [0.015092, 0.040474]])
    assert steps[-1]["sum"] == results["dW"]
    assert results["steps"]["dX"][-1]["sum"] == results["dX"]
    assert results["steps"]["db"][-1]["sum"] == results["db"]
    assert len(results["steps"]["output"]) == 16
    assert len(json.loads(convgrad(f"{CLASSIC} --steps 3").out)["steps"]["dW"]) == 3
    assert "steps" not in json.loads(convgrad(f"{CLASSIC} --steps none").out)


def test_steps_with_batch_and_filters(convgrad: Convgrad) -> None:
    ran = convgrad(
        "convgrad conv-backward - --steps all",
        stdin=json.dumps(
            {
                "input": np.ones((2, 1, 3, 3)).tolist(),
                "kernel": np.ones((2, 1, 2, 2)).tolist(),
                "delta": np.arange(16).reshape(2, 2, 2, 2).tolist(),
                "padding": 0,
            }
        ),
    )
    steps = json.loads(ran.out)["steps"]
    assert [step["at"] for step in steps["dX"]] == [[n, i, j] for n in (0, 1) for i in (0, 1) for j in (0, 1)]
    assert steps["dW"][1]["delta"] == [1.0, 5.0]
    assert np.shape(steps["dX"][0]["contribution"]) == (1, 1, 2, 2)
    assert np.shape(steps["dX"][0]["sum"]) == (2, 1, 3, 3)


def test_regions_are_clipped_to_the_input(convgrad: Convgrad) -> None:
    ran = convgrad("convgrad conv-backward '[[1,2],[3,4]]' -d 1 -k '[[1,2],[3,4]]' --padding 1 --steps all")
    steps = json.loads(ran.out)["steps"]
    assert steps["dX"][0]["region"] == [[0, 1], [0, 1]]
    assert steps["dX"][0]["contribution"] == [[4.0]]
    assert steps["dW"][0]["contribution"] == [[0.0, 0.0], [0.0, 1.0]]
    assert steps["output"][1]["region"] == [[0, 1], [1, 2]]


def test_one_commands_output_is_the_next_ones_delta(convgrad: Convgrad) -> None:
    pool = convgrad("convgrad pool-backward samples/pooling/input.json samples/pooling/delta.json --size 2")
    conv = convgrad(
        f"convgrad conv-backward '[[1,2,3,4,5],[6,7,8,9,0],[1,2,3,4,5],[6,7,8,9,0],[1,2,3,4,5]]' - {KERNEL}",
        stdin=pool.out,
    )
    assert conv.code == 0
    assert json.loads(conv.out)["db"] == 4.0
    forward = convgrad("convgrad conv-forward '[[1,2],[3,4]]' -k '[[1]]'")
    assert json.loads(convgrad("convgrad pool-forward - --size 2", stdin=forward.out).out) == {"output": [[4.0]]}


def test_a_document_holds_everything_and_options_win(convgrad: Convgrad) -> None:
    plain = json.loads(convgrad("convgrad conv-backward samples/two-filters/problem.json").out)
    assert np.shape(plain["output"]) == (2, 3, 3)
    ran = convgrad("convgrad conv-backward samples/two-filters/problem.json --padding 1:0,1 -d 1")
    assert ran.code == 0
    assert np.shape(json.loads(ran.out)["output"]) == (2, 2, 3)
    one = (
        "convgrad conv-backward samples/two-filters/problem.json --only db -k 'samples/two-filters/problem.json#kernel'"
    )
    assert convgrad(one).out == '{\n  "db": [9.0, 7.0]\n}\n'


@pytest.mark.parametrize(
    ("setting", "value", "option"),
    [
        ("stride", [2, 1], "2,1"),
        ("padding", [[1, 2], 0], "1:2,0"),
        ("padding", "same", "same"),
        ("dilation", 2, "2"),
        ("padding", "1:2,0:1", "1:2,0:1"),
    ],
)
def test_a_setting_means_what_the_option_means(convgrad: Convgrad, setting: str, value: Any, option: str) -> None:
    x = np.arange(36).reshape(6, 6).tolist()
    in_document = convgrad("convgrad conv-forward -", stdin=json.dumps({"x": x, "w": [[1, 2], [3, 4]], setting: value}))
    on_line = convgrad(f"convgrad conv-forward {quoted(x)} -k '[[1,2],[3,4]]' --{setting} {option}")
    assert in_document.code == 0
    assert in_document.out == on_line.out


def test_sgd_adds_the_new_parameters(convgrad: Convgrad) -> None:
    ran = convgrad("convgrad conv-backward '[1,2,3]' '[-0.1,0.2]' -k '[0.3,0.5]' -b 0.25 --lr 0.1")
    results = json.loads(ran.out)
    np.testing.assert_allclose(results["W_new"], [0.27, 0.46])
    np.testing.assert_allclose(results["b_new"], 0.24)
    ran = convgrad("convgrad conv-backward '[1,2,3]' '[-0.1,0.2]' --lr 0.1")
    assert (
        ran.err == "Note: output and dX and W_new left out: add a kernel (-k)\nNote: b_new left out: add a bias (-b)\n"
    )


def test_pooling_results(convgrad: Convgrad) -> None:
    ran = convgrad("convgrad pool-forward '[[1,5],[7,7]]' --size 2 --indices")
    assert json.loads(ran.out) == {"output": [[7.0]], "indices": [[2]]}
    ran = convgrad("convgrad pool-forward '[[1,5],[7,7]]' --size 2 --indices --ties last")
    assert json.loads(ran.out)["indices"] == [[3]]
    for kind, expected in (("max", 7.0), ("avg", 5.0), ("sum", 20.0)):
        ran = convgrad(f"convgrad pool-forward '[[1,5],[7,7]]' --global --kind {kind}")
        assert json.loads(ran.out)["output"] == [[expected]]
    ran = convgrad("convgrad pool-backward '[[1,5],[7,7]]' 1 --size 2 --ties split")
    assert json.loads(ran.out)["dX"] == [[0.0, 0.0], [0.5, 0.5]]
    ran = convgrad("convgrad pool-backward '[[1,2],[3,4]]' 1 --size 2 --padding 1 --kind avg --no-count-include-pad")
    assert json.loads(ran.out)["dX"] == [[1.0, 1.0], [1.0, 1.0]]


def test_shape(convgrad: Convgrad) -> None:
    assert json.loads(convgrad("convgrad shape 3x3 --kernel-size 2").out) == {
        "output_shape": [2, 2],
        "parameters": {"shared": 4, "unshared": 16, "dense": 36},
        "biases": {"shared": 1, "unshared": 4, "dense": 4},
    }
    found = json.loads(convgrad("convgrad shape 3x32x32 --kernel-size 3 --filters 16 --padding same").out)
    assert found == {
        "output_shape": [16, 32, 32],
        "parameters": {"shared": 432, "unshared": 442368, "dense": 3 * 32 * 32 * 16 * 32 * 32},
        "biases": {"shared": 16, "unshared": 16384, "dense": 16384},
    }
    found = json.loads(convgrad("convgrad shape 8,32,32,4 --size 2 --layout channels-last").out)
    assert found["output_shape"] == [8, 16, 16, 4]
    found = json.loads(convgrad("convgrad shape 4x8x8 --kernel-size 3 --filters 4 --groups 4").out)
    assert found["parameters"]["shared"] == 36
    assert convgrad("convgrad shape 3x3 --kernel-size 2 --only output_shape --format csv").out == "2,2\n"
    assert "parameters, dense" in convgrad("convgrad shape 3x3 --kernel-size 2", tty=True).out


@pytest.mark.parametrize(
    ("line", "unreached", "note"),
    [
        ("3x32x32 --kernel-size 3 --stride 2", {"rows": [[31, 32]], "columns": [[31, 32]]}, "row 31 and column 31"),
        ("7x8 --size 2", {"rows": [[6, 7]]}, "row 6"),
        ("9 --kernel-size 1 --stride 4", {"cells": [[1, 4], [5, 8]]}, "cells 1 to 3 and 5 to 7"),
        ("6x6 --kernel-size 2 --dilation 5", {"rows": [[1, 5]], "columns": [[1, 5]]}, "rows 1 to 4 and columns 1 to 4"),
        ("3x32x32 --kernel-size 3 --stride 2 --padding 1", None, ""),
        ("7x8 --size 2 --ceil", None, ""),
        ("7x7 --kernel-size 3 --stride 2 --transposed --padding 1", None, ""),
    ],
)
def test_shape_says_which_rows_and_columns_a_stride_drops(
    convgrad: Convgrad, line: str, unreached: object, note: str
) -> None:
    ran = convgrad(f"convgrad shape {line}")
    assert json.loads(ran.out).get("unreached") == unreached
    assert ran.err == (f"Note: no window reaches {note} of the input, so nothing depends on them\n" if note else "")
    assert convgrad(f"convgrad shape {line} -q").err == ""
    for form in ("table", "markdown", "html", "latex"):
        assert ("unreached" in convgrad(f"convgrad shape {line} --format {form}").out) == (unreached is not None)


def test_shape_says_when_it_takes_32x32x3_for_32_channels(convgrad: Convgrad) -> None:
    said = "32x32x3 is taken for 32 channels of 32x3; if its last axis holds the channels, add --layout channels-last"
    assert said in convgrad("convgrad shape 32x32x3 --kernel-size 3").err
    assert said in convgrad("convgrad shape 32x32x3 --size 2").err
    ran = convgrad("convgrad shape 32x32x3 --kernel-size 5")
    assert ran.code == 2 and said in ran.err
    for right in (
        "32x32x3 --kernel-size 3 --layout channels-last",
        "3x32x32 --kernel-size 3",
        "16x4x4 --kernel-size 3",
    ):
        assert convgrad(f"convgrad shape {right} --padding 1").err == "" or "16x4x4" in right
    assert convgrad("convgrad shape 4x4x3 --kernel-size 2").err == ""


def test_groups_depthwise_means_as_many_as_channels(convgrad: Convgrad) -> None:
    planes = "[[[1,2],[3,4]],[[5,6],[7,8]]]"
    line = f"convgrad conv-backward '{planes}' 1 -k '[[[[1,1]]],[[[2,0]]]]'"
    ran = convgrad(f"{line} --groups depthwise")
    assert ran.out == convgrad(f"{line} --groups 2").out
    document = {"input": json.loads(planes), "kernel": [[[[1, 1]]], [[[2, 0]]]], "delta": [[[1], [1]]] * 2}
    named = quoted({**document, "groups": "depthwise"})
    assert convgrad(f"convgrad conv-backward {named}").out == ran.out
    for form in ("table", "html", "markdown", "torch"):
        assert "groups" in convgrad(f"convgrad conv-backward {named} --format {form}").out
    assert convgrad(f"convgrad mistakes {named}").code == 0
    found = json.loads(convgrad("convgrad shape 8x10x10 --kernel-size 3 --groups depthwise").out)
    assert (found["output_shape"], found["parameters"]["shared"]) == ([8, 8, 8], 72)
    network = quoted({"layers": [{"type": "conv", "kernel": [[[[1]]], [[[2]]]], "groups": "depthwise"}]})
    assert convgrad(f"convgrad backprop {network} '[{planes}]' '[{planes}]'").code == 0
    ran = convgrad(f"{line} --groups deptwise")
    assert ran.err == "Error: --groups: 'deptwise' is neither a number nor depthwise. Did you mean 'depthwise'?\n"
    assert "--groups N|depthwise" in convgrad("convgrad conv-backward --help").out


@pytest.mark.parametrize("suffix", ["json", "csv", "tsv", "npy", "npz"])
def test_output_files_read_back(convgrad: Convgrad, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"dX.{suffix}"
    ran = convgrad(f"{CLASSIC} {KERNEL} --only dX -o {quoted(target)}")
    assert (ran.code, ran.out) == (0, "")
    direct = json.loads(convgrad(f"{CLASSIC} {KERNEL}").out)["dX"]
    source = f"{target}#dX" if suffix in ("json", "npz") else target
    again = json.loads(convgrad(f"convgrad conv-forward {quoted(source)} -k '[[1]]'").out)["output"]
    assert again == direct


def test_formats_and_precision(convgrad: Convgrad) -> None:
    ran = convgrad(f"{CLASSIC} --only dW --format csv --precision 4")
    assert ran.out == "0.0446,0.0941\n0.0113,0.0683\n"
    ran = convgrad(f"{CLASSIC} --precision 4 --format table")
    assert "0.0446  0.0941" in ran.out
    assert "\x1b" not in ran.out
    tiny = convgrad("convgrad conv-forward '[1e-9, 2]' -k '[1]' --precision 3")
    assert json.loads(tiny.out)["output"] == [1e-9, 2.0]
    ran = convgrad(f"{CLASSIC} {KERNEL} --format csv")
    assert ran.code == 2
    assert "csv holds one result, and there are 4; pick one: --only output (of output, dW, db, dX)" in ran.err


def test_float32_is_computed_and_written_as_such(convgrad: Convgrad) -> None:
    wide, narrow = (
        convgrad(f"convgrad conv-forward '[0.1,0.2]' -k '[0.3]' --dtype {dtype}") for dtype in ("float64", "float32")
    )
    assert json.loads(wide.out)["output"] == [0.03, 0.06]
    assert json.loads(narrow.out)["output"] == [
        float(str(np.float32(0.1) * np.float32(0.3))),
        float(str(np.float32(0.2) * np.float32(0.3))),
    ]


def test_colour_obeys_the_environment(convgrad: Convgrad) -> None:
    def escapes(more: str = "", tty: bool = False, **env: str) -> bool:
        return "\x1b" in convgrad(f"{CLASSIC} {more}", tty=tty, **env).out

    assert escapes(tty=True)
    assert not escapes(tty=True, NO_COLOR="1")
    assert not escapes(tty=True, TERM="dumb")
    assert not escapes("--format table")
    assert escapes("--format table", FORCE_COLOR="1")
    assert not escapes("--format table", FORCE_COLOR="1", NO_COLOR="1")
    assert not escapes(FORCE_COLOR="1")
    assert not escapes("--format json", tty=True)


def test_no_width_changes_the_digits(convgrad: Convgrad) -> None:
    rows = np.round(np.random.default_rng(0).normal(size=(3, 30)), 6).tolist()
    for width in (40, 80, 120, 300):
        out = convgrad(f"convgrad conv-forward {quoted(rows)} -k '[[1]]' --format table", COLUMNS=str(width)).out
        assert all(len(line) <= width for line in out.splitlines())
        assert all(f"{number:.8g}" in out for row in rows for number in row)


def test_large_arrays_are_summed_up_on_a_terminal_only(convgrad: Convgrad, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((40, 40)))
    line = f"convgrad conv-forward {quoted(tmp_path)}/x.npy -k '[[1]]'"
    assert "from 1 to 1" in convgrad(line, tty=True).out
    assert "from 1 to 1" not in convgrad(f"{line} --format table").out
    assert "1584 more overlays add to the sums; --steps all" in convgrad(line, tty=True).out


def test_help_begins_with_an_example(convgrad: Convgrad) -> None:
    for command in ("", *commands()):
        ran = convgrad(f"convgrad {command} --help")
        assert ran.code == 0
        assert ran.out.startswith(f"Example:\n\n  convgrad {command or 'conv-backward'} ")
        assert all(len(line) <= 100 for line in ran.out.splitlines())
    assert convgrad("convgrad").out == convgrad("convgrad --help").out
    assert convgrad("convgrad --version").out == "convgrad 0.1.0\n"


ERRORS = [
    ("convgrad conv-backwrad", "there is no command 'conv-backwrad'. Did you mean 'conv-backward'?"),
    ("convgrad conv-backward '[1]' --strid 2", "there is no option --strid. Did you mean '--stride'?"),
    ("convgrad conv-backward", "Missing argument 'INPUT'"),
    ("convgrad conv-backward '[1,2]' '[1]' '[1]'", "unexpected extra argument"),
    (
        "convgrad conv-backward '[1,2]'",
        "[1,2]: there is no delta; give DELTA (or -d), or an entry 'delta' in a document",
    ),
    ("convgrad conv-backward '[1,2]' '[1]' -d 1", "the delta is given twice"),
    ("convgrad conv-forward '[1,2]'", "there is no kernel; add one with -k KERNEL"),
    ("convgrad conv-backward '[1,2,3]' '[1,2]' --only dX", "--only: dX needs a kernel (-k)"),
    (
        "convgrad conv-backward '[1,2,3]' '[1,2]' --only dw",
        "there is no result 'dw' here, only dW, db. Did you mean 'dW'?",
    ),
    (
        "convgrad conv-forward '[1,2]' -k '[1]' --padding sane",
        "--padding: there is no 'sane', only valid, same, same-lower, full, causal. Did you mean 'same'?",
    ),
    ("convgrad conv-forward '[1,2]' -k '[1]' --stride 0", "--stride: 0 is not between 1 and 1000000"),
    ("convgrad conv-forward '[1,2]' -k '[1]' --stride x", "--stride: 'x' is not a whole number"),
    (
        "convgrad conv-forward '[1,2]' -k '[1]' --stride 1,2,3",
        "--stride: it has 3 numbers, but the input has 1 spatial axis",
    ),
    ("convgrad conv-forward '[1,2]' -k '[1]' --padding 1:2:3", "--padding: '1:2:3' is not before:after"),
    ("convgrad conv-forward '[1,2]' -k '[1]' --layout channel-last", "Did you mean 'channels-last'?"),
    ("convgrad conv-forward '[1,2]' -k '[1]' --format jsn", "Did you mean 'json'?"),
    (
        "convgrad conv-forward '[1,2]' -k '[1]' --steps al",
        "--steps: 'al' is neither a number nor all or none. Did you mean 'all'?",
    ),
    ("convgrad conv-forward '[1,2]' -k '[1]' --precision -1", "--precision: -1 is not between 0"),
    ("convgrad conv-forward '[1,2]' -k '[1]' -o x.xyz", "x.xyz: the suffix '.xyz' says no format"),
    ("convgrad conv-forward '[1,2]' -k '[1]' -o no/such/x.json", "no/such/x.json: it cannot be written"),
    ("convgrad conv-forward '[[1,2],[3]]' -k '[1]'", "[[1,2],[3]]: [1] has 1 number, but the rows before it have 2"),
    ("convgrad conv-forward nothing.json -k '[1]'", "nothing.json: no such file"),
    ("convgrad conv-forward '[1,2]' -k '[1,2,3]'", "[1,2,3] and [1,2]: a 3 kernel does not fit on a 2 input"),
    ("convgrad conv-forward '[1,2]' -k '[1]' -b '[1,2]'", "[1,2] and [1]: the bias is 2, but expected is a number"),
    ("convgrad pool-forward '[1,2]'", "the window's size is not given; add --size 2 (or --global for the whole input)"),
    (
        "convgrad pool-forward '[1,2]' --global --size 2",
        "--global pools the whole input, which leaves no room for --size",
    ),
    ("convgrad pool-forward '[1,2]' --size 2 --divisor 0", "--divisor: it must not be 0"),
    (
        "convgrad pool-forward '[1,2]' --size 2 --divisor 3",
        "--divisor belongs to --kind avg, and it is max; add --kind avg",
    ),
    ("convgrad pool-forward '[1,2]' --size 2 --kind mean", "there is no 'mean', only max, avg, sum"),
    ("convgrad pool-forward '[1,2]' --size 2 --kind avg --indices", "use --kind max"),
    ("convgrad pool-forward 5 --size 2", "with fewer axes than the 1 to be pooled"),
    ("convgrad pool-backward '[1,2]' '[1,2]' --size 2", "[1,2]: delta is 2, but a 2 input under a 2 window gives 1"),
    ("convgrad shape 3y3 --kernel-size 2", "'3y3' is not a shape; write it as 3x32x32"),
    ("convgrad shape 3x3", "no layer is named; give --kernel-size for a convolution, --size (or --global) for pooling"),
    ("convgrad shape 3x3 --kernel-size 2 --only shape", "there is no result 'shape' here"),
    ("convgrad conv-forward '[1e300, 1e300]' -k '[1e300]'", "output[0] overflows: it is too large for float64"),
    (
        "convgrad conv-forward '[1e300]' -k '[1]' --dtype float32",
        "[1e300]: a number in it is too large for float32",
    ),
    ("convgrad conv-forward '[[1]]' -k '[[1]]' --padding 1000000", "more than convgrad works on"),
    (
        """convgrad conv-forward '{"input": [1, 2], "kernel": [1], "strid": 2}'""",
        "nothing is called 'strid'. Did you mean 'stride'?",
    ),
    (
        """convgrad conv-forward '{"input": [1, 2], "kernel": [1], "stride": "x"}'""",
        "the literal: stride: 'x' is not a whole number",
    ),
    (
        """convgrad conv-forward '{"input": [1, 2], "kernel": null}'""",
        "the literal: kernel: the value is null, not a number",
    ),
    ("""convgrad conv-forward '{"inptu": [1, 2]}'""", "there is no input in it, only inptu. Did you mean 'input'?"),
    ("convgrad conv-forward - -k -", "standard input: it holds one array and cannot be read twice"),
]


@pytest.mark.parametrize(("line", "message"), ERRORS, ids=[each[0][9:59] for each in ERRORS])
def test_what_cannot_be_done_is_one_line_with_a_way_out(convgrad: Convgrad, line: str, message: str) -> None:
    ran = convgrad(line, stdin="[1, 2]")
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("Error: ")
    assert ran.err.count("\n") == 1
    assert message in ran.err


def test_file_names_are_never_markup(convgrad: Convgrad, tmp_path: Path) -> None:
    for name in ("[red].json", "a [bold]b.json"):
        path = tmp_path / name
        path.write_text("[[1, 2], [3]]")
        assert convgrad(f"convgrad conv-forward {quoted(path)} -k '[1]'", tty=True).err.startswith(
            f"Error: {path}: [1] has 1 number"
        )


def test_negative_numbers_are_operands(convgrad: Convgrad) -> None:
    for delta in ("-1", "-d -1", "--delta=-1", "-- -1"):
        ran = convgrad(f"convgrad conv-backward '[1,2,3]' -k '[0.5,1]' {delta}")
        assert json.loads(ran.out)["db"] == -2.0, delta


def test_a_bug_is_not_a_wrong_answer(convgrad: Convgrad, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("surprise\nin two lines")

    convgrad("convgrad --version")  # the fixture undoes its own changes only
    monkeypatch.setattr("convgrad.problems.solve.solve", broken)
    ran = convgrad("convgrad conv-forward '[1,2]' -k '[1]'")
    assert ran.code == 70
    assert ran.err.count("\n") == 1
    assert "please report it" in ran.err


# -- as a process -----------------------------------------------------------------------------------------


def started(line: str, *options: str) -> list[str]:
    """A command line as a process of its own, with options of Python."""
    return [sys.executable, *options, "-m", *shlex.split(line)]


JOB = started(f"convgrad conv-backward {quoted(SAMPLES)}/classic/input.json {quoted(SAMPLES)}/classic/delta.json")


def test_python_m_is_the_same_program() -> None:
    done = subprocess.run(JOB, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["db"] == 0.0836


def test_full_closed_and_broken_outputs() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(JOB, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("Error: standard output: it cannot be written (No space left")
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *JOB], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Error: standard output: it is closed" in done.stderr
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*JOB, "-q"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")
    for line, outputs in (
        ("convgrad --help", {"stdout": "/dev/full"}),
        ("convgrad --version", {"stdout": "/dev/full"}),
        ("convgrad no-such-command", {"stderr": "/dev/full"}),
    ):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                started(line),
                check=False,
                text=True,
                **{  # type: ignore[call-overload]
                    "stdout": subprocess.PIPE,
                    "stderr": subprocess.PIPE,
                    **dict.fromkeys(outputs, full),
                },
            )
        assert done.returncode == 2, line
    with Path("/dev/full").open("w") as full:  # a note that cannot be written costs nobody the result
        done = subprocess.run(JOB, stdout=subprocess.PIPE, stderr=full, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["db"]) == (0, 0.0836)


@pytest.mark.slow
def test_an_interrupt_is_130() -> None:
    # a suite in the background (`nohup make test &`) ignores interrupts, and its children would too
    start = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", start, *started("convgrad conv-forward - -k '[1]'")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.5)  # it waits for standard input
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (130, b"", b"")


def test_no_locale_and_no_optimisation_hurts() -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run([*JOB, "--format", "table", "--steps", "1"], capture_output=True, env=env, check=True)
    assert b"overlay (0, 2)" in done.stdout
    assert done.stdout.isascii()
    ran = subprocess.run(
        started("convgrad conv-backward --help", "-OO", "-W", "error"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "The gradients of a convolutional layer" in ran.stdout
    ran = subprocess.run(
        started("convgrad conv-forward '[1e300]' -k '[1e300]'"),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
        check=False,
    )
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1)


def test_a_real_terminal_shows_tables() -> None:
    master, slave = pty.openpty()
    done: subprocess.Popen[bytes] = subprocess.Popen(
        JOB, stdout=slave, stderr=subprocess.PIPE, env={**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    )
    os.close(slave)
    shown = io.BytesIO()
    try:
        while chunk := os.read(master, 4096):
            shown.write(chunk)
    except OSError:
        pass
    assert done.communicate(timeout=30)[1] == b"Note: output and dX left out: add a kernel (-k)\n"
    assert "overlay (0, 2)" in shown.getvalue().decode()
