"""CSV, npy and npz: results as arrays, without the working."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from convgrad.errors import OptionError
from convgrad.files.table_text import format_table
from convgrad.quantity import Quantity
from convgrad.render.numbers import exact
from convgrad.report import Facts, Report


def render_csv(quantity: Quantity, precision: int | None, separator: str) -> str:
    """One result -> rows of numbers; convgrad reads them back as the same shape."""
    return format_table(quantity.value, separator, lambda number: exact(number, precision))


def render_npy(quantity: Quantity) -> bytes:
    """One result -> the bytes of an npy file."""
    stream = io.BytesIO()
    np.save(stream, quantity.value, allow_pickle=False)
    return stream.getvalue()


def render_npz(report: Report) -> bytes:
    """All results -> the bytes of an npz file, by name."""
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **{name: quantity.value for name, quantity in report.results.items()})
    return stream.getvalue()


def render_fact(name: str, entry: Any, form: str, precision: int | None) -> bytes:
    """One entry that is an array, a list or an object of numbers -> csv, tsv or npy; else OptionError."""
    if isinstance(entry, list) and any(isinstance(each, dict) for each in entry):
        raise OptionError(
            f"{name} is no array, which is all that {form} holds", hint=f"use json, or --only {name}[0].dW"
        )
    array = np.asarray(list(entry.values()) if isinstance(entry, dict) else entry)
    if form == "npy":
        stream = io.BytesIO()
        np.save(stream, array, allow_pickle=False)
        return stream.getvalue()
    separator = "\t" if form == "tsv" else ","
    return format_table(array, separator, lambda number: exact(number, precision)).encode()


def render_facts_npz(facts: Facts) -> bytes:
    """All arrays among the entries -> npz, those of layers as ``layers[0].dW``."""
    arrays: dict[str, Any] = {}
    for name, entry in facts.entries.items():
        if isinstance(entry, list) and any(isinstance(each, dict) for each in entry):
            arrays |= {
                f"{name}[{k}].{part}": value
                for k, each in enumerate(entry)
                for part, value in each.items()
                if isinstance(value, np.ndarray)
            }
        elif isinstance(entry, dict):
            arrays |= {f"{name}.{part}": np.asarray(value) for part, value in entry.items() if part != "type"}
        else:
            arrays[name] = np.asarray(entry)
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **arrays)
    return stream.getvalue()
