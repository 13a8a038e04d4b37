"""Tables on a terminal, drawn with rich."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from convgrad.render.writer import Writer

if TYPE_CHECKING:
    from convgrad.checking.directions import Gradcheck
    from convgrad.checking.verdict import Checked
    from convgrad.problems.report import Facts, Report
    from convgrad.render.catalogue import Listing, MistakeInFull, Shows
    from convgrad.render.grades import Grades


class Table(Writer):
    """Tables, with escapes only where there may be colour; a module draws each, imported when it is asked for."""

    def report(self, report: Report) -> str:
        """Operands, overlay after overlay, results."""
        from convgrad.render.terminal.report import draw_report

        return draw_report(report, self.style)

    def facts(self, facts: Facts) -> str:
        """The reports of facts that have some, else a table of names and values."""
        from convgrad.render.terminal.report import draw_facts

        return "\n".join(map(self.report, facts.reports)) or draw_facts(facts, self.style)

    def verdicts(self, checked: Checked) -> str:
        """A panel an answer."""
        from convgrad.render.terminal.verdicts import draw_verdicts

        return draw_verdicts(checked, self.style)

    def gradcheck(self, found: Gradcheck) -> str:
        """A table of gradients, and what is to be said besides."""
        from convgrad.render.terminal.gradchecks import draw_gradcheck

        return draw_gradcheck(found, self.style)

    def catalogue(self, listing: Listing) -> str:
        """A table a family."""
        from convgrad.render.terminal.catalogue import draw_listing

        return draw_listing(listing, self.style)

    def mistake(self, told: MistakeInFull) -> str:
        """One mistake with its worked example."""
        from convgrad.render.terminal.catalogue import draw_mistake

        return draw_mistake(told, self.style)

    def shows(self, told: Shows) -> str:
        """A table a result."""
        from convgrad.render.terminal.catalogue import draw_shows

        return draw_shows(told, self.style)

    def grades(self, grades: Grades) -> Iterator[str]:
        """A row a submission, and what they add up to."""
        from convgrad.render.terminal.grades import draw_grades

        return draw_grades(grades, self.style)
