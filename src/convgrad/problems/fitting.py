"""Arrays and settings made to fit: what the builders of all kinds of layers share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from convgrad.core.element import Array
from convgrad.core.rational import cast, finite
from convgrad.errors import ConvgradError, OptionError, ShapeError, by
from convgrad.kinds.setting import PADDINGS, check_owned
from convgrad.kinds.shared import ACTIVATION
from convgrad.layers.sgd import SGD
from convgrad.problems.problem import Operands, Settings, sources

if TYPE_CHECKING:
    from convgrad.layers.activation import Activation


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
        for name in ("alpha", "approximate"):
            if name in settings:
                raise OptionError(f"--{name} belongs to an activation", hint="add --activation NAME")
        return None
    from convgrad.layers.activation import Activation

    check_owned(settings, ACTIVATION)
    return Activation(settings["activation"], settings.get("alpha"), settings.get("approximate", "none"))


def sgd_of(
    settings: Settings,
    left_out: dict[str, str],
    parameters: Mapping[str, str],
    arrays: Mapping[str, Array],
    needs: Mapping[str, str],
) -> SGD | None:
    """The step that settings ask for; parameters that were not given are noted as left out."""
    if "lr" not in settings:
        for name in ("momentum", "nesterov", "weight_decay"):
            if settings.get(name):
                raise OptionError(f"--{name.replace('_', '-')} belongs to a step of gradient descent", hint="add --lr")
        if any(name.startswith("velocity") for name in arrays):
            raise OptionError("a velocity belongs to a step of gradient descent", hint="add --lr and --momentum")
        return None
    if settings.get("nesterov") and not settings.get("momentum"):
        raise OptionError("--nesterov needs a momentum", hint="add --momentum")
    for name, operand in parameters.items():
        if operand not in arrays:
            left_out[f"{name}_new"] = needs[operand]
            if "momentum" in settings:
                left_out[f"velocity_{name}"] = needs[operand]
    if "momentum" not in settings and any(name.startswith("velocity") for name in arrays):
        raise OptionError("a velocity needs a momentum", hint="add --momentum")
    return SGD(
        settings["lr"], settings.get("momentum"), bool(settings.get("nesterov")), settings.get("weight_decay", 0.0)
    )
