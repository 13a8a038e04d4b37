"""Geometry of arrays: the windows of a kernel at every place of a padded input, on any number of axes.

From where a kernel lies (axis.py) follow `unfold`, which gathers the windows of an array, and its transpose `fold`,
which lays windows back and adds where they overlap: ``<unfold(x), c> = <x, fold(c)>``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from convgrad.core.axis import Array, Axis, Ints, Padding, Pair, Ragged, paddings, per_axis, where_equal
from convgrad.core.term import Spots
from convgrad.errors import OptionError, ShapeError, by
from convgrad.kinds.setting import PAD_MODES

BLOCK_CELLS = 2**22
"""Window cells that are copied at a time (32 MB of float64), so that memory stays near the operands' own."""

MOST_CELLS = 2**33
"""Cells past which an array is not even begun (64 GiB of float64)."""


@dataclass(frozen=True)
class Windows:
    """Every placement of a kernel over an input, on any number of spatial axes, built from sizes alone.

    Arrays carry any leading axes (written ...) before the spatial ones, which are written `sizes` (input),
    `kernel` (kernel) and `places` (output). `mode` is what the padding holds: one of PAD_MODES.
    """

    axes: tuple[Axis, ...]
    mode: str = "zeros"

    @classmethod
    def fit(
        cls,
        sizes: Sequence[int],
        kernel: Ints,
        stride: Ints = 1,
        padding: Padding = 0,
        dilation: Ints = 1,
        ceil: bool = False,
        mode: str = "zeros",
    ) -> Windows:
        """The windows of a kernel on an input, from options as PyTorch's users write them.

        padding: a number, one an axis, a pair (before, after) an axis, or one of PADDINGS.
        Raises OptionError where an option has the wrong number of axes, ShapeError where the kernel is
        larger than the padded input.
        """
        d = len(sizes)
        for name, value in (("kernel_size", kernel), ("stride", stride), ("dilation", dilation)):
            if min(per_axis(value, d, name)) < 1:
                raise OptionError(f"it is {value}, but it is at least 1", where=name)
        if mode not in PAD_MODES:
            raise OptionError(f"there is no padding mode called {mode!r}", hint=f"use one of {', '.join(PAD_MODES)}")
        kernels = per_axis(kernel, d, "kernel_size")
        strides = per_axis(stride, d, "stride")
        dilations = per_axis(dilation, d, "dilation")
        windows = cls(
            tuple(
                Axis.fit(*each, ceil)
                for each in zip(sizes, kernels, strides, paddings(padding, d), dilations, strict=True)
            ),
            mode,
        )
        if min(windows.places) < 1:
            padded = by(axis.padded for axis in windows.axes)
            spans = by(axis.span for axis in windows.axes)
            dilated = f" (it spans {spans} cells)" if spans != by(kernels) else ""
            raise ShapeError(
                f"a {by(kernels)} kernel{dilated} does not fit on a {by(sizes)} input"
                + (f", which is {padded} with its padding" if padded != by(sizes) else ""),
                hint="use a smaller kernel or more `padding`",
            )
        return windows

    @classmethod
    def cut(cls, sizes: Sequence[int], parts: Ints) -> Windows:
        """Windows that cut every axis into a number of parts, as equal as can be (adaptive pooling)."""
        counts = per_axis(parts, len(sizes), "adaptive")
        for size, count in zip(sizes, counts, strict=True):
            if count > size:
                raise ShapeError(f"{by(sizes)} cannot be cut into {by(counts)} parts", hint="use a smaller `adaptive`")
        return cls(tuple(Ragged.cut(size, count) for size, count in zip(sizes, counts, strict=True)))

    @classmethod
    def transposed(
        cls,
        places: Sequence[int],
        kernel: Ints,
        stride: Ints = 1,
        padding: Padding = 0,
        dilation: Ints = 1,
        output_padding: Ints = 0,
    ) -> Windows:
        """The windows on the output of a transposed convolution, whose input has `places`.

        Along an axis the full result has (places - 1) stride + span cells; padding is cropped from it, and
        output_padding cells are added at the end. `same`: stride times places are left, cropped as `same` pads.
        OptionError where output_padding is not below stride or dilation; ShapeError where nothing is left.
        """
        d = len(places)
        holes, strides = per_axis(dilation, d, "dilation"), per_axis(stride, d, "stride")
        extras = per_axis(output_padding, d, "output_padding")
        for s, hole, extra in zip(strides, holes, extras, strict=True):
            if extra >= max(s, hole):
                raise OptionError(
                    f"output_padding={extra} is not smaller than stride {s} or dilation {hole}",
                    hint="more rows than that would hold nothing but the bias",
                )
        kernels = per_axis(kernel, d, "kernel_size")
        axes = [
            Axis.transposed(*each)
            for each in zip(places, kernels, strides, paddings(padding, d), holes, extras, strict=True)
        ]
        if min(axis.size for axis in axes) < 1:
            raise ShapeError(
                f"the padding crops the whole result: it would be {by(axis.size for axis in axes)}",
                hint="use less `padding`",
            )
        return cls(tuple(axes))

    @staticmethod
    def transposed_kernels_giving(
        sizes: Sequence[int],
        places: Sequence[int],
        stride: Ints,
        padding: Padding,
        dilation: Ints,
        output_padding: Ints,
    ) -> list[range]:
        """For each axis the kernel sizes under which a transposed convolution's output would have `sizes`."""
        d = len(places)
        found = []
        for wanted, n, *rest in zip(
            sizes,
            places,
            per_axis(stride, d, "stride"),
            paddings(padding, d),
            per_axis(dilation, d, "dilation"),
            per_axis(output_padding, d, "output_padding"),
            strict=True,
        ):

            def size(kernel: int, n: int = n, rest: Any = rest) -> int:
                return Axis.transposed(n, kernel, *rest).size

            found.append(where_equal(size, wanted, wanted + 2 * n + 2))
        return found

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
        """An empty padded input (*lead, *extents), to lay windows on; ShapeError where it would be absurdly large."""
        self.check_size()
        return np.zeros((*lead, *(axis.extent for axis in self.axes)), dtype)

    def check_size(self) -> None:
        """ShapeError where the padded input or the output would be absurdly large."""
        for sizes in ([axis.extent for axis in self.axes], self.places):
            if prod(sizes) > MOST_CELLS:
                raise ShapeError(
                    f"the arrays would have {by(sizes)} cells",
                    hint="that is more than convgrad works on; check `padding` and the sizes",
                )

    def view(self, padded: Array) -> Array:
        """padded (..., *extents) -> windows (..., *places, *kernel), a view."""
        d = len(self.axes)
        if self._ragged:
            return padded[(..., *self._gathered)]
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
        if self._ragged:
            np.add.at(canvas, (..., *self._gathered), windows)
            return
        d = len(self.axes)
        places, kernel = windows.shape[-2 * d : -d], windows.shape[-d:]
        offset = [first * self.axes[0].stride, *[0] * (d - 1)]
        stride, dilation = [a.stride for a in self.axes], [a.dilation for a in self.axes]
        if prod(places) < prod(kernel):
            windows = np.moveaxis(windows, range(-2 * d, -d), range(-d, 0))
            places, kernel, stride, dilation = kernel, places, dilation, stride
        for u in product(*map(range, kernel)):
            starts = [o + v * hole for o, v, hole in zip(offset, u, dilation, strict=True)]
            here: tuple[Any, ...] = (..., *u)
            canvas[(..., *_every(starts, places, stride))] += windows[here]

    def lay_cells(self, canvas: Array, cells: Iterable[tuple[Sequence[int], Array]]) -> None:
        """Add to a canvas what lies under one kernel cell after the other at all places, (..., *places)."""
        for u, each in cells:
            if self._ragged:
                index: Any = tuple(
                    np.ix_(*(axis.cells[:, v] + axis.before for axis, v in zip(self.axes, u, strict=True)))
                )
                np.add.at(canvas, (..., *index), each)
                continue
            starts = [v * axis.dilation for v, axis in zip(u, self.axes, strict=True)]
            canvas[(..., *_every(starts, self.places, [axis.stride for axis in self.axes]))] += each

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
    def _ragged(self) -> bool:
        return any(isinstance(axis, Ragged) for axis in self.axes)

    @property
    def _gathered(self) -> tuple[Any, ...]:
        """The index (*places, *kernel) of every window's cells, for axes where no stride leads to the next window."""
        d = len(self.axes)
        index = []
        for number, axis in enumerate(self.axes):
            shape = [1] * (2 * d)
            shape[number], shape[d + number] = axis.places, axis.kernel
            index.append((axis.cells + axis.before).reshape(shape))
        return tuple(index)

    @property
    def _core(self) -> tuple[Any, ...]:
        return tuple(slice(axis.before, axis.before + axis.size) for axis in self.axes)

    # -- one place ------------------------------------------------------------------------------------

    def seen(self, x: Array, place: Sequence[int], fill: float = 0) -> Array:
        """x (..., *sizes) -> (..., *kernel): what lies under the kernel at one place; nothing else is looked at."""
        sources = [axis.source(axis.at(i), self.mode) for axis, i in zip(self.axes, place, strict=True)]
        for number, source in enumerate(sources, start=-len(sources)):
            x = np.take(x, np.maximum(source, 0), axis=number)
        there = np.ones((), bool)
        for source in sources:
            there = np.multiply.outer(there, source >= 0)
        return np.where(there, x, x.dtype.type(fill))

    def meetings(
        self, place: Sequence[int] | None = None, offset: Sequence[int] | None = None, cell: Sequence[int] | None = None
    ) -> tuple[Array, Array, Array]:
        """places (n, d), kernel cells (n, d), input cells (n, d) that meet; one of the three is given.

        They come in reading order, and nothing else is looked at; input cells below 0 are zeros of the padding.
        """
        if not self.axes:  # one place, one kernel cell, one input cell
            return np.zeros((1, 0), int), np.zeros((1, 0), int), np.zeros((1, 0), int)
        open_: list[None] = [None] * len(self.axes)
        given: list[Sequence[int | None]] = [place or open_, offset or open_, cell or open_]
        rows = [axis.meetings(self.mode, *at) for axis, at in zip(self.axes, zip(*given, strict=True), strict=True)]
        index = np.indices([len(each) for each in rows]).reshape(len(rows), -1)
        i, u, z = (np.stack([each[at, k] for each, at in zip(rows, index, strict=True)], axis=1) for k in range(3))
        return i, u, z

    def touched(self, place: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        """For each axis the input cells under the kernel at a place, padding left out."""
        return tuple(
            tuple(int(cell) for cell in axis.source(axis.at(i), self.mode) if cell >= 0)
            for axis, i in zip(self.axes, place, strict=True)
        )

    def spots(self, place: Sequence[int], fill: float = 0) -> Spots | None:
        """Where the kernel's cells lie at a place, padding included, and which cells they show.

        None where no window reaches over the border.
        """
        if self._ragged or all(axis.before == 0 and axis.reach <= axis.size for axis in self.axes):
            return None
        positions = tuple(axis.at(i) for axis, i in zip(self.axes, place, strict=True))
        sources = tuple(axis.source(each, self.mode) for axis, each in zip(self.axes, positions, strict=True))
        return Spots(positions, sources, fill, self.mode)

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
            zip(self.axes, place, self.box(place), strict=True), start=lowest
        ):
            source = axis.source(axis.at(i), self.mode)
            chosen = np.equal.outer(source, np.arange(low, high)).astype(patch.dtype)
            patch = np.moveaxis(np.tensordot(patch, chosen, axes=([number], [0])), -1, number)
        return patch

    # -- the other way round ---------------------------------------------------------------------------

    def kernels_giving(self, places: Sequence[int], padding: Padding) -> list[range]:
        """For each axis the kernel sizes under which these windows would have `places` output places.

        Along an axis the places only fall, or only rise (full padding), as the kernel grows.
        """
        found = []
        for axis, pair, wanted in zip(self.axes, paddings(padding, len(self.axes)), places, strict=True):

            def count(kernel: int, a: Axis = axis, pair: str | Pair = pair) -> int:
                return Axis.fit(a.size, kernel, a.stride, pair, a.dilation, a.ceil).places

            found.append(where_equal(count, wanted, axis.padded + wanted * axis.stride))
        return found


def _every(starts: Sequence[int], counts: Sequence[int], steps: Sequence[int]) -> tuple[Any, ...]:
    """An index of so many cells an axis, from a start on by a step."""
    return tuple(slice(o, o + (n - 1) * step + 1, step) for o, n, step in zip(starts, counts, steps, strict=True))
