"""Options as named decorators, made from the tables of the kinds; and what they are made into."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

from convgrad.errors import OptionError, at, did_you_mean
from convgrad.kinds import FORMS, formats
from convgrad.kinds.setting import Setting, choice, whole

F = Callable[..., Any]
Decorator = Callable[[F], F]


class Read(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4, not before
    """An option's text, read by a function that raises our own errors."""

    def __init__(self, reader: Callable[[str], Any], name: str) -> None:
        self.reader, self.name = reader, name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value read; the error names the option."""
        if not isinstance(value, str):
            return value
        with at(
            (param.opts[-1] if isinstance(param, click.Option) else param.make_metavar(ctx))
            if param and ctx
            else self.name
        ):
            return self.reader(value)


def settings(table: Iterable[Setting]) -> Decorator:
    """An option for each setting; what is not given is None, and may come from a document."""

    def decorate(command: F) -> F:
        for setting in reversed(tuple(table)):
            names = f"{setting.option}/{setting.off}" if setting.off else setting.option
            if setting.flag:
                option = click.option(names, setting.name, is_flag=True, default=None, help=setting.help)
            else:
                option = click.option(
                    setting.option,
                    setting.name,
                    type=Read(setting.value, setting.name),
                    metavar=setting.metavar,
                    help=setting.help,
                )
            command = option(command)
        return command

    return decorate


def own_settings(options: Mapping[str, Any], table: Iterable[Setting]) -> dict[str, Any]:
    """The settings among a command's options, in the order in which they stand on the command line."""
    names = {setting.name for setting in table}
    return {name: value for name, value in options.items() if name in names}


def source(*names: str, help: str) -> Decorator:
    """An option whose value is a file, FILE#KEY, - or a literal."""
    return click.option(*names, metavar="SOURCE", help=help)


ALL = object()
"""``--steps all``, told apart from no --steps at all."""


def _names(text: str) -> tuple[str, ...]:
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


def output(command: F) -> F:
    """The options that every command has for what it writes, how and where."""
    options = [
        click.option("--only", type=Read(_names, "only"), metavar="NAME[,NAME]", help="Only these results."),
        click.option(
            "--format",
            "format_",
            type=Read(_format, "format"),
            metavar="NAME",
            default="auto",
            help=f"auto (tables on a terminal, JSON elsewhere; the default), {formats.described()}.",
        ),
        click.option(
            "-o",
            "--output-file",
            "out",
            metavar="FILE",
            help=f"Write to FILE, in the format of its suffix: {' '.join(formats.SUFFIXES)}.",
        ),
        click.option(
            "--precision",
            type=Read(lambda text: min(whole(text, least=0), 100), "precision"),
            metavar="N",
            help="Digits after the point. Otherwise tables show up to 8 significant digits, and JSON "
            "and CSV as many as the number has.",
        ),
        click.option("-q", "--quiet", is_flag=True, help="No notes on stderr."),
        click.option("--debug", is_flag=True, help="Show the traceback of a bug."),
    ]
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


def velocity(command: F) -> F:
    """The option that brings the velocities of the last step."""
    return source("--velocity", help="velocity_W and velocity_b of the last step: a document, such as its JSON.")(
        command
    )


def explaining(command: F) -> F:
    """The options that write single elements out."""
    options = [
        click.option(
            "--explain",
            multiple=True,
            metavar="ELEMENT",
            help="Write one element out, such as 'dW[0,1]': its formula, its products by name and in numbers, "
            "and their sum; may be given several times. A name alone stands for its element of the largest size. "
            "Tables then show no results, unless --only asks for them.",
        ),
        click.option("--zeros", is_flag=True, help="List the products that are 0 too, with --explain."),
    ]
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


def working(command: F) -> F:
    """The options that show the working."""
    options = [
        click.option(
            "--steps",
            type=Read(_steps, "steps"),
            metavar="N|all|none",
            help="How many overlays to show one by one (those that add nothing are left out): on a terminal 16, "
            "elsewhere none, unless this or --explain says otherwise.",
        ),
        click.option(
            "--form",
            type=Read(choice(FORMS), "form"),
            metavar="NAME",
            default="overlay",
            help="The derivation that the steps follow, of a convolution: overlay (the kernel laid over the input, "
            "place by place; the default), rotated (the dilated, padded delta correlated with the rotated kernel, and "
            "the input with the dilated delta) or matrix (the patch matrix, im2col). The numbers are the same.",
        ),
    ]
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), explaining(command))
