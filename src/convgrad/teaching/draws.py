"""Problems on which mistakes can be seen: drawn at random, small, over the options of every layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.random import Generator

from convgrad.core.element import Array
from convgrad.errors import ConvgradError
from convgrad.kinds import kind_of
from convgrad.kinds.activations import ACTIVATIONS
from convgrad.kinds.functions import ActivationRow, LossRow, class_axis
from convgrad.kinds.losses import LOSSES
from convgrad.kinds.shared import VELOCITY_FORMS
from convgrad.mistakes.case import Case
from convgrad.mistakes.mistake import Mistake
from convgrad.mistakes.recogniser import differs
from convgrad.problems import Operand
from convgrad.problems.solve import solver_of

MOST_DRAWS = 4000
"""Problems that are drawn in search of one on which a mistake shows."""

ASIDE = ("stride", "padding", "dilation", "pad_mode", "flip", "ceil", "weight_decay")
"""Settings that a small problem does without, mostly."""

Drawn = tuple[dict[str, Array], dict[str, Any]]


def case_of(layer: str, operands: Mapping[str, Operand], settings: Mapping[str, Any], backward: bool = True) -> Case:
    """A problem solved, as a case; ConvgradError where it is no problem of that layer."""
    return Case.of(solver_of(kind_of(layer)), operands, settings, backward)


def drawn(layer: str, rng: Generator, small: bool = False) -> Case | None:
    """A random problem of a layer; None where what was drawn does not fit together."""
    kind = kind_of(layer)
    arrays, settings = (kind.draw or DRAWERS[layer])(rng, small)
    if small and "unshared" not in settings:  # what is set aside here would only have to be read
        settings = {name: value for name, value in settings.items() if name not in ASIDE or rng.random() < 0.4}
    settings = {name: value for name, value in settings.items() if not _default(name, value, settings)}
    operands = {name: Operand(array, name) for name, array in arrays.items()}
    try:
        if "delta" in kind.roles and "delta" not in arrays:
            wanted = case_of(layer, operands, settings, backward=False).right("output").shape
            delta = numbers(rng, wanted)
            if layer == "activation":
                delta = numbers(rng, wanted, zeros=False)
            operands["delta"] = Operand(delta, "delta")
        return case_of(layer, operands, settings)
    except ConvgradError:
        return None


def _default(name: str, value: Any, settings: Mapping[str, Any]) -> bool:
    """Whether a setting says what holds without it."""
    if name == "stride" and "size" not in settings:
        return set(value) == {1}
    if name in ("dilation", "padding"):
        return set(value) in ({1}, {(0, 0)})
    return (name, value) in (("nesterov", False), ("dims", 2), ("velocity_form", VELOCITY_FORMS[0]))


def showing(mistake: Mistake, rng: Generator, small: bool = False, layer: str = "") -> Iterator[tuple[Case, str]]:
    """Random problems on which a mistake shows, each with the result it shows in; small ones of its first layer."""
    layers = [layer] if layer else list(mistake.layers[: 1 if small else None])
    for draw in range(MOST_DRAWS):
        case = drawn(layers[draw % len(layers)], rng, small)
        if case is None:
            continue
        about = [name for name in mistake.about if name in case.solution.quantities]
        for name in about:
            right = case.right(name)
            with np.errstate(all="ignore"):
                visible = any(differs(array, right) for array in mistake.predict(case, name))
            if visible:
                yield case, name
                break


# -- numbers ---------------------------------------------------------------------------------------------------


def numbers(rng: Generator, shape: tuple[int, ...], zeros: bool = True) -> Array:
    """Whole numbers or numbers with one or two decimals, not too large, as people choose them."""
    kind = int(rng.integers(3))
    if kind == 0:
        array = rng.integers(-5, 6, shape).astype(float)
        return array if zeros else np.where(array == 0, 2.0, array)
    array = np.round(rng.normal(0, 1, shape) * (1 if kind == 1 else 2), kind)
    return array if zeros else np.where(array == 0, 0.5, array)


def _one(rng: Generator, *choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


def _sizes(rng: Generator, d: int, low: int, high: int) -> tuple[int, ...]:
    return tuple(int(n) for n in rng.integers(low, high + 1, d))


def _axes(rng: Generator, d: int, often: int, most: int) -> tuple[int, ...]:
    """The same number on every axis, or one each, `often` being the usual one."""
    if rng.random() < 0.5:
        return (often,) * d
    return tuple(int(n) for n in rng.integers(1, most + 1, d))


def _padding(rng: Generator, d: int) -> Any:
    draw = rng.random()
    if draw < 0.3:
        return ((0, 0),) * d
    if draw < 0.5:
        return ((1, 1),) * d
    if draw < 0.7:
        return _one(rng, "same", "same-lower")
    return tuple((int(a), int(b)) for a, b in rng.integers(0, 3, (d, 2)))


def _step(rng: Generator, arrays: dict[str, Array], W: str, often: float) -> dict[str, Any]:
    """The settings of a step of gradient descent, and its velocities among the arrays."""
    if rng.random() > often:
        return {}
    settings: dict[str, Any] = {"lr": _one(rng, 0.1, 0.05, 0.5, 0.01)}
    if rng.random() < 0.6:
        settings["weight_decay"] = _one(rng, 0.1, 0.01, 0.5)
    if rng.random() < 0.7:
        settings["momentum"] = _one(rng, 0.9, 0.5, 0.8)
        chance = rng.random()
        settings["nesterov"] = bool(chance < 0.4)
        settings["velocity_form"] = VELOCITY_FORMS[int(chance * 1000) % 4 % 3]  # half of them the usual one
        if rng.random() < 0.8:
            arrays["velocity_W"] = numbers(rng, arrays[W].shape)
            if "bias" in arrays:
                arrays["velocity_b"] = numbers(rng, arrays["bias"].shape)
    return settings


def _activation(rng: Generator, often: float) -> dict[str, Any]:
    if rng.random() > often:
        return {}
    row: ActivationRow = _one(rng, *_seated(ACTIVATIONS.values()))
    alphas = row.alpha.drawn if row.alpha else ()
    slopes = row.ramp.drawn if row.ramp else ()
    drawn = {"alpha": alphas, "slope": slopes}
    return {"activation": row.name, **{name: _one(rng, *some) for name, some in drawn.items() if some}}


def _seated(rows: Iterable[Any]) -> list[Any]:
    """Activations or losses in the order of their seats, in the round from which one is drawn."""
    return [row for _, row in sorted(((seat, row) for row in rows for seat in row.drawn), key=lambda pair: pair[0])]


# -- problems --------------------------------------------------------------------------------------------------


def _conv(rng: Generator, small: bool, transposed: bool = False) -> Drawn:
    d = _one(rng, 1, 2, 2, 2) if not small else 2
    groups = _one(rng, 1, 1, 1, 2, 3)
    inputs, per_group = (int(rng.integers(1, 4 if not small else 3)) for _ in range(2))
    if rng.random() < 0.25:
        per_group = inputs
    n = int(rng.integers(1, 4))
    k = _sizes(rng, d, 2, 3)
    if rng.random() < 0.4 + 0.4 * small:
        k = (k[0],) * d
    low, high = (3, 6) if transposed else (5, 8)
    sizes = _sizes(rng, d, low - 2 * small, high - 3 * small)
    if rng.random() < 0.3:
        sizes = (sizes[0],) * d
    settings: dict[str, Any] = {
        "stride": _axes(rng, d, 1, 3),
        "dilation": _axes(rng, d, 1, 2) if rng.random() < 0.85 else (int(rng.integers(2, 4)),) * d,
        "padding": _padding(rng, d),
        "dims": d,
    }
    if groups > 1:
        settings["groups"] = groups
    if rng.random() < 0.1:
        settings["flip"] = True
    if transposed:
        settings["transposed"] = True
        shape = (inputs * groups, per_group, *k)
    else:
        shape = (per_group * groups, inputs, *k)
        if rng.random() < 0.15:
            settings["pad_mode"] = _one(rng, "reflect", "replicate", "circular")
    arrays = {"input": numbers(rng, (n, inputs * groups, *sizes)), "kernel": numbers(rng, shape)}
    if rng.random() < 0.7:
        arrays["bias"] = numbers(rng, (per_group * groups,))
    rare = 0.3 if small else 1
    return arrays, {**settings, **_activation(rng, 0.3 * rare), **_step(rng, arrays, "kernel", 0.5 * rare)}


def _transposed(rng: Generator, small: bool) -> Drawn:
    return _conv(rng, small, transposed=True)


def _unshared(rng: Generator, small: bool) -> Drawn:
    arrays, settings = _conv(rng, small)
    settings = {key: value for key, value in settings.items() if key not in ("groups", "pad_mode")}
    settings["unshared"] = True
    plain = {key: value for key, value in settings.items() if key in ("stride", "padding", "dilation", "dims")}
    x = arrays["input"]
    f, c, *k = arrays["kernel"].shape
    x = x[:, :c]
    probe = {"input": Operand(x, "input"), "kernel": Operand(np.ones((f, c, *k)), "kernel")}
    try:
        places = case_of("conv", probe, plain, backward=False).right("output").shape[2:]
    except ConvgradError:
        return arrays, settings
    kernel = numbers(rng, (*places, f, c, *k))
    more = {"velocity_W": numbers(rng, kernel.shape)} if "velocity_W" in arrays else {}
    return {**arrays, "input": x, "kernel": kernel, **more}, settings


def _pool(rng: Generator, small: bool) -> Drawn:
    d = _one(rng, 1, 2, 2, 2) if not small else 2
    kind = _one(rng, "max", "max", "avg", "avg", "sum", "lp")
    size = _sizes(rng, d, 2, 3)
    if rng.random() < 0.5:
        size = (size[0],) * d
    x = numbers(rng, (*_sizes(rng, 2, 1, 3 - small), *_sizes(rng, d, 4, 7 - small)))
    if kind == "max" and rng.random() < 0.5:
        x = np.where(rng.random(x.shape) < 0.5, np.round(x), x)  # ties
    if kind == "max" and rng.random() < 0.2:
        x = np.round(x, 1) + 0.005 * rng.integers(0, 3, x.shape)  # near ties
    settings: dict[str, Any] = {"kind": kind, "size": size, "dims": d}
    if rng.random() < 0.6:
        settings["stride"] = _axes(rng, d, 2, 3)
    if rng.random() < 0.6:
        settings["padding"] = _one(rng, ((1, 1),) * d, ((0, 1),) * d, ((1, 0),) * d, _padding(rng, d))
    if rng.random() < 0.2:
        settings["dilation"] = _axes(rng, d, 1, 2)
    if rng.random() < 0.35:
        settings["ceil"] = True
    if kind == "avg" and rng.random() < 0.3:
        settings["count_include_pad"] = False
    if kind == "max" and rng.random() < 0.2:
        settings["ties"] = _one(rng, "last", "all", "split")
    if kind == "lp":
        settings["p"] = _one(rng, 2.0, 3.0)
    return {"input": x}, settings


def _dense(rng: Generator, small: bool) -> Drawn:
    n = int(rng.integers(1, 4 - small))
    nodes = int(rng.integers(2, 5 - small))
    shape = _one(rng, (int(rng.integers(2, 6)),), (nodes,), (2, 2, 2), (2, 3))
    arrays = {"input": numbers(rng, (n, *shape)), "weight": numbers(rng, (nodes, int(np.prod(shape))))}
    if rng.random() < 0.8:
        arrays["bias"] = numbers(rng, (nodes,))
    rare = 0.3 if small else 1
    settings = {**_activation(rng, 0.4 * rare), **_step(rng, arrays, "weight", 0.5)}
    if rng.random() < 0.15:
        settings["weight_layout"] = "in-out"
        arrays["weight"] = arrays["weight"].T.copy()
        if "velocity_W" in arrays:
            arrays["velocity_W"] = arrays["velocity_W"].T.copy()
    return arrays, settings


def _activation_alone(rng: Generator, small: bool) -> Drawn:
    shape = _one(rng, (4,), (2, 3), (3, 4), (2, 2, 3))
    return {"input": numbers(rng, shape)}, _activation(rng, 1.0)


def _loss(rng: Generator, small: bool) -> Drawn:
    row: LossRow = _one(rng, *_seated(LOSSES.values()))
    shape = _one(rng, (4,), (3, 4), (2, 3), (4, 3), (2, 3, 4))
    output = np.round(rng.normal(0, 1.5, shape), 2)
    target = np.round(rng.normal(0, 1.5, shape), 2)
    if row.classes:
        classes = shape[class_axis(shape)]
        lead = shape[:1] + shape[2:] if len(shape) > 1 else ()
        target = rng.integers(0, classes, lead).astype(float)
    if row.signs and rng.random() < 0.5:
        target = rng.choice((-1.0, 1.0), shape)
    if row.probabilities:
        output = np.round(rng.uniform(0.05, 0.95, shape), 2)
    if row.probabilities and not row.classes:
        target = rng.integers(0, 2, shape).astype(float) if rng.random() < 0.5 else np.round(rng.random(shape), 1)
    return {"output": output, "target": target}, {"kind": row.name}


DRAWERS: dict[str, Callable[[Generator, bool], Drawn]] = {
    "conv": _conv,
    "transposed": _transposed,
    "unshared": _unshared,
    "pool": _pool,
    "dense": _dense,
    "activation": _activation_alone,
    "loss": _loss,
}
"""What draws the arrays and settings of a layer whose kind does not say it itself."""
