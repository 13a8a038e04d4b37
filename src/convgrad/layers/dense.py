"""The dense (fully connected) layer, worked node by node.

A convolution's sum without spatial axes, so with one place and one kernel cell (core/sum.py): for example n, input i
and node o (weight (out, in))::

    output[n,o] = b[o] + sum over i of weight[o,i] * input[n,i]
    dW[o,i]     = sum over n of delta[n,o] * input[n,i]      the node's sensitivity times what came in
    db[o]       = sum over n of delta[n,o]
    dX[n,i]     = sum over o of delta[n,o] * weight[o,i]

Source: Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors" (1986).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from convgrad.core.element import Array
from convgrad.core.quantity import Quantity
from convgrad.core.results import by_w, by_x, by_y, count
from convgrad.core.sum import Part, Sum
from convgrad.core.windows import Windows
from convgrad.errors import ShapeError
from convgrad.layers import Parameter
from convgrad.layers.shapes import check_shape, input_of, pair_of


@dataclass(frozen=True, eq=False, repr=False)
class Dense:
    """A dense layer: weight (out, in), bias (out,); without a weight, dW and db are all there is."""

    weight: Array | None = None
    bias: Array | None = None

    known_as: ClassVar[str] = "dense"
    input_axes: ClassVar[str] = "ND"
    output_axes: ClassVar[str] = "NO"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "W": Parameter("weight", "OM"),
        "b": Parameter("bias", "O", added=True),
    }

    def output_shape(self, x: Array, nodes: int) -> tuple[int, ...]:
        """x (N, in) -> (N, out); ShapeError where weight or bias does not belong to it."""
        if self.weight is not None:
            check_shape("the weight", self.weight, (nodes, x.shape[1]))
        if self.bias is not None:
            check_shape("the bias", self.bias, (nodes,))
        return (len(x), nodes)

    def sum(self, x: Array, delta: Array | None = None) -> Sum:
        """x (N, in), delta (N, out) -> the sum that they have a part in."""
        input_, weight = Part("input", "ND", x), Part("weight", "OM", self.weight)
        return Sum(input_, weight, Part("delta", "NO", delta), Windows(()), factors=("w", "x"))

    def forward(self, x: Array) -> Quantity:
        """x (N, in), weight (out, in) -> output (N, out)."""
        x = input_of(self, x)
        if self.weight is None:
            raise ShapeError("there is no weight", hint="give the layer one")
        self.output_shape(x, len(self.weight))
        bias = None if self.bias is None else Part("b", "O", self.bias)
        rule = "the sum of {input} x the node's weights" + ("" if bias is None else ", plus the bias")
        return by_y(self.sum(x), "output", rule, bias)

    def backward(self, x: Array, delta: Array) -> tuple[Quantity, ...]:
        """x (N, in), delta (N, out) -> dW (out, in), db (out,), dX (N, in), summed over the batch.

        ShapeError where delta does not have the output's shape. Without a weight there is no dX.
        """
        x, delta = pair_of(self, x, delta)
        nodes = delta.shape[1] if self.weight is None else len(self.weight)
        check_shape("delta", delta, self.output_shape(x, nodes))
        s = self.sum(x, delta)
        dW = by_w(s, "dW", "the node's {delta} x {input}, to its own weights")
        db = count(s, "db", "O", "{delta}")
        if self.weight is None:
            return dW, db
        return dW, db, by_x(s, "dX", "the node's {delta} x its weights")
