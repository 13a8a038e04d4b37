"""loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from convgrad.cli.app import Command, Outcome
from convgrad.cli.checking import answers, compare_layer, gradients, wanted
from convgrad.cli.options import explaining, output
from convgrad.cli.options import settings as setting_options
from convgrad.kinds import settings

if TYPE_CHECKING:
    from convgrad.problems import Operand, Solution

_TABLE = (*settings.LOSS, settings.DTYPE)


@click.command(
    "loss",
    cls=Command,
    example="convgrad loss '[0.75, 0.77]' '[0.01, 0.99]' --kind mse",
    help="A loss and its gradient, the first delta of a backward pass. OUTPUT and TARGET are files, FILE#KEY, "
    "- for standard input, or the numbers themselves; OUTPUT may be a document with output and target, "
    "such as the JSON of a forward command. cross-entropy takes logits, with the classes along axis 1 "
    "(of a vector, along it), and class indices from 0 or distributions of the output's shape.",
)
@click.argument("output_", metavar="OUTPUT")
@click.argument("target_", metavar="[TARGET]", required=False)
@setting_options(_TABLE)
@explaining
@answers
@gradients
@output
def loss(output_: str, target_: str | None, **options: Any) -> Outcome:
    from convgrad.cli.gather import gather, need
    from convgrad.cli.work import finish, own_options, titled
    from convgrad.files import Reader
    from convgrad.problems.loss import solve_loss

    reader = Reader()
    operands, values = gather(reader, {"output": output_, "target": target_}, own_options(options), _TABLE)
    need(operands, "target", "TARGET", operands["output"].source)
    if wanted(options):
        return compare_layer(reader, titled("loss", values), _solve, operands, values, True, options)
    return finish(reader, solve_loss(operands, values), titled("loss", values), options, values)


def _solve(operands: Mapping[str, Operand], values: Mapping[str, Any], backward: bool) -> Solution:
    from convgrad.problems.loss import solve_loss

    return solve_loss(operands, values)
