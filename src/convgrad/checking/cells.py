"""What is to be said of single cells, whatever the verdict: none, no number, or a 0 of too few places."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from convgrad.checking.verdict import Remark
from convgrad.checking.written import Answer, Match
from convgrad.core.element import Array, element_name


def remarks(name: str, answer: Answer, value: Array, match: Match) -> Iterator[Remark]:
    """Blank cells, NaN and infinities, and zeros that were taken to be meant."""
    blank = answer.blank
    if blank.any():
        yield _said("blank", "is left blank", "are left blank", name, blank)
        yield _of_the_others(~blank, match.right)
    if (odd := ~np.isfinite(answer.numbers) & ~blank).any():
        nans = int(np.isnan(answer.numbers[odd]).sum())
        what = f"not finite ({'infinite' if not nans else 'NaN' if nans == odd.sum() else 'NaN or infinite'})"
        yield _said("not-finite", f"is {what}", f"are {what}", name, odd)
        if (match.right | odd).all() and not odd.all():
            yield Remark("others-right", "all other numbers are right", "all other numbers are right")
    if answer.given.dtype.kind in "iub" and not (answer.rules.tolerant or match.right.all()):
        text = (
            f"it is an array of {answer.given.dtype}, and whole numbers are right only where they are exactly so; "
            "hand in floats, or say --quantised, --rtol or --atol"
        )
        yield Remark("integers", text, text)
    if (np.asarray(value) == 0).any():
        return  # a result with zeros of its own: who writes 0 there means it
    zero = answer.meant_as_zero(value) & answer.numbers.any() & ~match.right & ~match.coarse
    short = [cell for cell in np.argwhere(zero) if _is_rounding(str(answer.texts[tuple(cell)]), value[tuple(cell)])]
    if short:
        cell = tuple(map(int, short[0]))
        more = f" (and {len(short) - 1} more)" if len(short) > 1 else ""
        text = (
            f"{element_name(name, cell)}{more} is written {answer.texts[cell]} beside numbers of more places, so it is "
            "read as 0; write as many places there"
        )
        yield Remark("zero-beside-finer", text, text)


def _of_the_others(answered: Array, right: Array) -> Remark:
    """How many of the cells that are answered are right."""
    count, good = int(answered.sum()), int((answered & right).sum())
    if count == 1:
        text = f"the cell that is answered is {'right' if good else 'not right'}"
    elif good in (0, count):
        text = f"{'all' if good else 'none'} of the {count} cells that are answered {'are' if good else 'is'} right"
    else:
        text = f"{good} of the {count} cells that are answered {'is' if good == 1 else 'are'} right"
    return Remark("answered", text, text)


def _is_rounding(text: str, value: float) -> bool:
    """Whether a 0 of some places is what rounding the value to them gives."""
    return abs(value) <= 10.0 ** -len(text.partition(".")[2]) / 2


def _said(kind: str, one: str, several: str, name: str, mask: Array) -> Remark:
    """A remark on the cells of a mask: the number of them and the first."""
    first = element_name(name, tuple(int(i) for i in np.argwhere(mask)[0]))
    count = int(np.count_nonzero(mask))
    if mask.size == 1:
        text = f"it {one}"
    elif count == 1:
        text = f"{first} {one}"
    else:
        text = f"{count} of {mask.size} cells {several}, the first of them {first}"
    return Remark(kind, text, text)
