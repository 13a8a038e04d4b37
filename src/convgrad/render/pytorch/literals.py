"""Arrays and calls as Python text, laid out as people lay them out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np

from convgrad.core.element import Array
from convgrad.core.rational import fraction
from convgrad.errors import OptionError
from convgrad.render.number_text import exact

WIDTH = 100
"""Columns of a line, where it can be helped."""

SHORT = 12
"""Characters of a fraction that is written as one, such as 1/3."""


def number(value: Any) -> str:
    """A number as a Python expression with exactly its value; OptionError where no float is as large."""
    if not hasattr(value, "denominator") or isinstance(value, int | float | np.number):
        return exact(value)
    try:
        decimal = exact(float(value))
    except OverflowError:
        raise OptionError(
            "a number is too large for PyTorch, which has no fractions", where="--dtype exact", hint="leave it out"
        ) from None
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    text = f"{value.numerator}/{value.denominator}"
    return decimal if rest == 1 or len(text) > SHORT else text


def as_floats(array: Array) -> Array:
    """An array as numpy's files hold it: fractions as the nearest floats; OptionError where one is too large."""
    if array.dtype != object:
        return array
    try:
        return array.astype(np.float64)
    except OverflowError:
        raise OptionError(
            "a number is too large for PyTorch, which has no fractions", where="--dtype exact", hint="leave it out"
        ) from None


def per_axis(values: Iterable[Any]) -> str:
    """One number an axis: ``2`` where all are alike, else ``(2, 1)``."""
    values = tuple(values)
    return str(values[0]) if len(set(values)) == 1 else str(values)


def nested(array: Array, indent: str = "", room: int = WIDTH) -> str:
    """An array as nested lists: on one line if there is room, else a line for each part of its first axis."""
    line = _line(array)
    if len(indent) + len(line) <= room or not array.ndim:
        return line
    deeper = indent + "    "
    if array.ndim == 1:
        body = fill(line[1:-1] + ",", WIDTH, initial_indent=deeper, subsequent_indent=deeper, break_on_hyphens=False)
        return f"[\n{body}\n{indent}]"
    return "[\n" + "".join(f"{deeper}{nested(part, deeper, WIDTH - 1)},\n" for part in array) + f"{indent}]"


def _line(array: Any) -> str:
    if isinstance(array, np.ndarray) and array.ndim:
        return f"[{', '.join(map(_line, array))}]"
    value = array[()] if isinstance(array, np.ndarray) else array
    return number(value if isinstance(value, np.generic) else fraction(value))  # among fractions may be a plain 0


def tensor(array: Array, grad: bool = False) -> str:
    """An array as a tensor, filled in; one that is the same number everywhere says so instead."""
    last = ", requires_grad=True" if grad else ""
    if array.size > 1 and array.dtype.kind != "i" and (array == array.flat[0]).all():
        size = ", ".join(map(str, array.shape))
        if array.flat[0] in (0, 1):
            return f"torch.{'ones' if array.flat[0] else 'zeros'}({size}{last})"
        return f"torch.full(({size}{',' if array.ndim == 1 else ''}), {number(array.flat[0])}{last})"
    return f"torch.tensor({nested(array, room=WIDTH - 30 - len(last))}{last})"


def filled_in(array: Array) -> int:
    """How many numbers `tensor` writes for an array."""
    return 1 if array.size > 1 and array.dtype.kind != "i" and (array == array.flat[0]).all() else int(array.size)


@dataclass(frozen=True)
class Call:
    """A call, and what is done with its result: ``F.conv2d(x, kernel, stride=2)[0]``."""

    function: str
    arguments: tuple[str, ...]
    tail: str = ""

    def __str__(self) -> str:
        """The call as an expression."""
        return f"{self.function}({', '.join(self.arguments)}){self.tail}"


def call(function: str, *operands: str | None, **options: Any) -> Call:
    """A call; operands and options that are None are left out."""
    named = [f"{name}={value}" for name, value in options.items() if value is not None]
    return Call(function, (*(operand for operand in operands if operand is not None), *named))


def assigned(name: str, expression: Call | str, remark: str = "") -> list[str]:
    """The lines of ``name = expression``, the arguments of a long call on a line of their own; a remark above."""
    lines = [f"# {remark}"] if remark else []
    line = f"{name} = {expression}"
    if len(line) <= WIDTH or isinstance(expression, str):
        return [*lines, line]
    return [
        *lines,
        f"{name} = {expression.function}(",
        f"    {', '.join(expression.arguments)}",
        f"){expression.tail}",
    ]


def sliced(parts: Sequence[str]) -> str:
    """An index of the last axes, ``[..., 1:3, :]``; nothing where every part is whole."""
    return "" if all(part == ":" for part in parts) else f"[..., {', '.join(parts)}]"
