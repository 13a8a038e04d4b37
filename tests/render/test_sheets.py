"""Sheets: what a student reads tells no answer, what a teacher reads tells all of them, and it can be printed."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import Convgrad, quoted

JOBS = (
    "conv 4x4 --seed 1",
    "conv 2x3x4 --filters 2 --stride 2,1 --padding 1 --activation relu --lr 0.5 --momentum 0.5 --seed 1",
    "conv 3x3 --transposed --seed 1",
    "conv 3x3 --unshared --seed 1",
    "conv 5 --flip --seed 1",
    "pool 4x4 --kind avg --size 3 --seed 1",
    "dense 3 --numbers fractions --seed 1",
    "activation 2x3 --activation sigmoid --seed 1",
    "norm 3x2 --seed 1",
    "loss 2x3 --kind cross-entropy --seed 1",
)
BREAKS = {"markdown": "page-break-after", "latex": "\\clearpage", "html": "<details"}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convgrad.teaching.drawing.DRAWS", 2)


@pytest.mark.parametrize("form", BREAKS)
@pytest.mark.parametrize("job", JOBS)
def test_the_question_tells_no_answer_and_the_answers_tell_all(
    convgrad: Convgrad, job: str, form: str, tmp_path: Path
) -> None:
    key = tmp_path / "key.json"
    problem = convgrad(f"convgrad exercise {job} --key {quoted(key)}").out
    sheet = convgrad(f"convgrad exercise {job} --format {form} --formula -q").out
    question, mark, answers = sheet.partition(BREAKS[form])
    assert mark and BREAKS[form] not in answers
    question = question.rpartition("</style>")[2]
    document, asked = json.loads(problem), json.loads(key.read_text(), parse_float=str, parse_int=str)
    given = " ".join(json.dumps(document[name]) for name in document)
    for name in document["ask"]:
        assert f"{name}, " in question.replace("\\", "") and name in answers.replace("\\", "")
        for number in numerals(json.dumps(asked[name])):
            if len(number.strip("-")) > 2:
                if number not in numerals(given):
                    assert number not in numerals(question), (name, number)
                assert number in numerals(written(answers)), (name, number)


def numerals(text: str) -> set[str]:
    return {*re.findall(r"(?<![\d./])-?\d+(?:\.\d+)?(?:/\d+)?", text)}


def written(latex: str) -> str:
    return re.sub(r"\\tfrac\{(\d+)\}\{(\d+)\}", r"\1/\2", latex)


def test_what_is_asked_is_said_with_its_rounding(convgrad: Convgrad) -> None:
    rounded = convgrad("convgrad exercise activation 3 --activation sigmoid --digits 3 --seed 1 --format markdown").out
    assert "dX, the gradient of the input (3), rounded to 3 significant digits:" in rounded
    stepped = convgrad("convgrad exercise dense 2 --numbers fractions --lr 1/2 --seed 1 --format markdown").out
    assert "W\\_new, the kernel" not in stepped and "W\\_new, the weight after the step" in stepped
    assert ", as fractions:" in stepped
    turned = convgrad("convgrad exercise conv 4 --flip --seed 1 --format markdown").out
    assert "It is rotated by 180 degrees first." in turned and "It is not rotated" not in turned


def test_one_sheet_holds_several_exercises_their_answers_behind_all_of_them(convgrad: Convgrad) -> None:
    sheet = convgrad("convgrad exercise dense 2 --count 3 --seed 1 --format markdown").out
    headings = re.findall(r"^# (.*)$", sheet, re.M)
    titles = [f"Exercise {k}: dense layer" for k in (1, 2, 3)]
    assert headings == [*titles, "Answers", *titles]


def test_a_page_is_well_formed_and_what_it_says_is_text(convgrad: Convgrad) -> None:
    class Open(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.stack: list[str] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in ("meta", "link"):
                self.stack.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.stack.pop() == tag

    page = Open()
    page.feed(convgrad("convgrad exercise conv 1x4x4 --seed 1 --format html").out)
    assert page.stack == []


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no TeX here")
def test_sheets_compile(convgrad: Convgrad, tmp_path: Path) -> None:
    for number, job in enumerate(JOBS):
        assert convgrad(f"convgrad exercise {job} --formula -q -o {quoted(tmp_path / f'{number}.tex')}").code == 0
    inputs = "\n\\clearpage\n".join(f"\\input{{{number}.tex}}" for number in range(len(JOBS)))
    document = f"\\documentclass{{article}}\\usepackage{{amsmath}}\\begin{{document}}\n{inputs}\n\\end{{document}}"
    (tmp_path / "all.tex").write_text(document)
    line = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
