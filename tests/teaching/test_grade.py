"""Grading: a class with everything that a real folder holds, planted and found."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from conftest import Convgrad, Ran, quoted

from convgrad.files import Reader
from convgrad.mistakes.recogniser import predictions
from convgrad.teaching import workers
from convgrad.teaching.asked import asked_for
from convgrad.teaching.exercise import Exercise, from_document
from convgrad.teaching.summary import Summary
from convgrad.teaching.workers import asked

PROBLEM = {
    "layer": "conv",
    "input": [[3, -1, 2, 1], [-2, 3, 1, -3], [1, 2, -2, 3], [2, -3, 3, 1]],
    "kernel": [[2, -1, 3], [1, 3, -2]],
    "bias": 1,
    "delta": [[1, -2], [3, 2], [-1, 3]],
    "lr": 0.5,
    "ask": ["dW", "db", "dX", "W_new"],
}


@pytest.fixture
def problem(tmp_path: Path) -> Path:
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(PROBLEM))
    return path


@pytest.fixture
def right(convgrad: Convgrad, problem: Path, tmp_path: Path) -> dict[str, Any]:
    key = tmp_path / "key.json"
    convgrad(f"convgrad exercise {quoted(problem)} --key {quoted(key)} -q")
    found = json.loads(key.read_text())
    return {name: found[name] for name in PROBLEM["ask"]}  # type: ignore[attr-defined]


@pytest.fixture
def exercise(problem: Path) -> Exercise:
    return from_document(Reader(), str(problem), None)


def handed_in(folder: Path, name: str, what: Any) -> Path:
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / name
    if isinstance(what, bytes):
        path.write_bytes(what)
    else:
        path.write_text(what if isinstance(what, str) else json.dumps(what))
    return path


def rows(ran: Ran) -> dict[str, Any]:
    assert ran.code in (0, 1), ran.err
    return {row["id"]: row for row in json.loads(ran.out)["submissions"]}


def verdicts(row: dict[str, Any]) -> dict[str, str]:
    return {name: answer["verdict"] for name, answer in row["answers"].items()}


def test_a_class_gets_the_verdicts_that_were_planted(
    convgrad: Convgrad, problem: Path, right: dict[str, Any], exercise: Exercise, tmp_path: Path
) -> None:
    folder, planted = tmp_path / "class", dict[str, tuple[str, str]]()
    handed_in(folder, "right.json", right)
    handed_in(folder, "as text.json", {name: np.array(each).astype(str).tolist() for name, each in right.items()})
    handed_in(folder, "case.json", {name.upper() if name == "dX" else name: each for name, each in right.items()})
    handed_in(folder, "beside.json", {**PROBLEM, **right, "comment": "me"})
    for name in ("dW", "dX", "W_new"):
        alone = {row.name for row in exercise.shown[name].alone}
        for each in predictions(exercise.case, name):
            mistake = each.mistakes[0].name
            student = f"{mistake} in {name}"
            if mistake in alone and student not in planted and not each.mistakes[0].convention:
                planted[student] = (name, mistake)
                numbers = asked_for(each.array, 4).texts.tolist()
                handed_in(
                    folder, f"{student}.json", {**{n: a for n, a in right.items() if n != "W_new"}, name: numbers}
                )
    handed_in(folder, "shape.json", {**right, "dW": [[1, 2], [3, 4]]})
    handed_in(folder, "blank.json", {**right, "db": "?", "dX": None})
    handed_in(folder, "empty.json", "")
    handed_in(folder, "nan.json", '{"db": NaN}')
    wrong = np.add(right["dW"], [[1, 0, 0], [0, 2, 0]]).tolist()
    follows = (np.array(PROBLEM["kernel"], float) - 0.5 * np.array(wrong)).tolist()
    handed_in(folder, "follows.json", {**right, "dW": wrong, "W_new": follows})
    handed_in(folder, "gaming zeros.json", {**right, "dW": [[0] * 3] * 2, "W_new": PROBLEM["kernel"]})
    found = rows(convgrad(f"convgrad grade {quoted(problem)} {quoted(folder)} --points dW=4,db=1,dX=5,W_new=2"))
    assert len(planted) > 25
    for student, (name, mistake) in planted.items():
        answer = found[student]["answers"][name]
        assert answer["verdict"] in ("wrong", "wrong-shape"), student
        assert [each["name"] for each in answer["mistakes"]] == [mistake], student
        assert answer["points"] == 0
    for student in ("right", "as text", "case", "beside"):
        assert {*verdicts(found[student]).values()} == {"right"} and found[student]["points"] == 12, student
    assert verdicts(found["shape"])["dW"] == "wrong-shape" and found["shape"]["points"] == 8
    assert verdicts(found["blank"]) == {"dW": "right", "db": "unanswered", "dX": "unanswered", "W_new": "right"}
    assert found["blank"]["points"] == 6
    assert found["empty"]["status"] == "unreadable" and "it is empty" in found["empty"]["reason"]
    assert found["nan"]["answers"]["db"]["verdict"] == "wrong"
    assert verdicts(found["follows"])["W_new"] == "follows" and found["follows"]["points"] == 1 + 5 + 2
    assert verdicts(found["gaming zeros"])["W_new"] == "wrong" and found["gaming zeros"]["points"] == 6


def test_what_a_real_folder_holds(convgrad: Convgrad, problem: Path, right: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "hand ins"
    handed_in(folder, ".DS_Store", b"\0\0\0\1Bud1")
    handed_in(folder / ".git", "config", "x")
    handed_in(folder, "essay.pdf", b"%PDF-1.4 \xe2\xe3")
    handed_in(folder, "photo.png", b"\x89PNG\r\n")
    handed_in(folder, "-rf.json", right)
    handed_in(folder, 'it\'s "quoted" <b>&.json', right)
    handed_in(folder, "esc\x1b[31mape\n.json", right)
    handed_in(folder, "=cmd|'x'!A1.json", {**right, "db": 99})
    handed_in(folder, "5", right)
    handed_in(folder, "[red]rich[x].json", right)
    handed_in(folder, "turned\u202eround.json", right)
    (folder / os.fsdecode(b"not-utf8-\xff.json")).write_text(json.dumps(right))
    arrays: Any = {name: np.array(each, float) for name, each in right.items()}
    np.savez(folder / "arrays.npz", **arrays)
    handed_in(folder, "pasted.txt", f"dX = array({right['dX']})")
    handed_in(folder / "week 2", "ann.json", right)
    handed_in(folder / "week 3", "ann.json", {**right, "dX": 3})
    os.mkfifo(folder / "pipe.json")
    (folder / "zero.json").symlink_to("/dev/zero")
    (folder / "loop.json").symlink_to("loop.json")
    handed_in(folder, "deep.json", "[" * 10**6)
    handed_in(folder, "evil.json", '{"dW": "__import__(\'os\').system(\'touch /tmp/pwned\')", "db": 1}')
    line = f"convgrad grade {quoted(problem)} {quoted(folder)}"
    ran = convgrad(line)
    found = rows(ran)
    assert len(found) == len(json.loads(ran.out)["submissions"]) - 1  # ann has two
    assert "Note: 1 hidden file passed over" in ran.err and "more than once" in ran.err and "ann" in ran.err
    for student in ("-rf", 'it\'s "quoted" <b>&', "5", "[red]rich[x]", "arrays", "not-utf8-\udcff"):
        assert found[student]["points"] == 4, student
    for student, reason in (
        ("essay", "PDF"),
        ("photo", "image"),
        ("pipe", "no file"),
        ("zero", "no file"),
        ("loop", ""),
        ("deep", "nested"),
        ("pasted", "results"),
    ):
        assert found[student]["status"] == "unreadable" and reason in found[student]["reason"], student
        assert found[student]["points"] == 0 and found[student]["answers"] == {}
    assert not Path("/tmp/pwned").exists()
    table = convgrad(f"{line} --format table", COLUMNS="100").out
    assert "\x1b" not in table and "\u202e" not in table and "esc\\x1b[31mape\\x0a" in table
    text = convgrad(f"{line} --format csv -q").out
    read = {row["id"]: row for row in csv.DictReader(io.StringIO(text))}
    assert len(read) == len(found) and "'=cmd|'x'!A1" in read and "'-rf" in read
    assert all(line[:1] not in "=+-@" for line in text.splitlines())
    tree = ElementTree.fromstring(convgrad(f"{line} --format junit -q").out.encode())
    suites = {suite.get("name"): suite for suite in tree}
    assert len(tree) == len(found) + 1
    assert suites["essay"].get("errors") == "1" and suites["=cmd|'x'!A1"].get("failures") == "1"
    assert len(convgrad(f"{line} --format jsonl -q").out.splitlines()) == len(found) + 1


def test_what_students_hand_in_is_not_imported(problem: Path, right: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "class"
    for name in ("json.py", "numpy.py", "pickle.py", "convgrad.py", "sitecustomize.py"):
        handed_in(folder, name, "open('imported', 'w').close()")
    handed_in(folder, "a.json", right)
    program = "import sys; from convgrad.cli import run; sys.exit(run(sys.argv[1:]))"
    line = [sys.executable, "-P", "-c", program, "grade", str(problem), "a.json"]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "") and not (folder / "imported").exists()


def test_a_lone_array_is_the_one_result_that_has_points(
    convgrad: Convgrad, problem: Path, right: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "class"
    handed_in(folder, "csv.csv", "\n".join(",".join(map(str, row)) for row in right["dX"]))
    np.save(folder / "npy.npy", np.array(right["dX"], float))
    handed_in(folder, "text.txt", f"array({right['dX']})")
    line = f"convgrad grade {quoted(problem)} {quoted(folder)}"
    assert all(row["points"] == 5 for row in rows(convgrad(f"{line} --points dX=5")).values())
    several = rows(convgrad(line))["csv"]
    assert "it holds one array, and there are 4 results" in several["reason"]


def test_credit(convgrad: Convgrad, problem: Path, right: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "class"
    wrong = np.array(right["dX"], float)
    wrong[0, 0] += 1
    handed_in(folder, "cell.json", {"dX": wrong.tolist()})
    turned = (np.array(right["dW"], float)[::-1, ::-1]).tolist()
    after = (np.array(PROBLEM["kernel"], float) - 0.5 * np.array(turned)).tolist()
    handed_in(folder, "follows.json", {"dW": turned, "W_new": after})
    handed_in(folder, "blank.json", {"dX": [[None, *row[1:]] for row in right["dX"]]})

    def points(options: str) -> dict[str, float]:
        line = f"convgrad grade {quoted(problem)} {quoted(folder)} --points dW=2,dX=8,W_new=4 {options}"
        return {name: row["points"] for name, row in rows(convgrad(line)).items()}

    assert points("") == {"blank": 0, "cell": 0, "follows": 4}
    assert points("--follows-credit 1/2") == {"blank": 0, "cell": 0, "follows": 2}
    right_cells = int((np.array(turned) == np.array(right["dW"])).sum())
    by_cells = points("--credit cells --follows-credit 0.25")
    assert by_cells == {"blank": 6, "cell": 7.5, "follows": float(Fraction(2 * right_cells, 6) + 1)}


def test_conventions_and_coarse_answers_earn_what_is_said(convgrad: Convgrad, tmp_path: Path) -> None:
    problem = handed_in(tmp_path, "loss.json", {"layer": "loss", "output": [1.234567, 2.5, 0.75], "target": [1, 0, 2]})
    loss = json.loads(convgrad("convgrad loss '[1.234567, 2.5, 0.75]' '[1, 0, 2]'").out)
    mean = json.loads(convgrad("convgrad loss '[1.234567, 2.5, 0.75]' '[1, 0, 2]' --kind mse-mean").out)
    folder = tmp_path / "class"
    handed_in(folder, "mean.json", {"delta": mean["delta"]})
    handed_in(folder, "coarse.json", {"loss": f"{loss['loss']:.1f}", "delta": loss["delta"]})

    def points(options: str) -> dict[str, float]:
        return {
            name: row["points"]
            for name, row in rows(convgrad(f"convgrad grade {quoted(problem)} {quoted(folder)} {options}")).items()
        }

    assert points("") == {"coarse": 1, "mean": 1}
    assert points("--convention-credit 0.5 --coarse-credit 0.25") == {"coarse": 1.25, "mean": 0.5}


def test_the_same_bytes_whatever_jobs_is_and_from_shards(
    convgrad: Convgrad, problem: Path, right: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "class"
    for number in range(40):
        answers = dict(right)
        if number % 3 == 0:
            answers["db"] = number % 4
        handed_in(folder, f"{number:02}.json", answers if number != 7 else "no answer")
    line = f"convgrad grade {quoted(problem)} -q"
    for form in ("json", "jsonl", "csv", "junit", "table"):
        texts = {convgrad(f"{line} {quoted(folder)} --format {form} --jobs {jobs}").out for jobs in (1, 2, 3)}
        assert len(texts) == 1
    halves = [[quoted(folder / f"{n:02}.json") for n in part] for part in (range(25), range(25, 40))]
    shards = []
    for number, files in enumerate(halves):
        shards.append(tmp_path / f"shard-{number}.jsonl")
        assert convgrad(f"{line} {' '.join(files)} -o {quoted(shards[-1])}").code == 1
    for form in ("json", "csv", "table", "junit"):
        whole = convgrad(f"{line} {quoted(folder)} --format {form}")
        together = convgrad(f"convgrad grade --summarise {' '.join(map(quoted, shards))} --format {form}")
        assert together.out == whole.out and together.code == whole.code == 1
    shards[1].write_text(shards[1].read_text() + '{"id": 1}\n')
    ran = convgrad(f"convgrad grade --summarise {quoted(shards[1])}")
    assert (ran.code, ran.out) == (2, "") and "line 16: it is no row of grades" in ran.err


def test_the_summary_says_what_to_act_on(
    convgrad: Convgrad, problem: Path, right: dict[str, Any], exercise: Exercise, tmp_path: Path
) -> None:
    folder, made = tmp_path / "class", exercise.shown["dX"].alone[0]
    array = next(each.array for each in predictions(exercise.case, "dX") if each.mistakes[0] is made)
    strange = np.add(
        np.array(right["dX"], float), np.array([[0.5, 0.25, 0, 0], [0] * 4, [0, 0, 7, 0], [0] * 4])
    ).tolist()
    for student in "abcd":
        handed_in(folder, f"{student}.json", {**right, "dX": array.tolist()})
    for student in "ef":
        handed_in(folder, f"{student}.json", {**right, "dX": strange})
    handed_in(folder, "g.json", right)
    line = f"convgrad grade {quoted(problem)} {quoted(folder)}"
    summary = json.loads(convgrad(line).out)["summary"]
    assert summary["graded"] == 7 and summary["unreadable"] == 0
    assert summary["points"]["mean"] == pytest.approx(22 / 7) and summary["points"]["median"] == 3
    assert [bar["count"] for bar in summary["points"]["histogram"]] == [0, 0, 0, 6, 1]
    assert {"name": made.name, "count": 4, "ids": [*"abcd"]} in summary["mistakes"]
    (shared,) = summary["unnamed"]
    assert (shared["count"], shared["ids"]) == (2, ["e", "f"]) and shared["answer"] == {"dX": strange}
    again = convgrad(f"convgrad conv-backward {quoted(problem)} --check {quoted(shared['answer'])}")
    assert again.code == 1  # what is listed is a document of answers
    table = convgrad(f"{line} --format table").out
    assert f"    4  {made.name}" in table and "a, b, c, d" in table and "3 to 4  ████" in table


def test_all_right_is_0_and_the_work_itself_undone_is_2(
    convgrad: Convgrad, problem: Path, right: dict[str, Any], tmp_path: Path
) -> None:
    good = handed_in(tmp_path / "class", "a.json", {**right, "output": [[0, 0], [0, 0], [0, 0]]})
    assert convgrad(f"convgrad grade {quoted(problem)} {quoted(good)}").code == 0  # what has no points counts nothing
    for line, said in (
        (f"{quoted(problem)}", "there are no submissions"),
        ("", "nothing to grade"),
        (f"{quoted(tmp_path / 'no.json')} {quoted(good)}", "no such file"),
        (f"{quoted(problem)} {quoted(good)} --points dK=1", "Did you mean 'dW'?"),
        (f"{quoted(problem)} {quoted(good)} --points dW", "write it as dW=4,db=1"),
        (f"{quoted(problem)} {quoted(good)} --points dW=-1", "no number of at least 0"),
        (f"{quoted(problem)} {quoted(good)} --follows-credit 2", "no share from 0 to 1"),
        (f"{quoted(problem)} {quoted(good)} {quoted(good)} --format gradescope", "one submission"),
        (f"{quoted(problem)} {quoted(good)} --format markdown", "grades are written as"),
        (f"{quoted(problem)} {quoted(good)} --rtol 1 --ulp 1", "two ways to compare"),
        (f"'[1, 2]' {quoted(good)}", "it holds one array, not a problem"),
        (f"{quoted(problem)} {quoted(good)} -o {quoted(good)}", "one of this command's own inputs"),
    ):
        ran = convgrad(f"convgrad grade {line}")
        assert (ran.code, ran.out) == (2, "") and said in ran.err, (line, ran.err)
    assert json.loads(good.read_text())["db"] == right["db"]


def test_gradescope_is_written_whatever_happens(
    convgrad: Convgrad, problem: Path, right: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "results.json"
    line = f"convgrad grade {quoted(problem)} {{}} --format gradescope --points dW=2,dX=3 -o {quoted(out)}"
    good = handed_in(tmp_path, "a.json", right)
    assert convgrad(line.format(quoted(good))).code == 0
    found = json.loads(out.read_text())
    assert found["score"] == 5 and [test["status"] for test in found["tests"]] == ["passed", "passed"]
    bad = handed_in(tmp_path, "b.json", {"dW": [[7.25, 7, 7], [7, 7, 7.125]]})
    for path in (bad, tmp_path / "missing.json", handed_in(tmp_path, "c.pdf", b"%PDF-1")):
        assert convgrad(line.format(quoted(path))).code == 1
        text = out.read_text()
        found = json.loads(text, parse_constant=pytest.fail)
        assert found["score"] == 0 and all(test["status"] == "failed" and test["output"] for test in found["tests"])
        assert all({"name", "score", "max_score", "visibility"} <= test.keys() for test in found["tests"])
        for number in {str(n) for row in right["dX"] for n in row if abs(n) > 9}:
            assert number not in text  # no right value is told


def test_what_takes_too_much_is_a_row_and_stops_no_other(
    convgrad: Convgrad, problem: Path, right: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "class"
    rng = np.random.default_rng(0)
    handed_in(folder, "a.json", right)
    handed_in(folder, "large.json", json.dumps({"dW": rng.normal(size=(1500, 1200)).tolist()}))
    with open(folder / "wide.npy", "wb") as stream:
        np.save(stream, np.zeros((5000, 1200)))
    handed_in(folder, "z.json", right)
    found = rows(convgrad(f"convgrad grade {quoted(problem)} {quoted(folder)} --jobs 1"))
    assert found["a"]["points"] == found["z"]["points"] == 4
    assert found["large"]["status"] == "unreadable" and "to read and judge" in found["large"]["reason"]
    assert found["wide"]["status"] == "unreadable"


KILLED = """
import json, os, signal, sys, time
sys.stdin.buffer.readline()
for line in sys.stdin.buffer:
    what = json.loads(line)
    if what == "die": os.kill(os.getpid(), signal.SIGKILL)
    if what == "leave": sys.exit(3)
    if what == "sleep": time.sleep(60)
    print(json.dumps(what.upper()), flush=True)
