"""An element written out in words and numbers, the same for every format that people read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from convgrad.core.element import Array, Explanation
from convgrad.problems.report import Overlay, Walk

MOST_TERMS = 40
"""Products that are written out; more are counted."""

MOST_SUMMANDS = 9
"""Products that a headline writes out as a sum."""


def headline(overlay: Overlay, operands: Mapping[str, Array], number: Callable[[Any], str]) -> str:
    """What an overlay comes down to in one line: ``delta[0,2] = 0.0686``, or the sum that its output is."""
    term, place = overlay.term, ",".join(map(str, overlay.at))
    delta, products = term.factor("delta"), term.factor("products")
    if delta is not None:
        name = "sensitivity" if "sensitivity" in operands else "delta"
        return f"{name}[{place}] = {row(delta, number)}" if delta.ndim == 0 else f"{name} = {row(delta, number)}"
    patch = row(term.patch.ravel(), number)
    if products is not None and term.patch.size == 1 and products.size <= MOST_SUMMANDS:
        bias = term.factor("bias")
        sums = " + ".join(map(number, products.ravel()))
        return f"{sums}{'' if bias is None else ' + ' + row(bias, number)} = {patch}"
    return f"{next(iter(overlay.parts))} = {patch}"


def row(array: Array, number: Callable[[Any], str]) -> str:
    """A few numbers in a sentence."""
    numbers = [number(each) for each in array.ravel()[:8]]
    text = ", ".join(numbers) + (", ..." if array.size > 8 else "")
    return text if array.size == 1 else f"[{text}]"


def silence(walk: Walk, most: int) -> str:
    """Which overlays of a walk add nothing, and why: the first of them by their places."""
    if not walk.silent:
        return ""
    listed = " ".join(map(place, islice(walk.quantities[0].silent(), most))) + (" ..." if walk.silent > most else "")
    add, have = ("adds", "has") if walk.silent == 1 else ("add", "have")
    see = "sees" if walk.silent == 1 else "see"
    why = f"{see} only zeros" if walk.unit == "cell" else f"{have} delta 0"
    return f"{walk.silent} of {walk.total} {walk.unit}s {why} and {add} nothing: {listed}"


def place(at: Sequence[int]) -> str:
    """A place as people write it: ``(0, 2)``."""
    return f"({', '.join(map(str, at))})" if at else ""


def written_out(
    explanation: Explanation, number: Callable[[Any], str], zeros: bool = False, times: str = "*"
) -> Iterator[tuple[str, str]]:
    """An explanation -> (kind, line): the products by ``names``, in ``numbers``, their ``sum``, and ``aside``s.

    number: how a number is written; times: the sign of multiplication.
    """
    paths = [part for part in explanation.parts if part.path]
    terms = _Listed.of(explanation.terms(zeros), MOST_TERMS, number, times)
    if paths:
        for part in paths:
            own = _Listed.of(explanation.terms_of(part, zeros), MOST_TERMS // len(paths), number, times)
            yield "names", f"{part.path}: {own.names or '0, as are all its products'}"
            if own.names:
                yield "numbers", f"= {own.numbers} = {number(part.total)}{', 0 but for rounding' * part.cancels}"
        yield "sum", "= " + " + ".join(number(part.total) for part in paths)
    elif terms.products:
        yield "names", "= " + terms.names
        yield "numbers", "= " + terms.numbers
        if terms.products not in (terms.numbers, number(explanation.value)):
            yield "numbers", "= " + terms.products
    yield "sum", "= " + number(explanation.value)
    zero = 0 if zeros else explanation.zero_terms
    if zero:
        yield (
            "aside",
            f"{zero} product{' is' if zero == 1 else 's are'} 0 and not listed"
            + ("" if terms.products else "; there is no other"),
        )
    elif not terms.products:
        yield "aside", "nothing is added to it"


@dataclass(frozen=True)
class _Listed:
    """Products added up, in words: by the names of their factors, in numbers, and each worked out."""

    names: str
    numbers: str
    products: str

    @classmethod
    def of(cls, terms: Iterator[tuple[Any, Any]], most: int, number: Callable[[Any], str], times: str) -> _Listed:
        """The first of some products; how many more there are is said."""
        listed = list(islice(terms, most))
        more = sum(1 for _ in terms)
        rest = [f"... ({more} products more)"] if more else []
        names = [times.join(str(name) for name, _ in factors) for factors, _ in listed]
        numbers = [times.join(number(value) for _, value in factors) for factors, _ in listed]
        return cls(*(" + ".join(each + rest) for each in (names, numbers, [number(value) for _, value in listed])))
