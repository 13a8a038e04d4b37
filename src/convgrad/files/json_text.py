"""JSON -> Python values, with line and column of what is wrong."""

from __future__ import annotations

import json
import re
from typing import Any

from convgrad.errors import FileError
from convgrad.numerals import Spelled, parse_answer, to_float, to_numeral

MOST_DEPTH = 64
"""Nesting beyond this is refused here, because Python's own limit differs between versions."""

_STRING = r'"(?:[^"\\]|\\.)*"?'


def line_and_column(text: str, position: int) -> str:
    """``line 3, column 7`` of a position in a text."""
    line = text.count("\n", 0, position) + 1
    return f"line {line}, column {position - text.rfind(chr(10), 0, position)}"


def parse_json(text: str, spelled: Spelled = to_float) -> Any:
    """Strict JSON -> dicts, lists, numbers, strings; FileError for syntax, duplicate names, NaN and infinity.

    spelled: what is made of numbers with a point or an exponent; whole ones are Python's integers, or Numerals. Answers
    (Numerals) may be NaN and infinite.
    """
    _check_depth(text)
    reading = None if spelled is to_float else spelled  # json's own float is quicker
    try:
        return json.loads(
            text,
            parse_float=reading,
            parse_int=to_numeral if spelled is to_numeral else None,
            parse_constant=parse_answer if spelled is to_numeral else _Constant.refuse,
            object_pairs_hook=_pairs,
        )
    except json.JSONDecodeError as error:
        if comma := _trailing_comma(text, error.pos):
            raise comma from None
        raise FileError(
            f"line {error.lineno}, column {error.colno}: not valid JSON ({error.msg})", hint=_hint(text, error.pos)
        ) from None
    except _Constant as constant:
        found = next(m for m in re.finditer(rf"{_STRING}|NaN|-?Infinity", text) if m[0] == str(constant))
        raise FileError(
            f"{line_and_column(text, found.start())}: {constant} is not a finite number",
            hint="convgrad takes finite numbers only",
        ) from None
    except ValueError:  # Python's limit on the digits of an integer
        found = next(re.finditer(r"[0-9]{4000,}", text))
        raise FileError(
            f"{line_and_column(text, found.start())}: a number of {len(found[0])} digits is too large"
        ) from None


class _Constant(Exception):  # noqa: N818 - a signal inside this file
    @classmethod
    def refuse(cls, name: str) -> None:
        raise cls(name)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise FileError(f"the name {twice!r} stands twice in one object", hint="keep one of them")
    return entries


def _check_depth(text: str) -> None:
    depth = 0
    for match in re.finditer(rf"{_STRING}|[\[{{\]}}]", text):
        if match[0] in "[{":
            depth += 1
            if depth > MOST_DEPTH:
                raise FileError(f"{line_and_column(text, match.start())}: nested more than {MOST_DEPTH} levels deep")
        elif match[0] in "]}":
            depth -= 1


def _trailing_comma(text: str, position: int) -> FileError | None:
    """What to say of a comma before a closing bracket, where that is what JSON stumbles over."""
    comma = text.rfind(",", 0, position + 1)
    closed = re.compile(r",\s*([\]}])").match(text, comma) if comma >= 0 else None
    if closed is None or closed.end() <= position:
        return None
    where = line_and_column(text, comma)
    return FileError(f"{where}: a comma stands before the closing {closed[1]}", hint="take the comma out")


def _hint(text: str, position: int) -> str:
    after = text[position : position + 1]
    if not after:
        return "the text ends too early; a bracket may be missing"
    if after == "'":
        return "JSON strings stand in double quotes"
    return f"found {after!r} there"
