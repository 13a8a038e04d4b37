"""The commands of the kinds of layers, made from what is said of each: conv-forward, conv-backward, loss."""

from __future__ import annotations

from typing import Any

import click

from convgrad.cli.checking import comparing
from convgrad.cli.command import Command, Outcome
from convgrad.cli.options import (
    AFTER,
    OPERANDS,
    STEP,
    explaining,
    output,
    own_settings,
    reader_of,
    skipping,
    source,
    velocity,
    working,
)
from convgrad.cli.options import settings as setting_options
from convgrad.cli.waiting import waiting
from convgrad.errors import OptionError
from convgrad.kinds import KINDS
from convgrad.kinds.kind import Given, Kind


def layer_command(name: str) -> click.Command:
    """The command of that name, one that a kind of layer has."""
    kind = next(kind for kind in KINDS.values() if name in kind.commands)
    said = kind.commands[name]
    backward = said is kind.backward

    def run(**options: Any) -> Outcome:
        return _run(kind, backward, options)

    return Command(name, params=_parameters(kind, backward), callback=run, example=said.example, help=said.help)


def _parameters(kind: Kind, backward: bool) -> list[click.Parameter]:
    """The arguments and options of a command, in the order of its page."""
    own = (*kind.settings, *(kind.backward_only if backward else kind.forward_only), *kind.common)
    return [
        *(
            click.Argument([f"{each.name}_"], metavar=each.argument, required=each is kind.given[0])
            for each in _called(kind, backward)
        ),
        *(source(OPERANDS, *each.flags, help=each.help) for each in _taken(kind, backward) if each.flags),
        *skipping(),
        *setting_options(own),
        *setting_options(kind.activation, AFTER),
        *(setting_options(kind.descent, STEP) if backward else []),
        *([velocity(kind.velocities)] if backward and kind.velocities else []),
        *(working() if kind.forms else explaining()),
        *comparing(gradients=backward),
        *output(),
    ]


def _taken(kind: Kind, backward: bool) -> list[Given]:
    """The operands that a command takes."""
    return [each for each in kind.given if backward or not each.backward]


def _called(kind: Kind, backward: bool) -> list[Given]:
    """Those of them that have a place of their own on the command line."""
    return [each for each in _taken(kind, backward) if each.argument]


def _run(kind: Kind, backward: bool, options: dict[str, Any]) -> Outcome:
    """Read, solve, write or compare."""
    from convgrad.cli.checking import compare_layer, wanted
    from convgrad.cli.outputs import said
    from convgrad.cli.working import report_of
    from convgrad.problems.reading import need, read_problem
    from convgrad.problems.report import titled
    from convgrad.problems.solve import solver_of

    sources = {each.name: _source(each, options) for each in _taken(kind, backward)}
    if backward and kind.velocities:
        sources["velocity"] = options.pop("velocity")
    reader, solver = reader_of(options), solver_of(kind)
    given = own_settings(options, kind.options(backward))
    operands, settings = read_problem(reader, sources, given, kind.known(backward), kind.velocities, kind.name)
    for each in _called(kind, backward):
        need(operands, each.name, each.wanting, next(iter(operands.values())).source)
    title = titled(kind.title, settings)
    if wanted(options):
        return compare_layer(reader, title, solver, operands, settings, backward, options)
    with waiting("computing", options["quiet"]):
        report = report_of(solver(operands, settings, backward), title, options)
    return said(report, options, reader.paths, notes=report.notes)


def _source(given: Given, options: dict[str, Any]) -> str | None:
    """Where an operand is read from, as an argument or as an option; OptionError where it is given twice."""
    argument: str | None = options.pop(f"{given.name}_", None)
    option: str | None = options.pop(given.name, None)
    if argument is not None and option is not None:
        hint = f"give {given.argument.strip('[]')} or {given.flags[0]}"
        raise OptionError(f"the {given.name} is given twice", where=given.flags[0], hint=hint)
    return option if argument is None else argument
