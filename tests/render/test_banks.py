"""STACK's questions: well formed, every node reachable, and every test of theirs evaluated by Maxima itself."""

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from convgrad.files import Reader
from convgrad.render import write
from convgrad.render.banks.text import words
from convgrad.teaching.exercise import Exercises, from_document

MAXIMA = shutil.which("maxima")
needs_maxima = pytest.mark.skipif(MAXIMA is None, reason="no maxima here")

X = [[1, 2, 3, -1], [-3, -2, -3, 2], [-1, 1, 4, -3], [-3, 3, 2, 2]]
PROBLEMS: dict[str, dict[str, object]] = {
    "conv": {
        "layer": "conv",
        "input": [X],
        "kernel": [[[-3, -1], [2, 5]]],
        "bias": 1,
        "delta": [[2, -1, -3], [-2, 3, -4], [1, 5, 2]],
        "lr": 0.1,
        "ask": ["output", "dW", "db", "dX", "W_new"],
    },
    "transposed": {
        "layer": "conv",
        "transposed": True,
        "input": [[1, 2], [-3, 4]],
        "kernel": [[2, -1], [3, 5]],
        "delta": [[1, 2, -1], [3, -2, 4], [5, 1, 2]],
    },
    "unshared": {
        "layer": "conv",
        "unshared": True,
        "input": [[1, 2, -3], [4, -1, 2]],
        "kernel": [[[[2, -1]], [[3, 1]]], [[[1, 4]], [[-2, 5]]]],
        "delta": [[1, -2], [3, 4]],
    },
    "pool": {"layer": "pool", "input": X, "size": 2, "delta": [[1, 2], [-3, 4]]},
    "dense": {
        "layer": "dense",
        "input": [1, 2, -3],
        "weights": [[1, -2, 3], [0.25, 5, -1]],
        "bias": [1, 2],
        "delta": [3, -2],
        "lr": 0.3,
        "momentum": 0.9,
        "nesterov": True,
        "ask": ["dW", "db", "dX", "W_new", "b_new"],
    },
    "activation": {"layer": "activation", "input": [0.5, -1, 2], "delta": [1, 2, -3], "activation": "sigmoid"},
    "norm": {
        "layer": "norm",
        "input": [[1, 2, 4], [-3, 5, 1]],
        "gamma": [1, 2, 3],
        "beta": [0, 1, -1],
        "delta": [[1, 2, -1], [3, -2, 4]],
        "over": "layer",
    },
    "loss": {"layer": "loss", "output": [[1, 2, -3], [0, 2, 1]], "target": [1, 2], "kind": "cross-entropy"},
}


def bank(problem: dict[str, object], folder: Path, **words: object) -> Element:
    path = folder / "problem.json"
    path.write_text(json.dumps(problem | words))
    exercise = from_document(Reader(), str(path), None)
    return fromstring(write(Exercises([exercise], True), "stack").decode())


def text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def faults(question: Element) -> list[str]:
    """What is wrong with the trees: a node that nothing leads to, a loop, a note that is no note or stands twice."""
    found = []
    for prt in question.iter("prt"):
        nodes = {text(node, "name"): node for node in prt.findall("node")}
        left, seen = [next(iter(nodes))], set()
        while left:
            name = left.pop()
            if name == "-1" or name in seen:
                continue
            seen.add(name)
            left += [text(nodes[name], "truenextnode"), text(nodes[name], "falsenextnode")]
        found += [f"nothing leads to node {name}" for name in nodes.keys() - seen]
        notes = [text(node, f"{side}answernote") for node in nodes.values() for side in ("true", "false")]
        found += [f"{note} stands twice" for note in set(notes) if notes.count(note) > 1]
        found += [f"{note} is no note" for note in notes if not note or len(note) > 255 or set(note) & set(";|")]
    return found


