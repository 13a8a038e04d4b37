"""Exercises: what is drawn is a problem whose key is right, whose numbers are easy, and which keeps its word."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Convgrad, Ran, quoted

from convgrad.errors import OptionError
from convgrad.files import Reader
from convgrad.kinds import KINDS, OF_PROBLEMS
from convgrad.mistakes.recogniser import predictions
from convgrad.numerals import parse_number, to_fraction
from convgrad.teaching import drawing
from convgrad.teaching.asked import asked_for, plain, significant
from convgrad.teaching.drawing import Wanted, drawn
from convgrad.teaching.exercise import Exercise, from_document
from convgrad.teaching.paper import Dice, Paper

JOBS = {
    "conv": (
        "5x5",
        "1x5x5 --stride 2,1",
        "2x4x4 --filters 2 --padding same",
        "6",
        "2x7 --dims 1 --filters 2",
        "2x3x4x4 --dims 3",
        "2x1x4x4",
        "3x4 --transposed",
        "2x3x3 --transposed --filters 3 --stride 2",
        "4x4 --unshared",
        "2x4x4 --unshared --filters 2",
        "4x4x4 --groups 2",
        "2x4x4 --groups depthwise",
        "4x4x2 --layout channels-last --filters 2",
        "4x4 --activation relu --lr 0.1 --momentum 0.5",
        "4x4 --no-bias --kernel-size 2",
        "4x4 --flip --dilation 2",
    ),
    "pool": (
        "5x5",
        "2x5x5 --kind avg",
        "4x4 --kind lp",
        "4x4 --kind sum --size 2",
        "6",
        "4x4 --global",
        "5x5 --adaptive 2",
    ),
    "dense": (
        "4",
        "2x3 --nodes 4",
        "3 --lr 0.5 --weight-decay 0.1",
        "3 --activation sigmoid",
        "3 --weight-layout in-out",
    ),
    "activation": ("3x4 --activation relu", "4 --activation softmax", "4 --activation hard-swish"),
    "norm": (
        "4x3",
        "2x2x3 --over instance",
        "2x4x2 --over group --groups 2",
        "2x3x2 --layout channels-last",
        "2x4 --over layer",
    ),
    "loss": tuple(
        f"3x4 --kind {name}" for name in ("mse", "mse-mean", "cross-entropy", "nll", "hinge", "bce", "mae", "huber")
    ),
}
"""Shapes and options of every kind of layer."""


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few draws: what is drawn need not be the best."""
    monkeypatch.setattr(drawing, "DRAWS", 3)


def made(convgrad: Convgrad, job: str, folder: Path) -> tuple[Path, Path]:
    """The problem and the key of an exercise."""
    problem, key = folder / "problem.json", folder / "key.json"
    ran = convgrad(f"convgrad exercise {job} --seed 3 --key {quoted(key)} -o {quoted(problem)}")
    assert (ran.code, ran.out) == (0, ""), ran.err
    assert ran.err.startswith("Note: tells apart "), ran.err
    return problem, key


def command_of(kind: str) -> str:
    return [*KINDS[kind].commands][-1]


def test_every_kind_has_a_job() -> None:
    assert {*JOBS} == {*OF_PROBLEMS}


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("job", [f"{kind} {job}" for kind, jobs in JOBS.items() for job in jobs])
def test_the_key_is_right_and_the_problem_is_one_for_every_command(
    convgrad: Convgrad, job: str, tmp_path: Path
) -> None:
    problem, key = made(convgrad, job, tmp_path)
    document, answers = json.loads(problem.read_text()), json.loads(key.read_text())
    command, asked = command_of(document["layer"]), document["ask"]
    ran = convgrad(f"convgrad {command} {quoted(problem)} --check {quoted(key)} --require {','.join(asked)}")
    assert ran.code == 0, ran.out + ran.err
    assert [*json.loads(ran.out)["answers"]] == asked
    results = json.loads(convgrad(f"convgrad {command} {quoted(problem)} --only {','.join(asked)} -q").out)
    for name in asked:  # the key is what the command computes, to the digits asked for
        ours, theirs = np.array(results[name], float), np.array(answers[name], float)
        assert ours.shape == theirs.shape
        assert np.allclose(ours, theirs, rtol=5e-4, atol=1e-12), name
    shown = json.loads(convgrad(f"convgrad mistakes {quoted(problem)} --only {','.join(asked)}").out)["results"]
    assert answers["separates"] == {name: each for name, each in shown.items() if name in asked}
    assert set(answers.get("rounded", {})) <= set(asked)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("sort", ["integers", "decimals", "fractions"])
