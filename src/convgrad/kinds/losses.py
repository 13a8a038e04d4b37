"""The losses: a row each, with all that is said of it anywhere. A new loss is one more row.

With e = output - target, m numbers in all, r positions beside the classes::

    mse            1/2 sum e^2            delta = e
    mse-sum        sum e^2                delta = 2 e
    mse-mean       1/m sum e^2            delta = 2 e / m
    mae            1/m sum |e|            delta = sign(e) / m
    huber          1/m sum h(e)           delta = clip(e, -1, 1) / m;  h(e) = e^2/2, or |e| - 1/2 beyond 1
    bce            -1/m sum (t log a + (1 - t) log(1 - a))       delta = (a - t) / (a (1 - a)) / m
    cross-entropy  -1/r sum t log softmax(z)                     delta = (softmax(z) sum t - t) / r

Functions take the output a, the target t and the count m that the mean runs over (1 for a sum), a number of a's own
kind, so that 1 / m is a fraction among fractions. What they give is made of that kind afterwards. Of a loss with
classes both have the classes last, the target as a distribution. bce holds its logarithms above -100 and its divisor
above 1e-12, as PyTorch does. Sources: PyTorch's documentation of the losses of these names; Huber (1964).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any

from convgrad.kinds.in_pytorch import Written
from convgrad.kinds.late_numpy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Part = tuple[tuple[str, Any], ...]
    """Factors by name (``{output[]}`` is a cell, with its index), of the output's shape or one number."""
    Parts = tuple[Part, ...]
    """Products by their factors: what a loss is summed from position by position, and its gradient cell by cell."""


@dataclass(frozen=True, eq=False, repr=False)
class LossRow:
    """A loss and its facts.

    each, slope: what each position adds to the loss, and the gradient; formulas: of both, given the count; parts: the
    products of both. mean: what a mean runs over, ``numbers`` or ``positions``, empty for a sum; classes: whether it
    compares distributions over classes, along axis 1 or the last of a vector; probabilities: whether output and target
    lie between 0 and 1; error: what it makes of output - target, ``squares`` or, far out, ``sizes``; kinks: the errors
    at which its slope jumps; exact: whether it keeps fractions; note: what --help says in brackets; convention: how a
    reader is told that this one was used in place of its like; sizes: output, target, how far these may be apart, and
    how large the numbers are that the output is summed from -> how large those are that (the loss, its gradient) are
    summed from; pytorch: how it is written there, given output and target; drawn: its seats in the round from which one
    is drawn at random.
    """

    name: str
    each: Callable[[Array, Array, Any], Any]
    slope: Callable[[Array, Array, Any], Any]
    formulas: Callable[[int], tuple[str, str]]
    parts: Callable[[Array, Array, Any], tuple[Parts, Parts]]
    pytorch: tuple[Written, ...]
    mean: str = "numbers"
    classes: bool = False
    probabilities: bool = False
    error: str = ""
    kinks: tuple[float, ...] = ()
    exact: bool = False
    note: str = ""
    convention: str = ""
    sizes: Callable[[Array, Array, float, float], tuple[float, float]] = lambda a, t, far, x: (far, 1 + far)
    drawn: tuple[int, ...] = ()


# -- of output - target alone -------------------------------------------------------------------------------


def squares(name: str, share: int, words: tuple[str, str], **facts: Any) -> LossRow:
    """A loss of squares: 1 / (share m) sum e^2; words: that factor of the loss, and twice it, the gradient's."""

    def parts(a: Array, t: Array, m: Any) -> tuple[Parts, Parts]:
        e, scale = ("({output[]} - {target[]})", a - t), 1 / (share * m)
        once, twice = (text.format(m=int(m)) for text in words)
        return (((once, scale), e, e),), (
            ((twice, 2 * scale), ("{output[]}", a)),
            ((f"-{twice}", -2 * scale), ("{target[]}", t)),
        )

    def formulas(m: int) -> tuple[str, str]:
        once, twice = ("" if text == "1" else text.format(m=m) + " " for text in words)
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
        formulas=lambda m: (formulas[0].format(m=m), formulas[1].format(m=m)),
        parts=parts,
        **facts,
    )


def _huber(e: Array, one: Any) -> Array:
    return np.where(np.abs(e) < 1, e**2 * one / 2, np.abs(e) - one / 2)


# -- of probabilities ---------------------------------------------------------------------------------------

HELD = 1e-12
"""What bce's divisor, output (1 - output), is held above."""


