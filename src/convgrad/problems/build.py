"""From operands and settings to a problem: by the builder that a kind has for itself, else from what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from convgrad.core.element import Array
from convgrad.errors import ShapeError, at, by
from convgrad.kinds.kind import Given, Kind
from convgrad.kinds.setting import check_owned
from convgrad.problems.fitting import activation_of, as_meant, fitted_delta, in_dtype, named, sgd_of
from convgrad.problems.problem import Operands, Problem, Settings, sources
from convgrad.problems.ranks import FIRST, LAST, Shorthand

ONE = {"N": "an example", "C": "a channel", "F": "a filter"}
"""What one cell of an axis belongs to, by its letter."""


def build(kind: Kind, operands: Operands, settings: Settings, backward: bool) -> Problem:
    """A problem of a kind of layer; ConvgradError where operands and settings make none."""
    problem: Problem
    if kind.home:
        problem = named(kind.home)(operands, settings, backward)
    else:
        problem = layer_problem(kind, operands, settings, backward)
    return problem


def layer_problem(kind: Kind, operands: Operands, settings: Settings, backward: bool) -> Problem:
    """A problem of a kind whose layer has a field for each of its settings and operands, and whose axes have letters.

    The input has all the axes that its letters say, ``*`` standing for those that are left; an operand that is one
    number has it everywhere.
    """
    check_owned(settings, kind.settings)
    arrays = in_dtype(operands, settings)
    layer_class = named(kind.layer)
    with at(operands["input"].source):
        shorthand = _shorthand(layer_class.input_axes, arrays["input"], settings)
        x = shorthand.lift(arrays["input"], layer_class.input_axes)
    axes = {"input": layer_class.input_axes, "delta": layer_class.output_axes}
    fields = {each.field or each.name: settings[each.name] for each in kind.fields if each.name in settings}
    for given in kind.own:
        if given.name in arrays:
            axes[given.name], fields[given.name] = _operand(given, operands, arrays, shorthand, x, axes["input"])
        elif given.needed:
            raise ShapeError(f"there is no {given.name}", where=operands["input"].source, hint=f"add {given.wanting}")
    layer = layer_class(**fields)
    with at(operands["input"].source):
        shape = layer.forward(x).shape
    left_out: dict[str, str] = {}
    spatial = {name: shorthand.spatial(axes.get(name, "")) if array.ndim else () for name, array in arrays.items()}
    problem = Problem(
        layer,
        x,
        shorthand,
        layer_class.output_axes,
        arrays,
        activation=activation_of(settings) if kind.activation else None,
        passes=("forward", *(each.name for each in kind.forward_only if settings.get(each.name))),
        left_out=left_out,
        sgd=sgd_of(settings, kind, operands, left_out) if backward and kind.descent else None,
        spatial=spatial,
    )
    if not backward:
        return problem
    wanted = shorthand.lower_shape(shape, layer_class.output_axes)
    said = f"a {by(arrays['input'].shape)} input"
    return replace(problem, delta=fitted_delta(operands, arrays["delta"], wanted, said))


def _shorthand(axes: str, x: Array, settings: Settings) -> Shorthand:
    """How an input with all the axes of its letters is written; ``--dims`` says that it has no examples."""
    if not axes:
        return Shorthand(0)
    least = len(axes.replace("*", ""))
    dims = settings.get("dims", x.ndim - least) if "*" in axes else 0
    alone = "N" in axes and x.ndim == least - 1 + dims
    if x.ndim < least - alone or x.ndim != least - alone + dims:
        expected = f"{least}{' or more' if '*' in axes else ''}"
        raise ShapeError(
            f"the input is {by(x.shape)}, with {x.ndim} axes, but expected are {expected}: ({', '.join(axes)})",
            hint="check --dims" if "dims" in settings else "write all of its axes, examples first",
        )
    order = LAST if settings.get("layout") == "channels-last" else FIRST
    return Shorthand(dims, {"N": () if alone else x.shape[:1]}, frozenset(), order)


def _operand(
    given: Given, operands: Operands, arrays: dict[str, Array], shorthand: Shorthand, x: Array, input_axes: str
) -> tuple[str, Array]:
    """An operand's letters and its array at full rank, axes of length 1 read as meant.

    ShapeError names it and the input, with their sources.
    """
    sizes = dict(zip(shorthand.tokens(input_axes), x.shape, strict=True))
    shapes = {each: tuple(sizes[token] for token in shorthand.tokens(each)) for each in given.axes}
    written = {axes: shorthand.lower_shape(shape, axes) for axes, shape in shapes.items()}
    array = arrays[given.name] = as_meant(arrays[given.name], *written.values())
    if array.ndim == 0:
        axes = given.axes[0]
        return axes, np.full(shapes[axes], array)
    for axes, shape in written.items():
        if array.shape == shape:
            return axes, shorthand.lift(array, axes)
    fitting = " or ".join(dict.fromkeys(map(by, written.values())))
    raise ShapeError(
        f"{given.name} is {by(array.shape)}, but a {by(arrays['input'].shape)} input takes {fitting}",
        where=sources(operands, given.name, "input"),
        hint=f"write one number {ONE.get(given.axes[0], 'a cell')}, or one for all",
    )


def operand_shapes(kind: Kind, shape: tuple[int, ...], settings: Settings) -> dict[str, tuple[int, ...]]:
    """The shapes of what a kind without a builder learns or needs, on an input of a shape, by their letters."""
    learned = [given for given in kind.own if given.parameter or given.needed]
    if not learned:
        return {}
    axes, x = named(kind.layer).input_axes, np.broadcast_to(0.0, shape)
    shorthand = _shorthand(axes, x, settings)
    sizes = dict(zip(shorthand.tokens(axes), shorthand.lift(x, axes).shape, strict=True))

    def own(letters: str) -> tuple[int, ...]:
        return shorthand.lower_shape([sizes[token] for token in shorthand.tokens(letters)], letters)

    return {given.name: own(given.axes[0]) for given in learned}
