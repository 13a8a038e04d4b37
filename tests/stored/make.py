"""Draw cases over the option space and store what PyTorch computes for them, in float64.

Run with PyTorch 2.13.0 installed: ``python tests/stored/make.py``. It writes the npz files beside it; the
tests read those and never import PyTorch. In each, ``cases`` is JSON: a list of options; the arrays of case k are called ``k.x``, ``k.kernel`` and so on.
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
    arrays = {
        "x": x,
        "kernel": w,
        "delta": delta,
        "output": out.detach().numpy(),
        "dW": tw.grad.numpy(),
        "dX": tx.grad.numpy(),
    }
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


def transposed_case(rng):
    d = int(rng.integers(1, 4))
    groups = int(rng.choice([1, 1, 2]))
    c, f = groups * int(rng.integers(1, 3)), groups * int(rng.integers(1, 3))
    kernel = [int(n) for n in rng.integers(1, 4, d)]
    stride, dilation = ([int(n) for n in rng.integers(1, 4, d)] for _ in range(2))
    padding = [int(n) for n in rng.integers(0, 3, d)]
    extra = [int(rng.integers(0, max(s, dil))) for s, dil in zip(stride, dilation)]
    x, w = draw(rng, int(rng.integers(1, 3)), c, *rng.integers(1, 5, d)), draw(rng, c, f // groups, *kernel)
    b = draw(rng, f) if rng.random() < 0.5 else None
    tx, tw, tb = tensors(x, w, b)
    conv = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}[d]
    out = conv(tx, tw, tb, stride, padding, extra, groups, dilation)
    delta = draw(rng, *out.shape)
    out.backward(torch.tensor(delta))
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "output_padding": extra}
    arrays = {
        "x": x,
        "kernel": w,
        "delta": delta,
        "output": out.detach().numpy(),
        "dW": tw.grad.numpy(),
        "dX": tx.grad.numpy(),
    }
    if b is not None:
        arrays |= {"bias": b, "db": tb.grad.numpy()}
    return options, arrays


def unshared_case(rng):
    """A locally connected layer, which PyTorch has as unfold and a product."""
    c, f = (int(n) for n in rng.integers(1, 3, 2))
    kernel, stride, dilation = ([int(n) for n in rng.integers(1, 4, 2)] for _ in range(3))
    padding = [int(n) for n in rng.integers(0, 2, 2)]
    x = draw(rng, int(rng.integers(1, 3)), c, *rng.integers(5, 8, 2))
    places = [
        (n + 2 * p - dil * (k - 1) - 1) // s + 1
        for n, p, dil, k, s in zip(x.shape[2:], padding, dilation, kernel, stride)
    ]
    if min(places) < 1:
        raise RuntimeError("the kernel does not fit")
    w, b = draw(rng, *places, f, c, *kernel), draw(rng, *places, f)
    tx, tw, tb = tensors(x, w, b)
    columns = F.unfold(tx, kernel, dilation, padding, stride).transpose(1, 2)  # (N, P, C k)
    out = torch.einsum("npk,pfk->nfp", columns, tw.reshape(places[0] * places[1], f, -1))
    out = out.reshape(len(x), f, *places) + tb.permute(2, 0, 1)
    delta = draw(rng, *out.shape)
    out.backward(torch.tensor(delta))
    return (
        {"stride": stride, "padding": padding, "dilation": dilation},
        {
            "x": x,
            "kernel": w,
            "bias": b,
            "delta": delta,
            "output": out.detach().numpy(),
            "dW": tw.grad.numpy(),
            "db": tb.grad.numpy(),
            "dX": tx.grad.numpy(),
        },
    )


def spread_pool_case(rng):
    """Adaptive pooling of 1 to 3 axes; and p-norms, whose inputs are positive, as PyTorch's formula wants them."""
    d, x = int(rng.integers(1, 4)), None
    if rng.random() < 0.7 or d == 3:
        kind = str(rng.choice(["max", "avg"]))
        x = draw(rng, int(rng.integers(1, 3)), 2, *rng.integers(2, 8, d))
        parts = [int(rng.integers(1, n + 1)) for n in x.shape[2:]]
        (tx,) = tensors(x)
        out = getattr(F, f"adaptive_{kind}_pool{d}d")(tx, parts)
        options = {"kind": kind, "adaptive": parts}
    else:
        x = np.abs(draw(rng, 2, 2, *rng.integers(4, 8, d))) + 0.1
        size, stride = ([int(n) for n in rng.integers(1, 4, d)] for _ in range(2))
        p = float(rng.choice([1.0, 2.0, 3.0, 2.5]))
        (tx,) = tensors(x)
        out = F.lp_pool1d(tx, p, size[0], stride[0]) if d == 1 else F.lp_pool2d(tx, p, size, stride)
        options = {"kind": "lp", "size": size, "stride": stride, "p": p}
    delta = draw(rng, *out.shape)
    out.backward(torch.tensor(delta))
    return options, {"x": x, "delta": delta, "output": out.detach().numpy(), "dX": tx.grad.numpy()}


