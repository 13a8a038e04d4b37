"""Work on one plane after the other: in blocks that stay near the processor, on as many threads as there are cores.

numpy's loops let go of the interpreter's lock, so that threads add up. What is computed of a plane does not depend on
the block in which it is: one thread or many give the same bits.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

BLOCK = 256_000
"""Numbers of a block, about: 2 MB of float64, so that what is made of it is still in a cache when it is needed."""


def in_blocks(work: Callable[[slice], None], planes: int, numbers: int) -> None:
    """Do the work on all planes, block after block; numbers: of a plane."""
    size = max(1, BLOCK // max(1, numbers))
    blocks = [slice(start, start + size) for start in range(0, planes, size)]
    workers = min(threads(), len(blocks))
    if workers < 2:
        for block in blocks:
            work(block)
        return
    from concurrent.futures import ThreadPoolExecutor

    known = np.geterr()

    def one(block: slice) -> None:
        with np.errstate(**known):  # each thread has its own
            work(block)

    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(one, blocks):
            pass


def threads() -> int:
    """How many threads there may be: the cores that this process may use, or fewer where OMP_NUM_THREADS says so."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(told)) if told.isascii() and told.isdigit() and int(told) else cores
