"""A factor missing, extra, or taken of the wrong thing: a derivative, an input, a kernel, a bias."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import permutations
from math import prod

import numpy as np

from convgrad.layers.activation import Activation
from convgrad.layers.pool import KINDS
from convgrad.mistakes import Change, Mistake, Subject
from convgrad.mistakes.rows import KERNEL, row
from convgrad.mistakes.setup import Setup, opened
from convgrad.quantity import Array, beside
from convgrad.settings import ACTIVATIONS

# -- the activation's derivative -------------------------------------------------------------------------------

Sent = Callable[[Activation, Array, Array], Iterator[Array]]
"""(activation, its input z, the delta from above) -> what is sent back in place of the right thing."""


def sending(sent: Sent, *names: str) -> Change:
    """The activation (one of `names`, any where there are none) sends something else back."""

    def change(setup: Setup, name: str) -> Iterator[Setup]:
        if setup.activated is not None and (not names or setup.activated[0].name in names):
            for dZ in sent(*setup.activated):
                yield setup.sending(np.asarray(dZ))

    return change


def _value(activation: Activation, z: Array) -> Array:
    return activation.forward(z).value


def _slope(activation: Activation, z: Array) -> Array:
    """The derivative; of a softmax its diagonal."""
    if activation.name == "softmax":
        s = _value(activation, z)
        return s * (1 - s)
    return activation.derivative(z)


def _alpha(activation: Activation) -> float:
    return 0.01 if activation.alpha is None else activation.alpha


def _missing(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    if activation.name != "identity":
        yield dA


def _twice(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    if activation.name not in ("identity", "relu", "softmax"):
        yield dA * activation.derivative(z) ** 2
    if activation.name == "softmax":
        once = activation.backward(z, dA)[0].value
        yield activation.backward(z, once)[0].value


def _at_output(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    a = _value(activation, z)
    yield activation.backward(a, dA)[0].value


def _output_form_at_input(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    yield dA * (z * (1 - z) if activation.name == "sigmoid" else 1 - z**2)


def _of_delta(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    if activation.name not in ("identity", "softmax"):
        yield activation.derivative(dA)
        yield dA * activation.derivative(dA)


def _product_forgotten(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    yield _slope(activation, z)


def _value_for_derivative(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    yield dA * _value(activation, z)


def _input_for_derivative(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    yield dA * z


def _another(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    for name in ACTIVATIONS:
        if name not in (activation.name, "identity"):
            yield Activation(name).backward(z, dA)[0].value


def _slope_forgotten(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    yield dA * (z > 0)


def _slope_on_wrong_side(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    yield dA * np.where(z > 0, _alpha(activation), 0)
    yield dA * np.where(z > 0, _alpha(activation), 1)


def _diagonal(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    yield dA * _slope(activation, z)


def _diagonal_negative(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    s = _value(activation, z)
    yield -dA * s * (1 - s)
    jacobian_diagonal = s * (s - 1)  # with the other cells right: - s_i s_j
    yield dA * jacobian_diagonal - s * ((dA * s).sum(axis=-1, keepdims=True) - dA * s)


def _plus(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    s = _value(activation, z)
    yield s * (dA + (dA * s).sum(axis=-1, keepdims=True))


def _unsummed(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    s = _value(activation, z)
    yield s * (dA - dA.sum(axis=-1, keepdims=True))


def _square_forgotten(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    yield dA * (1 - _value(activation, z))


def _first_axis(activation: Activation, z: Array, dA: Array) -> Iterator[Array]:
    for axis in range(z.ndim - 1):
        there, back = np.swapaxes(z, axis, -1), np.swapaxes(dA, axis, -1)
        yield np.swapaxes(activation.backward(there, back)[0].value, axis, -1)


# -- activations forward ---------------------------------------------------------------------------------------


def activated(others: Callable[[Activation, Array], Iterator[Array]]) -> Callable[[Subject, str], Iterator[Array]]:
    """The output of an activation, alone or behind a layer, made otherwise of its input z."""

    def predict(subject: Subject, name: str) -> Iterator[Array]:
        problem = subject.problem
        if problem is None:
            return
        if subject.layer == "activation":
            yield from others(problem.layer, problem.x)  # type: ignore[arg-type]
        elif problem.activation is not None and "z" in subject.solution.operands:
            yield from others(problem.activation, subject.solution.operands["z"])

    return predict


def _not_activated(activation: Activation, z: Array) -> Iterator[Array]:
    yield z


def _activated_twice(activation: Activation, z: Array) -> Iterator[Array]:
    yield _value(activation, _value(activation, z))


def _another_forward(activation: Activation, z: Array) -> Iterator[Array]:
    for name in ACTIVATIONS:
        if name not in (activation.name, "identity"):
            yield _value(Activation(name), z)


def _slope_forgotten_forward(activation: Activation, z: Array) -> Iterator[Array]:
    if activation.name == "leaky-relu":
        yield np.maximum(z, 0)
        yield np.where(z > 0, _alpha(activation) * z, z)


def _first_axis_forward(activation: Activation, z: Array) -> Iterator[Array]:
    if activation.name == "softmax":
        for axis in range(z.ndim - 1):
            yield np.swapaxes(_value(activation, np.swapaxes(z, axis, -1)), axis, -1)
        if z.ndim > 1:
            yield _value(activation, z.reshape(-1)).reshape(z.shape)


def _not_normalised(activation: Activation, z: Array) -> Iterator[Array]:
    if activation.name == "softmax":
        yield np.exp(z)
        if z.ndim:
            yield np.exp(z - z.max(axis=-1, keepdims=True))
            yield z / z.sum(axis=-1, keepdims=True)


# -- the bias ---------------------------------------------------------------------------------------------------


def biased(others: Callable[[Setup, Array], Iterator[Array]]) -> Change:
    """The layer with another bias."""

    def change(setup: Setup, name: str) -> Iterator[Setup]:
        bias = getattr(setup.layer, "bias", None)
        if bias is not None:
            for other in others(setup, bias):
                yield setup.with_layer(bias=other)

    return change


def _in_every_product(setup: Setup, bias: Array) -> Iterator[Array]:
    if setup.subject.layer == "dense":
        yield bias * setup.x.shape[1]
    elif setup.subject.layer != "transposed":
        cells = prod(setup.places.kernel)
        yield bias * (setup.kernel.shape[-1 - setup.d] * cells)
        yield bias * cells
        yield bias * setup.kernel.shape[-1 - setup.d]


def _of_first_group(setup: Setup, bias: Array) -> Iterator[Array]:
    groups = int(getattr(setup.layer, "groups", 1))
    if bias.ndim == 1 and groups > 1:
        size = len(bias) // groups
        yield bias[np.arange(len(bias)) % size]
        yield bias[np.arange(len(bias)) // size]
    if bias.ndim == 1 and len(bias) > 1:
        yield np.full_like(bias, bias[0])
        yield np.roll(bias, 1)
        yield np.roll(bias, -1)


def _by_example(subject: Subject, name: str) -> Iterator[Array]:
    """b[n] for b[f]."""
    setup = opened(subject)
    bias = None if setup is None else getattr(setup.layer, "bias", None)
    if setup is None or bias is None or bias.ndim != 1 or not 1 < len(setup.x) <= len(bias):
        return
    blank = setup.with_layer(bias=None).solved(name)
    if blank is not None and subject.problem is not None and subject.problem.activation is None:
        full = subject.problem.shorthand.lift(blank, subject.problem.output_axes)
        full = full + bias[: len(full)].reshape(-1, *(1,) * (full.ndim - 1))
        yield subject.problem.shorthand.lower(full, subject.problem.output_axes)


# -- the wrong operand ------------------------------------------------------------------------------------------


def _output_for_input(setup: Setup, name: str) -> Iterator[Setup]:
    """dW with the layer's own output in place of its input, where it has the input's shape."""
    output = setup.subject.solution.quantities.get("output")
    if output is not None:
        full = setup.problem.shorthand.lift(output.value, setup.problem.output_axes)
        if full.shape == setup.x.shape:
            yield replace(setup, x=full)


def _weight_for_input(subject: Subject, name: str) -> Iterator[Array]:
    """dW as delta times the weight itself."""
    setup = opened(subject)
    if setup is None or setup.delta is None:
        return
    weight = setup.layer.weight if subject.layer == "dense" else setup.layer.kernel
    if weight is None:
        return
    summed = setup.delta.sum(axis=(0, *range(2, setup.delta.ndim)))
    axes = "OM" if subject.layer == "dense" else setup.layer.kernel_axes
    yield setup.problem.shorthand.lower(weight * beside(summed, weight.ndim - 1), axes)


def _input_ignored(setup: Setup, name: str) -> Iterator[Setup]:
    yield replace(setup, x=np.ones_like(setup.x))


def _input_squared(setup: Setup, name: str) -> Iterator[Setup]:
    yield replace(setup, x=setup.x**2)


def _weight_ignored(setup: Setup, name: str) -> Iterator[Setup]:
    field = "weight" if setup.subject.layer == "dense" else "kernel"
    weight = getattr(setup.layer, field)
    if weight is not None:
        yield setup.with_layer(**{field: np.ones_like(weight)})


def _delta_ignored(setup: Setup, name: str) -> Iterator[Setup]:
    if setup.delta is not None:
        yield replace(setup, delta=np.ones_like(setup.delta))


# -- dense ------------------------------------------------------------------------------------------------------


def _not_transposed(setup: Setup, name: str) -> Iterator[Setup]:
    weight = setup.layer.weight
    if weight is not None and weight.shape[0] == weight.shape[1] > 1:
        yield setup.with_layer(weight=weight.T)


def _inverse(setup: Setup, name: str) -> Iterator[Setup]:
    weight = setup.layer.weight
    if weight is not None and weight.shape[0] == weight.shape[1] > 1:
        try:
            inverse = np.linalg.inv(weight.astype(float)).astype(weight.dtype)
        except np.linalg.LinAlgError:
            return
        yield setup.with_layer(weight=inverse.T)
        yield setup.with_layer(weight=inverse)


def _element_wise(subject: Subject, name: str) -> Iterator[Array]:
    """input * delta in place of their outer product."""
    setup = opened(subject)
    if setup is None or setup.delta is None:
        return
    if setup.x.shape == setup.delta.shape:
        yield setup.x * setup.delta
        yield (setup.x * setup.delta).sum(axis=0)


def _other_flattening(setup: Setup, name: str) -> Iterator[Setup]:
    """The input's axes flattened in another order; a gradient with respect to it lies in that order too."""
    axes = setup.problem.shorthand.several.get("D", ())
    if len(axes) < 2 or len(axes) > 4:
        return
    for order in permutations(range(len(axes))):
        if order != tuple(range(len(axes))):
            x = setup.x.reshape(-1, *axes).transpose(0, *(k + 1 for k in order))
            yield replace(setup, x=x.reshape(setup.x.shape))