ACTIVATIONS = {
    "identity": lambda x, o: x * 1,
    "relu": lambda x, o: F.relu(x),
    "sigmoid": lambda x, o: torch.sigmoid(x),
    "leaky-relu": lambda x, o: F.leaky_relu(x, o.get("alpha", 0.01)),
    "elu": lambda x, o: F.elu(x, o.get("alpha", 1.0)),
    "tanh": lambda x, o: torch.tanh(x),
    "softplus": lambda x, o: F.softplus(x, threshold=1e9),
    "gelu": lambda x, o: F.gelu(x, approximate=o.get("approximate", "none")),
    "silu": lambda x, o: F.silu(x),
    "softmax": lambda x, o: F.softmax(x, -1),
    "relu6": lambda x, o: F.relu6(x),
    "hard-swish": lambda x, o: F.hardswish(x),
    # F.hardsigmoid has its 1/6 in single precision
    "hard-sigmoid": lambda x, o: F.hardtanh(o.get("slope", 1 / 6) * x + o.get("shift", 0.5), 0, 1),
}


def activation_case(rng):
    name = str(rng.choice(sorted(ACTIVATIONS)))
    options = {"name": name}
    if name in ("leaky-relu", "elu") and rng.random() < 0.5:
        options["alpha"] = round(float(rng.random()), 2)
    if name == "hard-sigmoid" and rng.random() < 0.5:
        options |= {"slope": 0.2, "shift": float(rng.choice([0.5, 0.25]))}
    if name == "gelu" and rng.random() < 0.5:
        options["approximate"] = "tanh"
    x = np.round(draw(rng, *rng.integers(1, 5, int(rng.integers(1, 4)))) * rng.choice([1, 3, 30]), 2)
    x[rng.random(x.shape) < 0.1] = 0
    on_kinks = rng.random(x.shape) < 0.1
    x[on_kinks] = rng.choice([-3, 3, 6], on_kinks.sum())
    (tx,) = tensors(x)
    out = ACTIVATIONS[name](tx, options)
    delta = draw(rng, *out.shape)
    out.backward(torch.tensor(delta))
    return options, {"x": x, "delta": delta, "output": out.detach().numpy(), "dX": tx.grad.numpy()}


def loss_case(rng):
    kind = str(
        rng.choice(["mse", "mse-mean", "mse-sum", "mse-batch", "cross-entropy", "bce", "mae", "huber", "nll", "hinge"])
    )
    x = draw(rng, *rng.integers(1, 5, int(rng.integers(1, 4)))) * 2
    target = draw(rng, *x.shape)
    if kind == "bce":
        x, target = rng.random(x.shape).round(2), rng.random(x.shape).round(2)
    if kind == "nll":
        x = rng.uniform(0.05, 0.95, x.shape).round(2)
    signs = kind == "hinge" and rng.random() < 0.5
    if signs:
        target = rng.choice([-1.0, 1.0], x.shape)
    (tx,) = tensors(x)
    if kind in ("cross-entropy", "nll", "hinge") and not signs:
        axis = min(1, x.ndim - 1)
        others = x.shape[:axis] + x.shape[axis + 1 :]
        if kind == "hinge" or rng.random() < 0.5:
            target = rng.integers(0, x.shape[axis], others)
        else:
            target = np.moveaxis(rng.dirichlet(np.ones(x.shape[axis]), others), -1, axis).round(3)
        t = torch.tensor(target)
        if kind == "hinge":  # PyTorch divides by the number of classes too, and knows no positions
            flat = tx if x.ndim == 1 else tx.movedim(1, -1).reshape(-1, x.shape[1])
            loss = F.multi_margin_loss(flat, t if x.ndim == 1 else t.reshape(-1)) * x.shape[axis]
        elif target.shape == x.shape and (x.ndim > 2 or kind == "nll"):
            # PyTorch divides distributions by the batch alone; a mean over the rest too is what is meant here
            logarithms = torch.log(tx) if kind == "nll" else F.log_softmax(tx, axis)
            loss = -(t * logarithms).sum() / (x.size / x.shape[axis])
        else:
            loss = F.nll_loss(torch.log(tx), t) if kind == "nll" else F.cross_entropy(tx, t)
    else:
        t = torch.tensor(target)
        loss = {
            "mse": lambda: ((tx - t) ** 2).sum() / 2,
            "mse-batch": lambda: F.mse_loss(tx, t, reduction="sum") / (2 * (len(x) if x.ndim > 1 else 1)),
            "mse-mean": lambda: F.mse_loss(tx, t),
            "mse-sum": lambda: F.mse_loss(tx, t, reduction="sum"),
            "bce": lambda: F.binary_cross_entropy(tx, t),
            "mae": lambda: F.l1_loss(tx, t),
            "huber": lambda: F.huber_loss(tx, t),
            "hinge": lambda: F.relu(1 - t * tx).mean(),
        }[kind]()
    loss.backward()
    return {"kind": kind}, {"x": x, "target": target, "loss": loss.detach().numpy(), "delta": tx.grad.numpy()}


