"""What a layer asks of its sum: its derivatives by y, w and x, and the count, with their names and formulas.

rule: what one overlay adds, in words, arrays in braces; ``{marked}`` stands for how lit cells look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convgrad.core.derivatives import ByW, ByX, ByY, Count
from convgrad.core.quantity import Quantity
from convgrad.core.sum import Part, Sum
from convgrad.formula import Formula, Over
from convgrad.formula import Part as FormulaPart

EQUALS, PRODUCT = " = ", " * "


def by_y(s: Sum, name: str, rule: str, bias: Part | None = None) -> Quantity:
    """The derivative by y, plus a bias: a convolution's output, a transposed one's dX."""

    def formula() -> list[FormulaPart]:
        over = Over(s.channels("x"), s.offsets)
        one, other = (s.named(role) for role in s.factors)
        return [s.named("y", name=name), *_first(s, bias), over, one, PRODUCT, other, s.remark]

    return ByY(s, bias, **_told(s, "y", name, formula, rule))


def by_w(s: Sum, name: str, rule: str) -> Quantity:
    """The derivative by w: dW."""

    def formula() -> list[FormulaPart]:
        over: list[FormulaPart] = [] if s.apart or s.nodewise else [Over(letters=s.places)]
        return [s.named("w", name=name), EQUALS, *over, s.named("y"), PRODUCT, s.named("x"), s.remark]

    return ByW(s, **_told(s, "w", name, formula, rule))


def by_x(s: Sum, name: str, rule: str, bias: Part | None = None) -> Quantity:
    """The derivative by x, laid on a bias: a convolution's dX, a transposed one's output."""

    def formula() -> list[FormulaPart]:
        filters = s.channels("y")
        over = Over(filters) if s.nodewise else Over(filters, (), (*s.places, *s.offsets), s.positions, s.inputs)
        left = s.named("x", s.inputs, name)
        return [left, *_first(s, bias), over, s.named("y"), PRODUCT, s.named("w"), s.remark]

    return ByX(s, bias, **_told(s, "x", name, formula, rule))


def count(s: Sum, name: str, axes: str, rule: str, of: str = "y") -> Quantity:
    """The sum of y, or of x, over all but the axes of a bias: db."""

    def formula() -> list[FormulaPart]:
        index = s.places if of == "y" else s.inputs
        summed: list[FormulaPart] = [] if "P" in axes or s.nodewise else [Over(letters=index)]
        return [s.indexed(name, axes), EQUALS, *summed, s.named(of, index)]

    return Count(
        s,
        of,
        name=name,
        formula=Formula(formula),
        shape=(*(s.windows.places if "P" in axes else ()), s.part(of).given.shape[1]),
        axes=axes,
        window_axes="" if of == "x" else s.input.axes,
        rule=Formula.of(rule),
    )


def _first(s: Sum, bias: Part | None) -> list[FormulaPart]:
    """The sign of equality, and the bias where there is one."""
    return [EQUALS] if bias is None else [EQUALS, s.indexed(bias.name, bias.axes), " + "]


def _told(s: Sum, role: str, name: str, formula: Callable[[], list[FormulaPart]], rule: str) -> dict[str, Any]:
    return {
        "name": name,
        "formula": Formula(formula),
        "shape": s.shape(role),
        "axes": s.part(role).axes,
        "window_axes": s.input.axes,
        "rule": Formula.of(rule),
    }
