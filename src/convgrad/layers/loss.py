"""Losses: a number that says how far an output is from its target, and its gradient, the first delta.

With e = output - target, m numbers in all::

    mse            1/2 sum e^2            delta = e
    mse-sum        sum e^2                delta = 2 e
    mse-mean       1/m sum e^2            delta = 2 e / m
    mae            1/m sum |e|            delta = sign(e) / m
    huber          1/m sum h(e)           delta = clip(e, -1, 1) / m;  h(e) = e^2/2, or |e| - 1/2 beyond 1
    bce            -1/m sum (t log a + (1 - t) log(1 - a))       delta = (a - t) / (a (1 - a)) / m
    cross-entropy  -1/r sum t log softmax(z)                     delta = (softmax(z) sum t - t) / r

cross-entropy takes logits z along axis 1 (the only axis of a vector), targets as class indices or distributions, and
is the mean over the r positions. bce takes probabilities; its logarithms are held above -100 and its divisor above
1e-12, as in PyTorch. Sources: PyTorch's documentation of the losses of these names; Huber (1964).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from convgrad.errors import OptionError, ShapeError, by
from convgrad.quantity import Array, Cells, Place, Quantity, Term, real
from convgrad.settings import LOSSES


@dataclass(frozen=True)
class Loss:
    """A loss by kind, one of settings.LOSSES."""

    kind: str = "mse"

    def backward(self, output: Array, target: Array) -> tuple[Quantity, ...]:
        """output (...), target (...) -> loss (a number), delta like the output.

        ShapeError where the target does not belong to the output, or holds no classes or probabilities.
        """
        if self.kind not in LOSSES:
            raise OptionError(f"there is no loss called {self.kind!r}", hint=f"use one of {', '.join(LOSSES)}")
        each, delta, formulas = self._each(real(output), real(target))
        lead = each.shape
        live = partial(np.ones, lead, bool)
        return (
            Quantity("loss", formulas[0], np.asarray(each.sum()), "", live, partial(_loss_term, each), window_axes=""),
            Quantity(
                "delta",
                formulas[1],
                delta,
                "",
                live,
                partial(_delta_term, delta, lead),
                window_axes="",
                spatial=(delta.ndim - 1,) if delta.ndim else (),
            ),
        )

    def _each(self, output: Array, target: Array) -> tuple[Array, Array, tuple[str, str]]:
        """(what each number or position adds to the loss, delta, their formulas)."""
        if self.kind == "cross-entropy":
            return _cross_entropy(output, target)
        if target.shape != output.shape:
            raise ShapeError(
                f"the target is {by(target.shape)}, but the output is {by(output.shape)}",
                hint=f"{self.kind} needs a number for each output",
            )
        if self.kind == "bce":
            return _bce(output, target)
        e, m = output - target, output.size
        each, delta, loss, gradient = {
            "mse": (e**2 / 2, e, "1/2 sum of (output - target)^2", "output - target"),
            "mse-sum": (e**2, 2 * e, "sum of (output - target)^2", "2 (output - target)"),
            "mse-mean": (e**2 / m, 2 * e / m, f"1/{m} sum of (output - target)^2", f"2 (output - target) / {m}"),
            "mae": (np.abs(e) / m, np.sign(e) / m, f"1/{m} sum of |output - target|", f"sign(output - target) / {m}"),
            "huber": (
                np.where(np.abs(e) < 1, e**2 / 2, np.abs(e) - 0.5) / m,
                np.clip(e, -1, 1) / m,
                f"1/{m} sum of e^2/2, or |e| - 1/2 beyond 1, with e = output - target",
                f"e held between -1 and 1, / {m}",
            ),
        }[self.kind]
        return each, delta, (f"loss = {loss}", f"delta = {gradient}")


def _bce(a: Array, t: Array) -> tuple[Array, Array, tuple[str, str]]:
    for array, name in ((a, "output"), (t, "target")):
        if array.min() < 0 or array.max() > 1:
            raise ShapeError(
                f"the {name} has numbers outside 0 to 1 (from {array.min():g} to {array.max():g})",
                hint="bce takes probabilities; cross-entropy takes logits",
            )
    m = a.size
    with np.errstate(divide="ignore"):
        each = -(t * np.maximum(np.log(a), -100) + (1 - t) * np.maximum(np.log1p(-a), -100)) / m
    delta = (a - t) / np.maximum(a * (1 - a), 1e-12) / m
    return (
        each,
        delta,
        (
            f"loss = -1/{m} sum of target log(output) + (1 - target) log(1 - output)",
            f"delta = (output - target) / (output (1 - output)) / {m}",
        ),
    )


def _cross_entropy(output: Array, target: Array) -> tuple[Array, Array, tuple[str, str]]:
    if not output.ndim:
        raise ShapeError("the output is one number, but cross-entropy needs one for each class")
    axis = min(1, output.ndim - 1)
    z = np.moveaxis(output, axis, -1)
    t = _distribution(target, output, axis, z)
    r = z[..., 0].size
    shifted = z - z.max(axis=-1, keepdims=True)
    log_s = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    each = -(t * log_s).sum(axis=-1) / r
    delta = (np.exp(log_s) * t.sum(axis=-1, keepdims=True) - t) / r
    mean = "" if r == 1 else f" / {r}"
    return (
        each,
        np.moveaxis(delta, -1, axis),
        (f"loss = - sum of target * log(softmax(output)){mean}", f"delta = (softmax(output) - target){mean}"),
    )


def _distribution(target: Array, output: Array, axis: int, z: Array) -> Array:
    """Targets as distributions, class axis last: given so, or made from class indices."""
    if target.shape == output.shape:
        return np.moveaxis(target, axis, -1)
    wanted, classes = z.shape[:-1], z.shape[-1]
    if target.shape != wanted:
        raise ShapeError(
            f"the target is {by(target.shape)}, but the output is {by(output.shape)}",
            hint=f"give class indices ({by(wanted)}) or a distribution ({by(output.shape)})",
        )
    wrong = (target != np.floor(target)) | (target < 0) | (target >= classes)
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ShapeError(
            f"the target{list(index) if index else ''} is {target[index]:g}, but the classes are 0 to {classes - 1}"
        )
    return (np.arange(classes) == target[..., None]).astype(output.dtype)


def _loss_term(each: Array, at: Place) -> Term:
    return Term(at, (), (), (), np.asarray(each[at]))


def _delta_term(delta: Array, lead: tuple[int, ...], at: Place) -> Term:
    """What one position adds: its own numbers, all classes of it."""
    axes: list[Any] = [slice(i, i + 1) for i in at]
    if delta.ndim > len(lead):
        axes.insert(min(1, delta.ndim - 1), slice(None))
    region: Cells = tuple(axes)
    return Term(at, (), (), region, delta[region])