@pytest.mark.parametrize("job", ["conv 4x4", "pool 5x5 --kind avg --size 3", "dense 3 --lr 0.5", "loss 4", "norm 3x2"])
def test_numbers_are_easy(convgrad: Convgrad, job: str, sort: str, tmp_path: Path) -> None:
    problem, key = made(convgrad, f"{job} --numbers {sort} --digits 5", tmp_path)
    document, answers = (
        json.loads(path.read_text(), parse_int=to_fraction, parse_float=to_fraction) for path in (problem, key)
    )
    low, high = {"integers": (-3, 3), "decimals": (-1, 1), "fractions": (-2, 2)}[sort]
    for role in KINDS[document["layer"]].roles:
        for number in numbers_in(document.get(role, [])):
            assert number != 0 and low <= number <= high
            assert number.denominator in {"integers": [1], "decimals": [1, 2, 5, 10], "fractions": [1, 2, 3, 4]}[sort]
    for name in document["ask"]:
        for number in numbers_in(answers[name]):
            if number.denominator == 1 or sort != "fractions" or name in answers.get("rounded", {}):
                assert significant(number) <= 5
            else:
                assert all(len(str(part)) <= 5 for part in (abs(number.numerator), number.denominator))


def numbers_in(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [number for each in value for number in numbers_in(each)]
    return [parse_number(value, to_fraction) if isinstance(value, str) else value]


def test_the_same_words_and_seed_give_the_same_bytes() -> None:
    """Stored, because other machines and versions of Python and numpy have to give the same."""
    line = [sys.executable, "-m", "convgrad", "exercise", "conv", "4x4", "--seed", "seven", "--digits", "3", "-q"]
    runs = [
        subprocess.run(line, capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}).stdout
        for seed in ("0", "1")
    ]
    assert runs[0] == runs[1] == (Path(__file__).parent / "drawn.json").read_bytes()


def test_another_seed_or_none_gives_another_problem(convgrad: Convgrad) -> None:
    first, second, third = (convgrad(f"convgrad exercise dense 3 --seed {seed}") for seed in (1, 1, 2))
    assert first.out == second.out != third.out
    free = convgrad("convgrad exercise dense 3")
    note = free.err.splitlines()[0]
    assert note.startswith("Note: drawn with --seed ")
    assert convgrad(f"convgrad exercise dense 3 --seed {note.rpartition(' ')[2]}").out == free.out


def test_of_all_draws_the_best_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = list[tuple[int, ...]]()
    score = drawing._score

    def scored(exercise: Exercise) -> tuple[int, ...]:
        seen.append(score(exercise))
        return seen[-1]

    monkeypatch.setattr(drawing, "DRAWS", 12)
    monkeypatch.setattr(drawing, "_score", scored)
    kept = drawn(Wanted(KINDS["conv"], (5, 5), seed="a"))
    assert len(seen) == 12 and len({*seen}) > 1
    assert score(kept) == max(seen)


def test_what_is_left_open_is_not_square_and_no_two_numbers_of_a_maximum_are_equal() -> None:
    conv, pool = (drawn(Wanted(KINDS[kind], (5, 5), seed="b")) for kind in ("conv", "pool"))
    assert len({*conv.given["kernel"].shape}) == 2
    settings = pool.case.settings
    assert len({*settings["size"]}) == 2 and settings["stride"] != settings["size"]
    assert len({*map(float, pool.given["input"].ravel())}) == 25


@pytest.mark.slow
@pytest.mark.parametrize(
    "job", ["conv 5x5", "pool 5x5", "dense 4", "activation 3x4 --activation elu", "norm 4x3", "loss 3x4"]
)
def test_what_is_told_apart_is_named_alone(convgrad: Convgrad, job: str, tmp_path: Path) -> None:
    """Planted: every mistake of which the key says so, made in its first way, written to the digits asked for."""
    problem, key = made(convgrad, job, tmp_path)
    exercise = from_document(Reader(), str(problem), None)
    told = 0
    for name, entry in json.loads(key.read_text())["separates"].items():
        ways: dict[str, Any] = {}
        for each in predictions(exercise.case, name):
            ways.setdefault(each.mistakes[0].name, each.array)
        for mistake in entry["told_apart"]:
            wrong = asked_for(ways[mistake], 4, noise=exercise.case.noise(name)).texts.tolist()
            answer = tmp_path / "answer.json"
            answer.write_text(json.dumps({name: wrong}))
            ran = convgrad(f"convgrad {command_of(exercise.kind.name)} {quoted(problem)} --check {quoted(answer)} -q")
            assert ran.code == 1
            verdict = json.loads(ran.out)["answers"][name]
            assert [each["name"] for each in verdict["mistakes"]] == [mistake], (name, mistake)
            told += 1
    assert told > 7


