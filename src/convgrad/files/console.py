"""What MATLAB, Octave and old PyTorch print of a matrix: rows, in blocks of columns, with a name or a factor above."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from convgrad.errors import FileError, shortened
from convgrad.files.numbers import stacked
from convgrad.numerals import NUMBER, Spelled, parse_number, to_float

_HEAD = re.compile(r"\s*([A-Za-z]\w*)(\([:,\s\d]*\))?\s*=\s*(?:(\d+)\s*[x\u00d7]\s*(\d+))?\s*", re.ASCII)
_SCALAR = re.compile(rf"\s*([A-Za-z]\w*)\s*=\s*({NUMBER})\s*", re.ASCII)
_SCALE = re.compile(rf"\s*({NUMBER})\s*\*\s*", re.ASCII)
_SIZED = re.compile(r"\s*\[torch\.[\w.]*Tensor of size ([0-9]{1,9}(?:x[0-9]{1,9})*)[^\]]*\]\s*", re.ASCII)
_COLUMNS = re.compile(r"\s*Columns?\s+(\d+)(?:\s+(?:through|and|to)\s+(\d+))?\s*:?\s*", re.ASCII | re.I)


def looks_printed(text: str) -> bool:
    """Whether a text begins as a print does, ``A =``, ``b = 0.5`` or a factor alone, or ends with a tensor's size."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(">>")]
    return bool(lines) and bool(
        _HEAD.fullmatch(lines[0])
        or _SCALAR.fullmatch(lines[0])
        or _SCALE.fullmatch(lines[0])
        or _SIZED.match(lines[-1])
    )


def parse_printed(text: str, spelled: Spelled = to_float) -> Any:
    """MATLAB's print -> the array, (numbers,) for one row, () for one number; of several matrices by name.

    A factor such as ``1.0e+03 *`` is multiplied into the numbers as they are written. FileError gives the line.
    """
    found: dict[str, _Matrix] = {}
    matrix: _Matrix | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith(">>"):
            continue
        scalar = _SCALAR.fullmatch(line)
        head = scalar or _HEAD.fullmatch(line)
        if head and not scalar and head[2] is not None:
            raise FileError(
                f"line {number}: {line.strip()} is one page of an array with more axes",
                hint="write the pages as blocks of rows with blank lines between, channels first, or save a .npy",
            )
        if head:
            if head[1] in found:
                raise FileError(f"line {number}: {head[1]} is printed twice", hint="keep one of them")
            sizes = () if scalar or not head[3] else tuple(map(int, head.group(3, 4)))
            matrix = found[head[1]] = _Matrix(spelled, sizes)
            if scalar:
                matrix.take(scalar[2], number)
                matrix = None
        elif matrix is None and found:
            raise FileError(f"line {number}: {shortened(line.strip())} has no name", hint="copy all of the print")
        else:
            matrix = matrix or found.setdefault("the matrix", _Matrix(spelled))
            matrix.take(line, number)
    arrays = {name: each.array(name) for name, each in found.items()}
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays


@contextmanager
def _line(number: int) -> Iterator[None]:
    try:
        yield
    except FileError as error:
        raise FileError(f"line {number}: {error.message}", hint=error.hint) from None


class Factor:
    """A factor of all numbers, a power of ten: it is multiplied into their numerals, so that nothing is rounded."""

    def __init__(self, spelled: Spelled, factor: str | None = None) -> None:
        """factor: ``1.00000e-02``. FileError where it is no power of ten."""
        self.spelled, self.exponent = spelled, ""
        if factor is not None:
            mantissa, _, exponent = factor.lower().partition("e")
            if float(mantissa) != 1:
                raise FileError(f"the factor {factor} is not a power of ten", hint="multiply it into the numbers")
            self.exponent = f"e{exponent or 0}"

    def times(self, numeral: str) -> Any:
        """A numeral under the factor -> what it spells, times the factor; FileError for one with an exponent."""
        if self.exponent and re.search("[eE/]", numeral):
            raise FileError(f"{numeral} under a factor of all numbers", hint="print without the factor (format long g)")
        return parse_number(numeral + self.exponent, self.spelled)


class _Matrix:
    """One matrix, as far as its lines have been read."""

    def __init__(self, spelled: Spelled, stated: tuple[int, ...] = ()) -> None:
        self.spelled, self.stated = spelled, stated
        self.sized = False
        """Whether the sizes stated are all of its axes, as PyTorch states them; MATLAB's row is 1x3."""
        self.blocks: list[list[list[Any]]] = [[]]
        self.columns: int | None = None
        """The column that the next heading begins with, which counts them from 1, or in PyTorch from 0."""
        self.width = 0
        """How many columns the heading of the block says it has; 0 where it has none."""
        self.factor = Factor(spelled)

    def take(self, line: str, number: int) -> None:
        """A line behind the name: a factor, a heading of columns, a row, or the size that PyTorch ends with."""
        if scale := _SCALE.fullmatch(line):
            if self.blocks != [[]]:
                raise FileError(f"line {number}: {line.strip()} is no factor of the whole matrix", hint="format long g")
            with _line(number):
                self.factor = Factor(self.spelled, scale[1])
        elif sized := _SIZED.fullmatch(line):
            self.stated, self.sized = tuple(map(int, sized[1].split("x"))), True
        elif heading := _COLUMNS.fullmatch(line):
            first, last = int(heading[1]), int(heading[2] or heading[1])
            if first not in ((0, 1) if self.columns is None else (self.columns,)):
                raise FileError(
                    f"line {number}: columns from {first} on stand here, and those before end at "
                    f"{(self.columns or 1) - 1}",
                    hint="copy all of the print",
                )
            if self.blocks[-1]:
                self.blocks.append([])
            self.columns, self.width = last + 1, last - first + 1
        else:
            self.blocks[-1].append(self._row(line, number))

    def _row(self, line: str, number: int) -> list[Any]:
        cells = line.split()
        wrong = next((each for each in cells if parse_number(each) is None), None)
        if wrong is not None:
            raise FileError(
                f"line {number}: {shortened(wrong)} is not a number", hint="MATLAB's print is a name and =, then rows"
            )
        first = self.blocks[-1][0] if self.blocks[-1] else cells
        if len(cells) != (self.width or len(first)):
            raise FileError(
                f"line {number} has {len(cells)} numbers, but expected are {self.width or len(first)}",
                hint="copy all of the print",
            )
        with _line(number):
            return [self.factor.times(each) for each in cells]

    def array(self, name: str) -> Any:
        """Its blocks side by side."""
        if not self.blocks[0] or len({len(block) for block in self.blocks}) > 1:
            raise FileError(f"{name} has no rows, or blocks of unequal height", hint="copy all of the print")
        rows = [[cell for part in parts for cell in part] for parts in zip(*self.blocks, strict=True)]
        shape: tuple[int, ...] = (len(rows), len(rows[0]))
        if len(self.stated) == 1 and shape[1] == 1:
            rows, shape = [[row[0] for row in rows]], shape[:1]  # PyTorch prints a vector as a column
        if self.stated and self.stated != shape:
            raise FileError(f"{name} states other sizes than it has rows and columns", hint="copy all of the print")
        array = stacked(rows, self.spelled)
        if self.sized:
            return array.reshape(shape)
        array = array[0] if len(rows) == 1 else array
        return array.reshape(()) if array.shape == (1,) else array
