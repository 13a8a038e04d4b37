"""Documents of answers: which of their entries answer a result, and which cannot have been meant to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from convgrad.checking.rules import Rules
from convgrad.checking.written import Answer
from convgrad.core.operand import Operand
from convgrad.errors import ConvgradError, at
from convgrad.files.document import Document
from convgrad.files.numbers import to_written
from convgrad.kinds import ADDED_BY, BESIDE, NAMES, PARAMETERS, near_result
from convgrad.numerals import parse_answer
from convgrad.problems import Solution

ABOUT_LAYERS = frozenset({"type", "name", "comment"})
"""Entries of a layer in a network's file that are no answers."""


@dataclass(frozen=True)
class Handed:
    """What a source hands in: answers by result's name, and entries that look like answers but are to no result."""

    answers: dict[str, Answer]
    strange: tuple[str, ...] = ()
    asked: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    def unanswered(self) -> list[str]:
        """The results asked for that are not answered."""
        return [name for name in self.asked if name not in self.answers or self.answers[name].blank.all()]


def read_answers(
    found: Operand | Document,
    rules: Rules,
    known: Iterable[str],
    missing: Mapping[str, str],
    only: list[str],
    operands: Iterable[Operand] = (),
) -> Handed:
    """The answers in what was read from a source, by result's name.

    known: the results there are; missing: those that are not to be had, and why; only: those that count; operands: of
    the problem, which may stand in the same document.
    """
    if isinstance(found, Document):
        flat = _flattened(found)
        own = any(each.source.startswith(f"{flat.source}: ") for each in operands)
        return answers_in(flat, known, missing, only, rules, own)
    if len(only) != 1:
        raise ConvgradError(
            f"it holds one array, and there are {len(only)} results: {', '.join(only)}",
            where=found.source,
            hint=f'say which it is: --only {only[0]}, or {{"{only[0]}": ...}}',
        )
    return Handed({only[0]: Answer.of(found.array, rules)}, asked=(only[0],))


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
    document: Document, known: Iterable[str], missing: Mapping[str, str], only: list[str], rules: Rules, own: bool
) -> Handed:
    """The entries of a document that are answers; ConvgradError for those that must have been meant to be, but are not.

    Remarks may stand beside them, and operands and settings; own: whether these are of the problem itself.
    """
    results, strange = list(known), []
    found: dict[str, Answer] = {}
    for entry, given in document.entries.items():
        name = _result(document, entry, (*results, *missing))
        if name is None:
            if _looks_like_an_answer(given) and not _is_beside(entry, own):
                strange.append(entry)
        elif name in missing:
            if isinstance(given, str | None) and parse_answer(given or "") is not None:
                continue  # it is left blank
            raise ConvgradError(
                f"{missing[name]}, so an answer to it cannot be checked", where=f"{document.source}: {entry}"
            )
        elif name in only:
            with at(f"{document.source}: {entry}"):
                if isinstance(given, ConvgradError):  # an entry of an npz that could not be read
                    raise ConvgradError(given.message, hint=given.hint)
                found[name] = Answer.of(to_written(given), rules)
    for entry in strange:
        near = _near_miss(entry, [name for name in only if name not in found])
        if (near and not _is_beside(entry, own=True)) or not found:
            raise ConvgradError(
                f"there is no result {entry!r}, only {', '.join(results)}",
                where=document.source,
                hint=near or "name each answer after its result",
            )
    if not found:
        raise ConvgradError(
            f"there is no answer in it to any of {', '.join(only)}",
            where=document.source,
            hint=f'write {{"{only[0]}": ...}}',
        )
    return Handed({name: found[name] for name in results if name in found}, tuple(strange), asked=tuple(only))


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


def _near_miss(entry: str, results: Iterable[str]) -> str:
    """``Did you mean 'dW'?`` for a slip in the last part of a name, which is what people write."""
    holder, dot, last = entry.rpartition(".")
    beside = [name.rpartition(".")[2] for name in results if name.rpartition(".")[0] == holder]
    return near_result(last, beside).replace("'", f"'{holder}{dot}", 1)


def _is_beside(entry: str, own: bool) -> bool:
    """Whether an entry is one of those that stand beside answers: remarks, and the problem's own."""
    return entry.rpartition(".")[2].lower() in {name.lower() for name in ((*NAMES, *BESIDE) if own else BESIDE)}


def _looks_like_an_answer(given: Any) -> bool:
    """Whether an entry holds numbers: texts, truths and what is left out are remarks."""
    return (isinstance(given, int | float | list) and not isinstance(given, bool)) or hasattr(given, "shape")
