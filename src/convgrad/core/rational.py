"""Rational arithmetic as a dtype: arrays of fractions, in which decimals are what they are written as.

Such arrays have numpy's dtype object. Sums and products of fractions are fractions by themselves; what needs care is
here: dividing (two Python integers would give a float), and numbers that come from elsewhere. Fractions are imported
when they are first needed, because that takes as long as a small computation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convgrad.errors import OptionError

if TYPE_CHECKING:
    from fractions import Fraction

Array = NDArray[Any]


def fraction(number: Any) -> Fraction:
    """A number as a fraction: as it was written, where it remembers that (numerals.Numeral); else a float is the
    shortest decimal that reads back to it, so that 0.1 is 1/10."""
    from fractions import Fraction

    if isinstance(number, Fraction):
        return number
    if text := getattr(number, "text", ""):
        return Fraction(text)
    return Fraction(int(number)) if isinstance(number, int | np.integer) else Fraction(repr(float(number)))


def cast(array: Any, dtype: Any) -> Array:
    """Numbers in a dtype, fractions where it is object."""
    if np.dtype(dtype) != object:
        return np.asarray(array).astype(dtype, copy=False)
    from fractions import Fraction

    array = np.asarray(fraction(array)) if isinstance(array, float) else np.asarray(array)
    out = np.empty(array.size, object)
    # most numbers are fractions already, where a function has been at work on fractions
    out[:] = [each if type(each) is Fraction else fraction(each) for each in array.ravel().tolist()]
    return out.reshape(array.shape)


def rational(array: Array) -> bool:
    """Whether an array holds fractions."""
    return bool(np.asarray(array).dtype == object)


def finite(array: Array) -> Array:
    """Where an array is finite; fractions always are."""
    return np.ones(np.shape(array), bool) if rational(array) else np.isfinite(array)


def refuse(array: Array, name: str, option: str) -> None:
    """OptionError where an array holds fractions, which `name` would not keep."""
    if rational(array):
        raise OptionError(f"{name} of a fraction is no fraction", where=option, hint="leave dtype=exact out for it")


def product(a: Array, b: Array) -> Array:
    """The matrix product a @ b; of fractions by way of whole numbers over one denominator, which is far quicker."""
    if not (rational(a) and rational(b)):
        if np.iscomplexobj(a) and not np.iscomplexobj(b):  # half the work of a product of complex numbers
            return np.asarray(a.real @ b + 1j * (a.imag @ b))
        if np.iscomplexobj(b) and not np.iscomplexobj(a):
            return np.asarray(a @ b.real + 1j * (a @ b.imag))
        return np.asarray(a @ b)
    from fractions import Fraction

    above, below = _over_one(a)
    other, under = _over_one(b)
    largest = [max(map(abs, each.ravel().tolist()), default=0) for each in (above, other)]
    if largest[0] * largest[1] * a.shape[-1] < 2**63:
        above, other = above.astype(np.int64), other.astype(np.int64)
    total = np.matmul(above, other)
    out = np.empty(total.shape, object)
    out.ravel()[:] = [Fraction(number, below * under) for number in total.ravel().tolist()]
    return out


def _over_one(array: Array) -> tuple[Array, int]:
    """Fractions -> whole numbers and the denominator that all of them have."""
    from math import lcm

    numbers = array.ravel().tolist()
    denominator = lcm(*(number.denominator for number in numbers))
    whole = np.empty(array.size, object)
    whole[:] = [number.numerator * (denominator // number.denominator) for number in numbers]
    return whole.reshape(array.shape), denominator
