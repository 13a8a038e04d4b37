"""Geometry: where the window of every output place lies on the padded input.

This is the only file where stride, padding and dilation are arithmetic. The one fact it knows is::

    cell(i, u) = stride * i + dilation * u - before

the position on the input, along one axis, of kernel cell `u` when the kernel lies at output place `i`
(negative and past-the-end positions lie in the padding). From it follow `unfold`, which gathers the
windows of an array, and its transpose `fold`, which lays windows back and adds where they overlap:
``<unfold(x), c> = <x, fold(c)>``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from convgrad.errors import OptionError, ShapeError, by
from convgrad.settings import PADDINGS

Array = NDArray[Any]
Ints = int | Sequence[int]
Pair = tuple[int, int]
Padding = str | int | Sequence[int | Pair]

BLOCK_CELLS = 2**22
"""Window cells that are copied at a time (32 MB of float64), so that memory stays near the operands' own."""

MOST_CELLS = 2**33
"""Cells past which an array is not even begun (64 GiB of float64)."""


def per_axis(value: Ints, axes: int, name: str) -> tuple[int, ...]:
    """One whole number an axis: `2` stands for every axis, `(2, 1)` for one each; else OptionError."""
    numbers = (value,) if isinstance(value, int) else tuple(value)
    if len(numbers) not in (1, axes):
        raise OptionError(f"{name} has {len(numbers)} numbers, but there are {axes} spatial axes",
                          hint="give one number, or one an axis")
    return numbers * axes if len(numbers) == 1 else numbers


