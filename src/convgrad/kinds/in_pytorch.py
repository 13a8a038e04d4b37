"""How PyTorch says what a row says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Written:
    """An expression with the places of its operands in braces, and a remark above it where it needs one.

    when: for which operands it is written so, None for all; of several the first that fits is taken.
    """

    text: str
    remark: str = ""
    when: Callable[..., Any] | None = None


def written(choices: tuple[Written, ...], *operands: Any) -> Written:
    """How it is written for some operands."""
    return next(each for each in choices if each.when is None or each.when(*operands))
