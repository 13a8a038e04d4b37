"""shape: what comes out of a layer, and how many weights it has, from sizes alone."""

from __future__ import annotations

import re
from typing import Any

import click

from convgrad.cli.command import Command, Outcome
from convgrad.cli.options import LAYER, Read, option, output
from convgrad.cli.options import settings as setting_options
from convgrad.errors import OptionError
from convgrad.kinds.setting import whole
from convgrad.kinds.sizes import SHAPE


def read_shape(text: str) -> tuple[int, ...]:
    """``3x32x32``, ``3,32,32`` or ``(3, 32, 32)`` -> the shape."""
    if not re.fullmatch(r"\s*[\[(]?\s*[0-9]+(\s*[x, ]\s*[0-9]+)*\s*[\])]?\s*", text, re.ASCII):
        raise OptionError(f"{text!r} is not a shape", hint="write it as 3x32x32")
    return tuple(whole(size) for size in re.findall("[0-9]+", text))


@click.command(
    "shape",
    cls=Command,
    example="convgrad shape 3x32x32 --kernel-size 3 --filters 16 --padding same",
    help="The shape that a convolution (--kernel-size), a pooling layer (--size, --global, --adaptive) or a dense "
    "layer (--filters alone) gives, and the weights it needs, biases apart: shared as a convolution has them, "
    "unshared with a kernel of its own at every place, and dense between all inputs and all outputs; and the rows and "
    "columns that no window reaches, where a stride drops some. Along an axis, "
    "output = (input + padding - span) / stride + 1, rounded down, with span = dilation * (kernel size - 1) + 1. SHAPE "
    "is (H,W), (C,H,W) or (N,C,H,W), likewise with 1 or 3 spatial axes; see --dims. Without --filters there is one "
    "filter, and no axis for it.",
    params=[
        click.Argument(["shape_"], metavar="SHAPE", type=Read(read_shape, "SHAPE")),
        option(LAYER, "--filters", type=Read(whole, "filters"), metavar="N", help="Number of filters, or of nodes."),
        *setting_options(SHAPE),
        *output(),
    ],
)
def shape(shape_: tuple[int, ...], filters: int | None, **options: Any) -> Outcome:
    from convgrad.cli.outputs import write_facts
    from convgrad.problems.report import Facts
    from convgrad.problems.sizes import remarks, shapes

    values = {setting.name: options[setting.name] for setting in SHAPE if options[setting.name] is not None}
    found = shapes(shape_, filters, values)
    notes = [] if options["quiet"] else remarks(shape_, found, values)
    return write_facts(Facts(f"a layer on {'x'.join(map(str, shape_))}", found), options, notes=notes)
