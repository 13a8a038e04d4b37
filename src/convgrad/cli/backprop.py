"""backprop."""

from __future__ import annotations

import os
from typing import Any

import click

from convgrad.cli.checking import compare_network, comparing, wanted
from convgrad.cli.command import Command, Outcome
from convgrad.cli.options import STEP, explaining, option, output, own_settings, reader_of, skipping, stepping
from convgrad.cli.options import settings as setting_options
from convgrad.cli.waiting import waiting
from convgrad.errors import OptionError, listed
from convgrad.kinds import KINDS
from convgrad.kinds.formats import FORMATS
from convgrad.kinds.shared import DESCENT, DTYPE

TABLE = (*DESCENT, DTYPE)
"""The settings of a whole network."""

TYPES = [kind.name for kind in KINDS.values() if kind.in_networks]
"""What its layers may be."""

NETWORK = "The network"
"""The heading of options that are about all of it."""


@click.command(
    "backprop",
    cls=Command,
    example="convgrad backprop network.json input.json target.json --lr 0.5 --save-network next.json",
    help="The whole backward pass through a network: layer by layer from the loss back its output, delta (the "
    "gradient of that output), dW, db and dX, each layer's dX being the delta of the layer before. "
    'NETWORK is a JSON file such as {"layers": [{"type": "conv", "kernel": [[1, 0], [0, 1]], "stride": 1, '
    '"activation": "relu"}, {"type": "pool", "kind": "max", "size": 2}, {"type": "flatten"}, {"type": '
    '"dense", "weight": [[1, 2]], "bias": [0]}], "loss": "mse"}: the types are '
    f"{listed(TYPES)}, with the options of their commands (_ for -). With --lr the step is taken "
    "too, and --save-network writes the network with its new parameters (and, with --momentum, their "
    "velocities). INPUT and TARGET are files, FILE#KEY, - or numbers; INPUT may be a document with both. "
    "A pooling layer behind a convolution pools as many axes as that had.",
    params=[
        click.Argument(["network"]),
        click.Argument(["input_"], metavar="INPUT"),
        click.Argument(["target_"], metavar="[TARGET]", required=False),
        *setting_options(DESCENT, STEP),
        option(STEP, "--save-network", metavar="FILE", help="Write the updated network, in the form of NETWORK."),
        *setting_options((DTYPE,), NETWORK),
        *skipping(NETWORK),
        stepping(" of each layer", "all on a page, elsewhere none, as they are many, unless this says otherwise"),
        *explaining(),
        *comparing(gradients=True),
        *output(),
    ],
)
def backprop(
    network: str,
    input_: str,
    target_: str | None,
    save_network: str | None,
    **options: Any,
) -> Outcome:
    from convgrad.cli.outputs import choose_format, write_facts
    from convgrad.cli.working import overlays_wanted
    from convgrad.problems.network import run_network
    from convgrad.problems.network_file import network_in, read_network, updated
    from convgrad.problems.network_report import figures_of, picked_report, reports_of, results_of
    from convgrad.problems.reading import need, read_problem, spelled_in
    from convgrad.problems.report import Facts, Report, titled
    from convgrad.problems.selection import Selection, explained, picked

    reader = reader_of(options)
    operands, values = read_problem(reader, {"input": input_, "target": target_}, own_settings(options, TABLE), TABLE)
    document = network_in(reader.read(network, spelled_in(values)))
    stages, kind = read_network(document)
    need(operands, "target", "TARGET", operands["input"].source)
    comparing = wanted({**options, "save_network": save_network})
    if save_network is not None:
        _check_target(save_network, options["out"], "lr" in values)
    with waiting("computing", options["quiet"]):
        done = run_network(stages, operands["input"], operands["target"], kind, values)
    if comparing:
        from convgrad.checking.network import Network

        plain = {name: value for name, value in values.items() if name != "dtype"}
        dtype = values.get("dtype", "float64")
        same = dtype == "float64"
        whole = done if same else run_network(stages, operands["input"], operands["target"], kind, plain)
        asked = Network(stages, whole, operands["target"], kind, plain, None if same else done, dtype)
        return compare_network(reader, titled("network", values), asked, options)
    title, only = titled("network", values), options["only"] or ()
    results = results_of(stages, done, only)
    entries = picked(results, only)
    explanations = explained(done.explainable(), options["explain"], {})
    form = FORMATS[choose_format(options)]
    steps = overlays_wanted(options, 0 if form.read_through else form.steps)
    if form.all_forms or steps != 0:
        chosen = Selection.of(results).chosen(only) if only else []
        wanted_of_each = Report("", {}, {}, {}, steps, explanations=explanations, zeros=options["zeros"])
        reports = figures_of(stages, done, kind, chosen, wanted_of_each, form.all_forms)
    else:
        reports = picked_report(title, entries) if only else [] if explanations else reports_of(stages, done, kind)
        if explanations:
            reports.append(Report(title, {}, {}, {}, explanations=explanations, zeros=options["zeros"]))
    facts = Facts(title, entries, reports, explanations, options["zeros"], done)
    more = []
    if save_network is not None:
        from convgrad.render import write

        more.append((save_network, write(Facts("network", updated(document, stages, done)), "json")))
    return write_facts(facts, {**options, "only": None}, reader.paths, more)


def _check_target(path: str, out: str | None, stepped: bool) -> None:
    """OptionError where --save-network names no file of its own, or there is nothing to save."""
    if not stepped:
        raise OptionError("there is no updated network to save", where="--save-network", hint="add --lr")
    if not path.endswith(".json"):
        raise OptionError(f"a network is a JSON file, and {path!r} does not end in .json", where="--save-network")
    if out is not None and os.path.realpath(out) == os.path.realpath(path):
        raise OptionError("it is the file that -o names", where="--save-network", hint="name two files")
