"""One submission graded: read, judged, given its points, as entries that JSON can hold.

Who submits may write anything, so nothing is evaluated, only regular files are opened, and what is wrong with one is
the reason that stands in its row.
"""

from __future__ import annotations

import os
import stat
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from convgrad.checking import check_case
from convgrad.checking.answers_file import answers_in, read_answers, unavailable
from convgrad.checking.rules import Manner, Rules
from convgrad.checking.verdict import WRONG, WRONG_SHAPE, Checked, Verdict
from convgrad.checking.written import Answer
from convgrad.core.operand import Operand
from convgrad.errors import ConvgradError, FileError
from convgrad.files import Reader
from convgrad.kinds import OF_PROBLEMS
from convgrad.mistakes.case import Case
from convgrad.numerals import to_numeral
from convgrad.problems import Operands, Settings
from convgrad.problems.solve import solver_of
from convgrad.teaching.marks import Marks

Entries = dict[str, Any]

SECONDS = 0.4
"""Seconds of computing that the search for mistakes in one submission may take; small problems need far less."""

REMEMBERED = 2000
"""Different submissions that are remembered: one that says the same is judged once."""

MOST_BYTES = 50 * 2**20
"""Bytes of a submission's file that are read at most."""

MOST_GIVEN = 1000
"""Numbers of a wrong answer that no mistake explains that are written in its row, at most."""


@dataclass(frozen=True)
class Task:
    """What is to be graded, as it can be handed to another process.

    layer: the kind's name; operands, settings: of the problem; rules: how answers are compared; reveal, diagnosis: as
    of a check.
    """

    layer: str
    operands: Operands
    settings: Settings
    marks: Marks
    rules: Rules = field(default_factory=Rules)
    reveal: bool = True
    diagnosis: bool = True

    def case(self) -> Case:
        """The problem, solved; ConvgradError where it is none."""
        kind = OF_PROBLEMS[self.layer]
        above = kind.given[-1]
        return Case.of(solver_of(kind), self.operands, self.settings, above.name in self.operands)


class Grader:
    """Grades submissions to one task, and remembers what it has judged."""

    def __init__(self, task: Task, tell: Callable[[Checked], Entries]) -> None:
        """tell: verdicts -> the entries that JSON has of them; ConvgradError where the task is no problem."""
        self._task, self._tell, self._case = task, tell, task.case()
        self._known: OrderedDict[Any, Entries] = OrderedDict()
        self._manner = Manner(task.reveal, task.diagnosis, tuple(task.marks.points), SECONDS)

    def graded(self, path: str) -> Entries:
        """A file -> ``{"status", "reason", "points", "max_points", "answers"}``, whatever is in it."""
        most = plain(self._task.marks.most)
        try:
            answers, strange = self._read(path)
        except ConvgradError as error:
            reason = str(error).replace(f"{os.path.abspath(path)}: ", "")
            return {"status": "unreadable", "reason": reason, "points": 0, "max_points": most, "answers": {}}
        key = (strange, *((name, _key(answer)) for name, answer in answers.items()))
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        found = self._known[key] = self._judged(answers, strange)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found

    def _read(self, path: str) -> tuple[dict[str, Answer], tuple[str, ...]]:
        """The answers in a file, and the entries that are to no result; ConvgradError for what is none."""
        where = os.path.abspath(path)  # a name such as 5 or - is a file's here
        _check_regular(where)
        loaded = Reader().read(where, to_numeral)
        solution, points = self._case.solution, [*self._task.marks.points]
        if isinstance(loaded, Operand):
            handed = read_answers(loaded, self._task.rules, solution.every, unavailable(solution), points)
        else:  # the problem itself may stand beside the answers
            every = [*solution.every]
            handed = answers_in(loaded, every, {}, every, self._task.rules, own=True)
        return handed.answers, handed.strange

    def _judged(self, answers: Mapping[str, Answer], strange: tuple[str, ...]) -> Entries:
        checked = check_case("", self._case, answers, self._manner)
        told, marks, earned = self._tell(checked)["answers"], self._task.marks, Fraction(0)
        for name, verdict in checked.verdicts.items():
            entry = told[name]
            if name in marks.points:
                entry |= {"points": plain(marks.of(verdict)), "max_points": plain(marks.points[name])}
                earned += marks.of(verdict)
            if _unexplained(verdict):
                entry["given"] = verdict.answer.numbers.tolist()
        more = {"not_compared": [*strange]} if strange else {}
        return {
            "status": "graded",
            "reason": "",
            "points": plain(earned),
            "max_points": plain(marks.most),
            "answers": told,
            **more,
        }


def _unexplained(verdict: Verdict) -> bool:
    """Whether it is wrong, and no known mistake gives it; answers with cells that hold no number are passed over."""
    if verdict.verdict not in (WRONG, WRONG_SHAPE) or verdict.sightings:
        return False
    return 0 < verdict.answer.numbers.size <= MOST_GIVEN and not (verdict.not_finite_cells or verdict.blank_cells)


def _check_regular(path: str) -> None:
    """FileError for what is no file, or a large one; nothing else is opened, for reading a pipe never ends."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        raise FileError("there is no such file") from None
    except (OSError, ValueError) as error:
        raise FileError(f"it cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if not stat.S_ISREG(found.st_mode):
        raise FileError("it is no file")
    if found.st_size > MOST_BYTES:
        raise FileError(f"it is larger than {MOST_BYTES // 2**20} MB")


def _key(answer: Answer) -> tuple[Any, ...]:
    """What an answer says: equal answers have equal keys, down to the zeros that were written."""
    texts = tuple(getattr(each, "text", each) for each in answer.given.ravel().tolist())
    return answer.given.shape, answer.given.dtype.str, texts


def plain(number: Fraction) -> int | float:
    """Points as JSON has them."""
    return number.numerator if number.denominator == 1 else float(number)
