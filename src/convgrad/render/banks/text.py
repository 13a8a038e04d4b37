"""The words of a question in HTML: what is given, what is asked, and what is said of a mistake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import numpy as np

from convgrad.core.element import Array
from convgrad.core.rational import fraction
from convgrad.mistakes.mistake import Mistake
from convgrad.numerals import Numeral
from convgrad.teaching.asked import ends, plain
from convgrad.teaching.bank import Part, Wrong
from convgrad.teaching.exercise import Exercise

STYLE = 'style="border-collapse:collapse;margin:0.5em 0"'
CELL = 'style="border:1px solid #999;padding:0.1em 0.5em;text-align:right"'

_MARKUP = {ord("["): "&#91;", ord("{"): "&#123;", ord("\\"): "&#92;", ord("#"): "&#35;", ord("@"): "&#64;"}
"""What platforms read as markup of their own."""


def words(text: str) -> str:
    """A text that is words on every platform, and never markup."""
    found = escape(text)
    return "".join(each if each.isalnum() else _plain(each, found, at) for at, each in enumerate(found))


def _plain(sign: str, text: str, at: int) -> str:
    entity = sign == "#" and at > 0 and text[at - 1] == "&"
    return sign if entity else sign.translate(_MARKUP)


def number(value: Any) -> str:
    """A number as it is given: a decimal, or a fraction where it does not end."""
    if isinstance(value, Numeral):
        return value.text
    found = fraction(value)
    return plain(found) if ends(found) else str(found)


def table(array: Array) -> str:
    """A plane of texts as an HTML table."""
    rows = np.atleast_2d(array).tolist()
    cells = ("".join(f"<td {CELL}>{words(each)}</td>" for each in row) for row in rows)
    return f"<table {STYLE}>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"


def given(name: str, array: Array) -> Iterator[str]:
    """An operand: its name, and its planes."""
    texts = np.array([number(each) for each in array.ravel().tolist()], object).reshape(array.shape)
    if texts.ndim == 0:
        yield f"<p><code>{words(name)}</code> = {words(texts.item())}</p>"
        return
    if texts.ndim <= 2:
        yield f"<p><code>{words(name)}</code>, {shape(texts.shape)}</p>{table(texts)}"
        return
    for place in np.ndindex(texts.shape[:-2]):
        index = ", ".join(map(str, place))
        yield f"<p><code>{words(f'{name}[{index}]')}</code>, {shape(texts.shape[-2:])}</p>{table(texts[place])}"


def shape(sizes: Sequence[int]) -> str:
    """``2 x 3``, or how many numbers."""
    return " x ".join(map(str, sizes)) if len(sizes) > 1 else f"{sizes[0]} number{'s' if sizes[0] > 1 else ''}"


def grid(array: Array) -> Array:
    """A result as it is asked for: its planes below one another, a vector as one row."""
    return array.reshape(-1, array.shape[-1]) if array.ndim > 1 else array.reshape(1, -1)


def task(exercise: Exercise) -> str:
    """What is given, in paragraphs."""
    operands = "".join(each for name, array in exercise.given.items() for each in given(name, array))
    title = exercise.title
    return f"<p>{words(title[:1].upper() + title[1:])}. Given are:</p>{operands}"


def wanted(part: Part, digits: int) -> str:
    """What is asked, in a paragraph."""
    sizes = part.right.texts.shape
    said = f", {shape(sizes)}" if part.right.texts.size > 1 else ""
    below = "; its planes stand below one another" if np.prod(sizes[:-2]) > 1 else ""
    rounding = ""
    if part.asked.fractions:
        rounding = " Write fractions as 1/3."
    elif part.asked.rounded:
        rounding = f" Round numbers that have more to {digits} significant digits."
    return f"<p>Work out <code>{words(part.name)}</code>{said}{below}.{rounding}</p>"


def feedback(wrong: Wrong) -> str:
    """What happened and how to mend it, of every mistake that gives the answer; the right value is not said."""
    also = "<p>The numbers do not tell these apart:</p>" if len(wrong.mistakes) > 1 else ""
    return also + "".join(map(_told, wrong.mistakes))


def _told(mistake: Mistake) -> str:
    if mistake.convention:
        return f"<p>Right under another convention: {words(mistake.what)} ({words(mistake.convention)}).</p>"
    return f"<p>{words(mistake.what)}</p><p>{words(mistake.mend)}</p>"
