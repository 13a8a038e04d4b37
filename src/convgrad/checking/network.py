"""Answers about a whole network: the results of every layer, and what follows from what across layers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from convgrad.checking.answers_file import not_asked_for
from convgrad.checking.drift import Drift
from convgrad.checking.follow import Flow, before
from convgrad.checking.judge import judge
from convgrad.checking.rerun import Rerun
from convgrad.checking.rules import Manner
from convgrad.checking.tolerance import held
from convgrad.checking.verdict import CONVENTION, RIGHT, Checked, Question
from convgrad.checking.written import Answer
from convgrad.core.element import Array
from convgrad.errors import ConvgradError
from convgrad.kinds import KINDS
from convgrad.layers import gradients
from convgrad.mistakes.case import Case
from convgrad.mistakes.mistake import Mistake, Sighting
from convgrad.problems import Operand, Problem, Solution
from convgrad.problems.network import Pass, Stage, run_network
from convgrad.problems.solve import solver_of

if TYPE_CHECKING:
    from convgrad.mistakes.tried import Prediction

PASSED = ("z", "output", "derivative", "sensitivity", "delta", "dX")
"""What later results are worked from."""


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A network that was run in float64: its stages, what they gave, target and kind of the loss, settings of the step.

    results: what is asked for, where that was computed in another dtype.
    """

    stages: Sequence[Stage]
    done: Pass
    target: Operand
    kind: str
    settings: Mapping[str, Any]
    results: Pass | None = None
    dtype: str = "float64"

    @cached_property
    def asked(self) -> dict[str, Question]:
        """Every result that may be answered: ``output``, ``loss``, ``layers[0].dW``."""
        last, results = len(self.stages) - 1, self.results or self.done
        asked = {
            "output": Question(results.layers[last]["output"], self._case(last), "output"),
            "loss": Question(results.loss_quantity, self._loss_case(self.done.output), "loss"),
        }
        for k, layer in enumerate(results.layers):
            for name, quantity in {**layer, **results.inner_of(k)}.items():
                case: Case | None = self._case(k)
                its_name = self._plainly(k, name)
                if its_name == "delta":
                    case = self._loss_case(self.done.output) if k == last else self._case(k + 1)
                    its_name = "dX" if k < last else "delta"
                asked[f"layers[{k}].{name}"] = Question(quantity, case, its_name)
        return asked

    def _plainly(self, k: int, name: str) -> str:
        """What a layer's result is where there is no activation to go through."""
        plain = {"z": "output", "sensitivity": "delta"} if self.problem_of(k).activation is None else {}
        return plain.get(name, name)

    @property
    def usual(self) -> list[str]:
        """The results that are written where none are asked for: all but those on the way through an activation."""
        return [name for name in self.asked if name not in self.done.inner]

    @property
    def unavailable(self) -> dict[str, str]:
        """Results of layers that are not to be had as things are, and why."""
        return {
            f"layers[{k}].{name}": why
            for k, layer in enumerate(self.done.layers)
            for name, why in not_asked_for(layer).items()
        }

    def check(self, title: str, answers: Mapping[str, Answer], manner: Manner) -> Checked:
        """Hold answers against the results of all layers."""
        sure = {}
        for name, answer in answers.items():
            case = self.asked[name].case
            solution = self._solution(name) if case is None else case.solution
            carried = self._drift.of(name) if answer.own_dtype else 0.0
            sure[name] = held(answer, solution, self.asked[name].result, self.dtype, carried)
        asked = {name: self.asked[name] for name in sorted(self.asked, key=self._position)}
        meant = self._meant(sure)
        read = {meant.get(name, name): answer for name, answer in sure.items()}
        checked = judge(title, asked, read, self.follow, manner, self.reworked, partial(self.carried, handed=sure))
        return _as_called(checked, {inner: name for name, inner in meant.items()})

    @cached_property
    def _drift(self) -> Drift:
        """How far results in float32 are off."""
        x = Operand(self.problem_of(0).operands["input"], "input")
        coarse = run_network(self.stages, x, self.target, self.kind, {**self.settings, "dtype": "float32"})
        return Drift(replace(self, results=None).asked, replace(self, results=coarse).asked)

    def _meant(self, answers: Mapping[str, Answer]) -> dict[str, str]:
        """Deltas that are sensitivities, as textbooks have them: all of a file in which one is so, by what they are.

        A delta that is right as it is stays what it is.
        """
        called = {}
        for name in answers:
            inner = f"{name.removesuffix('delta')}sensitivity"
            through = self.problem_of(self.layer_of(name)).activation is not None
            if name.endswith("].delta") and through and inner in self.asked and inner not in answers:
                called[name] = inner
        values = {name: self.asked[name].quantity.value for pair in called.items() for name in pair}
        written = {
            name: inner for name, inner in called.items() if answers[name].numbers.any()
        }  # zeros are no evidence
        so = [name for name, inner in written.items() if answers[name].says(values[inner])]
        if all(answers[name].says(values[name]) for name in so):
            return {}
        return {name: inner for name, inner in called.items() if not answers[name].says(values[name])}

    # -- the layers as cases -----------------------------------------------------------------------

    def _solution(self, name: str) -> Solution:
        return self.done.working[self.layer_of(name)]

    def layer_of(self, name: str) -> int:
        """The layer that a result belongs to; the last one's for the output and the loss of the whole."""
        match = re.match(r"layers\[([0-9]+)\]", name)
        return int(match[1]) if match else len(self.stages) - 1

    def problem_of(self, k: int) -> Problem:
        """A layer's problem, with its right input and delta."""
        return self.done.working[k].problem

    def _case(self, k: int, x: Array | None = None, delta: Array | None = None) -> Case | None:
        """A layer as a case, on another input or delta where they are given; None for flatten."""
        stage, solution, problem = self.stages[k], self.done.working[k], self.problem_of(k)
        kind = KINDS[stage.type]
        if not kind.commands:
            return None
        own = {name: problem.operands[name] for name in problem.operands if name not in ("delta", "derivative")}
        operands = {name: Operand(array, f"layers[{k}]: {name}") for name, array in own.items()}
        if x is not None:
            operands["input"] = Operand(x, "input")
        right_delta = problem.delta if delta is None else delta
        assert right_delta is not None
        operands["delta"] = Operand(np.asarray(right_delta), "delta")
        settings: dict[str, Any] = {**stage.settings}
        if problem.shorthand.dims:
            settings["dims"] = problem.shorthand.dims
        if kind.descent:
            settings |= self.settings
        solver = solver_of(kind)
        if x is not None or delta is not None:
            try:
                solution = solver(operands, settings, True)
            except ConvgradError:
                return None
        return Case(solver, operands, settings, True, solution)

    def _loss_case(self, output: Array) -> Case:
        operands = {"output": Operand(output, "output"), "target": self.target}
        return Case.of(solver_of(KINDS["loss"]), operands, {"kind": self.kind}, True)

    def carried(self, name: str, handed: Iterable[str] = ()) -> Iterator[tuple[str, Prediction]]:
        """What everyday mistakes in what the loss and the layers behind send back make of a result: where, and what.

        Made in one of them, or, where there are several, in all layers; handed: the answers there are.
        """
        from convgrad.mistakes.recogniser import differs, predictions
        from convgrad.mistakes.tried import Prediction

        k, right = self.layer_of(name), np.asarray(self.asked[name].quantity.value, np.float64)
        if self._position(name)[0] == 0 or name.endswith(".derivative"):
            return
        last = f"layers[{len(self.stages) - 1}]"
        if not {f"{last}.delta", f"{last}.sensitivity"} & ({*handed} | {name}):  # else it would be seen there
            for each in predictions(self._loss_case(self.done.output), "delta"):
                usual = each.rank <= 2 and not each.mistakes[0].convention
                made = Rerun(self, name, {f"{last}.delta": each.array}).value() if usual else None
                if made is not None and differs(made, right):
                    yield "the loss", Prediction(each.mistakes, made)
        habits: dict[Mistake, Array] = {}
        for j in range(len(self.stages) - 1, k, -1):
            case = self._case(j)
            found = [] if case is None else [*predictions(case, "dX")]
            everyday = [each for each in found if each.rank <= 1 and not each.mistakes[0].convention]
            for each in everyday:
                made = Rerun(self, name, {f"layers[{j}].dX": each.array}).value()
                if made is not None and differs(made, right):
                    yield f"layers[{j}]", Prediction(each.mistakes, made)
            for mistake in dict.fromkeys([*habits, *(each.mistakes[0] for each in everyday)]):
                again = self._again(mistake, j, habits.get(mistake))
                if again is not None:
                    habits[mistake] = again
        for mistake, sent in habits.items():
            made = Rerun(self, name, {f"layers[{k + 1}].dX": sent}).value()
            if made is not None and differs(made, right):
                yield f"layers[{k + 1}]", Prediction((mistake,), made)

    def _again(self, mistake: Mistake, j: int, delta: Array | None) -> Array | None:
        """What a layer sends back where a mistake is made in it as in those behind, which send it a delta."""
        from convgrad.mistakes.catalogue import rows_for

        case = self._case(j) if delta is None else self._case(j, delta=delta)
        if case is None:
            flow = Flow(self.problem_of(j), {}, None if delta is None else lambda: delta)
            return flow.value("dX")
        applies = mistake in rows_for(case.layer, "dX")
        return next(mistake.predict(case, "dX"), case.right("dX")) if applies else case.right("dX")

    def reworked(self, name: str, earlier: str, own: Array) -> Case | None:
        """The case of a result, as it is with the reader's own delta or input."""
        k = self.layer_of(name)
        if name.endswith(".delta"):
            k += 1
        if k >= len(self.stages):
            return self._loss_case(own) if own.shape == self.done.output.shape else None
        if earlier in (f"layers[{k}].delta", f"layers[{k + 1}].dX"):
            return self._case(k, delta=own)
        if earlier == f"layers[{k - 1}].output":
            return self._case(k, x=own)
        return None

    # -- what follows from what -----------------------------------------------------------------------

    def follow(self, name: str) -> tuple[list[str], Callable[[Mapping[str, Array]], Array | None]]:
        """A result's name -> the results before it that it may be worked from, the nearest first, and how."""
        here, k, kind = self._position(name), self.layer_of(name), name.rpartition(".")[2]
        own = {f"layers[{k}].{each}" for each in before(self.problem_of(k), kind)}
        passed = [
            each
            for each in self.asked
            if self._position(each) < here and (each in own or each.rpartition(".")[2] in PASSED)
        ]
        passed.sort(key=self._position, reverse=True)
        return passed, lambda values: Rerun(self, name, values).value()

    def _position(self, name: str) -> tuple[int, ...]:
        """Where a result comes in the pass: forward through the outputs, then back from the loss."""
        kind, last = name.rpartition(".")[2], len(self.stages) - 1
        if kind in ("z", "output", "loss"):
            return (0, self.layer_of(name), {"output": 2, "loss": 3}.get(name, int(kind == "output")))
        layer = self.problem_of(self.layer_of(name)).layer
        order = {"delta": 0, "derivative": 1, "sensitivity": 2, **dict.fromkeys(gradients(layer), 4)}
        order |= {f"d{each}": 3 for each, parameter in layer.parameters.items() if parameter.added}
        order |= {f"velocity_{each}": 5 for each in layer.parameters}
        return (1, last - self.layer_of(name), order.get(kind, 6))


def _as_called(checked: Checked, names: Mapping[str, str]) -> Checked:
    """Verdicts under the names that the reader has for results; right ones so called are a convention."""
    if not names:
        return checked
    from convgrad.mistakes.rows.networks import SENSITIVITY_CALLED_DELTA

    found = {}
    for each in checked.verdicts.values():
        follows = " and ".join(names.get(cause, cause) for cause in each.follows.split(" and "))
        called = replace(each, name=names.get(each.name, each.name), follows=follows)
        if called.name != each.name and each.verdict == RIGHT:
            convention = SENSITIVITY_CALLED_DELTA
            called = replace(called, verdict=CONVENTION, sightings=(Sighting((convention,)),), convention=convention)
        found[called.name] = called
    return replace(checked, verdicts=found)
