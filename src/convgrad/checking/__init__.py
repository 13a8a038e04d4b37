"""Answers held against the right results: verdicts, what follows from what, what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from convgrad.checking.written import Answer, Rules, noise_of
from convgrad.errors import OptionError, did_you_mean
from convgrad.kinds import kind_of
from convgrad.kinds.setting import meaningless

if TYPE_CHECKING:
    from convgrad.checking.verdict import Checked
    from convgrad.core.element import Array
    from convgrad.mistakes.case import Case

_RENAMED = {"name": "activation", "whole": "global"}
"""Fields of layers that are settings of another name."""


def check(
    answers: Mapping[str, Any],
    layer: Any,
    x: Array,
    delta: Array | None = None,
    *,
    rtol: float | None = None,
    atol: float | None = None,
) -> Checked:
    """Answers by result's name, held against what a layer gives for x (and delta) -> their verdicts.

    layer: of convgrad.layers, with x and delta at full rank; of a Loss, x is the output and delta the target. An answer
    is an array, or nested lists of numbers and texts such as ``"0.0450"``, which tell how many places were written.
    OptionError for an answer to a result that there is none of.
    """
    case = case_of(layer, x, delta)
    known = case.solution.quantities
    for name in answers:
        if name not in known:
            hint = did_you_mean(name, known)
            raise OptionError(f"there is no result {name!r} here, only {', '.join(known)}", hint=hint)
    rules = Rules(rtol, atol)
    return check_case(case.layer, case, {name: Answer.of(each, rules) for name, each in answers.items()})


def check_case(title: str, case: Case, answers: Mapping[str, Answer], reveal: bool = True) -> Checked:
    """Hold answers against the results of one solved layer."""
    from convgrad.checking.judge import Predict, judge
    from convgrad.checking.verdict import Question

    def follow(name: str) -> tuple[list[str], Predict]:
        from convgrad.checking.follow import LayerFollow  # not needed where every answer is right

        return LayerFollow(plain.solution)(name)

    dtype, plain = case.settings.get("dtype", "float64"), _in_float64(case)
    asked = {name: Question(quantity, plain, name) for name, quantity in case.solution.quantities.items()}
    sure = {name: answer.within(noise_of(plain.solution, name, dtype), dtype) for name, answer in answers.items()}
    return judge(title, asked, sure, follow, reveal)


def _in_float64(case: Case) -> Case:
    """The same case, solved in float64: what explains an answer need not be computed as the result was."""
    if case.settings.get("dtype", "float64") == "float64":
        return case
    return case.solved(dtype="float64")


def case_of(layer: Any, x: Array, delta: Array | None = None) -> Case:
    """A layer with its arrays -> the same layer as operands and settings, solved."""
    import numpy as np

    from convgrad.mistakes.case import Case
    from convgrad.problems import Operand
    from convgrad.problems.solve import solver_of

    word = layer.known_as
    kind = kind_of(word)
    arrays = {kind.given[0].name: x, kind.given[-1].name: delta}
    table = {setting.name: setting for setting in kind.every}
    settings: dict[str, Any] = {word: True} if word in kind.variants else {}
    for each in fields(layer):
        value, name = getattr(layer, each.name), _RENAMED.get(each.name, each.name)
        if each.name in kind.roles:
            arrays[each.name] = value
        elif name in table and value not in (None, ()) and (value != each.default or name == "activation"):
            settings[name] = table[name].value(value)
    for setting, _ in [*meaningless(settings, table.values())]:
        del settings[setting.name]  # a layer may have it, though it means nothing there
    if "dims" in table:
        settings["dims"] = x.ndim - 2
    operands = {
        name: Operand(np.asarray(array, np.float64), name) for name, array in arrays.items() if array is not None
    }
    return Case.of(solver_of(kind), operands, settings, delta is not None)
