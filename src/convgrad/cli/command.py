"""What a command is here: click's, with help that is written like any result, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import click

from convgrad.numerals import parse_number

ONE_FILE = "--check takes one file of answers: check one at a time"


class Outcome(NamedTuple):
    """What a command comes to: bytes for stdout, notes for stderr, and the exit code.

    Bytes may come in parts, while the work goes on; notes and exit code are then asked for when all of it is done.
    """

    data: bytes | Iterable[bytes] = b""
    notes: Sequence[str] = ()
    code: int | Callable[[], int] = 0


class HelpShown(Exception):  # noqa: N818 - a signal: what is to be printed in place of results
    """A page of help, or the version: results like any other, to be written by whoever writes results."""


class Help(click.Command):
    """A command whose help is raised as HelpShown, not printed."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """The option --help."""

        def show(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
            if wanted and not ctx.resilient_parsing:
                raise HelpShown(ctx.get_help() + "\n")

        return click.Option(
            ["-h", "--help"], is_flag=True, is_eager=True, expose_value=False, callback=show, help="Show this page."
        )


class Command(Help):
    """A command whose help begins with an example, and which takes negative numbers as arguments."""

    def __init__(self, *args: Any, example: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.example = example

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Arguments that spell a negative number are numbers, not options: a blank before them tells click."""
        spelled = [f" {arg}" if arg.startswith("-") and parse_number(arg) is not None else arg for arg in args]
        try:
            return super().parse_args(ctx, spelled)
        except click.UsageError as error:
            if "unexpected extra argument" in error.message and any(arg.startswith("--check") for arg in args):
                raise click.UsageError(f"{error.message.rstrip('.')}; {ONE_FILE}", error.ctx) from None
            raise

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The example, then what click writes."""
        formatter.write(f"Example:\n\n  {self.example}\n\n")
        super().format_help(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options under their headings, those without one under the last."""
        found: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx)
            if row is not None and isinstance(parameter, click.Option):  # the usage names the arguments
                found.setdefault(getattr(parameter, "heading", "") or list(found)[-1], []).append(row)
        for heading, rows in found.items():
            with formatter.section(heading):
                formatter.write_dl(rows)
