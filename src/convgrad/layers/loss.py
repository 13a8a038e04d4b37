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

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from convgrad.core.quantity import Array, Cells, Column, Place, Products, Quantity, Term, everywhere_in, real
from convgrad.core.rational import cast, refuse
from convgrad.errors import OptionError, ShapeError, by
from convgrad.kinds.loss import LOSSES
from convgrad.layers import Parameter

Part = tuple[tuple[str, Array], ...]
"""Factors by name, of the output's shape or one number: what a loss is summed from, and its gradient cell by cell."""


@dataclass(frozen=True, eq=False, repr=False)
class Worked:
    """A loss worked out: each position's share of it, its gradient, both formulas, and the products of both."""

    each: Array
    delta: Array
    formulas: tuple[str, str]
    loss_parts: tuple[Part, ...]
    delta_parts: tuple[Part, ...]


@dataclass(frozen=True)
class Loss:
    """A loss by kind, one of settings.LOSSES."""

    kind: str = "mse"

    known_as: ClassVar[str] = "loss"
    input_axes: ClassVar[str] = ""
    output_axes: ClassVar[str] = ""
    parameters: ClassVar[Mapping[str, Parameter]] = {}

    def backward(self, output: Array, target: Array) -> tuple[Quantity, ...]:
        """output (...), target (...) -> loss (a number), delta like the output.

        ShapeError where the target does not belong to the output, or holds no classes or probabilities.
        """
        if self.kind not in LOSSES:
            raise OptionError(f"there is no loss called {self.kind!r}", hint=f"use one of {', '.join(LOSSES)}")
        output = real(output)
        worked = self._worked(output, real(target))
        lead, delta = worked.each.shape, worked.delta
        live = partial(np.ones, lead, bool)
        return (
            Quantity(
                "loss",
                worked.formulas[0],
                (),
                worked.each.sum,
                "",
                live,
                partial(_loss_term, worked.each),
                lambda _: [
                    Products(tuple(everywhere_in(*factor, output.shape) for factor in part))
                    for part in worked.loss_parts
                ],
                window_axes="",
            ),
            Quantity(
                "delta",
                worked.formulas[1],
                delta.shape,
                lambda: delta,
                "",
                live,
                partial(_delta_term, delta, lead),
                lambda at: [Products(tuple(_at(*factor, at) for factor in part)) for part in worked.delta_parts],
                window_axes="",
                spatial=(delta.ndim - 1,) if delta.ndim else (),
            ),
        )

    def _worked(self, output: Array, target: Array) -> Worked:
        if self.kind in ("bce", "cross-entropy"):
            refuse(output, self.kind, "--kind")
        if self.kind == "cross-entropy":
            return _cross_entropy(output, target)
        if target.shape != output.shape:
            raise ShapeError(
                f"the target is {by(target.shape)}, but the output is {by(output.shape)}",
                hint=f"{self.kind} needs a number for each output",
            )
        if self.kind == "bce":
            return _bce(output, target)
        return _squares(output, target, self.kind) if "mse" in self.kind else _sizes(output, target, self.kind)


def _squares(output: Array, target: Array, kind: str) -> Worked:
    """The losses of squares: scale * sum e^2."""
    e, m = output - target, output.size
    words, twice, scale = {
        "mse": ("1/2", "1", cast(0.5, e.dtype)),
        "mse-sum": ("1", "2", cast(1, e.dtype)),
        "mse-mean": (f"1/{m}", f"2/{m}", cast(1, e.dtype) / m),
    }[kind]
    slope = 2 * scale
    error = ("(output[] - target[])", e)
    return Worked(
        e**2 * scale,
        e * slope,
        (
            f"loss = {'' if words == '1' else words + ' '}sum of (output - target)^2",
            "delta = output - target" if twice == "1" else f"delta = {twice} (output - target)",
        ),
        (((words, scale), error, error),),
        (((twice, slope), ("output", output)), ((f"-{twice}", -slope), ("target", target))),
    )


