"""A sheet as a page: the questions, and the answers folded away on the screen, on a page of their own in print."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from convgrad.core.element import Explanation
from convgrad.formula import Formula
from convgrad.render.documents.document import Prose
from convgrad.render.planes import Plane
from convgrad.render.sentences import written_out
from convgrad.teaching.exercise import Exercises


class Sheet(Prose):
    """The body of a page."""

    def exercises(self, told: Exercises) -> str:
        """The sheet, its last part closed until it is asked for."""
        return f"{super().exercises(told)}</details>"

    def page_break(self) -> str:
        """Where the answers begin."""
        return '<details class="answers"><summary>Answers</summary>'

    def heading(self, text: str, level: int) -> str:
        """The page's own heading stands above."""
        return f"<h{level + 1}>{escape(text)}</h{level + 1}>"

    def sentence(self, text: str) -> str:
        """A paragraph."""
        return f"<p>{escape(text)}</p>"

    def formula(self, formula: Formula) -> str:
        """As text."""
        return f'<p class="formula"><code>{escape(str(formula))}</code></p>' if formula else ""

    def planes(self, group: Sequence[Plane]) -> str:
        """Tables beside one another."""
        return f'<div class="planes">{"".join(self._table(plane, "plane") for plane in group)}</div>'

    def blank(self, group: Sequence[Plane]) -> str:
        """Empty boxes."""
        empty = [Plane(each.label, np.full(each.shape, "", object)) for each in group]
        return f'<div class="planes">{"".join(self._table(plane, "plane blank") for plane in empty)}</div>'

    def explanation(self, explanation: Explanation, zeros: bool) -> str:
        """Lines below one another."""
        lines = [line for _, line in written_out(explanation, self.number, zeros)]
        return f"<pre>{escape(chr(10).join(lines))}</pre>"

    def _table(self, plane: Plane, looks: str) -> str:
        label = escape(str(plane.label))
        if plane.numbers is None:
            return f"<figure><figcaption>{label}</figcaption><p>{escape(plane.note)}</p></figure>"
        lit = np.zeros(plane.numbers.shape, bool) if plane.lit is None else plane.lit
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td{' class=lit' if on else ''}>{escape(text)}</td>" for text, on in zip(texts, marked, strict=True)
            )
            + "</tr>"
            for texts, marked in zip(plane.texts(self.number), lit, strict=True)
        )
        return f'<figure><figcaption>{label}</figcaption><table class="{looks}"><tbody>{rows}</tbody></table></figure>'
