"""Nested lists of numbers -> arrays, with the place of what is not a number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convgrad.core import rational as exact
from convgrad.errors import FileError, shortened
from convgrad.numerals import Numeral, Spelled, parse_answer, parse_number, to_float, to_numeral

Array = NDArray[Any]

_NUMBERS = {int, float, Numeral}

MOST_AXES = 16

MOST_BYTES = 2**30
"""The largest source, and the largest npz once unpacked, that is read: 1 GiB."""


def place(index: tuple[int, ...]) -> str:
    """An index as it is written behind a name: ``[1][0][2]``."""
    return "".join(f"[{i}]" for i in index)


def to_array(value: Any, spelled: Spelled = to_float) -> Array:
    """Nested lists of numbers (and fractions as strings) -> a float64 array of the same shape.

    spelled: what numerals were made into, and fractions are; of other numbers than floats the array holds objects.

    FileError names the first place that is ragged, empty, not a number, or not finite.
    """
    value = [value]  # one level more, so that a lone number is a row like any other
    _shape(value, (), spelled)
    if spelled is not to_float:
        return np.array(value[0], dtype=object)
    try:
        array = np.array(value[0], dtype=np.float64)
    except OverflowError:
        index = next(index for index, number in _leaves(value[0], ()) if abs(number) > 1e308)
        raise FileError(f"the number at {place(index) or 'the top'} is too large for a float") from None
    return finite(array)


def stacked(rows: Any, spelled: Spelled) -> Array:
    """Nested lists of numbers, all alike in length, -> an array of floats, or of what else they were made into."""
    return finite(np.array(rows, np.float64)) if spelled is to_float else np.array(rows, object)


def to_written(value: Any) -> Array:
    """Nested lists of numbers, some of them as strings -> an array of Numerals, as they are written; arrays as is.

    NaN and infinities are taken, and blanks, as answers may have them.
    """
    if isinstance(value, np.ndarray):
        return value
    value = _numerals(value)
    to_array(value, to_numeral)  # for what it refuses
    return np.array(value, object)


def _numerals(value: Any) -> Any:
    if isinstance(value, list):
        return value if set(map(type, value)) == {Numeral} else [_numerals(item) for item in value]
    if isinstance(value, str | None) and (number := parse_answer(value or "")) is not None:
        return number
    return Numeral(float(value), repr(value)) if type(value) in (int, float) else value


def finite(array: Array) -> Array:
    """The array itself, if all of it is finite; else FileError with the place."""
    if not (fine := exact.finite(array)).all():
        index = tuple(int(i) for i in np.argwhere(~fine)[0])
        raise FileError(
            f"the number at {place(index) or 'the top'} is not finite ({array[index]})",
            hint="convgrad takes finite numbers only",
        )
    return array


def _shape(value: list[Any], index: tuple[int, ...], spelled: Spelled) -> tuple[int, ...]:
    """The shape of nested lists; fractions inside are replaced by their values."""
    if not value:
        raise FileError(f"the array at {place(index[1:]) or 'the top'} is empty", hint="an axis has at least one cell")
    if len(index) > MOST_AXES:
        raise FileError(f"the array has more than {MOST_AXES} axes")
    kinds = set(map(type, value))
    if kinds <= _NUMBERS:
        return (len(value),)
    if list not in kinds:
        for i, item in enumerate(value):
            if type(item) not in _NUMBERS:
                value[i] = _leaf(item, (*index, i)[1:], spelled)
        return (len(value),)
    first: tuple[int, ...] = ()
    for i, item in enumerate(value):
        here = (*index, i)
        if not isinstance(item, list):
            raise FileError(
                f"{place(here[1:])} is {_named(item)}, but beside it stand rows",
                hint="every row needs the same number of axes",
            )
        shape = _shape(item, here, spelled)
        if i and shape != first:
            raise FileError(
                f"{place(here[1:])} has {_counted(shape)}, but the rows before it have {_counted(first)}",
                hint="rows must be equally long",
            )
        first = shape
    return (len(value), *first)


def _leaf(item: Any, index: tuple[int, ...], spelled: Spelled) -> Any:
    if spelled is not to_float and not isinstance(item, bool) and hasattr(item, "numerator"):
        return item
    number = parse_number(item, spelled) if isinstance(item, str) and "/" in item else None
    if number is None:
        raise FileError(f"{place(index) or 'the value'} is {_named(item)}, not a number", hint="write a number there")
    return number


def _leaves(value: Any, index: tuple[int, ...]) -> Any:
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from _leaves(item, (*index, i))
    else:
        yield index, value


def _named(item: Any) -> str:
    words = {None: "null", True: "true", False: "false"}
    if item is None or isinstance(item, bool):
        return words[item]
    if isinstance(item, dict):
        return "an object"
    return shortened(item)


def _counted(shape: tuple[int, ...]) -> str:
    if len(shape) == 1:
        return f"{shape[0]} {'number' if shape[0] == 1 else 'numbers'}"
    return "x".join(map(str, shape)) + " numbers"
