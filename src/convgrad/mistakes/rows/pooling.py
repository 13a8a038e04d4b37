"""Pooling: another kind of window, the wrong share of the delta, maxima looked up in the wrong place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from convgrad.core.element import Array
from convgrad.core.term import beside
from convgrad.layers.pool_kinds import POOL_KINDS
from convgrad.mistakes.case import Case, Variant
from convgrad.mistakes.misplaced import relaid
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.row import row


def _shares(variant: Variant, seen: Array) -> Array:
    return POOL_KINDS[variant.layer.kind].share(variant.layer, seen, variant.places).whole(seen, variant.d)


def _laid(variant: Variant, share: Array) -> Array:
    assert variant.delta is not None
    return variant.problem.shorthand.lower(variant.places.fold(share * beside(variant.delta, variant.d)), "NC*")


def _zero_padded(case: Case, name: str) -> Iterator[Array]:
    """A maximum over windows whose padding holds 0."""
    variant = case.opened
    if variant is None or variant.layer.kind != "max":
        return
    seen = variant.places.unfold(variant.x, 0)
    if name == "output":
        yield variant.problem.shorthand.lower(POOL_KINDS["max"].output(variant.layer, seen, variant.places), "NC*")
    elif variant.delta is not None:
        yield _laid(variant, _shares(variant, seen))


def _almost_equal(case: Case, name: str) -> Iterator[Array]:
    """Every cell that is within a tolerance of the maximum gets the delta."""
    variant = case.opened
    if variant is None or variant.layer.kind != "max" or variant.delta is None:
        return
    seen = variant.places.unfold(variant.x, -np.inf)
    top = beside(POOL_KINDS["max"].output(variant.layer, seen, variant.places), variant.d)
    exact = top - seen <= 0
    for tolerance in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.05, 0.1):
        mask = top - seen < tolerance
        if (mask != exact).any():
            yield _laid(variant, mask.astype(variant.x.dtype))


def _maximum_in_unpadded(case: Case, name: str) -> Iterator[Array]:
    """The maxima looked up where the windows would lie without padding; their deltas laid where they do lie."""

    variant = case.opened
    if variant is None or variant.layer.kind not in ("max", "lp") or variant.delta is None:
        return
    moved = relaid(variant, "dX", before=(0,) * variant.d)
    if moved is not None and any(axis.before for axis in variant.places.axes):
        yield _laid(variant, _shares(variant, moved.places.unfold(variant.x, POOL_KINDS[variant.layer.kind].fill)))


def _times_maximum(case: Case, name: str) -> Iterator[Array]:
    """delta times the maximum itself."""
    variant = case.opened
    if variant is None or variant.layer.kind != "max" or variant.delta is None:
        return
    output = POOL_KINDS["max"].output(variant.layer, variant.places.unfold(variant.x, -np.inf), variant.places)
    yield from (value for value in [replace(variant, delta=variant.delta * output).solved("dX")] if value is not None)


def _without_root(case: Case, name: str) -> Iterator[Array]:
    """The p-norm's sum of powers, its root forgotten."""
    variant = case.opened
    if variant is None or variant.layer.kind != "lp" or variant.layer.p == 1:
        return
    p, seen = variant.layer.p, variant.places.unfold(variant.x, 0)
    if name == "output":
        flat = seen.reshape(*seen.shape[: -variant.d], -1)
        yield variant.problem.shorthand.lower((np.abs(flat) ** p).sum(axis=-1), "NC*")
    elif variant.delta is not None:
        yield _laid(variant, p * np.sign(seen) * np.abs(seen) ** (p - 1))
        yield _laid(variant, np.sign(seen) * np.abs(seen) ** (p - 1))


def _average_unshared(variant: Variant, name: str) -> Iterator[Variant]:
    if variant.layer.kind == "avg":
        yield variant.with_layer(kind="sum", divisor=None)


def _sum_shared(variant: Variant, name: str) -> Iterator[Variant]:
    if variant.layer.kind == "sum":
        yield variant.with_layer(kind="avg")


def _overhang(variant: Variant, name: str) -> Iterator[Variant]:
    """Every window's sum over all its cells, those that hang over the end too."""
    if variant.layer.kind == "avg" and variant.layer.ceil and variant.layer.divisor is None:
        yield variant.with_layer(divisor=float(np.prod(variant.places.kernel)))


def _another_kind(variant: Variant, name: str) -> Iterator[Variant]:
    kind = variant.layer.kind
    for other in ("max", "avg"):
        if other != kind and (kind, other) != ("sum", "avg"):
            yield variant.with_layer(kind=other, divisor=None)


def _minimum(variant: Variant, name: str) -> Iterator[Variant]:
    if variant.layer.kind == "max" and name == "dX":
        yield replace(variant, x=-variant.x)


def _to_every_cell(variant: Variant, name: str) -> Iterator[Variant]:
    if variant.layer.kind == "max" and name == "dX":
        yield variant.with_layer(kind="sum")


R = partial(row, "factor")
S = partial(row, "setting")

ROWS: tuple[Mistake, ...] = (
    S(
        "average-not-shared",
        "output dX",
        "pool",
        "Nothing was divided by the window: each input got the whole delta, or the output is a sum.",
        "The maximum passes the delta on whole, and the average was treated likewise.",
        "Each cell of a window contributes 1/(cells of the window) to the average, and gets that share of the delta.",
        change=_average_unshared,
        rank=1,
    ),
    S(
        "sum-shared",
        "output dX",
        "pool",
        "The sum was divided by the window, as if it were an average.",
        "Average pooling is the more common layer.",
        "In a sum each cell counts whole, and gets the whole delta.",
        change=_sum_shared,
        rank=1,
    ),
    S(
        "overhang-counted",
        "output dX",
        "pool",
        "A window that hangs over the end was divided by all its cells.",
        "The divisor was fixed as kh * kw.",
        "Divide by the cells that lie on the padded input.",
        change=_overhang,
    ),
    S(
        "another-kind-of-pooling",
        "output dX",
        "pool",
        "The result is that of another kind of pooling.",
        "Maximum and average were mixed up.",
        "Look at --kind.",
        change=_another_kind,
    ),
    S(
        "minimum-for-maximum",
        "dX",
        "pool",
        "The delta went to the smallest cell of each window.",
        "argmin was written for argmax, or a comparison has the wrong sign.",
        "The cell that gave the maximum takes the delta.",
        change=_minimum,
    ),
    S(
        "delta-to-every-cell",
        "dX",
        "pool",
        "Every cell of a window got the whole delta.",
        "The delta was upsampled, and the mask of the maxima forgotten.",
        "Only the cell that gave the maximum takes the delta.",
        change=_to_every_cell,
        rank=1,
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
