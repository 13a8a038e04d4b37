"""What rows are about: groups of layers and of results, made from what the kinds of layers say of themselves."""

from __future__ import annotations

from collections.abc import Callable

from convgrad.kinds import KINDS, PARAMETERS, WORDS
from convgrad.kinds.kind import Kind

LAYERS = WORDS
"""The layers that a case may have."""


def _of(fits: Callable[[Kind], object]) -> str:
    """The words of the kinds that fit, in the order of the catalogue."""
    return " ".join(word for kind in KINDS.values() if fits(kind) for word in kind.words if word in LAYERS)


def less(group: str, *words: str) -> str:
    """A group without some of its layers."""
    return " ".join(word for word in group.split() if word not in words)


KERNEL = _of(lambda kind: "kernel" in kind.roles)
"""Layers with a kernel."""

WINDOWED = _of(lambda kind: any(setting.name == "stride" for setting in kind.settings))
"""Layers whose kernel or window lies at many places."""

ON_INPUT = less(WINDOWED, "transposed")
"""Layers whose kernel or window lies on the input; that of a transposed convolution lies on the output."""

WEIGHED = _of(lambda kind: "W" in kind.parameters)
"""Layers that weigh their input."""

LEARNING = _of(lambda kind: kind.descent)
"""Layers that a step of descent changes."""

STEPPING = " ".join(sorted(LEARNING.split(), key=lambda word: word in WINDOWED.split()))
"""The same, those first whose problems have least to read."""

ACTIVATED = " ".join(["activation", _of(lambda kind: kind.activation)])
"""Activations, and layers that one may stand behind."""

EVERY = less(" ".join(LAYERS), "loss")
"""All layers but the losses."""

OF_PARAMETERS = " ".join(f"d{name}" for name in PARAMETERS)
GRADIENTS = f"{OF_PARAMETERS} dX"
NEW = " ".join(f"{name}_new" for name in PARAMETERS)
BOTH = " ".join([NEW, *(f"velocity_{name}" for name in PARAMETERS)])
"""What a step gives: new parameters; and their velocities."""
