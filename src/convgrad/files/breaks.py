"""Line breaks between the numbers of one bracket: rows as MATLAB takes them, or one row that numpy has wrapped."""

from __future__ import annotations

import re

from convgrad.errors import FileError

LONGEST = 60
"""numpy wraps at 75 characters; lines up to this length it wraps only where it was told to."""

NARROWEST = 40
"""Nobody tells numpy to wrap lines that are narrower than this."""

_BARE = re.compile(r"[^,;\s][^\S\n]*\n\s*[^,;\s]")
_CLOSE_COMMA, _BLANK = re.compile(r"[0-9.],[0-9.]"), re.compile(r"[0-9.][^\S\n]+[0-9.+-]")


def rows_by_lines(body: str, depth: int) -> bool:
    """Whether the lines of an innermost bracket are rows; False where they are one row that was wrapped.

    body: what stands in the bracket; depth: how many brackets are open there, itself included. FileError where both
    could be meant.
    """
    if _CLOSE_COMMA.search(body) and _BLANK.search(body):
        raise FileError("commas and blanks both part its numbers", hint="write decimals with a point, or commas alone")
    if depth > 1 and ";" in body:
        raise FileError(
            "semicolons stand in a bracket inside a bracket, which MATLAB joins to one matrix",
            hint="write one bracket with semicolons between its rows, or a bracket for each row and no semicolons",
        )
    if "\n" not in body or not _BARE.search(body.strip()):
        return False
    wrapped = _wrapped(body, depth)
    if depth > 1:
        if not wrapped:
            raise FileError("a row goes on in the next line", hint="put each row into a bracket of its own")
        return False
    if wrapped and len({len(line.split()) for line in body.splitlines()}) == 1:
        raise FileError(
            "its lines are rows, or one row that was wrapped",
            hint="end each row with a semicolon, or part the numbers of one row by commas",
        )
    return not wrapped


def _wrapped(body: str, depth: int) -> bool:
    """Whether numpy may have printed these lines as one row.

    It begins what it wraps with a blank for each bracket, sets all numbers equally wide, and fills all lines but the
    last; it prints no commas there, no semicolons, and no line break next to a bracket.
    """
    lines = body.splitlines()
    counts = [len(line.split()) for line in lines]
    if "," in body or ";" in body or len(set(counts[:-1])) > 1 or not 0 < counts[-1] <= counts[0]:
        return False
    if not all(line[:1].isspace() for line in lines[1:]):
        return False
    if (longest := depth + max(map(len, lines))) > LONGEST:
        return True  # some of its blanks may have been lost on the way
    width = max(map(len, body.split()))
    if longest + 1 + width + depth <= NARROWEST or not all(line[:depth].isspace() for line in lines[1:]):
        return False
    columns = [_columns(line) for line in (lines[0], *(line[depth:] for line in lines[1:]))]
    return all(each == columns[0][: len(each)] for each in columns)


def _columns(line: str) -> list[int]:
    """Where the points of its numbers stand, or the ends of those without, which numpy sets below one another."""
    return [match.start() + len(match[0].partition(".")[0]) for match in re.finditer(r"\S+", line)]
