"""What a solved layer has to say, as the options want it: its results, how much of the working, in which forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from convgrad.cli.options import ALL
from convgrad.cli.outputs import choose_format
from convgrad.errors import OptionError
from convgrad.kinds import USUAL_FORMS
from convgrad.kinds.formats import FORMATS, SOME_STEPS
from convgrad.problems import Solution
from convgrad.problems.forms import forms_of, in_form
from convgrad.problems.report import Report, left_out_notes
from convgrad.problems.selection import explained, select

MOST_IN_ALL_FORMS = 50_000
"""Numbers in the operands beyond which a format that shows all forms shows one: a matrix of patches is many times as
large."""


def report_of(solution: Solution, title: str, options: Mapping[str, Any]) -> Report:
    """A solution as the output options want it."""
    only = options["only"] or ()
    form, steps = FORMATS[choose_format(options)], options.get("steps")
    on_terminal = options["format_"] == "auto" and form.name == "table"
    if options["zeros"] and not options["explain"]:
        raise OptionError("--zeros lists products of an element", hint="add --explain ELEMENT")
    explanations = explained(solution.explainable(), options["explain"], solution.left_out)
    usual = SOME_STEPS if on_terminal else form.steps
    if explanations and form.read_through:
        usual = 0
    limit: int | None = usual if steps is None else None if steps is ALL else steps
    notes = [] if options["quiet"] or only or explanations else left_out_notes(solution.left_out)
    alone = explanations and form.read_through and not only and not limit
    results = {} if alone else select(solution, only)

    derivation = options.get("form") or forms_of(solution)[0]
    in_form(solution, derivation)  # which says why there is none

    def report(derivation: str) -> Report:
        shown = limit != 0 or (explanations and derivation in USUAL_FORMS)
        worked = in_form(solution, derivation) if shown else solution
        return Report(
            title,
            worked.operands,
            worked.spatial,
            results,
            limit,
            notes,
            worked.working,
            explanations,
            options["zeros"],
            derivation,
            worked.arrays,
            worked.made,
            problem=solution.problem,
        )

    chosen = report(derivation)
    if form.all_forms and sum(array.size for array in solution.operands.values()) <= MOST_IN_ALL_FORMS:
        chosen = replace(chosen, forms={each: report(each) for each in forms_of(solution)})
    return chosen
