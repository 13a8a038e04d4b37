"""Rows that were graded apart, read again from files of JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from convgrad.errors import FileError
from convgrad.files.lines import lines_of

Row = dict[str, Any]

ENTRIES = ("id", "file", "status", "reason", "points", "max_points", "answers")
"""What every row has."""


def checked(paths: Iterable[str]) -> tuple[str, ...]:
    """The results that have points; FileError for a line that is no row, before anything is made of the others."""
    names: tuple[str, ...] = ()
    for row in rows_of(paths):
        names = names or tuple(name for name, answer in row["answers"].items() if "max_points" in answer)
    return names


def rows_of(paths: Iterable[str]) -> Iterator[Row]:
    """The rows of files, one after the other; FileError for a line that is none."""
    for path in paths:
        for number, line in enumerate(lines_of(path), 1):
            if (row := _row(line)) is None:
                where = f"{path}: line {number}"
                raise FileError("it is no row of grades", where=where, hint="use what --format jsonl wrote")
            yield row


def _row(line: str) -> Row | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or not row.keys() >= {*ENTRIES} or not isinstance(row["answers"], dict):
        return None
    points = all(isinstance(row[each], int | float) for each in ("points", "max_points"))
    answers = all(isinstance(each, dict) and "verdict" in each for each in row["answers"].values())
    return row if points and answers else None
