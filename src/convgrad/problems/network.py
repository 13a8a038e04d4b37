"""A network: layers in a row, a loss behind them, and the backward pass through all of it.

Each layer's dX is the delta of the layer before. Nothing is computed here: every layer is a problem of its own,
built and solved as the single commands do it, so the numbers are the same to the last digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np

from convgrad.core.element import Array
from convgrad.core.operand import Operand
from convgrad.core.quantity import Quantity, bare
from convgrad.errors import ShapeError, at, by
from convgrad.formula import Formula
from convgrad.kinds import KINDS
from convgrad.kinds.kind import Kind
from convgrad.layers.loss import Loss
from convgrad.problems.build import build
from convgrad.problems.fitting import in_dtype, sgd_of
from convgrad.problems.problem import Operands, Problem, Settings, Solution
from convgrad.problems.solve import backward, check_finite, forward


@dataclass(frozen=True, eq=False, repr=False)
class Stage:
    """One layer of a network as the file says it: its type, operands (no input), settings, and how errors call it."""

    type: str
    operands: Operands
    settings: Settings
    where: str


@dataclass(frozen=True, eq=False, repr=False)
class Pass:
    """What the whole pass gives: output and loss, and each layer's quantities by name, its delta among them."""

    output: Array
    loss_quantity: Quantity
    layers: list[dict[str, Quantity]] = field(default_factory=list)
    working: dict[int, Solution] = field(default_factory=dict)
    """Each layer's own solution, with what it was before its activation."""
    target: Array | None = None
    kind: str = "mse"

    def inner_of(self, k: int) -> dict[str, Quantity]:
        """The results on the way through a layer's activation, which are written where they are asked for.

        Behind weights without an activation, z is the output, and the sensitivity delta: there is nothing on the way.
        """
        problem = self.working[k].problem
        if problem.activation is None and "W" in problem.layer.parameters:
            own = {"z": self.layers[k]["output"], "sensitivity": self.layers[k]["delta"]}
            return {name: bare(name, quantity.value, quantity.spatial) for name, quantity in own.items()}
        return self.working[k].inner

    @property
    def inner(self) -> dict[str, Quantity]:
        """The same of all layers, by path."""
        return {
            f"layers[{k}].{name}": quantity
            for k in range(len(self.layers))
            for name, quantity in self.inner_of(k).items()
        }

    def explainable(self) -> dict[str, Quantity]:
        """Every quantity whose elements can be written out, by its path: ``layers[0].dW``."""
        found = {"loss": self.loss_quantity, "output": self.layers[-1]["output"]}
        for k, layer in enumerate(self.layers):
            inner = {name: quantity for name, quantity in self.working[k].explainable().items() if name not in layer}
            found |= {f"layers[{k}].{name}": quantity for name, quantity in (layer | inner).items()}
        return {path: replace(quantity, name=path) for path, quantity in found.items()}

    @property
    def loss(self) -> Array:
        """The loss, a number."""
        return self.loss_quantity.value


def run_network(stages: Sequence[Stage], x: Operand, target: Operand, kind: str, settings: Settings) -> Pass:
    """Forward through the stages, the loss of a kind, and back.

    settings: those of a step of descent and the dtype. Every error names the layer it is about.
    """
    dtype = {"dtype": settings.get("dtype", "float64")}
    sgd = sgd_of(settings)
    arrays = in_dtype({"x": x, "target": target}, dtype)
    here, dims, built, done = arrays["x"], None, [], []
    for number, stage in enumerate(stages):
        with at(stage.where):
            problem = _problem(stage, Operand(here, stage.where), dtype, dims, stages[number + 1 :])
            found = forward(problem)
            check_finite(found.quantities)
        output = found.quantities["output"].value
        if problem.shorthand.dims and _tells(KINDS[stage.type]):
            dims = problem.shorthand.dims
        elif output.ndim < here.ndim:  # flattened: there are no spatial axes any more
            dims = None
        built.append(problem)
        done.append(found)
        here = output
    with at(target.source), np.errstate(all="ignore"):
        loss, first = Loss(kind).backward(here, arrays["target"])
        check_finite({"loss": loss, "delta": first})
    result = Pass(here, loss, [{} for _ in stages], target=arrays["target"], kind=kind)
    delta = first
    for number in reversed(range(len(stages))):
        with at(stages[number].where):
            problem = replace(built[number], delta=delta.value, sgd=sgd)
            solution = backward(problem, done[number])
            check_finite(solution.quantities)
        result.layers[number] = {
            "output": solution.quantities["output"],
            "delta": delta,
            **{n: q for n, q in solution.quantities.items() if n not in ("output", "indices")},
        }
        result.working[number] = solution
        before = solution.quantities["dX"]
        formula = Formula.of(f"{{delta}} = the {{dX}} of layers[{number}], behind it")
        delta = replace(before, name="delta", formula=formula, window_axes="")
    return result


def _problem(stage: Stage, x: Operand, dtype: Settings, dims: int | None, rest: Sequence[Stage]) -> Problem:
    """The problem of one stage, its input given; dims: the spatial axes of the convolution before it."""
    kind = KINDS[stage.type]
    settings: dict[str, Any] = {**stage.settings, **dtype}
    if dims is not None and not _tells(kind):  # behind a convolution over one axis, one is pooled, though two are there
        settings = {"dims": dims, **settings}
    if any(setting.name == "batch" for setting in kind.worked_out):
        settings["batch"] = _keeps_batch(x.array, rest)
    return build(kind, {"input": x, **stage.operands}, settings, False)


def _tells(kind: Kind) -> bool:
    """Whether an operand of the layer, such as its kernel, tells the number of spatial axes."""
    return any(given.needed for given in kind.own)


def _keeps_batch(x: Array, rest: Sequence[Stage]) -> bool:
    """Whether flattening keeps the first axis: as the next dense layer's weight has it; else with 4 axes or more."""
    for stage in rest:
        if stage.type == "dense" and "weight" in stage.operands:
            weight = stage.operands["weight"].array
            inputs = weight.shape[stage.settings.get("weight_layout") != "in-out"] if weight.ndim == 2 else 0
            if x.ndim > 1 and prod(x.shape[1:]) == inputs:
                return True
            if prod(x.shape) == inputs:
                return False
            raise ShapeError(
                f"flattened, the {by(x.shape)} input gives {prod(x.shape)} numbers, or {prod(x.shape[1:])} "
                f"an example, but the dense layer behind it takes {inputs}",
                hint="check the weight's shape",
            )
        if stage.type not in ("activation",):
            break
    return x.ndim >= 4
