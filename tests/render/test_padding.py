"""What an overlay draws of the padding: at every place of every layer just what lies under the kernel."""

from itertools import islice
from typing import Any

import numpy as np
import pytest

from convgrad import Conv, Pool, Unshared
from convgrad.errors import ConvgradError
from convgrad.kinds.setting import PAD_MODES
from convgrad.render.padding import MOST_MARGIN, own_cells, padded


def drawn_layer(rng: np.random.Generator) -> tuple[Any, np.ndarray]:
    """A layer over one to three spatial axes, with padding, and an input."""
    d = int(rng.integers(1, 4))
    x = rng.integers(1, 99, (int(rng.integers(1, 3)), 2, *rng.integers(2, 5, d))).astype(float)
    k = tuple(int(each) for each in rng.integers(1, 4, d))
    options: dict[str, Any] = {"stride": int(rng.integers(1, 4)), "padding": int(rng.integers(0, 3))}
    kind = rng.choice(["conv", "pool", "unshared"])
    if kind == "pool":
        return Pool(str(rng.choice(["max", "avg"])), size=k, ceil=bool(rng.integers(2)), **options), x
    options |= {"dilation": int(rng.integers(1, 3)), "pad_mode": str(rng.choice(PAD_MODES))}
    if kind == "conv":
        return Conv(rng.normal(size=(3, 2, *k)), **options), x
    bare = Unshared(kernel_size=k, **options)
    return Unshared(rng.normal(size=(*bare.windows(x).places, 3, 2, *k)), **options), x


@pytest.mark.parametrize("seed", range(8))
def test_the_window_is_what_lies_under_the_kernel(seed: int) -> None:
    rng, overlays, hanging = np.random.default_rng(seed), 0, 0
    while overlays < 60:
        try:
            layer, x = drawn_layer(rng)
            output = layer.forward(x)
            windows = layer.windows(x)
        except ConvgradError:
            continue
        spatial = tuple(range(2, x.ndim))
        for term in islice(output.terms(), 12):
            overlays += 1
            wide = padded(x, spatial, term)
            positions = [axis.at(i) for axis, i in zip(windows.axes, term.at[1:], strict=True)]
            over = max(max(-int(at.min()), int(at.max()) + 1 - n) for at, n in zip(positions, x.shape[2:], strict=True))
            if over <= 0 or over > MOST_MARGIN:
                assert wide is None
                continue
            hanging += 1
            assert wide is not None
            fill = -np.inf if isinstance(layer, Pool) and layer.kind == "max" else 0
            seen = windows.seen(x[term.at[0]], term.at[1:], fill)
            assert wide.lit.sum() == seen.size
            np.testing.assert_array_equal(wide.numbers[wide.lit], seen.ravel())
            inside = np.ones(1, bool)
            for at, n in zip(positions, x.shape[2:], strict=True):
                inside = np.multiply.outer(inside, (at >= 0) & (at < n))
            assert wide.pad.sum() == x.shape[1] * (~inside).sum() and not (wide.pad & ~wide.lit).any()
            kept = ~(wide.pad | wide.blank)
            assert kept.sum() == x.size
            np.testing.assert_array_equal(np.sort(wide.numbers[kept]), np.sort(x.ravel()))
            own = np.zeros(x.shape, bool)
            cells = [np.arange(n)[c] if isinstance(c, slice) else list(c) for c, n in zip(own_cells(term, spatial, x.shape), x.shape, strict=True)]  # fmt: skip
            own[np.ix_(*cells)] = True
            assert own.sum() == x.shape[1] * inside.sum()
    assert hanging > 10