# -- pooling ----------------------------------------------------------------------------------------------------


def _shares(setup: Setup, seen: Array) -> Array:
    share: Array = KINDS[setup.layer.kind].share(setup.layer, seen, setup.places)
    return share


def _laid(setup: Setup, share: Array) -> Array:
    assert setup.delta is not None
    return setup.problem.shorthand.lower(setup.places.fold(share * beside(setup.delta, setup.d)), "NC*")


def _zero_padded(subject: Subject, name: str) -> Iterator[Array]:
    """A maximum over windows whose padding holds 0."""
    setup = opened(subject)
    if setup is None or setup.layer.kind != "max":
        return
    seen = setup.places.unfold(setup.x, 0)
    if name == "output":
        yield setup.problem.shorthand.lower(KINDS["max"].output(setup.layer, seen, setup.places), "NC*")
    elif setup.delta is not None:
        yield _laid(setup, _shares(setup, seen))


def _almost_equal(subject: Subject, name: str) -> Iterator[Array]:
    """Every cell that is within a tolerance of the maximum gets the delta."""
    setup = opened(subject)
    if setup is None or setup.layer.kind != "max" or setup.delta is None:
        return
    seen = setup.places.unfold(setup.x, -np.inf)
    top = beside(KINDS["max"].output(setup.layer, seen, setup.places), setup.d)
    exact = top - seen <= 0
    for tolerance in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.05, 0.1):
        mask = top - seen < tolerance
        if (mask != exact).any():
            yield _laid(setup, mask.astype(setup.x.dtype))