def test_of_5x5_problems_most_mistakes_are_told_apart() -> None:
    for kind, shape, least in (("conv", (1, 5, 5), 0.9), ("pool", (1, 5, 5), 0.85), ("dense", (4,), 0.7)):
        apart, apply = drawn(Wanted(KINDS[kind], shape, seed="7")).told_apart
        assert apart >= least * apply > 10


@pytest.mark.usefixtures("few")
def test_a_folder_holds_problems_and_their_keys(convgrad: Convgrad, tmp_path: Path) -> None:
    folder = tmp_path / "sheet one"
    ran = convgrad(f"convgrad exercise dense 3 --count 3 --seed 1 -o {quoted(folder)}/")
    assert (ran.code, ran.out) == (0, "")
    assert [line.partition(" tells")[0] for line in ran.err.splitlines()] == [f"Note: problem {k}" for k in (1, 2, 3)]
    names = [f"{what}-0{k}.json" for what in ("key", "problem") for k in (1, 2, 3)]
    assert sorted(os.listdir(folder)) == names
    texts = {(folder / name).read_text() for name in names}
    assert len(texts) == 6
    first = convgrad("convgrad exercise dense 3 --seed 1").out
    assert (folder / "problem-01.json").read_text() == first  # one alone is the first of several


@pytest.mark.usefixtures("few")
def test_a_folder_that_cannot_be_written_is_not_left_behind(convgrad: Convgrad, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "key-02.json").mkdir()
    for target in (tmp_path / "there", tmp_path / "not" / "there"):
        ran = convgrad(f"convgrad exercise dense 3 --count 2 --seed 1 -o {quoted(target)}/")
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("Error: ") and str(target) in ran.err
    assert os.listdir(tmp_path) == ["there"]
    assert os.listdir(tmp_path / "there") == ["key-02.json"]


def refused(ran: Ran) -> str:
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Error: ") and ran.err.count("\n") == 1
    return ran.err


@pytest.mark.usefixtures("few")
def test_what_cannot_be_drawn_is_said(convgrad: Convgrad) -> None:
    for job, said in (
        ("con 5x5", "Did you mean 'conv'?"),
        ("conv", "Missing argument 'SHAPE'"),
        ("conv 5y5", "'5y5' is not a shape"),
        ("conv 5x5x5x5x5x5", "6 axes"),
        ("conv 2x2 --kernel-size 3", "kernel"),
        ("conv 3x4x4 --groups 2", "groups"),
        ("conv 5x5 --range 0,0", "no number but 0"),
        ("conv 5x5 --range 3,-3", "--range"),
        ("conv 5x5 --digits 1", "in 3 draws a number of output had more than 1 digits; raise --digits"),
        ("activation 4 --activation tanh --digits 2", "output and dX would be rounded"),
        ("conv 5x5 --ask dK", "Did you mean 'dW'?"),
        ("conv 5x5 --ask W_new", "W_new comes with --lr"),
        ("conv 5x5 --count 2", "add -o FOLDER/"),
        ("conv 5x5 --count 2 --key k.json --format markdown", "add -o FOLDER/"),
        ("conv 5x5 --format csv", "exercises are written as json"),
        ("conv 5x5 --numbers whole", "no 'whole', only integers, decimals, fractions"),
        ("loss 4 --kind mes", "Did you mean 'mse'?"),
        ("activation 4", "there is no activation"),
        ("pool 4x4 --stride 9 --size 9", "9"),
    ):
        assert said in refused(convgrad(f"convgrad exercise {job} --seed 1")), job


def test_a_problem_that_exists_is_asked_as_it_says(convgrad: Convgrad) -> None:
    document = '{"input": [1, 2, "1/3"], "kernel": [0.5, 0.25], "delta": [1, 3], "ask": ["dX", "dW"], "digits": 3}'
    ran = convgrad("convgrad exercise - --key /dev/null", stdin=document)
    assert json.loads(ran.out) == {"layer": "conv", **json.loads(document), "ask": ["dW", "dX"]}
    asked = json.loads(convgrad("convgrad exercise - --ask output", stdin=document).out)["ask"]
    assert asked == ["output"]
    for said, entry in (
        ("ask: 5 is no list of results", '"ask": 5'),
        ("digits: 0 is not between 1", '"digits": 0'),
        ("no result 'dw2' here", '"ask": ["dw2"]'),
    ):
        ran = convgrad("convgrad exercise -", stdin=document[: document.index('"ask"')] + entry + "}")
        assert said in refused(ran)


