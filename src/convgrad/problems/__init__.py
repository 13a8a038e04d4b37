"""Problems: a layer with its arrays, built and validated from what files and options say; and their solution.

One file a layer builds its problems. This is where ranks are lifted (shorthand.py) and where shapes that
do not fit are explained in the reader's own terms; inside the layers everything has full rank.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from convgrad.core.quantity import Array, Derivation, Place, Products, Quantity, Term
from convgrad.core.rational import cast, finite
from convgrad.errors import ConvgradError, OptionError, ShapeError, by
from convgrad.kinds import FORMS, RESULTS
from convgrad.kinds.kind import Kind
from convgrad.kinds.loss import LOSS
from convgrad.kinds.setting import PADDINGS, check_owned
from convgrad.kinds.shared import ACTIVATION
from convgrad.layers import Layer
from convgrad.layers.sgd import SGD
from convgrad.problems.ranks import Shorthand

if TYPE_CHECKING:
    from convgrad.layers.activation import Activation


@dataclass(frozen=True, eq=False, repr=False)
class Operand:
    """An array as given, where it came from, and whether it was typed (a typed number stands everywhere)."""

    array: Array
    source: str
    typed: bool = False

    @property
    def lone(self) -> bool:
        """Whether it is a number typed on the command line, which stands for that number everywhere."""
        return self.typed and self.array.ndim == 0


Operands = Mapping[str, Operand]
Settings = Mapping[str, Any]


@dataclass(frozen=True, eq=False, repr=False)
class Problem:
    """A layer and its arrays.

    x: the input at full rank; output_axes: the letters of the output's axes; operands: all arrays as the files have
    them; delta: as the files have it, of the (activated) output's shape; more: results of the forward pass besides
    the output; left_out: results that cannot be had, and what would have to be added for each.
    """

    layer: Layer
    x: Array
    shorthand: Shorthand
    output_axes: str
    operands: dict[str, Array]
    delta: Array | None = None
    activation: Activation | None = None
    sgd: SGD | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Which operand is W, and which b."""
    more: tuple[Callable[[Array], Quantity], ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    spatial: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Which axes of each operand are spatial."""


@dataclass(frozen=True, eq=False, repr=False)
class Solution:
    """The quantities of a problem, by name, in the order of RESULTS; what was left out and why.

    working: the quantities that the overlays add up to, where those are not the results themselves (before the
    activation), and the sensitivity, the delta through the activation; operands: the arrays given, and what the working
    has made of them; problem: what was solved, None for a loss; arrays: what a form other than overlay works on.
    """

    operands: dict[str, Array]
    quantities: dict[str, Quantity]
    left_out: dict[str, str] = field(default_factory=dict)
    working: dict[str, Quantity] = field(default_factory=dict)
    spatial: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    problem: Problem | None = None
    arrays: Mapping[str, Array] = field(default_factory=dict)

    def explainable(self) -> dict[str, Quantity]:
        """Every quantity whose elements can be written out, by name."""
        return {q.name: q for q in (*self.working.values(), *self.quantities.values())}


# -- building ---------------------------------------------------------------------------------------------


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
    delta: Operand, array: Array, wanted: tuple[int, ...], given: str, fits: Callable[[], list[str]] = list
) -> Array:
    """The delta in the output's shape `wanted`; ShapeError says which shape was expected and what would fit.

    given: what the output follows from, in words; fits: the options under which the delta's own shape would do.
    """
    if delta.lone:
        return np.full(wanted, array)
    if array.shape == wanted:
        return array
    hint = "delta has the output's shape"
    if array.ndim == 0:
        hint = f"to use one number everywhere, type it: -d {array[()]}"
    elif options := fits():
        hint = f"{by(array.shape)} fits {' or '.join(options[:4])}"
    raise ShapeError(f"delta is {by(array.shape)}, but {given} gives {by(wanted)}", where=delta.source, hint=hint)


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


# -- solving ----------------------------------------------------------------------------------------------

Solver = Callable[[Operands, Settings, bool], Solution]
"""(operands, settings, whether the backward pass is wanted) -> the solution."""


def build(kind: Kind, operands: Operands, settings: Settings, backward: bool) -> Problem:
    """A problem of a kind of layer; ConvgradError where operands and settings make none."""
    home, _, name = kind.home.partition(":")
    problem: Problem = getattr(import_module(home), name)(operands, settings, backward)
    return problem


def solver_of(kind: Kind) -> Solver:
    """What solves problems of a kind of layer, as often as it is asked."""
    if kind is LOSS:
        from convgrad.problems.loss import solve_loss

        return lambda operands, settings, backward: solve_loss(operands, settings)
    return lambda operands, settings, backward: solve(build(kind, operands, settings, backward))


def solve(problem: Problem) -> Solution:
    """All results that a problem's operands allow, in the files' axes, computed when they are asked for."""
    return backward(problem, forward(problem))


def forward(problem: Problem) -> Solution:
    """The output, and what else the forward pass gives."""
    found: dict[str, Quantity] = {}
    working: dict[str, Quantity] = {}
    operands, spatial = dict(problem.operands), dict(problem.spatial)
    with np.errstate(all="ignore"):
        passes = [problem.layer.forward] if "output" not in problem.left_out else []
        for compute in (*passes, *problem.more):
            quantity = problem.shorthand.lower_quantity(compute(problem.x))
            found[quantity.name] = quantity
        if problem.activation is not None and "output" in found:
            z = found["output"]
            working["output"] = replace(z, name="z", formula=z.formula.replace("output", "z", 1))
            activated = renamed(problem.activation.forward(z.value), "input", "z")
            found["output"] = replace(activated, window_axes="")
            operands["z"], spatial["z"] = z.value, z.spatial
    return Solution(operands, found, problem.left_out, {**found, **working}, spatial, problem)


def backward(problem: Problem, done: Solution) -> Solution:
    """What `forward` found, and the gradients and the step, where there is a delta."""
    if problem.delta is None:
        return done
    found, operands, spatial = dict(done.quantities), dict(done.operands), dict(done.spatial)
    working = {name: quantity for name, quantity in done.working.items() if name == "output"}
    with np.errstate(all="ignore"):
        delta = operands["delta"] = problem.delta
        if problem.activation is not None:
            z = operands["z"]
            if problem.activation.name != "softmax":
                operands["derivative"], spatial["derivative"] = problem.activation.derivative(z), spatial["z"]
            through = renamed(problem.activation.backward(z, delta)[0], "input", "z")
            formula = through.formula.replace("dX", "sensitivity", 1)
            working["sensitivity"] = replace(through, name="sensitivity", formula=formula, window_axes="")
            delta = operands["sensitivity"] = through.value
            spatial["sensitivity"] = spatial["z"]
        full = problem.shorthand.lift(delta, problem.output_axes)
        for quantity in problem.layer.backward(problem.x, full):
            lowered = problem.shorthand.lower_quantity(quantity)
            if problem.activation is not None:  # what the layer calls its delta is the delta through the activation
                lowered = renamed(lowered, "delta", "sensitivity")
            found[quantity.name] = lowered
        found |= _step(problem, found)
    ordered = {name: found[name] for name in RESULTS if name in found}
    spatial["delta"] = spatial_of_output(problem)
    return Solution(operands, ordered, problem.left_out, {**ordered, **working}, spatial, problem)


def forms_of(solution: Solution) -> list[str]:
    """The forms in which a solution's working can be shown."""
    more = any(quantity.derivation for quantity in solution.working.values())
    return list(FORMS) if more else ["overlay"]


def in_form(solution: Solution, form: str) -> Solution:
    """A solution with the working of another form, one of kinds.FORMS, and the arrays that form works on.

    OptionError where the layer has no other form.
    """
    if form == "overlay":
        return solution
    if form not in forms_of(solution):
        raise OptionError(f"there is no {form} form of this layer", where="--form", hint="it belongs to convolutions")
    working, arrays, spatial = dict(solution.working), dict(solution.arrays), dict(solution.spatial)
    for name, quantity in solution.working.items():
        derived = quantity.derivation(form, quantity) if quantity.derivation else None
        if derived is not None:
            working[name] = derived.quantity
            arrays |= {each.name: each.value for each in derived.arrays if each.name not in solution.operands}
            spatial |= {each.name: axes for each, axes in zip(derived.arrays, derived.spatial, strict=True)}
    if "db" in working:  # which is the same sum in every form
        working["db"] = replace(working["db"], window_axes="")
    return replace(solution, working=working, arrays=arrays, spatial=spatial)


def renamed(quantity: Quantity, name: str, other: str) -> Quantity:
    """A quantity whose working calls one of its operands by another name."""

    def products(at: Place) -> list[Products]:
        return [
            Products(tuple(replace(column, name=column.name.replace(name, other)) for column in each.columns))
            for each in quantity.products(at)
        ]

    def derivation(form: str, quantity: Quantity) -> Derivation | None:
        found = own(form, quantity) if own else None
        if found is None:
            return None
        arrays = tuple(replace(each, name=each.name.replace(name, other)) for each in found.arrays)
        return replace(found, quantity=renamed(found.quantity, name, other), arrays=arrays)

    def term(at: Place) -> Term:
        found = quantity.term(at)
        return replace(found, lit=tuple(replace(each, name=each.name.replace(name, other)) for each in found.lit))

    own = quantity.derivation
    formula, rule, over = (text.replace(name, other) for text in (quantity.formula, quantity.rule, quantity.over))
    return replace(
        quantity,
        formula=formula,
        rule=rule,
        over=over,
        term=term,
        products=products,
        derivation=derivation if own else None,
    )


def spatial_of_output(problem: Problem) -> tuple[int, ...]:
    """Which axes of the output, as the files have it, are spatial."""
    return problem.shorthand.spatial(problem.output_axes)


def _step(problem: Problem, found: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """The step of gradient descent, where one is asked for."""
    stepped: dict[str, Quantity] = {}
    if problem.sgd is None:
        return stepped
    for name, operand in problem.parameters.items():
        if operand in problem.operands and f"{name}_new" not in problem.left_out:
            gradient = found[f"d{name}"].value
            parameter = problem.operands[operand]
            if parameter.size == gradient.size:
                parameter = parameter.reshape(gradient.shape)  # a lone filter's bias, given as [b]
            parameter = np.broadcast_to(parameter, gradient.shape)
            velocity = problem.operands.get(f"velocity_{name}")
            if velocity is not None and velocity.shape != gradient.shape:
                raise ShapeError(
                    f"velocity_{name} is {by(velocity.shape)}, but d{name} is {by(gradient.shape)}",
                    hint="give the velocities of this layer's last step",
                )
            for quantity in problem.sgd.step(name, parameter, gradient, velocity):
                stepped[quantity.name] = quantity
    return stepped


def check_finite(quantities: Mapping[str, Quantity]) -> None:
    """ConvgradError that names the place where a result overflows."""
    for name, quantity in quantities.items():
        if not (fine := finite(quantity.value)).all():
            index = [int(i) for i in np.argwhere(~fine)[0]]
            raise ConvgradError(
                f"{name}{index if index else ''} overflows: it is too large for {quantity.value.dtype}",
                hint="scale the operands down",
            )
