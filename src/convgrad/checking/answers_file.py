"""Documents of answers: which of their entries answer a result, and which cannot have been meant to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from convgrad.checking.rules import Rules
from convgrad.checking.written import Answer
from convgrad.core.operand import Operand
from convgrad.errors import ConvgradError, at, did_you_mean
from convgrad.files.document import Document
from convgrad.files.numbers import to_written
from convgrad.kinds import ADDED_BY, BESIDE, NAMES, PARAMETERS
from convgrad.problems import Solution

ABOUT_LAYERS = frozenset({"type", "name", "comment"})
"""Entries of a layer in a network's file that are no answers."""


def read_answers(
    found: Operand | Document, rules: Rules, known: Iterable[str], missing: Mapping[str, str], only: list[str]
) -> dict[str, Answer]:
    """The answers in what was read from a source, by result's name.

    known: the results there are; missing: those that are not to be had, and why; only: those that count.
    """
    if isinstance(found, Document):
        return answers_in(_flattened(found), known, missing, only, rules)
    if len(only) != 1:
        raise ConvgradError(
            f"it holds one array, and there are {len(only)} results: {', '.join(only)}",
            where=found.source,
            hint=f'say which it is: --only {only[0]}, or {{"{only[0]}": ...}}',
        )
    return {only[0]: Answer.of(found.array, rules)}


def unavailable(solution: Solution) -> dict[str, str]:
    """Results of a layer that are not to be had as things are, and why."""
    return {
        **not_asked_for(solution.quantities),
        **{name: f"it needs {need}" for name, need in solution.left_out.items()},
    }


def not_asked_for(results: Iterable[str]) -> dict[str, str]:
    """What a step of descent would make of the gradients among the results, where it is not there, and why."""
    there = set(results)
    steps = [name for each in PARAMETERS if f"d{each}" in there for name in (f"{each}_new", f"velocity_{each}")]
    return {name: f"it comes with {ADDED_BY[name]}" for name in steps if name not in there}


def answers_in(
    document: Document, known: Iterable[str], missing: Mapping[str, str], only: list[str], rules: Rules
) -> dict[str, Answer]:
    """The entries of a document that are answers; ConvgradError for those that must have been meant to be, but are not.

    Operands, settings and remarks may stand beside them.
    """
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


def _flattened(document: Document) -> Document:
    """A document with the answers of its list of layers under names such as ``layers[0].dW``."""
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
        if name not in ABOUT_LAYERS
    }
    rest = {name: value for name, value in document.entries.items() if name != "layers"}
    if twice := inner.keys() & rest.keys():
        raise ConvgradError(f"{min(twice)} stands there twice", where=document.source, hint="keep one of them")
    return Document(document.source, {**rest, **inner})


def _result(document: Document, entry: str, results: Iterable[str]) -> str | None:
    """The result that an entry answers, whatever its case where only one could be meant."""
    names = list(results)
    if entry in names:
        return entry
    alike = [name for name in names if name.lower() == entry.lower() and name not in document.entries]
    return alike[0] if len(alike) == 1 and document.find(alike[0]) == entry else None


def _check_remark(document: Document, entry: str, given: Any, results: list[str]) -> None:
    """An entry that is no answer is an operand, a setting or a remark; ConvgradError where it must be meant as one."""
    if entry.lower() in {name.lower() for name in (*NAMES, *BESIDE)}:
        return
    near = did_you_mean(entry, results, 0.6 if len(entry) > 2 else 0.5)
    if near or isinstance(given, list) or hasattr(given, "shape"):
        raise ConvgradError(
            f"there is no result {entry!r}, only {', '.join(results)}",
            where=document.source,
            hint=near or "name each answer after its result",
        )
