"""Other processes in which submissions are judged: what one does to its judge is no matter to the others.

A judge that is asked answers with one line, or is stopped when it takes too long, and a new one takes its place.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from threading import Timer
from typing import Any, TypeVar

Asked = TypeVar("Asked")

PATIENCE = 20.0
"""Seconds after which a judge is stopped that did not stop itself; on a busy machine a second of work takes a few."""

AHEAD = 16
"""Questions a judge that are put before the first of them is answered, so that no judge waits for another."""


class Judge:
    """One process."""

    def __init__(self, command: Sequence[str], task: bytes) -> None:
        """command: what starts it; task: what it is told first."""
        self._command, self._task = command, task
        self._start()

    def _start(self) -> None:
        alone = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # the processes share the cores
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **alone},
            start_new_session=True,  # an interrupt is for whoever asks; a judge that nobody asks any more ends
        )
        self._send(self._task)

    def ask(self, question: Any) -> Any:
        """What it answers; a text that says why there is no answer, where it was stopped, or stopped itself."""
        self._send(json.dumps(question).encode() + b"\n")
        late = Timer(PATIENCE, self._process.kill)
        late.daemon = True
        late.start()
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        late.cancel()
        if line.endswith(b"\n"):
            return json.loads(line)
        self.stop()
        code = self._process.returncode
        self._start()
        return (
            f"it stopped what judged it (signal {-code})" if code < 0 else f"it ended what judged it (exit code {code})"
        )

    def _send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it is gone, which the answer will show
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def stop(self) -> None:
        """Be done with it."""
        self._process.kill()
        self._process.communicate()


def asked(command: Sequence[str], task: bytes, jobs: int, questions: Iterable[Asked]) -> Iterator[tuple[Asked, Any]]:
    """Questions that JSON can hold -> each with its answer, in their order, from so many processes at a time."""
    judges, idle = list[Judge](), SimpleQueue[Judge]()

    def answer(question: Asked) -> Any:
        judge = idle.get()
        try:
            return judge.ask(question)
        finally:
            idle.put(judge)

    pool, waiting = ThreadPoolExecutor(jobs), deque[tuple[Asked, Future[Any]]]()
    try:
        for _ in range(jobs):
            judges.append(Judge(command, task))
            idle.put(judges[-1])
        for question in questions:
            waiting.append((question, pool.submit(answer, question)))
            if len(waiting) > AHEAD * jobs:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for judge in judges:
            judge.stop()
        pool.shutdown()
