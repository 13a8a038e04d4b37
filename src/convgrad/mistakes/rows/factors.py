"""A factor missing, extra, or taken of the wrong thing: a bias, an input, a weight, the delta."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import permutations
from math import prod

import numpy as np

from convgrad.core.element import Array
from convgrad.core.term import beside
from convgrad.mistakes.case import Case, Variant
from convgrad.mistakes.mistake import Alteration, Mistake
from convgrad.mistakes.row import KERNEL, row


def biased(others: Callable[[Variant, Array], Iterator[Array]]) -> Alteration:
    """The layer with another bias."""

    def change(variant: Variant, name: str) -> Iterator[Variant]:
        bias = getattr(variant.layer, "bias", None)
        if bias is not None:
            for other in others(variant, bias):
                yield variant.with_layer(bias=other)

    return change


def _in_every_product(variant: Variant, bias: Array) -> Iterator[Array]:
    if variant.case.layer == "dense":
        yield bias * variant.x.shape[1]
    elif variant.case.layer != "transposed":
        cells = prod(variant.places.kernel)
        yield bias * (variant.kernel.shape[-1 - variant.d] * cells)
        yield bias * cells
        yield bias * variant.kernel.shape[-1 - variant.d]


def _of_first_group(variant: Variant, bias: Array) -> Iterator[Array]:
    groups = int(getattr(variant.layer, "groups", 1))
    if bias.ndim == 1 and groups > 1:
        size = len(bias) // groups
        yield bias[np.arange(len(bias)) % size]
        yield bias[np.arange(len(bias)) // size]
    if bias.ndim == 1 and len(bias) > 1:
        yield np.full_like(bias, bias[0])
        yield np.roll(bias, 1)
        yield np.roll(bias, -1)


def _by_example(case: Case, name: str) -> Iterator[Array]:
    """b[n] for b[f]."""
    variant = case.opened
    bias = None if variant is None else getattr(variant.layer, "bias", None)
    if variant is None or bias is None or bias.ndim != 1 or not 1 < len(variant.x) <= len(bias):
        return
    blank = variant.with_layer(bias=None).solved(name)
    if blank is not None and case.problem.activation is None:
        full = case.problem.lifted(blank)
        full = full + bias[: len(full)].reshape(-1, *(1,) * (full.ndim - 1))
        yield case.problem.shorthand.lower(full, case.problem.output_axes)


def _output_for_input(variant: Variant, name: str) -> Iterator[Variant]:
    """dW with the layer's own output in place of its input, where it has the input's shape."""
    output = variant.case.solution.quantities.get("output")
    if output is not None:
        full = variant.problem.lifted(output.value)
        if full.shape == variant.x.shape:
            yield replace(variant, x=full)


def _weight_for_input(case: Case, name: str) -> Iterator[Array]:
    """dW as delta times the weight itself."""
    variant = case.opened
    if variant is None or variant.delta is None:
        return
    own = variant.layer.parameters["W"]
    weight = getattr(variant.layer, own.field)
    if weight is None:
        return
    summed = variant.delta.sum(axis=(0, *range(2, variant.delta.ndim)))
    yield variant.problem.shorthand.lower(weight * beside(summed, weight.ndim - 1), own.axes)


def _input_ignored(variant: Variant, name: str) -> Iterator[Variant]:
    yield replace(variant, x=np.ones_like(variant.x))


def _input_squared(variant: Variant, name: str) -> Iterator[Variant]:
    yield replace(variant, x=variant.x**2)


def _weight_ignored(variant: Variant, name: str) -> Iterator[Variant]:
    field = variant.layer.parameters["W"].field
    weight = getattr(variant.layer, field)
    if weight is not None:
        yield variant.with_layer(**{field: np.ones_like(weight)})


def _delta_ignored(variant: Variant, name: str) -> Iterator[Variant]:
    if variant.delta is not None:
        yield replace(variant, delta=np.ones_like(variant.delta))


def _not_transposed(variant: Variant, name: str) -> Iterator[Variant]:
    weight = variant.layer.weight
    if weight is not None and weight.shape[0] == weight.shape[1] > 1:
        yield variant.with_layer(weight=weight.T)


def _inverse(variant: Variant, name: str) -> Iterator[Variant]:
    weight = variant.layer.weight
    if weight is not None and weight.shape[0] == weight.shape[1] > 1:
        try:
            inverse = np.linalg.inv(weight.astype(float)).astype(weight.dtype)
        except np.linalg.LinAlgError:
            return
        yield variant.with_layer(weight=inverse.T)
        yield variant.with_layer(weight=inverse)


def _element_wise(case: Case, name: str) -> Iterator[Array]:
    """input * delta in place of their outer product."""
    variant = case.opened
    if variant is None or variant.delta is None:
        return
    if variant.x.shape == variant.delta.shape:
        yield variant.x * variant.delta
        yield (variant.x * variant.delta).sum(axis=0)


def _other_flattening(variant: Variant, name: str) -> Iterator[Variant]:
    """The input's axes flattened in another order; a gradient with respect to it lies in that order too."""
    axes = variant.problem.shorthand.several.get("D", ())
    if len(axes) < 2 or len(axes) > 4:
        return
    for order in permutations(range(len(axes))):
        if order != tuple(range(len(axes))):
            x = variant.x.reshape(-1, *axes).transpose(0, *(k + 1 for k in order))
            yield replace(variant, x=x.reshape(variant.x.shape))


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
        change=biased(lambda variant, bias: iter([np.zeros_like(bias)])),
        rank=1,
    ),
    R(
        "bias-added-twice",
        "output",
        WEIGHED,
        "The bias was added twice.",
        "The sum began with it, and it was added again at the end.",
        "Add it once.",
        change=biased(lambda variant, bias: iter([2 * bias])),
    ),
    R(
        "bias-subtracted",
        "output",
        WEIGHED,
        "The bias was subtracted.",
        "A bias is sometimes written as a threshold, with a minus.",
        "Add it.",
        change=biased(lambda variant, bias: iter([-bias])),
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
