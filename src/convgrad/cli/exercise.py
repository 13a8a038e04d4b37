"""exercise: problems that are drawn, or that exist, with their keys, as documents, sheets and question banks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from convgrad.cli.command import Command, Help, Outcome
from convgrad.cli.options import LAYER, WRITING, Read, names, option, output
from convgrad.cli.waiting import waiting
from convgrad.errors import OptionError, did_you_mean
from convgrad.kinds import OF_PROBLEMS
from convgrad.kinds.formats import format_of
from convgrad.kinds.setting import choice, whole

if TYPE_CHECKING:
    from convgrad.teaching.exercise import Exercise

ASKING = "What is asked"
"""The heading of the options that say so."""

PROBLEM = "problem"
"""The command of a problem that exists, for which nobody has to write its name."""


class ByKind(Help, click.Group):
    """A group with a command for each kind of layer; what else comes first is a problem that exists."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The problem that exists."""
        return [PROBLEM]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a kind, or of a problem that exists."""
        return _of_problem_command() if cmd_name == PROBLEM else None

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The example, and where the pages of the commands are."""
        kinds = "".join(f"  convgrad exercise {name}\n" for name in self.list_commands(ctx))
        formatter.write(
            "Example:\n\n  convgrad exercise problem.json --key key.json --format latex -o sheet.tex\n\n"
            "Problems on which mistakes can be told apart, with their keys.\n\n"
            f"Each has a page of its own, which --help shows:\n\n{kinds}"
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The kind first, wherever it stands; without one the arguments are a problem's."""
        known = self.list_commands(ctx)
        place = next((k for k, each in enumerate(args) if each in known), None)
        if place is not None:
            args = [args[place], *args[:place], *args[place + 1 :]]
        elif args and args[0] not in ("-h", "--help"):
            args = [PROBLEM, *args]
        return super().parse_args(ctx, args)


def _asking() -> list[click.Parameter]:
    """The options that say what is asked, and how it is written."""
    return [
        option(
            ASKING,
            "--ask",
            type=Read(names, "ask"),
            metavar="NAME[,NAME]",
            help="The results that are asked for; all of the backward pass unless it is said.",
        ),
        option(
            ASKING,
            "--digits",
            type=Read(whole, "digits"),
            metavar="N",
            help="Significant digits that a number asked for has at most; 4 unless it is said. Results with more, as "
            "roots and exponentials have, are asked for rounded to them.",
        ),
        option(
            ASKING,
            "--formula",
            is_flag=True,
            help="A sheet says the formulas of what is asked.",
        ),
        option(
            WRITING,
            "--key",
            metavar="FILE",
            help="Write the answers to FILE, as JSON, and which mistakes they tell apart.",
        ),
        *(each for each in output("exercises") if each.name not in ("only", "precision")),
    ]


def _of_problem_command() -> click.Command:
    """The command of a problem that exists."""
    return Command(
        PROBLEM,
        callback=_of_problem,
        example="convgrad exercise problem.json --key key.json --format latex -o sheet.tex",
        help="An exercise of a problem that exists, a document as the layer commands read it.",
        params=[
            click.Argument(["source"], metavar="PROBLEM"),
            option(
                LAYER,
                "--layer",
                type=Read(choice(OF_PROBLEMS), "layer"),
                metavar="NAME",
                help='What layer it is a problem of, where neither an entry "layer" nor the others say it: '
                f"{', '.join(OF_PROBLEMS)}.",
            ),
            *_asking(),
        ],
    )


@click.command("exercise", cls=ByKind)
def exercise() -> None:
    """Problems on which mistakes can be told apart."""


def _of_problem(source: str, layer: str | None, **options: Any) -> Outcome:
    from convgrad.files import Reader
    from convgrad.teaching.exercise import from_document

    reader = Reader()
    if not (source == "-" or os.path.exists(source.rpartition("#")[0] or source) or source.lstrip().startswith("{")):
        hint = (
            did_you_mean(source, OF_PROBLEMS)
            or f"draw one with 'convgrad exercise KIND SHAPE': {', '.join(OF_PROBLEMS)}"
        )
        raise OptionError(f"there is no file {source!r}, nor a kind of layer of that name", hint=hint)
    found = from_document(reader, source, layer, options["ask"] or (), options["digits"])
    return _written([found], options, reader.paths)


def _written(each: Sequence[Exercise], options: Mapping[str, Any], inputs: Sequence[str]) -> Outcome:
    """Exercises as the output options want them: in one file, or in a folder of files with their keys."""
    from convgrad.cli.outputs import said
    from convgrad.render import write
    from convgrad.teaching.exercise import Exercises, Key

    out, wanted = options["out"], dict(options, only=(), precision=None)
    if options["format_"] == "auto":
        wanted["format_"] = "json" if out in (None, "-") or _is_folder(out) else format_of(out)
    told = Exercises(each, bool(options["formula"]))
    keys = [] if options["key"] is None else [(options["key"], write(Key(each[0]), "json"))]
    with waiting("looking for what the numbers show", options["quiet"]):
        notes = [] if options["quiet"] else [_counted(one) for one in each]
    return said(told, wanted, inputs, keys, notes)


def _is_folder(path: str) -> bool:
    return path.endswith(("/", os.sep)) or os.path.isdir(path)


def _counted(exercise: Exercise) -> str:
    """What stderr says of an exercise."""
    apart, apply = exercise.told_apart
    return f"tells apart {apart} of {apply} mistakes that apply"
