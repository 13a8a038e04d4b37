"""--check and --gradcheck: their options, the answers that a file holds, and the outcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from convgrad.cli.command import Outcome
from convgrad.cli.options import CHECKING, Option, Read, names, option, source
from convgrad.errors import OptionError
from convgrad.kinds.setting import number
from convgrad.numerals import to_numeral

if TYPE_CHECKING:
    from convgrad.checking.network import Network
    from convgrad.checking.rules import Manner, Quantised, Rules
    from convgrad.checking.verdict import Checked
    from convgrad.files import Reader
    from convgrad.mistakes.case import Solver
    from convgrad.problems import Operand

OF_CHECK = ("require", "rtol", "atol", "ulp", "quantised", "strict_shape", "no_reveal", "no_diagnosis")
"""The options that mean something only beside --check."""


def _tolerance(text: str) -> float:
    value = number(text)
    if value < 0:
        raise OptionError(f"{value:g} is below 0")
    return value


def _quantised(text: str) -> Quantised | None:
    from convgrad.checking.rules import Quantised

    return Quantised.of(tuple(number(part) for part in text.split(",")))


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
            "--require",
            type=Read(names, "require"),
            metavar="NAME[,NAME]",
            help="Results that have to be answered: one that is not is missing, and the exit code 1.",
        ),
        option(
            CHECKING,
            "--rtol",
            type=Read(_tolerance, "rtol"),
            metavar="X",
            help="Compare by |answer - value| <= atol + rtol |value|, not by the places written.",
        ),
        option(CHECKING, "--atol", type=Read(_tolerance, "atol"), metavar="X", help="The absolute part of that."),
        option(
            CHECKING,
            "--ulp",
            type=Read(_tolerance, "ulp"),
            metavar="N",
            help="Compare up to N units in the last place of the answer's own dtype.",
        ),
        option(
            CHECKING,
            "--quantised",
            type=Read(_quantised, "quantised"),
            metavar="SCALE[,ZERO]",
            help="The answers are integers q that stand for (q - ZERO) * SCALE: compare up to half a step.",
        ),
        option(
            CHECKING,
            "--strict-shape",
            is_flag=True,
            default=None,
            help="Axes of length 1 too many or too few make a wrong shape.",
        ),
        option(CHECKING, "--no-reveal", is_flag=True, default=None, help="With --check: hints, but no right value."),
        option(
            CHECKING,
            "--no-diagnosis",
            is_flag=True,
            default=None,
            help="With --check: compare only, and do not look for what is behind a wrong answer.",
        ),
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
    known = ("check", *OF_CHECK, "gradcheck")
    given = [name for name in known if options.get(name) not in (None, False)]
    for name in OF_CHECK:
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
    from convgrad.problems.selection import select

    solution = solver(operands, settings, backward)
    only = select(solution, options["only"] or ())
    case = Case(solver, operands, settings, backward, solution)
    loaded = reader.read(options["check"], to_numeral)
    found = read_answers(loaded, rules_of(options), solution.quantities, unavailable(solution), list(only))
    return verdicts_out(reader, check_case(title, case, found, manner_of(options, only)), options)


def compare_network(reader: Reader, title: str, network: Network, options: Mapping[str, Any]) -> Outcome:
    """A network: the answers to its results checked, or its gradients."""
    if options["check"] is None:
        from convgrad.cli.gradcheck import gradcheck_network

        return gradcheck_network(reader, title, network, options)
    from convgrad.checking.answers_file import read_answers
    from convgrad.problems.selection import Selection

    only = Selection(tuple(network.asked)).chosen(options["only"] or ())
    loaded = reader.read(options["check"], to_numeral)
    found = read_answers(loaded, rules_of(options), network.asked, network.unavailable, only)
    return verdicts_out(reader, network.check(title, found, manner_of(options, only)), options)


def rules_of(options: Mapping[str, Any]) -> Rules:
    """How answers are compared, as the options say; OptionError for two ways at once."""
    from convgrad.checking.rules import Rules

    strict = bool(options["strict_shape"])
    return Rules(options["rtol"], options["atol"], options["ulp"], options["quantised"], strict)


def manner_of(options: Mapping[str, Any], asked: Iterable[str]) -> Manner:
    """How a check of these results is made, as the options say; OptionError where one is required that is not asked."""
    from convgrad.checking.rules import Manner
    from convgrad.problems.selection import Selection

    require = Selection(tuple(asked), option="--require").chosen(options["require"]) if options["require"] else []
    return Manner(not options["no_reveal"], not options["no_diagnosis"], tuple(require))


def verdicts_out(reader: Reader, checked: Checked, options: Mapping[str, Any]) -> Outcome:
    """Verdicts as the output options say, and the exit code."""
    from convgrad.cli.outputs import said

    return said(checked, options, reader.paths, code=0 if checked.verdict == "right" else 1)
