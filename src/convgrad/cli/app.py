"""The program `convgrad`: its commands, found by name and imported when they are run."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import click

from convgrad import __version__
from convgrad.cli.command import Help, HelpShown, Outcome
from convgrad.errors import OptionError, did_you_mean

OTHERS = {
    "backprop": "The whole backward pass through a network.",
    "shape": "Output shape and number of weights, from sizes alone.",
    "exercise": "Problems that tell mistakes apart, and their keys; sheets and question banks.",
    "grade": "A class's answers graded: points, verdicts, which mistakes who made.",
    "mistakes": "The mistakes that --check recognises; which ones a problem tells apart.",
}
"""The commands that are not of one kind of layer."""


@cache
def commands() -> dict[str, str]:
    """Every command and its line; those of the kinds of layers are read from the registry when they are asked for."""
    from convgrad.kinds import KINDS

    return {name: said.line for kind in KINDS.values() for name, said in kind.commands.items()} | OTHERS


class App(Help, click.Group):
    """A group whose commands are imported one by one, so that --help and --version cost nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in the order in which they are learned."""
        return list(commands())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called `cmd_name`; None where there is none."""
        if cmd_name in OTHERS:
            command: click.Command = getattr(import_module(f"convgrad.cli.{cmd_name}"), cmd_name)
            return command
        if cmd_name not in commands():
            return None
        from convgrad.cli.layer import layer_command

        return layer_command(cmd_name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        """The command that the arguments name; OptionError with a near miss where there is none."""
        if args and args[0] not in commands() and not args[0].startswith("-"):
            raise OptionError(
                f"there is no command {args[0]!r}",
                hint=did_you_mean(args[0], commands()) or "'convgrad --help' lists the commands",
            )
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The whole help page of the program."""
        formatter.write(
            "Example:\n\n  convgrad conv-backward input.json delta.json -k '[[0.1, 0.2], [0.3, 0.4]]'\n\n"
            "Gradients of the layers of convolutional networks, with the working behind every number.\n"
            "On a terminal the results are tables, with the overlays one by one; in a pipe they are JSON.\n\n"
            "Commands:\n"
            + "".join(f"  {name:<19} {text}\n" for name, text in commands().items())
            + "\nOptions:\n  --version       Show the version.\n  -h, --help      Show this page.\n\n"
            "'convgrad COMMAND --help' shows a command's options, what it reads and what it writes.\n"
            "Exit codes: 0 done; 1 answers or gradients were compared, and differ; 2 it could not be done\n"
            "(one line on stderr says why); 70 a bug; 130 interrupted.\n"
        )


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        raise HelpShown(f"convgrad {__version__}\n")


@click.group(cls=App, invoke_without_command=True)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version)
@click.pass_context
def app(ctx: click.Context) -> Outcome | None:
    """Gradients of convolutional layers."""
    if ctx.invoked_subcommand is None:
        raise HelpShown(ctx.get_help() + "\n")
    return None
