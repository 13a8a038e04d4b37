"""Arrays and settings made to fit: what the builders of all kinds of layers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from convgrad.core.element import Array
from convgrad.core.rational import cast, finite
from convgrad.errors import ConvgradError, OptionError, ShapeError, by
from convgrad.kinds import VELOCITIES
from convgrad.kinds.kind import Kind
from convgrad.kinds.setting import PADDINGS, check_owned
from convgrad.kinds.shared import ACTIVATING, DESCENT
from convgrad.layers.sgd import SGD
from convgrad.problems.problem import Operands, Settings, sources

if TYPE_CHECKING:
    from convgrad.layers.activation import Activation


def named(path: str) -> Any:
    """``convgrad.layers.flatten:Flatten`` -> what has that name in that module."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def in_dtype(operands: Operands, settings: Settings) -> dict[str, Array]:
    """The operands' arrays in the dtype that is computed in; ConvgradError where a number is too large for it."""
    wanted = settings.get("dtype", "float64")
    dtype = np.dtype(object if wanted == "exact" else wanted)
    arrays = {}
    for name, operand in operands.items():
        with np.errstate(all="ignore"):
            arrays[name] = cast(operand.array, dtype)
        if not finite(arrays[name]).all():
            raise ConvgradError("a number in it is too large for float32", where=operand.source, hint="use float64")
    return arrays


def as_meant(array: Array, *shapes: tuple[int, ...]) -> Array:
    """An array in the one of some shapes from which it differs in axes of length 1 alone; else as it is.

    Courses and frameworks hold a bias of F numbers as (1,1,1,F), (1,F) or (F,1), and so does a column of a CSV file.
    """
    if array.ndim == 0 or array.shape in shapes:
        return array
    long = [size for size in array.shape if size > 1]
    return next((array.reshape(shape) for shape in shapes if [n for n in shape if n > 1] == long), array)


def fitted_delta(
    operands: Operands, array: Array, wanted: tuple[int, ...], given: str, fits: Callable[[], list[str]] = list
) -> Array:
    """The delta in the output's shape `wanted`; ShapeError says which shape was expected and what would fit.

    given: what the output follows from, in words; fits: the options under which the delta's own shape would do.
    """
    if operands["delta"].lone:
        return np.full(wanted, array)
    if array.shape == wanted:
        return array
    hint = "delta has the output's shape"
    if array.ndim == 0:
        hint = f"to use one number everywhere, type it: -d {array[()]}"
    elif options := fits():
        hint = f"{by(array.shape)} fits {' or '.join(options[:4])}"
    where = sources(operands, "delta", "input", "kernel", "weight")
    raise ShapeError(f"delta is {by(array.shape)}, but {given} gives {by(wanted)}", where=where, hint=hint)


def what_fits(layer: Any, x: Array, delta: Array, wanted: tuple[int, ...], spatial: tuple[int, ...]) -> list[str]:
    """Single changes of an option under which the delta's own shape would be the output's: ``--stride 2``.

    Only where nothing but the spatial axes differs; each is tried on the layer itself.
    """
    if delta.ndim != len(wanted) or any(delta.shape[k] != wanted[k] for k in range(delta.ndim) if k not in spatial):
        return []
    places = tuple(delta.shape[k] for k in spatial)
    size = "size" if hasattr(layer, "size") else "kernel_size"
    tries: list[tuple[str, Any]] = [("stride", n) for n in range(1, 6)]
    tries += [("padding", n) for n in range(6)] + [("padding", name) for name in PADDINGS[1:]]
    tries += [("dilation", n) for n in range(1, 5)]
    if size == "size":
        tries = [("size", n) for n in range(1, 10)] + tries + [("ceil", True)]
    else:
        kernels = layer.kernels_giving(x, places)
        if all(map(len, kernels)):
            tries.insert(0, ("kernel_size", tuple(each[0] for each in kernels)))
    found: dict[str, str] = {}
    for option, value in tries:
        change = {option: value, **({"kernel": None} if option == "kernel_size" else {})}
        try:
            fits = replace(layer, **change).windows(x).places == places
        except ConvgradError:
            continue
        if fits and option not in found:
            found[option] = (
                f"a {by(value)} kernel"
                if option == "kernel_size"
                else "--ceil"
                if value is True
                else f"--{option} {value}"
            )
    return list(found.values())


def activation_of(settings: Settings) -> Activation | None:
    """The activation that settings ask for after a layer; None where they do not."""
    if "activation" not in settings:
        for setting in ACTIVATING:
            if setting.name in settings:
                raise OptionError(f"{setting.option} belongs to an activation", hint="add --activation NAME")
        return None
    from convgrad.layers.activation import Activation

    check_owned(settings, ACTIVATING)
    return Activation(**{each.field or each.name: settings[each.name] for each in ACTIVATING if each.name in settings})


def sgd_of(
    settings: Settings,
    kind: Kind | None = None,
    operands: Operands | None = None,
    left_out: dict[str, str] | None = None,
) -> SGD | None:
    """The step that settings ask for; parameters of a kind that were not given are noted as left out."""
    given = operands or {}
    velocities = [name for name in given if name in VELOCITIES]
    if "lr" not in settings:
        for setting in DESCENT:
            if settings.get(setting.name):
                raise OptionError(f"{setting.option} belongs to a step of gradient descent", hint="add --lr")
        if velocities:
            raise OptionError("a velocity belongs to a step of gradient descent", hint="add --lr and --momentum")
        return None
    if settings.get("nesterov") and not settings.get("momentum"):
        raise OptionError("--nesterov needs a momentum", hint="add --momentum")
    if "momentum" not in settings and "velocity_form" in settings:
        raise OptionError("--velocity-form needs a momentum", hint="add --momentum")
    if "momentum" not in settings and velocities:
        raise OptionError("a velocity needs a momentum", hint="add --momentum")
    for name, parameter in (kind.parameters if kind else {}).items():
        if left_out is not None and parameter.name not in given:
            made = (f"{name}_new", *([f"velocity_{name}"] if "momentum" in settings else []))
            left_out |= dict.fromkeys(made, parameter.wanting)
        elif f"velocity_{name}" in velocities:
            _check_velocity(given, f"velocity_{name}", parameter.name)
    return SGD(**{each.name: settings[each.name] for each in DESCENT if each.name in settings})


def _check_velocity(operands: Operands, velocity: str, parameter: str) -> None:
    """ShapeError for a velocity with more or fewer numbers than its parameter, which may be one for all."""
    found, array = operands[velocity].array, operands[parameter].array
    if array.ndim and found.size != array.size:
        raise ShapeError(
            f"{velocity} is {by(found.shape)}, but the {parameter} is {by(array.shape)}",
            where=sources(operands, velocity, parameter),
            hint="give the velocities of this layer's last step",
        )
