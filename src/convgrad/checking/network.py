"""Answers about a whole network: the results of every layer, and what follows from what across layers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from convgrad.checking.answers_file import not_asked_for
from convgrad.checking.follow import gradient, sensitivity_in, step_from, stepped, with_input
from convgrad.checking.judge import judge
from convgrad.checking.rules import Manner
from convgrad.checking.tolerance import held
from convgrad.checking.verdict import Checked, Question
from convgrad.checking.written import Answer
from convgrad.core.element import Array
from convgrad.errors import ConvgradError
from convgrad.kinds import KINDS, STEPPED
from convgrad.layers import gradients
from convgrad.layers.loss import Loss
from convgrad.mistakes.case import Case
from convgrad.problems import Operand, Problem, Solution
from convgrad.problems.network import Pass, Stage
from convgrad.problems.solve import forward, solver_of


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
            for name, quantity in layer.items():
                case: Case | None = self._case(k)
                if name == "delta":
                    case = self._loss_case(self.done.output) if k == last else self._case(k + 1)
                its_name = "dX" if name == "delta" and k < last else name
                asked[f"layers[{k}].{name}"] = Question(quantity, case, its_name)
        return asked

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
            sure[name] = held(answer, solution, self.asked[name].result, self.dtype)
        return judge(title, self.asked, sure, self.follow, manner, self.reworked)

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
        here, kind = self._position(name), name.rpartition(".")[2]
        before = [each for each in self.asked if self._position(each) < here]
        passed = [each for each in before if each.rpartition(".")[2] in ("output", "delta", "dX")]
        if kind in STEPPED:
            own = [f"layers[{self.layer_of(name)}].{each}" for each in step_from(kind)]
            passed += [each for each in own if each in before]
        passed.sort(key=self._position, reverse=True)
        problem = self.problem_of(self.layer_of(name))
        told = sensitivity_in(problem)
        if told != kind and kind in gradients(problem.layer):
            passed += [each for each in before if each == f"layers[{self.layer_of(name)}].{told}"]
        return passed, lambda values: _Rerun(self, name, values).value()

    def _position(self, name: str) -> tuple[int, ...]:
        """Where a result comes in the pass: forward through the outputs, then back from the loss."""
        kind, last = name.rpartition(".")[2], len(self.stages) - 1
        if kind in ("output", "loss"):
            return (0, self.layer_of(name), 1 if name == "output" else 2 if name == "loss" else 0)
        layer = self.problem_of(self.layer_of(name)).layer
        order = {"delta": 0, **dict.fromkeys(gradients(layer), 2)}
        order |= {f"d{each}": 1 for each, parameter in layer.parameters.items() if parameter.added}
        order |= {f"velocity_{each}": 3 for each in layer.parameters}
        return (1, last - self.layer_of(name), order.get(kind, 4))


class _Rerun:
    """The pass once more, with some results as a reader has them, as far as one result needs it."""

    def __init__(self, network: Network, name: str, own: Mapping[str, Array]) -> None:
        self.network, self.name = network, name
        self.own = {each: np.asarray(array, np.float64) for each, array in own.items() if each != name}
        self.layers = network.done.layers

    def value(self) -> Array | None:
        """What the result would be; None where it cannot be worked."""
        k, name = self.network.layer_of(self.name), self.name.rpartition(".")[2]
        with np.errstate(all="ignore"):
            try:
                return self._value(k, name)
            except (ConvgradError, ValueError):
                return None

    def _value(self, k: int, name: str) -> Array | None:
        if self.name == "output" or name == "output":
            return self._output(k, given=self.name == "output")
        if self.name == "loss":
            return self._loss()[0].value
        if name == "delta":
            return self._delta(k)
        problem = self._problem(k)
        if name in STEPPED:
            assert problem.sgd is not None
            values = {each: quantity.value for each, quantity in self.layers[k].items()}
            near = {
                each: self.own[f"layers[{k}].{each}"] for each in step_from(name) if f"layers[{k}].{each}" in self.own
            }
            if not near:
                source = f"d{STEPPED[name]}"
                moved = gradient(problem, source, self._delta(k), self._seen(k))
                near = {} if moved is None else {source: moved}
            return stepped(problem.sgd, name, values, near)
        return gradient(
            problem, name, self._delta(k), self._seen(k), self.own.get(f"layers[{k}].{sensitivity_in(problem)}")
        )

    def _problem(self, k: int) -> Problem:
        return with_input(self.network.problem_of(k), self._input(k))

    def _input(self, k: int) -> Array:
        first = self.network.problem_of(0)
        return first.operands["input"] if k == 0 else self._output(k - 1)

    def _output(self, k: int, given: bool = True) -> Array:
        """A layer's output: the reader's own, or what follows from the reader's own before it."""
        last = len(self.layers) - 1
        names = [f"layers[{k}].output", *(["output"] if k == last else [])]
        for each in names:
            if given and each in self.own:
                return self.own[each]
        if not any(re.match(r"layers\[[0-9]+\]\.output", each) for each in self.own) and "output" not in self.own:
            return self.layers[k]["output"].value
        done = forward(replace(self._problem(k), delta=None))
        return done.quantities["output"].value

    def _seen(self, k: int) -> Array | None:
        """The reader's own output of a layer, where the derivative can be taken from it."""
        names = [f"layers[{k}].output", *(["output"] if k == len(self.layers) - 1 else [])]
        found = next((self.own[each] for each in names if each in self.own), None)
        activation = self.network.problem_of(k).activation
        return found if activation is not None and activation.tells else None

    def _loss(self) -> tuple[Any, ...]:
        target = self.network.target.array
        return Loss(self.network.kind).backward(self._output(len(self.layers) - 1), target)

    def _delta(self, k: int) -> Array | None:
        for each in (f"layers[{k}].delta", f"layers[{k + 1}].dX"):
            if each in self.own:
                return self.own[each]
        if k == len(self.layers) - 1:
            return self._loss()[1].value
        return gradient(self._problem(k + 1), "dX", self._delta(k + 1), self._seen(k + 1))
