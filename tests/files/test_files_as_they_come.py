"""What people paste and export: MATLAB's print, minus signs of typeset text, tables with headings and labels."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Convgrad

MINUS = "\u2212"
SHOW = "convgrad activation-forward {} --activation identity"

WIDE = " ".join(["0.123456"] * 8)

PRINTS: list[tuple[str, Any]] = [
    ("\nA =\n\n     1     2     3\n     4     5     6\n\n", [[1, 2, 3], [4, 5, 6]]),
    ("ans =\n\n     5\n\n", 5),
    ("A = 2×3\n     1     2     3\n     4     5     6\n", [[1, 2, 3], [4, 5, 6]]),
    (">> A\n\nA =\n\n     1     2\n\n>>\n", [1, 2]),
    ("A =\n\n   1.0e+03 *\n\n    0.0010    2.0000\n    1.5000   -0.0035\n\n", [[1, 2000], [1500, -3.5]]),
    ("A =\n\n   1.0e-03 *\n\n    0.1000\n    0.2000\n\n", [[0.0001], [0.0002]]),
    (
        "A =\n\n  Columns 1 through 3\n\n     1     2     3\n     4     5     6\n\n  Columns 4 through 5\n\n"
        "     7     8\n     9    10\n\n",
        [[1, 2, 3, 7, 8], [4, 5, 6, 9, 10]],
    ),
    ("A =\n\n Columns 1 and 2:\n\n   1   2\n\n Column 3:\n\n   7\n\n", [1, 2, 7]),
    ("db = 0.083600\n", 0.0836),
    (">>> w\ntensor([[1., 2.],\n        [3., 4.]])\n", [[1, 2], [3, 4]]),
    (">>> layer.weight\nParameter containing:\ntensor([[1., 2.]], requires_grad=True)\n", [[1, 2]]),
    ("Parameter containing:\ntensor([1., 2.], requires_grad=True)\n", [1, 2]),
    (">>> w\narray([1, 2])\n", [1, 2]),
    ("sep=;\n1,5;2\n3;4\n", [[1.5, 2], [3, 4]]),
    ("sep=|\r\n1,5|2\r\n3|4\r\n", [[1.5, 2], [3, 4]]),
    ('"sep=,"\n1.5,2\n3,4\n', [[1.5, 2], [3, 4]]),
    ("A = [1 2 0\n     0 1 1\n     2 1 0]\n", [[1, 2, 0], [0, 1, 1], [2, 1, 0]]),
    ("A = [\n1 2\n3 4\n];\n", [[1, 2], [3, 4]]),
    ("A = [1 2;\n     3 4];\n", [[1, 2], [3, 4]]),
    ("A = [1,\n     2]\n", [1, 2]),
    ("x = [[1 2]\n [3 4]]\n", [[1, 2], [3, 4]]),
    ("x = array([1, 2,\n       3, 4])\n", [1, 2, 3, 4]),
    ("[1 1\n1 1]", [[1, 1], [1, 1]]),
    ("[1 2 0\n 0 1 1\n 2 1 0]\n", [[1, 2, 0], [0, 1, 1], [2, 1, 0]]),
    ("[\n  1 2\n  3 4\n]\n", [[1, 2], [3, 4]]),
    ("[1, 2\n3, 4]\n", [[1, 2], [3, 4]]),
    ("[1 2; 3 4\r\n 5 6]\r\n", [[1, 2], [3, 4], [5, 6]]),
    ("[1\n2\n3]", [[1], [2], [3]]),
    ("[0.5 -0.25 0.125 0.5 -0.25 0.125 7\n 1 2 3 4 5 6 7]", [[0.5, -0.25, 0.125] * 2 + [7], [1, 2, 3, 4, 5, 6, 7]]),
    (f"[{WIDE}\n{WIDE}]", [[0.123456] * 8] * 2),
    (f"[{WIDE}\n {WIDE}\n 0.123456]", [0.123456] * 17),
    ("[\n  " + f"{WIDE}\n  {WIDE}\n]", [[0.123456] * 8] * 2),
    ("[[1 2 3]; [4 5 6]]", [[1, 2, 3], [4, 5, 6]]),
    ("tensor(1.00000e-02 *\n       [[ 1.5000,  2.5000],\n        [ 3.0000,  4.0000]])", [[0.015, 0.025], [0.03, 0.04]]),
    (
        "1.00000e-02 *\n  1.5000  2.5000\n  3.0000  4.0000\n[torch.FloatTensor of size 2x2]\n",
        [[0.015, 0.025], [0.03, 0.04]],
    ),
    ("\n 1\n 3\n[torch.FloatTensor of size 2]\n", [1, 3]),
    ("\n\nColumns 0 to 1 \n 1 2\n\nColumns 2 to 2 \n 5\n[torch.cuda.FloatTensor of size 1x3 (GPU 0)]\n", [[1, 2, 5]]),
    ("1e-3 * [1 2; 3 4]", [[0.001, 0.002], [0.003, 0.004]]),
    ("array([[1., 2.],\n       [3., 4.]], dtype=float32)", [[1, 2], [3, 4]]),
    ("1\t2\n3\t4\n", [[1, 2], [3, 4]]),
    ("1,5\t2\n3\t4\n", [[1.5, 2], [3, 4]]),
]


@pytest.mark.parametrize(("text", "expected"), PRINTS)
def test_what_matlab_prints_and_takes_is_read(convgrad: Convgrad, tmp_path: Path, text: str, expected: Any) -> None:
    (tmp_path / "a.txt").write_text(text)
    for ran in (convgrad(SHOW.format(tmp_path / "a.txt")), convgrad(SHOW.format("-"), stdin=text)):
        assert ran.code == 0, ran.err
        assert json.loads(ran.out)["output"] == expected


def test_several_printed_matrices_are_a_document(convgrad: Convgrad, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x =\n\n   1   2\n   3   4\n\nw =\n\n   1   1\n   1   0\n\ndout =\n\n   3\n")
    ran = convgrad(f"convgrad conv-backward {tmp_path}/a.txt")
    assert json.loads(ran.out)["db"] == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ans(:,:,1) =\n\n     1     2\n", "line 1: ans(:,:,1) = is one page of an array with more axes"),
        ("A =\n\n     1     2\n     3\n", "line 4 has 1 numbers, but expected are 2"),
        ("A =\n\n  Columns 4 through 5\n\n     1     2\n", "line 3: columns from 4 on stand here"),
        ("A =\n\n  Columns 1 through 3\n\n     1     2\n", "line 5 has 2 numbers, but expected are 3"),
        ("A =\n\n   1.0e+03 *\n\n   2.5e+01   1.0000\n", "line 5: 2.5e+01 under a factor of all numbers"),
        ("A =\n\n   1.0000 + 2.0000i\n", "line 3: '+' is not a number"),
        ("A = 2×2\n     1     2     3\n     4     5     6\n", "A states other sizes than it has"),
        ("A =\n\n   1.0e+03 *\n\n   1\n\n   1.0e+02 *\n\n   1\n", "is no factor of the whole matrix"),
        (
            f"[{WIDE}\n {WIDE}]",
            "line 1, column 1: its lines are rows, or one row that was wrapped; end each row with a",
        ),
        ("[1.25 2.25 3.25 4.25 5.25 6.25 7.25\n 1.25 2.25 3.25 4.25 5.25 6.25 7.25]", "or one row that was wrapped"),
        ("[1 2 3\n4 5]", "[1] has 2 numbers, but the rows before it have 3"),
        ("[[1 2\n3 4]]", "line 1, column 2: a row goes on in the next line; put each row into a bracket of its own"),
        ("[[1 2; 3 4]; [5 6; 7 8]]", "line 1, column 2: semicolons stand in a bracket inside a bracket, which MATLAB"),
        ("[[1 2] [3 4]; [5 6] [7 8]]", "semicolons stand between brackets, which MATLAB joins to one matrix"),
        ("[1,5 2,5]", "commas and blanks both part its numbers"),
        ("[1 2; 3 4]'", "write the transposed array out"),
        ("1 2; 3 4", "it is rows of MATLAB without brackets; put [ ] around them: [1 2; 3 4]"),
        ("1, 2; 3, 4\n", "it is rows of MATLAB without brackets"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n", "it is a Markdown table; take the line of dashes and the bars out"),
        ("\\begin{bmatrix} 1 & 2 \\\\ 3 & 4 \\end{bmatrix}", "it is a matrix of LaTeX; write a comma for each &"),
        ("1 & 2 \\\\\n3 & 4\n", "it is a matrix of LaTeX"),
        ("{{1,2},{3,4}}", "it is an array in braces; write [ ] in place of { }"),
        ("W: [[1 2]\n [3 4]]", "it is an array with words before it"),
        ("cat(3,[1 2],[5 6])", "it is a call of a function; write the array that it gives"),
        ("2 *\n 1\n 3\n", "line 1: the factor 2 is not a power of ten; multiply it into the numbers"),
        ("tensor(1.0e-02 *\n [1e1])", "1e1 under a factor of all numbers"),
        ("(0 ,.,.) =\n 1 2\n[torch.FloatTensor of size 1x1x2]\n", "write an array printed page by page as blocks"),
        (
            "A = [" + " ".join(["0.123456"] * 8) + "\n     " + " ".join(["0.123456"] * 8) + "]",
            "or one row that was wrapped",
        ),
    ],
)
def test_what_could_be_read_wrongly_is_refused(convgrad: Convgrad, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.txt").write_text(text)
    ran = convgrad(SHOW.format(tmp_path / "a.txt"))
    assert ran.code == 2 and not ran.out
    assert said in ran.err, ran.err


def test_the_minus_of_typeset_text_is_a_minus(convgrad: Convgrad, tmp_path: Path) -> None:
    def shown(source: str | Path) -> Any:
        return json.loads(convgrad(SHOW.format(source)).out)["output"]

    (tmp_path / "a.csv").write_text(f"{MINUS}1,2\n3,{MINUS}4e{MINUS}1\n")
    (tmp_path / "a.txt").write_text(f"array([[{MINUS}1., 2.]])")
    (tmp_path / "a.json").write_text(f"[{MINUS}1, 2]")
    assert shown(tmp_path / "a.csv") == [[-1, 2], [3, -0.4]]
    assert shown(tmp_path / "a.txt") == [[-1, 2]]
    assert shown(f"'[{MINUS}1, 2]'") == [-1, 2]
    assert shown(f"{MINUS}1") == -1
    strict = convgrad(SHOW.format(tmp_path / "a.json"))
    assert strict.code == 2 and "not valid JSON" in strict.err
    wide = convgrad(SHOW.format("'[１, 2]'"))
    assert wide.code == 2 and not wide.out
    line = "convgrad activation-backward '[1,2]' '[-1,2]' --activation identity --check"
    assert convgrad(f"""{line} '{{"dX": ["{MINUS}1.0", {MINUS}2]}}'""").code == 1
    assert convgrad(f"""{line} '{{"dX": ["{MINUS}1.0", 2]}}'""").code == 0


LABELLED = "name;a;b;c;\nr1;1;2;3;\nr2;4;5;6;\n"


@pytest.mark.parametrize(
    ("text", "said", "options"),
    [
        (
            LABELLED,
            "line 1 is a heading ('name;a;b;c;'), column 1 holds labels ('r1') and every line ends with a separator "
            "(';'); add --skip-rows 1 --skip-columns 1:1, or put # before the heading and take the rest out",
            "--skip-rows 1 --skip-columns 1:1",
        ),
        ("a,b,c\n1,2,3\n4,5,6\n", "line 1 is a heading ('a,b,c'); add --skip-rows 1, or put # before", "--skip-rows 1"),
        ("r1\t1\t2\t3\nr2\t4\t5\t6\n", "column 1 holds labels ('r1'); add --skip-columns 1,", "--skip-columns 1"),
        ("1,2,3,\n4,5,6,\n", "every line ends with a separator (','); add --skip-columns 0:1", "--skip-columns 0:1"),
        (",0,1,2\n0,1,2,3\n1,4,5,6\n", "line 1, column 1: the cell is empty", "--skip-rows 1 --skip-columns 1"),
    ],
)
def test_headings_labels_and_separators_are_said_at_once_and_can_be_skipped(
    convgrad: Convgrad, tmp_path: Path, text: str, said: str, options: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    ran = convgrad(SHOW.format(path))
    assert ran.code == 2 and not ran.out
    assert said in ran.err, ran.err
    mended = convgrad(f"{SHOW.format(path)} {options}")
    assert json.loads(mended.out)["output"] == [[1, 2, 3], [4, 5, 6]], mended.err


def test_a_single_wrong_cell_is_still_named_by_its_place(convgrad: Convgrad, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,x\n3,4\n")
    assert "line 2, column 2: 'x' is not a number" in convgrad(f"{SHOW.format(tmp_path / 'a.csv')} --skip-rows 1").err


def test_rows_and_columns_are_skipped_in_all_tables_of_a_command(convgrad: Convgrad, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "d.csv").write_text("a,b\n1,1\n1,1\n")
    line = f"convgrad conv-backward {tmp_path}/x.csv {tmp_path}/d.csv -k '[[1]]' --skip-rows 1 --only dW"
    assert json.loads(convgrad(line).out) == {"dW": [[10]]}


def test_octaves_numbers_stand_beside_its_matrices(convgrad: Convgrad, tmp_path: Path) -> None:
    path = tmp_path / "octave.txt"
    printed = "dW =\n\n   0.25   0.5\n   0.75   1\n\ndb = 0.083600\n"
    path.write_text(printed)
    assert json.loads(convgrad(SHOW.format(f"{path}#dW")).out)["output"] == [[0.25, 0.5], [0.75, 1]]
    assert json.loads(convgrad(SHOW.format(f"{path}#db")).out)["output"] == 0.0836
    ran = convgrad(SHOW.format("-"), stdin="db = 0.5\n\n   1   2\n")
    assert ran.code == 2 and "line 3: '1   2' has no name" in ran.err


@pytest.mark.parametrize(
    "text", ['{"input": [1, 2],\n "kernel": [[1, 2],\n],\n}', '{"input": [1, 2], }', '{"input": 1,}']
)
def test_a_comma_before_a_closing_bracket_is_said_so(convgrad: Convgrad, text: str) -> None:
    ran = convgrad("convgrad conv-forward -", stdin=text)
    line, column = (3, 2) if "kernel" in text else (1, text.rindex(",") + 1)
    assert ran.code == 2, ran.out
    if "kernel" in text:
        line, column = 2, text.splitlines()[1].rindex(",") + 1
    said = f"line {line}, column {column}: a comma stands before the closing"
    assert said in ran.err and "take the comma out" in ran.err and "double quotes" not in ran.err


def test_an_abbreviated_tensor_is_mended_in_torch(convgrad: Convgrad) -> None:
    ran = convgrad(SHOW.format("-"), stdin="tensor([[1., 2., ..., 3.],\n        [4., 5., ..., 6.]])")
    assert ran.code == 2 and "torch.set_printoptions" in ran.err and "np.set" not in ran.err
    ran = convgrad(SHOW.format("-"), stdin="array([[1., 2., ..., 3.]])")
    assert "np.set_printoptions" in ran.err


def test_a_delta_may_be_called_as_a_course_calls_it(convgrad: Convgrad) -> None:
    one = convgrad("convgrad pool-backward - --size 2", stdin='{"A_prev": [[1, 2], [3, 4]], "dA": [[0.5]]}')
    assert json.loads(one.out)["dX"] == [[0, 0], [0, 0.5]]


@pytest.mark.parametrize("output", ["0.75", "[0.75]", "[[0.75]]"])
def test_a_lone_number_is_the_target_of_one_output(convgrad: Convgrad, output: str) -> None:
    found = json.loads(convgrad(f"convgrad loss '{output}' 1 --kind mse-sum").out)
    assert found["loss"] == 0.0625 and found["delta"] == json.loads(output.replace("0.75", "-0.5"))
    ran = convgrad("convgrad loss '[0.75, 0.5]' 1 --kind mse-sum")
    assert ran.code == 2 and "the target is a number, but the output is 2" in ran.err
