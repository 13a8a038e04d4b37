"""Pooling: another kind of window, the wrong share of the delta, maxima looked up in the wrong place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from convgrad.core.quantity import Array, beside
from convgrad.layers.pool import KINDS
from convgrad.mistakes import Mistake, Subject
from convgrad.mistakes.row import row
from convgrad.mistakes.variant import Setup, opened, relaid


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


def _average_unshared(setup: Setup, name: str) -> Iterator[Setup]:
    if setup.layer.kind == "avg":
        yield setup.with_layer(kind="sum", divisor=None)


def _sum_shared(setup: Setup, name: str) -> Iterator[Setup]:
    if setup.layer.kind == "sum":
        yield setup.with_layer(kind="avg")


def _overhang(setup: Setup, name: str) -> Iterator[Setup]:
    """Every window's sum over all its cells, those that hang over the end too."""
    if setup.layer.kind == "avg" and setup.layer.ceil and setup.layer.divisor is None:
        yield setup.with_layer(divisor=float(np.prod(setup.places.kernel)))


def _another_kind(setup: Setup, name: str) -> Iterator[Setup]:
    kind = setup.layer.kind
    for other in ("max", "avg"):
        if other != kind and (kind, other) != ("sum", "avg"):
            yield setup.with_layer(kind=other, divisor=None)


def _minimum(setup: Setup, name: str) -> Iterator[Setup]:
    if setup.layer.kind == "max" and name == "dX":
        yield replace(setup, x=-setup.x)


def _to_every_cell(setup: Setup, name: str) -> Iterator[Setup]:
    if setup.layer.kind == "max" and name == "dX":
        yield setup.with_layer(kind="sum")


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
