"""Speed and memory, as ratios within one run: ``python benchmarks/run.py``.

Start-up: whole processes, convgrad against what it cannot do without. Layers: Conv and Pool against PyTorch
in one thread where it is installed, else against a plain loop over places. Elements: one element explained against the
whole result computed. Gradients: a gradient check against the backward pass. Exact: fractions against floats.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from convgrad import Conv, Pool
from convgrad.core.rational import cast

SAMPLE = Path(__file__).parent.parent / "samples" / "classic"


def paired(one: Callable[[], Any], other: Callable[[], Any], runs: int) -> tuple[float, float, float]:
    """Medians of both in seconds, and of their ratio, run in turn so that a drifting machine drifts for both."""
    times: list[tuple[float, float]] = []
    one(), other()
    for _ in range(runs):
        pair = []
        for each in (one, other):
            start = time.perf_counter()
            each()
            pair.append(time.perf_counter() - start)
        times.append((pair[0], pair[1]))
    return (
        statistics.median(a for a, _ in times),
        statistics.median(b for _, b in times),
        statistics.median(a / b for a, b in times),
    )


def process(*command: str) -> Callable[[], Any]:
    return lambda: subprocess.run([sys.executable, *command], check=True, capture_output=True)


def startup() -> None:
    print(f"{'whole process':<44} {'convgrad':>9} {'baseline':>9} {'ratio':>6}")
    imports = process("-c", "import numpy, click, json")
    job = process("-m", "convgrad", "conv-backward", str(SAMPLE / "input.json"), str(SAMPLE / "delta.json"))
    for name, one, other in (
        ("conv-backward 5x5 / import numpy, click, json", job, imports),
        ("--version / import click", process("-m", "convgrad", "--version"), process("-c", "import click")),
        ("--help / import click", process("-m", "convgrad", "--help"), process("-c", "import click")),
    ):
        a, b, ratio = paired(one, other, 21)
        print(f"{name:<44} {a * 1000:7.0f}ms {b * 1000:7.0f}ms {ratio:6.2f}")


LAYERS: list[tuple[str, tuple[int, ...], dict[str, Any]]] = [
    ("conv 8x3x28x28, 16 filters 3x3", (8, 3, 28, 28), {"filters": 16, "k": 3}),
    ("conv 1x64x64x64, 64 filters 3x3", (1, 64, 64, 64), {"filters": 64, "k": 3, "padding": 1}),
    (
        "conv 1x3x224x224, 64 filters 7x7, stride 2",
        (1, 3, 224, 224),
        {"filters": 64, "k": 7, "stride": 2, "padding": 3},
    ),
    ("depthwise 1x64x64x64, 3x3", (1, 64, 64, 64), {"filters": 64, "k": 3, "groups": 64}),
    ("conv 1x1x256x256, 31x31", (1, 1, 256, 256), {"filters": 1, "k": 31}),
    ("max pool 8x16x64x64, 2x2", (8, 16, 64, 64), {"pool": "max"}),
    ("average pool 8x16x64x64, 2x2", (8, 16, 64, 64), {"pool": "avg"}),
]


def layers() -> None:
    try:
        import torch

        torch.set_num_threads(1)
    except ImportError:
        torch = None
    print(
        f"\n{'forward and backward, one thread, float64':<44} {'convgrad':>9} {'PyTorch':>9} {'ratio':>6} {'peak memory':>12}"
    )
    rng = np.random.default_rng(0)
    for name, shape, options in LAYERS:
        x = rng.normal(size=shape)
        ours, theirs, operands = both(torch, x, dict(options), rng)
        tracemalloc.start()
        ours()
        peak = tracemalloc.get_traced_memory()[1] / operands
        tracemalloc.stop()
        a, b, ratio = paired(ours, theirs or ours, 7)
        against = f"{b * 1000:7.1f}ms {ratio:6.2f}" if theirs else f"{'':>9} {'':>6}"
        print(f"{name:<44} {a * 1000:7.1f}ms {against} {peak:6.1f} times the operands")


def both(
    torch: Any, x: Any, options: dict[str, Any], rng: Any
) -> tuple[Callable[[], Any], Callable[[], Any] | None, int]:
    """(our pass, PyTorch's pass or None, bytes of the operands)."""
    layer: Any
    if "pool" in options:
        layer = Pool(options["pool"], 2)
        kernel = None
    else:
        filters, k, groups = options.pop("filters"), options.pop("k"), options.get("groups", 1)
        kernel = rng.normal(size=(filters, x.shape[1] // groups, k, k))
        layer = Conv(kernel, **options)
    output = layer.forward(x).value
    delta = rng.normal(size=output.shape)

    def ours() -> Any:
        return [quantity.value for quantity in (layer.forward(x), *layer.backward(x, delta))]

    operands = x.nbytes + delta.nbytes + (0 if kernel is None else kernel.nbytes)
    if torch is None:
        return ours, None, operands
    tx = torch.tensor(x, requires_grad=True)
    td = torch.tensor(delta)
    tw = None if kernel is None else torch.tensor(kernel, requires_grad=True)

    def theirs() -> None:
        F = torch.nn.functional
        if tw is None:
            (F.max_pool2d if options["pool"] == "max" else F.avg_pool2d)(tx, 2).backward(td)
        else:
            F.conv2d(tx, tw, **options).backward(td)

    return ours, theirs, operands


def elements() -> None:
    """One element of a layer on 64 channels of 512x512 against the whole of a single one of its 64 filters."""
    rng = np.random.default_rng(0)
    x, delta = (rng.normal(size=(1, 64, 512, 512)) for _ in range(2))
    kernel = rng.normal(size=(64, 64, 3, 3))
    quantities = {q.name: q for q in Conv(kernel, padding=1).backward(x, delta)}
    quantities["output"] = Conv(kernel, padding=1).forward(x)
    one = Conv(kernel[:1], padding=1)
    print(f"\n{'one element, 64 channels of 512x512':<44} {'explained':>9} {'1 filter':>9} {'ratio':>6}")
    for name, at in (("output", (0, 5, 100, 100)), ("dX", (0, 5, 100, 100)), ("dW", (5, 3, 1, 1)), ("db", (5,))):

        def explain(name: str = name, at: tuple[int, ...] = at) -> Any:
            return quantities[name].explain(at).value

        a, b, ratio = paired(explain, lambda: one.forward(x).value, 3)
        print(f"{name:<44} {a * 1000:7.1f}ms {b * 1000:7.0f}ms {ratio:6.3f}")


def gradients() -> None:
    """A gradient check against the backward pass that it checks."""
    from convgrad import gradcheck

    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(8, 16, 64, 64)), rng.normal(size=(16, 16, 3, 3))
    layer, delta = Conv(kernel, padding=1), rng.normal(size=(8, 16, 64, 64))
    print(f"\n{'all gradients compared, against the backward pass':<50} {'check':>9} {'backward':>9} {'ratio':>6}")
    a, b, ratio = paired(
        lambda: gradcheck(layer, x, delta), lambda: [q.value for q in (layer.forward(x), *layer.backward(x, delta))], 5
    )
    print(f"{'(8,16,64x64) under sixteen 3x3 filters':<50} {a * 1000:7.0f}ms {b * 1000:7.0f}ms {ratio:6.1f}")


def exact() -> None:
    """Fractions against floats, forward and backward."""
    rng = np.random.default_rng(0)
    arrays = [np.round(rng.normal(size=shape), 3) for shape in ((1, 1, 28, 28), (8, 1, 3, 3), (1, 8, 26, 26))]

    def both(dtype: Any) -> Callable[[], Any]:
        x, kernel, delta = (cast(array, dtype) for array in arrays)
        layer = Conv(kernel)
        return lambda: [q.value for q in (layer.forward(x), *layer.backward(x, delta))]

    print(f"\n{'forward and backward':<44} {'exact':>9} {'float64':>9} {'ratio':>6}")
    a, b, ratio = paired(both(object), both(float), 5)
    print(f"{'28x28 under eight 3x3 filters':<44} {a * 1000:7.0f}ms {b * 1000:7.2f}ms {ratio:6.0f}")


if __name__ == "__main__":
    print(json.dumps({"python": sys.version.split()[0], "numpy": np.__version__, "cores": os.cpu_count()}))
    startup()
    layers()
    elements()
    gradients()
    exact()
