"""What a solved layer has to say, as the options want it: its results, how much of the working, in which forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convgrad.cli.options import ALL
from convgrad.cli.outputs import choose_format
from convgrad.errors import OptionError
from convgrad.kinds.formats import FORMATS, SOME_STEPS
from convgrad.problems import Solution
from convgrad.problems.forms import worked_out
from convgrad.problems.report import Report, left_out_notes
from convgrad.problems.selection import explained, select


def overlays_wanted(options: Mapping[str, Any], usual: int | None) -> int | None:
    """How many overlays are shown one by one (None: all); usual: where --steps does not say."""
    steps = options.get("steps")
    return usual if steps is None else None if steps is ALL else steps


def report_of(solution: Solution, title: str, options: Mapping[str, Any]) -> Report:
    """A solution as the output options want it."""
    only = options["only"] or ()
    form = FORMATS[choose_format(options)]
    on_terminal = options["format_"] == "auto" and form.name == "table"
    if options["zeros"] and not options["explain"]:
        raise OptionError("--zeros lists products of an element", hint="add --explain ELEMENT")
    explanations = explained(solution.explainable(), options["explain"], solution.left_out)
    usual = SOME_STEPS if on_terminal else form.steps
    if explanations and form.read_through:
        usual = 0
    limit = overlays_wanted(options, usual)
    notes = [] if options["quiet"] or only or explanations else left_out_notes(solution.left_out)
    alone = explanations and form.read_through and not only and not limit
    results = {} if alone else select(solution, only)
    shown = Report(title, {}, {}, results, limit, notes, explanations=explanations, zeros=options["zeros"])
    return worked_out(shown, solution, options.get("form"), form.all_forms)
