"""How long a search may take: what is looked at between its steps, so that it can be cut and say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from time import thread_time
from typing import TypeVar

Each = TypeVar("Each")

SECONDS = 2.0
"""Seconds of computing that a check spends on looking for mistakes, at most."""


@dataclass(eq=False, repr=False)
class Deadline:
    """Seconds of a clock from the first look at it on; cut: whether it was over before all was done.

    clock: of this thread's own work unless it is said, so that a busy machine finds what an idle one does.
    """

    seconds: float = SECONDS
    clock: Callable[[], float] = thread_time
    cut: bool = False
    _end: float | None = field(default=None, init=False)

    def left(self) -> float:
        """The seconds that are left."""
        now = self.clock()
        if self._end is None:
            self._end = now + self.seconds
        return self._end - now

    def part(self, among: int) -> Deadline:
        """The share of one of so many searches in what is left."""
        return Deadline(max(0.0, self.left()) / among, self.clock)

    def within(self, steps: Iterable[Each]) -> Iterator[Each]:
        """The steps as long as there is time; the first in any case."""
        self.left()
        for step in steps:
            yield step
            if self.left() <= 0:
                self.cut = True
                return
