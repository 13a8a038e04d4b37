"""Gradients of a layer or a function of one's own, held against derivatives of its forward pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from convgrad.checking import case_of
from convgrad.checking.complex_step import kinks_of, layer_tasks
from convgrad.checking.differences import Function, slope_of
from convgrad.checking.directions import MOST_WORK, TOLERANCE, Gradcheck, Task, compare_all
from convgrad.core.element import Array
from convgrad.core.quantity import Quantity
from convgrad.errors import OptionError, did_you_mean, listed
from convgrad.layers.shapes import check_shape, numbers

TOLERANCES = {"float16": 1e-2, "float32": 1e-4}
"""The tolerance of gradients that come in these dtypes."""

SEARCHED = 500
"""How many slopes of a function of one's own are taken in search of wrong cells, each some twenty calls of it."""


def gradcheck(
    what: Any,
    x: Any,
    delta: Any = None,
    gradients: Any = None,
    *,
    tolerance: float | None = None,
) -> Gradcheck:
    """Hold gradients, whole, against derivatives of the forward pass -> how each of them compares.

    what: a layer of convgrad (of a Loss, x is the output and delta the target); any object with ``forward(x)`` and
    ``backward(x, delta)``, which gives dX, or a mapping such as ``{"dW": ..., "dX": ...}`` where ``W`` is an attribute;
    or a function of x. x: an array, for a function also a mapping of arrays, its arguments by name. delta: what the
    output is multiplied with before it is added up, to be left out where that is one number. gradients: of a function
    its gradient, or one by each name; of a layer those that are to be held against it in place of its own.
    tolerance: in parts of each gradient's largest cell, 1e-10, or 1e-4 where it comes in float32, 1e-2 in float16.

    A function of one's own is run on complex numbers where it takes them, which is exact, and otherwise on differences,
    whose own error is allowed for. ConvgradError where gradients have not the shape of what they are by.
    """
    if hasattr(what, "known_as") and type(what).__module__.startswith("convgrad."):
        solution = case_of(what, np.asarray(x, np.float64), None if delta is None else np.asarray(delta)).solution
        tasks, kinks = _given(layer_tasks(solution), gradients), kinks_of(solution)
        return compare_all(_title(what), [_tolerant(task, tolerance) for task in tasks], kinks)
    return compare_all(_title(what), [_tolerant(task, tolerance) for task in _tasks(what, x, delta, gradients)])


def _title(what: Any) -> str:
    return str(getattr(what, "__name__", type(what).__name__))


def _tolerant(task: Task, tolerance: float | None) -> Task:
    usual = TOLERANCES.get(np.asarray(task.analytic).dtype.name, TOLERANCE)
    return replace(task, tolerance=usual if tolerance is None else tolerance)


def _given(tasks: list[Task], gradients: Mapping[str, Any] | None) -> list[Task]:
    """The tasks with the gradients that are given in place of the layer's own, of these alone."""
    if gradients is None:
        return tasks
    by_name = {task.name: task for task in tasks}
    for name in gradients:
        if name not in by_name:
            hint = did_you_mean(name, by_name)
            raise OptionError(f"there is no gradient {name!r} here, only {listed(by_name)}", hint=hint)
    chosen = ((by_name[name], array) for name, array in gradients.items())
    return [replace(task, analytic=_fitting(task.name, array, task.gradient.shape)) for task, array in chosen]


def _fitting(name: str, array: Any, wanted: tuple[int, ...]) -> Array:
    """A gradient as an array, in its own precision; ConvgradError where it does not fit or holds no real numbers."""
    found = numbers(name, array)
    if np.iscomplexobj(found):
        raise OptionError(f"{name} holds complex numbers", hint="the slopes of layers are real")
    check_shape(name, found, wanted)
    return found


# -- of one's own -------------------------------------------------------------------------------------------------


def _tasks(what: Any, x: Any, delta: Any, gradients: Any) -> list[Task]:
    if callable(getattr(what, "forward", None)) and callable(getattr(what, "backward", None)):
        return _layer_tasks(what, np.asarray(x, np.float64), delta, gradients)
    if not callable(what):
        raise OptionError(f"{_title(what)} is neither a layer, with forward and backward, nor a function")
    if gradients is None:
        raise OptionError("there is no gradient to compare", hint="give gradients=, by what x is")
    named = isinstance(x, Mapping)
    arrays = {name: np.asarray(array, np.float64) for name, array in (x if named else {"x": x}).items()}
    found = gradients if isinstance(gradients, Mapping) else {"x": gradients}
    if missing := set(found) - set(arrays):
        raise OptionError(f"there is a gradient by {listed(sorted(missing))}, but x has only {listed(arrays)}")

    def task(name: str) -> Task:
        def moved(array: Array) -> Any:
            return what(**(arrays | {name: array})) if named else what(array)

        return _task(name if named else "gradient", found[name], arrays[name], moved, delta)

    return [task(name) for name in found]


def _layer_tasks(layer: Any, x: Array, delta: Any, gradients: Any) -> list[Task]:
    """The gradients of an object with forward and backward."""
    found = layer.backward(x, delta) if gradients is None else gradients
    if not isinstance(found, Mapping):
        several = found if isinstance(found, tuple | list) and all(isinstance(q, Quantity) for q in found) else None
        found = {"dX": found} if several is None else {q.name: q for q in several}

    def task(name: str, gradient: Any) -> Task:
        if name == "dX":
            return _task(name, _array(gradient), x, layer.forward, delta)
        field = _field(layer, name)
        return _task(
            name, _array(gradient), getattr(layer, field), lambda at: _with(layer, field, at).forward(x), delta
        )

    return [task(name, gradient) for name, gradient in found.items()]


def _field(layer: Any, name: str) -> str:
    """The attribute that a gradient is by: of ``dW`` what the layer says of ``W``, or W itself."""
    short = name.removeprefix("d")
    parameter = getattr(layer, "parameters", {}).get(short)
    field = short if parameter is None else str(parameter.field)
    if not hasattr(layer, field):
        raise OptionError(f"{name} is a gradient by {field}, but {_title(layer)} has no {field}")
    return field


def _with(layer: Any, field: str, array: Array) -> Any:
    changed = copy(layer)
    object.__setattr__(changed, field, array)  # frozen or not: it is a copy
    return changed


def _array(value: Any) -> Any:
    return value.value if isinstance(value, Quantity) else value


def _task(name: str, gradient: Any, at: Any, forward: Callable[[Array], Any], delta: Any) -> Task:
    at = np.asarray(at, np.float64)
    found = _fitting(name, gradient, at.shape)
    function = Function(lambda array: _array(forward(array)), at, delta)

    def slope(direction: Array) -> tuple[float, float]:
        return slope_of(function, direction)

    return Task(name, found, slope, lambda index: 0.0, cost=MOST_WORK / SEARCHED)
