"""What MATLAB and Octave print of a matrix: ``A =``, a blank line, rows; in blocks of columns, with a factor above."""

from __future__ import annotations

import re
from typing import Any

from convgrad.errors import FileError, shortened
from convgrad.files.numbers import stacked
from convgrad.numerals import Spelled, parse_number, to_float

_HEAD = re.compile(r"\s*([A-Za-z]\w*)(\([:,\s\d]*\))?\s*=\s*(?:(\d+)\s*[x\u00d7]\s*(\d+))?\s*", re.ASCII)
_SCALE = re.compile(r"\s*([0-9.]+)e([+-]?[0-9]+)\s*\*\s*", re.ASCII)
_COLUMNS = re.compile(r"\s*Columns?\s+(\d+)(?:\s+(?:through|and|to)\s+(\d+))?\s*:?\s*", re.ASCII | re.I)


def looks_printed(text: str) -> bool:
    """Whether a text begins as MATLAB begins to print a matrix: with a name and ``=`` alone on its line."""
    first = next((line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(">>")), "")
    return _HEAD.fullmatch(first) is not None


def parse_printed(text: str, spelled: Spelled = to_float) -> Any:
    """MATLAB's print -> the array, (numbers,) for one row, () for one number; of several matrices by name.

    A factor such as ``1.0e+03 *`` is multiplied into the numbers as they are written. FileError gives the line.
    """
    found: dict[str, _Matrix] = {}
    matrix: _Matrix | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith(">>"):
            continue
        if head := _HEAD.fullmatch(line):
            if head[2] is not None:
                raise FileError(
                    f"line {number}: {line.strip()} is one page of an array with more axes",
                    hint="write the pages as blocks of rows with blank lines between, channels first, or save a .npy",
                )
            if head[1] in found:
                raise FileError(f"line {number}: {head[1]} is printed twice", hint="keep one of them")
            matrix = found[head[1]] = _Matrix(spelled, tuple(map(int, head.group(3, 4))) if head[3] else ())
        elif matrix is not None:
            matrix.take(line, number)
    arrays = {name: each.array(name) for name, each in found.items()}
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays


class _Matrix:
    """One matrix, as far as its lines have been read."""

    def __init__(self, spelled: Spelled, stated: tuple[int, ...]) -> None:
        self.spelled, self.stated = spelled, stated
        self.blocks: list[list[list[Any]]] = [[]]
        self.columns = 0
        """The last column that a heading has named."""
        self.width = 0
        """How many columns the heading of the block says it has; 0 where it has none."""
        self.exponent = ""

    def take(self, line: str, number: int) -> None:
        """A line behind the name: a factor, a heading of columns, or a row."""
        if scale := _SCALE.fullmatch(line):
            if float(scale[1]) != 1 or self.blocks != [[]]:
                raise FileError(f"line {number}: {line.strip()} is no factor of the whole matrix", hint="format long g")
            self.exponent = f"e{scale[2]}"
        elif heading := _COLUMNS.fullmatch(line):
            first, last = int(heading[1]), int(heading[2] or heading[1])
            if first != self.columns + 1:
                raise FileError(
                    f"line {number}: columns from {first} on stand here, and those before end at {self.columns}",
                    hint="copy all of the print",
                )
            if self.blocks[-1]:
                self.blocks.append([])
            self.columns, self.width = last, last - first + 1
        else:
            self.blocks[-1].append(self._row(line, number))

    def _row(self, line: str, number: int) -> list[Any]:
        cells = line.split()
        wrong = next((each for each in cells if parse_number(each) is None), None)
        if wrong is not None:
            raise FileError(
                f"line {number}: {shortened(wrong)} is not a number", hint="MATLAB's print is a name and =, then rows"
            )
        if self.exponent and (odd := next((each for each in cells if re.search("[eE/]", each)), None)):
            raise FileError(f"line {number}: {odd} under a factor of all numbers", hint="print with format long g")
        first = self.blocks[-1][0] if self.blocks[-1] else cells
        if len(cells) != (self.width or len(first)):
            raise FileError(
                f"line {number} has {len(cells)} numbers, but expected are {self.width or len(first)}",
                hint="copy all of the print",
            )
        return [parse_number(each + self.exponent, self.spelled) for each in cells]

    def array(self, name: str) -> Any:
        """Its blocks side by side."""
        if not self.blocks[0] or len({len(block) for block in self.blocks}) > 1:
            raise FileError(f"{name} has no rows, or blocks of unequal height", hint="copy all of the print")
        rows = [[cell for part in parts for cell in part] for parts in zip(*self.blocks, strict=True)]
        if self.stated and self.stated != (len(rows), len(rows[0])):
            raise FileError(f"{name} states other sizes than it has rows and columns", hint="copy all of the print")
        array = stacked(rows, self.spelled)
        array = array[0] if len(rows) == 1 else array
        return array.reshape(()) if array.shape == (1,) else array
