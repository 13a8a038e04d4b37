"""The convolutional layer: cross-correlation with shared weights, and its three gradients.

In the notation of windows.py, for every example n, filter f and output place i::

    output[n,f,i] = b[f] + sum over c,u of input[n,c,cell(i,u)] * kernel[f,c,u]
    dW[f,c,u]     =        sum over n,i of delta[n,f,i] * input[n,c,cell(i,u)]
    db[f]         =        sum over n,i of delta[n,f,i]
    dX[n,c,x]     =        sum over f and all i,u with cell(i,u) = x of delta[n,f,i] * kernel[f,c,u]

Source: the chain rule; the same sums as Dumoulin & Visin, "A guide to convolution arithmetic" (2016).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from convgrad.errors import ShapeError, by
from convgrad.quantity import Array, Cells, Factor, Place, Quantity, Term, beside, block, everywhere
from convgrad.windows import Ints, Padding, Windows


@dataclass(frozen=True, eq=False, repr=False)
class Conv:
    """A convolutional layer.

    kernel (F, C/groups, *k) and bias (F,) may be missing: without a kernel, `kernel_size` says its spatial
    size, and dW and db are all there is. `flip` rotates the kernel by 180 degrees first (true convolution
    in place of cross-correlation). The other options are those of `Windows.fit`.
    """

    kernel: Array | None = None
    bias: Array | None = None
    stride: Ints = 1
    padding: Padding = 0
    dilation: Ints = 1
    groups: int = 1
    flip: bool = False
    pad_mode: str = "zeros"
    kernel_size: Ints = field(default=())

    def windows(self, x: Array) -> Windows:
        """x (N, C, *sizes) -> where the kernel lies; ShapeError where it does not fit."""
        size = self.kernel.shape[2:] if self.kernel is not None else self.kernel_size
        return Windows.fit(x.shape[2:], size, self.stride, self.padding, self.dilation, mode=self.pad_mode)

    # -- forward --------------------------------------------------------------------------------------

    def forward(self, x: Array) -> Quantity:
        """x (N, C, *sizes), kernel (F, C/groups, *k) -> output (N, F, *places)."""
        windows = self.windows(x)
        kernel = self._laid_kernel(x)
        filters = len(kernel)
        matrix = kernel.reshape(self.groups, filters // self.groups, -1)
        output = np.empty((len(x), filters, *windows.places), x.dtype)
        for n, i, columns in self._columns(windows, x):
            block = matrix @ columns  # (n, G, F/G, places)
            output[n, :, i] = block.reshape(len(block), filters, -1, *windows.places[1:])
        if self.bias is not None:
            output += beside(self.bias, len(windows.axes))
        term = partial(self._output_term, x, kernel, windows, output)
        return Quantity("output", self._formula("output", windows), output, "NF*",
                        lambda: np.ones((len(x), *windows.places), bool), term,
                        rule="the sum of input x kernel" + ("" if self.bias is None else ", plus the bias"))

    def _output_term(self, x: Array, kernel: Array, windows: Windows, output: Array, at: Place) -> Term:
        box = tuple((i, i + 1) for i in at[1:])
        region = block(at, box)
        seen = self._under(x, windows, at)
        products = (kernel.reshape(self.groups, -1, *kernel.shape[1:]) * seen[:, None]).reshape(kernel.shape)
        factors = [Factor("input", seen.reshape(-1, *windows.kernel), "C*"), Factor("kernel", kernel, "FI*"),
                   Factor("products", products, "FI*")]
        if self.bias is not None:
            factors.append(Factor("bias", self.bias, "F"))
        return Term(at, box, _window(x, windows, at), region, output[region],
                    tuple(factors))

    # -- backward -------------------------------------------------------------------------------------

    def backward(self, x: Array, delta: Array) -> tuple[Quantity, ...]:
        """x (N, C, *sizes), delta (N, F, *places) -> dW like the kernel, db (F,), dX like x.

        Summed over the batch, not averaged. Without a kernel there is no dX. ShapeError where delta does
        not have the output's shape.
        """
        windows = self.windows(x)
        self._check(x, delta.shape[1])
        if delta.shape != (len(x), delta.shape[1], *windows.places):
            raise ShapeError(f"delta is {by(delta.shape)}, but the output is "
                             f"{by((len(x), delta.shape[1], *windows.places))}")

        def live() -> Array:
            return np.any(delta != 0, axis=1)

        gradients = [
            Quantity("dW", self._formula("dW", windows), self._dW(x, delta, windows), "FI*", live,
                     partial(self._dW_term, x, delta, windows), rule="delta x the input in brackets"),
            Quantity("db", self._formula("db", windows), delta.sum(axis=(0, *range(2, delta.ndim))), "F", live,
                     partial(self._db_term, x, delta, windows), rule="delta"),
        ]
        if self.kernel is not None:
            gradients.append(Quantity("dX", self._formula("dX", windows), self._dX(x, delta, windows), "NC*",
                                      live, partial(self._dX_term, x, delta, windows),
                                      rule="delta x kernel, laid on the same cells"))
        return tuple(gradients)

    def _dW(self, x: Array, delta: Array, windows: Windows) -> Array:
        inputs, filters = x.shape[1] // self.groups, delta.shape[1]
        total = np.zeros((self.groups, filters // self.groups, inputs * int(np.prod(windows.kernel))), x.dtype)
        for n, i, columns in self._columns(windows, x):
            rows = delta[n, :, i].reshape(len(columns), *total.shape[:2], -1)
            total += (rows @ columns.swapaxes(-1, -2)).sum(axis=0)
        return self._turned(total.reshape(filters, inputs, *windows.kernel))

    def _dW_term(self, x: Array, delta: Array, windows: Windows, at: Place) -> Term:
        place = at[1:]
        seen, d = self._under(x, windows, at), delta[everywhere(at)]
        patch = beside(d.reshape(self.groups, -1), 1 + len(place)) * seen[:, None]
        patch = self._turned(patch.reshape(-1, *patch.shape[2:]))
        return Term(at, windows.box(place), _window(x, windows, at), (slice(None),) * patch.ndim, patch,
                    (Factor("delta", d, "F"), Factor("input", seen.reshape(-1, *windows.kernel), "C*")))

    def _db_term(self, x: Array, delta: Array, windows: Windows, at: Place) -> Term:
        d = delta[everywhere(at)]
        return Term(at, windows.box(at[1:]), _window(x, windows, at), (slice(None),), d,
                    (Factor("delta", d, "F"),))

    def _dX(self, x: Array, delta: Array, windows: Windows) -> Array:
        kernel = self._laid_kernel(x)
        matrix = kernel.reshape(self.groups, len(kernel) // self.groups, -1).swapaxes(-1, -2)
        canvas = windows.canvas(x.shape[:2], x.dtype)
        d = len(windows.axes)
        for n, i in windows.blocks(len(x), x.shape[1]):
            rows = delta[n, :, i]
            columns = matrix @ rows.reshape(len(rows), self.groups, len(kernel) // self.groups, -1)
            spread = columns.reshape(len(rows), x.shape[1], *windows.kernel, *rows.shape[2:])
            windows.lay(canvas[n], np.moveaxis(spread, range(2, 2 + d), range(-d, 0)), first=i.start)
        return windows.crop(canvas)

    def _dX_term(self, x: Array, delta: Array, windows: Windows, at: Place) -> Term:
        place = at[1:]
        kernel, d = self._laid_kernel(x), delta[everywhere(at)]
        each = (beside(d, kernel.ndim - 1) * kernel).reshape(self.groups, -1, *kernel.shape[1:])
        patch = windows.spread(place, each.sum(axis=1).reshape(-1, *windows.kernel))[None]
        box = windows.box(place)
        return Term(at, box, _window(x, windows, at), block(at, box), patch,
                    (Factor("delta", d, "F"), Factor("kernel", kernel, "FI*")))

    # -- shared ---------------------------------------------------------------------------------------

    def _columns(self, windows: Windows, x: Array) -> Iterator[tuple[slice, slice, Array]]:
        """Blocks (examples, rows of places, columns (n, G, C/G * kernel, places)): the patch matrix, in parts."""
        d = len(windows.axes)
        unfolded = np.moveaxis(windows.unfold(x), range(-d, 0), range(2, 2 + d))
        for n, i in windows.blocks(len(x), x.shape[1]):
            part = unfolded[(n, slice(None), *(slice(None),) * d, i)]
            yield n, i, part.reshape(len(part), self.groups, -1, int(np.prod(part.shape[2 + d :])))

    def _under(self, x: Array, windows: Windows, at: Place) -> Array:
        """The input under the kernel at one overlay, (G, C/G, *k), zeros where it hangs over the border."""
        window = windows.unfold(x[at[0] : at[0] + 1])[everywhere((0, *at[1:]))]
        return window.reshape(self.groups, -1, *windows.kernel)

    def _turned(self, kernel: Array) -> Array:
        """The kernel (F, C/groups, *k) as it is laid on the input, or back: rotated where `flip` is set."""
        return np.flip(kernel, axis=tuple(range(2, kernel.ndim))) if self.flip else kernel

    def _laid_kernel(self, x: Array) -> Array:
        if self.kernel is None:
            raise ShapeError("there is no kernel", hint="add one with -k KERNEL")
        self._check(x, len(self.kernel))
        return self._turned(self.kernel)

    def _check(self, x: Array, filters: int) -> None:
        """Channels, filters and groups must agree, else ShapeError."""
        channels, groups = x.shape[1], self.groups
        for count, what in ((channels, "input channels"), (filters, "filters")):
            if count % groups:
                raise ShapeError(f"{count} {what} cannot be split into {groups} groups",
                                 hint="--groups must divide the input channels and the filters")
        if self.kernel is not None and self.kernel.shape[1] * groups != channels:
            fits = channels % self.kernel.shape[1] == 0 and filters % (channels // self.kernel.shape[1]) == 0
            hint = f"that fits --groups {channels // self.kernel.shape[1]}" if fits else ""
            raise ShapeError(
                f"the kernel has {self.kernel.shape[1]} input channels, but the input has {channels}"
                + (f" in {groups} groups of {channels // groups}" if groups > 1 else ""), hint=hint)
        if self.bias is not None and self.bias.shape != (filters,):
            raise ShapeError(f"the bias has {by(self.bias.shape)} numbers, but there are {filters} filters")

    def _formula(self, name: str, windows: Windows) -> str:
        """The sum behind a result, with this layer's stride, dilation and padding in its indices."""
        d = len(windows.axes)
        i, u, x = ",".join("ijk"[:d]), ",".join("mno"[:d]), ",".join("xyz"[:d])
        w = ",".join(f"{size - 1}-{axis}" for size, axis in zip(windows.kernel, "mno", strict=False)) \
            if self.flip else u
        cell = ",".join(axis.formula(p, o) for axis, p, o in zip(windows.axes, "ijk", "mno", strict=False))
        bias = "b[f] + " if self.bias is not None else ""
        return {
            "output": f"output[f,{i}] = {bias}sum over c,{u} of input[c,{cell}] * kernel[f,c,{w}]",
            "dW": f"dW[f,c,{w}] = sum over {i} of delta[f,{i}] * input[c,{cell}]",
            "db": f"db[f] = sum over {i} of delta[f,{i}]",
            "dX": f"dX[c,{x}] = sum over f and all {i},{u} with ({cell}) = ({x}) of "
                  f"delta[f,{i}] * kernel[f,c,{w}]",
        }[name]


def _window(x: Array, windows: Windows, at: Place) -> Cells:
    """The cells of x (N, C, *sizes) under the kernel at an overlay."""
    return (range(at[0], at[0] + 1), range(x.shape[1]), *windows.touched(at[1:]))
