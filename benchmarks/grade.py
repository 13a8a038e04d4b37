"""A class graded: ``python benchmarks/grade.py [N]``, seconds and memory of N submissions and of a tenth of them.

A 5x5 convolution; one submission in three is wrong: half of these by a mistake of the catalogue, so that many are
equal, half in one cell by a number of their own, so that no two are.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from convgrad.files import Reader
from convgrad.mistakes.recogniser import predictions
from convgrad.teaching.exercise import Exercise, from_document

COMMAND = [sys.executable, "-m", "convgrad"]


def submissions(exercise: Exercise, folder: Path, count: int) -> None:
    """Files of answers."""
    rng = random.Random(0)
    right = {name: asked.numbers.tolist() for name, asked in exercise.asked.items()}
    wrong = [(name, each.array.tolist()) for name in exercise.ask for each in predictions(exercise.case, name)]
    for number in range(count):
        answers: dict[str, Any] = json.loads(json.dumps(right))
        if number % 6 == 0:
            name, array = rng.choice(wrong)
            answers[name] = array
        elif number % 6 == 3:
            row = answers["dX"][0][rng.randrange(5)]
            row[rng.randrange(5)] += rng.randrange(1, 10**6) / 1000
        (folder / f"student-{number:05}.json").write_text(json.dumps(answers))


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as top:
        problem = Path(top) / "problem.json"
        subprocess.run([*COMMAND, *f"exercise conv 1x5x5 --seed 1 -q -o {problem}".split()], check=True)
        exercise = from_document(Reader(), str(problem), None)
        print(f"{'submissions':>12} {'jobs':>5} {'seconds':>8} {'each, ms':>9} {'largest process, MB':>20}")
        for number in (count // 10, count):
            folder = Path(top) / str(number)
            folder.mkdir()
            submissions(exercise, folder, number)
            for jobs in (1, 2):
                line = f"grade {problem} {folder} --jobs {jobs} -q -o {top}/{number}-{jobs}.jsonl".split()
                start = time.perf_counter()
                subprocess.run([*COMMAND, *line], check=False)
                seconds = time.perf_counter() - start
                largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
                print(f"{number:>12} {jobs:>5} {seconds:>8.1f} {seconds / number * 1000:>9.2f} {largest:>20.0f}")
            same = (Path(top) / f"{number}-1.jsonl").read_bytes() == (Path(top) / f"{number}-2.jsonl").read_bytes()
            assert same, "the rows depend on --jobs"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
