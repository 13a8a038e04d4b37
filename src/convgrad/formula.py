r"""Formulas as data: built once, lowered to the axes that a file has, called by other names, and written at the end.

A formula is a row of pieces: arrays by name (Named), sums (Over), what stands for marked cells (Marked), and words and
signs as they are. It is made of pieces, or read from a template with names in braces (`Formula.of`), and written as
text, ``dW[m,n] = sum over i,j of delta[i,j] * input[i+m,j+n]``, or as LaTeX (render/documents).

Axes bear letters, one each: N examples, P places of an unshared kernel, ``*`` spatial axes, C input channels,
F filters; of a kernel I (input channels of a group), J and K (output channels of a group and input channels,
transposed); of a dense layer D inputs, O nodes, M inputs of the weight. ``NC*`` is (N, C, H, W) on images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

INDEX = {"C": "c", "I": "c", "K": "c", "F": "f", "J": "f", "D": "i", "M": "i", "O": "o"}
"""How the index of an axis is written in formulas; an example's is not written."""


def tokens(axes: str, dims: int) -> list[str]:
    """Axes one by one: ``NC*`` with two spatial axes is N, C, *0, *1."""
    return [each for letter in axes for each in ([f"{letter}{k}" for k in range(dims)] if letter in "*P" else [letter])]


class Named(NamedTuple):
    """An array by its name, with its index: ``delta[f,i,j]``.

    at: for each axis that is written its letter (``F``, ``*0``) and its index (``f``, ``2i+m-1``); open: whether the
    index of a cell, not known before the cell is, stands behind it.
    """

    name: str
    at: tuple[tuple[str, str], ...] = ()
    open: bool = False

    @property
    def indices(self) -> str:
        """``f,i,j``; empty without an index."""
        return ",".join(text for _, text in self.at)

    def __str__(self) -> str:
        return f"{self.name}[{self.indices}]" if self.at else self.name


class Over(NamedTuple):
    """What is combined over what: ``sum over f and all i,j,m,n with (i+m,j+n) = (x,y) of``.

    channel: the index of the channels, gone where no array has them; letters: indices that run besides; every: those
    of which only the ones count that fulfil the condition: that `cells` are `wanted`, or, without `cells`, lie on it.
    """

    channel: str = ""
    letters: tuple[str, ...] = ()
    every: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    word: str = "sum"

    @property
    def running(self) -> tuple[str, ...]:
        """The indices that run freely."""
        return (*([self.channel] if self.channel else []), *self.letters)

    @property
    def condition(self) -> str:
        """``(i+m,j+n) = (x,y)``; empty without a condition."""
        if not self.wanted:
            return ""
        wanted = f"({','.join(self.wanted)})"
        return f"({','.join(self.cells)}) = {wanted}" if self.cells else f"on {wanted}"

    def __str__(self) -> str:
        free, every = ",".join(self.running), ",".join(self.every)
        over = " and ".join(filter(None, (free, every and f"all {every}")))
        verb = "with" if self.cells else "that lie"
        return f"{self.word} over {over} {f'{verb} {self.condition} ' if self.wanted else ''}of "


class Marked:
    """Where words speak of the cells that are marked: ``in brackets`` as text, ``lit up`` on a page."""

    def __str__(self) -> str:
        return "in brackets"


Piece = str | Named | Over | Marked

MARKED = Marked()


class Formula:
    """A row of parts; without any it is no formula, and false. It is put together when it is first looked at."""

    def __init__(self, parts: Sequence[Piece] | Callable[[], Sequence[Piece]] = ()) -> None:
        """The parts, or what makes them."""
        self._make = parts

    @classmethod
    def of(cls, template: str) -> Formula:
        """From words in which names stand in braces: ``"max(0, {input})"``; ``{input[]}`` is a cell, with its index."""
        return cls(lambda: list(_parts_of(template)))

    @cached_property
    def parts(self) -> tuple[Piece, ...]:
        """Arrays by name, sums, words and signs, from left to right."""
        return tuple(self._make() if callable(self._make) else self._make)

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Formula) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return repr(self.text())

    def text(self, marked: str = "in brackets") -> str:
        """The formula as text; marked: how cells that are marked look where it stands."""
        return "".join(marked if isinstance(part, Marked) else str(part) for part in self.parts)

    def __add__(self, other: Formula | str) -> Formula:
        return Formula(
            lambda: (*self.parts, *(other.parts if isinstance(other, Formula) else [other] if other else []))
        )

    def each_name(self, change: Callable[[Named], Named]) -> Formula:
        """The formula with every name changed."""
        return Formula(lambda: [change(part) if isinstance(part, Named) else part for part in self.parts])

    def renamed(self, name: str, other: str) -> Formula:
        """The formula with an array called otherwise."""
        return self.each_name(lambda part: part._replace(name=other) if part.name == name else part)

    def at(self, index: Iterable[int | str]) -> Formula:
        """The formula of one cell: its index behind the names that are open."""
        written = tuple(("", str(i)) for i in index)
        return self.each_name(lambda part: part._replace(at=written, open=False) if part.open else part)

    def lowered(self, order: Callable[[Sequence[str]], list[str]]) -> Formula:
        """The formula with the indices that `order` leaves, as it orders them, of each name's axes.

        An index that no array has any more is not summed over.
        """

        def written(part: Named) -> Named:
            by_axis = dict(part.at)
            return part._replace(at=tuple((axis, by_axis[axis]) for axis in order(tuple(by_axis))))

        def parts() -> list[Piece]:
            lowered = [written(part) if isinstance(part, Named) else part for part in self.parts]
            seen = {text for part in lowered if isinstance(part, Named) for _, text in part.at}
            return [
                part._replace(channel="") if isinstance(part, Over) and part.channel not in seen else part
                for part in lowered
            ]

        return Formula(parts)


def _parts_of(template: str) -> Iterator[Piece]:
    from string import Formatter  # where no formula is shown, none is parsed

    for words, name, _, _ in Formatter().parse(template):
        if words:
            yield words
        if name == "marked":
            yield MARKED
        elif name:
            yield Named(name.removesuffix("[]"), open=name.endswith("[]"))


NOTHING = Formula()
"""No formula."""


def named(name: str) -> Formula:
    """A cell of an array: its name, the index behind it."""
    return Formula((Named(name, open=True),))
