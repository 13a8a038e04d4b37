"""STACK's question XML, for Moodle and ILIAS: a grid of boxes for each result, and a tree that names mistakes.

Every tree's first node holds the answer against the right one, the others against what a mistake would give. The
tests that come with a question are run by the platform.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from convgrad.core.element import Array
from convgrad.core.rational import fraction
from convgrad.render.banks.text import feedback, grid, task, wanted, words
from convgrad.render.banks.xml import put, put_text, quiz
from convgrad.render.writer import Writer
from convgrad.teaching.asked import plain
from convgrad.teaching.bank import FOLLOWS, OTHER, RIGHT, Part, Sought, Step, parts_of, steps_of
from convgrad.teaching.exercise import Exercise, Exercises

VERSION = "2023010400"
"""The release of STACK whose fields are written."""

PENALTY = 0.1
"""What a further attempt costs after an answer that is not right."""

QUESTION = {"questionsimplify": 1, "assumepositive": 0, "assumereal": 0}
LOOKS = {
    "multiplicationsign": "dot",
    "sqrtsign": 1,
    "complexno": "i",
    "inversetrig": "cos-1",
    "logicsymbol": "lang",
    "matrixparens": "[",
    "variantsselectionseed": "",
}
INPUT = {
    "strictsyntax": 1,
    "insertstars": 0,
    "syntaxhint": "",
    "syntaxattribute": 0,
    "forbidwords": "",
    "allowwords": "",
    "forbidfloat": 0,
    "requirelowestterms": 0,
    "checkanswertype": 0,
    "mustverify": 0,
    "showvalidation": 0,
    "options": "",
}


@dataclass(frozen=True)
class Node:
    """A node of a tree: what has to be true, and what is said and noted then."""

    test: str
    note: str
    score: int
    feedback: str


@dataclass(frozen=True)
class Tree:
    """A tree: nodes that are gone through until one is true. value: its share of the points."""

    name: str
    value: float
    variables: str
    nodes: Sequence[Node]

    @cached_property
    def scores(self) -> dict[str, int]:
        """The score of each note."""
        return {OTHER: 0} | {node.note: node.score for node in self.nodes}


@dataclass(frozen=True, eq=False, repr=False)
class Stack(Writer):
    """Writes question banks for STACK."""

    def exercises(self, told: Exercises) -> str:
        """A question for each exercise."""
        return quiz(
            _Question(each, told.formula, number, len(told.each)).element for number, each in enumerate(told.each, 1)
        )


@dataclass(frozen=True, eq=False, repr=False)
class _Question:
    """One exercise as a question; ans1, ans2 ... are its results in the order in which they are asked for."""

    exercise: Exercise
    formula: bool
    number: int
    count: int

    @cached_property
    def parts(self) -> list[Part]:
        return parts_of(self.exercise)

    @cached_property
    def steps(self) -> dict[str, Step]:
        """The steps that may follow from the student's own gradient, by name."""
        return {step.new.name: step for step in steps_of(self.exercise, self.parts)}

    @cached_property
    def trees(self) -> list[tuple[Part, Tree, bool]]:
        """The trees, with the result that each is about, and whether it is about what follows."""
        found = []
        for k, part in enumerate(self.parts, 1):
            step = self.steps.get(part.name)
            found.append((part, _tree(k, part, 1.0 if step is None else 0.5), False))
            if step is not None:
                found.append((part, _follow_tree(k, self._place(step.gradient), step), True))
        return found

    def _place(self, part: Part) -> int:
        return self.parts.index(part) + 1

    @property
    def element(self) -> Element:
        """The question."""
        root = Element("question", type="stack")
        behind = f" ({self.number})" if self.count > 1 else ""
        put_text(root, "name", self.exercise.title + behind)
        put_text(root, "questiontext", self._text(), "html")
        put_text(root, "generalfeedback", "", "html")
        put(root, {"defaultgrade": len(self.parts), "penalty": PENALTY, "hidden": 0, "idnumber": ""})
        put_text(root, "stackversion", VERSION)
        put_text(root, "questionvariables", "\n".join(self._variables()))
        shown = " ".join(f"[[feedback:{tree.name}]]" for _, tree, _ in self.trees)
        put_text(root, "specificfeedback", f"<p>{shown}</p>", "html")
        put_text(root, "questionnote", words(self.exercise.title), "html")
        put_text(root, "questiondescription", "", "html")
        put(root, QUESTION)
        for name, said in (("correct", "Right."), ("partiallycorrect", "Partly right."), ("incorrect", "Not right.")):
            put_text(root, f"prt{name}", f"<p>{said}</p>", "html")
        put(root, {"decimals": ".", "scientificnotation": "*10", **LOOKS})
        for k, part in enumerate(self.parts, 1):
            kind = "numerical" if part.right.texts.size == 1 else "matrix"
            put(SubElement(root, "input"), {"name": f"ans{k}", "type": kind, "tans": f"ta{k}", "boxsize": 7, **INPUT})
        for _, tree, _ in self.trees:
            _put_tree(SubElement(root, "prt"), tree)
        for number, (said, inputs) in enumerate(self._tests(), 1):
            self._put_test(SubElement(root, "qtest"), number, said, inputs)
        return root

    def _text(self) -> str:
        asked = ""
        for k, part in enumerate(self.parts, 1):
            step = self.steps.get(part.name)
            formula = self._formula(part.name)
            half = (
                f"<p>Half of its points are for what follows from your own {words(step.gradient.name)}.</p>"
                if step
                else ""
            )
            asked += f"{wanted(part, self.exercise.digits)}{formula}{half}<p>[[input:ans{k}]] [[validation:ans{k}]]</p>"
        return task(self.exercise) + asked

    def _formula(self, name: str) -> str:
        quantity = self.exercise.case.solution.every.get(name)
        if not self.formula or quantity is None:
            return ""
        return f"<p><code>{words(str(quantity.formula))}</code></p>"

    def _variables(self) -> Iterator[str]:
        for k, part in enumerate(self.parts, 1):
            yield f"ta{k}: {maxima(part.right.texts)};"

    def _tests(self) -> Iterator[tuple[str, Mapping[str, Sought]]]:
        """What is answered in each test, by result: the right answers, then one wrong at a time, then what follows."""
        right = {part.name: part.right for part in self.parts}
        yield "all right", right
        for part in self.parts:
            for wrong in part.wrong:
                yield f"{part.name}: {wrong.note}", right | {part.name: wrong.answers[0]}
        for step in self.steps.values():
            gradient = step.gradient.right.values + np.arange(3, 3 + step.gradient.right.values.size).reshape(
                step.gradient.right.values.shape
            )
            made = {step.gradient.name: _typed(gradient), step.new.name: _typed(step.followed(gradient))}
            yield f"{step.new.name}: {FOLLOWS}", right | made

    def _put_test(self, root: Element, number: int, said: str, inputs: Mapping[str, Sought]) -> None:
        put(root, {"testcase": number, "description": said})
        for k, part in enumerate(self.parts, 1):
            put(SubElement(root, "testinput"), {"name": f"ans{k}", "value": maxima(inputs[part.name].texts)})
        for part, tree, follows in self.trees:
            values = inputs[part.name].values
            if follows:
                step = self.steps[part.name]
                note = step.note(values, inputs[step.gradient.name].values)
            else:
                note = part.note(values)
            score = tree.scores[note]
            found = {"name": tree.name, "expectedscore": score, "expectedpenalty": 0 if score else PENALTY}
            put(SubElement(root, "expected"), {**found, "expectedanswernote": note})


