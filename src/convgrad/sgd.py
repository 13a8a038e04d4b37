"""One step of stochastic gradient descent: W_new = W - lr * dW."""

from __future__ import annotations

import numpy as np

from convgrad.quantity import Array, Place, Quantity, Term


def step(name: str, parameter: Array, gradient: Array, lr: float) -> Quantity:
    """parameter, gradient of the same shape -> ``W_new`` or ``b_new`` (name is W or b), in the parameter's dtype.

    Its two terms are the parameter and minus the learning rate times the gradient.
    """
    change = -parameter.dtype.type(lr) * gradient
    everything = (slice(None),) * parameter.ndim

    def term(at: Place) -> Term:
        return Term(at, (), (), everything, (parameter, change)[at[0]])

    formula = f"{name}_new = {name} - lr * d{name}, with lr = {lr:g}"
    return Quantity(f"{name}_new", formula, np.asarray(parameter + change), "",
                    lambda: np.ones(2, bool), term, window_axes="")
