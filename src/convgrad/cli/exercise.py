"""exercise: problems that are drawn, or that exist, with their keys, as documents, sheets and question banks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from convgrad.cli.command import Command, Help, Outcome
from convgrad.cli.options import LAYER, WRITING, Read, names, option, output, own_settings
from convgrad.cli.options import settings as setting_options
from convgrad.cli.shape import read_shape
from convgrad.cli.waiting import waiting
from convgrad.errors import OptionError, did_you_mean, listed
from convgrad.kinds import OF_PROBLEMS
from convgrad.kinds.exercise import DIGITS, RANGES
from convgrad.kinds.formats import FORMATS, format_of
from convgrad.kinds.kind import Kind
from convgrad.kinds.setting import choice, number, whole

if TYPE_CHECKING:
    from convgrad.teaching.exercise import Exercise

ASKING, NUMBERS = "What is asked", "What is drawn"
"""The headings of the options that say so."""

PROBLEM = "problem"
"""The command of a problem that exists, for which nobody has to write its name."""


class ByKind(Help, click.Group):
    """A group with a command for each kind of layer; what else comes first is a problem that exists."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The kinds, and the problem that exists."""
        return [*OF_PROBLEMS, PROBLEM]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a kind, or of a problem that exists."""
        if cmd_name == PROBLEM:
            return _of_problem_command()
        return _of_kind_command(OF_PROBLEMS[cmd_name]) if cmd_name in OF_PROBLEMS else None

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The example, and where the pages of the commands are."""
        kinds = "".join(f"  convgrad exercise {name}\n" for name in self.list_commands(ctx))
        formatter.write(
            "Example:\n\n  convgrad exercise conv 1x5x5 --stride 2,1 --seed 7 --key key.json -o problem.json\n\n"
            "Problems on which mistakes can be told apart, with their keys: as documents that every command\n"
            "reads, as sheets (markdown, latex, html) and as question banks that name mistakes (stack, moodle).\n"
            "KIND SHAPE draws one, PROBLEM is a document that exists:\n\n"
            "  convgrad exercise KIND SHAPE [OPTIONS]\n  convgrad exercise PROBLEM [OPTIONS]\n\n"
            f"Each kind has a page of its own, which --help shows:\n\n{kinds}"
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The kind first, wherever it stands; without one the arguments are a problem's."""
        known = self.list_commands(ctx)
        place = next((k for k, each in enumerate(args) if each in known), None)
        if place is not None:
            args = [args[place], *args[:place], *args[place + 1 :]]
        elif args and args[0] not in ("-h", "--help"):
            if not args[0].startswith("-"):
                _check_source(args[0])
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
            help=f"Significant digits that a number asked for has at most; {DIGITS} unless it is said. Results with "
            "more, as roots and exponentials have, are asked for rounded to them.",
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


def _of_kind_command(kind: Kind) -> click.Command:
    """The command that draws problems of a kind of layer."""

    def run(shape: tuple[int, ...], **options: Any) -> Outcome:
        return _of_kind(kind, shape, options)

    return Command(
        kind.name,
        callback=run,
        example=f"convgrad exercise {kind.name} {kind.shape} --seed 7 --key key.json -o problem.json",
        help=f"Draw a problem ({kind.title}) on which as many mistakes as can be give answers of their own. SHAPE is "
        f"that of its {kind.given[0].name}: 5x5, 1x5x5 with channels, 2x1x5x5 with examples. Of some dozen draws the "
        "one is kept whose results are work, need the least rounding, leave no convention open, and tell most mistakes "
        "apart; how many is said on stderr, and --key says which. What options leave open (sizes of kernels, windows "
        "and strides) is drawn too, and not square. The same words and --seed give the same problem on every machine.",
        params=[
            click.Argument(["shape"], type=Read(read_shape, "SHAPE"), metavar="SHAPE"),
            *setting_options((*(each for each in kind.options(True) if each.name != "dtype"), *kind.drawn)),
            *_drawing(kind),
            *_asking(),
        ],
    )


def _drawing(kind: Kind) -> list[click.Parameter]:
    """The options that say what numbers are drawn, and how many problems."""
    left_out = [each for each in kind.own if each.parameter and not each.needed]
    return [
        option(
            NUMBERS,
            "--numbers",
            type=Read(choice(RANGES), "numbers"),
            metavar="NAME",
            default="integers",
            help="integers (the default), decimals (tenths) or fractions (halves, thirds, quarters, whose results "
            "are asked for as fractions).",
        ),
        option(
            NUMBERS,
            "--range",
            "within",
            type=Read(_range, "range"),
            metavar="LOW,HIGH",
            help="The least and the largest number: "
            + ", ".join(f"{low},{high} for {name}" for name, (low, high) in RANGES.items())
            + " unless it is said; where no two may be equal, as far as it takes.",
        ),
        *(
            option(NUMBERS, f"--no-{each.name}", is_flag=True, help=f"A problem without {each.name}.")
            for each in left_out
        ),
        option(NUMBERS, "--seed", metavar="N", help="Any number or word; another at every call unless it is said."),
        option(
            NUMBERS,
            "--count",
            type=Read(whole, "count"),
            metavar="N",
            default=1,
            help="So many problems: with -o FOLDER/ problem-01.json, key-01.json and so on; else in one sheet or bank.",
        ),
    ]


def _range(text: str) -> tuple[float, float]:
    """``-3,3``: the least and the largest number; OptionError for anything else."""
    parts = [number(part) for part in text.split(",")]
    if len(parts) != 2 or parts[0] > parts[1]:
        raise OptionError(f"{text!r} is not from one number to a larger one", hint="write it as -3,3")
    return parts[0], parts[1]


@click.command("exercise", cls=ByKind)
def exercise() -> None:
    """Problems on which mistakes can be told apart."""


def _of_kind(kind: Kind, shape: tuple[int, ...], options: dict[str, Any]) -> Outcome:
    """Draw problems of a kind, and write them."""
    from convgrad.teaching.drawing import Wanted, drawn
    from convgrad.teaching.paper import Paper

    known = (*kind.options(True), *kind.drawn)
    settings = {name: value for name, value in own_settings(options, known).items() if value is not None}
    without = tuple(each.name for each in kind.own if options.get(f"no_{each.name}"))
    paper, seed, notes = Paper(options["numbers"], options["within"]), options["seed"], []
    if seed is None:
        seed = str(int.from_bytes(os.urandom(4)) % 10**6)
        notes.append(f"drawn with --seed {seed}")
    wanted = Wanted(kind, shape, settings, paper, options["ask"] or (), options["digits"] or DIGITS, without)
    with waiting("drawing problems", options["quiet"]):
        each = [drawn(replace(wanted, seed=f"{seed}/{k}")) for k in range(options["count"])]
    return _written(each, options, [], notes)


def _check_source(source: str) -> None:
    """OptionError for what is neither a kind of layer nor a source, with a near miss."""
    if source == "-" or os.path.exists(source.rpartition("#")[0] or source) or source.lstrip().startswith("{"):
        return
    near = did_you_mean(source, OF_PROBLEMS)
    raise OptionError(
        f"there is no file {source!r}, nor a kind of layer of that name",
        hint=near or f"a problem is drawn with 'convgrad exercise KIND SHAPE'; KIND is {listed(OF_PROBLEMS)}",
    )


def _of_problem(source: str, layer: str | None, **options: Any) -> Outcome:
    from convgrad.files import Reader
    from convgrad.teaching.exercise import from_document

    _check_source(source)
    reader = Reader()
    found = from_document(reader, source, layer, options["ask"] or (), options["digits"])
    return _written([found], options, reader.paths, [])


def _written(each: Sequence[Exercise], options: Mapping[str, Any], inputs: Sequence[str], notes: list[str]) -> Outcome:
    """Exercises as the output options want them: in one file, or in a folder of files with their keys."""
    from convgrad.cli.outputs import said
    from convgrad.render import write
    from convgrad.teaching.exercise import Exercises, Key

    out, key, formula = options["out"], options["key"], bool(options["formula"])
    folder = out is not None and _is_folder(out, len(each))
    form = options["format_"] if options["format_"] != "auto" else "json"
    if options["format_"] == "auto" and out not in (None, "-") and not folder:
        form = format_of(out)
    if len(each) > 1 and (key is not None or form == "json") and not folder:
        where = "--key" if key is not None else "--count"
        raise OptionError(f"{len(each)} problems are files of their own", where=where, hint="add -o FOLDER/")
    with waiting("looking at what the numbers show", options["quiet"]):
        notes = [] if options["quiet"] else [*notes, *_counted(each)]
        if folder:
            _write_folder(each, out, form, formula, inputs)
            return Outcome(b"", notes)
        keys = [] if key is None else [(key, write(Key(each[0]), "json"))]
    return said(Exercises(each, formula), {**options, "format_": form, "precision": None}, inputs, keys, notes)


def _is_folder(path: str, count: int) -> bool:
    """Whether -o names a folder: it is one, it ends like one, or it has no suffix and there are several files."""
    several = count > 1 and path != "-" and not os.path.splitext(path)[1] and not os.path.exists(path)
    return path.endswith(("/", os.sep)) or os.path.isdir(path) or several


def _write_folder(each: Sequence[Exercise], folder: str, form: str, formula: bool, inputs: Sequence[str]) -> None:
    """A file for each exercise and one for its key, all of them or none; the folder is made where there is none."""
    from convgrad.files.writing import write_folder
    from convgrad.render import write
    from convgrad.teaching.exercise import Exercises, Key

    suffix = FORMATS[form].suffixes[0] if FORMATS[form].suffixes else ".xml"
    width, files = max(2, len(str(len(each)))), []
    for k, one in enumerate(each, 1):
        files.append((f"problem-{k:0{width}}{suffix}", write(Exercises([one], formula), form)))
        files.append((f"key-{k:0{width}}.json", write(Key(one), "json")))
    write_folder(folder, files, inputs)


def _counted(each: Sequence[Exercise]) -> Iterator[str]:
    """What stderr says of exercises, a line each."""
    for k, one in enumerate(each, 1):
        apart, apply = one.told_apart
        which = f"problem {k} " if len(each) > 1 else ""
        yield f"{which}tells apart {apart} of {apply} mistakes that apply"
