"""The losses: a row each, with all that is said of it anywhere. A new loss is one more row.

With e = output - target, m numbers in all, n examples, r positions beside the classes::

    mse            1/2 sum e^2            delta = e
    mse-batch      1/2n sum e^2           delta = e / n
    mse-sum        sum e^2                delta = 2 e
    mse-mean       1/m sum e^2            delta = 2 e / m
    mae            1/m sum |e|            delta = sign(e) / m
    huber          1/m sum h(e)           delta = clip(e, -1, 1) / m;  h(e) = e^2/2, or |e| - 1/2 beyond 1
    bce            -1/m sum (t log a + (1 - t) log(1 - a))       delta = (a - t) / (a (1 - a)) / m
    cross-entropy  -1/r sum t log softmax(z)                     delta = (softmax(z) sum t - t) / r
    nll            -1/r sum t log a                              delta = -t / a / r
    hinge          1/r sum over j of max(0, a_j - a_t + 1)       delta = 1 / r where that is above 0, at the true class
                   over the classes j other than t               minus 1 / r for each of those
                   1/m sum max(0, 1 - t a) of t = -1 or 1        delta = -t / m where that is above 0

Functions take the output a, the target t and the count m that the mean runs over (1 for a sum), a number of a's own
kind, so that 1 / m is a fraction among fractions. What they give is made of that kind afterwards. Of a loss with
classes both have the classes last, the target as a distribution. bce holds its logarithms above -100 and its divisor
above 1e-12, as PyTorch does. Sources: PyTorch's documentation of the losses of these names; Caffe's
EuclideanLoss for mse-batch; Huber (1964); Weston &
Watkins (1999) for hinge of classes, without PyTorch's division by their number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convgrad.kinds import loss_parts as parts_of
from convgrad.kinds.analytic import above_0, deciding, size
from convgrad.kinds.functions import LossRow, Written
from convgrad.kinds.late_numpy import np
from convgrad.kinds.loss_forms import counted, mean_of, squares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def _huber(e: Array, one: Any) -> Array:
    return np.where(deciding(size(e)) < 1, e**2 * one / 2, size(e) - one / 2)


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
    squares(
        "mse-batch",
        2,
        ("1/{double}", "1/{m}"),
        pytorch=(Written("(({output} - target) ** 2).sum() / (2 * {m})"),),
        mean="examples",
        note="half the sum of squares over the number of examples",
        convention="The squared error was halved and divided by the number of examples, as Caffe and MATLAB do.",
        drawn=(10,),
    ),
    LossRow(
        "cross-entropy",
        each=lambda z, t, r: -(t * parts_of.log_softmax(z)).sum(axis=-1) / r,
        slope=lambda z, t, r: (np.exp(parts_of.log_softmax(z)) * t.sum(axis=-1, keepdims=True) - t) / r,
        formulas=parts_of.entropy_formulas,
        parts=parts_of.entropy_parts,
        pytorch=(
            Written(
                "-(target * F.log_softmax({output}, {axis})).sum() / {m}",
                "F.cross_entropy divides by the batch alone where the target is a distribution",
                when=lambda output, target: target.shape == output.shape and output.ndim > 2,
            ),
            Written("F.cross_entropy({output}, target)"),
        ),
        mean="positions",
        classes=True,
        logits="softmax",
        note="logits; class indices or distributions",
        working=lambda z, t: {"softmax": np.exp(parts_of.log_softmax(z))},
        sizes=parts_of.entropy_sizes,
        drawn=(3, 4),
    ),
    LossRow(
        "nll",
        each=lambda a, t, r: -(t * np.log(parts_of.asked(a))).sum(axis=-1) / r,
        slope=lambda a, t, r: -t / parts_of.asked(a) / r,
        formulas=parts_of.nll_formulas,
        parts=parts_of.nll_parts,
        pytorch=(
            Written(
                "-torch.xlogy(target, {output}).sum() / {m}",
                "F.nll_loss takes class indices alone",
                when=lambda output, target: target.shape == output.shape and (output != 0).all(),
            ),
            Written(
                "-(target * torch.log({output}.clamp(min=1e-30))).sum() / {m}",
                "a probability of 0 has no logarithm, though the target does not ask for it",
                when=lambda output, target: target.shape == output.shape,
            ),
            Written(
                "F.nll_loss(torch.log({output}.clamp(min=1e-30)), target)",
                "a probability of 0 has no logarithm, though the target does not ask for it",
                when=lambda output, target: (output == 0).any(),
            ),
            Written("F.nll_loss(torch.log({output}), target)"),
        ),
        mean="positions",
        classes=True,
        probabilities=True,
        note="probabilities; class indices or distributions",
        sizes=parts_of.nll_sizes,
        drawn=(8,),
    ),
    LossRow(
        "hinge",
        each=lambda a, t, r: above_0(parts_of.margins(a, t)).sum(axis=-1) / r,
        slope=parts_of.margin_slope,
        formulas=parts_of.margin_formulas,
        parts=parts_of.margin_parts,
        pytorch=(
            Written(
                "F.multi_margin_loss({output}, target) * {classes}",
                "PyTorch divides by the number of classes too",
                when=lambda output, target: output.ndim < 3,
            ),
            Written(
                "(F.relu({output} - {output}.gather(1, target.unsqueeze(1)) + 1).sum() - {m}) / {m}",
                "the true class itself adds 1",
            ),
        ),
        mean="positions",
        classes=True,
        note="scores; class indices, or -1 and 1 for each output",
        exact=True,
        bends=lambda a, t: (parts_of.margins(a, t) == 0) & (t == 0),
        working=lambda a, t: {"margin": parts_of.margins(a, t)},
        sizes=lambda a, t, far, x: (a.size * (2 * x + 1), a.size),
        signs=LossRow(
            "hinge",
            each=lambda a, t, m: above_0(1 - t * a) / m,
            slope=lambda a, t, m: np.where(t * a < 1, -t, 0 * t) / m,
            formulas=counted(
                "{loss} = 1/{m} sum of max(0, 1 - {target} * {output})",
                "{delta} = -{target} / {m} where {target} * {output} is below 1, else 0",
            ),
            parts=parts_of.hinge_parts,
            pytorch=(Written("F.relu(1 - target * {output}).mean()"),),
            bends=lambda a, t: t * a == 1,
            exact=True,
            sizes=lambda a, t, far, x: (1 + x, 1.0),
        ),
        drawn=(9,),
    ),
    LossRow(
        "bce",
        each=parts_of.bce,
        slope=lambda a, t, m: (a - t) / np.maximum(a * (1 - a), parts_of.HELD) / m,
        formulas=counted(
            "{loss} = -1/{m} sum of {target} log({output}) + (1 - {target}) log(1 - {output})",
            "{delta} = ({output} - {target}) / ({output} (1 - {output})) / {m}",
        ),
        parts=parts_of.bce_parts,
        pytorch=(
            Written(
                "F.binary_cross_entropy({output}, target)",
                "PyTorch holds output * (1 - output) above 1e-12, in single precision",
                when=lambda output, target: (output * (1 - output) < parts_of.HELD).any(),
            ),
            Written("F.binary_cross_entropy({output}, target)"),
        ),
        probabilities=True,
        bends=lambda a, t: parts_of.held(a),
        note="probabilities",
        sizes=parts_of.bce_sizes,
        drawn=(5,),
    ),
    mean_of(
        "mae",
        each=lambda e, one: size(e),
        slope=lambda e, one: np.sign(e) * one,
        formulas=(
            "{loss} = 1/{m} sum of |{output} - {target}|",
            "{delta} = sign({output} - {target}) / {m}",
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
            "{loss} = 1/{m} sum of e^2/2, or |e| - 1/2 beyond 1, with e = {output} - {target}",
            "{delta} = e held between -1 and 1, / {m}",
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
