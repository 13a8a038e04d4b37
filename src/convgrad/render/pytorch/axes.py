"""The axes of a file's arrays, brought into PyTorch's order and back, as expressions.

Axes bear the letters of shorthand.py. PyTorch takes (C, *) as well as (N, C, *), so a batch is never made up.
"""

from __future__ import annotations

from collections.abc import Sequence

from convgrad.problems.ranks import Shorthand


def lifted(name: str, shorthand: Shorthand, axes: str) -> str:
    """An array as the file has it -> with `axes` in their order, those the file lacks put in with length 1."""
    full, here = shorthand.written(axes)
    return name + _flattened(shorthand, here) + _moved(here, full) + _index(shorthand, axes, "None")


def lowered(shorthand: Shorthand, axes: str) -> str:
    """What turns an array with `axes` into one as the file would have it: an index, a permutation, or nothing."""
    full, here = shorthand.written(axes)
    return _index(shorthand, axes, "0") + _moved(full, here) + _unflattened(shorthand, here)


def _index(shorthand: Shorthand, axes: str, absent: str) -> str:
    """``[None, None]``, ``[:, 0]``: what stands for the axes that the file lacks (but for the batch)."""
    full, _ = shorthand.written(axes)
    every = [token for token in shorthand.tokens(axes) if token in full or token != "N"]
    parts = [":" if token in full else absent for token in every]
    while parts and parts[-1] == ":":
        parts.pop()
    return f"[{', '.join(parts)}]" if parts else ""


def _moved(before: Sequence[str], after: Sequence[str]) -> str:
    order = [before.index(token) for token in after]
    axes = list(range(len(order)))
    if order == axes:
        return ""
    for source, goal in ((-1, 0), (-1, 1), (0, -1), (1, -1)):
        moved = axes.copy()
        moved.insert(goal % len(axes), moved.pop(source))
        if moved == order:
            return f".movedim({source}, {goal})"
    return f".permute({', '.join(map(str, order))})"


def _flattened(shorthand: Shorthand, here: Sequence[str]) -> str:
    for token, sizes in shorthand.several.items():
        if len(sizes) > 1 and token in here:
            first = here.index(token)
            return f".flatten({first}, {first + len(sizes) - 1})"
    return ""


def _unflattened(shorthand: Shorthand, here: Sequence[str]) -> str:
    for token, sizes in shorthand.several.items():
        if len(sizes) > 1 and token in here:
            return f".unflatten({here.index(token)}, {sizes})"
    return ""
