"""Functions of numbers that may be complex, where the real part alone decides.

A gradient is checked by a complex step: f(x + i h d) with a tiny h has h times the derivative of f along d in its
imaginary part (Squire & Trapp 1998), as long as f stays on the piece that x lies on. So whatever asks how large a
number is asks its real part, and goes on with the number as it is. Real numbers are their own real part.
"""

from __future__ import annotations

from math import erf as erf_of_one
from math import pi, sqrt
from typing import TYPE_CHECKING, Any

from convgrad.kinds.late_numpy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

STEP = 2.0**-120
"""h: its square vanishes beside anything, and multiplying by it rounds nothing."""


def deciding(x: Array) -> Array:
    """x (...) -> the part of every number that decides on which piece it lies, its real part."""
    x = np.asarray(x)  # of fractions without axes numpy makes a fraction
    return np.asarray(x.real if x.dtype.kind == "c" else x)


def size(x: Array) -> Array:
    """x (...) -> |x|; of a complex number x or -x, by its real part, and 0 at 0, where the slope is taken as 0."""
    x = np.asarray(x)
    return np.asarray(np.sign(x.real) * x if x.dtype.kind == "c" else np.abs(x))


def above_0(x: Array) -> Array:
    """x (...) -> max(0, x)."""
    return np.asarray(np.where(deciding(x) > 0, x, 0 * x))


def softplus(x: Array) -> Array:
    """x (...) -> log(1 + exp(x)), which does not overflow."""
    if x.dtype.kind != "c":
        return np.asarray(np.logaddexp(0, x))
    on = x.real >= 0
    return np.asarray(np.where(on, x, 0) + np.log1p(np.exp(np.where(on, -x, x))))


def erf(x: Array) -> Array:
    """x (...) -> the error function; of a number near the real axis to the first order in its imaginary part.

    erf(x + iy) = erf(x) + 2/sqrt(pi) exp(-x^2) iy + O(y^2), from its definition as an integral along the way there.
    """
    real = deciding(x)
    value = np.asarray(np.frompyfunc(erf_of_one, 1, 1)(real)).astype(real.dtype)
    if x.dtype.kind != "c":
        return value
    return np.asarray(value + 2 / sqrt(pi) * np.exp(-(real**2)) * 1j * x.imag)
