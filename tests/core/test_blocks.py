"""Blocks and threads: the same bits whatever they are, and errors and interrupts get out."""

import numpy as np
import pytest

from convgrad import Pool
from convgrad.core import blocks
from convgrad.core.blocks import in_blocks, threads


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "options",
    [
        {"kind": kind, **each}
        for kind in ("max", "avg", "sum", "lp")
        for each in (
            {"size": 2},
            {"size": 3, "stride": 2, "padding": 1, "ceil": True},
            {"size": 3, "stride": 1, "dilation": 2},
            {"size": 7, "stride": 1, "padding": 3},
            {"whole": True},
            {"adaptive": (3, 2)},
        )
    ]
    + [{"kind": "max", "size": 3, "stride": 1, "ties": ties} for ties in ("last", "all", "split")],
)
def test_a_pool_gives_the_same_bits_in_any_blocks(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, object], dtype: type
) -> None:
    rng = np.random.default_rng(0)
    layer, x = Pool(**options), rng.integers(-3, 4, (3, 4, 8, 7)).astype(dtype) / 2
    delta = rng.normal(size=layer.forward(x).shape).astype(dtype)
    found = []
    for block, cores in ((1, 1), (1, 3), (150, 2), (10**9, 1)):
        monkeypatch.setattr(blocks, "BLOCK", block)
        monkeypatch.setattr(blocks, "threads", lambda cores=cores: cores)
        found.append([quantity.value for quantity in (layer.forward(x), *layer.backward(x, delta))])
    for other in found[1:]:
        assert all(np.array_equal(a, b) and a.dtype == b.dtype == dtype for a, b in zip(found[0], other, strict=True))


def test_every_plane_is_worked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "threads", lambda: 4)
    seen = np.zeros(1000, int)

    def work(block: slice) -> None:
        seen[block] += 1

    in_blocks(work, 1000, blocks.BLOCK // 3)
    assert (seen == 1).all()
    in_blocks(work, 0, 5)


def test_an_error_in_a_thread_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "threads", lambda: 2)

    def work(block: slice) -> None:
        with np.errstate():  # what holds outside holds inside
            np.divide(np.ones(1), np.zeros(1))

    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        in_blocks(work, 10, blocks.BLOCK)
    with np.errstate(all="ignore"):
        in_blocks(work, 10, blocks.BLOCK)


def test_fewer_threads_where_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    usual = threads()
    for told, found in (("1", 1), ("0", usual), ("many", usual), (str(usual + 5), usual)):
        monkeypatch.setenv("OMP_NUM_THREADS", told)
        assert threads() == found
