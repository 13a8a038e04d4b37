"""What layers check of the arrays that they are given, and what they hand to the sum.

Errors speak of arguments, `` `groups` `` or ``groups=2``, which the command line says as its options, ``--groups 2``.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from convgrad.core.element import Array
from convgrad.core.rational import cast, rational
from convgrad.core.sum import Part
from convgrad.core.term import real
from convgrad.core.windows import Windows
from convgrad.errors import ConvgradError, ShapeError, by, listed
from convgrad.layers import Layer, Sliding

_KINDS = {"U": "text", "S": "bytes", "V": "records", "M": "dates", "m": "time spans", "O": "objects"}
"""What arrays hold that are no arrays of numbers, by the letter that numpy has for it."""


_WHOLE = "write all axes: x[None, None] for a plane, x[None] for one example"


def numbers(name: str, array: Any) -> Array:
    """An array that holds numbers, as floats where these are whole; complex numbers and fractions stay as they are.

    name: what it is called. ConvgradError for one that is ragged, masked, empty, or holds something else.
    """
    try:
        found = np.asarray(array)
    except (ValueError, TypeError, RuntimeError):
        raise ShapeError(f"{name} is no array", hint="its rows are not equally long, or not alike") from None
    if hasattr(array, "mask"):
        raise ConvgradError(f"{name} is masked", hint="fill it: array.filled(0)")
    if not found.size:
        raise ShapeError(f"{name} is {by(found.shape)}, which is empty", hint="an axis has at least one cell")
    if found.dtype.kind == "O":
        found = _fractions(name, found)
    elif found.dtype.kind in _KINDS:
        raise ConvgradError(f"{name} holds {_KINDS[found.dtype.kind]}, but expected are numbers")
    return real(found)


def _fractions(name: str, array: Array) -> Array:
    """An array of objects, all of which must be numbers, as fractions."""
    from fractions import Fraction

    kinds = set(map(type, array.ravel().tolist()))
    if kinds == {Fraction}:
        return array
    if any(kind is bool or not issubclass(kind, int | float | Fraction | np.integer | np.floating) for kind in kinds):
        said = listed(sorted({kind.__name__ for kind in kinds} - {"Fraction"}))
        raise ConvgradError(f"{name} holds objects ({said}), but expected are numbers", hint="give floats")
    try:
        return cast(array, object)
    except (ValueError, OverflowError):
        raise ConvgradError(f"{name} holds an object that is not finite", hint="give floats") from None


def input_of(layer: Layer, x: Any) -> Array:
    """The input of a layer, as numbers with as many axes as the layer takes; ConvgradError for any that does not fit.

    The layer's own arrays are looked at too: they must be arrays of numbers, and the kernel one of as many spatial
    axes as the input has. What sizes they have is the layer's to check.
    """
    x = numbers("the input", x)
    letters, sliding = layer.input_axes, isinstance(layer, Sliding)
    if letters:
        fixed = len(letters.replace("*", ""))
        least = fixed + ("*" in letters and sliding)
        if x.ndim < least or ("*" not in letters and x.ndim > fixed):
            raise ShapeError(
                f"the input is {by(x.shape)}, with {x.ndim} {'axis' if x.ndim == 1 else 'axes'}, but expected are "
                f"{least}{' or more' if '*' in letters else ''}: {_axes(letters)}",
                hint=_WHOLE if "C" in letters else "one example is x[None]",
            )
    for parameter in layer.parameters.values():
        array = getattr(layer, parameter.field)
        if array is not None:
            _check_own(parameter.field, array)
            if not parameter.added and (sliding or (letters and "*" not in letters)):
                _check_rank(parameter.field, array, parameter.axes, x, letters)
            x = alike("the input", x, array)
    return x


def pair_of(layer: Layer, x: Any, delta: Any) -> tuple[Array, Array]:
    """The input and the delta of a layer; ConvgradError for any that does not fit it, or has another number of axes."""
    x, delta = input_of(layer, x), numbers("delta", delta)
    letters = layer.output_axes
    if letters and delta.ndim != x.ndim:
        wanted = _axes(letters)
        raise ShapeError(
            f"delta is {by(delta.shape)}, but a {by(x.shape)} input takes {x.ndim} axes: {wanted}",
            hint="delta has the output's shape",
        )
    x = alike("the input", x, delta)
    return x, alike("delta", delta, x)


def alike(name: str, array: Array, other: Array) -> Array:
    """An array as fractions or complex numbers where another one holds these: results are what the input is."""
    if rational(other) and not rational(array):
        return _fractions(name, array.astype(object))
    return array.astype(np.result_type(array, other)) if np.iscomplexobj(other) > np.iscomplexobj(array) else array


def _check_own(name: str, array: Any) -> None:
    """ConvgradError for an array of a layer's own that is none, or holds no numbers."""
    if not isinstance(array, np.ndarray | np.generic) or isinstance(array, np.matrix):
        what = "a number" if isinstance(array, int | float | complex) else f"a {type(array).__name__}"
        raise ConvgradError(f"the {name} is {what}, but expected is an array", hint=f"np.array({name})")
    found = numbers(f"the {name}", array)
    if found is not array and array.dtype.kind == "O":
        raise ConvgradError(f"the {name} holds objects that are no fractions", hint=f"{name}.astype(float)")