"""


def test_a_judge_that_is_killed_or_hangs_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 0.5)
    questions = ["a", "die", "b", "leave", "c", "sleep", "d"]
    found = dict(asked([sys.executable, "-c", KILLED], b"task\n", 2, questions))
    assert [*found] == questions
    assert found | {"die": "", "leave": "", "sleep": ""} == {
        "a": "A",
        "b": "B",
        "c": "C",
        "d": "D",
        "die": "",
        "leave": "",
        "sleep": "",
    }
    assert "signal 9" in found["die"] and "exit code 3" in found["leave"] and "signal 9" in found["sleep"]


def alive(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_an_interrupt_leaves_nothing_behind(problem: Path, right: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "class"
    for number in range(3000):
        handed_in(folder, f"{number}.json", {**right, "db": number / 7})
    out = tmp_path / "grades.csv"
    line = [sys.executable, "-m", "convgrad", "grade", str(problem), str(folder), "-o", str(out), "-q"]
    signals = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(line, stderr=subprocess.DEVNULL)
    finally:
        signal.signal(signal.SIGINT, signals)
    deadline = time.monotonic() + 30
    while not any(name.startswith(".grades.csv.") for name in os.listdir(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.02)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 30
    while not (judges := children.read_text().split()) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert not out.exists() and sorted(os.listdir(tmp_path)) == ["class", "key.json", "problem.json"]
    deadline = time.monotonic() + 20
    while any(map(alive, judges)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, judges))


def test_medians_and_bars() -> None:
    def summed(points: Sequence[float], most: float) -> Summary:
        summary = Summary()
        for each in points:
            summary.add({"id": "a", "status": "graded", "points": each, "max_points": most, "answers": {}})
        return summary

    for points, median in (([1, 2, 4], 2), ([1, 2, 4, 4], 3), ([3], 3), ([1, 1, 1, 4], 1), ([0.5, 2.5], 1.5)):
        assert summed(points, 4).entries["points"]["median"] == median
    assert summed([], 4).entries["points"] == {"mean": None, "median": None, "histogram": []}
    bars = summed([0, 9.99, 50, 95, 100, 100], 100).histogram
    assert [bar["count"] for bar in bars] == [2, 0, 0, 0, 0, 1, 0, 0, 0, 1, 2]
    assert bars[-1] == {"from": 100, "to": 100, "count": 2}