def _logarithms(a: Array) -> tuple[Array, Array]:
    """log a and log (1 - a)."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(a), -100), np.maximum(np.log1p(-a), -100)


def _bce(a: Array, t: Array, m: Any) -> Array:
    log_a, log_rest = _logarithms(a)
    return -(t * log_a + (1 - t) * log_rest) / m


def _bce_parts(a: Array, t: Array, m: Any) -> tuple[Parts, Parts]:
    log_a, log_rest = _logarithms(a)
    minus = f"-1/{int(m)}", -1 / m
    loss = (
        (minus, ("{target[]}", t), ("log({output[]})", log_a)),
        (minus, ("(1 - {target[]})", 1 - t), ("log(1 - {output[]})", log_rest)),
    )
    steep = "1/({output[]} (1 - {output[]}))", 1 / np.maximum(a * (1 - a), HELD)
    return loss, (((f"1/{int(m)}", 1 / m), ("({output[]} - {target[]})", a - t), steep),)


def _bce_sizes(a: Array, t: Array, far: float, x: float) -> tuple[float, float]:
    steep = 1 / max(float((a * (1 - a)).min()), HELD)
    # PyTorch's own 1e-12 is a single-precision number, 4e-9 of it away from ours
    loose = 1e6 if steep == 1 / HELD and a.dtype != np.float32 else 1.0
    return 100 + steep * x, steep * loose + steep**2 * x


def _log_softmax(z: Array) -> Array:
    shifted = z - z.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _entropy_formulas(r: int) -> tuple[str, str]:
    mean = "" if r == 1 else f" / {r}"
    softmax = "{softmax}({output})"
    return f"{{loss}} = - sum of {{target}} * log({softmax}){mean}", f"{{delta}} = ({softmax} - {{target}}){mean}"


def _entropy_parts(z: Array, t: Array, r: Any) -> tuple[Parts, Parts]:
    over = "" if r == 1 else f"/{int(r)}"
    log_s, whole = _log_softmax(z), t.sum(axis=-1, keepdims=True)
    minus: tuple[str, Any] = f"-1{over}", -1 / r
    softmax: Part = ((f"1{over}", 1 / r), ("{softmax(output)[]}", np.exp(log_s)))
    if not (whole == 1).all():
        softmax = (*softmax, ("{(sum of target)[]}", np.broadcast_to(whole, z.shape)))
    return ((minus, ("{target[]}", t), ("log({softmax(output)[]})", log_s)),), (softmax, (minus, ("{target[]}", t)))


def _entropy_sizes(z: Array, t: Array, far: float, x: float) -> tuple[float, float]:
    classes = z.shape[min(1, z.ndim - 1)]
    weight = max(1.0, float(np.abs(t).max())) * classes if t.shape == z.shape else 1.0
    return weight * (2 * far + log(classes) + 1), weight * (1 + x)


# -- the rows -----------------------------------------------------------------------------------------------

ROWS = (
    squares(
        "mse",
        2,
        ("1/2", "1"),
        pytorch=(Written("(({output} - target) ** 2).sum() / 2"),),
        mean="",
        note="half the sum of squares; the default",
        convention="The squared error was halved: 1/2 the sum of squares.",
        drawn=(0,),
    ),
    squares(
        "mse-mean",
        1,
        ("1/{m}", "2/{m}"),
        pytorch=(Written("F.mse_loss({output}, target)"),),
        convention="The squared error was averaged over all numbers.",
        drawn=(1,),
    ),
    squares(
        "mse-sum",
        1,
        ("1", "2"),
        pytorch=(Written('F.mse_loss({output}, target, reduction="sum")'),),
        mean="",
        convention="The squared error was summed, without the 1/2 and without a mean.",
        drawn=(2,),
    ),
    LossRow(
        "cross-entropy",
        each=lambda z, t, r: -(t * _log_softmax(z)).sum(axis=-1) / r,
        slope=lambda z, t, r: (np.exp(_log_softmax(z)) * t.sum(axis=-1, keepdims=True) - t) / r,
        formulas=_entropy_formulas,
        parts=_entropy_parts,
        pytorch=(
            Written(
                "-(target * F.log_softmax({output}, {axis})).sum() / {positions}",
                "F.cross_entropy divides by the batch alone where the target is a distribution",
                when=lambda output, target: target.shape == output.shape and output.ndim > 2,
            ),
            Written("F.cross_entropy({output}, target)"),
        ),
        mean="positions",
        classes=True,
        note="logits; class indices or distributions",
        sizes=_entropy_sizes,
        drawn=(3, 4),
    ),
    LossRow(
        "bce",
        each=_bce,
        slope=lambda a, t, m: (a - t) / np.maximum(a * (1 - a), HELD) / m,
        formulas=lambda m: (
            f"{{loss}} = -1/{m} sum of {{target}} log({{output}}) + (1 - {{target}}) log(1 - {{output}})",
            f"{{delta}} = ({{output}} - {{target}}) / ({{output}} (1 - {{output}})) / {m}",
        ),
        parts=_bce_parts,
        pytorch=(
            Written(
                "F.binary_cross_entropy({output}, target)",
                "PyTorch holds output * (1 - output) above 1e-12, in single precision",
                when=lambda output, target: (output * (1 - output) < HELD).any(),
            ),
            Written("F.binary_cross_entropy({output}, target)"),
        ),
        probabilities=True,
        note="probabilities",
        sizes=_bce_sizes,
        drawn=(5,),
    ),
    mean_of(
        "mae",
        each=lambda e, one: np.abs(e),
        slope=lambda e, one: np.sign(e) * one,
        formulas=(
            "{{loss}} = 1/{m} sum of |{{output}} - {{target}}|",
            "{{delta}} = sign({{output}} - {{target}}) / {m}",
        ),
        called=("|{output[]} - {target[]}|", "sign({output[]} - {target[]})"),
        pytorch=(Written("F.l1_loss({output}, target)"),),
        error="sizes",
        kinks=(0.0,),
        exact=True,
        drawn=(6,),
    ),
    mean_of(
        "huber",
        each=_huber,
        slope=lambda e, one: np.clip(e, -one, one),
        formulas=(
            "{{loss}} = 1/{m} sum of e^2/2, or |e| - 1/2 beyond 1, with e = {{output}} - {{target}}",
            "{{delta}} = e held between -1 and 1, / {m}",
        ),
        called=("h({output[]} - {target[]})", "held({output[]} - {target[]})"),
        pytorch=(Written("F.huber_loss({output}, target)"),),
        error="sizes",
        exact=True,
        drawn=(7,),
    ),
)

LOSSES: dict[str, LossRow] = {row.name: row for row in ROWS}
"""Every loss, by name."""