def _check_rank(name: str, array: Array, axes: str, x: Array, letters: str) -> None:
    """ShapeError for a kernel that has not the number of axes that the input's spatial axes ask for."""
    d = x.ndim - len(letters.replace("*", ""))
    wanted = sum(d if letter in "*P" else 1 for letter in axes)
    if array.ndim != wanted:
        raise ShapeError(
            f"the {name} is {by(array.shape)}, with {array.ndim} axes, but a {by(x.shape)} input, {_axes(letters)}, "
            f"takes {wanted}: {_axes(axes)}",
            hint=_WHOLE,
        )


def _axes(letters: str) -> str:
    """The letters of axes as people write them: ``(N, C, *)``."""
    said = {"P": "*places", "I": "C", "K": "C", "J": "F", "D": "in", "M": "in", "O": "out", "*": "*sizes"}
    if "F" in letters or "J" in letters:
        said["*"] = "*kernel" if "I" in letters or "K" in letters else "*places"
    return f"({', '.join(said.get(letter, letter) for letter in letters)})"


class Kernelled(Layer, Protocol):
    """A layer with a kernel and a bias, both of which may be missing."""

    @property
    def kernel(self) -> Array | None:
        """The kernel, at full rank."""

    @property
    def bias(self) -> Array | None:
        """The bias."""


def kernel_of(layer: Kernelled) -> Array:
    """The kernel of a layer; ShapeError where there is none."""
    if layer.kernel is None:
        raise ShapeError("there is no kernel", hint="give the layer one")
    return layer.kernel


def bias_of(layer: Kernelled) -> Part | None:
    """The bias of a layer as a part of its formulas; None where there is none."""
    return None if layer.bias is None else Part("b", layer.parameters["b"].axes, layer.bias)


def check_groups(channels: int, filters: int, groups: int) -> None:
    """ShapeError where the groups do not divide the channels and the filters."""
    if groups < 1:
        raise ShapeError(f"there cannot be {groups} groups", hint="`groups` is at least 1")
    for count, what in ((channels, "input channels"), (filters, "filters")):
        if count % groups:
            raise ShapeError(
                f"{count} {what} cannot be split into {groups} groups",
                hint="`groups` must divide the input channels and the filters",
            )


def check_shape(name: str, array: Array, wanted: tuple[int, ...]) -> None:
    """ShapeError where an array has not the shape wanted."""
    if array.shape != wanted:
        raise ShapeError(f"{name} is {by(array.shape)}, but expected is {by(wanted)}")


def check_windows_see_input(windows: Windows) -> None:
    """ShapeError that names a place where a pooling window lies wholly in the padding."""
    for number, axis in enumerate(windows.axes):
        empty = axis.inside(0, axis.size) == 0
        if empty.any():
            place = ", ".join(str(int(empty.argmax())) if k == number else "..." for k in range(len(windows.axes)))
            raise ShapeError(
                f"the pooling window at place ({place}) holds no cell of the input, only padding",
                hint="use less `padding` or a larger `size`",
            )
