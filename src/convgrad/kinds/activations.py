"""The activations: a row each, with all that is said of it anywhere. A new activation is one more row.

Its functions take numbers x (...) and what is chosen, f: `f.alpha` as a number of x's own kind (a fraction among
fractions), `f.approximate`, and `f.on`, where x is on the upper side of the bend. What they give is made of x's kind
afterwards. Sources: Clevert et al. (2015) for elu; Hendrycks & Gimpel (2016) for gelu, by erf or by its tanh
approximation; Elfwing et al. (2017) for silu; Howard et al. (2019) for hard-swish. Where a slope jumps it is the one of
the flat side, of hard-swish the outer one, as PyTorch takes it.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import TYPE_CHECKING, Any

from convgrad.kinds.analytic import deciding, erf, softplus
from convgrad.kinds.functions import ActivationRow, Along, Alpha, Chosen, Column, Ramp, Written
from convgrad.kinds.late_numpy import np
from convgrad.numerals import to_numeral

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


# -- the formulas that take more than a line ----------------------------------------------------------------


def _positive(x: Array) -> Array:
    return deciding(x) > 0


def _sigmoid(x: Array) -> Array:
    right = deciding(x) >= 0
    small = np.exp(np.where(right, -x, x))  # never overflows
    return np.where(right, 1 / (1 + small), small / (1 + small))


def _tanh_slope(x: Array) -> Array:
    small = np.exp(-2 * np.abs(x))  # 1 - tanh(x)^2 would lose what is left where tanh is nearly 1
    return 4 * small / (1 + small) ** 2


_ROOT, _CUBE = sqrt(2 / pi), 0.044715


def _normal(x: Array, f: Chosen) -> Array:
    """The standard normal distribution function, exactly or by gelu's approximation."""
    if f.approximate == "tanh":
        far = np.abs(deciding(x)) > 40  # where it has long been 0 or 1, and a cube may overflow
        x = np.where(far, np.sign(deciding(x)) * 40, x)
        return 0.5 * (1 + np.tanh(_ROOT * (x + _CUBE * x**3)))
    return 0.5 * (1 + erf(x / sqrt(2)))


def _gelu_slope(x: Array, f: Chosen) -> Array:
    x = np.clip(x, -40, 40)  # where the slope has long been 0 or 1, and powers do not overflow
    if f.approximate == "tanh":
        t = np.tanh(_ROOT * (x + _CUBE * x**3))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * _ROOT * (1 + 3 * _CUBE * x**2)
    return _normal(x, f) + x * np.exp(-0.5 * x**2) / sqrt(2 * pi)


def _silu_slope(x: Array, f: Chosen) -> Array:
    s = _sigmoid(x)
    return s * (1 + x * (1 - s))


def _hard_swish(x: Array, f: Chosen) -> Array:
    between = f.on & (deciding(x) < 3)
    middle = np.where(between, x, 0)  # no square of what is far out
    return np.where(between, middle * (middle + 3) / 6, np.where(f.on, x, 0))


def _hard_swish_slope(x: Array, f: Chosen) -> Array:
    between = f.on & (x < 3)
    return np.where(between, (2 * np.where(between, x, 0) + 3) / 6, f.on)


def _on_ramp(x: Array, f: Chosen) -> tuple[Array, Array]:
    """slope x + shift, and which of them lie between 0 and 1."""
    line = f.slope * x + f.shift
    return line, (deciding(line) > 0) & (deciding(line) < 1)


def _hard_sigmoid(x: Array, f: Chosen) -> Array:
    line, between = _on_ramp(x, f)
    return np.where(between, line, np.where(deciding(line) < 1, 0, 1))


