"""What all kinds of pooling share as statements: padding, windows, options, the way home to the file's axes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from convgrad.core.axis import Ragged
from convgrad.core.windows import Windows
from convgrad.layers.pool import Pool
from convgrad.problems import Problem
from convgrad.render.pytorch.axes import lifted, lowered
from convgrad.render.pytorch.literals import Call, assigned, call, per_axis
from convgrad.render.pytorch.names import Names
from convgrad.render.pytorch.windows import Pads, by_index, exact_pads, gathered, last_axes, padded, pads_of, symmetric


@dataclass(frozen=True, eq=False, repr=False)
class Pooling:
    """One pooling layer: x, the input as an expression with axes (C, *) or (N, C, *); home, what undoes that.

    lead: axes before the spatial ones; least: the smallest number of the input; plain: the input as the file has it,
    and the axes before its spatial ones, where those come last.
    """

    layer: Pool
    windows: Windows
    names: Names
    x: str
    home: str
    lead: int
    least: float
    plain: tuple[str, int] | None = None

    @classmethod
    def of(cls, problem: Problem, names: Names) -> Pooling:
        """The pooling layer of a problem."""
        layer, shorthand = problem.layer, problem.shorthand
        assert isinstance(layer, Pool)
        return cls(
            layer,
            layer.windows(problem.x),
            names,
            lifted(names.x, shorthand, "NC*"),
            lowered(shorthand, "NC*"),
            1 + ("N" in shorthand.written("NC*")[0]),
            float(problem.x.min()),
            None if shorthand.order else (names.x, problem.operands["input"].ndim - shorthand.dims),
        )

    def bare(self) -> Pooling:
        """The same without a detour, for operations on the last axes that do not mind what stands before them."""
        return self if self.plain is None else replace(self, x=self.plain[0], home="", lead=self.plain[1])

    @property
    def d(self) -> int:
        """How many axes are pooled."""
        return len(self.windows.axes)

    @property
    def dims(self) -> str:
        """The last axes, those of a window, as an argument."""
        return last_axes(self.d)

    @property
    def spread(self) -> bool:
        """Whether the windows are spread over the whole input."""
        return self.layer.whole or self.layer.adaptive is not None

    @cached_property
    def pads(self) -> bool:
        """Whether anything is padded."""
        return any(map(any, pads_of(self.windows)))

    @cached_property
    def own_padding(self) -> bool:
        """Whether PyTorch's layers have such padding: alike on both sides, and half a window at most."""
        return symmetric(pads_of(self.windows)) and all(axis.before <= axis.kernel // 2 for axis in self.windows.axes)

    @property
    def dense(self) -> bool:
        """Whether the windows have no holes."""
        return all(axis.dilation == 1 or axis.kernel == 1 for axis in self.windows.axes)

    @property
    def stride(self) -> str | None:
        """The stride as an option, None where it is the window's size, as usual."""
        strides = tuple(axis.stride for axis in self.windows.axes)
        return None if strides == self.windows.kernel else per_axis(strides)

    @property
    def dilation(self) -> str | None:
        """The dilation as an option, None where it is 1."""
        dilations = [axis.dilation for axis in self.windows.axes]
        return None if all(n == 1 for n in dilations) else per_axis(dilations)

    def layered(self, function: str, x: str, own: bool, **options: Any) -> Call:
        """``F.max_pool2d(x, 2, stride=1)``; own: padding and ceil are the layer's, and not done before."""
        pads = [axis.before for axis in self.windows.axes]
        return call(
            f"F.{function}{self.d}d",
            x,
            per_axis(self.windows.kernel),
            stride=self.stride,
            padding=per_axis(pads) if own and any(pads) else None,
            ceil_mode=True if own and self.layer.ceil else None,
            **options,
        )

    def padded(self, pads: Pads, value: str = "") -> tuple[list[str], str]:
        """The statements that pad the input, and the name of what is pooled then."""
        expression, name = padded(self.x, pads, value=value), self.names.own("padded")
        return ([], self.x) if expression == self.x else (assigned(name, expression), name)

    def gathered(self, value: str = "") -> tuple[list[str], str, dict[str, Any]]:
        """The statements that lay windows side by side, their name, and what a reduction of them needs besides."""
        if self.layer.whole:
            return [], self.x, {"keepdim": True}
        axes = self.windows.axes
        windows = self.names.own("windows")
        if any(isinstance(axis, Ragged) for axis in axes):
            # one cell past the end stands for all that a window lacks
            lines, x = self.padded([(0, int(axis.cells.max() >= axis.size)) for axis in axes], value)
            return [*lines, *by_index(windows, x, axes, self.names.suffix)], windows, {}
        lines, x = self.padded(exact_pads(self.windows) if self.layer.ceil else pads_of(self.windows), value)
        return [*lines, *assigned(windows, gathered(x, self.windows, self.lead))], windows, {}

    def mean(self, x: str, lead: int) -> str:
        """The mean of each window of a padded tensor with `lead` axes before the spatial ones."""
        if self.dense:
            return str(self.layered("avg_pool", x, False))
        return f"{gathered(x, self.windows, lead)}.mean({self.dims})"

    def output(self, made: Call, turn: str = "", remark: str = "") -> list[str]:
        """The output, in the file's axes; turn: what undoes a turn of the input."""
        return assigned(self.names.output, Call(made.function, made.arguments, turn + self.home), remark)

    def computed(self, expression: str, loose: bool = True) -> list[str]:
        """The output from an expression; loose: it needs brackets before anything is done with it."""
        return assigned(
            self.names.output, f"({expression}){self.home}" if loose and self.home else expression + self.home
        )