def _maximum_in_unpadded(subject: Subject, name: str) -> Iterator[Array]:
    """The maxima looked up where the windows would lie without padding; their deltas laid where they do lie."""
    from convgrad.mistakes.setup import relaid

    setup = opened(subject)
    if setup is None or setup.layer.kind not in ("max", "lp") or setup.delta is None:
        return
    moved = relaid(setup, "dX", before=(0,) * setup.d)
    if moved is not None and any(axis.before for axis in setup.places.axes):
        yield _laid(setup, _shares(setup, moved.places.unfold(setup.x, KINDS[setup.layer.kind].fill)))


def _times_maximum(subject: Subject, name: str) -> Iterator[Array]:
    """delta times the maximum itself."""
    setup = opened(subject)
    if setup is None or setup.layer.kind != "max" or setup.delta is None:
        return
    output = KINDS["max"].output(setup.layer, setup.places.unfold(setup.x, -np.inf), setup.places)
    yield from (value for value in [replace(setup, delta=setup.delta * output).solved("dX")] if value is not None)


def _without_root(subject: Subject, name: str) -> Iterator[Array]:
    """The p-norm's sum of powers, its root forgotten."""
    setup = opened(subject)
    if setup is None or setup.layer.kind != "lp" or setup.layer.p == 1:
        return
    p, seen = setup.layer.p, setup.places.unfold(setup.x, 0)
    if name == "output":
        flat = seen.reshape(*seen.shape[: -setup.d], -1)
        yield setup.problem.shorthand.lower((np.abs(flat) ** p).sum(axis=-1), "NC*")
    elif setup.delta is not None:
        yield _laid(setup, p * np.sign(seen) * np.abs(seen) ** (p - 1))
        yield _laid(setup, np.sign(seen) * np.abs(seen) ** (p - 1))


