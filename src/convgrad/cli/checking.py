"""--check and --gradcheck: their options, the answers that a file holds, and the outcome."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from convgrad.cli.app import Outcome
from convgrad.cli.options import Read, source
from convgrad.errors import ConvgradError, OptionError, at, did_you_mean
from convgrad.kinds import ADDED_BY, NAMES
from convgrad.kinds.setting import number
from convgrad.numerals import to_numeral

if TYPE_CHECKING:
    from convgrad.checking.network import Network
    from convgrad.checking.verdict import Checked
    from convgrad.checking.written import Answer, Rules
    from convgrad.files import Document, Reader
    from convgrad.mistakes.case import Solver
    from convgrad.problems import Operand, Solution

F = Callable[..., Any]

CHECK_OPTIONS = ("check", "rtol", "atol", "no_reveal", "gradcheck")
"""The names of the options of this file."""

REMARKS = {"steps", "explain", "z", "type", "layers", "name", "title", "comment"}
"""Entries beside answers that are none."""


def _tolerance(text: str) -> float:
    value = number(text)
    if value < 0:
        raise OptionError(f"{value:g} is below 0")
    return value


def answers(command: F) -> F:
    """The options that hold answers against the results."""
    options = [
        source(
            "--check",
            help="Compare the answers in SOURCE (any of the results, by name, or one array where there is one result) "
            "with the results, to the places written, and say what went wrong. Exit code 1 where they differ.",
        ),
        click.option(
            "--rtol",
            type=Read(_tolerance, "rtol"),
            metavar="X",
            help="Compare by |answer - value| <= atol + rtol |value|, not by the places written.",
        ),
        click.option("--atol", type=Read(_tolerance, "atol"), metavar="X", help="The absolute part of that."),
        click.option("--no-reveal", is_flag=True, default=None, help="With --check: hints, but no right value."),
    ]
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


def gradients(command: F) -> F:
    """The option that compares analytic with numerical gradients."""
    return click.option(
        "--gradcheck",
        is_flag=True,
        default=None,
        help="Compare the gradients with central differences, in float64. Exit code 1 where they differ.",
    )(command)


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
    from convgrad.problems.selection import select

    solution = solver(operands, settings, backward)
    only = select(solution, options["only"] or ())
    case = Case(solver, operands, settings, backward, solution)
    found = read_answers(reader, options, solution.quantities, _missing(solution), list(only))
    return verdicts_out(reader, check_case(title, case, found, not options["no_reveal"]), options)


def compare_network(reader: Reader, title: str, network: Network, options: Mapping[str, Any]) -> Outcome:
    """A network: the answers to its results checked, or its gradients."""
    if options["check"] is None:
        from convgrad.cli.gradcheck import gradcheck_network

        return gradcheck_network(reader, title, network, options)
    from convgrad.problems.selection import Selection

    known = list(network.asked)
    only = Selection(tuple(known)).chosen(options["only"] or ())
    missing = {
        f"layers[{k}].{name}": f"it comes with {option}"
        for k, layer in enumerate(network.done.layers)
        for name, option in ADDED_BY.items()
        if "dW" in layer and name not in layer and name != "indices"
    }
    found = read_answers(reader, options, known, missing, only)
    return verdicts_out(reader, network.check(title, found, not options["no_reveal"]), options)


def _flattened(document: Document) -> Document:
    """A document with the answers of its list of layers under names such as ``layers[0].dW``."""
    from convgrad.files import Document

    layers = document.entries.get("layers")
    if layers is None:
        return document
    with at(f"{document.source}: layers"):
        if not isinstance(layers, list) or not all(isinstance(each, dict) for each in layers):
            raise ConvgradError(
                "it is no list of objects", hint='write one for each layer, empty where it has no answer: [{"dW": ...}]'
            )
    inner = {
        f"layers[{k}].{name}": value
        for k, layer in enumerate(layers)
        for name, value in layer.items()
        if name not in ("type", "name", "comment")
    }
    rest = {name: value for name, value in document.entries.items() if name != "layers"}
    if twice := inner.keys() & rest.keys():
        raise ConvgradError(f"{min(twice)} stands there twice", where=document.source, hint="keep one of them")
    return Document(document.source, {**rest, **inner})


def _missing(solution: Solution) -> dict[str, str]:
    """Results that are not to be had as things are, and why."""

    added = {
        name: f"it comes with {option}"
        for name, option in ADDED_BY.items()
        if name not in solution.quantities and name[-1:] != "s" and "dW" in solution.quantities
    }
    needed = {name: f"it needs {need}" for name, need in solution.left_out.items()}
    return {**added, **needed}


def read_answers(
    reader: Reader, options: Mapping[str, Any], known: Iterable[str], missing: Mapping[str, str], only: list[str]
) -> dict[str, Answer]:
    """The answers in the file that --check names, by result's name.

    known: the results there are; missing: those that are not to be had, and why; only: those that count.
    """
    from convgrad.checking.written import Answer
    from convgrad.files import Document

    rules = rules_of(options)
    loaded = reader.read(options["check"], to_numeral)
    if not isinstance(loaded.value, Document):
        if len(only) != 1:
            raise ConvgradError(
                f"it holds one array, and there are {len(only)} results: {', '.join(only)}",
                where=loaded.source,
                hint=f'say which it is: --only {only[0]}, or {{"{only[0]}": ...}}',
            )
        return {only[0]: Answer.of(loaded.value, rules)}
    return answers_in(_flattened(loaded.value), known, missing, only, rules)


def rules_of(options: Mapping[str, Any]) -> Rules:
    """The rule of comparison that the options ask for."""
    from convgrad.checking.written import Rules

    return Rules(options["rtol"], options["atol"])


def answers_in(
    document: Document, known: Iterable[str], missing: Mapping[str, str], only: list[str], rules: Rules
) -> dict[str, Answer]:
    """The entries of a document that are answers; ConvgradError for those that must have been meant to be, but are not.

    Operands, settings and remarks may stand beside them.
    """
    from convgrad.checking.written import Answer
    from convgrad.files.numbers import to_written

    results = list(known)
    found: dict[str, Answer] = {}
    for entry, given in document.entries.items():
        name = _result(document, entry, (*results, *missing))
        if name is None:
            _check_remark(document, entry, given, results)
        elif name in missing:
            raise ConvgradError(
                f"{missing[name]}, so an answer to it cannot be checked", where=f"{document.source}: {entry}"
            )
        elif name in only:
            with at(f"{document.source}: {entry}"):
                if isinstance(given, ConvgradError):  # an entry of an npz that could not be read
                    raise ConvgradError(given.message, hint=given.hint)
                found[name] = Answer.of(to_written(given), rules)
    if not found:
        raise ConvgradError(
            f"there is no answer in it to any of {', '.join(only)}",
            where=document.source,
            hint=f'write {{"{only[0]}": ...}}',
        )
    return {name: found[name] for name in results if name in found}


def _result(document: Document, entry: str, results: Iterable[str]) -> str | None:
    """The result that an entry answers, whatever its case where only one could be meant."""
    names = list(results)
    if entry in names:
        return entry
    alike = [name for name in names if name.lower() == entry.lower() and name not in document.entries]
    return alike[0] if len(alike) == 1 and document.find(alike[0]) == entry else None


def _check_remark(document: Document, entry: str, given: Any, results: list[str]) -> None:
    """An entry that is no answer is an operand, a setting or a remark; ConvgradError where it must be meant as one."""
    if entry.lower() in {name.lower() for name in (*NAMES, *REMARKS)}:
        return
    near = did_you_mean(entry, results, 0.6 if len(entry) > 2 else 0.5)
    if near or isinstance(given, list) or hasattr(given, "shape"):
        raise ConvgradError(
            f"there is no result {entry!r}, only {', '.join(results)}",
            where=document.source,
            hint=near or "name each answer after its result",
        )


def verdicts_out(reader: Reader, checked: Checked, options: Mapping[str, Any]) -> Outcome:
    """Verdicts as the output options say, and the exit code."""
    from convgrad.cli.work import choose_format, page_for, placed
    from convgrad.render.data.verdicts import render_verdicts

    data = render_verdicts(checked, choose_format(options), options["precision"], page_for(options))
    return Outcome(placed(data, options, reader.paths), code=0 if checked.verdict == "right" else 1)