def _softmax(x: Array, f: Chosen) -> Array:
    powers = np.exp(x - deciding(x).max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _softmax_back(x: Array, delta: Array, f: Chosen) -> Array:
    s = _softmax(x, f)
    return s * (delta - (delta * s).sum(axis=-1, keepdims=True))


def _softmax_factors(x: Array, i: int, f: Chosen) -> list[tuple[Array, tuple[Column, ...]]]:
    s = _softmax(x, f)
    own, mine = np.arange(len(s)) == i, Column("{softmax[]}", np.full(len(s), s[i]), i)
    return [(own, (mine, Column("(1 - {softmax[]})", 1 - s))), (~own, (mine, Column("-{softmax[]}", -s)))]


# -- the rows -----------------------------------------------------------------------------------------------

ROWS = (
    ActivationRow(
        "identity",
        "{input}",
        value=lambda x, f: x,
        derivative=lambda x, f: np.ones(x.shape),
        pytorch=(Written("{x}"),),
        exact=True,
        straight=True,
        idle=True,
    ),
    ActivationRow(
        "relu",
        "max(0, {input})",
        value=lambda x, f: np.where(f.on, x, 0),
        derivative=lambda x, f: f.on,
        pytorch=(Written("F.relu({x})"),),
        above=_positive,
        kinks=lambda alpha: (0.0,),
        exact=True,
        inverse=lambda a, f: a,
        straight=True,
        at_zero=True,
        drawn=(0, 8),
    ),
    ActivationRow(
        "relu6",
        "min(max(0, {input}), 6)",
        value=lambda x, f: np.where(deciding(x) < 6, np.where(f.on, x, 0), 6),
        derivative=lambda x, f: f.on & (x < 6),
        pytorch=(Written("F.relu6({x})"),),
        above=_positive,
        kinks=lambda alpha: (0.0, 6.0),
        exact=True,
        inverse=lambda a, f: a,
        straight=True,
        at_zero=True,
        drawn=(10,),
    ),
    ActivationRow(
        "leaky-relu",
        "{input}, or alpha * {input} where it is negative",
        value=lambda x, f: np.where(f.on, x, f.alpha * x),
        derivative=lambda x, f: np.where(f.on, 1, f.alpha),
        pytorch=(Written("F.leaky_relu({x}{alpha})"),),
        above=_positive,
        kinks=lambda alpha: (0.0,),
        exact=True,
        inverse=lambda a, f: np.where(a > 0, a, a / (f.alpha or np.nan)),
        straight=True,
        at_zero=True,
        alpha=Alpha("slope", 0.01, drawn=(0.1, 0.2)),
        drawn=(3,),
    ),
    ActivationRow(
        "elu",
        "{input}, or alpha * (exp({input}) - 1) where it is negative",
        value=lambda x, f: np.where(f.on, x, f.alpha * np.expm1(np.where(f.on, 0, x))),
        derivative=lambda x, f: np.where(f.on, 1, f.alpha * np.exp(np.minimum(x, 0))),
        pytorch=(Written("F.elu({x}{alpha})"),),
        above=_positive,
        kinks=lambda alpha: () if alpha == 1 else (0.0,),
        inverse=lambda a, f: np.where(a > 0, a, np.log1p(a / (f.alpha or np.nan))),
        alpha=Alpha("floor", 1.0),
        drawn=(5,),
    ),
    ActivationRow(
        "sigmoid",
        "1 / (1 + exp(-{input}))",
        value=lambda x, f: _sigmoid(x),
        derivative=lambda x, f: _sigmoid(x) * _sigmoid(-x),
        pytorch=(Written("torch.sigmoid({x})"),),
        inverse=lambda a, f: np.log(a) - np.log1p(-a),
        at_output=lambda a: a * (1 - a),
        drawn=(1,),
    ),
    ActivationRow(
        "tanh",
        "tanh({input})",
        value=lambda x, f: np.tanh(x),
        derivative=lambda x, f: _tanh_slope(x),
        pytorch=(Written("torch.tanh({x})"),),
        inverse=lambda a, f: np.arctanh(a),
        at_output=lambda a: 1 - a**2,
        drawn=(2,),
    ),
    ActivationRow(
        "softplus",
        "log(1 + exp({input}))",
        value=lambda x, f: softplus(x),
        derivative=lambda x, f: _sigmoid(x),
        pytorch=(
            Written(  # log(1 + exp(-40)) is 0 in double precision
                "F.softplus({x}, threshold=40)",
                "PyTorch's own softplus is its input above 20",
                when=lambda x: (x > 20).any(),
            ),
            Written("F.softplus({x})"),
        ),
        inverse=lambda a, f: np.log(np.expm1(a)),
        drawn=(4,),
    ),
    ActivationRow(
        "gelu",
        "{input} * (the normal distribution up to {input})",
        value=lambda x, f: x * _normal(x, f),
        derivative=_gelu_slope,
        pytorch=(Written("F.gelu({x}{approximate})"),),
        approximate="tanh: gelu by its tanh approximation, not by erf.",
        drawn=(6,),
    ),
    ActivationRow(
        "silu",
        "{input} * sigmoid({input})",
        value=lambda x, f: x * _sigmoid(x),
        derivative=_silu_slope,
        pytorch=(Written("F.silu({x})"),),
        drawn=(7,),
    ),
    ActivationRow(
        "hard-swish",
        "{input} * min(max(0, {input} + 3), 6) / 6",
        value=_hard_swish,
        derivative=_hard_swish_slope,
        pytorch=(Written("F.hardswish({x})"),),
        above=lambda x: deciding(x) > -3,
        kinks=lambda alpha: (-3.0, 3.0),
        exact=True,
        drawn=(11,),
    ),
    ActivationRow(
        "hard-sigmoid",
        "min(max(0, slope * {input} + shift), 1)",
        value=_hard_sigmoid,
        derivative=lambda x, f: np.where(_on_ramp(x, f)[1], f.slope, 0),
        pytorch=(Written("F.hardtanh({slope} * {x} + {shift}, 0, 1)"),),
        exact=True,
        inverse=lambda a, f: (a - f.shift) / (f.slope or np.nan),
        straight=True,
        ramp=Ramp(to_numeral("1/6"), 0.5, drawn=(0.2, 0.25)),
        drawn=(12,),
    ),
    ActivationRow(
        "softmax",
        "exp({input}) / (sum of exp({input}) over the last axis)",
        value=_softmax,
        along=Along(
            _softmax_back,
            "{dX} = s * ({delta} - sum of {delta} * s), with s = softmax({input})",
            "softmax x ({delta} - the sum of {delta} x softmax)",
            _softmax_factors,
        ),
        pytorch=(Written("torch.softmax({x}, -1)"),),
        inverse=lambda a, f: np.log(a),
        drawn=(9,),
    ),
)

ACTIVATIONS: dict[str, ActivationRow] = {row.name: row for row in ROWS}
"""Every activation, by name."""
