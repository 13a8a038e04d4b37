"""Gradients of the layers of convolutional networks, with the working behind every number.

The names below are imported when they are first used, so that ``import convgrad`` costs nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Conv": "convgrad.layers.conv",
    "Pool": "convgrad.layers.pool",
    "Windows": "convgrad.windows",
    "Quantity": "convgrad.quantity",
    "Term": "convgrad.quantity",
    "ConvgradError": "convgrad.errors",
}

__all__ = ["Conv", "ConvgradError", "Pool", "Quantity", "Term", "Windows", "__version__"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'convgrad' has no attribute {name!r}")
