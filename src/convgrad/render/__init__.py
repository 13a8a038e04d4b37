"""One report, many renderings: a module a format, imported when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from convgrad.errors import OptionError, did_you_mean
from convgrad.problems.report import Facts, Report

if TYPE_CHECKING:
    from convgrad.render.documents.document import Prose

SUFFIXES = {
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".npy": "npy",
    ".npz": "npz",
    ".html": "html",
    ".md": "markdown",
    ".tex": "latex",
    ".py": "torch",
}
"""The format that a file's suffix asks for."""


@dataclass(frozen=True, eq=False, repr=False)
class Page:
    """How a table is to be drawn: width in columns, whether in colour, and whether large arrays are abridged."""

    width: int = 80
    colour: bool = False
    abridged: bool = False


def render(report: Report, form: str, precision: int | None = None, page: Page | None = None) -> bytes:
    """A report -> the bytes of a format: table, json, html, markdown, latex, csv, tsv, npy, npz or torch.

    precision: digits after the point; None for as many as the number has. OptionError where the format holds
    one result and there are more.
    """
    if form == "table":
        from convgrad.render.terminal.report import render_table

        return render_table(report, precision, page or Page()).encode()
    if form == "json":
        from convgrad.render.data.json import render_json

        return render_json(report, precision).encode()
    if form == "torch":
        from convgrad.render.pytorch import render_torch

        return render_torch(report, precision).encode()
    if form in ("markdown", "latex"):
        return _prose(form, precision).compose(report).encode()
    if form == "html":
        from convgrad.render.page.html import render_html

        return render_html([report], report.title, precision).encode()
    if form == "npz":
        from convgrad.render.data.csv import render_npz

        return render_npz(report)
    from convgrad.render.data.csv import render_csv, render_npy

    if len(report.results) != 1:
        raise OptionError(
            f"{form} holds one result, and there are {len(report.results)}",
            hint=f"pick one: --only {next(iter(report.results))} (of {', '.join(report.results)})",
        )
    (quantity,) = report.results.values()
    if form == "npy":
        return render_npy(quantity)
    return render_csv(quantity, precision, "\t" if form == "tsv" else ",").encode()


def _prose(form: str, precision: int | None) -> Prose:
    """The writer of a kind of document."""
    if form == "markdown":
        from convgrad.render.documents.markdown import Markdown

        return Markdown(precision)
    from convgrad.render.documents.latex import Latex

    return Latex(precision)


def render_facts(facts: Facts, form: str, precision: int | None = None, page: Page | None = None) -> bytes:
    """Facts -> the bytes of a format; OptionError where csv or npy would have to hold more than one array."""
    if form == "json":
        from convgrad.render.data.json import render_json_facts

        return render_json_facts(facts, precision).encode()
    if form in ("markdown", "latex"):
        return _prose(form, precision).compose_facts(facts).encode()
    if form == "html":
        from convgrad.render.page.html import render_facts_html

        return render_facts_html(facts, precision).encode()
    if form == "table" and facts.reports:
        from convgrad.render.terminal.report import render_table

        return b"\n".join(render_table(report, precision, page or Page()).encode() for report in facts.reports)
    if form == "table":
        from convgrad.render.terminal.report import render_facts_table

        return render_facts_table(facts, page or Page()).encode()
    if form == "torch":
        return _program(facts, precision)
    if form == "npz" or len(facts.entries) == 1:
        from convgrad.render.data.csv import render_fact, render_facts_npz

        if form == "npz":
            return render_facts_npz(facts)
        return render_fact(*next(iter(facts.entries.items())), form, precision)
    raise OptionError(f"{form} cannot hold {' and '.join(facts.entries)}", hint="use json, or pick one with --only")


def _program(facts: Facts, precision: int | None) -> bytes:
    """The program of facts that are a network's; OptionError for others."""
    if facts.network is None:
        raise OptionError(
            "there is no PyTorch program of this", hint="layers, losses and backprop have one; use json or table"
        )
    from convgrad.render.data.csv import flattened
    from convgrad.render.pytorch import render_network

    return render_network(facts.title, facts.network, flattened(facts.entries), precision).encode()


def format_of(path: str) -> str:
    """The format that a file's name asks for; OptionError names those there are."""
    import os

    suffix = os.path.splitext(path)[1].lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    found = f"the suffix {suffix!r} says no format" if suffix else "the name has no suffix to say the format"
    hint = did_you_mean(suffix, SUFFIXES) or f"use one of {' '.join(SUFFIXES)}, or --format"
    raise OptionError(found, where=path, hint=hint)
