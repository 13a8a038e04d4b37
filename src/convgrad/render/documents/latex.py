r"""LaTeX: for papers and homework. What is written compiles as it stands in a document that loads amsmath.

Arrays are bmatrix, lit cells bold; formulas and sums are mathematics: ``\mathrm{dW}_{m,n} = \sum_{i,j} ...``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from convgrad.core.element import Explanation
from convgrad.formula import Formula, Named, Over, Piece
from convgrad.problems.report import Report
from convgrad.render.documents.document import Prose
from convgrad.render.planes import Plane
from convgrad.render.sentences import MOST_TERMS

if TYPE_CHECKING:
    from convgrad.checking.verdict import Checked
    from convgrad.teaching.exercise import Exercises

PREAMBLE = """% Input this file into a document that loads amsmath.
"""

SIZES = ((70, ""), (95, r"\footnotesize"), (125, r"\scriptsize"), (10**9, r"\tiny"))
"""How many characters of numbers a line holds in each size of type."""

LONG = 90
"""Characters from which a formula is broken behind its sign of equality."""

PER_LINE = 3
"""Products on one line of a sum."""


class Latex(Prose):
    """A report in LaTeX."""

    def report(self, report: Report) -> str:
        """The whole document, with room for its widest matrix."""
        return self._with_room(super().report(report))

    def verdicts(self, checked: Checked) -> str:
        """A section an answer, with room for the widest matrix."""
        return self._with_room(super().verdicts(checked))

    def exercises(self, told: Exercises) -> str:
        """The sheet, with room for the widest matrix."""
        return self._with_room(super().exercises(told))

    def page_break(self) -> str:
        """A new page."""
        return "\\clearpage"

    def blank(self, group: Sequence[Plane]) -> str:
        """Boxes to write in."""
        return "\n".join(f"\\[\n{_boxes(plane)}\n\\]" for plane in group)

    @staticmethod
    def _with_room(text: str) -> str:
        widest = max((line.count("&") + 1 for line in text.splitlines()), default=1)
        return f"{PREAMBLE}\\setcounter{{MaxMatrixCols}}{{{max(10, widest)}}}\n\n{text}"

    def heading(self, text: str, level: int) -> str:
        """A section without a number; smaller ones are paragraphs."""
        command, after = (("section*", ""), ("subsection*", ""), ("paragraph*", "\\mbox{}"))[level - 1]
        return f"\\{command}{{{escaped(text)}}}{after}"

    def sentence(self, text: str) -> str:
        """The text."""
        return escaped(text)

    def formula(self, formula: Formula) -> str:
        """A displayed formula, broken where it is long."""
        shown = mathematics(formula, breaks=True)
        if "\\\\" in shown:
            return f"\\begin{{multline*}}\n{shown}\n\\end{{multline*}}"
        return f"\\[\n{shown}\n\\]" if formula else ""

    def planes(self, group: Sequence[Plane]) -> str:
        """Matrices side by side as long as there is room."""
        lines: list[list[str]] = [[]]
        room = SIZES[0][0]
        used = 0
        for plane in group:
            width = self._width(plane)
            if lines[-1] and used + width > room:
                lines.append([])
                used = 0
            lines[-1].append(self._matrix(plane))
            used += width
        widest = max(map(self._width, group), default=0)
        size = next(name for most, name in SIZES if widest <= most)
        shown = "\n".join("\\[\n" + "\n\\qquad\n".join(line) + "\n\\]" for line in lines if line)
        return f"{{{size}\n{shown}\n}}" if size else shown

    def explanation(self, explanation: Explanation, zeros: bool) -> str:
        """The products by name, in numbers, and their sum, one below the other."""
        terms = list(islice(explanation.terms(zeros), MOST_TERMS))
        more = sum(1 for _ in explanation.terms(zeros)) - len(terms)
        rest = [rf"\cdots\text{{ ({more} products more)}}"] if more else []
        names = [r" \cdot ".join(mathematics(name) for name, _ in factors) for factors, _ in terms]
        numbers = [r" \cdot ".join(self._factor(value) for _, value in factors) for factors, _ in terms]
        products = [self._factor(product) for _, product in terms]
        value = self._number(explanation.value)
        sides = [names + rest, numbers + rest, products + rest] if terms else []
        if products in (numbers, [value]):
            sides = sides[:2]
        lines = [line for side in sides for line in _broken(side)] + [f"&= {value}"]
        body = " \\\\\n".join([mathematics(explanation.called) + " " + lines[0], *lines[1:]])
        count = 0 if zeros else explanation.zero_terms
        aside = f"\n{count} product{' is' if count == 1 else 's are'} 0 and not listed." if count else ""
        return "\\begin{align*}\n" + body + "\n\\end{align*}" + aside

    def _matrix(self, plane: Plane) -> str:
        name = mathematics(plane.label)
        if plane.numbers is None:
            return rf"{name}\ \text{{{escaped(plane.note)}}}"
        if plane.numbers.size == 1:
            return f"{name} = {self._number(plane.numbers[0, 0])}"
        rows = []
        for i, cells in enumerate(plane.texts(self._number)):
            if plane.lit is not None:
                bold = zip(cells, plane.lit[i], strict=True)
                rows.append(" & ".join(rf"\mathbf{{{cell}}}" if lit else cell for cell, lit in bold))
            else:
                rows.append(" & ".join(cells))
        return f"{name} =\n\\begin{{bmatrix}}\n" + " \\\\\n".join(rows) + "\n\\end{bmatrix}"

    def _width(self, plane: Plane) -> int:
        if plane.numbers is None:
            return len(str(plane.label)) + len(plane.note)
        columns = ([len(self.number(number)) + 2 for number in column] for column in plane.numbers.T)
        return len(str(plane.label)) + sum(map(max, columns))

    def _number(self, number: object) -> str:
        text = self.number(number)
        fraction = re.fullmatch(r"(-?)(\d+)/(\d+)", text)
        if fraction:
            return rf"{fraction[1]}\tfrac{{{fraction[2]}}}{{{fraction[3]}}}"
        scientific = re.fullmatch(r"(-?[\d.]+)e([+-]?)0*(\d+)", text)
        if scientific:
            return rf"{scientific[1]} \cdot 10^{{{'-' if scientific[2] == '-' else ''}{scientific[3]}}}"
        return text if re.fullmatch(r"-?[\d.]+", text) else rf"\text{{{escaped(text)}}}"

    def _factor(self, number: object) -> str:
        text = self._number(number)
        return f"({text})" if text.startswith("-") else text


def _boxes(plane: Plane) -> str:
    """A grid of empty boxes that are large enough for a pen."""
    rows, columns = plane.shape
    row = " & ".join([rf"\rule[-{LOWER}]{{0pt}}{{{UPPER}}}\hspace{{{WIDE}}}"] * columns)
    lines = " \\\\ \\hline\n".join([row] * rows)
    grid = f"\\begin{{array}}{{|{'c|' * columns}}}\n\\hline\n{lines} \\\\ \\hline\n\\end{{array}}"
    return f"{mathematics(plane.label)} =\n{grid}"


LOWER, UPPER, WIDE = "0.8em", "2.4em", "2.2em"
"""How far a box goes below the line, how high it is in all, and how wide."""


def _broken(summands: list[str]) -> list[str]:
    """A sum in lines of a few summands."""
    parts = [" + ".join(summands[k : k + PER_LINE]) for k in range(0, len(summands), PER_LINE)]
    return [f"&= {parts[0]}", *(rf"&\quad + {part}" for part in parts[1:])]


def escaped(text: str) -> str:
    """Text in which no character has a meaning to LaTeX; what is not ASCII becomes a question mark."""
    signs = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\0": "{}"}
    signs |= {sign: "\\" + sign for sign in "#$%&_{}"}
    text = text.replace("--", "-\0-")  # which would be one long dash
    return "".join(signs.get(c, c if c.isascii() and c.isprintable() else "?") for c in text)


_WORDS = re.compile(
    r"(?P<function>[a-z]+(?=\())|(?P<word>[A-Za-z][A-Za-z']*(?: [A-Za-z][A-Za-z']*)*)|(?P<times> \* |\*)"
    r"|\^(?P<power>T\b|\d+)|(?P<other>.)",
    re.S,
)
"""What stands between the arrays of a formula: functions of what follows in brackets, words, signs, powers."""


def mathematics(formula: Formula, breaks: bool = False) -> str:
    r"""A formula as mathematics: ``sum over i of a[i] * b`` is ``\sum_{i} \mathrm{a}_{i} \cdot \mathrm{b}``.

    breaks: whether a long formula is broken behind its sign of equality.
    """
    line = "".join(map(_part, formula.parts))
    if breaks and len(str(formula)) > LONG and " = " in line:
        left, _, right = line.partition(" = ")
        return f"{left} = \\\\\n{right}"
    return line


def _part(part: Piece) -> str:
    if isinstance(part, Named):
        upright = "text" if " " in part.name else "mathrm"  # which drops blanks
        return rf"\{upright}{{{escaped(part.name)}}}" + (f"_{{{part.indices}}}" if part.at else "")
    if isinstance(part, Over):
        sign = r"\sum" if part.word == "sum" else rf"\operatorname*{{\text{{{escaped(part.word)}}}}}"
        on = part.condition if part.cells else part.condition.replace("on ", r"\text{on } ", 1)
        where = rf" \mid {on}" if on else ""
        return rf"{sign}_{{{','.join((*part.running, *part.every))}{where}}} "
    return "".join(map(_words, _WORDS.finditer(str(part))))


def _words(match: re.Match[str]) -> str:
    if match["function"]:
        return rf"\mathrm{{{match['function']}}}"
    if match["word"]:
        return rf"\text{{ {match['word']} }}" if len(match["word"]) > 1 else match["word"]
    if match["times"]:
        return r" \cdot "
    if match["power"]:
        return r"^{\mathsf{T}}" if match["power"] == "T" else f"^{{{match['power']}}}"
    other = match["other"]
    return other if other in " +-*/()[].,:;=|<>0123456789" else rf"\text{{{escaped(other)}}}"
