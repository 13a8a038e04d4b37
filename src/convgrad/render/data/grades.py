"""Grades for programs: JSON, JSON lines, CSV, Gradescope's results, JUnit's report; part after part."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from convgrad.errors import OptionError
from convgrad.render.data.json import dump
from convgrad.render.data.rows import table
from convgrad.render.grades import Grades, Row, mistakes_in, told
from convgrad.render.visible import visible
from convgrad.render.writer import Writer


class JsonLines(Writer):
    """A line a submission, and no summary: `grade --summarise` makes it of all of them."""

    def grades(self, grades: Grades) -> Iterator[str]:
        """The rows."""
        for row in grades.rows:
            yield json.dumps(row) + "\n"


def as_csv(grades: Grades, separator: str) -> Iterator[str]:
    """A row a submission: its points, and of each result the verdict, the points and the mistakes."""
    columns = [f"{name}{what}" for name in grades.names for what in ("", "_points", "_mistakes")]
    yield table([[*HEAD, *columns]], separator)
    for row in grades.rows:
        cells = [visible(str(row[each])) for each in HEAD]
        for name in grades.names:
            answer = row["answers"].get(name, {})
            named = "; ".join(mistakes_in(row).get(name, ()))
            cells += [answer.get("verdict", ""), str(answer.get("points", "")), named]
        yield table([cells], separator)


HEAD = ("id", "file", "status", "reason", "points", "max_points")
"""The first columns of a CSV."""


class Gradescope(Writer):
    """Gradescope's results.json, of one submission: a test a result."""

    def grades(self, grades: Grades) -> Iterator[str]:
        """The object; OptionError where there is not just one submission."""
        if not grades.alone:
            raise OptionError("gradescope's file is of one submission", where="--format", hint="give one, or use json")
        (row,) = grades.rows
        yield dump(_results(row)) + "\n"


def _results(row: Row) -> dict[str, Any]:
    if row["status"] != "graded":
        test = _test("submission", 0, row["max_points"], False, f"It cannot be graded: {row['reason']}")
        return {"score": 0, "visibility": "visible", "tests": [test]}
    answers = {name: each for name, each in row["answers"].items() if "max_points" in each}
    tests = [
        _test(name, each["points"], each["max_points"], each["verdict"] == "right", told(each))
        for name, each in answers.items()
    ]
    return {"score": row["points"], "visibility": "visible", "tests": tests}


def _test(name: str, score: float, most: float, passed: bool, output: str) -> dict[str, Any]:
    return {
        "name": name,
        "score": score,
        "max_score": most,
        "status": "passed" if passed else "failed",
        "visibility": "visible",
        "output": visible(output),
    }


class JUnit(Writer):
    """JUnit's XML: a suite a submission, a case a result; what is wrong is a failure, what is unreadable an error."""

    def grades(self, grades: Grades) -> Iterator[str]:
        """The whole file."""
        yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="convgrad grade">\n'
        for row in grades.rows:
            yield "\n".join(_suite(row)) + "\n"
        yield "</testsuites>\n"


def _suite(row: Row) -> Iterator[str]:
    name = quoteattr(visible(row["id"]))
    if row["status"] != "graded":
        reason = visible(row["reason"])
        yield f'  <testsuite name={name} tests="1" failures="0" errors="1">'
        yield f'    <testcase classname={name} name="submission">'
        yield f"      <error message={quoteattr(reason)}>{escape(visible(row['file']))}</error>\n    </testcase>"
        yield "  </testsuite>"
        return
    answers = {each: answer for each, answer in row["answers"].items() if "max_points" in answer}
    wrong = sum(answer["verdict"] != "right" for answer in answers.values())
    yield f'  <testsuite name={name} tests="{len(answers)}" failures="{wrong}" errors="0">'
    for each, answer in answers.items():
        head = f"    <testcase classname={name} name={quoteattr(each)}"
        if answer["verdict"] == "right":
            yield f"{head}/>"
            continue
        points = f"{answer['points']} of {answer['max_points']} points"
        yield f"{head}>\n      <failure message={quoteattr(answer['verdict'])}>"
        yield f"{escape(visible(told(answer)))} {points}</failure>\n    </testcase>"
    yield "  </testsuite>"
