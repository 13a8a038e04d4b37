"""A program as it is put together: what it holds, what it computes, what it compares."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from convgrad.core.element import Array
from convgrad.core.rational import rational
from convgrad.errors import OptionError
from convgrad.render.number_text import READABLE_DIGITS
from convgrad.render.pytorch.literals import WIDTH, as_floats, filled_in, nested, tensor
from convgrad.render.pytorch.rounding import rounding
from convgrad.render.pytorch.undecided import rounded_up
from convgrad.render.writer import Accompanied

MOST_NUMBERS = 2000
"""Numbers that a program has filled in; with more, nobody reads it."""

MOST_FILLED_IN = 100
"""Numbers of an array that is filled in where others are loaded."""

COMPARE = '''\
def compare(name, pytorch, convgrad, rounding):
    """Print PyTorch's numbers and the largest difference from convgrad's; whether it is no more than rounding."""
    pytorch, convgrad = pytorch.detach(), torch.tensor(convgrad)
    difference = (pytorch - convgrad).abs().max().item()
    print(f"{name} (largest difference from convgrad: {difference:.1e})\\n{pytorch}")
    return pytorch.shape == convgrad.shape and difference <= rounding
'''

COMPARE_UNDECIDED = '''\
def compare(name, pytorch, convgrad, rounding, undecided=0.0):
    """Print PyTorch's numbers and the largest difference from convgrad's; whether it is no more than rounding.

    undecided: how far the other slope would carry each cell, where rounding decides between two; 0 where it does not.
    """
    pytorch, convgrad, undecided = pytorch.detach(), torch.tensor(convgrad), torch.tensor(undecided)
    difference = (pytorch - convgrad).abs()
    decided = torch.where(undecided > 0, 0.0, difference).max().item()
    print(f"{name} (largest difference from convgrad: {decided:.1e})\\n{pytorch}")
    if (undecided > 0).any():
        cells, there = (undecided > 0).sum().item(), torch.where(undecided > 0, difference, 0.0).max().item()
        print(f"Rounding decides {cells} of these {pytorch.numel()} cells, where the difference is up to {there:.1e}")
    return pytorch.shape == convgrad.shape and bool((difference <= rounding + undecided).all())
'''


class TooLongError(OptionError):
    """A program would hold more numbers than anybody reads."""


@dataclass(eq=False, repr=False)
class Program:
    """A program that grows paragraph by paragraph.

    dtype: what convgrad has computed in; precision: digits after the point that the program prints; stored:
    the arrays that it loads from a file beside it, by name, None where there is to be no such file.
    """

    title: str
    dtype: np.dtype[np.generic]
    precision: int | None = None
    paragraphs: list[list[str]] = field(default_factory=list)
    compared: list[str] = field(default_factory=list)
    numbers: int = 0
    undecided: bool = False
    stored: dict[str, Array] | None = None

    def declare(self, name: str, array: Array, grad: bool = False, remark: str = "") -> str:
        """A tensor with its numbers filled in, or loaded -> the statement that makes it."""
        loaded = self._loaded(name, array, filled_in(array))
        made = f"torch.tensor({loaded}{', requires_grad=True' * grad})" if loaded else tensor(array, grad)
        return f"{name} = {made}{f'  # {remark}' if remark else ''}"

    def add(self, *groups: Iterable[str]) -> None:
        """A paragraph of statements; none where there are no statements."""
        lines = [line for group in groups for line in group]
        if lines:
            self.paragraphs.append(lines)

    def compare(self, name: str, expression: str, value: Array, bound: float, undecided: Array | None = None) -> None:
        """A result, by its name and as an expression, beside convgrad's, which is summed from numbers up to `bound`.

        undecided: how far each cell may be carried where rounding decides between two slopes.
        """
        lead, numbers = f'compare("{name}", {expression}, ', self._loaded(name, value, value.size)
        if not numbers:
            numbers = nested(value, "    ", 10**6)
            if len(lead) + len(numbers) > WIDTH:
                numbers = nested(value, "    ", WIDTH - len(lead))
        near = "0" if value.dtype.kind == "i" else f"{rounding(value, bound):.0e}"
        more = ""
        if undecided is not None and undecided.any():
            self.undecided = True
            rounded = rounded_up(undecided)
            loaded = self._loaded(f"undecided, {name}", rounded, undecided.size)
            more = f", undecided={loaded or nested(rounded, '    ', WIDTH)}"
        self.compared.append(f"    {lead}{numbers}, {near}{more}),")

    def _loaded(self, name: str, array: Array, numbers: int) -> str:
        """How an array is loaded that is not filled in with its so many numbers; empty where it is.

        TooLongError where the program would be too long to read, before anything of it is written.
        """
        if self.stored is not None and numbers > MOST_FILLED_IN:
            while name in self.stored:  # an operand and a result of one name
                name += "'"
            self.stored[name] = as_floats(array)
            return f'numbers["{name}"]'
        self.numbers += numbers
        if self.numbers > MOST_NUMBERS and self.stored is None:
            raise TooLongError(
                f"more than {MOST_NUMBERS} numbers would be filled into the program",
                where="--format torch",
                hint="write it with -o program.py, and they go to program.npz beside it; or fewer results with --only",
            )
        return ""

    def text(self) -> str:
        """The whole program."""
        functional = any("F." in line for lines in self.paragraphs for line in lines)
        head = [f'"""{self.title}: computed by PyTorch, and compared with what convgrad has computed."""', ""]
        head += ["from pathlib import Path", "", "import numpy as np"] if self.stored else []
        head += ["import torch", *(["import torch.nn.functional as F"] if functional else []), ""]
        if rational(np.empty(0, self.dtype)):
            head.append("# PyTorch has no fractions; convgrad's results are exact, these are rounded")
        head += ["torch.set_default_dtype(torch.float64)"] if self.dtype != np.float32 else []
        head += [f"torch.set_printoptions(precision={READABLE_DIGITS if self.precision is None else self.precision})"]
        if self.stored:
            head += [
                "",
                'numbers = np.load(Path(__file__).with_suffix(".npz"))  # which convgrad has written beside it',
            ]
        body = "\n\n".join("\n".join(lines) for lines in [head, *self.paragraphs])
        compared = "\n".join(self.compared)
        compare = COMPARE_UNDECIDED if self.undecided else COMPARE
        return f"{body}\n\n\n{compare}\n\nagree = [\n{compared}\n]\nraise SystemExit(0 if all(agree) else 1)\n"

    def written(self) -> str | Accompanied:
        """The program, with the file that it loads, if any."""
        if not self.stored:
            return self.text()
        stream = io.BytesIO()
        np.savez(stream, **self.stored)  # type: ignore[arg-type]
        return Accompanied(self.text(), {".npz": stream.getvalue()})
