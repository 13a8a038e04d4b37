"""Submissions: which files there are, and whose they are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Submission(NamedTuple):
    """A file that was handed in, and the student whose it is."""

    id: str
    file: str


class Found:
    """The submissions among files and folders, in the order of these, and sorted by name in a folder.

    hidden: files that were passed over because their names begin with a dot; twice: students who come more than once.
    Both are known when all have been gone through.
    """

    def __init__(self, paths: Sequence[str], id_from: str = "file") -> None:
        """id_from: ``file``, the file's name without its suffix, or ``folder``, that of the folder it lies in."""
        self._paths, self._id_from = paths, id_from
        self.hidden = 0
        self.twice: dict[str, int] = {}

    def __iter__(self) -> Iterator[Submission]:
        """One after the other."""
        seen = set[str]()
        for path in self._paths:
            for file in self._within(path) if os.path.isdir(path) else [path]:
                student = self._student(file)
                if student in seen:
                    self.twice[student] = self.twice.get(student, 1) + 1
                seen.add(student)
                yield Submission(student, file)

    def _within(self, folder: str) -> Iterator[str]:
        for top, folders, files in os.walk(folder):
            self.hidden += sum(name.startswith(".") for name in files)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from (os.path.join(top, name) for name in sorted(files) if not name.startswith("."))

    def _student(self, file: str) -> str:
        if self._id_from == "folder":
            return os.path.basename(os.path.dirname(os.path.abspath(file)))
        return os.path.splitext(os.path.basename(file))[0]
