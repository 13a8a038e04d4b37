"""Draw cases over the option space and store what PyTorch computes for them, in float64.

Run with PyTorch 2.13.0 installed: ``python tests/stored/make.py``. It writes conv.npz and pool.npz beside
itself; the tests read those and never import PyTorch. In each, ``cases`` is JSON: a list of options; the
arrays of case k are called ``k.x``, ``k.kernel`` and so on.
"""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

HERE = Path(__file__).parent
CONVS, POOLS = 240, 200


def draw(rng, *shape):
    return np.round(rng.normal(size=shape), 3)


def tensors(*arrays):
    return [None if a is None else torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in arrays]


def torch_pads(pads):
    """(before, after) an axis, first axis first -> the flat list that F.pad wants, last axis first."""
    return [n for pair in reversed(pads) for n in pair]


def conv_case(rng):
    d = int(rng.integers(1, 4))
    groups = int(rng.choice([1, 1, 2, 3]))
    c, f = groups * int(rng.integers(1, 3)), groups * int(rng.integers(1, 3))
    kernel = [int(n) for n in rng.integers(1, 4, d)]
    stride, dilation = ([int(n) for n in rng.integers(1, 4, d)] for _ in range(2))
    mode = str(rng.choice(["zeros", "zeros", "reflect", "replicate", "circular"]))
    pads = [[int(n) for n in rng.integers(0, 3, 2)] for _ in range(d)]
    spans = [dil * (k - 1) + 1 for dil, k in zip(dilation, kernel)]
    sizes = [max(3, span - sum(pad) + int(rng.integers(0, 4))) for span, pad in zip(spans, pads)]
    n = int(rng.integers(1, 3))
    x, w = draw(rng, n, c, *sizes), draw(rng, f, c // groups, *kernel)
    b = draw(rng, f) if rng.random() < 0.5 else None
    tx, tw, tb = tensors(x, w, b)
    padded = F.pad(tx, torch_pads(pads), mode="constant" if mode == "zeros" else mode)
    conv = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[d]
    out = conv(padded, tw, tb, stride=stride, dilation=dilation, groups=groups)
    delta = draw(rng, *out.shape)
    out.backward(torch.tensor(delta))
    options = {"stride": stride, "padding": pads, "dilation": dilation, "groups": groups, "pad_mode": mode}
    arrays = {"x": x, "kernel": w, "delta": delta, "output": out.detach().numpy(), "dW": tw.grad.numpy(),
              "dX": tx.grad.numpy()}
    if b is not None:
        arrays |= {"bias": b, "db": tb.grad.numpy()}
    return options, arrays


def pool_case(rng):
    d = int(rng.integers(1, 4))
    kind = str(rng.choice(["max", "avg"]))
    size = [int(n) for n in rng.integers(1, 4, d)]
    stride = [int(n) for n in rng.integers(1, 4, d)]
    padding = [int(rng.integers(0, k // 2 + 1)) for k in size]
    dilation = [int(n) for n in rng.integers(1, 3, d)] if kind == "max" else [1] * d
    ceil = bool(rng.random() < 0.5)
    spans = [dil * (k - 1) + 1 for dil, k in zip(dilation, size)]
    sizes = [max(2, span - 2 * p) + int(rng.integers(0, 4)) for span, p in zip(spans, padding)]
    x = draw(rng, int(rng.integers(1, 3)), int(rng.integers(1, 3)), *sizes)
    if rng.random() < 0.4:  # ties
        x = np.round(x)
    (tx,) = tensors(x)
    options = {"kind": kind, "size": size, "stride": stride, "padding": padding, "dilation": dilation, "ceil": ceil}
    arrays = {"x": x}
    if kind == "max":
        pool = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}[d]
        out, indices = pool(tx, size, stride, padding, dilation, ceil, return_indices=True)
        arrays["indices"] = indices.numpy()
    else:
        pool = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}[d]
        options["count_include_pad"] = bool(rng.random() < 0.5)
        divisor = int(rng.integers(1, 9)) if d > 1 and rng.random() < 0.2 else None
        extra = {"divisor_override": divisor} if d > 1 else {}
        out = pool(tx, size, stride, padding, ceil, options["count_include_pad"], **extra)
        if divisor:
            options["divisor"] = divisor
    delta = draw(rng, *out.shape)
    out.backward(torch.tensor(delta))
    return options, arrays | {"delta": delta, "output": out.detach().numpy(), "dX": tx.grad.numpy()}


def store(name, make, count, seed):
    rng, cases, arrays = np.random.default_rng(seed), [], {}
    while len(cases) < count:
        try:
            options, found = make(rng)
        except RuntimeError:  # PyTorch refuses the combination, such as a reflection wider than the input
            continue
        arrays |= {f"{len(cases)}.{key}": value for key, value in found.items()}
        cases.append(options)
    np.savez_compressed(HERE / name, cases=np.array(json.dumps(cases)), **arrays)


if __name__ == "__main__":
    store("conv.npz", conv_case, CONVS, 1)
    store("pool.npz", pool_case, POOLS, 2)
