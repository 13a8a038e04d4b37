"""Moodle's Cloze questions: read by a reader of their own, and graded."""

import json
import re
from pathlib import Path
from xml.etree.ElementTree import fromstring

from convgrad.files import Reader
from convgrad.render import write
from convgrad.render.banks.cloze import MOST_A_CELL, escaped
from convgrad.teaching.exercise import Exercise, Exercises, from_document

PROBLEM = {
    "layer": "conv",
    "input": [[1, 2, 3, -1], [-3, -2, -3, 2], [-1, 1, 4, -3], [-3, 3, 2, 2]],
    "kernel": [[-3, -1], [2, 5]],
    "delta": [[2, -1, -3], [-2, 3, -4], [1, 5, 2]],
    "ask": ["dW", "dX"],
}
SIGN = re.compile(r"\\.|[^\\]", re.S)

Answer = tuple[float, float, float, str]


def read(source: str) -> list[list[Answer]]:
    """The sub-questions of a text: of each its answers, as (share, value, tolerance, feedback)."""
    found = []
    for body in re.findall(r"\{1:NUMERICAL:((?:\\.|[^\\}])*)\}", source, re.S):
        answers, parts = [], [""]
        for sign in SIGN.findall(body):
            if sign == "~":
                parts.append("")
            else:
                parts[-1] += sign
        for part in parts:
            match = re.fullmatch(r"(=|%\d+%)(-?[\d.]+):([\d.]+)#((?:\\.|[^\\#])*)", part, re.S)
            assert match, part
            share = 100.0 if match[1] == "=" else float(match[1].strip("%"))
            answers.append((share, float(match[2]), float(match[3]), re.sub(r"\\(.)", r"\1", match[4])))
        found.append(answers)
    return found


def graded(answers: list[Answer], given: float) -> tuple[float, str]:
    """The share and the feedback that a number earns: those of the first answer that it is."""
    return next(((share, said) for share, value, off, said in answers if abs(given - value) <= off), (0.0, ""))


def made(folder: Path, **words: object) -> tuple[Exercise, list[list[Answer]]]:
    path = folder / "problem.json"
    path.write_text(json.dumps(PROBLEM | words))
    exercise = from_document(Reader(), str(path), None)
    question = fromstring(write(Exercises([exercise]), "moodle").decode()).find("question")
    assert question is not None and question.get("type") == "cloze"
    return exercise, read(question.findtext("questiontext/text") or "")


def test_right_numbers_earn_and_wrong_ones_are_told_apart(tmp_path: Path) -> None:
    exercise, cells = made(tmp_path)
    right = [float(text) for asked in exercise.asked.values() for text in asked.texts.ravel()]
    assert len(cells) == len(right)
    for answers, number in zip(cells, right, strict=True):
        assert graded(answers, number) == (100.0, "Right.")
        assert graded(answers, number + 1000.5) == (0.0, "")
        assert 1 < len(answers) <= 1 + MOST_A_CELL
        for share, value, _, said in answers[1:]:
            assert graded(answers, value) == (share, said)  # no other answer takes it first
            assert "the others too" in said


def test_numbers_that_are_rounded_are_right_to_half_a_unit(tmp_path: Path) -> None:
    exercise, cells = made(tmp_path, activation="sigmoid", ask=["output"])
    texts = exercise.asked["output"].texts.ravel()
    assert exercise.asked["output"].rounded
    for answers, value, text in zip(cells, exercise.results["output"].ravel(), texts, strict=True):
        assert graded(answers, float(value))[0] == 100
        assert graded(answers, float(text))[0] == 100


def test_signs_of_the_format_are_words() -> None:
    assert escaped('a } # ~ / " \\ b') == 'a \\} \\# \\~ \\/ \\" \\\\ b'
