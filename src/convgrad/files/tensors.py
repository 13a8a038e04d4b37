"""safetensors: read and checked by the library of that name, which is an optional extra."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import FileError
from convgrad.files.binary import as_numbers
from convgrad.numerals import Spelled

DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    **{f"{letter}{bits}": f"<{letter.lower()}{bits // 8}" for letter in "IU" for bits in (8, 16, 32, 64)},
}
"""The dtypes that are read, and how numpy reads their bytes; numpy has no bfloat16."""


def parse_safetensors(data: bytes, spelled: Spelled) -> dict[str, Any]:
    """The bytes of a safetensors file -> {name: array}, of other dtypes errors, raised when these are asked for."""
    try:
        library: Any = import_module("safetensors")
    except ImportError:
        raise FileError(
            "it holds safetensors, for which the extra is not installed", hint="pip install 'convgrad[safetensors]'"
        ) from None
    try:
        found = library.deserialize(data)
    except library.SafetensorError as error:
        raise FileError(f"it is a damaged safetensors file ({error})", hint="save it again") from None
    return {name: _array(about, spelled) for name, about in found}


def _array(about: dict[str, Any], spelled: Spelled) -> Array | FileError:
    """One tensor as numbers, a bfloat16 widened to the float32 whose upper half it is; FileError for another dtype."""
    if about["dtype"] not in DTYPES:
        return FileError(f"it holds {about['dtype']} instead of real numbers", hint="save it as F32")
    stored = np.frombuffer(about["data"], DTYPES[about["dtype"]])
    if about["dtype"] == "BF16":
        stored = (stored.astype("<u4") << 16).view("<f4")
    if 0 in about["shape"]:
        return FileError(f"its shape {tuple(about['shape'])} has an empty axis", hint="an axis has at least one cell")
    try:
        return as_numbers(stored.reshape(about["shape"]), spelled)
    except FileError as error:  # a NaN in one tensor is no reason not to read another
        return error
