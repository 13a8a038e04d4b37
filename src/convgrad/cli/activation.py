"""activation-forward and activation-backward."""

from __future__ import annotations

from typing import Any

import click

from convgrad.cli.app import Command, Outcome
from convgrad.cli.checking import answers, gradients
from convgrad.cli.options import output, source, working
from convgrad.cli.options import settings as setting_options
from convgrad.kinds import settings

READS = """
Operands are files (.json .csv .tsv .npy .npz .txt), FILE#KEY, - for standard input, or the numbers themselves,
of any rank. softmax is taken over the last axis. relu'(0) is 0.
"""
_TABLE = (*settings.ACTIVATION, settings.DTYPE)


@click.command(
    "activation-forward",
    cls=Command,
    example="convgrad activation-forward '[-1, 0, 2]' --activation relu",
    help=f"An activation of every number. {READS}",
)
@click.argument("input_", metavar="INPUT")
@setting_options(_TABLE)
@working
@answers
@output
def activation_forward(input_: str, **options: Any) -> Outcome:
    return _run({"input": input_}, options, backward=False)


@click.command(
    "activation-backward",
    cls=Command,
    example="convgrad activation-backward '[-1, 0, 2]' '[0.1, 0.2, 0.3]' --activation sigmoid",
    help=f"The gradient of an activation: dX = delta times the derivative at the input. {READS}",
)
@click.argument("input_", metavar="INPUT")
@click.argument("delta_", metavar="[DELTA]", required=False)
@source("-d", "--delta", help="The delta, in place of DELTA.")
@setting_options(_TABLE)
@working
@answers
@gradients
@output
def activation_backward(input_: str, delta_: str | None, delta: str | None, **options: Any) -> Outcome:
    from convgrad.cli.gather import one_delta

    return _run({"input": input_, "delta": one_delta(delta_, delta)}, options, backward=True)


def _run(sources: dict[str, str | None], options: dict[str, Any], backward: bool) -> Outcome:
    from convgrad.cli.work import run_layer, solved
    from convgrad.problems.activation import activation_problem

    return run_layer(solved(activation_problem), "activation", sources, options, _TABLE, backward)
