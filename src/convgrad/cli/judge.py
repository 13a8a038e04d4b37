"""The process in which submissions are judged (teaching/workers.py): a task, then a path a line -> a row a line.

Each file may take a second of computing and 200 MB, and no more: one that does is a row that says so.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

SECONDS = 1.0
"""Seconds of computing that a submission may take."""

MOST_MEMORY = 200 * 2**20
"""Bytes that a submission may take besides what the judge has already."""


class TooLongError(Exception):
    """A submission took too long."""


def main() -> None:
    """Answer until nothing is asked any more."""
    from convgrad.render.data.verdicts import as_entries
    from convgrad.teaching.grading import Grader

    try:
        grader = Grader(pickle.load(sys.stdin.buffer), as_entries)
    except EOFError:  # whoever asked was interrupted
        return
    answers, sys.stdout = sys.stdout.buffer, sys.stderr  # nothing but answers goes where they go
    for line in sys.stdin.buffer:
        _, path = json.loads(line)
        found = answered(grader.graded, path)
        answers.write(json.dumps(found, default=_as_json).encode() + b"\n")
        answers.flush()


def answered(graded: Callable[[str], Any], path: str) -> Any:
    """A row's entries, or in a text why there are none."""
    try:
        with _limited():
            return graded(path)
    except TooLongError:
        return f"it takes more than {SECONDS:g} second to read and judge"
    except (MemoryError, RecursionError):
        return f"it takes more than {MOST_MEMORY // 2**20} MB to read and judge"
    except Exception as error:
        said = " ".join(str(error).split())
        return f"convgrad has a bug ({type(error).__name__}: {said}); please report it with this file"


@contextmanager
def _limited() -> Iterator[None]:
    """Bounds on computing time and memory, where the system knows them."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    import resource

    def over(number: int, frame: Any) -> None:
        raise TooLongError

    _, most = resource.getrlimit(resource.RLIMIT_AS)
    signal.signal(signal.SIGPROF, over)
    try:
        if (size := _size()) is not None:
            resource.setrlimit(resource.RLIMIT_AS, (size + MOST_MEMORY, most))
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _size() -> int | None:
    """The bytes of address space that this process has; None where the system does not say."""
    try:
        with os.fdopen(os.open("/proc/self/statm", os.O_RDONLY)) as stream:
            return int(stream.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def _as_json(value: Any) -> Any:
    """What JSON has not: arrays as lists, numpy's numbers as Python's, fractions as text."""
    from convgrad.render.number_text import exact

    return value.tolist() if hasattr(value, "tolist") else exact(value)


if __name__ == "__main__":
    main()
