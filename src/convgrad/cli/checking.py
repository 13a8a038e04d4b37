"""--check and --gradcheck: their options, the answers that a file holds, and the outcome."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from convgrad.cli.command import ONE_FILE, Outcome
from convgrad.cli.options import CHECKING, Option, Read, names, option
from convgrad.cli.waiting import waiting
from convgrad.errors import ConvgradError, OptionError, listed
from convgrad.kinds.formats import telling
from convgrad.kinds.setting import number
from convgrad.numerals import to_numeral

if TYPE_CHECKING:
    from convgrad.checking.answers_file import Handed
    from convgrad.checking.network import Network
    from convgrad.checking.rules import Manner, Quantised, Rules
    from convgrad.checking.verdict import Checked
    from convgrad.files import Reader
    from convgrad.files.document import Document
    from convgrad.mistakes.case import Solver
    from convgrad.problems import Operand

MOST_NAMED = 6
"""Results that are not answered, at most, that are named one by one."""

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


def _once(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> str | None:
    """The one source of answers that is given, None for none; OptionError for several."""
    if len(given) > 1:
        raise OptionError(f"it is given {len(given)} times", where="--check", hint=ONE_FILE)
    return given[0] if given else None


def comparing(gradients: bool) -> list[click.Parameter]:
    """The options that hold answers against the results; gradients: and those against numerical ones."""
    return [
        option(
            CHECKING,
            "--check",
            metavar="SOURCE",
            multiple=True,
            callback=_once,
            help="Compare the answers in SOURCE (any of the results, by name, or one array where there is one result) "
            "with the results, to the places written, and say what went wrong. Exit code 1 where they differ. "
            f"Verdicts are written as {telling('verdicts')}.",
        ),
        *([_gradcheck()] if gradients else []),
        option(
            CHECKING,
            "--require",
            type=Read(names, "require"),
            metavar="NAME[,NAME]",
            help="Results that have to be answered: one that is not is missing, and the exit code 1.",
        ),
        *as_compared(),
    ]


def as_compared() -> list[click.Parameter]:
    """The options that say how answers are compared, and what is said of them."""
    return [
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
        option(CHECKING, "--no-reveal", is_flag=True, default=None, help="Hints, but no right value."),
        option(
            CHECKING,
            "--no-diagnosis",
            is_flag=True,
            default=None,
            help="Compare only, and do not look for what is behind a wrong answer.",
        ),
    ]


def _gradcheck() -> Option:
    """The option that compares analytic with numerical gradients."""
    return option(
        CHECKING,
        "--gradcheck",
        is_flag=True,
        default=None,
        help="Compare the gradients, whole, with derivatives of the forward pass by a complex step. Exit code 1 where "
        "they differ.",
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
    from convgrad.core.operand import Operand
    from convgrad.problems.selection import select

    solution = solver(operands, settings, backward)
    only = select(solution, options["only"] or ())
    case = Case(solver, operands, settings, backward, solution)
    loaded = _loaded(reader, options["check"])
    counted = only if options["only"] or isinstance(loaded, Operand) else solution.every
    handed = read_answers(
        loaded, rules_of(options), solution.every, unavailable(solution), list(counted), operands.values()
    )
    with waiting("checking the answers", options["quiet"]):
        checked = check_case(title, case, handed.answers, manner_of(options, solution.every, only))
    return verdicts_out(reader, checked, replace(handed, asked=tuple(only)), loaded.source, options)


def compare_network(reader: Reader, title: str, network: Network, options: Mapping[str, Any]) -> Outcome:
    """A network: the answers to its results checked, or its gradients."""
    if options["check"] is None:
        from convgrad.cli.gradcheck import gradcheck_network

        return gradcheck_network(reader, title, network, options)
    from convgrad.checking.answers_file import read_answers
    from convgrad.problems.selection import Selection

    only = Selection(tuple(network.asked)).chosen(options["only"] or ())
    usual = only if options["only"] else network.usual
    loaded = _loaded(reader, options["check"])
    handed = read_answers(loaded, rules_of(options), network.asked, network.unavailable, only)
    with waiting("checking the answers", options["quiet"]):
        checked = network.check(title, handed.answers, manner_of(options, only, usual))
    return verdicts_out(reader, checked, replace(handed, asked=tuple(usual)), loaded.source, options)


def rules_of(options: Mapping[str, Any]) -> Rules:
    """How answers are compared, as the options say; OptionError for two ways at once."""
    from convgrad.checking.rules import Rules

    strict = bool(options["strict_shape"])
    return Rules(options["rtol"], options["atol"], options["ulp"], options["quantised"], strict)


def manner_of(options: Mapping[str, Any], every: Iterable[str], usual: Iterable[str]) -> Manner:
    """How a check of these results is made, as the options say; OptionError where one is required that is not asked.

    every: the results that may be required; usual: those that are without being named.
    """
    from convgrad.checking.rules import Manner
    from convgrad.problems.selection import Selection

    named, most = options["require"] or (), {*usual}
    asked = tuple(each for each in every if each in most or each in named)
    require = Selection(asked, option="--require").chosen(named) if named else []
    return Manner(not options["no_reveal"], not options["no_diagnosis"], tuple(require))


def _loaded(reader: Reader, source: str) -> Operand | Document:
    """What the source of answers holds, its numbers as they are written; ConvgradError for a folder."""
    if os.path.isdir(source):
        raise ConvgradError("it is a folder", where=source, hint=ONE_FILE)
    return reader.read(source, to_numeral)


def verdicts_out(reader: Reader, checked: Checked, handed: Handed, source: str, options: Mapping[str, Any]) -> Outcome:
    """Verdicts as the output options say, with what was not compared, and the exit code."""
    from convgrad.cli.outputs import said

    notes, checked = [], replace(checked, strange=handed.strange)
    if handed.strange:
        one = len(handed.strange) == 1
        names = listed(map(repr, handed.strange))
        notes.append(f"{source}: {names} {'is no result' if one else 'are no results'}, and not compared")
    if handed.unanswered and not options["require"]:
        notes.append(f"not answered: {_few(handed.unanswered)}; --require says which have to be")
    notes = [] if options["quiet"] else notes
    return said(checked, options, reader.paths, notes=notes, code=0 if checked.right else 1)


def _few(names: list[str]) -> str:
    """Names, the first of them where there are many."""
    more = len(names) - MOST_NAMED
    return listed(names if more <= 0 else [*names[:MOST_NAMED], f"{more} more"])
