"""A report as a document: operands, working, single elements, formulas, results, in the order in which one tells it.

Each kind of document says how a heading, a sentence, a formula, planes of numbers and a sum are written.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from convgrad.core.element import Array, Explanation
from convgrad.errors import by
from convgrad.formula import Formula
from convgrad.problems.report import Facts, Report
from convgrad.render.number_text import fact, readable
from convgrad.render.planes import GIVEN, MOST_CELLS_IN_FULL, TOTAL, Plane, Scenes, planes
from convgrad.render.writer import Writer

if TYPE_CHECKING:
    from convgrad.checking.verdict import Checked
    from convgrad.render.catalogue import Listing, MistakeInFull
    from convgrad.teaching.exercise import Exercises


class Prose(Writer):
    """A kind of document."""

    def number(self, number: Any) -> str:
        """A number as text, before the document's own way of writing it; what is text already stays as it is."""
        return number if isinstance(number, str) else readable(number, self.style.precision)

    @abstractmethod
    def heading(self, text: str, level: int) -> str:
        """A heading; level 1 is the document's."""

    @abstractmethod
    def sentence(self, text: str) -> str:
        """A sentence in words."""

    @abstractmethod
    def formula(self, formula: Formula) -> str:
        """A formula, as mathematics or as text: ``dW[m,n] = sum over i,j of delta[i,j] * input[i+m,j+n]``."""

    @abstractmethod
    def planes(self, group: Sequence[Plane]) -> str:
        """Planes of numbers that belong together."""

    @abstractmethod
    def explanation(self, explanation: Explanation, zeros: bool) -> str:
        """One element, written out."""

    def report(self, report: Report) -> str:
        """The whole document."""
        parts = [self.heading(report.title, 1), *self._given(report), *self.working(report)]
        for each in report.explanations:
            parts += [self.heading(each.element, 2), self.formula(each.formula), self.explanation(each, report.zeros)]
        parts += self._results(report)
        return "\n\n".join(part for part in parts if part) + "\n"

    def facts(self, facts: Facts) -> str:
        """Reports one after the other; of bare entries a list."""
        if facts.reports:
            return "\n".join(map(self.report, facts.reports))
        parts = []
        for name, entry in facts.entries.items():
            each = entry.items() if isinstance(entry, dict) else [("", entry)]
            parts += [f"{name}{'.' * bool(own)}{own}: {fact(value, self.style.precision)}" for own, value in each]
        return "\n\n".join([self.heading(facts.title, 1), *map(self.sentence, parts)]) + "\n"

    def verdicts(self, checked: Checked) -> str:
        """A section an answer."""
        from convgrad.render.documents.verdicts import written

        return written(checked, self)

    def catalogue(self, listing: Listing) -> str:
        """A section a family."""
        from convgrad.render.documents.catalogue import listed

        return listed(listing, self)

    def mistake(self, told: MistakeInFull) -> str:
        """One mistake."""
        from convgrad.render.documents.catalogue import in_full

        return in_full(told, self)

    def exercises(self, told: Exercises) -> str:
        """Questions, and on a page of their own the answers."""
        from convgrad.render.documents.sheet import written

        return written(told, self)

    def blank(self, group: Sequence[Plane]) -> str:
        """Planes as empty cells, to be filled in."""
        return self.planes([replace(plane, numbers=np.full(plane.shape, "", object)) for plane in group])

    @abstractmethod
    def page_break(self) -> str:
        """Where a new page begins."""

    def _given(self, report: Report) -> Iterator[str]:
        operands = {**report.operands, **report.arrays}
        if operands:
            yield self.heading("Given", 2)
            large = [
                name for name, array in operands.items() if report.explanations and array.size > MOST_CELLS_IN_FULL
            ]
            each = (
                self._array(report.made.get(name, name), array, report.spatial.get(name, ()), GIVEN)
                for name, array in operands.items()
                if name not in large
            )
            yield self.planes([plane for found in each for plane in found])
            yield from (self.sentence(f"{name}, {by(operands[name].shape)}, is not printed here.") for name in large)

    @staticmethod
    def _array(name: str | Formula, array: Array, spatial: Sequence[int], part: str) -> list[Plane]:
        return [Plane(label, plane, part=part) for label, plane, _ in planes(name, array, spatial)]

    def working(self, report: Report) -> Iterator[str]:
        """The overlays, and what results are the sum of."""
        scenes = Scenes(report, self.number)
        for walk in report.walks():
            yield self.heading(f"{walk.unit.capitalize()} by {walk.unit}", 2)
            yield self.sentence(scenes.legend(walk, marked="in bold"))
            for scene in scenes.of(walk):
                yield self.heading(f"{scene.name}: {scene.headline}", 3)
                yield self.planes([plane for group in scene.groups for plane in group])
            yield from map(self.sentence, filter(None, (scenes.rest(walk), scenes.silence(walk))))
        for quantity, summands in scenes.sums():
            yield self.heading(f"{quantity.name}: the sum of", 3)
            yield self.planes(summands)
            if quantity.rule:
                yield self.sentence(str(quantity.rule))

    def _results(self, report: Report) -> Iterator[str]:
        if not report.results:
            return
        yield self.heading("Results", 2)
        for name, quantity in report.results.items():
            before = report.working.get(name, quantity)
            yield from map(self.formula, filter(None, dict.fromkeys((before.formula, quantity.formula))))
            yield self.planes(self._array(name, quantity.value, quantity.spatial, TOTAL))
        yield from map(self.sentence, report.notes)
