"""One step of stochastic gradient descent, by PyTorch's rule.

    g = dW + weight_decay * W                      the bias likewise
    v = momentum * v + g                           at first v = g
    W_new = W - lr * v,  or with nesterov  W - lr * (g + momentum * v)

Source: PyTorch's documentation of torch.optim.SGD; Sutskever et al. (2013) for the momentum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from convgrad.core.quantity import Array, Factor, Place, Products, Quantity, Term, cell, constant, real
from convgrad.core.rational import cast


@dataclass(frozen=True, eq=False, repr=False)
class Summand:
    """An array times some numbers, all by name."""

    name: str
    array: Array
    numbers: tuple[tuple[str, Any], ...] = ()

    @property
    def label(self) -> str:
        """``0.9 * velocity``."""
        return " * ".join([*(name for name, _ in self.numbers), self.name])

    @property
    def value(self) -> Array:
        """The product."""
        total = self.array
        for _, factor in reversed(self.numbers):
            total = factor * total
        return np.asarray(total)

    def products(self, at: Place) -> Products:
        """One element of it."""
        return Products((*(constant(*each) for each in self.numbers), cell(self.name, self.array, at)))


@dataclass(frozen=True)
class SGD:
    """The options of a step; momentum None is a step without velocity."""

    lr: float
    momentum: float | None = None
    nesterov: bool = False
    weight_decay: float = 0.0

    def step(self, name: str, parameter: Array, gradient: Array, velocity: Array | None = None) -> tuple[Quantity, ...]:
        """parameter, gradient, velocity (all of one shape) -> ``W_new`` and, with momentum, ``velocity_W``.

        name: W or b. The terms of the new parameter are the parameter and each summand of the change.
        """
        parameter, gradient = real(parameter), real(gradient)
        lr, mu, decay = (cast(each, gradient.dtype)[()] for each in (self.lr, self.momentum or 0, self.weight_decay))
        summands = [Summand(f"d{name}", gradient)]
        if decay:
            summands.append(Summand(name, parameter, ((f"{self.weight_decay:g}", decay),)))
        if velocity is not None and mu:
            summands.append(Summand("velocity", velocity, ((f"{self.momentum:g}", mu),)))
        v = _total(summands)
        change = summands
        if self.nesterov:
            g = [each for each in summands if each.name != "velocity"]
            change = [*g, Summand(f"velocity_{name}", v, ((f"{self.momentum:g}", mu),))]
        words = " + ".join(each.label for each in change)
        words = f"({words})" if len(change) > 1 else words
        parts = [
            Summand(name, parameter),
            *(replace(each, numbers=(("- lr", -lr), *each.numbers)) for each in change),
        ]
        found = [_sum_of(f"{name}_new", f"{name}_new = {name} - lr * {words}, with lr = {self.lr:g}", parts)]
        if self.momentum is not None:
            formula = f"velocity_{name} = " + " + ".join(each.label for each in summands)
            found.append(_sum_of(f"velocity_{name}", formula, summands))
        return tuple(found)


def _total(summands: list[Summand]) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(sum((each.value for each in summands[1:]), start=summands[0].value))


def _sum_of(name: str, formula: str, parts: list[Summand]) -> Quantity:
    """The sum of labelled arrays of one shape; each is a term, and its own only factor."""
    return Quantity(
        name,
        formula,
        parts[0].array.shape,
        partial(_total, parts),
        "",
        partial(np.ones, len(parts), bool),
        partial(_part, parts),
        lambda at: [part.products(at) for part in parts],
        window_axes="",
        unit="summand",
    )


def _part(parts: list[Summand], at: Place) -> Term:
    label, array = parts[at[0]].label, parts[at[0]].value
    return Term(at, (), (), (slice(None),) * array.ndim, array, (Factor(label, array, ""),))
