"""dense-forward and dense-backward."""

from __future__ import annotations

from typing import Any

import click

from convgrad.cli.app import Command, Outcome
from convgrad.cli.checking import answers, gradients
from convgrad.cli.options import output, source, velocity, working
from convgrad.cli.options import settings as setting_options
from convgrad.kinds import settings

READS = """
Operands are files (.json .csv .tsv .npy .npz .txt), FILE#KEY for one entry of a file, - for standard input, or the
numbers themselves. INPUT may be a document that holds everything: {"input": ..., "weight": ..., "bias": ..., "delta":
..., "activation": "sigmoid"}; options given here win.

The input, of any rank, is flattened in reading order: all its axes, or all but the first (the batch), whichever the
weight fits, and the second where both do. dX has the input's shape. The working goes node by node.
"""


@click.command(
    "dense-forward",
    cls=Command,
    example="convgrad dense-forward '[0.05, 0.1]' -w '[[0.15, 0.2], [0.25, 0.3]]' -b 0.35 --activation sigmoid",
    help=f"The output of a dense (fully connected) layer. {READS}",
)
@click.argument("input_", metavar="INPUT")
@source("-w", "--weight", help="The weight, (outputs, inputs).")
@source("-b", "--bias", help="The bias: one number a node, or one for all.")
@setting_options((*settings.DENSE, *settings.ACTIVATION, settings.DTYPE))
@working
@answers
@output
def dense_forward(input_: str, weight: str | None, bias: str | None, **options: Any) -> Outcome:
    return _run({"input": input_, "weight": weight, "bias": bias}, options, backward=False)


@click.command(
    "dense-backward",
    cls=Command,
    example="convgrad dense-backward input.json delta.json -w weight.json --lr 0.5",
    help="The gradients of a dense layer: dW, db and dX; a weight's gradient is what came in times the "
    "sensitivity of its node, summed over the batch. Without a weight, dW and db are computed all the "
    f"same. {READS}",
)
@click.argument("input_", metavar="INPUT")
@click.argument("delta_", metavar="[DELTA]", required=False)
@source("-w", "--weight", help="The weight, (outputs, inputs).")
@source("-b", "--bias", help="The bias: one number a node, or one for all.")
@source("-d", "--delta", help="The delta, in place of DELTA.")
@setting_options((*settings.DENSE, *settings.ACTIVATION, *settings.SGD, settings.DTYPE))
@velocity
@working
@answers
@gradients
@output
def dense_backward(
    input_: str,
    delta_: str | None,
    weight: str | None,
    bias: str | None,
    delta: str | None,
    velocity: str | None,
    **options: Any,
) -> Outcome:
    from convgrad.cli.gather import one_delta

    return _run(
        {"input": input_, "weight": weight, "bias": bias, "delta": one_delta(delta_, delta), "velocity": velocity},
        options,
        backward=True,
    )


def _run(sources: dict[str, str | None], options: dict[str, Any], backward: bool) -> Outcome:
    from convgrad.cli.work import run_layer, solved
    from convgrad.problems.dense import dense_problem

    table = (*settings.DENSE, *settings.ACTIVATION, *settings.SGD, settings.DTYPE)
    return run_layer(solved(dense_problem), "dense layer", sources, options, table, backward)
