"""Gradients of the layers of convolutional networks, with the working behind every number.

The names below are imported when they are first used, so that ``import convgrad`` costs nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Activation": "convgrad.layers.activation",
    "Conv": "convgrad.layers.conv",
    "Dense": "convgrad.layers.dense",
    "Flatten": "convgrad.layers.flatten",
    "Loss": "convgrad.layers.loss",
    "SGD": "convgrad.layers.sgd",
    "Transposed": "convgrad.layers.transposed",
    "Unshared": "convgrad.layers.unshared",
    "Pool": "convgrad.layers.pool",
    "Windows": "convgrad.core.windows",
    "Quantity": "convgrad.core.quantity",
    "Term": "convgrad.core.quantity",
    "ConvgradError": "convgrad.errors",
    "check": "convgrad.checking",
}

__all__ = [*_HOMES, "__version__"]  # noqa: PLE0604 - all of them strings


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'convgrad' has no attribute {name!r}")
