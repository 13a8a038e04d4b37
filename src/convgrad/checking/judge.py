"""From answers to verdicts: shapes first, then cells, then where a wrong answer comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from convgrad.checking import shapes
from convgrad.checking.cells import remarks as remarks_on_cells
from convgrad.checking.rules import AS_USUAL, Manner
from convgrad.checking.search import Carried, Follow, Reworked, Search, with_sightings
from convgrad.checking.verdict import (
    COARSE,
    MISSING,
    RIGHT,
    UNANSWERED,
    WRONG,
    WRONG_SHAPE,
    Checked,
    Question,
    Remark,
    Verdict,
    causes_first,
)
from convgrad.checking.written import Answer
from convgrad.mistakes.deadline import Deadline

if TYPE_CHECKING:
    from convgrad.mistakes.proof import Proof


def judge(
    title: str,
    asked: Mapping[str, Question],
    answers: Mapping[str, Answer],
    follow: Follow,
    manner: Manner = AS_USUAL,
    reworked: Reworked | None = None,
    carried: Carried | None = None,
) -> Checked:
    """Hold every answer against its result -> the verdicts, in the order of the results."""
    firsts = {name: _compared(name, asked[name], answers[name]) for name in asked if name in answers}
    whole = {name: each for name, each in firsts.items() if each.match is not None and not each.answer.blank.any()}
    others = {name: each for name, each in whole.items() if not each.not_finite_cells}

    searched = [name for name, each in firsts.items() if manner.diagnosis and each.verdict in (WRONG, WRONG_SHAPE)]
    time, found = Deadline(manner.seconds), dict[str, Verdict]()
    for name in asked:
        if name in firsts:
            verdict = replace(firsts[name], searched=name in searched)
            if verdict.searched:
                own = time.part(len(searched) - searched.index(name))
                search = Search(verdict, asked[name], others, follow, reworked, own, carried)
                verdict = _timed(_explained(verdict, asked[name], search), own, manner.seconds)
            if manner.diagnosis and verdict.verdict == RIGHT:
                verdict = replace(verdict, proving=_proving(verdict.answer, asked[name]))
            found[name] = replace(verdict, same_as=_same_slip(verdict, found.values()))
        elif name in manner.require:
            found[name] = Verdict(name, MISSING, Answer.none(), asked[name].quantity.value)
    named = {name: each for name, each in found.items() if each.sightings}
    for name in found.keys() - named.keys() if named else ():
        found[name] = _same_elsewhere(found[name], firsts.get(name), asked[name].result, named)
    if manner.diagnosis and sum(each.verdict == WRONG for each in found.values()) > 1:
        from convgrad.checking.misread import noted  # not needed where answers are right

        found = noted(found, asked)
    found = {name: _with_doubts(each, firsts.get(name)) for name, each in found.items()}
    return Checked(title, causes_first(found), manner.reveal)


def _proving(answer: Answer, question: Question) -> Callable[[], Proof] | None:
    """What tells what a right answer proves."""
    case, result = question.case, question.result
    if case is None:
        return None

    def told() -> Proof:
        from convgrad.mistakes.proof import proof  # not needed where nobody asks

        return proof(case, result, answer.says, answer.says_each)

    return told


def _same_slip(verdict: Verdict, earlier: Iterable[Verdict]) -> str:
    """The first earlier answer that one of the same mistakes explains; empty where there is none."""
    named = {each.mistakes for each in verdict.sightings}
    return next((other.name for other in earlier if named & {each.mistakes for each in other.sightings}), "")


def _same_elsewhere(verdict: Verdict, first: Verdict | None, result: str, named: Mapping[str, Verdict]) -> Verdict:
    """A wrong answer of too few digits to name a mistake by, with the one that another answer shows to be made.

    first: the verdict from its cells alone: what was made of a single cell gives way to it; result: its name in its
    layer.
    """
    for other in named.values():
        mistakes = {each.mistakes for each in other.sightings}
        same = [each for each in verdict.doubtful if each.mistakes in mistakes]
        if same and first is not None and first.match is not None:
            return replace(with_sightings(first, result, same), searched=True, same_as=other.name)
    return verdict


def _with_doubts(verdict: Verdict, first: Verdict | None) -> Verdict:
    """A verdict that says so where a known mistake may be behind it, but its numbers are too few to tell."""
    if not verdict.doubtful or verdict.sightings or verdict.verdict != WRONG or first is None:
        return verdict
    if any(not each.place for each in verdict.remarks if each not in first.remarks):
        return verdict  # something else explains it
    numbers = verdict.answer.numbers
    if numbers.size == 1:
        text = "a known mistake may give it, but too few digits were written to tell"
    elif not np.ptp(numbers):
        text = "a known mistake may give these numbers, but the same number everywhere does not tell"
    else:
        text = "a known mistake may give these numbers, but they differ in too few digits to tell"
    return replace(verdict, remarks=(*verdict.remarks, Remark("too-few-to-tell", text, text)))


def _compared(name: str, question: Question, answer: Answer) -> Verdict:
    """The verdict from shape and cells alone."""
    value, spatial = question.quantity.value, question.quantity.spatial
    if answer.blank.all():
        return Verdict(name, UNANSWERED, answer, value, spatial=spatial)
    answer, read_as = shapes.as_meant(answer, value.shape)
    if answer.numbers.shape != value.shape:
        remarks = shapes.remarks(answer, value, question)
        return Verdict(name, WRONG_SHAPE, answer, value, remarks=remarks, spatial=spatial)
    match = answer.matches(value)
    remarks = (*read_as, *remarks_on_cells(name, answer, value, match))
    verdict = Verdict(name, WRONG, answer, value, match, remarks=remarks, spatial=spatial)
    if verdict.wrong.any():
        return verdict
    said = RIGHT if match.right.all() else UNANSWERED if answer.blank.any() else COARSE
    return replace(verdict, verdict=said)


def _timed(verdict: Verdict, deadline: Deadline, seconds: float) -> Verdict:
    """A verdict that says so where the time for the search was over before all was tried."""
    if not deadline.cut:
        return verdict
    text = f"the search for known mistakes was cut off, at {seconds:g} seconds for all answers; others may explain it"
    return replace(verdict, remarks=(*verdict.remarks, Remark("search-cut", text, text)))


def _explained(first: Verdict, question: Question, search: Search) -> Verdict:
    """A wrong answer with what is behind it: as it stands, or, of a wrong shape, as it may have been meant.

    Where numbers are not finite nothing can be recognised, but for where they are.
    """
    if first.not_finite_cells or first.answer.blank.any():
        from convgrad.checking.diagnosis import diagnose

        found = () if first.match is None else (*diagnose(first, question.quantity),)
        return replace(first, remarks=(*first.remarks, *found))
    verdict = search.explained()
    if first.match is not None or verdict.sightings or verdict.follows:
        return verdict
    for how, answer in shapes.readings(first.answer, first.value.shape):
        inner = replace(first, verdict=WRONG, answer=answer, match=answer.matches(first.value), remarks=())
        if inner.match is None or inner.match.right.all():
            break  # it has been said
        told = replace(search, first=inner).explained()
        remarks = shapes.told(how, told)
        if remarks:
            return replace(
                told, verdict=WRONG_SHAPE, answer=first.answer, match=None, remarks=(*first.remarks, *remarks)
            )
    return verdict
