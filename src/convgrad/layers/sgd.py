"""One step of stochastic gradient descent, by PyTorch's rule.

    g = dW + weight_decay * W                      the bias likewise
    v = momentum * v + g                           at first v = g
    W_new = W - lr * v,  or with nesterov  W - lr * (g + momentum * v)

Source: PyTorch's documentation of torch.optim.SGD; Sutskever et al. (2013) for the momentum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from convgrad.core.element import Array, Place, Products, cell, constant
from convgrad.core.quantity import Quantity
from convgrad.core.rational import cast
from convgrad.core.summands import Summed, total
from convgrad.errors import OptionError
from convgrad.formula import Formula
from convgrad.layers.shapes import check_shape, numbers


@dataclass(frozen=True, eq=False, repr=False)
class Multiple:
    """An array times some numbers, all by name."""

    name: str
    array: Array
    numbers: tuple[tuple[str, Any], ...] = ()

    @property
    def words(self) -> str:
        """As a formula's words: ``0.9 * {velocity}``."""
        return " * ".join([*(name for name, _ in self.numbers), f"{{{self.name}}}"])

    @property
    def called(self) -> Formula:
        """``0.9 * velocity``, with room for an index behind the array."""
        return Formula.of(self.words).each_name(lambda each: each._replace(open=True))

    @property
    def value(self) -> Array:
        """The product."""
        total = self.array
        for _, factor in reversed(self.numbers):
            total = factor * total
        return np.asarray(total)

    def products(self, at: Place) -> Sequence[Products]:
        """One element of it."""
        return [Products((*(constant(*each) for each in self.numbers), cell(self.name, self.array, at)))]


@dataclass(frozen=True)
class SGD:
    """The options of a step; momentum None is a step without velocity, OptionError where nesterov needs one."""

    lr: float
    momentum: float | None = None
    nesterov: bool = False
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        if self.nesterov and not self.momentum:
            raise OptionError("`nesterov` needs a momentum", hint="add a `momentum`")

    def step(self, name: str, parameter: Array, gradient: Array, velocity: Array | None = None) -> tuple[Quantity, ...]:
        """parameter, gradient, velocity (all of one shape) -> ``W_new`` and, with momentum, ``velocity_W``.

        name: W or b. The terms of the new parameter are the parameter and each summand of the change.
        """
        parameter, gradient = numbers(name, parameter), numbers(f"d{name}", gradient)
        check_shape(f"d{name}", gradient, parameter.shape)
        if velocity is not None:
            velocity = numbers("velocity", velocity)
            check_shape("velocity", velocity, parameter.shape)
        lr, mu, decay = (cast(each, gradient.dtype)[()] for each in (self.lr, self.momentum or 0, self.weight_decay))
        summands = [Multiple(f"d{name}", gradient)]
        if decay:
            summands.append(Multiple(name, parameter, ((f"{self.weight_decay:g}", decay),)))
        if velocity is not None and mu:
            summands.append(Multiple("velocity", velocity, ((f"{self.momentum:g}", mu),)))
        v = total(summands)
        change = summands
        if self.nesterov:
            g = [each for each in summands if each.name != "velocity"]
            change = [*g, Multiple(f"velocity_{name}", v, ((f"{self.momentum:g}", mu),))]
        words = " + ".join(each.words for each in change)
        words = f"({words})" if len(change) > 1 else words
        parts = [
            Multiple(name, parameter),
            *(replace(each, numbers=(("- lr", -lr), *each.numbers)) for each in change),
        ]
        found = [_sum_of(f"{name}_new", f"{{{name}_new}} = {{{name}}} - lr * {words}, with lr = {self.lr:g}", parts)]
        if self.momentum is not None:
            formula = f"{{velocity_{name}}} = " + " + ".join(each.words for each in summands)
            found.append(_sum_of(f"velocity_{name}", formula, summands))
        return tuple(found)


def _sum_of(name: str, words: str, parts: Sequence[Multiple]) -> Quantity:
    return Summed(tuple(parts), name=name, formula=Formula.of(words), shape=parts[0].array.shape)
