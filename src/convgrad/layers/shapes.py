"""What layers with a kernel or a window check of their shapes, and what they hand to the sum."""

from __future__ import annotations

from typing import Protocol

from convgrad.core.element import Array
from convgrad.core.sum import Part
from convgrad.core.windows import Windows
from convgrad.errors import ShapeError, by
from convgrad.layers import Layer


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
        raise ShapeError("there is no kernel", hint="add one with -k KERNEL")
    return layer.kernel


def bias_of(layer: Kernelled) -> Part | None:
    """The bias of a layer as a part of its formulas; None where there is none."""
    return None if layer.bias is None else Part("b", layer.parameters["b"].axes, layer.bias)


def check_groups(channels: int, filters: int, groups: int) -> None:
    """ShapeError where the groups do not divide the channels and the filters."""
    if groups < 1:
        raise ShapeError(f"there cannot be {groups} groups", hint="--groups is at least 1")
    for count, what in ((channels, "input channels"), (filters, "filters")):
        if count % groups:
            raise ShapeError(
                f"{count} {what} cannot be split into {groups} groups",
                hint="--groups must divide the input channels and the filters",
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
                hint="use less --padding or a larger --size",
            )
