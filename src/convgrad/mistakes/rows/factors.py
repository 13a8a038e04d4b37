"""A factor missing, extra, or taken of the wrong thing: a bias, an input, a weight, the delta."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import permutations
from math import prod

import numpy as np

from convgrad.core.quantity import Array, beside
from convgrad.mistakes import Change, Mistake, Subject
from convgrad.mistakes.row import KERNEL, row
from convgrad.mistakes.variant import Setup, opened


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
    own = setup.layer.parameters["W"]
    weight = getattr(setup.layer, own.field)
    if weight is None:
        return
    summed = setup.delta.sum(axis=(0, *range(2, setup.delta.ndim)))
    yield setup.problem.shorthand.lower(weight * beside(summed, weight.ndim - 1), own.axes)


def _input_ignored(setup: Setup, name: str) -> Iterator[Setup]:
    yield replace(setup, x=np.ones_like(setup.x))


def _input_squared(setup: Setup, name: str) -> Iterator[Setup]:
    yield replace(setup, x=setup.x**2)


def _weight_ignored(setup: Setup, name: str) -> Iterator[Setup]:
    field = setup.layer.parameters["W"].field
    weight = getattr(setup.layer, field)
    if weight is not None:
        yield setup.with_layer(**{field: np.ones_like(weight)})


def _delta_ignored(setup: Setup, name: str) -> Iterator[Setup]:
    if setup.delta is not None:
        yield replace(setup, delta=np.ones_like(setup.delta))


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


WEIGHED = f"{KERNEL} dense"
R = partial(row, "factor")

ROWS: tuple[Mistake, ...] = (
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
)
