"""From sources and options to a problem, and from a solution to bytes: what all layer commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from convgrad.cli.app import Outcome
from convgrad.cli.options import ALL
from convgrad.errors import ConvgradError, OptionError, did_you_mean
from convgrad.files import Document, Reader
from convgrad.problems import RESULTS, Operand, Problem, solve
from convgrad.render import Page, format_of, render, render_facts
from convgrad.report import Facts, Report, left_out_notes, select
from convgrad.settings import EVERY, Setting, read_settings

TERMINAL_STEPS = 16
"""Overlays shown on a terminal where --steps does not say how many."""

Build = Callable[[Mapping[str, Operand], Mapping[str, Any], bool], Problem]


def gather(reader: Reader, sources: Mapping[str, str | None], options: Mapping[str, Any],
           table: Iterable[Setting]) -> tuple[dict[str, Operand], dict[str, Any]]:
    """Sources by role, and options -> operands and settings; the document that INPUT may be fills the gaps.

    What the command line says wins over the document. ConvgradError for an entry that is a near miss of a
    name that the command knows.
    """
    table = tuple(table)
    operands: dict[str, Operand] = {}
    settings: dict[str, Any] = {}
    document: Document | None = None
    for role, source in sources.items():
        if source is not None:
            loaded = reader.read(source)
            if role == "input" and isinstance(loaded.value, Document):
                document = loaded.value
            taken = loaded.take(role)
            if isinstance(taken.value, Document):  # pragma: no cover - take() gives arrays
                raise ConvgradError("an array was expected", where=source)
            operands[role] = Operand(taken.value, taken.source, loaded.literal)
        elif document is not None and (name := document.role(role)):
            taken = document.array(name)
            if not isinstance(taken.value, Document):
                operands[role] = Operand(taken.value, taken.source)
    if document is not None:
        _check_names(document, sources)
        settings = read_settings(document.entries, table, document.source)
    given = {name: value for name, value in options.items() if value is not None}
    return operands, {**settings, **given}


def _check_names(document: Document, roles: Iterable[str]) -> None:
    """A misspelt setting must not pass silently; anything else that is not known is the reader's own business."""
    from convgrad.files.document import ROLES

    known = {*EVERY, *RESULTS, *(name for names in ROLES.values() for name in names), "steps", "indices"}
    lowered = {name.lower() for name in known}
    for name in document.entries:
        near = did_you_mean(name, EVERY) if name.lower() not in lowered and len(name) > 2 else ""
        if near and name not in known:
            raise ConvgradError(f"nothing is called {name!r}", where=document.source, hint=near)


def need(operands: Mapping[str, Operand], role: str, option: str, source: str) -> None:
    """ConvgradError that says how to add a missing operand."""
    if role not in operands:
        raise ConvgradError(f"there is no {role}", where=source,
                            hint=f"give {option}, or an entry {role!r} in a document")


OUTPUT_OPTIONS = ("only", "form", "out", "precision", "quiet", "debug", "steps")


def one_delta(argument: str | None, option: str | None) -> str | None:
    """DELTA, given as an argument or with -d; OptionError where it is given twice."""
    if argument is not None and option is not None:
        raise OptionError("the delta is given twice", where="-d", hint="give DELTA or -d")
    return argument if option is None else option


def run_layer(build: Build, title: str, sources: Mapping[str, str | None], options: Mapping[str, Any],
              table: Iterable[Setting], backward: bool) -> Outcome:
    """One layer command: read, build the problem, solve it, write."""
    reader = Reader()
    layer_options = {name: value for name, value in options.items() if name not in OUTPUT_OPTIONS}
    operands, values = gather(reader, sources, layer_options, table)
    if backward:
        need(operands, "delta", "DELTA (or -d)", operands["input"].source)
    said = [f"{name.replace('_', '-')} {_said(value)}" for name, value in values.items() if value is not False]
    return finish(reader, build(operands, values, backward), ", ".join([title, *said]), options)


def _said(value: Any) -> str:
    """A setting's value as people say it."""
    if value is True:
        return ""
    if isinstance(value, tuple):
        parts = [":".join(map(str, dict.fromkeys(each))) if isinstance(each, tuple) else str(each) for each in value]
        return ",".join(parts)
    return f"{value:g}" if isinstance(value, float) else str(value)


def finish(reader: Reader, problem: Problem, title: str, options: Mapping[str, Any]) -> Outcome:
    """Solve a problem and write it as the output options say."""
    solution = solve(problem)
    only = options["only"] or ()
    results = select(solution, only)
    form = choose_format(options)
    steps = options.get("steps")
    on_terminal = options["form"] == "auto" and form == "table"
    limit: int | None = (TERMINAL_STEPS if on_terminal else 0) if steps is None else None if steps is ALL else steps
    shorthand = problem.shorthand
    axes = {"input": "NC*", "kernel": "FI*", "delta": "NF*" if "kernel" in solution.operands else "NC*"}
    spatial = {name: tuple(shorthand.spatial(axes[name])) if name in axes and array.ndim else ()
               for name, array in solution.operands.items()}
    notes = [] if options["quiet"] or only else left_out_notes(solution.left_out)
    report = Report(title, solution.operands, spatial, results, limit, notes)
    return write(reader, report, form, options)


def choose_format(options: Mapping[str, Any]) -> str:
    """The format to write: --format, else the suffix of -o, else tables on a terminal and JSON elsewhere."""
    form: str = options["form"]
    if form != "auto":
        return form
    if options["out"] not in (None, "-"):
        return format_of(options["out"])
    return "table" if sys.stdout is not None and sys.stdout.isatty() else "json"


def write(reader: Reader, report: Report, form: str, options: Mapping[str, Any]) -> Outcome:
    """Render a report, to the file that -o names or to stdout."""
    to_file = options["out"] not in (None, "-")
    page = page_for(to_file, abridged=options["form"] == "auto") if form == "table" else None
    data = render(report, form, options["precision"], page)
    return Outcome(_placed(data, options["out"], reader.paths), report.notes)


def _placed(data: bytes, out: str | None, inputs: list[str]) -> bytes:
    """Write to the file that -o names, if it names one -> what is left for stdout."""
    if out in (None, "-"):
        return data
    from convgrad.files.writing import write_file

    write_file(out, data, inputs)
    return b""


def write_facts(facts: Facts, options: Mapping[str, Any]) -> Outcome:
    """The same for facts."""
    for name in options["only"] or ():
        if name not in facts.entries:
            raise OptionError(f"there is no result {name!r} here, only {', '.join(facts.entries)}", where="--only",
                              hint=did_you_mean(name, facts.entries))
    chosen = {name: entry for name, entry in facts.entries.items() if name in (options["only"] or facts.entries)}
    to_file = options["out"] not in (None, "-")
    data = render_facts(Facts(facts.title, chosen), choose_format(options), page_for(to_file, abridged=False))
    return Outcome(_placed(data, options["out"], []))


def page_for(to_file: bool, abridged: bool) -> Page:
    """Width and colour of the page, from the terminal and from NO_COLOR, FORCE_COLOR, TERM and COLUMNS."""
    import shutil

    terminal = not to_file and sys.stdout is not None and sys.stdout.isatty()
    colour = terminal and os.environ.get("TERM") not in ("dumb", "unknown")
    if os.environ.get("FORCE_COLOR"):
        colour = not to_file
    if os.environ.get("NO_COLOR"):
        colour = False
    return Page(max(40, shutil.get_terminal_size((80, 24)).columns), colour, abridged and terminal)