def sgd_case(rng):
    """Three steps in a row, so that velocities matter."""
    momentum = float(rng.choice([0, 0.5, 0.9])) if rng.random() < 0.7 else None
    nesterov = bool(momentum) and bool(rng.random() < 0.5)
    options = {
        "lr": float(rng.choice([0.1, 0.01])),
        "momentum": momentum,
        "nesterov": nesterov,
        "weight_decay": float(rng.choice([0, 0.1])),
    }
    w, gradients = draw(rng, 2, 3), draw(rng, 3, 2, 3)
    tw = torch.tensor(w, requires_grad=True)
    optimiser = torch.optim.SGD(
        [tw], lr=options["lr"], momentum=momentum or 0, nesterov=nesterov, weight_decay=options["weight_decay"]
    )
    steps = []
    for gradient in gradients:
        tw.grad = torch.tensor(gradient)
        optimiser.step()
        steps.append(tw.detach().numpy().copy())
    return options, {"W": w, "gradients": gradients, "steps": np.array(steps)}


def norm_case(rng):
    """Of every rank; a given mean and variance now and then; gamma and beta each given or not."""
    over = str(rng.choice(["batch", "batch", "layer", "instance", "group"]))
    d = int(rng.choice([0, 1, 1, 2, 2, 3])) if over != "instance" else int(rng.choice([1, 2, 3]))
    groups = int(rng.integers(1, 4)) if over == "group" else None
    c = int(rng.integers(1, 4)) if groups is None else groups * int(rng.integers(1 + (d == 0), 3))
    x = draw(rng, 2, c + (over == "layer" and d == 0), *(int(n) for n in rng.integers(1 + (d == 1), 4, d)))
    c = x.shape[1]
    if over in ("instance", "group", "layer") and x[0].size == (groups or (c if over == "instance" else 1)):
        raise RuntimeError("a mean over one number")
    options = {"over": over, "eps": float(rng.choice([1e-5, 1e-5, 1e-3, 0.1]))}
    options |= {"groups": groups} if groups else {}
    whole = over == "layer" and rng.random() < 0.6
    shape = x.shape[1:] if whole else (c,)
    gamma, beta = (draw(rng, *shape) if rng.random() < 0.7 else None for _ in range(2))
    delta = draw(rng, *x.shape)
    tx, tg, tb = tensors(x, gamma, beta)
    found = {"x": x, "delta": delta}
    if over == "batch" and rng.random() < 0.3:
        found |= {"mean": draw(rng, c), "var": draw(rng, c) ** 2}
        out = F.batch_norm(tx, *tensors(found["mean"], found["var"]), tg, tb, False, 0, options["eps"])
    elif over == "batch":
        out = F.batch_norm(tx, None, None, tg, tb, True, 0, options["eps"])
    elif over == "instance":
        out = F.instance_norm(tx, weight=tg, bias=tb, eps=options["eps"])
    elif over == "group":
        out = F.group_norm(tx, groups, tg, tb, options["eps"])
    else:
        beside = [None if t is None else t if whole else t.reshape(-1, *[1] * d).expand(x.shape[1:]) for t in (tg, tb)]
        out = F.layer_norm(tx, x.shape[1:], *beside, options["eps"])
    out.backward(torch.tensor(delta))
    found |= {"output": out.detach().numpy(), "dX": tx.grad.numpy()}
    for name, array, tensor in (("gamma", gamma, tg), ("beta", beta, tb)):
        found |= {} if tensor is None else {name: array, f"d{name}": tensor.grad.numpy()}
    return options, found


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
    store("transposed.npz", transposed_case, 150, 3)
    store("unshared.npz", unshared_case, 40, 4)
    store("spread_pool.npz", spread_pool_case, 100, 5)
    store("activation.npz", activation_case, 150, 6)
    store("loss.npz", loss_case, 120, 7)
    store("sgd.npz", sgd_case, 30, 8)
    store("norm.npz", norm_case, 150, 9)
