"""A sheet: exercises as students read them, and their answers, with the working, on a page of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import by, listed
from convgrad.kinds import STEPPED
from convgrad.kinds.exercise import MEANING
from convgrad.kinds.formats import SOME_STEPS
from convgrad.problems.forms import worked_out
from convgrad.problems.report import Report
from convgrad.render.number_text import exact
from convgrad.render.planes import GIVEN, TOTAL, Plane, planes

if TYPE_CHECKING:
    from convgrad.render.documents.document import Prose
    from convgrad.teaching.exercise import Exercise, Exercises


def written(told: Exercises, prose: Prose) -> str:
    """Exercises -> the text of their sheet."""
    parts: list[str] = []
    for name, exercise in _called(told):
        parts += [prose.heading(name, 1), *_question(exercise, told.formula, prose)]
    parts += [prose.page_break(), prose.heading("Answers", 1)]
    for name, exercise in _called(told):
        parts += [*([prose.heading(name, 1)] if len(told.each) > 1 else []), *_answers(exercise, prose)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _called(told: Exercises) -> Iterator[tuple[str, Exercise]]:
    """The exercises, each with its heading."""
    for number, exercise in enumerate(told.each, 1):
        title = exercise.title
        count = f"Exercise {number}: " if len(told.each) > 1 else ""
        yield f"{count}{title if count else title[:1].upper() + title[1:]}", exercise


def _question(exercise: Exercise, formula: bool, prose: Prose) -> Iterator[str]:
    yield prose.sentence(task(exercise))
    yield prose.heading("Given", 2)
    spatial = exercise.case.solution.spatial
    given = {role: _as_text(array) for role, array in exercise.given.items()}
    yield prose.planes([plane for role, each in given.items() for plane in _planes(role, each, spatial, GIVEN)])
    yield prose.heading("Asked", 2)
    yield prose.sentence(f"Work out {listed(exercise.ask)}.")
    every = exercise.case.solution.every
    for name in exercise.ask:
        quantity, asked = every[name], exercise.asked[name]
        how = ""
        if asked.fractions:
            how = ", as fractions"
        elif asked.rounded:
            how = f", rounded to {exercise.digits} significant digits"
        size = f" ({by(quantity.shape)})" if quantity.shape else " (a number)"
        yield prose.sentence(f"{name}, {meaning(exercise, name)}{size}{how}:")
        if formula:
            yield prose.formula(quantity.formula)
        yield prose.blank(_planes(name, np.zeros(quantity.shape), {name: quantity.spatial}, TOTAL))


def task(exercise: Exercise) -> str:
    """What the layer does, in a sentence or two."""
    kind, settings = exercise.kind, exercise.case.settings
    said = [kind.tasks.get(exercise.case.layer, "")]
    if kind.name == "conv" and not settings.get("transposed"):
        said.append("It is rotated by 180 degrees first." if settings.get("flip") else "It is not rotated.")
    if kind.activation and settings.get("activation") and kind.name != "activation":
        said.append(f"What comes out goes through {settings['activation']}; delta is the gradient of that.")
    return " ".join(filter(None, said))


def meaning(exercise: Exercise, name: str) -> str:
    """What a result is, in words: ``the gradient of the kernel``."""
    parameters = {short: given.name for short, given in exercise.kind.parameters.items()}
    if name in STEPPED:
        called = parameters[STEPPED[name]]
        return f"the {called} after the step" if name.endswith("_new") else f"the velocity of the {called}"
    if name.removeprefix("d") in parameters and name not in MEANING:
        return f"the gradient of the {parameters[name.removeprefix('d')]}"
    return MEANING.get(name, "a result")


def _answers(exercise: Exercise, prose: Prose) -> Iterator[str]:
    solution = exercise.case.solution
    spatial = {name: quantity.spatial for name, quantity in solution.every.items()}
    for name in exercise.ask:
        yield prose.planes(_planes(name, _as_text(exercise.asked[name].numbers), spatial, TOTAL))
    results = {name: solution.every[name] for name in exercise.ask}
    report = worked_out(Report(exercise.title, {}, {}, results, SOME_STEPS), solution)
    yield from prose.working(report)


def _planes(name: str, array: Array, spatial: Any, part: str) -> list[Plane]:
    axes = tuple(spatial.get(name, ()))
    return [Plane(label, plane, part=part) for label, plane, _ in planes(name, array, axes)]


def _as_text(array: Array) -> Array:
    """The numbers as they are written."""
    texts = np.empty(array.size, object)
    texts[:] = [getattr(each, "text", "") or exact(each) for each in np.asarray(array).ravel().tolist()]
    return texts.reshape(np.shape(array))
