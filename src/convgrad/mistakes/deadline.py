"""How long a search may take: what is looked at between its steps, so that it can be cut and say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from time import thread_time
from typing import TypeVar

Each = TypeVar("Each")

SECONDS = 2.0
"""Seconds of computing that a check may spend on looking for mistakes."""


@dataclass(eq=False, repr=False)
class Deadline:
    """Seconds of a clock, from the first look at it on; cut: whether something was left out for want of time.

    clock: of this thread's own work unless it is said, so that a busy machine finds what an idle one does.
    """

    seconds: float = SECONDS
    clock: Callable[[], float] = thread_time
    cut: bool = False
    _end: float | None = field(default=None, init=False)

    def passed(self) -> bool:
        """Whether the time is over; then what follows is left out."""
        now = self.clock()
        if self._end is None:
            self._end = now + self.seconds
        self.cut = self.cut or now > self._end
        return self.cut

    def within(self, steps: Iterable[Each]) -> Iterator[Each]:
        """The steps, as long as there is time: at least one."""
        for step in steps:
            yield step
            if self.passed():
                return
