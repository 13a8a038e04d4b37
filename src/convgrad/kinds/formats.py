"""The formats in which results are written: a line each. What writes one is imported when it is asked for."""

from __future__ import annotations

import os
from typing import NamedTuple

from convgrad.errors import OptionError, did_you_mean

SOME_STEPS = 16
"""Overlays that people are shown where --steps does not say how many."""


class Format(NamedTuple):
    """A format: its name, the class that writes it (``module:Class``), and the suffixes of its files.

    help: what is to be said of it in a word or two; by_name: whether --format takes it too, or only a file's suffix
    asks for it; read_through: whether people read it from the first line on, so that an element asked for stands alone
    in it; steps: the overlays it shows unless --steps says how many (None: all); all_forms: whether it shows the
    working in all of its forms at once; drawn: whether it has a width and colours; tells: what it writes, by the names
    of its writer's methods, a report being the results of a layer.
    """

    name: str
    writer: str
    suffixes: tuple[str, ...] = ()
    help: str = ""
    by_name: bool = True
    read_through: bool = False
    steps: int | None = 0
    all_forms: bool = False
    drawn: bool = False
    tells: tuple[str, ...] = ("report",)


_EVERYTHING = ("report", "verdicts", "gradcheck", "catalogue", "mistake", "shows")
_ROWS = ("report", "verdicts", "catalogue")
_PROSE = ("report", "verdicts", "catalogue", "mistake")
_SHEET = ("exercises",)
_GRADES = ("grades",)

_ALL = (
    Format("table", "convgrad.render.terminal:Table", read_through=True, drawn=True, tells=(*_EVERYTHING, *_GRADES)),
    Format("json", "convgrad.render.data.json:Json", (".json",), tells=(*_EVERYTHING, *_SHEET, "key", *_GRADES)),
    Format("csv", "convgrad.render.data.arrays:Csv", (".csv",), "one result", tells=(*_ROWS, *_GRADES)),
    Format("tsv", "convgrad.render.data.arrays:Tsv", (".tsv",), by_name=False, tells=(*_ROWS, *_GRADES)),
    Format("npy", "convgrad.render.data.arrays:Npy", (".npy",), by_name=False),
    Format("npz", "convgrad.render.data.arrays:Npz", (".npz",), by_name=False),
    Format(
        "html",
        "convgrad.render.page.html:Page",
        (".html",),
        "a page to step through",
        steps=None,
        all_forms=True,
        tells=(*_ROWS, *_SHEET),
    ),
    Format(
        "markdown",
        "convgrad.render.documents.markdown:Markdown",
        (".md",),
        read_through=True,
        steps=SOME_STEPS,
        tells=(*_PROSE, *_SHEET),
    ),
    Format(
        "latex",
        "convgrad.render.documents.latex:Latex",
        (".tex",),
        "to be input into a document that loads amsmath",
        read_through=True,
        steps=SOME_STEPS,
        tells=(*_PROSE, *_SHEET),
    ),
    Format("jsonl", "convgrad.render.data.grades:JsonLines", (".jsonl",), tells=_GRADES),
    Format("gradescope", "convgrad.render.data.grades:Gradescope", tells=_GRADES),
    Format("junit", "convgrad.render.data.grades:JUnit", (".xml",), tells=_GRADES),
    Format("stack", "convgrad.render.banks.stack:Stack", help="questions for STACK", tells=_SHEET),
    Format("moodle", "convgrad.render.banks.cloze:Cloze", help="questions for Moodle", tells=_SHEET),
    Format("torch", "convgrad.render.pytorch:Torch", (".py",), "a PyTorch program of the same"),
)

FORMATS = {each.name: each for each in _ALL}
"""All formats, by name."""

NAMES = ("auto", *(each.name for each in _ALL if each.by_name))
"""What --format takes; auto is tables on a terminal and JSON elsewhere."""

SUFFIXES = {suffix: each.name for each in _ALL for suffix in each.suffixes}
"""The format that a file's suffix asks for."""


def telling(noun: str) -> str:
    """The formats that write something, those of results with a word: ``table, json, csv (one result) or ...``."""
    found = [form for form in _ALL if form.by_name and noun in form.tells]
    each = [f"{form.name} ({form.help})" if form.help and noun == "report" else form.name for form in found]
    return f"{', '.join(each[:-1])} or {each[-1]}"


def suffixes_telling(noun: str) -> str:
    """The suffixes of files that hold it."""
    return " ".join(suffix for form in _ALL if noun in form.tells for suffix in form.suffixes)


def format_of(path: str) -> str:
    """The format that a file's name asks for; OptionError names those there are."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    found = f"the suffix {suffix!r} says no format" if suffix else "the name has no suffix to say the format"
    hint = did_you_mean(suffix, SUFFIXES) or f"use one of {' '.join(SUFFIXES)}, or --format"
    raise OptionError(found, where=path, hint=hint)
