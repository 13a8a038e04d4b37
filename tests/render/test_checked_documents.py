"""A checked answer as a teacher sends it back, and the catalogue: as Markdown, LaTeX, a page and CSV."""

import csv
import io
import json
from pathlib import Path

import pytest
from conftest import Convgrad, quoted

from convgrad.kinds.formats import FORMATS, NAMES, SUFFIXES, telling
from convgrad.render import _writer

CLASSIC = "convgrad conv-backward samples/classic/input.json samples/classic/delta.json -k '[[0.1, 0.2], [0.3, 0.4]]' --check "
WRONG = {"dW": [["0.0446", "0.09"], ["0.0112", "0.5"]], "db": "0.9"}
NOUNS = ("report", "verdicts", "gradcheck", "catalogue", "mistake", "shows", "exercises", "key", "grades")


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_help_lists_the_formats_that_are_really_written(convgrad: Convgrad) -> None:
    """What the table of formats says of each is what its writer can do; help, errors and suffixes say the same."""
    for form in FORMATS.values():
        assert {noun for noun in NOUNS if hasattr(_writer(form), noun)} == {*form.tells}, form.name
    page = " ".join(convgrad("convgrad mistakes --help").out.split())
    assert f"JSON elsewhere; the default), {telling('catalogue')}." in page
    assert "torch" not in page and ".npy" not in page
    assert f"Verdicts are written as {telling('verdicts')}." in " ".join(
        convgrad("convgrad conv-backward --help").out.split()
    )
    for name in NAMES[1:]:
        told = {"catalogue": "convgrad mistakes", "mistake": "convgrad mistakes kernel-not-rotated"}
        told["verdicts"] = CLASSIC + quoted(WRONG)
        for noun, line in told.items():
            ran = convgrad(f"{line} --format {name}")
            assert (ran.code != 2) == (noun in FORMATS[name].tells), (noun, name, ran.err)
            assert ran.code != 2 or telling(noun).split(" or ")[-1] in ran.err


@pytest.mark.parametrize("form", ["markdown", "html", "csv", "latex"])
def test_a_checked_answer_is_what_a_teacher_sends_back(convgrad: Convgrad, form: str) -> None:
    ran = convgrad(f"{CLASSIC}{quoted(WRONG)} --format {form}")
    assert ran.code == 1
    for said in ("dW", "db", "wrong"):
        assert said in ran.out
    right = convgrad(CLASSIC.replace("--check ", "")).out
    answers = quoted({"dW": json.loads(right)["dW"]})
    ran = convgrad(f"{CLASSIC}{answers} --format {form}")
    assert ran.code == 0 and "right" in ran.out.lower()


@pytest.mark.parametrize("form", ["markdown", "html", "csv", "latex"])
def test_no_reveal_holds_in_every_format(convgrad: Convgrad, form: str) -> None:
    line = f"{CLASSIC}{quoted(WRONG)} --format {form}"
    shown = convgrad(line).out
    assert ("0.094061" in shown) == (form != "csv")
    hidden = convgrad(f"{line} --no-reveal").out
    for right in ("0.094061", "0.068288", "0.0836"):
        assert right not in hidden


def test_wrong_cells_are_marked(convgrad: Convgrad) -> None:
    out = convgrad(f"{CLASSIC}{quoted(WRONG)} --format markdown").out
    assert "## dW: wrong" in out and "Wrong cells are in bold." in out
    assert "| 1 | 0.0112 | **0.5** |" in out
    assert "| 0 | 0.044606 | 0.094061 |" in out
    out = convgrad(f"{CLASSIC}{quoted(WRONG)} --format latex").out
    assert r"0.0112 & \mathbf{0.5}" in out
    page = convgrad(f"{CLASSIC}{quoted(WRONG)} --format html").out
    assert '<td class="off" title="wrong">[0.5]</td>' in page  # by a sign, and by the looks of its class
    assert "td.off { background:" in page
    assert '<span class="wrong">\u2717</span> dW: wrong' in page


def test_mistakes_are_told_with_their_explanation(convgrad: Convgrad) -> None:
    problem = "convgrad conv-backward '[[1,2,0],[3,5,1],[2,2,4]]' '[[1,2],[3,5]]' -k '[[1,2],[3,7]]' --check "
    for form in ("markdown", "html", "latex"):
        assert "kernel-not-rotated" in convgrad(f"{problem}{quoted(wrong_dX())} --format {form}").out
    (row,) = rows_of(convgrad(f"{problem}{quoted(wrong_dX())} --format csv").out)
    assert row["mistakes"] == "kernel-not-rotated" and row["verdict"] == "wrong" and row["wrong"] == "9"


def wrong_dX() -> dict[str, list[list[float]]]:
    """The delta correlated in full with the kernel as it is."""
    import numpy as np

    delta, kernel = np.pad([[1, 2], [3, 5]], 1), np.array([[1, 2], [3, 7]])
    return {"dX": [[float((delta[i : i + 2, j : j + 2] * kernel).sum()) for j in range(3)] for i in range(3)]}


def test_a_table_of_verdicts_is_harmless_in_a_spreadsheet(convgrad: Convgrad, tmp_path: Path) -> None:
    ran = convgrad(f"{CLASSIC}{quoted(WRONG)} -o {quoted(tmp_path / 'back.csv')}")
    assert ran.out == ""
    rows = rows_of((tmp_path / "back.csv").read_text())
    assert [(row["answer"], row["verdict"], row["wrong_cells"]) for row in rows] == [
        ("dW", "wrong", "dW[1,1]"),
        ("db", "wrong", "db"),
    ]
    for row in rows_of(convgrad("convgrad mistakes --format csv").out):
        assert not any(text.startswith(("=", "+", "-", "@")) for text in row.values())


def test_the_catalogue_as_a_document(convgrad: Convgrad, tmp_path: Path) -> None:
    names = [row["name"] for row in json.loads(convgrad("convgrad mistakes").out)]
    assert [row["name"] for row in rows_of(convgrad("convgrad mistakes --format csv").out)] == names
    text, page = (convgrad(f"convgrad mistakes --format {form}").out for form in ("markdown", "html"))
    for name in names:
        assert f"### {name}\n" in text and f'id="{name}"' in page
    for suffix in (".md", ".html", ".csv", ".tsv", ".tex", ".json"):
        assert "catalogue" in FORMATS[SUFFIXES[suffix]].tells
        assert convgrad(f"convgrad mistakes -o {quoted(tmp_path / f'all{suffix}')}").code == 0
    assert "# kernel-not-rotated" in convgrad("convgrad mistakes kernel-not-rotated --format markdown").out
