"""What the losses of classes and of probabilities are made of.

Of classes: the classes last, the target a distribution over them, r positions beside them. A number that the target
does not ask for may be 0, whose logarithm nobody needs.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any

from convgrad.kinds.analytic import deciding
from convgrad.kinds.functions import Part, Parts, class_axis
from convgrad.kinds.late_numpy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def _over(r: Any) -> str:
    """How a division by the number of positions is written behind a number; empty for one."""
    return "" if r == 1 else f"/{int(r)}"


def _mean(r: int) -> str:
    """The same behind a sum."""
    return "" if r == 1 else f" / {r}"


# -- cross-entropy, of logits -------------------------------------------------------------------------------


def log_softmax(z: Array) -> Array:
    """The logarithm of the softmax over the last axis."""
    shifted = z - deciding(z).max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def entropy_formulas(r: int) -> tuple[str, str]:
    """The formulas of a cross-entropy and of its gradient."""
    softmax = "{softmax}({output})"
    return (
        f"{{loss}} = - sum of {{target}} * log({softmax}){_mean(r)}",
        f"{{delta}} = ({softmax} - {{target}}){_mean(r)}",
    )


def entropy_parts(z: Array, t: Array, r: Any) -> tuple[Parts, Parts]:
    """The products of both."""
    log_s, whole = log_softmax(z), t.sum(axis=-1, keepdims=True)
    minus: tuple[str, Any] = f"-1{_over(r)}", -1 / r
    softmax: Part = ((f"1{_over(r)}", 1 / r), ("{softmax[]}", np.exp(log_s)))
    if not (whole == 1).all():
        softmax = (*softmax, ("{(sum of target)[]}", np.broadcast_to(whole, z.shape)))
    return ((minus, ("{target[]}", t), ("log({softmax[]})", log_s)),), (softmax, (minus, ("{target[]}", t)))


def entropy_sizes(z: Array, t: Array, far: float, x: float) -> tuple[float, float]:
    """How large the numbers are that both are summed from."""
    classes = z.shape[class_axis(z.shape)]
    weight = max(1.0, float(np.abs(t).max())) * classes if t.shape == z.shape else 1.0
    return weight * (2 * far + log(classes) + 1), weight * (1 + x)


# -- the negative log-likelihood, of probabilities ----------------------------------------------------------


def asked(a: Array) -> Array:
    """Probabilities, with 1 for a 0, which no target asks for."""
    return np.where(deciding(a) == 0, 1 + 0 * a, a)


def nll_formulas(r: int) -> tuple[str, str]:
    """The formulas of a negative log-likelihood and of its gradient."""
    return (
        f"{{loss}} = - sum of {{target}} * log({{output}}){_mean(r)}",
        f"{{delta}} = - {{target}} / {{output}}{_mean(r)}",
    )


def nll_parts(a: Array, t: Array, r: Any) -> tuple[Parts, Parts]:
    """The products of both."""
    minus: tuple[str, Any] = f"-1{_over(r)}", -1 / r
    logs, steep = ("log({output[]})", np.log(asked(a))), ("1/{output[]}", 1 / asked(a))
    return ((minus, ("{target[]}", t), logs),), ((minus, ("{target[]}", t), steep),)


def nll_sizes(a: Array, t: Array, far: float, x: float) -> tuple[float, float]:
    """How large the numbers are that both are summed from."""
    steep = 1 / float(a[a > 0].min())
    weight = max(1.0, float(np.abs(t).max())) * a.shape[class_axis(a.shape)] if t.shape == a.shape else 1.0
    return weight * (log(steep) + 1 + steep * x), weight * (steep + steep**2 * x)


# -- the hinge of classes -----------------------------------------------------------------------------------


def margins(a: Array, t: Array) -> Array:
    """How far each other class comes within 1 of the true one; 0 at the true class."""
    return (a - (a * t).sum(axis=-1, keepdims=True) + 1) * (1 - t)


def margin_slope(a: Array, t: Array, r: Any) -> Array:
    """The gradient: 1 for each other class that comes too near, minus their number at the true one."""
    near = np.where(margins(a, t) > 0, 1 + 0 * t, 0 * t)
    return (near - t * near.sum(axis=-1, keepdims=True)) / r


def margin_formulas(r: int) -> tuple[str, str]:
    """The formulas of the hinge of classes, and of its gradient."""
    mean = _mean(r)
    return (
        f"{{loss}} = sum of max(0, {{margin}}){mean}, where {{margin}} = {{output}} - {{output}} of the true class + 1 "
        "at the other classes",
        f"{{delta}} = 1{mean} where {{margin}} is above 0, minus their number{mean} at the true class",
    )


def margin_parts(a: Array, t: Array, r: Any) -> tuple[Parts, Parts]:
    """The products of both."""
    margin, once = margins(a, t), (f"1{_over(r)}", 1 / r)
    near = np.where(margin > 0, 1 + 0 * t, 0 * t)
    count = np.broadcast_to(near.sum(axis=-1, keepdims=True), t.shape)
    return ((once, ("max(0, {margin[]})", np.maximum(margin, 0))),), (
        (once, ("({margin[]} > 0)", near)),
        ((f"-1{_over(r)}", -1 / r), ("{target[]}", t), ("(how many are above 0)", count)),
    )


# -- the hinge of signs ----------------------------------------------------------------------------------


def hinge_parts(a: Array, t: Array, m: Any) -> tuple[Parts, Parts]:
    """The products of a hinge of signs and of its gradient."""
    mean, minus, short = (f"1/{int(m)}", 1 / m), (f"-1/{int(m)}", -1 / m), 1 - t * a
    loss = ((mean, ("max(0, 1 - {target[]} * {output[]})", np.maximum(short, 0))),)
    return loss, ((minus, ("{target[]}", t), ("({target[]} * {output[]} < 1)", np.where(short > 0, 1 + 0 * t, 0 * t))),)


# -- of probabilities ---------------------------------------------------------------------------------------

HELD = 1e-12
"""What bce's divisor, output (1 - output), is held above."""