R = partial(row, "factor")
BEHIND = f"activation {KERNEL} dense"
WEIGHED = f"{KERNEL} dense"
Z = "dW db dX"

ROWS: tuple[Mistake, ...] = (
    R(
        "derivative-missing",
        Z,
        BEHIND,
        "The derivative of the activation is missing: the delta from above was used as it came.",
        "delta is called the error, and the error at the output looks like all there is.",
        "Multiply the delta from above by the derivative of the activation at its input z before anything else.",
        change=sending(_missing),
        rank=1,
    ),
    R(
        "derivative-twice",
        Z,
        BEHIND,
        "The derivative of the activation was applied twice.",
        "The delta already contained it, or it was put into both the delta and the gradient.",
        "Multiply by the derivative once.",
        change=sending(_twice),
    ),
    R(
        "derivative-at-output",
        Z,
        BEHIND,
        "The derivative was taken at the activation's output a, where the formula wants its input z.",
        "Functions that expect z are handed a, because a is what was kept from the forward pass.",
        "Use f'(z); or, for sigmoid and tanh, the forms a (1 - a) and 1 - a^2, which are made for a.",
        change=sending(_at_output, "sigmoid", "tanh", "softplus", "elu", "gelu", "silu", "softmax"),
    ),
    R(
        "output-form-at-input",
        Z,
        BEHIND,
        "The form of the derivative that is made for the output, z (1 - z) or 1 - z^2, was given the input z.",
        "sigmoid' is remembered as x (1 - x), without what x is.",
        "In a (1 - a) and 1 - a^2 the a is the activation's output.",
        change=sending(_output_form_at_input, "sigmoid", "tanh"),
    ),
    R(
        "derivative-of-delta",
        Z,
        BEHIND,
        "The derivative was taken at the delta that comes in, not at the activation's input.",
        "The derivative's function was called with what was at hand.",
        "delta times f'(z): z is the input of the activation in the forward pass.",
        change=sending(_of_delta),
    ),
    R(
        "delta-forgotten",
        Z,
        BEHIND,
        "The derivative alone is there: it was not multiplied by the delta from above.",
        "f'(z) is the hard part, and is taken for the whole.",
        "The chain rule multiplies: delta times f'(z).",
        change=sending(_product_forgotten),
        alike="delta-ignored",
    ),
    R(
        "value-for-derivative",
        Z,
        BEHIND,
        "The delta was multiplied by the activation's value, not by its derivative.",
        "f was called where f' is meant.",
        "Multiply by the derivative.",
        change=sending(_value_for_derivative),
    ),
    R(
        "input-for-derivative",
        Z,
        BEHIND,
        "The delta was multiplied by the activation's input, not by its derivative.",
        "In a dense layer the gradient is delta times input; an activation has no weights.",
        "Multiply by the derivative.",
        change=sending(_input_for_derivative),
        rank=3,
    ),
    R(
        "another-derivative",
        Z,
        BEHIND,
        "The derivative is that of another activation.",
        "A function was copied from a network with another activation.",
        "Look at --activation.",
        change=sending(_another),
        rank=3,
    ),
    R(
        "slope-forgotten",
        Z,
        BEHIND,
        "Where the input is negative nothing was sent back: the slope of the leaky relu was left out.",
        "The code of the plain relu was used.",
        "Multiply the delta by alpha where z is negative.",
        change=sending(_slope_forgotten, "leaky-relu", "elu"),
    ),
    R(
        "slope-on-wrong-side",
        Z,
        BEHIND,
        "The slope of the leaky relu was applied where the input is positive.",
        "The two branches of the case distinction were exchanged.",
        "The slope is 1 where z is positive, and alpha where it is negative.",
        change=sending(_slope_on_wrong_side, "leaky-relu"),
    ),
    R(
        "softmax-diagonal-only",
        Z,
        BEHIND,
        "The softmax was treated number by number: only the diagonal s (1 - s) of its derivative was used.",
        "It looks like the sigmoid's, and the sigmoid works on each number alone.",
        "Every output depends on every input: dX = s * (delta - sum of delta * s).",
        change=sending(_diagonal, "softmax"),
        rank=1,
    ),
    R(
        "softmax-diagonal-negative",
        Z,
        BEHIND,
        "The diagonal of the softmax's derivative has the wrong sign: s (s - 1).",
        "The other cells of the derivative, - s_i s_j, do have a minus.",
        "On the diagonal it is s (1 - s), beside it - s_i s_j.",
        change=sending(_diagonal_negative, "softmax"),
    ),
    R(
        "softmax-plus-for-minus",
        Z,
        BEHIND,
        "The sum of delta * s was added where it has to be subtracted.",
        "A sign was lost.",
        "dX = s * (delta - sum of delta * s).",
        change=sending(_plus, "softmax"),
    ),
    R(
        "softmax-unweighted-sum",
        Z,
        BEHIND,
        "The deltas were summed without their weights s.",
        "That is the sum of the log-softmax.",
        "dX = s * (delta - sum of delta * s).",
        change=sending(_unsummed, "softmax"),
    ),
    R(
        "softmax-over-wrong-axis",
        Z,
        BEHIND,
        "The softmax was taken over another axis (the batch, say).",
        "axis=0 was left as it was, or is the default.",
        "The numbers of one example add up to 1: normalise over the last axis.",
        change=sending(_first_axis, "softmax"),
    ),
    R(
        "tanh-square-forgotten",
        Z,
        BEHIND,
        "The derivative of tanh was taken as 1 - a: the square is missing.",
        "It is mixed up with the sigmoid's 1 - a.",
        "tanh' = 1 - a^2.",
        change=sending(_square_forgotten, "tanh", "sigmoid"),
    ),
    R(
        "not-activated",
        "output",
        BEHIND,
        "The activation was left out: the output is its input z.",
        "The layer's sum was taken for its output.",
        "Apply the activation to z.",
        predict=activated(_not_activated),
        rank=1,
    ),
    R(
        "activated-twice",
        "output",
        BEHIND,
        "The activation was applied twice.",
        "The layer has it built in, and it was applied again.",
        "Apply it once.",
        predict=activated(_activated_twice),
    ),
    R(
        "another-activation",
        "output",
        BEHIND,
        "The output is that of another activation.",
        "A function was copied from a network with another activation.",
        "Look at --activation.",
        predict=activated(_another_forward),
        rank=3,
    ),
    R(
        "leaky-slope-misapplied",
        "output",
        BEHIND,
        "The slope of the leaky relu was left out, or applied on the wrong side.",
        "The code of the plain relu was used, or the two branches exchanged.",
        "The output is z where z is positive, and alpha * z where it is negative.",
        predict=activated(_slope_forgotten_forward),
        alike="another-activation",
    ),
    R(
        "softmax-output-over-wrong-axis",
        "output",
        BEHIND,
        "The softmax was taken over another axis, or over all numbers at once.",
        "axis=0 was left as it was, or no axis was named.",
        "The numbers of one example add up to 1: normalise over the last axis.",
        predict=activated(_first_axis_forward),
        rank=1,
    ),
    R(
        "softmax-not-normalised",
        "output",
        BEHIND,
        "The softmax's numbers do not add up to 1: exponentials were not divided by their sum, or not taken at all.",
        "One of its two steps was left out.",
        "exp(z) divided by the sum of exp(z).",
        predict=activated(_not_normalised),
    ),
    R(
        "bias-forgotten",
        "output",
        WEIGHED,
        "The bias was not added.",
        "It is the last, small step.",
        "Add b[f] to every number of filter f, once the products are summed.",
        change=biased(lambda setup, bias: iter([np.zeros_like(bias)])),
        rank=1,
    ),
    R(
        "bias-added-twice",
        "output",
        WEIGHED,
        "The bias was added twice.",
        "The sum began with it, and it was added again at the end.",
        "Add it once.",
        change=biased(lambda setup, bias: iter([2 * bias])),
    ),
    R(
        "bias-subtracted",
        "output",
        WEIGHED,
        "The bias was subtracted.",
        "A bias is sometimes written as a threshold, with a minus.",
        "Add it.",
        change=biased(lambda setup, bias: iter([-bias])),
    ),
    R(
        "bias-in-every-product",
        "output",
        "conv unshared dense",
        "The bias was added to every product (or in every channel), before the sum over the window.",
        "It stands inside the loop.",
        "Sum the products first, then add the bias once.",
        change=biased(_in_every_product),
        rank=1,
    ),
    R(
        "bias-of-wrong-filter",
        "output",
        WEIGHED,
        "The bias of another filter was added: the first one's for all, the first group's, or the neighbour's.",
        "The index restarts in every group, or is one off, or missing.",
        "Filter f gets b[f], counted through all the groups.",
        change=biased(_of_first_group),
    ),
    R(
        "bias-by-example",
        "output",
        WEIGHED,
        "Example n got bias b[n]: the bias runs along the batch.",
        "It was broadcast along the wrong axis.",
        "Filter f gets b[f]: in (N, F, H, W) that is b[None, :, None, None].",
        predict=_by_example,
    ),
    R(
        "output-for-input",
        "dW",
        WEIGHED,
        "dW was made with the layer's own output, where its input belongs.",
        "The layer's activations were taken for what came in.",
        "dW is delta times the input of this layer, that is the output of the one before.",
        change=_output_for_input,
    ),
    R(
        "weight-for-input",
        "dW",
        "conv dense",
        "dW was made with the weight in place of the input.",
        "Delta times weight is what goes into dX; the two are mixed up.",
        "dW is delta times input, dX is delta times weight.",
        predict=_weight_for_input,
    ),
    R(
        "input-ignored",
        "dW",
        WEIGHED,
        "dW is the sum of the deltas alone: it was not multiplied by the input.",
        "That is db.",
        "Multiply each delta by the input under it before adding.",
        change=_input_ignored,
    ),
    R(
        "input-twice",
        "dW",
        WEIGHED,
        "The input was multiplied in twice.",
        "The delta was given a factor x already, as if it were the gradient of a weight.",
        "delta has no factor x; dW = delta * x has one.",
        change=_input_squared,
    ),
    R(
        "weight-ignored",
        "dX output",
        WEIGHED,
        "The weights are missing from the products: the deltas (or inputs) were only added up.",
        "The sum was set up, and the weighing forgotten.",
        "Multiply by the weight (kernel) before adding.",
        change=_weight_ignored,
    ),
    R(
        "delta-ignored",
        "dW db dX",
        f"{WEIGHED} pool",
        "The delta from above was taken as 1 everywhere.",
        "The gradient of the output's sum was worked out, which needs no delta.",
        "Multiply by the delta that comes in.",
        change=_delta_ignored,
    ),
    R(
        "weight-not-transposed",
        "dX output",
        "dense",
        "The weight was used the other way round: W for W^T.",
        "With a square weight both products exist, and the shapes do not warn.",
        "With W as (out, in): output = W x, dX = W^T delta.",
        change=_not_transposed,
        rank=1,
    ),
    R(
        "inverse-for-transpose",
        "dX",
        "dense",
        "dX was made with the inverse of the weight in place of its transpose.",
        "Going backwards looks like undoing the layer.",
        "The backward pass does not undo the layer: it distributes delta over the inputs, by W^T.",
        change=_inverse,
    ),
    R(
        "element-wise-product",
        "dW",
        "dense",
        "dW is the product of input and delta, number by number, not of every delta with every input.",
        "* was written for an outer product.",
        "dW[o, i] = delta[o] * input[i]: np.outer(delta, input), or delta.T @ input for a batch.",
        predict=_element_wise,
        rank=1,
    ),
    R(
        "flattened-in-other-order",
        "output dW",
        "dense",
        "The input was flattened in another order of its axes.",
        "Weights of a layout with the channels last are used with channels first, or the reverse.",
        "Flatten in reading order, the last axis fastest; or permute the weight.",
        change=_other_flattening,
    ),
    R(
        "maximum-padded-with-zeros",
        "output dX",
        "pool",
        "The padding held 0 in a maximum, and won against negative inputs.",
        "Zeros are what padding usually holds.",
        "Pad with minus infinity for a maximum: padding never wins.",
        predict=_zero_padded,
        rank=1,
    ),
    R(
        "almost-equal-maxima",
        "dX",
        "pool",
        "Cells that only come close to the maximum got the delta too.",
        "The mask was made with a tolerance (np.isclose).",
        "Compare exactly, or use argmax.",
        predict=_almost_equal,
    ),
    R(
        "maximum-in-unpadded-input",
        "dX",
        "pool",
        "The maxima were looked up on the input itself, with windows where they would lie without padding.",
        "Window coordinates of the padded input were used on the input.",
        "Look them up on the padded input.",
        predict=_maximum_in_unpadded,
    ),
    R(
        "delta-times-maximum",
        "dX",
        "pool",
        "The delta was multiplied by the maximum itself.",
        "The pooled value was used as the factor, where it is 1.",
        "The cell that gave the maximum gets the delta as it is: the derivative is 1 there and 0 elsewhere.",
        predict=_times_maximum,
    ),
    R(
        "root-forgotten",
        "output dX",
        "pool",
        "The p-th root of the p-norm was left out.",
        "The sum of powers was taken for the norm.",
        "output = (sum of |x|^p)^(1/p), and each cell gets sign(x) (|x| / output)^(p-1) of the delta.",
        predict=_without_root,
    ),
)