def _sizes(output: Array, target: Array, kind: str) -> Worked:
    """mae and huber: means of |e|, or of what is e^2/2 near 0."""
    e, m = output - target, output.size
    one = cast(1, e.dtype)
    if kind == "mae":
        each, slope = np.abs(e), cast(np.sign(e), e.dtype)
        words, names = (
            ("|output - target|", "sign(output - target)"),
            ("|output[] - target[]|", "sign(output[] - target[])"),
        )
    else:
        each, slope = np.where(np.abs(e) < 1, e**2 * one / 2, np.abs(e) - one / 2), np.clip(e, -one, one)
        words = ("e^2/2, or |e| - 1/2 beyond 1, with e = output - target", "e held between -1 and 1")
        names = ("h(output[] - target[])", "held(output[] - target[])")
    mean = (f"1/{m}", one / m)
    return Worked(
        np.asarray(each / m),
        slope / m,
        (f"loss = 1/{m} sum of {words[0]}", f"delta = {words[1]}{',' if kind == 'huber' else ''} / {m}"),
        ((mean, (names[0], np.asarray(each))),),
        ((mean, (names[1], slope)),),
    )


def _bce(a: Array, t: Array) -> Worked:
    for array, name in ((a, "output"), (t, "target")):
        if array.min() < 0 or array.max() > 1:
            raise ShapeError(
                f"the {name} has numbers outside 0 to 1 (from {array.min():g} to {array.max():g})",
                hint="bce takes probabilities; cross-entropy takes logits",
            )
    m = a.size
    with np.errstate(divide="ignore"):
        log_a, log_rest = np.maximum(np.log(a), -100), np.maximum(np.log1p(-a), -100)
    slope = 1 / np.maximum(a * (1 - a), 1e-12)
    mean, minus = (f"1/{m}", np.asarray(1 / m, a.dtype)), (f"-1/{m}", np.asarray(-1 / m, a.dtype))
    return Worked(
        -(t * log_a + (1 - t) * log_rest) / m,
        (a - t) / np.maximum(a * (1 - a), 1e-12) / m,
        (
            f"loss = -1/{m} sum of target log(output) + (1 - target) log(1 - output)",
            f"delta = (output - target) / (output (1 - output)) / {m}",
        ),
        (
            (minus, ("target", t), ("log(output[])", log_a)),
            (minus, ("(1 - target[])", 1 - t), ("log(1 - output[])", log_rest)),
        ),
        ((mean, ("(output[] - target[])", a - t), ("1/(output[] (1 - output[]))", slope)),),
    )


def _cross_entropy(output: Array, target: Array) -> Worked:
    if not output.ndim:
        raise ShapeError("the output is one number, but cross-entropy needs one for each class")
    axis = min(1, output.ndim - 1)
    z = np.moveaxis(output, axis, -1)
    t = _distribution(target, output, axis, z)
    r = z[..., 0].size
    shifted = z - z.max(axis=-1, keepdims=True)
    log_s = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    s, whole = np.exp(log_s), t.sum(axis=-1, keepdims=True)
    mean = "" if r == 1 else f" / {r}"
    over = "" if r == 1 else f"/{r}"
    one, minus = (f"1{over}", np.asarray(1 / r, z.dtype)), (f"-1{over}", np.asarray(-1 / r, z.dtype))
    name = "target" if target.shape == output.shape else "onehot(target)"

    def home(array: Array) -> Array:
        return np.moveaxis(np.broadcast_to(array, z.shape), -1, axis)

    softmax = (one, ("softmax(output)", home(s)))
    return Worked(
        -(t * log_s).sum(axis=-1) / r,
        home((s * whole - t) / r),
        (f"loss = - sum of target * log(softmax(output)){mean}", f"delta = (softmax(output) - target){mean}"),
        ((minus, (name, home(t)), ("log(softmax(output)[])", home(log_s))),),
        (
            softmax if (whole == 1).all() else (*softmax, ("(sum of target)[]", home(whole))),
            (minus, (name, home(t))),
        ),
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


def _at(name: str, array: Array, at: Place) -> Column:
    """One factor of one cell."""
    if not np.ndim(array) and at:
        return Column(name, np.asarray(array).reshape(1))
    return Column(name, np.asarray(array[at]).reshape(1), np.array([at], int).reshape(1, -1))


def _loss_term(each: Array, at: Place) -> Term:
    return Term(at, (), (), (), np.asarray(each[at]))


def _delta_term(delta: Array, lead: tuple[int, ...], at: Place) -> Term:
    """What one position adds: its own numbers, all classes of it."""
    axes: list[Any] = [slice(i, i + 1) for i in at]
    if delta.ndim > len(lead):
        axes.insert(min(1, delta.ndim - 1), slice(None))
    region: Cells = tuple(axes)
    return Term(at, (), (), region, delta[region])
