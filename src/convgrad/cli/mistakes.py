"""mistakes: the catalogue, one mistake in full, or what a problem shows of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from convgrad.cli.command import Command, Outcome
from convgrad.cli.options import LAYER, Read, option, output
from convgrad.cli.waiting import waiting
from convgrad.errors import OptionError, did_you_mean
from convgrad.kinds import OF_PROBLEMS
from convgrad.kinds.formats import telling
from convgrad.kinds.setting import choice

if TYPE_CHECKING:
    from convgrad.mistakes.mistake import Mistake


@click.command(
    "mistakes",
    cls=Command,
    example="convgrad mistakes kernel-not-rotated",
    help="The mistakes that --check recognises. Alone: all of them. With a NAME: one in full, with a small worked "
    "example. With a FILE (or FILE#KEY, or - for standard input) that holds a problem with its delta, as the layer "
    "commands read it: which mistakes would show in each result of this problem, which of them it cannot tell apart, "
    'and which stay invisible; --layer says what layer it is (or an entry "layer" in it), where its entries do not. '
    f"--only picks results. One mistake is written as {telling('mistake')}; what a problem shows, as "
    f"{telling('shows')}.",
    params=[
        click.Argument(["what"], metavar="[NAME|FILE]", required=False),
        option(
            LAYER,
            "--layer",
            type=Read(choice(OF_PROBLEMS), "layer"),
            metavar="NAME",
            help=f"Only mistakes of this layer; or the layer of the problem: {', '.join(OF_PROBLEMS)}.",
        ),
        *output("catalogue"),
    ],
)
def mistakes(what: str | None, layer: str | None, **options: Any) -> Outcome:
    from convgrad.mistakes.catalogue import ROWS

    rows = {row.name: row for row in ROWS}
    if what is None:
        words = {word for name, kind in OF_PROBLEMS.items() if layer in (None, name) for word in kind.words}
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
    from convgrad.cli.outputs import said
    from convgrad.render.catalogue import Listing

    _no_results(options)
    return said(Listing(rows), options)


def _in_full(row: Mistake, options: Mapping[str, Any]) -> Outcome:
    from convgrad.cli.outputs import said
    from convgrad.problems.report import titled
    from convgrad.render.catalogue import MistakeInFull
    from convgrad.teaching.example import example

    _no_results(options)
    worked = example(row)
    title = ""
    if worked is not None:  # whose layer is called by its variant, so that its settings need not say it once more
        word = worked.case.layer
        title = titled(
            word, {name: value for name, value in worked.case.settings.items() if (name, value) != (word, True)}
        )
    return said(MistakeInFull(row, worked, title), options)


def _no_results(options: Mapping[str, Any]) -> None:
    if options["only"]:
        raise OptionError(
            "it picks results of a problem, and there is none", where="--only", hint="give a problem's file"
        )


def _of_problem(source: str, layer: str | None, options: Mapping[str, Any]) -> Outcome:
    from convgrad.cli.outputs import said
    from convgrad.files import Reader
    from convgrad.mistakes.shown import shown
    from convgrad.problems.reading import need, read_document
    from convgrad.problems.selection import select
    from convgrad.render.catalogue import Shows
    from convgrad.teaching.draws import case_of

    reader = Reader()
    kind, operands, settings = read_document(reader, source, layer)
    above = kind.given[-1]  # a delta, or a loss's target
    if above.needed:
        need(operands, above.name, f"a {above.name}", source)
    case = case_of(kind.name, operands, settings, backward=above.backward and above.name in operands)
    names = select(case.solution, options["only"] or ())
    with waiting("trying the mistakes", options["quiet"]):
        found = [shown(case, name) for name in names]
    return said(Shows(case.layer, found), options, reader.paths)
