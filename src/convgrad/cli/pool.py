"""pool-forward and pool-backward."""

from __future__ import annotations

from typing import Any

import click

from convgrad.cli.app import Command, Outcome
from convgrad.cli.checking import answers, gradients
from convgrad.cli.options import output, source, working
from convgrad.cli.options import settings as setting_options
from convgrad.kinds import settings

READS = """
Operands are files (.json .csv .tsv .npy .npz .txt), FILE#KEY for one entry of a file, - for standard input,
or the numbers themselves, such as '[[1,2],[3,4]]'. INPUT may be a document that holds everything:
{"input": ..., "delta": ..., "kind": "avg", "size": 2}; options given here win.

The last two axes are pooled (the one axis of a vector), or as many as --dims says; all others stay apart.
"""


@click.command(
    "pool-forward",
    cls=Command,
    example="convgrad pool-forward image.csv --kind max --size 2",
    help=f"The output of a pooling layer. {READS}",
)
@click.argument("input_", metavar="INPUT")
@setting_options((*settings.POOL, settings.INDICES, *settings.COMMON))
@working
@answers
@output
def pool_forward(input_: str, **options: Any) -> Outcome:
    return _run({"input": input_}, options, backward=False)


@click.command(
    "pool-backward",
    cls=Command,
    example="convgrad pool-backward input.json delta.json --kind max --size 2",
    help="The gradient of a pooling layer: a maximum gets the whole delta, an average shares it out. "
    f"A lone number for DELTA stands for that number everywhere. {READS}",
)
@click.argument("input_", metavar="INPUT")
@click.argument("delta_", metavar="[DELTA]", required=False)
@source("-d", "--delta", help="The delta, in place of DELTA.")
@setting_options((*settings.POOL, *settings.COMMON))
@working
@answers
@gradients
@output
def pool_backward(input_: str, delta_: str | None, delta: str | None, **options: Any) -> Outcome:
    from convgrad.cli.gather import one_delta

    return _run({"input": input_, "delta": one_delta(delta_, delta)}, options, backward=True)


def _run(sources: dict[str, str | None], options: dict[str, Any], backward: bool) -> Outcome:
    from convgrad.cli.work import run_layer, solved
    from convgrad.problems.pool import pool_problem

    table = (*settings.POOL, *(() if backward else (settings.INDICES,)), *settings.COMMON)
    return run_layer(solved(pool_problem), "pooling", sources, options, table, backward)
