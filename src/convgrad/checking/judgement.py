"""What every comparison is in Python: true or not, a report to read, and an error to raise in a test."""

from __future__ import annotations

from abc import abstractmethod


class Judgement:
    """A comparison: true where everything is right; its text is the report that people read."""

    @property
    @abstractmethod
    def right(self) -> bool:
        """Whether everything that was compared is right."""

    @property
    @abstractmethod
    def complaint(self) -> str:
        """What is to be said where it is not, in a line."""

    def __bool__(self) -> bool:
        return self.right

    def __str__(self) -> str:
        from convgrad.render import write

        return write(self, "table").decode().rstrip("\n")  # type: ignore[arg-type]  # every one of them can be said

    __repr__ = __str__

    def raise_if_wrong(self) -> None:
        """AssertionError with the report where not everything is right."""
        if not self.right:
            raise AssertionError(f"{self.complaint}\n{self}")