def test_a_key_rounds_what_does_not_end_and_keeps_its_zeros(convgrad: Convgrad, tmp_path: Path) -> None:
    document = '{"input": [1, 2], "kernel": ["1/3"], "delta": [0.04996, 0.3], "layer": "conv", "digits": 3}'
    key = tmp_path / "key.json"
    convgrad(f"convgrad exercise - --key {quoted(key)}", stdin=document)
    assert '"dX": [0.0167, 0.1]' in key.read_text()
    assert '"dW": [0.650]' in key.read_text()
    assert json.loads(key.read_text())["rounded"] == {"output": 3, "dW": 3, "db": 3, "dX": 3}


@pytest.mark.parametrize("kind", OF_PROBLEMS)
def test_every_command_checks_the_layer_of_a_document(convgrad: Convgrad, kind: str) -> None:
    other = "pool" if kind != "pool" else "conv"
    for command in KINDS[kind].commands:
        document = f'{{"layer": "{other}", "input": [1, 2], "output": [1, 2], "target": [0, 1], "delta": [1, 2]}}'
        said = refused(convgrad(f"convgrad {command} -", stdin=document))
        assert f"layer: it is a problem of {other}, not of {kind}; use convgrad {other}-forward" in said
    remark = '{"layer": "the first one", "input": [1, 2], "kernel": [1], "delta": [1, 2]}'
    assert convgrad("convgrad conv-backward -", stdin=remark).code == 0


@pytest.mark.parametrize(
    ("number", "digits", "text"),
    [
        ("1/3", 4, "0.3333"),
        ("2/3", 1, "0.7"),
        ("0.04996", 3, "0.0500"),
        ("-9.9996", 4, "-10.00"),
        ("99996", 4, "100000"),
        ("12345", 3, "12300"),
        ("0.5", 4, "0.5"),
        ("0", 2, "0"),
        ("2.5e-7", 3, "0.00000025"),
        ("1/7", 3, "0.143"),
    ],
)
def test_numbers_as_they_are_asked_for(number: str, digits: int, text: str) -> None:
    exact = np.array([to_fraction(number)], object)
    assert asked_for(exact, digits).texts.tolist() == [text]
    assert asked_for(exact.astype(float), digits).texts.tolist() == [text]


def test_what_is_nearly_a_short_number_is_a_rounding() -> None:
    """gelu of 9 is not 9: who writes 9 says so, who writes 9.000 has rounded."""
    near = asked_for(np.array([9 - 1e-12, 9.0]), 4)
    assert near.texts.tolist() == ["9.000", "9"] and near.rounded


@pytest.mark.usefixtures("few")
def test_keys_of_what_is_nearly_exact_are_right(convgrad: Convgrad, tmp_path: Path) -> None:
    problem, key = tmp_path / "problem.json", tmp_path / "key.json"
    line = f"convgrad exercise dense 1x3 --activation gelu --seed 34 --key {quoted(key)} -o {quoted(problem)}"
    assert convgrad(line).code == 0
    assert convgrad(f"convgrad dense-backward {quoted(problem)} --check {quoted(key)}").code == 0


def test_noise_is_no_number() -> None:
    assert asked_for(np.array([1e-17, 0.1 + 0.2, 1e-3]), 4, noise=1e-15).texts.tolist() == ["0", "0.3", "0.001"]
    assert plain(to_fraction("-1200")) == "-1200" and significant(to_fraction("0.0450")) == 2


def test_paper_without_room_is_refused_and_distinct_numbers_take_the_room_they_need() -> None:
    with pytest.raises(OptionError, match="no number but 0 among the integers from 0 to 0"):
        Paper("integers", (0, 0)).numbers((2,), Dice("a"))
    many = Paper().numbers((40,), Dice("a"), distinct=True)
    assert len({*many.tolist()}) == 40
    tight = Paper("integers", (1, 3)).numbers((6,), Dice("a"), distinct=True)
    assert sorted(tight.tolist()) == [1, 1, 2, 2, 3, 3]
