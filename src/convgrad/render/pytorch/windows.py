"""Padding and windows as expressions: what PyTorch's layers have as options, and what has to be written out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from convgrad.core.axis import Axis
from convgrad.core.windows import Windows
from convgrad.render.pytorch.literals import assigned, nested, sliced

Pads = list[tuple[int, int]]


def pads_of(windows: Windows) -> Pads:
    """The padding of each axis, before and after."""
    return [(axis.before, axis.after) for axis in windows.axes]


def exact_pads(windows: Windows) -> Pads:
    """The padding under which the last window ends where the padded input does; below 0, cells are cut off."""
    return [(a.before, a.reach - a.before - a.size) for a in windows.axes]


def padded(name: str, pads: Pads, mode: str = "constant", value: str = "") -> str:
    """``F.pad(x, (1, 1, 0, 1))``, which counts axes from the last; the name itself where there is nothing to pad."""
    if not any(map(any, pads)):
        return name
    pairs = list(pads)
    while not any(pairs[0]):
        pairs.pop(0)
    flat = tuple(n for pair in reversed(pairs) for n in pair)
    options = [f'mode="{mode}"'] if mode != "constant" else [f"value={value}"] if value else []
    return f"F.pad({', '.join([name, str(flat), *options])})"


def borrowed(name: str, windows: Windows) -> tuple[str, str]:
    """The input padded with cells of its own -> expression and remark; by index where F.pad does not reach as far."""
    most = {"reflect": -1, "circular": 0}.get(windows.mode)
    pads = pads_of(windows)
    if most is None or all(max(pair) <= axis.size + most for pair, axis in zip(pads, windows.axes, strict=True)):
        flat = tuple(n for pair in reversed(pads) for n in pair)
        return f'F.pad({name}, {flat}, mode="{windows.mode}")', ""
    for number, axis in enumerate(windows.axes):
        if axis.before or axis.after:
            source = axis.source(np.arange(axis.padded) - axis.before, windows.mode)
            name += sliced([nested(source, room=10**6), *[":"] * (len(windows.axes) - 1 - number)])
    return name, f"{windows.mode} padding wider than F.pad has it: the cells that the padding shows"


def symmetric(pads: Sequence[tuple[int, int]]) -> bool:
    """Whether each axis is padded alike on both sides, as PyTorch's own option pads."""
    return all(before == after for before, after in pads)


def last_axes(d: int) -> str:
    """The last d axes, as an argument: ``(-2, -1)``."""
    return "-1" if d == 1 else str(tuple(range(-d, 0)))


def gathered(name: str, windows: Windows, lead: int) -> str:
    """All windows (..., *places, *kernel) of a padded tensor with `lead` axes before the spatial ones."""
    steps = "".join(f".unfold({lead + k}, {axis.span}, {axis.stride})" for k, axis in enumerate(windows.axes))
    holes = [f"::{axis.dilation}" if axis.dilation > 1 and axis.kernel > 1 else ":" for axis in windows.axes]
    return name + steps + sliced(holes)


def by_index(windows: str, name: str, axes: Sequence[Axis], suffix: str) -> list[str]:
    """The statements that gather windows of unequal length, each cell by its position along every axis."""
    d, lines, parts = len(axes), [], []
    for number, (axis, cells) in enumerate(zip(axes, ["planes", "rows", "columns"][-d:], strict=True)):
        lines += assigned(cells + suffix, f"torch.tensor({nested(axis.cells)})")
        index = [":" if k % d == number else "None" for k in range(number, 2 * d)]
        parts.append(f"{cells}{suffix}[{', '.join(index)}]" if d > 1 else f"{cells}{suffix}")
    return [*lines, *assigned(windows, f"{name}[..., {', '.join(parts)}]")]
