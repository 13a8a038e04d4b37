"""One step of stochastic gradient descent, by PyTorch's rule.

    g = dW + weight_decay * W                      the bias likewise
    v = momentum * v + g                           at first v = g
    W_new = W - lr * v,  or with nesterov  W - lr * (g + momentum * v)

Source: PyTorch's documentation of torch.optim.SGD; Sutskever et al. (2013) for the momentum.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from convgrad.quantity import Array, Factor, Place, Quantity, Term, real


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
        kind = parameter.dtype.type
        lr, mu, decay = kind(self.lr), kind(self.momentum or 0), kind(self.weight_decay)
        summands = [(f"d{name}", gradient)]
        if decay:
            summands.append((f"{self.weight_decay:g} * {name}", decay * parameter))
        if velocity is not None and mu:
            summands.append((f"{self.momentum:g} * velocity", mu * velocity))
        v = sum((array for _, array in summands[1:]), start=summands[0][1])
        change = summands
        if self.nesterov:
            g = [each for each in summands if "velocity" not in each[0]]
            change = [*g, (f"{self.momentum:g} * velocity_{name}", mu * v)]
        words = " + ".join(label for label, _ in change)
        words = f"({words})" if len(change) > 1 else words
        parts = [(name, parameter), *((f"- lr * {label}", -lr * array) for label, array in change)]
        found = [_sum_of(f"{name}_new", f"{name}_new = {name} - lr * {words}, with lr = {self.lr:g}", parts)]
        if self.momentum is not None:
            formula = f"velocity_{name} = " + " + ".join(label for label, _ in summands)
            found.append(_sum_of(f"velocity_{name}", formula, summands))
        return tuple(found)


def _sum_of(name: str, formula: str, parts: list[tuple[str, Array]]) -> Quantity:
    """The sum of labelled arrays of one shape; each is a term, and its own only factor."""
    total = np.asarray(sum((array for _, array in parts[1:]), start=parts[0][1]))
    live = partial(np.ones, len(parts), bool)
    return Quantity(name, formula, total, "", live, partial(_part, parts), window_axes="", unit="summand")


def _part(parts: list[tuple[str, Array]], at: Place) -> Term:
    label, array = parts[at[0]][0], np.asarray(parts[at[0]][1])
    return Term(at, (), (), (slice(None),) * array.ndim, array, (Factor(label, array, ""),))
