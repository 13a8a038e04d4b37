"""Problems drawn over the whole option space, for property tests."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from convgrad import Activation, Conv, Dense, Norm, Pool, Transposed, Unshared
from convgrad.errors import ShapeError
from convgrad.kinds.activations import ACTIVATIONS
from convgrad.kinds.norm import OVER
from convgrad.kinds.pool import TIES
from convgrad.kinds.setting import PAD_MODES, PADDINGS
from convgrad.layers.pool_kinds import POOL_KINDS

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
    kernel, dilation, sizes = draw(per_axis(d, 3)), draw(per_axis(d, 3)), draw(per_axis(d, 5))
    # mostly large enough for the kernel, so that few cases fall back
    sizes = [n + draw(st.sampled_from([0, hole * (k - 1)])) for n, k, hole in zip(sizes, kernel, dilation, strict=True)]
    seed = draw(st.integers(0, 10**6))
    layer = Conv(
        whole_numbers((filters, inputs, *kernel), seed),
        draw(st.sampled_from([None, whole_numbers((filters,), seed + 1)])),
        stride=draw(per_axis(d, 3)),
        dilation=dilation,
        padding=draw(paddings(d)),
        groups=groups,
        flip=draw(st.booleans()),
        pad_mode=draw(st.sampled_from(PAD_MODES)),
    )
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
    kind = draw(st.sampled_from(sorted(POOL_KINDS)))
    p = draw(st.sampled_from([1.0, 2.0, 3.0, 2.5]))
    layer = Pool(
        kind,
        draw(per_axis(d, 3)),
        draw(st.none() | per_axis(d, 3)),
        draw(paddings(d)),
        draw(per_axis(d, 2)),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.sampled_from([None, 3])) if kind == "avg" else None,
        draw(st.sampled_from(TIES)),
        p=p,
    )
    seed = draw(st.integers(0, 10**6))
    x = whole_numbers((draw(st.integers(1, 2)), draw(st.integers(1, 2)), *(n + 3 for n in draw(per_axis(d, 4)))), seed)
    if draw(st.integers(0, 3)) == 0:
        layer = Pool(kind, adaptive=[min(n, draw(st.integers(1, 4))) for n in x.shape[2:]], ties=layer.ties, p=p)
    try:
        places = layer.windows(x).places
    except ShapeError:
        layer = Pool(kind, whole=True, p=p)
        places = layer.windows(x).places
    return layer, x, whole_numbers((*x.shape[:2], *places), seed + 1)


@st.composite
def transposed(draw: st.DrawFn) -> tuple[Transposed, Array, Array]:
    """(layer, x, delta) of a transposed convolution with any options."""
    d, groups = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    channels, per_group = groups * draw(st.integers(1, 2)), draw(st.integers(1, 2))
    stride, dilation = draw(per_axis(d, 3)), draw(per_axis(d, 3))
    seed = draw(st.integers(0, 10**6))
    layer = Transposed(
        whole_numbers((channels, per_group, *draw(per_axis(d, 3))), seed),
        draw(st.sampled_from([None, whole_numbers((per_group * groups,), seed + 1)])),
        stride=stride,
        dilation=dilation,
        padding=draw(paddings(d)),
        groups=groups,
        flip=draw(st.booleans()),
        output_padding=[draw(st.integers(0, max(s, h) - 1)) for s, h in zip(stride, dilation, strict=True)],
    )
    x = whole_numbers((draw(st.integers(1, 2)), channels, *draw(per_axis(d, 4))), seed + 2)
    try:
        shape = layer.output_shape(x, layer.filters)
    except ShapeError:
        layer = Transposed(layer.kernel, layer.bias, groups=groups)
        shape = layer.output_shape(x, layer.filters)
    return layer, x, whole_numbers(shape, seed + 3)


@st.composite
def unshared(draw: st.DrawFn) -> tuple[Unshared, Array, Array]:
    """(layer, x, delta) of a locally connected layer with any options."""
    conv, x, delta = draw(convolutions())
    assert conv.kernel is not None
    places, filters, d = delta.shape[2:], delta.shape[1], delta.ndim - 2
    seed = draw(st.integers(0, 10**6))
    bias = draw(st.sampled_from([None, (filters,), (*places, filters)]))
    layer = Unshared(
        whole_numbers((*places, filters, x.shape[1], *conv.kernel.shape[2:]), seed),
        None if bias is None else whole_numbers(bias, seed + 1),
        conv.stride,
        conv.padding,
        conv.dilation,
        conv.flip,
        conv.pad_mode,
    )
    assert layer.kernel is not None and layer.kernel.ndim == 2 * d + 2
    return layer, x, delta


@st.composite
def dense(draw: st.DrawFn) -> tuple[Dense, Array, Array]:
    """(layer, x, delta) of a dense layer."""
    n, inputs, nodes = (draw(st.integers(1, 4)) for _ in range(3))
    seed = draw(st.integers(0, 10**6))
    layer = Dense(
        whole_numbers((nodes, inputs), seed), draw(st.sampled_from([None, whole_numbers((nodes,), seed + 1)]))
    )
    return layer, whole_numbers((n, inputs), seed + 2), whole_numbers((n, nodes), seed + 3)


@st.composite
def activations(draw: st.DrawFn) -> tuple[Activation, Array, Array]:
    """(layer, x, delta) of an activation on an array of any rank."""
    layer = Activation(
        draw(st.sampled_from(list(ACTIVATIONS))),
        draw(st.sampled_from([None, 0.3])),
        draw(st.sampled_from(["none", "tanh"])),
    )
    shape = tuple(draw(st.lists(st.integers(1, 4), max_size=3)))
    seed = draw(st.integers(0, 10**6))
    return layer, whole_numbers(shape, seed), whole_numbers(shape, seed + 1)


@st.composite
def norms(draw: st.DrawFn) -> tuple[Norm, Array, Array]:
    """(layer, x, delta) of a normalisation over up to 2 spatial axes, with any options."""
    over = draw(st.sampled_from(OVER))
    groups = draw(st.integers(1, 3)) if over == "group" else None
    sizes = [n + 1 for n in draw(per_axis(draw(st.integers(int(over in ("instance", "group")), 2)), 2))]
    channels = (groups or 1) * draw(st.integers(2, 3))
    seed = draw(st.integers(0, 10**6))
    shape = (channels, *sizes) if over == "layer" and draw(st.booleans()) else (channels,)
    gamma, beta = (draw(st.sampled_from([None, whole_numbers(shape, seed + k)])) for k in (1, 2))
    given: dict[str, Any] = {}
    if over == "batch" and draw(st.integers(0, 3)) == 0:
        given = {"mean": whole_numbers((channels,), seed + 3), "var": whole_numbers((channels,), seed + 4, 0, 5)}
    layer = Norm(gamma, beta, over, groups, draw(st.sampled_from([0.1, 0.5, 4.0])), **given)
    x = whole_numbers((draw(st.integers(2, 3)), channels, *sizes), seed + 5)
    return layer, x, whole_numbers(x.shape, seed + 6)


EVERY_LAYER = st.one_of(convolutions(), poolings(), transposed(), unshared(), dense(), activations(), norms())
