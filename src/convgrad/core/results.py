"""What a layer asks of its sum: its derivatives by y, w and x, and the count, with their names and formulas.

rule: what one overlay adds, in words, arrays in braces; ``{marked}`` stands for how lit cells look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convgrad.core.derivatives import ByW, ByX, ByY, Count
from convgrad.core.quantity import Quantity
from convgrad.core.sum import Part, Sum
from convgrad.formula import Formula, Over, Piece

EQUALS, PRODUCT = " = ", " * "


def by_y(s: Sum, name: str, rule: str, bias: Part | None = None) -> Quantity:
    """The derivative by y, plus a bias: a convolution's output, a transposed one's dX."""

    def formula() -> list[Piece]:
        over = Over(s.channels("x"), s.cell_letters)
        one, other = (s.named(role) for role in s.factors)
        return [s.named("y", name=name), *_first(s, bias), over, one, PRODUCT, other, s.remark]

    return ByY(s, bias, **_told(s, "y", name, formula, rule))


def by_w(s: Sum, name: str, rule: str) -> Quantity:
    """The derivative by w: dW."""

    def formula() -> list[Piece]:
        over: list[Piece] = [] if s.apart or s.nodewise else [Over(letters=s.place_letters)]
        return [s.named("w", name=name), EQUALS, *over, s.named("y"), PRODUCT, s.named("x"), s.remark]

    return ByW(s, None, **_told(s, "w", name, formula, rule))


def by_x(s: Sum, name: str, rule: str, bias: Part | None = None) -> Quantity:
    """The derivative by x, laid on a bias: a convolution's dX, a transposed one's output."""

    def formula() -> list[Piece]:
        filters = s.channels("y")
        over = (
            Over(filters)
            if s.nodewise
            else Over(filters, (), (*s.place_letters, *s.cell_letters), s.positions, s.input_letters)
        )
        left = s.named("x", s.input_letters, name)
        return [left, *_first(s, bias), over, s.named("y"), PRODUCT, s.named("w"), s.remark]

    return ByX(s, bias, **_told(s, "x", name, formula, rule))


def count(s: Sum, name: str, axes: str, rule: str, of: str = "y") -> Quantity:
    """The sum of y, or of x, over all but the axes of a bias: db."""

    def formula() -> list[Piece]:
        index = s.place_letters if of == "y" else s.input_letters
        summed: list[Piece] = [] if "P" in axes or s.nodewise else [Over(letters=index)]
        return [s.indexed(name, axes), EQUALS, *summed, s.named(of, index)]

    return Count(
        s,
        None,
        of,
        name=name,
        formula=Formula(formula),
        shape=(*(s.windows.places if "P" in axes else ()), s.part(of).given.shape[1]),
        axes=axes,
        window_axes="" if of == "x" else s.input.axes,
        rule=Formula.of(rule),
    )


def _first(s: Sum, bias: Part | None) -> list[Piece]:
    """The sign of equality, and the bias where there is one."""
    return [EQUALS] if bias is None else [EQUALS, s.indexed(bias.name, bias.axes), " + "]


def _told(s: Sum, role: str, name: str, formula: Callable[[], list[Piece]], rule: str) -> dict[str, Any]:
    return {
        "name": name,
        "formula": Formula(formula),
        "shape": s.shape(role),
        "axes": s.part(role).axes,
        "window_axes": s.input.axes,
        "rule": Formula.of(rule),
    }
