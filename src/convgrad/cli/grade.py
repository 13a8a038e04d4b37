"""grade: a class's submissions held against one problem, with points, and what a teacher acts on."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from convgrad.cli.checking import as_compared, rules_of
from convgrad.cli.command import Command, Outcome
from convgrad.cli.options import LAYER, WRITING, Read, option, output
from convgrad.cli.waiting import counting
from convgrad.errors import OptionError, at, listed
from convgrad.kinds import OF_PROBLEMS
from convgrad.kinds.setting import choice, whole
from convgrad.numerals import parse_number, to_fraction

if TYPE_CHECKING:
    from convgrad.files import Reader
    from convgrad.problems import Solution
    from convgrad.render.grades import Row
    from convgrad.teaching.grading import Task
    from convgrad.teaching.submissions import Found

POINTS = "Points"

FEW = 3
"""Students who come twice that a note names."""


def _number(text: str) -> Fraction:
    found = parse_number(text.strip(), to_fraction)
    if found is None or found < 0:
        raise OptionError(f"{text!r} is no number of at least 0")
    return Fraction(found)


def _share(text: str) -> Fraction:
    found = _number(text)
    if found > 1:
        raise OptionError(f"{text} is no share from 0 to 1")
    return found


def _points(text: str) -> dict[str, Fraction]:
    """``dW=4,db=1``; OptionError for anything else."""
    found: dict[str, Fraction] = {}
    for part in text.split(","):
        name, sign, number = (each.strip() for each in part.partition("="))
        if not (name and sign):
            raise OptionError(f"{part!r} says no points", hint="write it as dW=4,db=1")
        if name in found:
            raise OptionError(f"{name} is given points twice")
        found[name] = _number(number)
    if not any(found.values()):
        raise OptionError("no result has points", hint="write it as dW=4,db=1")
    return found


@click.command(
    "grade",
    cls=Command,
    example="convgrad grade problem.json submissions/ --points dW=4,db=1,dX=5 -o grades.csv",
    help="Grade SUBMISSIONs, files or folders of files, by PROBLEM, a document as the layer commands read it (an "
    'exercise, say): one row a submission, and a summary. What is asked is its entry "ask", else every result of the '
    "backward pass. A submission holds answers by the names of results, or the one array that has points; it is read "
    "as --check reads it, never evaluated, and takes a second and 200 MB at most. One that cannot be read is a row "
    "that says why. Hidden files are passed over. With --summarise the arguments are files of --format jsonl, put "
    "together. The exit code is 0 where all are right, 1 where one is not or cannot be read, 2 where the work itself "
    "cannot be done.",
    params=[
        click.Argument(["sources"], metavar="PROBLEM SUBMISSION...", nargs=-1),
        option(
            LAYER,
            "--layer",
            type=Read(choice(OF_PROBLEMS), "layer"),
            metavar="NAME",
            help=f"What layer PROBLEM is of, where it does not say so: {', '.join(OF_PROBLEMS)}.",
        ),
        option(
            POINTS,
            "--points",
            type=Read(_points, "points"),
            metavar="NAME=N[,...]",
            help="Points of the results that count; 1 for each that is asked unless it is said.",
        ),
        option(
            POINTS,
            "--credit",
            type=Read(choice(("all", "cells")), "credit"),
            metavar="all|cells",
            default="all",
            help="Points of an answer whole or not at all (the default), or by the cells that are right.",
        ),
        *(
            option(
                POINTS,
                f"--{name}-credit",
                type=Read(_share, f"{name}-credit"),
                metavar="X",
                default=default,
                help=f"The share that an answer earns which {what}: from 0 to 1, {default} unless it is said.",
            )
            for name, default, what in (
                ("follows", "1", "is worked rightly from an earlier wrong one"),
                ("convention", "1", "is right under another convention"),
                ("coarse", "0", "has too few digits"),
            )
        ),
        option(
            POINTS,
            "--id-from",
            type=Read(choice(("file", "folder")), "id-from"),
            metavar="file|folder",
            default="file",
            help="Whose a submission is: its file's name without suffix (the default), or its folder's.",
        ),
        *as_compared(),
        option(
            WRITING,
            "--summarise",
            is_flag=True,
            help="Put files of --format jsonl together, such as those of several machines.",
        ),
        option(
            WRITING,
            "--jobs",
            type=Read(whole, "jobs"),
            metavar="N",
            help="How many submissions are judged at a time; as many as there are cores unless it is said. The rows do "
            "not depend on it.",
        ),
        *(each for each in output("grades") if each.name not in ("only", "precision")),
    ],
)
def grade(sources: tuple[str, ...], **options: Any) -> Outcome:
    if not sources:
        raise OptionError("there is nothing to grade", hint="give PROBLEM and SUBMISSION..., or --summarise FILE...")
    if options["summarise"]:
        from convgrad.teaching.shards import checked, rows_of

        names = checked(sources)
        return _written(rows_of(sources), names, False, options, sources, [])
    problem, *submissions = sources
    if not submissions:
        raise OptionError("there are no submissions", hint=f"convgrad grade {problem} SUBMISSION...")
    from convgrad.files import Reader
    from convgrad.teaching.submissions import Found

    reader = Reader()
    task, found = _task(reader, problem, options), Found(submissions, options["id_from"])
    known = list(islice(found, 2))
    if not known:
        raise OptionError(
            "there is no submission in it", where=submissions[0], hint="name files, or folders that hold some"
        )
    notes: list[str] = []
    rows = _graded(task, Found(submissions, options["id_from"]), options, notes)
    return _written(
        rows, tuple(task.marks.points), len(known) == 1, options, [*reader.paths, *submissions], notes, found
    )


def _task(reader: Reader, problem: str, options: Mapping[str, Any]) -> Task:
    """What is to be graded; ConvgradError where the problem is none, or points are given to no result."""
    from convgrad.problems.reading import document_in, need, read_document
    from convgrad.problems.solve import check_finite
    from convgrad.teaching.grading import Task
    from convgrad.teaching.marks import Marks

    kind, operands, settings = read_document(reader, problem, options["layer"])
    for given in kind.given:
        if given.needed:
            need(operands, given.name, given.wanting or given.name, problem)
    marks = Marks(
        {}, options["credit"], *(Fraction(options[f"{name}_credit"]) for name in ("follows", "convention", "coarse"))
    )
    task = Task(
        kind.name,
        operands,
        settings,
        marks,
        rules_of(options),
        not options["no_reveal"],
        not options["no_diagnosis"],
    )
    solution = task.case().solution
    check_finite(solution.every)
    points = _asked(solution, document_in(reader, problem).entries, problem) if options["points"] is None else {}
    if options["points"] is not None:
        points = _given(solution, options["points"])
    return replace(task, marks=replace(marks, points=points))


def _asked(solution: Solution, entries: Mapping[str, Any], problem: str) -> dict[str, Fraction]:
    """A point for each result that the document asks for, else for each of the backward pass."""
    from convgrad.problems.selection import Selection
    from convgrad.teaching.exercise import names_of

    with at(f"{problem}: ask"):
        asked = names_of(entries.get("ask", ()))
        names = Selection(tuple(solution.every), solution.left_out).chosen(asked) if asked else [*solution.quantities]
    return dict.fromkeys(names, Fraction(1))


def _given(solution: Solution, points: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """Points in the order of the results; OptionError for a result that is not there."""
    from convgrad.problems.selection import Selection

    names = Selection(tuple(solution.every), solution.left_out, "--points").chosen(points)
    return {name: points[name] for name in names}


def _graded(task: Task, found: Found, options: Mapping[str, Any], notes: list[str]) -> Iterator[Row]:
    """A row for each submission, in order; what is to be noted is known at the end."""
    from convgrad.core.blocks import threads
    from convgrad.teaching.grading import plain
    from convgrad.teaching.workers import asked

    # -P: a file of a student's called json.py in this folder is not to be imported
    command, most = [sys.executable, "-P", "-m", "convgrad.cli.judge"], plain(task.marks.most)
    for submission, body in asked(command, pickle.dumps(task), options["jobs"] or threads(), found):
        told = body
        if isinstance(body, str):
            told = {"status": "unreadable", "reason": body, "points": 0, "max_points": most, "answers": {}}
        yield {"id": submission.id, "file": submission.file, **told}
    if options["quiet"]:
        return
    if found.hidden:
        notes.append(f"{found.hidden} hidden file{'s' if found.hidden > 1 else ''} passed over")
    if found.twice:
        few = [*found.twice][:FEW]
        more = [f"{len(found.twice) - FEW} more"] if len(found.twice) > FEW else []
        notes.append(f"more than once, each with a row of its own: {listed([*few, *more])}")


def _written(
    rows: Iterable[Row],
    names: tuple[str, ...],
    alone: bool,
    options: Mapping[str, Any],
    inputs: Iterable[str],
    notes: list[str],
    submissions: Iterable[Any] = (),
) -> Outcome:
    """Rows as the output options want them, part after part, and the exit code when all are told."""
    from convgrad.cli.outputs import choose_format, style
    from convgrad.files.writing import write_files
    from convgrad.render import stream
    from convgrad.render.grades import Grades
    from convgrad.teaching.summary import Summary

    summary = Summary()

    def counted() -> Iterator[Row]:
        with counting("grading", submissions, options["quiet"]) as step:
            for row in rows:
                summary.add(row)
                yield row
                step()

    wanted = {**options, "only": (), "precision": None}
    form = choose_format(wanted)
    if form == "gradescope" and not alone:
        raise OptionError("gradescope's file is of one submission", where="--format", hint="give one, or use json")
    parts: Iterable[bytes] = stream(Grades(counted(), summary, names, alone), form, style(wanted))

    def code() -> int:
        return 0 if summary.right else 1

    if options["out"] in (None, "-"):
        on_terminal = sys.stdout is not None and sys.stdout.isatty()
        return Outcome(
            b"".join(parts) if on_terminal else parts, notes, code
        )  # the bar and they would be in each other's way
    write_files([(options["out"], parts)], [each for each in inputs if os.path.isfile(each)])
    return Outcome(b"", notes, code)
