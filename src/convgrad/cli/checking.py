"""--check and --gradcheck: their options, the answers that a file holds, and the outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from convgrad.cli.app import Outcome
from convgrad.cli.options import CHECKING, Option, Read, option, source
from convgrad.errors import OptionError
from convgrad.kinds.setting import number
from convgrad.numerals import to_numeral

if TYPE_CHECKING:
    from convgrad.checking.network import Network
    from convgrad.checking.verdict import Checked
    from convgrad.files import Reader
    from convgrad.mistakes.case import Solver
    from convgrad.problems import Operand

CHECK_OPTIONS = ("check", "rtol", "atol", "no_reveal", "gradcheck")
"""The names of the options of this file."""


def _tolerance(text: str) -> float:
    value = number(text)
    if value < 0:
        raise OptionError(f"{value:g} is below 0")
    return value


def comparing(gradients: bool) -> list[click.Parameter]:
    """The options that hold answers against the results; gradients: and those against numerical ones."""
    return [
        source(
            CHECKING,
            "--check",
            help="Compare the answers in SOURCE (any of the results, by name, or one array where there is one result) "
            "with the results, to the places written, and say what went wrong. Exit code 1 where they differ.",
        ),
        *([_gradcheck()] if gradients else []),
        option(
            CHECKING,
            "--rtol",
            type=Read(_tolerance, "rtol"),
            metavar="X",
            help="Compare by |answer - value| <= atol + rtol |value|, not by the places written.",
        ),
        option(CHECKING, "--atol", type=Read(_tolerance, "atol"), metavar="X", help="The absolute part of that."),
        option(CHECKING, "--no-reveal", is_flag=True, default=None, help="With --check: hints, but no right value."),
    ]


def _gradcheck() -> Option:
    """The option that compares analytic with numerical gradients."""
    return option(
        CHECKING,
        "--gradcheck",
        is_flag=True,
        default=None,
        help="Compare the gradients with central differences, in float64. Exit code 1 where they differ.",
    )


def wanted(options: Mapping[str, Any]) -> bool:
    """Whether the results are to be compared, not written; OptionError for options that do not go together."""
    given = [name for name in CHECK_OPTIONS if options.get(name) not in (None, False)]
    for name in ("rtol", "atol", "no_reveal"):
        if name in given and "check" not in given:
            raise OptionError(f"--{name.replace('_', '-')} belongs to --check", hint="add --check FILE")
    if not given:
        return False
    if "check" in given and "gradcheck" in given:
        raise OptionError("--check and --gradcheck are two different things to do", hint="drop one of them")
    for name, why in (
        ("steps", "shows working"),
        ("explain", "shows working"),
        ("zeros", "shows working"),
        ("save_network", "writes the right values"),
    ):
        if options.get(name):
            raise OptionError(f"--{name.replace('_', '-')} {why}, and --{given[0]} compares", hint="drop one of them")
    return True


def compare_layer(
    reader: Reader,
    title: str,
    solver: Solver,
    operands: Mapping[str, Operand],
    settings: Mapping[str, Any],
    backward: bool,
    options: Mapping[str, Any],
) -> Outcome:
    """One layer, or a loss: its answers checked, or its gradients."""
    from convgrad.mistakes.case import Case

    if options["check"] is None:
        from convgrad.cli.gradcheck import gradcheck_layer

        return gradcheck_layer(reader, title, solver, operands, settings, options)
    from convgrad.checking import check_case
    from convgrad.checking.answers_file import read_answers, unavailable
    from convgrad.checking.written import Rules
    from convgrad.problems.selection import select

    solution = solver(operands, settings, backward)
    only = select(solution, options["only"] or ())
    case = Case(solver, operands, settings, backward, solution)
    rules, loaded = Rules(options["rtol"], options["atol"]), reader.read(options["check"], to_numeral)
    found = read_answers(loaded, rules, solution.quantities, unavailable(solution), list(only))
    return verdicts_out(reader, check_case(title, case, found, not options["no_reveal"]), options)


def compare_network(reader: Reader, title: str, network: Network, options: Mapping[str, Any]) -> Outcome:
    """A network: the answers to its results checked, or its gradients."""
    if options["check"] is None:
        from convgrad.cli.gradcheck import gradcheck_network

        return gradcheck_network(reader, title, network, options)
    from convgrad.checking.answers_file import read_answers
    from convgrad.checking.written import Rules
    from convgrad.problems.selection import Selection

    only = Selection(tuple(network.asked)).chosen(options["only"] or ())
    rules, loaded = Rules(options["rtol"], options["atol"]), reader.read(options["check"], to_numeral)
    found = read_answers(loaded, rules, network.asked, network.unavailable, only)
    return verdicts_out(reader, network.check(title, found, not options["no_reveal"]), options)


def verdicts_out(reader: Reader, checked: Checked, options: Mapping[str, Any]) -> Outcome:
    """Verdicts as the output options say, and the exit code."""
    from convgrad.cli.outputs import said

    return said(checked, options, reader.paths, code=0 if checked.verdict == "right" else 1)
