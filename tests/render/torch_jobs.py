"""Commands drawn over the whole option space, as documents, for the programs that --format torch writes."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from spaces import activations, convolutions, dense, norms, poolings, transposed, unshared

from convgrad import Transposed, Unshared
from convgrad.cli import run
from convgrad.kinds.activations import ACTIVATIONS
from convgrad.kinds.losses import LOSSES
from convgrad.problems.ranks import FIRST, IN_OUT, LAST, Shorthand

Array = NDArray[Any]


@dataclass
class Job:
    """A command, its first argument's document, and further arguments."""

    command: str
    document: dict[str, Any]
    arguments: list[str] = field(default_factory=list)
    network: dict[str, Any] | None = None

    def program(self, folder: Path) -> str | None:
        """The program that convgrad writes for it; None where convgrad refuses the problem in any format."""
        first, out = folder / "document.json", folder / "program.py"
        first.write_text(json.dumps(self.document))
        sources = [str(first)]
        if self.network is not None:
            (folder / "network.json").write_text(json.dumps(self.network))
            sources.insert(0, str(folder / "network.json"))
        arguments = [self.command, *sources, *self.arguments, "-q"]
        with patch("convgrad.render.pytorch.program.MOST_NUMBERS", 10**6):
            code = run([*arguments, "-o", str(out)])
        if code:
            assert run([*arguments, "-o", str(folder / "results.json")]) == code == 2
            return None
        return out.read_text()


def listed(**entries: Any) -> dict[str, Any]:
    return {
        name: entry.tolist() if isinstance(entry, np.ndarray) else entry
        for name, entry in entries.items()
        if entry is not None
    }


@st.composite
def numbers(draw: st.DrawFn, array: Array) -> Array:
    """Whole numbers, as drawn, or decimals near them."""
    if draw(st.integers(0, 2)):
        return array
    noise = np.random.default_rng(int(np.abs(array).sum())).normal(size=array.shape)
    return np.asarray(np.round(array * 0.3 + noise, 3))


