"""Arrays pasted from elsewhere: numpy's and PyTorch's printing, MATLAB's brackets. Tokenised, never evaluated."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from convgrad.errors import FileError
from convgrad.files.breaks import rows_by_lines
from convgrad.files.console import Factor
from convgrad.files.json_text import MOST_DEPTH, line_and_column
from convgrad.numerals import NUMBER, Spelled, parse_answer, to_float, to_numeral

HEAD = re.compile(rf"\s*(?:[A-Za-z_]\w*\s*=\s*)?(?:[A-Za-z_][\w.]*\s*\(\s*)?(?:({NUMBER})\s*\*\s*)?(?=[\[(])", re.ASCII)
"""What may stand before the first bracket: a name, ``array(``, a factor."""

_TAIL = re.compile(r"\s*(?:,\s*[a-z_]+\s*=\s*(?:\([^)]*\)|<[^>]*>|'[^']*'|\"[^\"]*\"|[\w.]+)\s*)*,?\s*\)?\s*;?\s*")
_TENSOR = re.compile(r"\btensor\s*\(")
_INNERMOST = re.compile(r"([^\[\]()]*)[\])]")
_TOKEN = re.compile(
    rf"(?P<space>\s+)|(?P<open>[\[(])|(?P<close>[\])])|(?P<row>;)|(?P<comma>,)"
    rf"|(?P<number>{NUMBER})(?![\w.+-])|(?P<dots>\.\.\.)|(?P<word>[A-Za-z_+-][\w+-]*|.)",
    re.ASCII,
)


@dataclass
class _Level:
    """One bracket, as far as it has been read."""

    by_lines: bool = False
    items: list[Any] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)

    def end_row(self) -> None:
        """A semicolon, or the end of a line that is a row: ``[1 2; 3 4]``, ``[[1 2]; [3 4]]``."""
        if self.items and isinstance(self.items[0], list):
            if len(self.items) > 1 or isinstance(self.items[0][0], list):
                raise FileError(
                    "semicolons stand between brackets, which MATLAB joins to one matrix",
                    hint="write one bracket with semicolons between its rows, or commas between brackets",
                )
            self.rows += self.items
        elif self.items:
            self.rows.append(self.items)
        self.items = []

    def closed(self) -> list[Any]:
        """All of it."""
        if self.rows and self.items:
            self.end_row()
        return self.rows or self.items


def parse_pasted(text: str, spelled: Spelled = to_float) -> Any:
    """``array([[1., 2.]])``, ``[[1. 2.]\\n [3. 4.]]``, ``[1 2; 3 4]`` -> nested lists of numbers.

    Rows end at brackets, at semicolons, and at line breaks that numpy has not made, wrapping a long row. FileError
    gives line and column.
    """
    head = HEAD.match(text)
    position = head.end() if head else 0
    factor = Factor(spelled, head[1] if head else None)
    stack, previous = [_Level()], "open"
    while len(stack) > 1 or not stack[0].items:
        match = _TOKEN.match(text, position)
        if match is None:
            raise FileError(
                f"{line_and_column(text, position)}: the array ends too early", hint="a closing bracket is missing"
            )
        try:
            kind = _take(match, stack, previous, factor)
        except FileError as error:
            raise FileError(f"{line_and_column(text, position)}: {error.message}", hint=error.hint) from None
        previous = previous if kind == "space" else kind
        position = match.end()
    if not _TAIL.fullmatch(text, position):
        found = text[position:].strip()[:20]
        raise FileError(
            f"{line_and_column(text, position)}: found {found!r} behind the array",
            hint="write the transposed array out" if found[0] in "'." else "give one array",
        )
    return stack[0].items[0]


def _take(match: re.Match[str], stack: list[_Level], previous: str, factor: Factor) -> str:
    """Put a token where it belongs -> what it was; FileError where it may not stand there."""
    kind, level = str(match.lastgroup), stack[-1]
    inside = len(stack) > 1
    if kind == "open":
        if len(stack) > MOST_DEPTH:
            raise FileError(f"nested more than {MOST_DEPTH} levels deep")
        body = _INNERMOST.match(match.string, match.end())
        stack.append(_Level(body is not None and rows_by_lines(body[1], len(stack))))
    elif kind == "close" and inside:
        stack.pop()
        stack[-1].items.append(level.closed())
    elif kind == "space":
        if level.by_lines and "\n" in match[0] and previous == "number":
            level.end_row()
    elif kind == "row" and previous != "open":
        level.end_row()
    elif kind == "number" and inside:
        level.items.append(factor.times(match[0]))
    elif kind == "word" and inside and factor.spelled is to_numeral and (answer := parse_answer(match[0])) is not None:
        level.items.append(answer)
        return "number"
    elif kind != "comma" or previous not in ("number", "close"):
        raise FileError(f"found {match[0]!r} where a number or a bracket was expected", hint=_hint(match))
    return kind


def _hint(match: re.Match[str]) -> str:
    token = match[0]
    if token == "..." and _TENSOR.search(match.string):
        return 'the tensor was printed abbreviated; print it whole: torch.set_printoptions(profile="full")'
    if token == "...":
        return "the array was printed abbreviated; print it whole (numpy: np.set_printoptions(threshold=10**9))"
    if token == ".":
        return "write an array printed page by page as blocks of rows with blank lines between, or save a .npy"
    if token.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        return "convgrad takes finite numbers only"
    return ""