def reached(question: Element) -> list[tuple[str, str, str]]:
    """Every test's outcome in Maxima: (test and tree, the note it ends with, the note that is expected).

    Trees that are to end right are gone through in the first test only, which has every right answer.
    """
    trees = {text(prt, "name"): prt for prt in question.iter("prt")}
    variables = {name: text(prt, "feedbackvariables/text") for name, prt in trees.items()}
    lines, expected = ["display2d:false$", text(question, "questionvariables/text")], []
    for name, prt in trees.items():
        lines += ([] if name.endswith("follows") else [variables[name]]) + [f"{name}() := {followed(prt)}$"]
    for test in question.iter("qtest"):
        for given in test.findall("testinput"):
            lines.append(f"{text(given, 'name')}: {text(given, 'value')}$")
        for wanted in test.findall("expected"):
            name, note = text(wanted, "name"), text(wanted, "expectedanswernote")
            if note == "right" and text(test, "testcase") != "1":
                continue
            where = f"{text(test, 'description')} in {name}"
            expected.append((where, note, float(text(wanted, "expectedscore"))))
            lines += [variables[name]] if name.endswith("follows") else []
            lines.append(f'print("END {len(expected) - 1}", {name}())$')
    assert MAXIMA is not None
    program = "\n".join(line.replace(";", "$") for line in lines)
    done = subprocess.run(
        [MAXIMA, "--very-quiet"], input=program, capture_output=True, text=True, timeout=50, check=True
    )
    ends = dict(re.findall(r"END (\d+) (\S+)", done.stdout))
    assert len(ends) == len(expected), done.stdout[-3000:]
    return [(where, ends[str(k)], f"{note}={score:g}") for k, (where, note, score) in enumerate(expected)]


def followed(prt: Element) -> str:
    """A tree as one expression of Maxima: the note and the score at which an answer ends."""
    nodes = {text(node, "name"): node for node in prt.findall("node")}

    def ends(node: Element, side: str) -> str:
        to = text(node, f"{side}nextnode")
        end = f'"{text(node, f"{side}answernote")}={float(text(node, f"{side}score")):g}"'
        return end if to == "-1" else f"({walk(nodes[to])})"

    def walk(node: Element) -> str:
        assert text(node, "answertest") == "AlgEquiv"
        test = f"is(({text(node, 'sans')}) = ({text(node, 'tans')}))"
        return f"if {test} then {ends(node, 'true')} else {ends(node, 'false')}"

    return walk(next(iter(nodes.values())))


def wrong(outcomes: Sequence[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    return [each for each in outcomes if each[1] != each[2]]


@needs_maxima
@pytest.mark.slow
@pytest.mark.parametrize("layer", PROBLEMS)
def test_a_bank_passes_its_own_tests_in_maxima(layer: str, tmp_path: Path) -> None:
    question = bank(PROBLEMS[layer], tmp_path).find("question")
    assert question is not None
    assert faults(question) == []
    outcomes = reached(question)
    assert wrong(outcomes) == []
    nodes = {text(node, "trueanswernote") for node in question.iter("node")}
    assert {end.partition("=")[0] for _, end, _ in outcomes} >= nodes  # one test at least for each node
    assert len(nodes) > 2


def activation(folder: Path) -> Element:
    question = bank(PROBLEMS["activation"], folder).find("question")
    assert question is not None
    return question


def test_a_node_that_nothing_leads_to_and_a_note_twice_are_found(tmp_path: Path) -> None:
    question = activation(tmp_path)
    assert faults(question) == []
    first, second = question.findall("prt/node")[:2]
    second.find("trueanswernote").text = "right"  # type: ignore[union-attr]
    first.find("falsenextnode").text = "-1"  # type: ignore[union-attr]
    assert "right stands twice" in faults(question)
    assert "nothing leads to node 1" in faults(question)


@needs_maxima
@pytest.mark.slow
def test_a_tolerance_that_is_too_wide_is_found(tmp_path: Path) -> None:
    question = activation(tmp_path)
    for each in question.findall("prt/feedbackvariables/text"):
        each.text = re.sub(r"(tol\d: ).*;", r"\g<1>100;", str(each.text))
    assert {end for _, end, _ in wrong(reached(question))} == {"right=1"}


@needs_maxima
@pytest.mark.slow
def test_an_answer_that_nothing_explains_ends_at_the_last_node(tmp_path: Path) -> None:
    question = activation(tmp_path)
    for given in question.findall("qtest/testinput/value"):
        given.text = re.sub(r"-?\d+(\.\d+)?", "77.7", str(given.text))
    assert {end for _, end, _ in reached(question)} == {"other=0"}


def test_names_and_numbers_are_never_markup() -> None:
    assert words("<b> [[input:x]] {@x@} \\( & 1") == ("&lt;b&gt; &#91;&#91;input:x]] &#123;&#64;x&#64;} &#92;( &amp; 1")
