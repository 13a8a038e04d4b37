"""conv-forward and conv-backward."""

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
numbers themselves, such as 0.5 or '[[1,2],[3,4]]'. INPUT may be a document that holds everything: {"input": ...,
"kernel": ..., "bias": ..., "delta": ..., "stride": 2}; options given here win.

Input (H,W), (C,H,W) or (N,C,H,W); kernel (kh,kw), (C,kh,kw) or (F,C,kh,kw); likewise with 1 or 3 spatial axes.
Axes that the operands leave out are left out of the results.
"""


@click.command(
    "conv-forward",
    cls=Command,
    example="convgrad conv-forward image.csv -k '[[1,0],[0,-1]]' --padding same",
    help=f"The output of a convolutional layer: the kernel laid over the input, place by place. {READS}",
)
@click.argument("input_", metavar="INPUT")
@source("-k", "--kernel", help="The kernel, (kh,kw), (C,kh,kw) or (F,C,kh,kw).")
@source("-b", "--bias", help="The bias: one number a filter, or one for all.")
@setting_options((*settings.CONV[:-1], *settings.ACTIVATION, *settings.COMMON))
@working
@answers
@output
def conv_forward(input_: str, kernel: str | None, bias: str | None, **options: Any) -> Outcome:
    return _run({"input": input_, "kernel": kernel, "bias": bias}, options, backward=False)


@click.command(
    "conv-backward",
    cls=Command,
    example="convgrad conv-backward input.json delta.json -k kernel.json --lr 0.1",
    help="The gradients of a convolutional layer: dW, db and dX from the delta that comes back from the "
    "layer above; summed over the batch, not averaged. Without a kernel, dW and db are computed all "
    f"the same. A lone number for DELTA stands for that number everywhere. {READS}",
)
@click.argument("input_", metavar="INPUT")
@click.argument("delta_", metavar="[DELTA]", required=False)
@source("-k", "--kernel", help="The kernel, (kh,kw), (C,kh,kw) or (F,C,kh,kw).")
@source("-b", "--bias", help="The bias: one number a filter, or one for all.")
@source("-d", "--delta", help="The delta, in place of DELTA.")
@setting_options((*settings.CONV, *settings.ACTIVATION, *settings.SGD, *settings.COMMON))
@velocity
@working
@answers
@gradients
@output
def conv_backward(
    input_: str,
    delta_: str | None,
    kernel: str | None,
    bias: str | None,
    delta: str | None,
    velocity: str | None,
    **options: Any,
) -> Outcome:
    from convgrad.cli.gather import one_delta

    return _run(
        {"input": input_, "kernel": kernel, "bias": bias, "delta": one_delta(delta_, delta), "velocity": velocity},
        options,
        backward=True,
    )


def _run(sources: dict[str, str | None], options: dict[str, Any], backward: bool) -> Outcome:
    from convgrad.cli.work import run_layer, solved
    from convgrad.problems.conv import conv_problem

    table = (*settings.CONV, *settings.ACTIVATION, *settings.SGD, *settings.COMMON)
    return run_layer(solved(conv_problem), "convolution", sources, options, table, backward)
