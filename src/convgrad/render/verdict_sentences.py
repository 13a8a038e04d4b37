"""What is said of an answer, sentence by sentence, the same for every format that people read."""

from __future__ import annotations

from collections.abc import Iterator

from convgrad.checking.verdict import COARSE, FOLLOWS, MISSING, RIGHT, UNANSWERED, WRONG, WRONG_SHAPE, Checked, Verdict
from convgrad.core.element import element_name
from convgrad.errors import listed
from convgrad.render.error_sentences import errors_told

MOST_CELLS_DRAWN = 200
"""An answer with more cells than this is not drawn: what is off in it is summed up."""


def outcome(checked: Checked) -> str:
    """How it went in all."""
    verdicts = checked.verdicts.values()
    right, total = sum(verdict.verdict == RIGHT for verdict in verdicts), len(verdicts)
    if total == 1:
        return "the answer is right" if right else "the answer is not right"
    if right in (0, total):
        return f"all {total} answers are right" if right else f"none of the {total} answers is right"
    return f"{right} of {total} answers {'is' if right == 1 else 'are'} right"


def of_right(verdict: Verdict, reveal: bool) -> str:
    """A right answer in a line: by which rule it is right, what it shows, and what else was noticed."""
    how = f"right, {verdict.answer.words}"
    if phrases := verdict.shows.phrases:
        how += f": {listed(phrases)}"
    if verdict.cut_cells:
        how += f"; cut off, not rounded: {_named(verdict, verdict.cut_cells)}"
    return how + "".join(f"; {remark.said(reveal)}" for remark in verdict.remarks)


def sentences(verdict: Verdict, reveal: bool, precision: int | None = None) -> Iterator[str]:
    """Of an answer that is not right: what is wrong, where, and what was noticed besides."""
    if headline := _headline(verdict):
        yield headline
    if verdict.answer.by_dtype:
        yield f"Compared {verdict.answer.words}."
    if verdict.cut_cells:
        yield f"Cut off, not rounded: {_named(verdict, verdict.cut_cells)}."
    if verdict.coarse_cells and len(verdict.coarse_cells) < verdict.answer.numbers.size:
        yield f"Too few digits to tell: {_named(verdict, verdict.coarse_cells)}."
    for remark in verdict.remarks:
        text = remark.said(reveal)
        yield (text if text.startswith(verdict.name) else text[0].upper() + text[1:]) + "."
    if verdict.answer.numbers.size > MOST_CELLS_DRAWN:
        yield from errors_told(verdict, reveal, precision)


def on_mistakes(verdict: Verdict) -> str:
    """What is to be said before mistakes are named, or because none is; empty where there is nothing."""
    if len(verdict.sightings) > 1:
        return f"These {len(verdict.sightings)} explain it equally well; these numbers cannot tell them apart."
    told = any(not remark.place for remark in verdict.remarks)
    if verdict.searched and not verdict.sightings and not told and verdict.verdict == WRONG:
        return "No known mistake gives these numbers."
    return ""


def _headline(verdict: Verdict) -> str:
    if verdict.verdict == MISSING:
        return "It has to be answered, and is not there."
    if verdict.verdict == UNANSWERED:
        return "There is no answer." if verdict.answer.blank.all() else "It is answered in part."
    if verdict.verdict == COARSE:
        return "It is what rounding gives, but to fewer than 3 digits; write more of them."
    if verdict.verdict == FOLLOWS:
        return f"Worked rightly from your {verdict.follows}, which is not right itself: mend that first."
    if verdict.convention is not None:
        option = verdict.convention.convention
        return f"Right under another convention than the one in force ({option})."
    if verdict.verdict == WRONG_SHAPE:
        return ""  # the remark says it
    if any(remark.kind in ("one-cell", "all-cells", "not-finite") for remark in verdict.remarks):
        return ""
    wrong, size = int(verdict.wrong.sum()), verdict.answer.numbers.size
    return "It is wrong." if size == 1 else f"{wrong} of {size} cells {'is' if wrong == 1 else 'are'} wrong."


def _named(verdict: Verdict, cells: list[tuple[int, ...]]) -> str:
    """Cells by their names, the first few of them."""
    if len(cells) == verdict.answer.numbers.size > 1:
        return "every cell"
    listed = [element_name(verdict.name, cell) for cell in cells[:6]]
    return ", ".join(listed) + (f" and {len(cells) - 6} more" if len(cells) > 6 else "")
