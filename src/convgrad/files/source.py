"""Sources: a path, ``-`` (standard input), ``PATH#KEY``, or a literal typed on the command line."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, BinaryIO

import numpy as np

from convgrad.core.operand import Operand
from convgrad.errors import FileError, at, did_you_mean
from convgrad.files.document import Document, select
from convgrad.files.formats import SUFFIXES, recognised, refuse_by_name
from convgrad.files.json_text import parse_json
from convgrad.files.numbers import MOST_BYTES, to_array, to_written
from convgrad.files.skip import NOTHING, Skip
from convgrad.numerals import MINUS, NUMBER, Spelled, parse_number, to_float, to_numeral

PIECE = 2**20
"""Bytes that are read at a time."""

_FACTOR = rf"(?:{NUMBER}\s*\*\s*)?"
_ARRAY = re.compile(rf"\s*(?:[A-Za-z_]\w*\s*=\s*)?(?:[A-Za-z_][\w.]*\s*\(\s*)?{_FACTOR}[\[(]")

_SAID = re.compile(r"(?:[^\S\n]*(?:>>>[^\n]*|Parameter containing:)?[^\S\n]*\n)*(?:\s*Parameter containing:)?")
"""What Python's console and PyTorch say before a print."""

_TYPED = re.compile(
    rf"{_FACTOR}[\[(]|[A-Za-z]\w*\s*=\s*([\[\n]|array|tensor)|(np\.|numpy\.|torch\.|jnp\.)?(array|tensor|asarray|matrix)\s*\("
)


class Reader:
    """Reads the sources of one command, each file and standard input once, and remembers which they were."""

    def __init__(self, skip: Skip = NOTHING) -> None:
        """skip: the rows and columns of tables of text that hold no numbers."""
        self._skip = skip
        self.paths: list[str] = []
        self._parsed: dict[tuple[str, Spelled], Any] = {}
        self._piped: bytes | None = None

    def read(self, source: str, spelled: Spelled = to_float) -> Operand | Document:
        """A source -> its array or document; FileError names the source and the place in it.

        spelled: what its numbers are made into.
        """
        number = parse_number(source.strip(), spelled)
        if number is not None:  # even where a file bears that name: ./1 is the file
            value = np.asarray(number) if spelled is to_float else np.array(number, object)
            return Operand(value, source.strip(), typed=True)
        if source != "-" and not os.path.exists(source):
            if looks_literal(source):
                with at(_shortened(source)):
                    parsed = _parse_text(source, spelled, self._skip)
                    return _held(parsed, "the literal", _shortened(source), spelled, typed=True)
            path, mark, key = source.rpartition("#")
            if mark and path and key:
                # what follows is a part of that file, and is called by the whole of its name
                part = select(self._raw(path, spelled), key, path)
                with at(source):
                    return _held(part, source, source, spelled)
        name = "standard input" if source == "-" else source
        with at(name):
            return _held(self._raw(source, spelled), name, name, spelled)

    def _raw(self, path: str, spelled: Spelled) -> Any:
        """The parsed contents of a file or of standard input, read once."""
        piped = (parsed for (name, _), parsed in self._parsed.items() if name == "-")
        if path == "-" and any(isinstance(each, list | np.ndarray | float | int) for each in piped):
            raise FileError(
                "it holds one array and cannot be read twice",
                where="standard input",
                hint="write one of the two to a file",
            )
        if (path, spelled) not in self._parsed:
            with at("standard input" if path == "-" else path):
                data = self._bytes(path)
                self._parsed[path, spelled] = _parse(data, "" if path == "-" else suffix_of(path), spelled, self._skip)
        return self._parsed[path, spelled]

    def _bytes(self, path: str) -> bytes:
        if path == "-":
            if self._piped is not None:
                return self._piped
            if sys.stdin is None:
                raise FileError("it is closed", hint="pipe a file into convgrad")
            self.paths.append("/dev/stdin")  # it may be a file, redirected
            try:
                self._piped = _read(sys.stdin.buffer)
                return self._piped
            except OSError as error:
                raise FileError(f"it cannot be read ({error.strerror})", hint="pipe a file into convgrad") from None
        suffix = suffix_of(path)
        try:
            if os.path.isdir(path):
                raise FileError("it is a folder", hint="name a file in it")
            refuse_by_name(suffix)
            with open(path, "rb") as stream:
                data = _read(stream)
        except (OSError, ValueError) as error:
            message, hint = _unreadable(path, error)
            raise FileError(message, hint=hint) from None
        self.paths.append(path)
        return data


def _held(value: Any, document: str, array: str, spelled: Spelled, typed: bool = False) -> Operand | Document:
    """Parsed data as a document or an array, each with what errors call it."""
    if isinstance(value, dict):
        return Document(document, value, spelled)
    if spelled is to_numeral:
        value = to_written(value)
    elif not isinstance(value, np.ndarray):
        value = to_array(value, spelled)
    return Operand(value, array, typed)