@st.composite
def steps(draw: st.DrawFn, shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    """The settings of a step of gradient descent, and velocities of some parameters."""
    found: dict[str, Any] = {"lr": draw(st.sampled_from([0.1, 0.5, 0.0, -0.25]))}
    if draw(st.booleans()):
        found["weight_decay"] = draw(st.sampled_from([0.1, 0.0, -0.5]))
    if draw(st.booleans()):
        found["momentum"] = draw(st.sampled_from([0.9, 0.5, 0.0, -0.5]))
        if found["momentum"] and draw(st.booleans()):
            found["nesterov"] = True
        if draw(st.booleans()):
            for name, shape in shapes.items():
                found[f"velocity_{name}"] = np.random.default_rng(7).normal(size=shape).round(2)
    return found


@st.composite
def behind(draw: st.DrawFn) -> dict[str, Any]:
    """The settings of an activation."""
    name = draw(st.sampled_from(list(ACTIVATIONS)))
    found: dict[str, Any] = {"activation": name}
    if name in ("leaky-relu", "elu") and draw(st.booleans()):
        found["alpha"] = draw(st.sampled_from([0.3, 1.5, -0.2]))
    if name == "gelu" and draw(st.booleans()):
        found["approximate"] = "tanh"
    return found


@st.composite
def picked(draw: st.DrawFn, names: list[str]) -> list[str]:
    """Sometimes --only some of the results."""
    if draw(st.integers(0, 2)):
        return []
    return ["--only", ",".join(draw(st.lists(st.sampled_from(names), min_size=1, unique=True)))]


@st.composite
def convolution_jobs(draw: st.DrawFn) -> Job:
    layer, x, delta = draw(st.one_of(convolutions(), transposed(), unshared()))
    assert layer.kernel is not None
    d = x.ndim - 2
    whole = isinstance(layer, Unshared)
    groups = 1 if isinstance(layer, Unshared) else layer.groups
    channels, filters = x.shape[1], delta.shape[1]
    own = layer.kernel.shape[0 if not whole else d + 1] if isinstance(layer, Transposed) else x.shape[1] // groups
    ranks = draw(st.integers(0, 2)), draw(st.integers(0, 2))  # axes besides the spatial ones, of input and kernel
    x_rank = max(ranks[0], 2 if len(x) > 1 else 1 if channels > 1 else 0)
    k_rank = max(ranks[1], 2 if filters > 1 or groups > 1 else 1 if own > 1 else 0)
    absent = ({"C"} if x_rank == 0 else set()) | ({"F", "J"} if k_rank < 2 else set())
    absent |= {"I", "K"} if k_rank < 1 else set()
    order = draw(st.sampled_from([FIRST, LAST]))
    shorthand = Shorthand(d, {"N": (len(x),) if x_rank == 2 else ()}, frozenset(absent), order)
    arrays: dict[str, Any] = {
        "input": shorthand.lower(draw(numbers(x)), "NC*"),
        "kernel": shorthand.lower(draw(numbers(layer.kernel)), layer.parameters["W"].axes),
    }
    settings: dict[str, Any] = {"dims": d, "stride": list(layer.stride) if layer.stride != 1 else 1}
    settings["padding"] = layer.padding if isinstance(layer.padding, str | int) else [list(p) for p in layer.padding]
    settings["dilation"] = list(layer.dilation) if layer.dilation != 1 else 1
    settings |= {"flip": layer.flip, "layout": "channels-last" if order == LAST else "channels-first"}
    if isinstance(layer, Transposed):
        settings |= {"transposed": True, "groups": groups}
        settings["output_padding"] = layer.output_padding if layer.output_padding == 0 else list(layer.output_padding)
    elif whole:
        settings |= {"unshared": True, "pad_mode": layer.pad_mode}
    else:
        settings |= {"groups": groups, "pad_mode": layer.pad_mode}
    shapes = {"W": arrays["kernel"].shape}
    if layer.bias is not None:
        full = draw(numbers(layer.bias))
        arrays["bias"] = shorthand.lower(full, layer.parameters["b"].axes)
        shapes["b"] = arrays["bias"].shape
        if layer.bias.ndim == 1 and draw(st.integers(0, 3)) == 0:
            arrays["bias"] = np.array(0.5)
    settings["dtype"] = draw(st.sampled_from(["float64", "float64", "float32", "exact"]))
    activation = draw(st.one_of(st.just({}), behind()))
    if draw(st.integers(0, 3)) == 0:
        return Job("conv-forward", listed(**arrays, **settings, **activation))
    arrays["delta"] = shorthand.lower(draw(numbers(delta)), "NF*")
    step = draw(st.one_of(st.just({}), steps(shapes)))
    names = ["output", "dW", "db", "dX"]
    if step:
        names += ["W_new", *(["velocity_W"] if "momentum" in step else [])]
        if "b" in shapes:
            names += ["b_new", *(["velocity_b"] if "momentum" in step else [])]
    if draw(st.integers(0, 6)) == 0:
        del arrays["kernel"]
        settings["kernel_size"] = list(layer.kernel.shape[-d:])
        activation, step = {}, {}
        names = ["dW", "db"]
    return Job("conv-backward", listed(**arrays, **settings, **activation, **step), draw(picked(names)))


@st.composite
def pooling_jobs(draw: st.DrawFn) -> Job:
    layer, x, delta = draw(poolings())
    d = x.ndim - 2
    rank = max(draw(st.integers(0, 3)), 2 if len(x) > 1 else 1 if x.shape[1] > 1 else 0)
    batch: tuple[int, ...] = {3: (1, len(x)), 2: (len(x),)}.get(rank, ())
    order = draw(st.sampled_from([FIRST, LAST])) if rank else FIRST
    shorthand = Shorthand(d, {"N": batch}, frozenset() if rank else frozenset("C"), order)
    settings: dict[str, Any] = {"kind": layer.kind, "dims": d, "layout": "channels-last" if order else "channels-first"}
    if layer.kind == "max":
        settings["ties"] = layer.ties
    if layer.kind == "avg" and layer.divisor is not None:
        settings["divisor"] = draw(st.sampled_from([3, 2.5, -2]))
    if layer.kind == "lp":
        settings["p"] = layer.p
    if layer.whole:
        settings["global"] = True
    elif layer.adaptive is not None:
        settings["adaptive"] = list(layer.adaptive)
    else:
        settings |= {"size": list(layer.size), "dilation": list(layer.dilation), "ceil": layer.ceil}
        settings["padding"] = layer.padding if isinstance(layer.padding, str) else [list(p) for p in layer.padding]
        settings["count_include_pad"] = layer.count_include_pad
        if layer.stride is not None:
            settings["stride"] = list(layer.stride)
    x = draw(numbers(x))
    if layer.kind == "lp" and draw(st.booleans()):
        x = np.abs(x) + 0.5
    settings["dtype"] = draw(st.sampled_from(["float64", "float64", "float32", "exact"]))
    arrays = {"input": shorthand.lower(x, "NC*")}
    if draw(st.booleans()):
        more = ["--indices"] if layer.kind == "max" and draw(st.booleans()) else []
        return Job("pool-forward", listed(**arrays, **settings), more)
    arrays["delta"] = shorthand.lower(draw(numbers(delta)), "NC*")
    return Job("pool-backward", listed(**arrays, **settings), draw(picked(["output", "dX"])))


@st.composite
def dense_jobs(draw: st.DrawFn) -> Job:
    layer, x, delta = draw(dense())
    assert layer.weight is not None
    order = draw(st.sampled_from([FIRST, IN_OUT]))
    batch = len(x) > 1 or draw(st.booleans())
    inner = draw(st.sampled_from([(x.shape[1],), (1, x.shape[1])]))
    shorthand = Shorthand(0, {"N": (len(x),) if batch else (), "D": inner}, order=order)
    arrays: dict[str, Any] = {
        "input": shorthand.lower(draw(numbers(x)), "ND"),
        "weight": shorthand.lower(draw(numbers(layer.weight)), "OM"),
        "bias": layer.bias if layer.bias is None or draw(st.booleans()) else np.array(0.25),
        "delta": shorthand.lower(draw(numbers(delta)), "NO"),
    }
    settings = {
        "weight_layout": "in-out" if order else "out-in",
        "dtype": draw(st.sampled_from(["float64", "float32", "exact"])),
        **draw(st.one_of(st.just({}), behind())),
    }
    if draw(st.integers(0, 3)) == 0:
        del arrays["delta"]
        return Job("dense-forward", listed(**arrays, **settings))
    shapes = {"W": arrays["weight"].shape} | ({} if arrays["bias"] is None else {"b": (len(layer.weight),)})
    if draw(st.integers(0, 6)) == 0:
        del arrays["weight"]
        settings.pop("activation", None), settings.pop("alpha", None), settings.pop("approximate", None)
        return Job("dense-backward", listed(**arrays, **settings))
    settings |= draw(st.one_of(st.just({}), steps(shapes)))
    return Job("dense-backward", listed(**arrays, **settings), draw(picked(["output", "dW", "db", "dX"])))


@st.composite
def norm_jobs(draw: st.DrawFn) -> Job:
    layer, x, delta = draw(norms())
    order = draw(st.sampled_from([FIRST, LAST]))
    shorthand = Shorthand(x.ndim - 2, {"N": (len(x),)}, frozenset(), order)
    own = {"gamma": layer.gamma, "beta": layer.beta, "mean": layer.mean, "var": layer.var}
    letters = {name: each.axes for name, each in layer.parameters.items()}
    arrays = {n: shorthand.lower(a, letters.get(n, "C")) for n, a in own.items() if a is not None}
    arrays["input"] = shorthand.lower(draw(numbers(x)), "NC*")
    settings = {"over": layer.over, "groups": layer.groups, "eps": layer.eps}
    settings["layout"] = "channels-last" if order == LAST else "channels-first"
    settings |= {"dtype": draw(st.sampled_from(["float64", "float32"])), **draw(st.one_of(st.just({}), behind()))}
    if draw(st.integers(0, 3)) == 0:
        return Job("norm-forward", listed(**arrays, **settings))
    arrays["delta"] = shorthand.lower(draw(numbers(delta)), "NC*")
    shapes = {str(name): arrays[name].shape for name in ("gamma", "beta") if name in arrays}
    settings |= draw(st.one_of(st.just({}), steps(shapes)))
    return Job("norm-backward", listed(**arrays, **settings), draw(picked(["output", "dgamma", "dbeta", "dX"])))


@st.composite
def activation_jobs(draw: st.DrawFn) -> Job:
    _, x, delta = draw(activations())
    settings = draw(behind())
    x = draw(numbers(x)) * draw(st.sampled_from([1, 30]))
    if draw(st.booleans()):
        return Job("activation-forward", listed(input=x, **settings))
    return Job("activation-backward", listed(input=x, delta=draw(numbers(delta)), **settings))


def target_for(draw: st.DrawFn, kind: str, shape: tuple[int, ...]) -> Array:
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    if kind == "hinge" and (not shape or draw(st.booleans())):
        return rng.choice([-1.0, 1.0], shape)
    if LOSSES[kind].classes and (kind == "hinge" or draw(st.booleans())):
        axis = min(1, len(shape) - 1)
        return rng.integers(0, shape[axis], shape[:axis] + shape[axis + 1 :])
    return rng.random(shape).round(2)


@st.composite
def loss_jobs(draw: st.DrawFn) -> Job:
    kind = draw(st.sampled_from(list(LOSSES)))
    row, rng = LOSSES[kind], np.random.default_rng(draw(st.integers(0, 99)))
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=int(row.classes), max_size=4)))
    output = rng.random(shape).round(2) * (1 if row.probabilities else 3)
    if kind == "nll":
        output = np.maximum(output, 0.01)
    dtype = draw(st.sampled_from(["float64", "float32"]))
    document = listed(output=output, target=target_for(draw, kind, shape), kind=kind, dtype=dtype)
    return Job("loss", document, draw(picked(["loss", "delta"])))


