"""JSON: one object of results, innermost rows on one line, with the working where it is asked for."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import numpy as np

from convgrad.core.quantity import Array, Explanation, Quantity, Term
from convgrad.problems.report import Facts, Report
from convgrad.render.number_text import exact


def render_json(report: Report, precision: int | None = None) -> str:
    """A report -> ``{"output": ..., "dW": ..., "steps": {"dW": [...]}}`` and a newline."""
    entries: dict[str, Any] = {name: quantity.value for name, quantity in report.results.items()}
    if report.steps != 0:
        if report.form != "overlay":
            entries["form"], entries["arrays"] = report.form, dict(report.arrays)
        entries["steps"] = {quantity.name: list(_steps(quantity, report.steps)) for quantity in report.worked()}
    return dump(entries | _explained(report), precision) + "\n"


def render_json_facts(facts: Facts, precision: int | None = None) -> str:
    """Facts -> an object of their entries and a newline."""
    return dump(dict(facts.entries) | _explained(facts), precision) + "\n"


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
    """A number in JSON: fractions whose decimal does not end are strings."""
    text = exact(number, precision)
    return f'"{text}"' if "/" in text else text


def _explanation(explanation: Explanation, zeros: bool) -> dict[str, Any]:
    return {
        "element": explanation.element,
        "formula": explanation.formula,
        "terms": [
            Line(factors=[[name, value] for name, value in factors], product=product)
            for factors, product in explanation.terms(zeros)
        ],
        "zero_terms": explanation.zero_terms,
        "value": explanation.value,
    }


def _steps(quantity: Quantity, limit: int | None) -> Any:
    for term, total in islice(quantity.running(), limit):
        yield {
            "at": list(term.at),
            "region": [list(each) for each in term.box],
            **_delta(term),
            "contribution": term.patch,
            "sum": total,
        }


def _delta(term: Term) -> dict[str, Array]:
    delta = term.factor("delta")
    return {} if delta is None else {"delta": delta}
