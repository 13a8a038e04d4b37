"""Random small networks: convolutions, pooling, normalisation, activations and dense layers, in numbers of every kind."""

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from convgrad.errors import ConvgradError
from convgrad.problems import Operand
from convgrad.problems.network import Pass, Stage, run_network

Array = NDArray[Any]

ACTIVATIONS = ("relu", "leaky-relu", "sigmoid", "tanh", "elu", "softplus", "gelu", "silu", "identity")
LOSSES = ("mse", "mse-mean", "mse-sum", "mse-batch", "mae", "huber", "cross-entropy")


def numbers(random: Generator, shape: tuple[int, ...], kind: int) -> Array:
    """Whole numbers, numbers of one decimal, or of many."""
    if kind == 0:
        return random.integers(-3, 4, shape).astype(float)
    return random.normal(size=shape).round(1) if kind == 1 else random.normal(size=shape)


def drawn(random: Generator) -> tuple[Pass, str, Array]:
    """A random network, passed through, with its loss's kind and its target."""
    while True:
        try:
            return _drawn(random)
        except ConvgradError:  # sizes that do not fit, or a mean of one number
            continue


def _drawn(random: Generator) -> tuple[Pass, str, Array]:
    kind = int(random.integers(3))
    batch = int(random.integers(1, 4))
    x = numbers(random, (batch, int(random.integers(1, 3)), *random.integers(5, 9, 2)), kind)
    stages: list[Stage] = []
    shape = x.shape

    def add(type_: str, operands: dict[str, Array], **settings: Any) -> None:
        where = f"layers[{len(stages)}]"
        given = {name: Operand(array, f"{where}: {name}") for name, array in operands.items()}
        stages.append(Stage(type_, given, settings, where))

    for _ in range(int(random.integers(1, 3))):
        filters, k = int(random.integers(1, 4)), tuple(int(n) for n in random.integers(1, 4, 2))
        padding, stride = int(random.integers(0, 2)), int(random.integers(1, 3))
        operands = {"kernel": numbers(random, (filters, shape[1], *k), kind)}
        if random.random() < 0.7:
            operands["bias"] = numbers(random, (filters,), kind)
        settings: dict[str, Any] = {"padding": padding, "stride": stride}
        if random.random() < 0.5:
            settings["activation"] = str(random.choice(ACTIVATIONS))
        add("conv", operands, **settings)
        sizes = [(n + 2 * padding - m) // stride + 1 for n, m in zip(shape[2:], k, strict=True)]
        shape = (batch, filters, *sizes)
        if min(sizes) < 1:
            return _drawn(random)
        if random.random() < 0.3:
            add("norm", {"gamma": numbers(random, (filters,), kind)}, over=str(random.choice(["batch", "layer"])))
        if random.random() < 0.4:
            add("activation", {}, activation=str(random.choice(ACTIVATIONS)))
        if random.random() < 0.5 and min(shape[2:]) >= 2:
            pool = {"kind": str(random.choice(["max", "avg", "lp"])), "size": 2, "stride": int(random.integers(1, 3))}
            if pool["kind"] == "max":
                pool["ties"] = str(random.choice(["first", "last", "split", "all"]))
            add("pool", {}, **pool)
            shape = (*shape[:2], *((n - 2) // pool["stride"] + 1 for n in shape[2:]))
    inputs = int(np.prod(shape[1:]))
    if random.random() < 0.8:
        add("flatten", {})
        for nodes in random.integers(2, 5, int(random.integers(1, 3))).tolist():
            operands = {"weight": numbers(random, (nodes, inputs), kind), "bias": numbers(random, (nodes,), kind)}
            add("dense", operands, activation=str(random.choice(ACTIVATIONS)))
            shape, inputs = (batch, nodes), nodes
    loss = str(random.choice(LOSSES))
    if loss == "cross-entropy":
        target = random.integers(0, shape[1], (batch, *shape[2:])).astype(float)
    else:
        target = numbers(random, shape, kind)
    done = run_network(stages, Operand(x, "x"), Operand(target, "target"), loss, {})
    return done, loss, target
