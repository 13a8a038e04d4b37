"""A normalisation as a computation graph: its nodes as arrays by name, each with how it is made of those before it.

Forward: mean, deviations, squares, var, root, inverse, xhat, scaled. Backward, each node's gradient is named by a d
before it; what comes to the deviations twice, past the root and by it, is ddeviations and dsquared, and so has the mean
two gradients, dmean and dmean2, of which the second is 0.
"""

from __future__ import annotations

from convgrad.core.element import Array
from convgrad.core.term import Factor
from convgrad.formula import NOTHING, Formula
from convgrad.layers.statistics import AXES, Shared


def statistics(shared: Shared) -> list[Factor]:
    """The mean and the variance, unless they are given, and the normalised input."""
    own = [] if shared.constant else [_group("mean", shared, shared.mean), _group("var", shared, shared.var)]
    return [*own, _cell("xhat", shared.xhat)]


def forward_nodes(shared: Shared) -> list[Factor]:
    """The forward pass, one node after the other."""
    found = [
        _group("mean", shared, shared.mean, "mean of {input}"),
        _cell("deviations", shared.deviations, "{input} - {mean}"),
        _cell("squares", shared.deviations**2, "{deviations}^2"),
        _group("var", shared, shared.var, "mean of {squares}"),
        _group("root", shared, shared.root, f"sqrt({{var}} + {shared.eps:g})"),
        _group("inverse", shared, shared.inverse, "1 / {root}"),
        _cell("xhat", shared.xhat, "{deviations} * {inverse}"),
    ]
    if shared.constant:
        found = [each for each in found if each.name not in ("mean", "squares", "var")]
    return [*found, _cell("scaled", shared.gamma * shared.xhat, "{gamma} * {xhat}")] if shared.scaled else found


def backward_nodes(shared: Shared) -> list[Factor]:
    """The backward pass, one node after the other, from the output back."""
    dxhat = _cell("dxhat", shared.g, f"{shared.scaled}{{{shared.told}}}")
    direct = _cell("ddeviations", shared.g * shared.inverse, "{dxhat} * {inverse}")
    if shared.constant:
        return [dxhat, direct]
    dinverse = shared.sums(shared.g * shared.deviations)
    droot = -dinverse * shared.inverse**2
    dvar = droot * shared.inverse / 2
    dsquares = dvar / shared.m
    squared = 2 * shared.deviations * dsquares
    return [
        dxhat,
        _group("dinverse", shared, dinverse, "sum of {dxhat} * {deviations}"),
        _group("droot", shared, droot, "- {dinverse} * {inverse}^2"),
        _group("dvar", shared, dvar, "{droot} * {inverse} / 2"),
        _group("dsquares", shared, dsquares, f"{{dvar}} / {shared.m}"),
        direct,
        _cell("dsquared", squared, "2 * {deviations} * {dsquares}"),
        _group("dmean", shared, -shared.sums(direct.value), "- sum of {ddeviations}"),
        _group("dmean2", shared, -shared.sums(squared), "- sum of {dsquared}"),
    ]


def _cell(name: str, array: Array, words: str = "") -> Factor:
    """A node with a number a cell; words: how it is made."""
    return _node(name, array, AXES, words)


def _group(name: str, shared: Shared, array: Array, words: str = "") -> Factor:
    """A node with a number for all that share a mean."""
    return _node(name, shared.one_each(array), shared.shared_axes, words)


def _node(name: str, array: Array, axes: str, words: str) -> Factor:
    made = Formula.of(f"{{{name}}} = {words}") if words else NOTHING
    return Factor(name, array, axes, made.each_name(lambda each: each._replace(open=each.name == name)))