def _typed(values: Array) -> Sought:
    """Numbers as somebody types them who rounds nothing."""
    texts = np.array([_decimal(each) for each in values.ravel().tolist()], object).reshape(values.shape)
    return Sought(texts, np.zeros(values.shape))


def _tree(k: int, part: Part, value: float) -> Tree:
    """The tree that holds an answer against the right one, and then against what mistakes give."""
    lines = [_near(k, part.right.texts.size == 1), f"tol{k}: {_tolerances(part.right.tolerance)};"]
    nodes = [Node(f"near{k}(ta{k}, tol{k})", RIGHT, 1, "")]
    count = 0
    for wrong in part.wrong:
        tests = []
        for answer in wrong.answers:
            count += 1
            lines.append(f"w{k}x{count}: {maxima(answer.texts)};")
            lines.append(f"t{k}x{count}: {_tolerances(answer.tolerance)};")
            tests.append(f"near{k}(w{k}x{count}, t{k}x{count})")
        nodes.append(Node(" or ".join(tests), wrong.note, int(wrong.convention), feedback(wrong)))
    return Tree(f"prt{k}", value, "\n".join(lines), nodes)


def _follow_tree(k: int, of: int, step: Step) -> Tree:
    """The tree of a step: right, or what follows from the student's own gradient.

    It is a tree of its own since one that reads two inputs is gone through only where both are filled in.
    """
    lone = step.new.right.texts.size == 1
    zero = np.full(step.gradient.right.texts.shape, "0", object)
    copied = [_texts(each) for each in step.copied]
    worked = [f"not is({_off(f'ans{of}', maxima(each), lone)} <= 1.0e-9)" for each in (zero, *copied)]
    lines = [
        f"far{k}(m, t) := {_off(f'ans{k}', 'm', lone, 't')};",
        f"follow{k}: ta{k} - ({_decimal(step.slope)})*(ans{of} - ta{of});",
        f"right{k}: is(far{k}(ta{k}, {_tolerances(step.new.right.tolerance)}) <= 0);",
        f"worked{k}: {' and '.join(worked)};",
        f"follows{k}: worked{k} and is(far{k}(follow{k}, {_tolerances(step.tolerance)}) <= 0);",
    ]
    said = f"<p>It follows from your own {words(step.gradient.name)}, which is not right: mend that first.</p>"
    nodes = [Node(f"right{k}", RIGHT, 1, ""), Node(f"follows{k}", FOLLOWS, 1, said)]
    return Tree(f"prt{k}follows", 0.5, "\n".join(lines), nodes)


