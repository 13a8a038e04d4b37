"""Answers held against the right results: verdicts, what follows from what, what went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from convgrad.checking.rules import AS_USUAL, Manner, Quantised, Rules
from convgrad.checking.written import Answer
from convgrad.errors import OptionError, shortened
from convgrad.kinds import KINDS, kind_of, near_result
from convgrad.kinds.kind import Kind
from convgrad.kinds.setting import meaningless

if TYPE_CHECKING:
    from convgrad.checking.verdict import Checked
    from convgrad.core.element import Array
    from convgrad.mistakes.case import Case
    from convgrad.problems import Operands, Settings, Solution, Solver


def check(
    answers: Mapping[str, Any],
    layer: Any,
    x: Array,
    delta: Array | None = None,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    ulp: float | None = None,
    quantised: float | tuple[float, float] | None = None,
    strict_shape: bool = False,
    require: Iterable[str] = (),
    diagnosis: bool = True,
) -> Checked:
    """Answers by result's name, held against what a layer gives for x (and delta) -> their verdicts.

    layer: of convgrad.layers, with x and delta at full rank; of a Loss, x is the output and delta the target. An answer
    is an array, or nested lists of numbers and texts such as ``"0.0450"``, which tell how many places were written;
    None is no answer. The rest is what the options of --check are: tolerances, the results that are required, whether
    what is behind wrong answers is looked for. OptionError for an answer to a result that there is none of, for one
    required that there is none of, and where nothing is answered nor required.
    """
    case = case_of(layer, x, delta)
    known = case.solution.every
    required = tuple([require] if isinstance(require, str) else require)
    for name in (*answers, *required):
        if name not in known:
            hint = near_result(name, known)
            raise OptionError(f"there is no result {name!r} here, only {', '.join(known)}", hint=hint)
    if not answers and not required:
        raise OptionError("there is no answer to check", hint=f"write {{'{next(iter(known))}': ...}}")
    rules = Rules(rtol, atol, ulp, Quantised.of(quantised), strict_shape)
    manner = Manner(diagnosis=diagnosis, require=required)
    return check_case(case.layer, case, {name: Answer.of(each, rules) for name, each in answers.items()}, manner)


def check_case(title: str, case: Case, answers: Mapping[str, Answer], manner: Manner = AS_USUAL) -> Checked:
    """Hold answers against the results of one solved layer."""
    from convgrad.checking.judge import judge
    from convgrad.checking.search import Predict
    from convgrad.checking.tolerance import held
    from convgrad.checking.verdict import Question

    def follow(name: str) -> tuple[list[str], Predict]:
        from convgrad.checking.follow import LayerFollow  # not needed where every answer is right

        return LayerFollow(plain.solution)(name)

    dtype, plain = case.settings.get("dtype", "float64"), case.in_float64
    asked = {name: Question(quantity, plain, name) for name, quantity in case.solution.every.items()}
    sure = {name: held(answer, plain.solution, name, dtype) for name, answer in answers.items()}
    return judge(title, asked, sure, follow, manner)


def case_of(layer: Any, x: Array, delta: Array | None = None) -> Case:
    """A layer with its arrays -> the same layer as operands and settings, solved.

    A subclass of a layer is what it was made from, and gives its own results. OptionError for a field that is no
    setting of its kind.
    """
    import numpy as np

    from convgrad.mistakes.case import Case
    from convgrad.problems import Operand

    kind = _kind_of(layer)
    x = _fitting(layer, x, delta)
    arrays = {kind.given[0].name: x, kind.given[-1].name: delta}
    arrays |= {each.name: getattr(layer, each.name) for each in fields(layer) if each.name in kind.roles}
    if held := [name for name, array in arrays.items() if array is not None and np.iscomplexobj(array)]:
        raise OptionError(f"{held[0]} holds complex numbers", hint="answers are checked against real ones")
    settings = _settings_of(layer, kind)
    if any(setting.name == "dims" for setting in kind.common):
        settings["dims"] = x.ndim - 2
    operands = {
        name: Operand(np.asarray(array, np.float64), name) for name, array in arrays.items() if array is not None
    }
    return Case.of(_solver_of(layer, kind), operands, settings, delta is not None)


def _fitting(layer: Any, x: Any, delta: Any) -> Array:
    """The input of a layer as an array; ConvgradError for arrays that do not fit it, as the layer itself says it."""
    import numpy as np

    if delta is None and hasattr(layer, "forward"):
        layer.forward(x)
    else:
        layer.backward(x, delta)
    return np.asarray(x)


def _kind_of(layer: Any) -> Kind:
    """The kind that a layer is of, by what it is known as; OptionError for none."""
    word, known = getattr(layer, "known_as", None), [word for kind in KINDS.values() for word in kind.words]
    if word not in known:
        name = type(layer).__name__
        raise OptionError(f"{name} is known as no layer, but as {word!r}", hint=f"layers are {', '.join(known)}")
    return kind_of(word)


def _settings_of(layer: Any, kind: Kind) -> dict[str, Any]:
    """What the fields of a layer say, as settings; those that hold without being said are left out."""
    settings: dict[str, Any] = {layer.known_as: True} if layer.known_as in kind.variants else {}
    table = {each.field or each.name: each for each in kind.every}
    for each in fields(layer):
        value, setting = getattr(layer, each.name), table.get(each.name)
        if each.name in kind.roles or value is None or value == ():
            continue
        if value == (each.default if setting is None or setting.default is None else setting.default):
            continue
        if setting is None:
            name = f"{type(layer).__name__}.{each.name}"
            raise OptionError(f"{name} is {shortened(value)}, which is no setting of {kind.name}", hint="leave it out")
        settings[setting.name] = setting.value(value)
    for setting, _ in [*meaningless(settings, table.values())]:
        del settings[setting.name]  # a layer may have it, though it means nothing there
    return settings


def _solver_of(layer: Any, kind: Kind) -> Solver:
    """What solves problems of a kind, by the layer's own class where that is a subclass of the kind's."""
    from convgrad.problems.build import build
    from convgrad.problems.solve import solve

    def solver(operands: Operands, settings: Settings, backward: bool) -> Solution:
        problem = build(kind, operands, settings, backward)
        made: Any = problem.layer
        if type(made) is not type(layer) and isinstance(layer, type(made)):
            told = {each.name: getattr(made, each.name) for each in fields(made) if each.init}
            problem = replace(problem, layer=type(layer)(**told))
        return solve(problem)

    return solver