def _logarithms(a: Array) -> tuple[Array, Array]:
    """log a and log (1 - a)."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(a), -100), np.maximum(np.log1p(-a), -100)


def held(a: Array) -> Array:
    """Where the divisor is held, and the gradient is no derivative of the loss but what is taken for it."""
    return deciding(a * (1 - a)) < HELD


def bce(a: Array, t: Array, m: Any) -> Array:
    """What each number adds to a binary cross-entropy."""
    if a.dtype.kind == "c":  # of which the real part is of no use
        at, certain = deciding(a), held(a)
        apart, safe = (at - t) / HELD, np.where(certain, 0.5, a)
        return np.where(certain, apart * (a - at), -(t * np.log(safe) + (1 - t) * np.log1p(-safe))) / m
    log_a, log_rest = _logarithms(a)
    return -(t * log_a + (1 - t) * log_rest) / m


def bce_parts(a: Array, t: Array, m: Any) -> tuple[Parts, Parts]:
    """The products of it and of its gradient."""
    log_a, log_rest = _logarithms(a)
    minus = f"-1/{int(m)}", -1 / m
    loss = (
        (minus, ("{target[]}", t), ("log({output[]})", log_a)),
        (minus, ("(1 - {target[]})", 1 - t), ("log(1 - {output[]})", log_rest)),
    )
    steep = "1/({output[]} (1 - {output[]}))", 1 / np.maximum(a * (1 - a), HELD)
    return loss, (((f"1/{int(m)}", 1 / m), ("({output[]} - {target[]})", a - t), steep),)


def bce_sizes(a: Array, t: Array, far: float, x: float) -> tuple[float, float]:
    """How large the numbers are that both are summed from."""
    steep = 1 / max(float((a * (1 - a)).min()), HELD)
    # PyTorch's own 1e-12 is a single-precision number, 4e-9 of it away from ours
    loose = 1e6 if steep == 1 / HELD and a.dtype != np.float32 else 1.0
    return 100 + steep * x, steep * loose + steep**2 * x
