"""Arrays pasted from elsewhere: numpy's and PyTorch's printing, MATLAB's brackets. Tokenised, never evaluated."""

from __future__ import annotations

import re
from typing import Any

from convgrad.errors import FileError
from convgrad.files.json_text import MOST_DEPTH, line_and_column
from convgrad.numerals import NUMBER, Spelled, parse_answer, to_float, to_numeral

_HEAD = re.compile(r"\s*(?:[A-Za-z_]\w*\s*=\s*)?(?:[A-Za-z_][\w.]*\s*\(\s*)?(?=[\[(])")
_TAIL = re.compile(r"\s*(?:,\s*[a-z_]+\s*=\s*(?:\([^)]*\)|<[^>]*>|'[^']*'|\"[^\"]*\"|[\w.]+)\s*)*,?\s*\)?\s*;?\s*")
LONGEST = 60
"""Lines up to this length are not wrapped by numpy."""

_TOKEN = re.compile(
    rf"(?P<space>\s+)|(?P<open>[\[(])|(?P<close>[\])])|(?P<row>;)|(?P<comma>,)"
    rf"|(?P<number>{NUMBER})(?![\w.+-])|(?P<dots>\.\.\.)|(?P<word>[A-Za-z_+-][\w+-]*|.)",
    re.ASCII,
)


def parse_pasted(text: str, spelled: Spelled = to_float) -> Any:
    """``array([[1., 2.]])``, ``[[1. 2.]\\n [3. 4.]]``, ``[1 2; 3 4]`` -> nested lists of numbers.

    A line break is a blank, as numpy wraps long rows; rows end at brackets or semicolons. FileError gives
    line and column.
    """
    head = _HEAD.match(text)
    position = head.end() if head else 0
    by_lines = _assigned(text, position)
    stack: list[tuple[list[Any], list[Any]]] = [([], [])]  # (items of this row, rows closed by semicolons)
    previous = "open"
    while len(stack) > 1 or not stack[0][0]:
        match = _TOKEN.match(text, position)
        if match is None:
            raise FileError(
                f"{line_and_column(text, position)}: the array ends too early", hint="a closing bracket is missing"
            )
        kind = match.lastgroup
        items, rows = stack[-1]
        if kind == "open":
            if len(stack) > MOST_DEPTH:
                raise FileError(f"{line_and_column(text, position)}: nested more than {MOST_DEPTH} levels deep")
            stack.append(([], []))
        elif kind == "close" and len(stack) > 1:
            stack.pop()
            stack[-1][0].append([*rows, items] if rows and items else rows or items)
        elif kind == "space" and by_lines and "\n" in match[0] and len(stack) == 2 and previous == "number":
            rows.append(items.copy())  # MATLAB: a line is a row
            items.clear()
        elif kind == "row" and previous != "open":
            if items:
                rows.append(items.copy())
            items.clear()
        elif kind == "number" and len(stack) > 1:
            items.append(spelled(match[0]))
        elif kind == "word" and len(stack) > 1 and spelled is to_numeral and parse_answer(match[0]) is not None:
            items.append(parse_answer(match[0]))
            kind = "number"
        elif kind == "comma" and previous in ("number", "close"):
            pass
        elif kind != "space":
            raise FileError(
                f"{line_and_column(text, position)}: found {match[0]!r} where a number or a bracket was expected",
                hint=_hint(match[0]),
            )
        if kind != "space":
            previous = str(kind)
        position = match.end()
    if not _TAIL.fullmatch(text, position):
        raise FileError(
            f"{line_and_column(text, position)}: found {text[position:].strip()[:20]!r} behind the array",
            hint="give one array",
        )
    return stack[0][0][0]


def _assigned(text: str, position: int) -> bool:
    """Whether lines are rows: ``A = [1 2 0`` with further rows below, as MATLAB takes it; numpy prints no name.

    FileError where the lines are as long as those that numpy wraps, so that both could be meant.
    """
    if not re.match(r"\s*[A-Za-z_]\w*\s*=\s*\[(?!\s*\[)", text):
        return False
    body = text[position:].partition("]")[0]
    lines = [line for line in body.splitlines() if line.strip()]
    if len(lines) > 1 and "," not in body and ";" not in body and max(map(len, lines)) > LONGEST:
        raise FileError(
            f"{line_and_column(text, position)}: its lines are rows, or one row that was wrapped",
            hint="end each row with a semicolon, or part the numbers of one row by commas",
        )
    return True


def _hint(token: str) -> str:
    if token == "...":
        return "the array was printed abbreviated; print it whole (numpy: np.set_printoptions(threshold=10**9))"
    if token.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        return "convgrad takes finite numbers only"
    return ""
