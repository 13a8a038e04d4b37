"""Gradients of the layers of convolutional networks, with the working behind every number.

The names below are imported when they are first used, so that ``import convgrad`` costs nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "SGD": "convgrad.layers.sgd",
    "Windows": "convgrad.core.windows",
    "Quantity": "convgrad.core.quantity",
    "Term": "convgrad.core.term",
    "ConvgradError": "convgrad.errors",
    "check": "convgrad.checking",
    "gradcheck": "convgrad.checking.gradcheck",
}


def _homes() -> dict[str, str]:
    """Where each name lives: the layers of all kinds, and the names above."""
    from convgrad.kinds import LAYERS

    return {path.partition(":")[2]: path.partition(":")[0] for path in LAYERS.values()} | _HOMES


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return [*_homes(), "__version__"]
    home = _HOMES.get(name) or ("" if name.startswith("_") else _homes().get(name))
    if home:
        return getattr(import_module(home), name)
    raise AttributeError(f"module 'convgrad' has no attribute {name!r}")
