"""Markdown: for notes, issues and notebooks. Arrays are pipe tables with their indices, lit cells in bold."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from convgrad.core.element import Explanation
from convgrad.formula import Formula
from convgrad.render.documents.document import Prose
from convgrad.render.planes import Plane
from convgrad.render.sentences import written_out


class Markdown(Prose):
    """A report in Markdown with pipe tables, as GitHub, Pandoc and Jupyter read it."""

    def heading(self, text: str, level: int) -> str:
        """``## text``."""
        return f"{'#' * level} {_plain(text)}"

    def sentence(self, text: str) -> str:
        """The text, with nothing in it that Markdown would take for markup."""
        return _plain(text)

    def formula(self, formula: Formula) -> str:
        """In a code span, where no character has a meaning of its own."""
        return f"`{formula}`" if formula else ""

    def planes(self, group: Sequence[Plane]) -> str:
        """One table after the other."""
        return "\n\n".join(map(self._table, group))

    def explanation(self, explanation: Explanation, zeros: bool) -> str:
        """A block of lines that begin below one another."""
        head = explanation.element
        lines: list[str] = []
        for kind, line in written_out(explanation, self.number, zeros):
            if kind != "aside":
                lines.append(f"{head if not lines else ' ' * len(head)} {line}")
        asides = [self.sentence(line) for kind, line in written_out(explanation, self.number, zeros) if kind == "aside"]
        return "\n\n".join(["```text\n" + "\n".join(lines) + "\n```", *asides])

    def page_break(self) -> str:
        """A line, which is a new page in print."""
        return '<div style="page-break-after: always"></div>\n\n---'

    def _table(self, plane: Plane) -> str:
        if plane.numbers is None:
            return f"**{_plain(str(plane.label))}** {_plain(plane.note)}"
        rows, columns = plane.numbers.shape
        if (rows, columns) == (1, 1):
            return f"**{_plain(str(plane.label))}** = {self.number(plane.numbers[0, 0])}"
        top, left = plane.corner
        counted = [str(k + left) if k + left >= 0 else "" for k in range(columns)]
        lines = [
            f"| {_plain(str(plane.label))} | " + " | ".join(counted) + " |",
            "|---" * (columns + 1) + "|",
        ]
        lit = np.zeros((rows, columns), bool) if plane.lit is None else plane.lit
        for i, row in enumerate(plane.texts(self.number)):
            cells = [f"**{cell}**" if bold else cell for cell, bold in zip(row, lit[i], strict=True)]
            lines.append(f"| {i + top if rows > 1 and i + top >= 0 else ''} | " + " | ".join(cells) + " |")
        return "\n".join(lines)


def _plain(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", text)
