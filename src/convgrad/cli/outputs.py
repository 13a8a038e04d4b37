"""From what a command has to say to bytes, written where the output options say."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from convgrad.cli.command import Outcome
from convgrad.cli.waiting import waiting
from convgrad.errors import OptionError
from convgrad.kinds.formats import FORMATS, format_of
from convgrad.problems.report import Facts
from convgrad.problems.selection import picked
from convgrad.render import write_all
from convgrad.render.writer import Said, Style


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


def said(
    what: Said,
    options: Mapping[str, Any],
    inputs: Iterable[str] = (),
    more: Iterable[tuple[str, bytes]] = (),
    notes: list[str] | None = None,
    code: int = 0,
) -> Outcome:
    """What a command has to say, as the output options want it, over none of the `inputs`; `more`: files besides."""
    form = choose_format(options)
    with waiting(f"working on the {form}", options.get("quiet")):  # most numbers are computed when they are written
        data, beside = write_all(what, form, style(options))
    return Outcome(placed(data, options, inputs, [*_named(beside, options), *more]), notes or [], code)


def _named(beside: Mapping[str, bytes], options: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The files beside the one that -o names, by name; OptionError where one would be that itself."""
    for suffix, data in beside.items():
        path = os.path.splitext(options["out"])[0] + suffix
        if os.path.realpath(path) == os.path.realpath(options["out"]):
            raise OptionError(f"{path} is needed for the numbers", where="-o", hint="name a file that ends in .py")
        yield path, data


def write_facts(
    facts: Facts,
    options: Mapping[str, Any],
    inputs: Iterable[str] = (),
    more: Iterable[tuple[str, bytes]] = (),
    notes: list[str] | None = None,
) -> Outcome:
    """Facts, written as the output options say, over none of the `inputs`; with `more` files, all of them or none."""
    chosen = picked(facts.entries, options["only"] or ())
    return said(replace(facts, entries=chosen), options, inputs, more, notes)


def style(options: Mapping[str, Any]) -> Style:
    """Digits from --precision; width and colour from the terminal and from NO_COLOR, FORCE_COLOR, TERM and COLUMNS."""
    to_file = options["out"] not in (None, "-")
    if not FORMATS[choose_format(options)].drawn:
        return Style(options["precision"], beside=to_file)
    import shutil

    terminal = not to_file and sys.stdout is not None and sys.stdout.isatty()
    colour = terminal and os.environ.get("TERM") not in ("dumb", "unknown")
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0", "false"):
        colour = not to_file
    if os.environ.get("NO_COLOR"):
        colour = False
    width = max(20, shutil.get_terminal_size((80, 24)).columns)
    return Style(options["precision"], width, colour, abridged=terminal and options["format_"] == "auto")
