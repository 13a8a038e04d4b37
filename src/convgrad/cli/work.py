"""From a problem to bytes, written where the output options say: what all commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from convgrad.cli.app import Outcome
from convgrad.cli.checking import CHECK_OPTIONS
from convgrad.cli.options import ALL
from convgrad.errors import OptionError
from convgrad.files import Reader
from convgrad.problems import Solution
from convgrad.problems.forms import forms_of, in_form
from convgrad.problems.report import Facts, Report, left_out_notes
from convgrad.problems.selection import explained, picked, select
from convgrad.render import Page, format_of, render, render_facts

TERMINAL_STEPS = 16
"""Overlays shown on a terminal where --steps does not say how many."""

DOCUMENTS = ("markdown", "latex")
"""Formats that people read, and that show the working as a terminal does; a page shows all of it."""

IN_ALL_FORMS = ("html",)

MOST_IN_ALL_FORMS = 50_000
"""Numbers in the operands beyond which such a format shows one form: a matrix of patches is many times as large."""

OUTPUT_OPTIONS = (
    "only",
    "format_",
    "out",
    "precision",
    "quiet",
    "debug",
    "steps",
    "form",
    "explain",
    "zeros",
    *CHECK_OPTIONS,
)


def own_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """A command's options without those that say what is written, how and where."""
    return {name: value for name, value in options.items() if name not in OUTPUT_OPTIONS}


def titled(title: str, settings: Mapping[str, Any]) -> str:
    """A title that says the settings: ``convolution, stride 2, padding 1``."""
    said = [
        f"no {name.replace('_', ' ')}" if value is False else f"{name.replace('_', ' ')} {_said(value)}".rstrip()
        for name, value in settings.items()
    ]
    return ", ".join([title, *said])


def _said(value: Any) -> str:
    """A setting's value as people say it."""
    if value is True:
        return ""
    if isinstance(value, tuple):
        parts = [":".join(map(str, dict.fromkeys(each))) if isinstance(each, tuple) else str(each) for each in value]
        return ",".join(parts)
    return f"{value:g}" if isinstance(value, float) else str(value)


def finish(
    reader: Reader,
    solution: Solution,
    title: str,
    options: Mapping[str, Any],
    settings: Mapping[str, Any] | None = None,
) -> Outcome:
    """Write a solution as the output options say; settings: those of the layer."""
    only = options["only"] or ()
    form, steps = choose_format(options), options.get("steps")
    on_terminal = options["format_"] == "auto" and form == "table"
    if options["zeros"] and not options["explain"]:
        raise OptionError("--zeros lists products of an element", hint="add --explain ELEMENT")
    explanations = explained(solution.explainable(), options["explain"], solution.left_out)
    shown = on_terminal or form in DOCUMENTS
    usual = TERMINAL_STEPS if shown and not explanations else None if form == "html" else 0
    limit: int | None = usual if steps is None else None if steps is ALL else steps
    notes = [] if options["quiet"] or only or explanations else left_out_notes(solution.left_out)
    alone = explanations and (form == "table" or form in DOCUMENTS) and not only and not limit
    results = {} if alone else select(solution, only)

    if options.get("form", "overlay") not in forms_of(solution):
        in_form(solution, options["form"])  # which says why there is none

    def report(derivation: str) -> Report:
        worked = solution if limit == 0 else in_form(solution, derivation)
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
            settings=settings or {},
            problem=solution.problem,
        )

    chosen = report(options.get("form", "overlay"))
    if form in IN_ALL_FORMS and sum(array.size for array in solution.operands.values()) <= MOST_IN_ALL_FORMS:
        chosen = replace(chosen, forms={each: report(each) for each in forms_of(solution)})
    data = render(chosen, form, options["precision"], page_for(options) if form == "table" else None)
    return Outcome(placed(data, options, reader.paths), notes)


def choose_format(options: Mapping[str, Any]) -> str:
    """The format to write: --format, else the suffix of -o, else tables on a terminal and JSON elsewhere."""
    form: str = options["format_"]
    if form != "auto":
        return form
    if options["out"] not in (None, "-"):
        return format_of(options["out"])
    return "table" if sys.stdout is not None and sys.stdout.isatty() else "json"


def placed(
    data: bytes, options: Mapping[str, Any], inputs: Iterable[str], more: Iterable[tuple[str, bytes]] = ()
) -> bytes:
    """Write to the file that -o names, if it names one, and the files of `more` -> what is left for stdout."""
    to_file = options["out"] not in (None, "-")
    files = [*([(options["out"], data)] if to_file else []), *more]
    if files:
        from convgrad.files.writing import write_files

        write_files(files, inputs)
    return b"" if to_file else data


def write_facts(
    facts: Facts, options: Mapping[str, Any], inputs: Iterable[str] = (), more: Iterable[tuple[str, bytes]] = ()
) -> Outcome:
    """Facts, written as the output options say, over none of the `inputs`; with `more` files, all of them or none."""
    chosen = picked(facts.entries, options["only"] or ())
    data = render_facts(replace(facts, entries=chosen), choose_format(options), options["precision"], page_for(options))
    return Outcome(placed(data, options, inputs, more))


def page_for(options: Mapping[str, Any]) -> Page:
    """Width and colour of the page, from the terminal and from NO_COLOR, FORCE_COLOR, TERM and COLUMNS."""
    import shutil

    to_file = options["out"] not in (None, "-")
    terminal = not to_file and sys.stdout is not None and sys.stdout.isatty()
    colour = terminal and os.environ.get("TERM") not in ("dumb", "unknown")
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0", "false"):
        colour = not to_file
    if os.environ.get("NO_COLOR"):
        colour = False
    width = max(20, shutil.get_terminal_size((80, 24)).columns)
    return Page(width, colour, abridged=terminal and options["format_"] == "auto")