def suffix_of(path: str) -> str:
    """The suffix of a file's name, in lower case: ``.json``."""
    return os.path.splitext(path)[1].lower()


def looks_literal(text: str) -> bool:
    """Whether a source spells a number or an array, rather than a file's name."""
    text = text.strip()
    return parse_number(text) is not None or text.startswith("{") or _TYPED.match(text) is not None


def _parse(data: bytes, suffix: str, spelled: Spelled, skip: Skip) -> Any:
    """The contents of a file -> dict, nested lists, number or array, by content and suffix together."""
    kind = recognised(data)
    named = SUFFIXES.get(suffix, "")
    if kind:
        if named not in ("", kind):
            raise FileError(f"it is named {suffix}, but holds {kind} data", hint=f"rename it to .{kind}")
        return _binary(kind, data, spelled)
    if named in _SAVED_BY:
        raise FileError(
            "it is empty" if not data else f"it is named {suffix}, but does not hold {named} data",
            hint=f"save it with {_SAVED_BY[named]}",
        )
    text = _decoded(data)
    if not text.strip():
        raise FileError("it is empty", hint="write an array into it")
    begins_as_array = _ARRAY.match(text) or text.lstrip().startswith("{")
    if named == "CSV":
        if begins_as_array:
            raise FileError(
                f"it is named {suffix}, but holds JSON or pasted brackets",
                hint="rename it to .json or .txt, or write rows of numbers",
            )
        from convgrad.files.table_text import parse_table

        return parse_table(text, spelled, skip)
    if named == "JSON":
        if not begins_as_array and "\n" in text.strip():
            raise FileError("it is named .json, but holds rows as in CSV", hint="rename it to .csv")
        return parse_json(text, spelled)
    return _parse_text(text, spelled, skip)


_SAVED_BY = {"npy": "np.save", "npz": "np.savez", "safetensors": "safetensors.numpy.save_file"}
"""What writes the formats that are no text."""


def _binary(kind: str, data: bytes, spelled: Spelled) -> Any:
    if kind == "safetensors":
        from convgrad.files.tensors import parse_safetensors

        return parse_safetensors(data, spelled)
    from convgrad.files.binary import parse_npy, parse_npz

    return (parse_npy if kind == "npy" else parse_npz)(data, spelled)


def _parse_text(text: str, spelled: Spelled, skip: Skip = NOTHING) -> Any:
    """Text of any kind: JSON, an array pasted from elsewhere, what MATLAB prints, or CSV."""
    text = _past_the_prompt(text.replace(MINUS, "-"))
    if text.lstrip().startswith("{"):
        try:
            return parse_json(text, spelled)
        except FileError as error:
            from convgrad.files.foreign import of_other_form

            raise of_other_form(text) or error from None
    if not _ARRAY.match(text):
        from convgrad.files.console import looks_printed, parse_printed
        from convgrad.files.foreign import of_other_form
        from convgrad.files.table_text import parse_table

        if looks_printed(text):
            return parse_printed(text, spelled)
        try:
            return parse_table(text, spelled, skip)
        except FileError as error:
            raise of_other_form(text) or error from None
    try:
        return parse_json(text, spelled)
    except FileError as as_json:
        from convgrad.files.pasted import parse_pasted

        try:
            return parse_pasted(text, spelled)
        except FileError:
            if "NaN" in as_json.message or "nested" in as_json.message or "Infinity" in as_json.message:
                raise as_json from None
            raise


def _past_the_prompt(text: str) -> str:
    """A text without what a console says before what it prints: ``>>> x``, ``Parameter containing:``; lines stay."""
    said = _SAID.match(text)
    return "\n" * said[0].count("\n") + text[said.end() :] if said and text[said.end() :].strip() else text


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise FileError("it is UTF-16 text", hint="save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(
            f"byte {error.start} ({data[error.start]:#04x}) is not UTF-8 text", hint="save it as UTF-8, or as .npy"
        ) from None


def _read(stream: BinaryIO) -> bytes:
    """All of a stream, piece by piece: to ask for the most there may be would take as much memory."""
    pieces, left = list[bytes](), MOST_BYTES + 1
    while left and (piece := stream.read(min(left, PIECE))):
        pieces.append(piece)
        left -= len(piece)
    if not left:
        raise FileError("it is larger than 1 GiB", hint="convgrad reads at most that")
    return b"".join(pieces)


def _unreadable(path: str, error: OSError | ValueError) -> tuple[str, str]:
    if isinstance(error, FileNotFoundError):
        folder, name = os.path.split(path)
        try:
            beside = os.listdir(folder or ".")
        except OSError:
            return "no such file", f"there is no folder {folder!r} either"
        return "no such file", did_you_mean(name, beside) or "check the name; an array is typed as [[1,2],[3,4]]"
    if isinstance(error, PermissionError):
        return "it cannot be read", "you have no permission for it"
    return f"it cannot be read ({getattr(error, 'strerror', None) or error})", ""


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