def _near(k: int, lone: bool) -> str:
    """The function that says whether an answer is within a tolerance of another in every cell."""
    return f"near{k}(m, t) := is({_off(f'ans{k}', 'm', lone, 't')} <= 0);"


def _off(answer: str, other: str, lone: bool, tolerance: str = "0") -> str:
    """Maxima's words for how far an answer is from another, beyond a tolerance."""
    if lone:
        return f"ev(abs(float({answer} - ({other}))) - {tolerance}, simp)"
    return f"ev(lmax(map(abs, flatten(args(float({answer} - {other})))) - {tolerance}), simp)"


def maxima(texts: Array) -> str:
    """An array of texts as Maxima has it: a matrix of its planes below one another, a number where it is alone."""
    if texts.size == 1:
        return str(texts.item())
    rows = ("[" + ",".join(row) + "]" for row in grid(texts).tolist())
    return f"matrix({','.join(rows)})"


def _texts(values: Array) -> Array:
    return np.array([_decimal(each) for each in values.ravel().tolist()], object).reshape(values.shape)


def _tolerances(tolerance: Array) -> str:
    """One number where all are alike, else a list of them in the order of the cells."""
    each = [f"{float(number):.6e}" for number in tolerance.ravel()]
    return each[0] if len(set(each)) == 1 else f"[{','.join(each)}]"


def _decimal(number: float) -> str:
    """A float as a plain decimal, without the noise of binary sums."""
    return plain(fraction(float(f"{number:.12g}")))


def _put_tree(root: Element, tree: Tree) -> None:
    put(root, {"name": tree.name, "value": tree.value, "autosimplify": 1, "feedbackstyle": 1})
    put_text(root, "feedbackvariables", tree.variables)
    for number, node in enumerate(tree.nodes):
        last = number == len(tree.nodes) - 1
        found = SubElement(root, "node")
        put(found, {"name": number, "description": node.note[:200], "answertest": "AlgEquiv", "sans": node.test})
        put(found, {"tans": "true", "testoptions": "", "quiet": 1, "truescoremode": "=", "truescore": node.score})
        put(found, {"truepenalty": 0 if node.score else PENALTY, "truenextnode": -1, "trueanswernote": node.note})
        put_text(found, "truefeedback", node.feedback, "html")
        note = OTHER if last else f"{tree.name}-{number}-F"
        put(found, {"falsescoremode": "=", "falsescore": 0, "falsepenalty": PENALTY})
        put(found, {"falsenextnode": -1 if last else number + 1, "falseanswernote": note})
        put_text(found, "falsefeedback", "", "html")
