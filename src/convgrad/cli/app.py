"""The program `convgrad`: its commands, found by name and imported when they are run."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import click

from convgrad import __version__
from convgrad.errors import OptionError, did_you_mean
from convgrad.kinds import KINDS
from convgrad.numerals import parse_number


@dataclass(frozen=True, eq=False, repr=False)
class Outcome:
    """What a command comes to: bytes for stdout, notes for stderr, and the exit code."""

    data: bytes = b""
    notes: list[str] = field(default_factory=list)
    code: int = 0


class Page(Exception):  # noqa: N818 - a signal: what is to be printed in place of results
    """A page of help, or the version: results like any other, to be written by whoever writes results."""


class Help(click.Command):
    """A command whose help is raised as a Page, not printed."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """The option --help."""

        def show(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
            if wanted and not ctx.resilient_parsing:
                raise Page(ctx.get_help() + "\n")

        return click.Option(
            ["-h", "--help"], is_flag=True, is_eager=True, expose_value=False, callback=show, help="Show this page."
        )


OF_LAYERS = {name: said.line for kind in KINDS.values() for name, said in kind.commands.items()}
"""The commands of the kinds of layers."""

COMMANDS = {
    **OF_LAYERS,
    "backprop": "The whole backward pass through a network.",
    "shape": "Output shape and number of weights, from sizes alone.",
    "mistakes": "The mistakes that --check recognises; which ones a problem tells apart.",
}


class App(Help, click.Group):
    """A group whose commands are imported one by one, so that --help and --version cost nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in the order in which they are learned."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called `cmd_name`; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name in OF_LAYERS:
            from convgrad.cli.layer import layer_command

            return layer_command(cmd_name)
        command: click.Command = getattr(import_module(f"convgrad.cli.{cmd_name}"), cmd_name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        """The command that the arguments name; OptionError with a near miss where there is none."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise OptionError(
                f"there is no command {args[0]!r}",
                hint=did_you_mean(args[0], COMMANDS) or "'convgrad --help' lists the commands",
            )
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The whole help page of the program."""
        formatter.write(
            "Example:\n\n  convgrad conv-backward input.json delta.json -k '[[0.1, 0.2], [0.3, 0.4]]'\n\n"
            "Gradients of the layers of convolutional networks, with the working behind every number.\n"
            "On a terminal the results are tables, with the overlays one by one; in a pipe they are JSON.\n\n"
            "Commands:\n"
            + "".join(f"  {name:<19} {text}\n" for name, text in COMMANDS.items())
            + "\nOptions:\n  --version       Show the version.\n  -h, --help      Show this page.\n\n"
            "'convgrad COMMAND --help' shows a command's options, what it reads and what it writes.\n"
            "Exit codes: 0 done; 1 answers or gradients were compared, and differ; 2 it could not be done\n"
            "(one line on stderr says why); 70 a bug; 130 interrupted.\n"
        )


class Command(Help):
    """A command whose help begins with an example, and which takes negative numbers as arguments."""

    def __init__(self, *args: Any, example: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.example = example

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Arguments that spell a negative number are numbers, not options: a blank before them tells click."""
        spelled = [f" {arg}" if arg.startswith("-") and parse_number(arg) is not None else arg for arg in args]
        return super().parse_args(ctx, spelled)

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


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        raise Page(f"convgrad {__version__}\n")


@click.group(cls=App, invoke_without_command=True)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version)
@click.pass_context
def app(ctx: click.Context) -> Outcome | None:
    """Gradients of convolutional layers."""
    if ctx.invoked_subcommand is None:
        raise Page(ctx.get_help() + "\n")
    return None
