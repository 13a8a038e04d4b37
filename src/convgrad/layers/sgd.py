"""One step of stochastic gradient descent, by PyTorch's rule.

    g = dW + weight_decay * W                      the bias likewise
    v = momentum * v + g                           at first v = g
    W_new = W - lr * v,  or with nesterov  W - lr * (g + momentum * v)

Other systems keep the learning rate in the velocity, which is then the step itself, or what is taken off::

    step            v = momentum * v - lr * g       W_new = W + v,  or  W + momentum * v - lr * g
    negative-step   v = momentum * v + lr * g       W_new = W - v,  or  W - momentum * v - lr * g

Source: PyTorch's documentation of torch.optim.SGD; Sutskever et al. (2013) for the momentum; Keras's SGD and the course
CS231n for the step, whose W - momentum * v_old + (1 + momentum) * v is the same nesterov step; Caffe's solvers for the
negative one.
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
from convgrad.kinds.shared import VELOCITY_FORMS
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
    """The options of a step; momentum None is a step without velocity, OptionError where nesterov needs one.

    velocity_form: what the velocity holds, one of VELOCITY_FORMS.
    """

    lr: float
    momentum: float | None = None
    nesterov: bool = False
    weight_decay: float = 0.0
    velocity_form: str = "gradient"

    def __post_init__(self) -> None:
        if self.nesterov and not self.momentum:
            raise OptionError("`nesterov` needs a momentum", hint="add a `momentum`")
        if self.velocity_form not in VELOCITY_FORMS:
            known = ", ".join(VELOCITY_FORMS)
            raise OptionError(f"there is no `velocity_form` {self.velocity_form!r}", hint=f"use one of {known}")

    @property
    def scale(self) -> float:
        """What a velocity in the form of gradients is multiplied by to be one of this form."""
        return {"gradient": 1.0, "step": -self.lr, "negative-step": self.lr}[self.velocity_form]

    @property
    def drives(self) -> float:
        """What the velocity is multiplied by where it moves the parameter."""
        return {"gradient": -self.lr, "step": 1.0, "negative-step": -1.0}[self.velocity_form]

    def step(self, name: str, parameter: Array, gradient: Array, velocity: Array | None = None) -> tuple[Quantity, ...]:
        """parameter, gradient, velocity (all of one shape) -> ``W_new`` and, with momentum, ``velocity_W``.

        name: W or b. The terms of the new parameter are the parameter and each summand of the change.
        """
        parameter, gradient = numbers(name, parameter), numbers(f"d{name}", gradient)
        check_shape(f"d{name}", gradient, parameter.shape)
        if velocity is not None:
            velocity = numbers("velocity", velocity)
            check_shape("velocity", velocity, parameter.shape)
        lr, mu, decay, one = (
            cast(each, gradient.dtype)[()] for each in (self.lr, self.momentum or 0, self.weight_decay, 1)
        )
        g = [Multiple(f"d{name}", gradient)]
        if decay:
            g.append(Multiple(name, parameter, ((f"{self.weight_decay:g}", decay),)))
        rate = {"gradient": (), "step": (("- lr", -lr),), "negative-step": (("lr", lr),)}[self.velocity_form]
        summands = [replace(each, numbers=(*rate, *each.numbers)) for each in g]
        momentum = (f"{self.momentum or 0:g}", mu)
        if velocity is not None and mu:
            summands.append(Multiple("velocity", velocity, (momentum,)))
        change = summands
        if self.nesterov:
            g = [each for each in summands if each.name != "velocity"]
            change = [*g, Multiple(f"velocity_{name}", total(summands), (momentum,))]
        drive = {"gradient": (("- lr", -lr),), "step": (), "negative-step": (("- 1", -one),)}[self.velocity_form]
        parts = [Multiple(name, parameter), *(replace(each, numbers=(*drive, *each.numbers)) for each in change)]
        found = [_sum_of(f"{name}_new", self._words(name, change), parts)]
        if self.momentum is not None:
            formula = f"{{velocity_{name}}} = " + _added(summands)
            found.append(_sum_of(f"velocity_{name}", formula, summands))
        return tuple(found)

    def _words(self, name: str, change: Sequence[Multiple]) -> str:
        """The formula of the new parameter."""
        words, rate = _added(change), f", with lr = {self.lr:g}"
        if self.velocity_form == "step":
            return f"{{{name}_new}} = {{{name}}} {words if words.startswith('-') else f'+ {words}'}{rate}"
        words = f"({words})" if len(change) > 1 else words
        factor = "lr * " if self.velocity_form == "gradient" else ""
        return f"{{{name}_new}} = {{{name}}} - {factor}{words}{rate}"


def _added(parts: Sequence[Multiple]) -> str:
    """A sum in words: what begins with a minus is taken off."""
    first, *others = (each.words for each in parts)
    return first + "".join(f" {each}" if each.startswith("-") else f" + {each}" for each in others)


def _sum_of(name: str, words: str, parts: Sequence[Multiple]) -> Quantity:
    return Summed(tuple(parts), name=name, formula=Formula.of(words), shape=parts[0].array.shape)
