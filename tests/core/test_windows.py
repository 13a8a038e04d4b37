"""Geometry: the maps are transposes of each other, and lie where plain counting says."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spaces import convolutions, paddings, per_axis, poolings, whole_numbers

from convgrad.core.axis import Axis, Ragged
from convgrad.core.windows import Windows
from convgrad.errors import OptionError, ShapeError

LAYERS = st.one_of(convolutions(), poolings())


@given(LAYERS, st.integers(0, 10**6))
def test_fold_is_the_transpose_of_unfold(case: Any, seed: int) -> None:
    layer, x, _ = case
    windows = layer.windows(x)
    c = whole_numbers((*x.shape[:2], *windows.places, *windows.kernel), seed)
    assert (windows.unfold(x) * c).sum() == (x * windows.fold(c)).sum()


@given(LAYERS)
def test_unfold_shows_the_cells_that_counting_finds(case: Any) -> None:
    layer, x, _ = case
    windows = layer.windows(x)
    unfolded = windows.unfold(x)
    for place in itertools.product(*map(range, windows.places)):
        for u in itertools.product(*map(range, windows.kernel)):
            if any(isinstance(axis, Ragged) for axis in windows.axes):
                return  # test_layers.py counts these
            cell = [i * a.stride + v * a.dilation - a.before for i, v, a in zip(place, u, windows.axes, strict=True)]
            expected: Any = 0.0
            if windows.mode == "zeros":
                if all(0 <= c < n for c, n in zip(cell, windows.sizes, strict=True)):
                    expected = x[(slice(None), slice(None), *cell)]
            else:
                spots = [_lender(c, n, windows.mode) for c, n in zip(cell, windows.sizes, strict=True)]
                expected = x[(slice(None), slice(None), *spots)]
            np.testing.assert_array_equal(unfolded[(slice(None), slice(None), *place, *u)], expected)


def _lender(cell: int, size: int, mode: str) -> int:
    """The input cell that a padded position borrows from, walked to one step at a time."""
    while not 0 <= cell < size:
        if mode == "replicate":
            cell = 0 if cell < 0 else size - 1
        elif mode == "circular":
            cell += size if cell < 0 else -size
        elif size == 1:
            cell = 0
        else:
            cell = -cell if cell < 0 else 2 * (size - 1) - cell
    return cell


@given(LAYERS, st.integers(0, 10**6))
def test_one_place_alone_agrees_with_folding_it(case: Any, seed: int) -> None:
    layer, x, _ = case
    windows = layer.windows(x)
    places = list(itertools.product(*map(range, windows.places)))
    place = places[seed % len(places)]
    alone = np.zeros((*windows.places, *windows.kernel))
    alone[place] = whole_numbers(windows.kernel, seed)
    laid = np.zeros(windows.sizes)
    laid[tuple(slice(*each) for each in windows.box(place))] += windows.spread(place, alone[place])
    np.testing.assert_array_equal(laid, windows.fold(alone))


@given(st.integers(1, 3).flatmap(lambda d: st.tuples(per_axis(d, 6), per_axis(d, 3), per_axis(d, 3), paddings(d))))
def test_places_are_those_where_the_kernel_fits(case: Any) -> None:
    sizes, kernel, stride, padding = case
    for size, k, s, pad in zip(
        sizes, kernel, stride, [padding] * 3 if isinstance(padding, str) else padding, strict=False
    ):
        axis = Axis.fit(size, k, s, pad)
        fitting = [i for i in range(50) if i * s + axis.span <= axis.padded]
        assert max(axis.places, 0) == len(fitting)


@pytest.mark.parametrize(("size", "kernel", "stride"), list(itertools.product(range(1, 8), range(1, 5), range(1, 4))))
def test_same_padding_gives_size_over_stride_rounded_up(size: int, kernel: int, stride: int) -> None:
    upper, lower = (Axis.fit(size, kernel, stride, name) for name in ("same", "same-lower"))
    assert upper.places == lower.places == -(-size // stride)
    assert (upper.before, upper.after) == (lower.after, lower.before)
    assert 0 <= upper.after - upper.before <= 1


def test_full_and_causal_padding() -> None:
    assert (Axis.fit(5, 3, 1, "full", 2).before, Axis.fit(5, 3, 1, "full", 2).places) == (4, 9)
    assert (Axis.fit(5, 3, 1, "causal", 2).before, Axis.fit(5, 3, 1, "causal", 2).after) == (4, 0)


@given(LAYERS)
def test_blocks_cover_everything_once(case: Any) -> None:
    layer, x, _ = case
    windows = layer.windows(x)
    for limit in (1, 10, 10**6):
        seen = np.zeros((len(x), windows.places[0]), int)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("convgrad.core.windows.BLOCK_CELLS", limit)
            for n, i in windows.blocks(len(x), x.shape[1]):
                seen[n, i] += 1
        assert (seen == 1).all()


@given(convolutions())
def test_small_blocks_give_the_same_numbers(case: Any) -> None:
    layer, x, delta = case
    whole = [layer.forward(x).value, *(q.value for q in layer.backward(x, delta))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("convgrad.core.windows.BLOCK_CELLS", 1)
        parts = [layer.forward(x).value, *(q.value for q in layer.backward(x, delta))]
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)


@given(LAYERS)
def test_kernels_giving_finds_every_size_that_fits(case: Any) -> None:
    layer, x, _ = case
    windows = layer.windows(x)
    if any(isinstance(axis, Ragged) for axis in windows.axes):
        return
    pads = [(axis.before, axis.after) for axis in windows.axes]
    for axis, pair, found in zip(windows.axes, pads, windows.kernels_giving(windows.places, pads), strict=True):
        by_trying = [
            k
            for k in range(1, 40)
            if Axis.fit(axis.size, k, axis.stride, pair, axis.dilation, axis.ceil).places == axis.places
        ]
        assert list(found) == by_trying


def test_what_does_not_fit_is_an_error_that_says_why() -> None:
    with pytest.raises(ShapeError, match=r"a 6x2 kernel does not fit on a 5x5 input"):
        Windows.fit((5, 5), (6, 2))
    with pytest.raises(ShapeError, match=r"spans 7x7 cells"):
        Windows.fit((5, 5), 3, dilation=3)
    with pytest.raises(OptionError, match=r"stride: it has 3 numbers, but the input has 2 spatial axes"):
        Windows.fit((5, 5), 3, stride=(1, 2, 3))
    with pytest.raises(ShapeError, match="more than convgrad works on"):
        Windows.fit((5, 5), 3, padding=10**6).unfold(np.ones((5, 5)))
