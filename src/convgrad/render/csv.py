"""CSV, npy and npz: results as arrays, without the working."""

from __future__ import annotations

import io

import numpy as np

from convgrad.files.table_text import format_table
from convgrad.quantity import Quantity
from convgrad.render.numbers import exact
from convgrad.report import Report


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
