"""--gradcheck: gradients against derivatives of the forward pass."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from convgrad.cli.command import Outcome

if TYPE_CHECKING:
    from convgrad.checking.directions import Kinks, Task
    from convgrad.checking.network import Network
    from convgrad.files import Reader
    from convgrad.mistakes.case import Solver
    from convgrad.problems import Operand

LONG = 1e9
"""Estimated work, in nanoseconds, past which a progress bar is worth it."""


def gradcheck_layer(
    reader: Reader,
    title: str,
    solver: Solver,
    operands: Mapping[str, Operand],
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Outcome:
    """The gradients of one layer, or of a loss, compared."""
    from convgrad.checking.complex_step import kinks_of, layer_tasks

    solution = solver(operands, {**settings, "dtype": "float64"}, True)
    return _compared(reader, title, layer_tasks(solution), kinks_of(solution), options)


def gradcheck_network(reader: Reader, title: str, network: Network, options: Mapping[str, Any]) -> Outcome:
    """The gradients of every layer of a network, compared."""
    from convgrad.checking.complex_step import network_kinks, network_tasks

    asked = network.done, network.kind, network.target.array
    return _compared(reader, title, network_tasks(*asked), network_kinks(*asked), options)


def _compared(
    reader: Reader, title: str, tasks: list[Task], kinks: Mapping[str, Kinks], options: Mapping[str, Any]
) -> Outcome:
    from convgrad.checking.directions import DIRECTIONS, compare_all
    from convgrad.cli.outputs import said
    from convgrad.problems.selection import Selection

    names = Selection(tuple(task.name for task in tasks), what="gradient").chosen(options["only"] or ())
    chosen = [task for task in tasks if task.name in names]
    long = sum(DIRECTIONS * task.cost for task in chosen) > LONG
    if long and sys.stderr is not None and sys.stderr.isatty() and not options["quiet"]:
        from convgrad.render.terminal.progress import bar

        with bar("random directions", DIRECTIONS * len(chosen)) as tick:
            found = compare_all(title, chosen, kinks, tick)
    else:
        found = compare_all(title, chosen, kinks)
    return said(found, options, reader.paths, code=0 if found.verdict == "agrees" else 1)
