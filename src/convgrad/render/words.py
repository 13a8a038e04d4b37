"""An element written out in words and numbers, the same for every format that people read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from convgrad.quantity import Explanation

MOST_TERMS = 40
"""Products that are written out; more are counted."""


def written_out(
    explanation: Explanation, number: Callable[[Any], str], zeros: bool = False, times: str = "*"
) -> Iterator[tuple[str, str]]:
    """An explanation -> (kind, line): the products by ``names``, in ``numbers``, their ``sum``, and ``aside``s.

    number: how a number is written; times: the sign of multiplication.
    """
    listed = explanation.terms(zeros)
    terms = list(islice(listed, MOST_TERMS))
    more = sum(1 for _ in listed)
    if terms:
        rest = [f"... ({more} products more)"] if more else []
        names = [times.join(name for name, _ in factors) for factors, _ in terms]
        numbers = [times.join(number(value) for _, value in factors) for factors, _ in terms]
        products = [number(product) for _, product in terms]
        yield "names", "= " + " + ".join(names + rest)
        yield "numbers", "= " + " + ".join(numbers + rest)
        if products not in (numbers, [number(explanation.value)]):
            yield "numbers", "= " + " + ".join(products + rest)
    yield "sum", "= " + number(explanation.value)
    zero = 0 if zeros else explanation.zero_terms
    if zero:
        yield (
            "aside",
            f"{zero} product{' is' if zero == 1 else 's are'} 0 and not listed"
            + ("" if terms else "; there is no other"),
        )
    elif not terms:
        yield "aside", "nothing is added to it"
