"""CSV and TSV: rows of numbers, blank lines between 2-D blocks, and ``# shape: 2,3,5,5`` for any other shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import prod
from typing import Any

from numpy.typing import NDArray

from convgrad.errors import FileError, by, listed, shortened
from convgrad.files.numbers import MOST_AXES, stacked
from convgrad.files.skip import NOTHING, Skip
from convgrad.numerals import Spelled, parse_answer, parse_number, to_float, to_numeral

Array = NDArray[Any]

_SHAPE = re.compile(
    r"#\s*shape\s*:\s*[\[(]?\s*([0-9]{1,12}(?:\s*[,x ]\s*[0-9]{1,12})*)\s*,?\s*[\])]?\s*$", re.ASCII | re.I
)


_SEPARATOR = re.compile(r'"?sep=([^\r\n\d"])"?[^\S\n]*(?:\n|\Z)', re.I)
"""The first line by which Excel says what parts its cells: ``sep=;``."""


def parse_table(text: str, spelled: Spelled = to_float, skip: Skip = NOTHING) -> Array:
    """CSV text -> array: (numbers,) for one row, (rows, columns), or (blocks, rows, columns); () for one number.

    The separator is what a first line ``sep=;`` says, else the first of ``;``, tab and comma that occurs, else blanks;
    with a separator other than the comma, a comma is a decimal comma. skip: what holds no numbers. FileError gives
    line and column, or all of what seems to be no numbers.
    """
    stated = _SEPARATOR.match(text)
    shape, lines = _lines(text[stated.end() :] if stated else text)
    lines = [None, *lines] if stated else lines
    body = "\n".join(filter(None, lines))
    separator = stated[1] if stated else next((each for each in ";\t," if each in body), " ")
    cells = {number: _split(line, separator) for number, line in enumerate(lines, start=1) if line and line.strip()}
    for number in [*cells][: skip.rows[0]] + [*cells][len(cells) - skip.rows[1] :]:
        del cells[number]
    cells = {number: row[skip.columns[0] : max(len(row) - skip.columns[1], 0)] for number, row in cells.items()}
    _check_edges(cells, separator, skip, spelled)
    blocks: list[list[list[Any]]] = [[]]
    for number, line in enumerate(lines, start=1):
        if line is not None and not line.strip() and blocks[-1]:
            blocks.append([])
        if number not in cells:
            continue
        found = enumerate(cells[number], start=1 + skip.columns[0])
        row = [_cell(cell, separator, number, column, spelled) for column, cell in found]
        if shape is None and blocks[0] and len(row) != len(blocks[0][0]):
            raise FileError(
                f"line {number} has {len(row)} {'cell' if len(row) == 1 else 'cells'}, "
                f"but the lines before it have {len(blocks[0][0])}",
                hint="rows must be equally long",
            )
        blocks[-1].append(row)
    blocks = [block for block in blocks if block]
    if not blocks or not blocks[0][0]:
        raise FileError("there are no numbers in it", hint="write rows of numbers")
    if shape is not None:
        return _reshaped(blocks, shape, spelled)
    for k, block in enumerate(blocks):
        if len(block) != len(blocks[0]):
            raise FileError(
                f"block {k + 1} has {len(block)} rows, but block 1 has {len(blocks[0])}",
                hint="blocks between blank lines must be equally large; '# shape: ...' states any shape",
            )
    array = stacked(blocks, spelled)
    if len(blocks) == 1:
        array = array[0, 0] if len(blocks[0]) == 1 else array[0]
    return array.reshape(()) if array.shape == (1,) else array


def _lines(text: str) -> tuple[tuple[int, ...] | None, list[str | None]]:
    """The shape that a text states, and its lines without comments, None for those that are nothing else."""
    shape: tuple[int, ...] | None = None
    lines: list[str | None] = []
    for raw in text.splitlines():
        stated = _SHAPE.search(raw)
        if stated:
            shape = tuple(int(size) for size in re.split(r"[,x\s]+", stated[1]))
            if len(shape) > MOST_AXES or 0 in shape:
                raise FileError(
                    f"the shape it states, {by(shape)[:40]}, cannot be", hint="correct the line '# shape: ...'"
                )
        kept, comment, _ = raw.partition("#")
        # a line of comment alone parts no blocks
        lines.append(None if comment and not kept.strip() else kept.strip(" "))
    return shape, lines


def _check_edges(cells: Mapping[int, list[str]], separator: str, skip: Skip, spelled: Spelled) -> None:
    """FileError that says all of what seems to be headings, labels or trailing separators, and both ways to mend it."""
    rows = [*cells.values()]
    blank = [[not cell.strip() for cell in row] for row in rows]
    numeric = [[_number(cell, separator, spelled) is not None for cell in row] for row in rows]
    if len(rows) < 2 or all(map(all, numeric)) or not any(map(any, numeric)):
        return
    after = spelled is not to_numeral and all(row and row[-1] for row in blank)
    heads = next(k for k, row in enumerate(numeric) if any(row))
    labels = 0
    width = min(len(row) for row in rows[heads:]) - after
    while labels < width and not any(row[labels] for row in numeric[heads:]):
        labels += 1
    wrong = [(number, row) for number, row in [*zip(cells, numeric, strict=True)][heads:]]
    if not (heads or labels or after) or any(not all(row[labels : len(row) - after]) for _, row in wrong):
        return  # a single cell is wrong, and named
    said, number = [], next(iter(cells))
    if heads:
        said.append(f"line {number} is a heading ({shortened(separator.join(rows[0]), 30)})")
    if labels:
        said.append(f"column {1 + skip.columns[0]} holds labels ({shortened(rows[heads][0])})")
    if after:
        said.append(f"every line ends with a separator ({shortened(separator)})")
    rows_said = f"--skip-rows {heads + skip.rows[0]}" if heads else ""
    before = labels + skip.columns[0]
    columns_said = f"--skip-columns {before}:1" if after else f"--skip-columns {before}" if labels else ""
    other = [*(["put # before the heading"] if heads else []), *(["take the rest out"] if labels or after else [])]
    raise FileError(
        listed(said), hint=f"add {' '.join(filter(None, (rows_said, columns_said)))}, or {' and '.join(other)}"
    )


def format_table(array: Array, separator: str, number: Any) -> str:
    """Array -> the CSV text that `parse_table` reads back as the same shape; `number` writes one number."""
    rows = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
    height = array.shape[-2] if array.ndim > 1 else 1
    plain = (
        array.ndim == 0
        or (array.ndim == 1 and array.size > 1)
        or (array.ndim == 2 and height > 1)
        or (array.ndim == 3 and len(array) > 1)
    )
    lines = [] if plain else ["# shape: " + ",".join(map(str, array.shape))]
    for k, row in enumerate(rows):
        if k and k % height == 0 and array.ndim > 2:
            lines.append("")
        lines.append(separator.join(map(number, row)))
    return "\n".join(lines) + "\n"


def _reshaped(blocks: list[list[list[Any]]], shape: tuple[int, ...], spelled: Spelled) -> Array:
    numbers = [number for block in blocks for row in block for number in row]
    if len(numbers) != prod(shape):
        raise FileError(
            f"it states the shape {by(shape)}, {prod(shape)} numbers, but holds {len(numbers)}",
            hint="correct the line '# shape: ...'",
        )
    return stacked(numbers, spelled).reshape(shape)


def _split(line: str, separator: str) -> list[str]:
    if separator == " " or '"' not in line:
        return line.split(None if separator == " " else separator)
    import csv

    try:
        return next(csv.reader([line], delimiter=separator))
    except csv.Error:
        return line.split(separator)


def _number(text: str, separator: str, spelled: Spelled) -> Any:
    """The number (of an answer, also what stands for none) that a cell spells, None where it is none."""
    pointed = text.strip() if separator == "," else text.strip().replace(",", ".")
    return parse_answer(pointed) if spelled is to_numeral else parse_number(pointed, spelled)


def _cell(text: str, separator: str, line: int, column: int, spelled: Spelled) -> Any:
    text, number = text.strip(), _number(text, separator, spelled)
    if number is None:
        where = f"line {line}, column {column}"
        if not text:
            raise FileError(f"{where}: the cell is empty", hint="write a number there, 0 if that is meant")
        hint = "put # before a heading" if line == 1 else "write a number there"
        raise FileError(f"{where}: {shortened(text)} is not a number", hint=hint)
    return number
