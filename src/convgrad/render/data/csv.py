"""CSV, npy and npz: results as arrays, without the working."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from convgrad.core.quantity import Array, Quantity
from convgrad.core.rational import rational
from convgrad.errors import OptionError
from convgrad.files.table_text import format_table
from convgrad.problems.report import Facts, Report
from convgrad.render.number_text import exact


def render_csv(quantity: Quantity, precision: int | None, separator: str) -> str:
    """One result -> rows of numbers; convgrad reads them back as the same shape."""
    return format_table(quantity.value, separator, lambda number: exact(number, precision))


def render_npy(quantity: Quantity) -> bytes:
    """One result -> the bytes of an npy file."""
    return _saved(quantity.value)


def render_npz(report: Report) -> bytes:
    """All results -> the bytes of an npz file, by name."""
    return _saved_by_name({name: quantity.value for name, quantity in report.results.items()})


def render_fact(name: str, entry: Any, form: str, precision: int | None) -> bytes:
    """One entry that is an array, or a list or object of numbers -> csv, tsv or npy; else OptionError."""
    parts = entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else []
    if any(isinstance(each, dict | np.ndarray | str) for each in parts):
        hint = f"use json, or pick one: --only {name}{'.dW' if isinstance(entry, dict) else '[0].dW'}"
        raise OptionError(f"{name} is no array, which is all that {form} holds", hint=hint)
    array = np.asarray(list(entry.values()) if isinstance(entry, dict) else entry)
    if form == "npy":
        return _saved(array)
    separator = "\t" if form == "tsv" else ","
    return format_table(array, separator, lambda number: exact(number, precision)).encode()


def flattened(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of objects and lists -> their arrays by path: ``layers[0].dW``, ``parameters.shared``."""
    arrays: dict[str, Any] = {}
    for name, entry in entries.items():
        if isinstance(entry, dict):
            arrays |= flattened({f"{name}.{part}": value for part, value in entry.items()})
        elif isinstance(entry, list) and any(isinstance(each, dict) for each in entry):
            arrays |= flattened({f"{name}[{k}]": value for k, value in enumerate(entry)})
        elif not isinstance(entry, str):
            arrays[name] = np.asarray(entry)
    return arrays


def render_facts_npz(facts: Facts) -> bytes:
    """All arrays among the entries -> npz, by path."""
    return _saved_by_name(flattened(facts.entries))


def _saved(array: Array) -> bytes:
    _refuse(array)
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def _saved_by_name(arrays: Mapping[str, Array]) -> bytes:
    for array in arrays.values():
        _refuse(array)
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def _refuse(array: Array) -> None:
    if rational(array):
        raise OptionError("npy and npz files hold no fractions", hint="write exact results as json or csv")