@dataclass(frozen=True)
class Axis:
    """One spatial axis: an input of `size` cells, padded, under a kernel of `kernel` cells.

    All fields are counts of cells; `dilation` 1 is a dense kernel; `ceil` also counts a last window that
    hangs over the end, as long as it starts inside the input or the padding before it (PyTorch's rule).
    """

    size: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0
    ceil: bool = False

    @classmethod
    def fit(cls, size: int, kernel: int, stride: int = 1, padding: str | Pair = (0, 0),
            dilation: int = 1, ceil: bool = False) -> Axis:
        """The axis with its padding worked out: a pair (before, after), or one of PADDINGS by name.

        `same`: ceil(size / stride) places, total = max(0, (places - 1) stride + span - size), the odd cell
        after (`same-lower`: before); `full`: span - 1 on both sides; `causal`: span - 1 before.
        Source of `same`: TensorFlow's and ONNX's SAME_UPPER and SAME_LOWER.
        """
        axis = cls(size, kernel, stride, dilation, 0, 0, ceil)
        if not isinstance(padding, str):
            return replace(axis, before=padding[0], after=padding[1])
        total = max(0, (-(-size // stride) - 1) * stride + axis.span - size)
        before, after = {
            "valid": (0, 0),
            "same": (total // 2, total - total // 2),
            "same-lower": (total - total // 2, total // 2),
            "full": (axis.span - 1, axis.span - 1),
            "causal": (axis.span - 1, 0),
        }[padding]
        return replace(axis, before=before, after=after)

    @property
    def span(self) -> int:
        """Cells from the first to the last cell of the kernel, holes of the dilation included."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def padded(self) -> int:
        """Cells of the padded input."""
        return self.before + self.size + self.after

    @property
    def places(self) -> int:
        """Output places; 0 or less where the kernel does not fit."""
        room = self.padded - self.span
        if not self.ceil:
            return room // self.stride + 1
        places = -(-room // self.stride) + 1
        return places - 1 if (places - 1) * self.stride >= self.before + self.size else places

    @property
    def extent(self) -> int:
        """Cells of the padded input, with what the last window of `ceil` hangs over."""
        return max(self.padded, (self.places - 1) * self.stride + self.span)

    @cached_property
    def cells(self) -> Array:
        """cells (places, kernel): the position on the input under every kernel cell at every place."""
        return self.at(np.arange(self.places)[:, None])

    def at(self, place: Any) -> Array:
        """Positions (kernel,) on the input under the kernel at one place; outside 0..size is padding."""
        position: Array = place * self.stride + np.arange(self.kernel) * self.dilation - self.before
        return position

    def source(self, position: Array, mode: str) -> Array:
        """The input cell that each position shows, -1 where it shows a zero of the padding."""
        if mode == "replicate":
            return np.clip(position, 0, self.size - 1)
        if mode == "circular":
            return position % self.size
        if mode == "reflect":
            period = max(1, 2 * (self.size - 1))
            folded = position % period
            return np.minimum(folded, period - folded) if self.size > 1 else folded
        return np.where((position >= 0) & (position < self.size), position, -1)

    def formula(self, place: str, offset: str) -> str:
        """`cell(place, offset)` as it is written in a formula: ``2i+m-1``."""
        step = "" if self.stride == 1 else str(self.stride)
        hole = "" if self.dilation == 1 else str(self.dilation)
        shift = f"-{self.before}" if self.before else ""
        return f"{step}{place}+{hole}{offset}{shift}"


@dataclass(frozen=True)
class Windows:
    """Every placement of a kernel over an input, on any number of spatial axes, built from sizes alone.

    Arrays carry any leading axes (written ...) before the spatial ones, which are written `sizes` (input),
    `kernel` (kernel) and `places` (output). `mode` is what the padding holds: one of PAD_MODES.
    """

    axes: tuple[Axis, ...]
    mode: str = "zeros"

    @classmethod
    def fit(cls, sizes: Sequence[int], kernel: Ints, stride: Ints = 1, padding: Padding = 0,
            dilation: Ints = 1, ceil: bool = False, mode: str = "zeros") -> Windows:
        """The windows of a kernel on an input, from options as PyTorch's users write them.

        padding: a number, one an axis, a pair (before, after) an axis, or one of PADDINGS.
        Raises OptionError where an option has the wrong number of axes, ShapeError where the kernel is
        larger than the padded input.
        """
        d = len(sizes)
        kernels = per_axis(kernel, d, "the kernel's size")
        strides = per_axis(stride, d, "stride")
        dilations = per_axis(dilation, d, "dilation")
        windows = cls(tuple(Axis.fit(*each, ceil) for each in zip(
            sizes, kernels, strides, _paddings(padding, d), dilations, strict=True)), mode)
        if min(windows.places) < 1:
            padded = by(axis.padded for axis in windows.axes)
            spans = by(axis.span for axis in windows.axes)
            dilated = f" (it spans {spans} cells)" if spans != by(kernels) else ""
            raise ShapeError(
                f"a {by(kernels)} kernel{dilated} does not fit on a {by(sizes)} input"
                + (f", which is {padded} with its padding" if padded != by(sizes) else ""),
                hint="use a smaller kernel or more --padding")
        if prod(axis.extent for axis in windows.axes) > MOST_CELLS or prod(windows.places) > MOST_CELLS:
            raise ShapeError(f"the padded input would have {by(axis.extent for axis in windows.axes)} cells",
                             hint="that is more than convgrad works on; check --padding")
        return windows

    @property
    def sizes(self) -> tuple[int, ...]:
        """Spatial shape of the input."""
        return tuple(axis.size for axis in self.axes)

    @property
    def kernel(self) -> tuple[int, ...]:
        """Spatial shape of the kernel."""
        return tuple(axis.kernel for axis in self.axes)

    @property
    def places(self) -> tuple[int, ...]:
        """Spatial shape of the output."""
        return tuple(axis.places for axis in self.axes)

    # -- the two maps ---------------------------------------------------------------------------------

    def unfold(self, x: Array, fill: float = 0) -> Array:
        """x (..., *sizes) -> windows (..., *places, *kernel): a view of the padded input, nothing copied.

        fill: what zero padding holds (minus infinity for a maximum).
        """
        return self.view(self.pad(x, fill))

    def fold(self, windows: Array) -> Array:
        """windows (..., *places, *kernel) -> (..., *sizes): every window laid back and added; unfold's transpose."""
        canvas = self.canvas(windows.shape[: windows.ndim - 2 * len(self.axes)], windows.dtype)
        self.lay(canvas, windows)
        return self.crop(canvas)

    def pad(self, x: Array, fill: float = 0) -> Array:
        """x (..., *sizes) -> (..., *extents): the input with its padding."""
        if self.mode != "zeros":
            for number, axis in enumerate(self.axes, start=-len(self.axes)):
                x = np.take(x, axis.source(np.arange(axis.extent) - axis.before, self.mode), axis=number)
            return x
        if all(axis.extent == axis.size for axis in self.axes):
            return x
        canvas = self.canvas(x.shape[: x.ndim - len(self.axes)], x.dtype)
        if fill:
            canvas += x.dtype.type(fill)
        canvas[(..., *self._core)] = x
        return canvas

    def canvas(self, lead: tuple[int, ...], dtype: Any) -> Array:
        """An empty padded input (*lead, *extents), to lay windows on."""
        return np.zeros((*lead, *(axis.extent for axis in self.axes)), dtype)

    def view(self, padded: Array) -> Array:
        """padded (..., *extents) -> windows (..., *places, *kernel), a view."""
        d = len(self.axes)
        spans = tuple(axis.span for axis in self.axes)
        view = sliding_window_view(padded, spans, axis=tuple(range(-d, 0)))
        steps: tuple[Any, ...] = tuple(slice(0, (a.places - 1) * a.stride + 1, a.stride) for a in self.axes)
        holes: tuple[Any, ...] = tuple(slice(None, None, a.dilation) for a in self.axes)
        return view[(..., *steps, *holes)]

    def lay(self, canvas: Array, windows: Array, first: int = 0) -> None:
        """Add windows (..., rows, *places[1:], *kernel), whose first row of places is `first`, to a canvas.

        A kernel cell at all places is one strided slice of the canvas, and so is a place with all its
        kernel cells (stride and dilation change parts): the loop runs over whichever is fewer.
        """
        d = len(self.axes)
        places, kernel = windows.shape[-2 * d : -d], windows.shape[-d:]
        offset = [first * self.axes[0].stride, *[0] * (d - 1)]
        stride, dilation = [a.stride for a in self.axes], [a.dilation for a in self.axes]
        if prod(places) < prod(kernel):
            windows = np.moveaxis(windows, range(-2 * d, -d), range(-d, 0))
            places, kernel, stride, dilation = kernel, places, dilation, stride
        for u in product(*map(range, kernel)):
            starts = [o + v * hole for o, v, hole in zip(offset, u, dilation, strict=True)]
            under: tuple[Any, ...] = tuple(slice(start, start + (n - 1) * s + 1, s)
                          for start, n, s in zip(starts, places, stride, strict=True))
            here: tuple[Any, ...] = (..., *u)
            canvas[(..., *under)] += windows[here]

    def crop(self, canvas: Array) -> Array:
        """canvas (..., *extents) -> (..., *sizes): padding's transpose, which gives borrowed cells back."""
        if self.mode == "zeros":
            return canvas[(..., *self._core)]
        for number, axis in enumerate(self.axes, start=-len(self.axes)):
            lender = axis.source(np.arange(axis.extent) - axis.before, self.mode)
            along = np.moveaxis(canvas, number, 0)
            home = along[axis.before : axis.before + axis.size].copy()
            border = np.r_[0 : axis.before, axis.before + axis.size : axis.extent]
            np.add.at(home, lender[border], along[border])
            canvas = np.moveaxis(home, 0, number)
        return canvas

    def blocks(self, batch: int, channels: int) -> Iterator[tuple[slice, slice]]:
        """Cut the work into (examples, rows of places), each of at most about BLOCK_CELLS window cells."""
        row = channels * prod(self.places[1:]) * prod(self.kernel)
        rows = max(1, min(self.places[0], BLOCK_CELLS // row))
        examples = max(1, BLOCK_CELLS // (row * self.places[0]))
        for n in range(0, batch, examples):
            for i in range(0, self.places[0], rows):
                yield slice(n, n + examples), slice(i, i + rows)

    @property
    def _core(self) -> tuple[Any, ...]:
        return tuple(slice(axis.before, axis.before + axis.size) for axis in self.axes)

    # -- one place ------------------------------------------------------------------------------------

    def touched(self, place: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        """For each axis the input cells under the kernel at a place, padding left out."""
        return tuple(tuple(int(cell) for cell in axis.source(axis.at(i), self.mode) if cell >= 0)
                     for axis, i in zip(self.axes, place, strict=True))

    def box(self, place: Sequence[int]) -> tuple[Pair, ...]:
        """The half-open range of input cells, on each axis, that the kernel covers at a place."""
        return tuple((min(cells), max(cells) + 1) if cells else (0, 0) for cells in self.touched(place))

    def spread(self, place: Sequence[int], patch: Array) -> Array:
        """patch (..., *kernel) at a place -> (..., *box): what it adds to each input cell of `box(place)`.

        Holes of the dilation become zeros, what falls on zero padding is lost, what falls on borrowed
        padding goes to the cell that lent it.
        """
        lowest = -len(self.axes)
        for number, (axis, i, (low, high)) in enumerate(
                zip(self.axes, place, self.box(place), strict=True), start=lowest):
            source = axis.source(axis.at(i), self.mode)
            chosen = np.equal.outer(source, np.arange(low, high)).astype(patch.dtype)
            patch = np.moveaxis(np.tensordot(patch, chosen, axes=([number], [0])), -1, number)
        return patch

    # -- what else would fit --------------------------------------------------------------------------

    def kernels_giving(self, places: Sequence[int], padding: Padding) -> list[range]:
        """For each axis the kernel sizes under which these windows would have `places` output places.

        Found by bisection: along an axis the places only fall, or only rise (full), as the kernel grows.
        """
        found = []
        for axis, pair, wanted in zip(self.axes, _paddings(padding, len(self.axes)), places, strict=True):
            def count(kernel: int, axis: Axis = axis, pair: str | Pair = pair) -> int:
                return Axis.fit(axis.size, kernel, axis.stride, pair, axis.dilation, axis.ceil).places

            kernels = range(1, axis.padded + wanted * axis.stride + 1)
            sign = 1 if count(kernels[-1]) >= count(1) else -1
            signed = partial(_times, sign, count)
            ends = [side(kernels, sign * wanted, key=signed) for side in (bisect_left, bisect_right)]
            found.append(kernels[ends[0] : ends[1]])
        return found

    def alternatives(self, places: Sequence[int]) -> list[str]:
        """Single changes of an option that would give `places`: ``a 3x3 kernel``, ``--stride 2``."""
        if len(places) != len(self.axes):
            return []
        found = []
        pads: list[int | Pair] = [(axis.before, axis.after) for axis in self.axes]
        sizes = self.kernels_giving(places, pads)
        if all(sizes):
            found.append(f"a {by(each[0] for each in sizes)} kernel")
        tries: list[tuple[str, Any]] = [("stride", n) for n in range(1, 6)] + [("padding", n) for n in range(6)]
        tries += [("padding", name) for name in PADDINGS[1:]] + [("dilation", n) for n in range(1, 5)]
        if not self.axes[0].ceil:
            tries.append(("ceil", True))
        now: dict[str, Any] = {"stride": [a.stride for a in self.axes], "padding": pads,
                               "dilation": [a.dilation for a in self.axes], "ceil": self.axes[0].ceil}
        for option, value in tries:
            try:
                other = Windows.fit(self.sizes, self.kernel, **{**now, option: value})
            except ShapeError:
                continue
            if other.places == tuple(places) and not any(f"--{option} " in each for each in found):
                found.append("--ceil" if option == "ceil" else f"--{option} {value}")
        return found


def _times(sign: int, count: Callable[[int], int], kernel: int) -> int:
    return sign * count(kernel)


def _paddings(padding: Padding, axes: int) -> list[str | Pair]:
    """The padding of each axis, as a name or as a pair (before, after)."""
    if isinstance(padding, str):
        if padding not in PADDINGS:
            raise OptionError(f"there is no padding called {padding!r}", hint=f"use one of {', '.join(PADDINGS)}")
        return [padding] * axes
    if isinstance(padding, int):
        padding = [padding]
    if len(padding) not in (1, axes):
        raise OptionError(f"padding has {len(padding)} entries, but there are {axes} spatial axes",
                          hint="give one number (or before:after), or one an axis")
    pairs: list[str | Pair] = [(each, each) if isinstance(each, int) else (each[0], each[1]) for each in padding]
    return pairs * axes if len(pairs) == 1 else pairs
