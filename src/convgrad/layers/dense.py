"""The dense (fully connected) layer, worked node by node.

For example n, input i and node o (weight (out, in))::

    output[n,o] = b[o] + sum over i of weight[o,i] * input[n,i]
    dW[o,i]     = sum over n of delta[n,o] * input[n,i]      the node's sensitivity times what came in
    db[o]       = sum over n of delta[n,o]
    dX[n,i]     = sum over o of delta[n,o] * weight[o,i]

Source: Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors" (1986).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from convgrad.core.quantity import Array, Cells, Factor, Lit, Place, Products, Quantity, Term, cell, cells, real
from convgrad.core.rational import product
from convgrad.errors import ShapeError
from convgrad.layers import Parameter
from convgrad.layers.products import check_shape


@dataclass(frozen=True, eq=False, repr=False)
class Dense:
    """A dense layer: weight (out, in), bias (out,); without a weight, dW and db are all there is."""

    weight: Array | None = None
    bias: Array | None = None

    known_as: ClassVar[str] = "dense"
    input_axes: ClassVar[str] = "ND"
    output_axes: ClassVar[str] = "NO"
    parameters: ClassVar[Mapping[str, Parameter]] = {"W": Parameter("weight", "OM"), "b": Parameter("bias", "O")}

    def output_shape(self, x: Array, nodes: int) -> tuple[int, ...]:
        """x (N, in) -> (N, out); ShapeError where weight or bias does not belong to it."""
        if self.weight is not None:
            check_shape("the weight", self.weight, (nodes, x.shape[1]))
        if self.bias is not None:
            check_shape("the bias", self.bias, (nodes,))
        return (len(x), nodes)

    def forward(self, x: Array) -> Quantity:
        """x (N, in), weight (out, in) -> output (N, out)."""
        x = real(x)
        weight = self._weight()
        shape = self.output_shape(x, len(weight))
        bias, rule = ("", "") if self.bias is None else ("b[o] + ", ", plus the bias")
        return Quantity(
            "output",
            f"output[o] = {bias}sum over i of weight[o,i] * input[i]",
            shape,
            lambda: product(x, weight.T) + (0 if self.bias is None else self.bias),
            "NO",
            lambda: np.ones(shape, bool),
            partial(self._output_term, x, weight),
            partial(self._output_products, x, weight),
            window_axes="ND",
            unit="node",
            rule=f"the sum of input x the node's weights{rule}",
        )

    def backward(self, x: Array, delta: Array) -> tuple[Quantity, ...]:
        """x (N, in), delta (N, out) -> dW (out, in), db (out,), dX (N, in), summed over the batch.

        ShapeError where delta does not have the output's shape. Without a weight there is no dX.
        """
        x, delta = real(x), real(delta)
        check_shape("delta", delta, self.output_shape(x, delta.shape[1]))

        def live() -> Array:
            return delta != 0

        gradients = [
            Quantity(
                "dW",
                "dW[o,i] = delta[o] * input[i]",
                (delta.shape[1], x.shape[1]),
                lambda: product(delta.T, x),
                "OM",
                live,
                partial(self._dW_term, x, delta),
                lambda at: [_pairs(("delta", delta, (":", at[0]), "NO"), ("input", x, (":", at[1]), "ND"))],
                "ND",
                unit="node",
                rule="the node's delta x input, to its own weights",
            ),
            Quantity(
                "db",
                "db[o] = delta[o]",
                delta.shape[1:],
                lambda: delta.sum(axis=0),
                "O",
                live,
                partial(self._db_term, x, delta),
                lambda at: [_pairs(("delta", delta, (":", at[0]), "NO"))],
                "ND",
                unit="node",
                rule="delta",
            ),
        ]
        if self.weight is not None:
            gradients.append(
                Quantity(
                    "dX",
                    "dX[i] = sum over o of delta[o] * weight[o,i]",
                    x.shape,
                    lambda: product(delta, self._weight()),
                    "ND",
                    live,
                    partial(self._dX_term, x, delta, self.weight),
                    lambda at: [
                        _pairs(("delta", delta, (at[0], ":"), "NO"), ("weight", self._weight(), (":", at[1]), "OM"))
                    ],
                    "ND",
                    unit="node",
                    rule="the node's delta x its weights",
                )
            )
        return tuple(gradients)

    # -- the working: one overlay a node --------------------------------------------------------------

    def _output_products(self, x: Array, weight: Array, at: Place) -> list[Products]:
        n, o = at
        bias = [] if self.bias is None else [Products((cell("b", self.bias, (o,), "O"),))]
        return [*bias, _pairs(("weight", weight, (o, ":"), "OM"), ("input", x, (n, ":"), "ND"))]

    def _output_term(self, x: Array, weight: Array, at: Place) -> Term:
        n, o = at
        total = (weight[o] * x[n]).sum() + (0 if self.bias is None else self.bias[o])
        factors = [
            Factor("input", x[n], "D"),
            Factor("kernel", weight[o], "D"),
            Factor("products", weight[o] * x[n], "M"),
        ]
        if self.bias is not None:
            factors.append(Factor("bias", np.asarray(self.bias[o]), ""))
        region = (slice(n, n + 1), slice(o, o + 1))
        patch = np.asarray(total).reshape(1, 1)
        return Term(at, ((o, o + 1),), self._lit(n), region, patch, tuple(factors), (_weight_lit(at),))

    def _dW_term(self, x: Array, delta: Array, at: Place) -> Term:
        n, o = at
        return Term(
            at,
            ((o, o + 1), (0, x.shape[1])),
            self._lit(n),
            (slice(o, o + 1), slice(None)),
            delta[n, o] * x[n : n + 1],
            (Factor("delta", np.asarray(delta[n, o]), ""), Factor("input", x[n], "D")),
            _delta_lit(at),
        )

    def _db_term(self, x: Array, delta: Array, at: Place) -> Term:
        n, o = at
        d = delta[n, o : o + 1]
        factors = (Factor("delta", np.asarray(delta[n, o]), ""),)
        return Term(at, ((o, o + 1),), self._lit(n), (slice(o, o + 1),), d, factors, _delta_lit(at))

    def _dX_term(self, x: Array, delta: Array, weight: Array, at: Place) -> Term:
        n, o = at
        return Term(
            at,
            ((0, x.shape[1]),),
            self._lit(n),
            (slice(n, n + 1), slice(None)),
            delta[n, o] * weight[o : o + 1],
            (Factor("delta", np.asarray(delta[n, o]), ""), Factor("kernel", weight[o], "D")),
            (*_delta_lit(at), _weight_lit(at)),
        )

    def _lit(self, n: int) -> Cells:
        return (slice(n, n + 1), slice(None))

    def _weight(self) -> Array:
        if self.weight is None:
            raise ShapeError("there is no weight", hint="add one with -w WEIGHT")
        return self.weight


def _delta_lit(at: Place) -> tuple[Lit, ...]:
    """The node's delta."""
    return (Lit("delta", tuple(slice(i, i + 1) for i in at), "NO"),)


def _weight_lit(at: Place) -> Lit:
    """The node's weights."""
    return Lit("weight", (slice(at[1], at[1] + 1), slice(None)), "OM")


def _pairs(*factors: tuple[str, Array, tuple[int | str, int | str], str]) -> Products:
    """Products of vectors cell by cell: rows or columns (the axis where ``:`` stands) of named arrays."""
    columns = []
    for name, array, at, axes in factors:
        count = np.arange(array.shape[at.index(":")])
        rows = np.stack([count if each == ":" else np.full(len(count), each) for each in at], axis=1)
        columns.append(cells(name, array, rows, axes))
    return Products(tuple(columns))
