"""npy and npz, read by a strict pattern: header, dtype and declared size are checked before any number is."""

from __future__ import annotations

import io
import re
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convgrad.errors import FileError
from convgrad.files.numbers import MOST_AXES, MOST_BYTES, finite
from convgrad.numerals import Spelled, to_float, to_fraction, to_numeral

if TYPE_CHECKING:
    import zipfile

Array = NDArray[Any]

_HEADER = re.compile(
    r"\{ *'descr': *'([<>|=]?)([A-Za-z?])([0-9]{0,4})' *, *'fortran_order': *(True|False) *,"
    r" *'shape': *\(((?: *[0-9]{1,15}L? *,)* *(?:[0-9]{1,15}L?)? *)\) *,? *\} *\n? *",
    re.ASCII,
)


def parse_npy(data: bytes, spelled: Spelled = to_float) -> Array:
    """The bytes of an npy file -> float64 array; FileError for other dtypes than numbers, or a wrong length."""
    kind, array = _parse(data)
    if kind not in "fiu":
        raise _no_numbers(kind)
    return as_numbers(array, spelled)


def parse_npz(data: bytes, spelled: Spelled = to_float) -> dict[str, Any]:
    """The bytes of an npz -> {name: array}; zero-dimensional entries of text or truth become settings."""
    import zipfile

    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise FileError("it is a damaged npz (zip) file", hint="save it again with np.savez") from None
    if sum(member.file_size for member in members) > MOST_BYTES:
        raise FileError("it unpacks to more than 1 GiB", hint="split it")
    entries: dict[str, Any] = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        if name == member.filename:
            raise FileError(
                f"it is a zip file with {member.filename!r} in it, not an npz", hint="save arrays with np.savez"
            )
        try:
            entries[name] = _entry(archive, member, spelled)
        except FileError as error:
            entries[name] = error  # raised when the entry is asked for: others may be all that is needed
    return entries


def _entry(archive: zipfile.ZipFile, member: zipfile.ZipInfo, spelled: Spelled) -> Any:
    import zipfile
    import zlib

    if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileError(
            "it is encrypted or packed by another method than deflate",
            hint="save it with np.savez or np.savez_compressed",
        )
    try:
        with archive.open(member) as stream:
            raw = stream.read(member.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError):
        raise FileError("it is damaged", hint="save the file again") from None
    kind, array = _parse(raw)
    if kind in "Ub" and array.ndim == 0:
        try:
            return array.item()
        except (SystemError, ValueError):
            raise FileError("it holds text that is none") from None
    if kind not in "fiu":
        raise _no_numbers(kind)
    return as_numbers(array, spelled)


def as_numbers(array: Array, spelled: Spelled) -> Array:
    """What is stored, as floats; whole numbers as such where they are to be kept exactly."""
    if spelled is to_fraction and array.dtype.kind in "iu":
        return array.astype(object)
    if spelled is to_numeral:  # an answer is judged by its own dtype, and may be NaN
        return array.astype(array.dtype.newbyteorder("="))
    return finite(array.astype(np.float64))


def _parse(data: bytes) -> tuple[str, Array]:
    """(dtype kind, array as stored); kinds other than f i u U b come with their size, and without their data."""
    if len(data) < 12 or data[:6] != b"\x93NUMPY" or data[6] not in (1, 2, 3):
        raise FileError("it is not an npy array of plain numbers", hint="save it with np.save, without objects")
    length_bytes = 2 if data[6:7] == b"\x01" else 4
    start = 8 + length_bytes
    length = int.from_bytes(data[8:start], "little")
    header = _HEADER.fullmatch(data[start : start + length].decode("latin-1"))
    if len(data) < start + length or header is None:
        raise FileError("it is not an npy array of plain numbers", hint="save it with np.save, without objects")
    order, letter, size, fortran, dims = header.groups()
    kind = {"?": "b"}.get(letter, letter)
    if kind not in "fiuUb":
        return f"{kind}{size}", np.zeros(())
    try:
        dtype = np.dtype(f"{order}{letter}{size}")
    except TypeError:
        raise FileError(f"it has the unknown dtype {letter}{size}") from None
    if not dtype.itemsize:
        raise FileError("it holds empty texts")
    shape = tuple(int(n.strip().rstrip("L")) for n in dims.split(",") if n.strip())
    if len(shape) > MOST_AXES:
        raise FileError(f"it has more than {MOST_AXES} axes")
    if 0 in shape:
        raise FileError(f"its shape {shape} has an empty axis", hint="an axis has at least one cell")
    body = len(data) - start - length
    if prod(shape) * dtype.itemsize != body:
        raise FileError(
            f"it declares {prod(shape) * dtype.itemsize} bytes of numbers, but holds {body}",
            hint="the file is damaged or incomplete; save it again",
        )
    flat = np.frombuffer(data, dtype, offset=start + length)
    return kind, flat.reshape(shape, order="F" if fortran == "True" else "C")


def _no_numbers(kind: str) -> FileError:
    if kind in _NARROW:
        return FileError(
            f"it holds {_NARROW[kind]}, which numpy does not know",
            hint="save it with np.save('a.npy', a.astype('float32'))",
        )
    what = _KINDS.get(kind[:1], "data")
    return FileError(f"it holds {what} instead of real numbers", hint="save a float or integer array")


_NARROW = {"V2": "records of two bytes, as bfloat16 has them", "V1": "records of one byte, as float8 has them"}
"""Dtypes of other libraries that numpy saves as records."""

_KINDS = {
    "c": "complex numbers",
    "b": "truth values",
    "O": "Python objects",
    "U": "text",
    "S": "bytes",
    "V": "records",
    "M": "dates",
    "m": "time spans",
}
