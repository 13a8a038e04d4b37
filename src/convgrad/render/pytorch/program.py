"""A program as it is put together: what it holds, what it computes, what it compares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from convgrad.core.element import Array
from convgrad.core.rational import rational
from convgrad.errors import OptionError
from convgrad.render.number_text import READABLE_DIGITS
from convgrad.render.pytorch.literals import WIDTH, filled_in, nested, tensor
from convgrad.render.pytorch.rounding import rounding

MOST_NUMBERS = 2000
"""Numbers that a program has filled in; with more, nobody reads it."""

COMPARE = '''\
def compare(name, pytorch, convgrad, rounding):
    """Print PyTorch's numbers and the largest difference from convgrad's; whether it is no more than rounding."""
    pytorch, convgrad = pytorch.detach(), torch.tensor(convgrad)
    difference = (pytorch - convgrad).abs().max().item()
    print(f"{name} (largest difference from convgrad: {difference:.1e})\\n{pytorch}")
    return pytorch.shape == convgrad.shape and difference <= rounding
'''


@dataclass(eq=False, repr=False)
class Program:
    """A program that grows paragraph by paragraph.

    dtype: what convgrad has computed in; precision: digits after the point that the program prints.
    """

    title: str
    dtype: np.dtype[np.generic]
    precision: int | None = None
    paragraphs: list[list[str]] = field(default_factory=list)
    compared: list[str] = field(default_factory=list)
    numbers: int = 0

    def declare(self, name: str, array: Array, grad: bool = False, remark: str = "") -> str:
        """A tensor with its numbers filled in -> the statement that makes it."""
        self._count(filled_in(array))
        return f"{name} = {tensor(array, grad)}{f'  # {remark}' if remark else ''}"

    def add(self, *groups: Iterable[str]) -> None:
        """A paragraph of statements; none where there are no statements."""
        lines = [line for group in groups for line in group]
        if lines:
            self.paragraphs.append(lines)

    def compare(self, name: str, expression: str, value: Array, bound: float) -> None:
        """A result, by its name and as an expression, beside convgrad's, which is summed from numbers up to `bound`."""
        self._count(value.size)
        lead, numbers = f'compare("{name}", {expression}, ', nested(value, "    ", 10**6)
        if len(lead) + len(numbers) > WIDTH:
            numbers = nested(value, "    ", WIDTH - len(lead))
        near = "0" if value.dtype.kind == "i" else f"{rounding(value, bound):.0e}"
        self.compared.append(f"    {lead}{numbers}, {near}),")

    def _count(self, numbers: int) -> None:
        """OptionError where the program would be too long to read, before anything of it is written."""
        self.numbers += numbers
        if self.numbers > MOST_NUMBERS:
            raise OptionError(
                f"more than {MOST_NUMBERS} numbers would be filled into the program",
                where="--format torch",
                hint="take a smaller problem, or fewer results with --only",
            )

    def text(self) -> str:
        """The whole program."""
        functional = any("F." in line for lines in self.paragraphs for line in lines)
        head = [f'"""{self.title}: computed by PyTorch, and compared with what convgrad has computed."""', ""]
        head += ["import torch", *(["import torch.nn.functional as F"] if functional else []), ""]
        if rational(np.empty(0, self.dtype)):
            head.append("# PyTorch has no fractions; convgrad's results are exact, these are rounded")
        head += ["torch.set_default_dtype(torch.float64)"] if self.dtype != np.float32 else []
        head += [f"torch.set_printoptions(precision={READABLE_DIGITS if self.precision is None else self.precision})"]
        body = "\n\n".join("\n".join(lines) for lines in [head, *self.paragraphs])
        compared = "\n".join(self.compared)
        return f"{body}\n\n\n{COMPARE}\n\nagree = [\n{compared}\n]\nraise SystemExit(0 if all(agree) else 1)\n"
