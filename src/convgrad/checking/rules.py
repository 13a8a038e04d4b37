"""By which rules an answer is held against a value, and how a whole check is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import ConvgradError, OptionError, shortened


@dataclass(frozen=True)
class Quantised:
    """How integers stand for numbers: (q - zero) times scale."""

    scale: float
    zero: float = 0.0

    @classmethod
    def of(cls, given: Any) -> Quantised | None:
        """A scale, or a scale and a zero point; None for None; OptionError for what is neither."""
        if given is None or isinstance(given, Quantised):
            return given
        try:
            scale, zero = map(float, [*given, 0][:2] if isinstance(given, Sequence) and len(given) < 3 else [given, 0])
        except (TypeError, ValueError):
            raise OptionError(f"{shortened(given)} is no SCALE or SCALE,ZERO", where="quantised") from None
        if not 0 < scale < float("inf") or not zero.is_integer():
            raise OptionError(
                f"a scale of {scale:g} with the zero point {zero:g} cannot be",
                where="quantised",
                hint="the scale is above 0, the zero point a whole number",
            )
        return cls(scale, zero)

    def numbers(self, integers: Array) -> Array:
        """What quantised integers stand for; ConvgradError where they are none."""
        whole = integers[np.isfinite(integers)]
        if not (whole == np.round(whole)).all():
            odd = whole[whole != np.round(whole)][0]
            raise ConvgradError(f"quantised answers are integers, and {odd:g} is none", hint="leave out --quantised")
        return np.asarray((integers - self.zero) * self.scale)


@dataclass(frozen=True)
class Rules:
    """How an answer is compared: to the places written, unless one of these says otherwise.

    rtol, atol: by |answer - value| <= atol + rtol |value|; ulp: up to so many units in the last place of the answer's
    own dtype; quantised: integers that stand for numbers, up to half a step; strict_shape: whether axes of length 1
    too many or too few make a wrong shape. OptionError for two ways at once.
    """

    rtol: float | None = None
    atol: float | None = None
    ulp: float | None = None
    quantised: Quantised | None = None
    strict_shape: bool = False

    def __post_init__(self) -> None:
        ways = ["rtol/atol"] * (self.rtol is not None or self.atol is not None)
        ways += [name for name in ("ulp", "quantised") if getattr(self, name) is not None]
        if len(ways) > 1:
            raise OptionError(f"{ways[0]} and {ways[1]} are two ways to compare", hint="give one of them")
        for name in ("rtol", "atol", "ulp"):
            if not (getattr(self, name) or 0) >= 0:
                raise OptionError(f"{getattr(self, name):g} is below 0", where=name)

    @property
    def tolerant(self) -> bool:
        """Whether a tolerance holds, not the places written."""
        return any(each is not None for each in (self.rtol, self.atol, self.ulp, self.quantised))

    @property
    def words(self) -> str:
        """What being right means by them."""
        if self.quantised is not None:
            return f"within half a step of {self.quantised.scale:g}"
        if self.ulp is not None:
            return f"within {self.ulp:g} ulp"
        return "within the tolerance given" if self.tolerant else "to the places given"


TO_THE_PLACES = Rules()
"""Answers are compared as they are written."""


@dataclass(frozen=True)
class Manner:
    """How a check is made.

    reveal: whether right values may be shown; diagnosis: whether what is behind a wrong answer is looked for; require:
    results that have to be answered; seconds: of computing that the search for mistakes may take, of all answers.
    """

    reveal: bool = True
    diagnosis: bool = True
    require: tuple[str, ...] = ()
    seconds: float = 2.0


AS_USUAL = Manner()