@st.composite
def network_jobs(draw: st.DrawFn) -> Job:
    """A convolution, perhaps pooling, flattening and a dense layer, under any loss."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    batch, filters = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    x = rng.normal(size=(batch, 2, 5, 4)).round(2)
    padding = draw(st.sampled_from([0, 1, "same", [[0, 1], [1, 0]]]))
    layers: list[dict[str, Any]] = [
        listed(type="conv", kernel=rng.normal(size=(filters, 2, 2, 2)).round(2), padding=padding, **draw(behind()))
    ]
    if draw(st.booleans()):
        layers[0]["bias"] = rng.normal(size=filters).round(2).tolist()
    for kind in draw(st.lists(st.sampled_from(["max", "avg", "sum", "lp", "activation"]), max_size=2)):
        if kind == "activation":
            layers.append({"type": kind, **draw(behind())})
        else:
            layers.append({"type": "pool", "kind": kind, "size": 2, "stride": 1})
            if kind == "max":
                layers[-1]["ties"] = draw(st.sampled_from(["first", "last", "all", "split"]))
    rows, columns = (5, 4) if padding == "same" else (6, 5) if padding == 1 else (5, 4) if padding else (4, 3)
    pools = sum(layer["type"] == "pool" for layer in layers)
    inputs, nodes = filters * (rows - pools) * (columns - pools), draw(st.integers(1, 3))
    layers.append({"type": "flatten"})
    layers.append(listed(type="dense", weight=(rng.normal(size=(nodes, inputs)) / inputs).round(3), **draw(behind())))
    kind = draw(st.sampled_from(list(LOSSES)))
    if LOSSES[kind].probabilities:
        layers[-1] |= {"activation": "sigmoid", "bias": 0.1}
        layers[-1].pop("alpha", None), layers[-1].pop("approximate", None)
    if draw(st.booleans()):
        layers[-1]["velocity_W"] = rng.normal(size=(nodes, inputs)).round(2).tolist()
        step = ["--lr", "0.1", "--momentum", "0.9", *(["--nesterov"] if draw(st.booleans()) else [])]
    else:
        step = draw(st.sampled_from([[], ["--lr", "0.1"]]))
    last = len(layers) - 1
    names = ["loss", "output", "layers[0].dW", "layers[0].dX", "layers[0]", f"layers[{last}].delta", "layers[1].output"]
    document = listed(input=x, target=target_for(draw, kind, (batch, nodes)))
    return Job("backprop", document, [*step, *draw(picked(names))], {"layers": layers, "loss": kind})


JOBS = st.one_of(
    convolution_jobs(),
    convolution_jobs(),
    pooling_jobs(),
    pooling_jobs(),
    dense_jobs(),
    activation_jobs(),
    norm_jobs(),
    loss_jobs(),
    network_jobs(),
)
