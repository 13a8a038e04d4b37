"""mistakes: the catalogue, one mistake in full, or what a problem shows of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from convgrad.cli.app import Command, Outcome
from convgrad.cli.options import Read, output
from convgrad.errors import ConvgradError, OptionError, at, did_you_mean
from convgrad.kinds import KINDS
from convgrad.kinds.setting import choice

if TYPE_CHECKING:
    from convgrad.files import Document, Reader
    from convgrad.mistakes.case import Case
    from convgrad.mistakes.mistake import Mistake

LAYERS = {kind.name: kind for kind in KINDS.values() if kind.commands}
"""The layers of problems."""

_LAYER = choice(LAYERS)


@click.command(
    "mistakes",
    cls=Command,
    example="convgrad mistakes kernel-not-rotated",
    help="The mistakes that --check recognises. Alone: all of them. With a NAME: one in full, with a small worked "
    "example. With a FILE (or FILE#KEY, or - for standard input) that holds a problem with its delta, as the layer "
    "commands read it: which mistakes would show in each result of this problem, which of them it cannot tell apart, "
    'and which stay invisible; --layer says what layer it is (or an entry "layer" in it), where its entries do not. '
    "--only picks results.",
)
@click.argument("what", metavar="[NAME|FILE]", required=False)
@click.option(
    "--layer",
    type=Read(_LAYER, "layer"),
    metavar="NAME",
    help=f"Only mistakes of this layer; or the layer of the problem: {', '.join(LAYERS)}.",
)
@output
def mistakes(what: str | None, layer: str | None, **options: Any) -> Outcome:
    from convgrad.mistakes.catalogue import ROWS

    rows = {row.name: row for row in ROWS}
    if what is None:
        words = {word for name, kind in LAYERS.items() if layer in (None, name) for word in kind.words}
        return _listed([row for row in rows.values() if words & {*row.layers}], options)
    if what in rows:
        return _in_full(rows[what], options)
    if not _looks_like_source(what):
        hint = did_you_mean(what, rows) or "'convgrad mistakes' lists them; a problem is a file"
        raise OptionError(f"there is no mistake called {what!r}, and no such file", hint=hint)
    return _of_problem(what, layer, options)


def _looks_like_source(what: str) -> bool:
    path = what.rpartition("#")[0] or what
    return what == "-" or os.path.exists(path) or what.lstrip().startswith("{") or bool(os.path.splitext(path)[1])


def _listed(rows: list[Mistake], options: Mapping[str, Any]) -> Outcome:
    from convgrad.cli.work import choose_format, page_for, placed
    from convgrad.render.terminal.catalogue import render_catalogue

    _no_results(options)
    return Outcome(placed(render_catalogue(rows, choose_format(options), page_for(options)), options, []))


def _in_full(row: Mistake, options: Mapping[str, Any]) -> Outcome:
    from convgrad.cli.work import choose_format, page_for, placed, titled
    from convgrad.render.terminal.catalogue import render_mistake
    from convgrad.teaching.example import example

    _no_results(options)
    worked = example(row)
    title = "" if worked is None else titled(worked.case.layer, worked.case.settings)
    data = render_mistake(row, worked, title, choose_format(options), page_for(options))
    return Outcome(placed(data, options, []))


def _no_results(options: Mapping[str, Any]) -> None:
    if options["only"]:
        raise OptionError(
            "it picks results of a problem, and there is none", where="--only", hint="give a problem's file"
        )


def _of_problem(source: str, layer: str | None, options: Mapping[str, Any]) -> Outcome:
    from convgrad.cli.work import choose_format, page_for, placed
    from convgrad.files import Document, Reader
    from convgrad.mistakes.recogniser import shown
    from convgrad.problems.selection import select
    from convgrad.render.terminal.catalogue import render_shown

    reader = Reader()
    document = reader.read(source).value
    if not isinstance(document, Document):
        raise ConvgradError(
            "it holds one array, not a problem",
            where=source,
            hint='a problem is {"input": ..., "kernel": ..., "delta": ...}',
        )
    case = _case(reader, source, document, layer or layer_of(document))
    names = select(case.solution, options["only"] or ())
    found = [shown(case, name) for name in names]
    return Outcome(
        placed(render_shown(case.layer, found, choose_format(options), page_for(options)), options, reader.paths)
    )


def layer_of(document: Document) -> str:
    """The layer that a problem is of, by its entry `layer` or by what else it holds; ConvgradError where it is open."""
    for entry in ("layer", "type"):
        name = document.find(entry)
        if name is not None:
            with at(f"{document.source}: {name}"):
                return _LAYER(document.entries[name])
    held = {name.lower(): value for name, value in document.entries.items()}
    for kind in sorted(LAYERS.values(), key=lambda kind: -kind.precedence):
        if any(name in held and (not values or held[name] in values) for name, values in kind.marks.items()):
            return kind.name
    raise ConvgradError(
        "it does not say what layer this is a problem of",
        where=document.source,
        hint=f'add --layer NAME, or an entry "layer": one of {", ".join(LAYERS)}',
    )


def _case(reader: Reader, source: str, document: Document, layer: str) -> Case:
    from convgrad.cli.gather import gather, need
    from convgrad.teaching.draws import case_of

    kind = LAYERS[layer]
    roles = (*kind.roles, *(["velocity"] if kind.velocities else []))
    sources: dict[str, str | None] = {role: source if number == 0 else None for number, role in enumerate(roles)}
    # what is seen, is seen in floats too
    operands, values = gather(reader, sources, {"dtype": "float64"}, kind.every)
    if layer == "loss":
        need(operands, "target", "a target", document.source)
    return case_of(kind.name, operands, values, backward=layer != "loss" and "delta" in operands)
