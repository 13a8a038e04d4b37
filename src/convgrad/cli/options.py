"""Options, made from the tables of the kinds, under the headings of a page; and what they are made into."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from convgrad.errors import OptionError, at, did_you_mean, listed
from convgrad.kinds import FORMS, KINDS, formats
from convgrad.kinds.setting import Setting, choice, whole

if TYPE_CHECKING:
    from convgrad.files import Reader

OPERANDS, LAYER, AFTER, STEP = "Operands", "The layer", "An activation behind it", "One step of descent"
WORKING, CHECKING, WRITING = "The working", "Checking", "Writing"
"""The headings of a command's page, in this order."""


class Read(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4, not before
    """An option's text, read by a function that raises our own errors."""

    def __init__(self, reader: Callable[[str], Any], name: str) -> None:
        self.reader, self.name = reader, name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value read; the error names the option."""
        if not isinstance(value, str):
            return value
        with at(
            (max(param.opts, key=len) if isinstance(param, click.Option) else param.make_metavar(ctx))
            if param and ctx
            else self.name
        ):
            return self.reader(value)


class Option(click.Option):
    """An option under a heading of its command's page; said: its help, put together when it is asked for."""

    def __init__(self, *args: Any, heading: str = "", said: Callable[[], str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heading, self.said = heading, said

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The option's line of its command's page."""
        if self.said is not None:
            self.help = self.said()
        return super().get_help_record(ctx)


def option(heading: str, *names: str, **about: Any) -> Option:
    """An option under a heading; names and the rest as click takes them."""
    return Option(names, heading=heading, **about)


def settings(table: Iterable[Setting], heading: str = LAYER) -> list[click.Parameter]:
    """An option for each setting; what is not given is None, and may come from a document."""
    return [_setting(each, heading) for each in table]


def _setting(setting: Setting, heading: str) -> Option:
    if setting.flag:
        names = f"{setting.option}/{setting.off}" if setting.off else setting.option
        return option(heading, names, setting.name, is_flag=True, default=None, said=lambda: setting.described)
    return option(
        heading,
        setting.option,
        *setting.aliases,
        setting.name,
        type=Read(setting.value, setting.name),
        metavar=setting.metavar,
        said=lambda: setting.described,
    )


def own_settings(options: Mapping[str, Any], table: Iterable[Setting]) -> dict[str, Any]:
    """The settings among a command's options, in the order in which they stand on the command line."""
    names = {setting.name for setting in table}
    return {name: value for name, value in options.items() if name in names}


def source(heading: str, *names: str, help: str) -> Option:
    """An option whose value is a file, FILE#KEY, - or a literal."""
    return option(heading, *names, metavar="SOURCE", help=help)


ALL = object()
"""``--steps all``, told apart from no --steps at all."""


def names(text: str) -> tuple[str, ...]:
    """Names with commas between them."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _steps(text: str) -> Any:
    """How many overlays: a number, ALL, or 0 for ``none``."""
    if text in ("all", "none"):
        return ALL if text == "all" else 0
    try:
        return whole(text, least=0)
    except OptionError:
        if text.lstrip(" -").isdigit():
            raise
        hint = did_you_mean(text, ("all", "none"))
        raise OptionError(f"{text!r} is neither a number nor all or none", hint=hint) from None


def _format(text: str) -> str:
    known = formats.NAMES
    if text not in known:
        raise OptionError(f"there is no format {text!r}, only {', '.join(known)}", hint=did_you_mean(text, known))
    return text


def output(noun: str = "report") -> list[click.Parameter]:
    """The options that every command has for what it writes, how and where; noun: what that is, if not results."""
    suffixes, named = formats.suffixes_telling(noun), formats.telling(noun)
    auto = "auto (tables on a terminal, JSON elsewhere; the default), " if "table" in named else ""
    return [
        option(
            WRITING,
            "-o",
            "--output-file",
            "out",
            metavar="FILE",
            help=f"Write to FILE, in the format of its suffix: {suffixes}.",
        ),
        option(
            WRITING,
            "--format",
            "format_",
            type=Read(_format, "format"),
            metavar="NAME",
            default="auto",
            help=f"{auto}{named}.",
        ),
        option(WRITING, "--only", type=Read(names, "only"), metavar="NAME[,NAME]", help="Only these results."),
        option(
            WRITING,
            "--precision",
            type=Read(lambda text: min(whole(text, least=0), 100), "precision"),
            metavar="N",
            help="Digits after the point. Otherwise tables show up to 8 significant digits, and JSON "
            "and CSV as many as the number has.",
        ),
        option(WRITING, "-q", "--quiet", is_flag=True, help="No notes on stderr."),
        option(WRITING, "--debug", is_flag=True, help="Show the traceback of a bug."),
    ]


def skipping(heading: str = OPERANDS) -> list[click.Parameter]:
    """The options that say which rows and columns of tables of text hold no numbers."""
    about = (
        ("rows", "Rows of CSV, TSV and other tables of text that hold no numbers, as headings do"),
        ("columns", "Columns of them that hold none, as labels do, or what trailing separators leave"),
    )
    return [
        option(
            heading,
            f"--skip-{name}",
            type=Read(_ends, f"skip-{name}"),
            metavar="N|N:N",
            default=(0, 0),
            help=f"{words}: 1, or 1:1 for one at the end too. It holds for every such source.",
        )
        for name, words in about
    ]


def _ends(text: str) -> tuple[int, int]:
    """``2`` at the beginning, or ``2:1`` at the beginning and at the end."""
    first, colon, last = text.partition(":")
    return whole(first, least=0), whole(last, least=0) if colon else 0


def reader_of(options: dict[str, Any]) -> Reader:
    """What reads the sources of a command, as its options say; these are taken out."""
    from convgrad.files import Reader
    from convgrad.files.skip import Skip

    return Reader(Skip(options.pop("skip_rows"), options.pop("skip_columns")))


def velocity(names: Iterable[str]) -> Option:
    """The option that brings the velocities of the last step, by their names."""
    return source(STEP, "--velocity", help=f"{listed(names)} of the last step: a document, such as its JSON.")


def explaining() -> list[click.Parameter]:
    """The options that write single elements out."""
    return [
        option(
            WORKING,
            "--explain",
            multiple=True,
            metavar="ELEMENT",
            help="Write one element out, such as 'dW[0,1]': its formula, its products by name and in numbers, "
            "and their sum; may be given several times. A name alone stands for its element of the largest size. "
            "Tables then show no results, unless --only asks for them.",
        ),
        option(WORKING, "--zeros", is_flag=True, help="List the products that are 0 too, with --explain."),
    ]


def stepping(whose: str, usual: str) -> Option:
    """The option that says how many overlays are shown; usual: how many without it, in words."""
    return option(
        WORKING,
        "--steps",
        type=Read(_steps, "steps"),
        metavar="N|all|none",
        help=f"How many overlays{whose} to show one by one (those that add nothing are left out): {usual}.",
    )


def working() -> list[click.Parameter]:
    """The options that show the working of a layer."""
    return [
        stepping("", "on a terminal 16, elsewhere none, unless this or --explain says otherwise"),
        *explaining(),
        option(
            WORKING,
            "--form",
            type=Read(choice(FORMS), "form"),
            metavar="NAME",
            help=f"The derivation that the steps follow, {_forms()}. The numbers are the same.",
        ),
    ]


def _forms() -> str:
    """The forms of each kind of layer that has several, in words."""
    said = []
    for kind in KINDS.values():
        if len(kind.forms) > 1:
            first, *others, last = (f"{form.name} ({form.words})" for form in kind.forms)
            first = f"{first.removesuffix(')')}; the default)"
            said.append(f"of a {kind.title}: {', '.join([first, *others])} or {last}")
    return "; ".join(said)
