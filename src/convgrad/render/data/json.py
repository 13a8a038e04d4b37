"""JSON: one object of results, innermost rows on one line, with the working where it is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from convgrad.core.element import Array, Explanation
from convgrad.core.quantity import Quantity
from convgrad.core.term import Term
from convgrad.kinds import USUAL_FORMS
from convgrad.problems.report import Facts, Report
from convgrad.render.number_text import exact
from convgrad.render.writer import Writer

if TYPE_CHECKING:
    from convgrad.checking.directions import Gradcheck
    from convgrad.checking.verdict import Checked
    from convgrad.render.catalogue import Listing, MistakeInFull, Shows
    from convgrad.render.grades import Grades
    from convgrad.teaching.exercise import Exercises, Key


class Json(Writer):
    """An object (of the catalogue a list) and a newline."""

    def report(self, report: Report) -> str:
        """``{"output": ..., "dW": ..., "steps": {"dW": [...]}}``."""
        entries: dict[str, Any] = {name: quantity.value for name, quantity in report.results.items()}
        return self._text(entries | _worked(report) | _explained(report))

    def facts(self, facts: Facts) -> str:
        """The entries, those of a layer with its steps; the steps of results that stand alone by their paths."""
        worked = {report.path: _worked(report) for report in facts.reports if report.path}
        entries = _with_working(dict(facts.entries), "", worked)
        for path, own in worked.items():
            for kind in ("arrays", "steps"):
                if named := {f"{path}.{name}": each for name, each in own.get(kind, {}).items()}:
                    entries[kind] = entries.get(kind, {}) | named
        return self._text(entries | _explained(facts))

    def verdicts(self, checked: Checked) -> str:
        """``{"verdict": ..., "answers": {name: {"verdict", "wrong_cells", "mistakes", ...}}}``."""
        from convgrad.render.data.verdicts import as_entries

        return self._text(as_entries(checked))

    def gradcheck(self, found: Gradcheck) -> str:
        """``{"verdict": ..., "gradients": {name: {"verdict", "largest_difference", ...}}}``, whose digits all count."""
        from convgrad.render.data.gradchecks import as_entries

        return dump(as_entries(found)) + "\n"

    def catalogue(self, listing: Listing) -> str:
        """``[{"name", "about", "layers", "what", "why", "mend"}, ...]``."""
        from convgrad.render.data.catalogue import entry

        return dump([entry(row) for row in listing.rows]) + "\n"

    def mistake(self, told: MistakeInFull) -> str:
        """A row of that with its family, its kin, and an example as a document that the program reads."""
        from convgrad.render.data.catalogue import in_full

        return dump(in_full(told)) + "\n"

    def shows(self, told: Shows) -> str:
        """``{"layer": ..., "results": {name: {"told_apart", "together", "invisible"}}}``."""
        from convgrad.render.data.catalogue import told_apart

        return dump(told_apart(told)) + "\n"

    def exercises(self, told: Exercises) -> str:
        """The document of one problem, as every command reads it."""
        (exercise,) = told.each
        return dump(exercise.document) + "\n"

    def key(self, told: Key) -> str:
        """Its answers, as they are asked for, and what they tell apart."""
        return dump(told.exercise.key) + "\n"

    def grades(self, grades: Grades) -> Iterator[str]:
        """``{"submissions": [...], "summary": {...}}``, part after part."""
        yield '{\n  "submissions": ['
        for number, row in enumerate(grades.rows):
            yield ("," if number else "") + "\n    " + dump(row, None, "    ")
        yield '\n  ],\n  "summary": ' + dump(grades.summary.entries, None, "  ") + "\n}\n"

    def _text(self, entries: dict[str, Any]) -> str:
        return dump(entries, self.style.precision) + "\n"


def _worked(report: Report) -> dict[str, Any]:
    """The overlays of each result, and what they work on besides the operands; empty where none are wanted."""
    if report.steps == 0:
        return {}
    # the summands of a step of descent are other results; those that have a rule are made by the layer
    told = [*report.worked(), *(quantity for quantity in report.summed() if quantity.rule)]
    steps = {quantity.name: list(_steps(quantity, report.steps)) for quantity in told}
    if report.form not in USUAL_FORMS or report.arrays:
        return {"form": report.form, "arrays": dict(report.arrays), "steps": steps}
    return {"steps": steps}


def _with_working(entry: Any, path: str, worked: dict[str, Any]) -> Any:
    """An entry of objects and lists, each object with the working of its path, which is taken out of `worked`."""
    if isinstance(entry, list):
        return [_with_working(each, f"{path}[{k}]", worked) for k, each in enumerate(entry)]
    if not isinstance(entry, dict):
        return entry
    found = {name: _with_working(each, f"{path}.{name}" if path else name, worked) for name, each in entry.items()}
    return found | worked.pop(path, {})


def _explained(told: Report | Facts) -> dict[str, Any]:
    if not told.explanations:
        return {}
    return {"explain": [_explanation(each, told.zeros) for each in told.explanations]}


class Line(dict[str, Any]):
    """An object that is written on one line."""


def dump(value: Any, precision: int | None = None, indent: str = "") -> str:
    """A value of dicts, lists, arrays, strings and numbers -> JSON text, arrays row by row."""
    deeper = indent + "  "
    if isinstance(value, dict):
        if not value:
            return "{}"
        if isinstance(value, Line):
            return "{" + ", ".join(f"{json.dumps(name)}: {dump(each, precision)}" for name, each in value.items()) + "}"
        body = [f"{deeper}{json.dumps(name)}: {dump(each, precision, deeper)}" for name, each in value.items()]
        return "{\n" + ",\n".join(body) + f"\n{indent}}}"
    if isinstance(value, np.ndarray):
        if value.ndim > 1:
            rows = [deeper + dump(row, precision, deeper) for row in value]
            return "[\n" + ",\n".join(rows) + f"\n{indent}]"
        if value.ndim:
            # tolist() makes Python floats, quicker to write, but would widen the digits of a float32
            numbers = value if value.dtype == np.float32 else value.tolist()
            return "[" + ", ".join(_numeral(number, precision) for number in numbers) + "]"
        return _numeral(value[()], precision)
    if isinstance(value, list):
        if not any(isinstance(each, dict) for each in value):
            return "[" + ", ".join(dump(each, precision) for each in value) + "]"
        return "[\n" + ",\n".join(deeper + dump(each, precision, deeper) for each in value) + f"\n{indent}]"
    return json.dumps(value) if isinstance(value, str | int | None) else _numeral(value, precision)


def _numeral(number: Any, precision: int | None) -> str:
    """A number in JSON: one that remembers how it is written is so, and fractions that do not end are strings."""
    text = getattr(number, "text", "") or exact(number, precision)
    return f'"{text}"' if "/" in text else text


def _explanation(explanation: Explanation, zeros: bool) -> dict[str, Any]:
    return {
        "element": explanation.element,
        "formula": str(explanation.formula),
        "terms": [
            Line(
                **({"path": part.path} if part.path else {}),
                factors=[[str(name), value] for name, value in factors],
                product=product,
            )
            for part in explanation.parts
            for factors, product in explanation.terms_of(part, zeros)
        ],
        "zero_terms": explanation.zero_terms,
        "value": explanation.value,
    }


def _steps(quantity: Quantity, limit: int | None) -> Any:
    for term, total in islice(quantity.running(), limit):
        yield {
            **_at(term),
            **_delta(term),
            "contribution": term.patch,
            "sum": total,
        }


def _at(term: Term) -> dict[str, Any]:
    """Which term it is: by its name, or by its place and the rows and columns that it covers."""
    if term.called:
        return {"called": str(term.called)}
    return {"at": list(term.at), "region": [list(each) for each in term.box]}


def _delta(term: Term) -> dict[str, Array]:
    delta = term.factor("delta")
    return {} if delta is None else {"delta": delta}
