"""Problems drawn over the whole option space, for property tests."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from convgrad import Conv, Pool
from convgrad.errors import ShapeError
from convgrad.layers.pool import KINDS, TIES
from convgrad.settings import PAD_MODES, PADDINGS

Array = NDArray[Any]


def whole_numbers(shape: tuple[int, ...], seed: int, low: int = -4, high: int = 5) -> Array:
    """Small whole numbers: sums of them are exact, and ties and zeros are frequent."""
    return np.random.default_rng(seed).integers(low, high, shape).astype(float)


@st.composite
def paddings(draw: st.DrawFn, d: int) -> Any:
    if draw(st.booleans()):
        return draw(st.sampled_from(PADDINGS))
    return [tuple(draw(st.lists(st.integers(0, 3), min_size=2, max_size=2))) for _ in range(d)]


def per_axis(d: int, most: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(1, most), min_size=d, max_size=d)


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Conv, Array, Array]:
    """(layer, x, delta) of a convolution with 1 to 3 spatial axes and any options."""
    d, groups = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    inputs, filters = draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    kernel, sizes = draw(per_axis(d, 3)), draw(per_axis(d, 5))
    seed = draw(st.integers(0, 10**6))
    layer = Conv(whole_numbers((filters, inputs, *kernel), seed),
                 draw(st.sampled_from([None, whole_numbers((filters,), seed + 1)])),
                 stride=draw(per_axis(d, 3)), dilation=draw(per_axis(d, 3)), padding=draw(paddings(d)), groups=groups,
                 flip=draw(st.booleans()), pad_mode=draw(st.sampled_from(PAD_MODES)))
    x = whole_numbers((draw(st.integers(1, 2)), inputs * groups, *sizes), seed + 2)
    try:
        places = layer.windows(x).places
    except ShapeError:
        layer = Conv(layer.kernel, layer.bias, padding="full", groups=groups)
        places = layer.windows(x).places
    return layer, x, whole_numbers((len(x), filters, *places), seed + 3)


@st.composite
def poolings(draw: st.DrawFn) -> tuple[Pool, Array, Array]:
    """(layer, x, delta) of a pooling layer with 1 to 3 spatial axes and any options."""
    d = draw(st.integers(1, 3))
    kind = draw(st.sampled_from(sorted(KINDS)))
    layer = Pool(kind, draw(per_axis(d, 3)), draw(st.none() | per_axis(d, 3)), draw(paddings(d)), draw(per_axis(d, 2)),
                 draw(st.booleans()), draw(st.booleans()), draw(st.sampled_from([None, 3])) if kind == "avg" else None,
                 draw(st.sampled_from(TIES)))
    seed = draw(st.integers(0, 10**6))
    x = whole_numbers((draw(st.integers(1, 2)), draw(st.integers(1, 2)), *draw(per_axis(d, 5))), seed)
    try:
        places = layer.windows(x).places
    except ShapeError:
        layer = Pool(kind, whole=True)
        places = layer.windows(x).places
    return layer, x, whole_numbers((*x.shape[:2], *places), seed + 1)
