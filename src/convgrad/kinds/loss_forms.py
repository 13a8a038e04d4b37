"""The losses of output - target alone, from what they make of it: rows of squares, rows of a mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from convgrad.kinds.functions import LossRow, Parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def counted(*formulas: str) -> Callable[[int], tuple[str, ...]]:
    """Formulas in which {m} is the count."""
    return lambda m: tuple(text.replace("{m}", str(m)) for text in formulas)


def squares(name: str, share: int, words: tuple[str, str], **facts: Any) -> LossRow:
    """A loss of squares: 1 / (share m) sum e^2; words: that factor of the loss, and twice it, the gradient's.

    In words {m} is the count, {double} twice it.
    """

    def factors(m: Any) -> tuple[str, str]:
        once, twice = (text.format(m=int(m), double=2 * int(m)) for text in words)
        return once, twice

    def parts(a: Array, t: Array, m: Any) -> tuple[Parts, Parts]:
        e, scale = ("({output[]} - {target[]})", a - t), 1 / (share * m)
        once, twice = factors(m)
        return (((once, scale), e, e),), (
            ((twice, 2 * scale), ("{output[]}", a)),
            ((f"-{twice}", -2 * scale), ("{target[]}", t)),
        )

    def formulas(m: int) -> tuple[str, str]:
        once, twice = ("" if text == "1" else text + " " for text in factors(m))
        delta = f"{twice}({{output}} - {{target}})" if twice else "{output} - {target}"
        return f"{{loss}} = {once}sum of ({{output}} - {{target}})^2", f"{{delta}} = {delta}"

    return LossRow(
        name,
        each=lambda a, t, m: (a - t) ** 2 * (1 / (share * m)),
        slope=lambda a, t, m: (a - t) * (2 * (1 / (share * m))),
        formulas=formulas,
        parts=parts,
        error="squares",
        exact=True,
        sizes=lambda a, t, far, x: (a.size * far**2, 2 * far),
        **facts,
    )


def mean_of(
    name: str,
    each: Callable[[Array, Any], Array],
    slope: Callable[[Array, Any], Array],
    formulas: tuple[str, str],
    called: tuple[str, str],
    **facts: Any,
) -> LossRow:
    """A mean of a function of e: (e, 1 as a number of e's kind) -> that function, its derivative.

    formulas: of the loss and the gradient, with {m} for the count; called: what the function and its derivative of one
    number are called.
    """

    def parts(a: Array, t: Array, m: Any) -> tuple[Parts, Parts]:
        mean, e, one = (f"1/{int(m)}", 1 / m), a - t, m / m
        return ((mean, (called[0], each(e, one))),), ((mean, (called[1], slope(e, one))),)

    return LossRow(
        name,
        each=lambda a, t, m: each(a - t, m / m) / m,
        slope=lambda a, t, m: slope(a - t, m / m) / m,
        formulas=counted(*formulas),
        parts=parts,
        **facts,
    )
