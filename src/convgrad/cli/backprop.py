"""backprop."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from convgrad.cli.app import Command, Outcome
from convgrad.cli.checking import answers, compare_network, gradients, wanted
from convgrad.cli.options import explaining, output
from convgrad.cli.options import settings as setting_options
from convgrad.errors import ConvgradError, OptionError, at, did_you_mean
from convgrad.kinds import KINDS, setting_of
from convgrad.kinds.setting import choice, read_settings
from convgrad.kinds.shared import DESCENT, DTYPE

if TYPE_CHECKING:
    from convgrad.core.quantity import Explanation, Quantity
    from convgrad.files import Document
    from convgrad.problems import Solution
    from convgrad.problems.network import Pass, Stage
    from convgrad.problems.report import Report

TYPES = {kind.name: kind for kind in KINDS.values() if kind.in_networks}
"""The types of layers."""

LOSS = setting_of("loss", "kind")


@click.command(
    "backprop",
    cls=Command,
    example="convgrad backprop network.json input.json target.json --lr 0.5 --save-network next.json",
    help="The whole backward pass through a network: layer by layer from the loss back its output, delta (the "
    "gradient of that output), dW, db and dX, each layer's dX being the delta of the layer before. "
    'NETWORK is a JSON file such as {"layers": [{"type": "conv", "kernel": [[1, 0], [0, 1]], "stride": 1, '
    '"activation": "relu"}, {"type": "pool", "kind": "max", "size": 2}, {"type": "flatten"}, {"type": '
    '"dense", "weight": [[1, 2]], "bias": [0]}], "loss": "mse"}: the types are conv, pool, dense, '
    "activation and flatten, with the options of their commands (_ for -). With --lr the step is taken "
    "too, and --save-network writes the network with its new parameters (and, with --momentum, their "
    "velocities). INPUT and TARGET are files, FILE#KEY, - or numbers; INPUT may be a document with both. "
    "A pooling layer behind a convolution pools as many axes as that had.",
)
@click.argument("network")
@click.argument("input_", metavar="INPUT")
@click.argument("target_", metavar="[TARGET]", required=False)
@setting_options((*DESCENT, DTYPE))
@click.option("--save-network", metavar="FILE", help="Write the updated network, in the form of NETWORK.")
@explaining
@answers
@gradients
@output
def backprop(
    network: str,
    input_: str,
    target_: str | None,
    save_network: str | None,
    **options: Any,
) -> Outcome:
    from convgrad.cli.gather import gather, need
    from convgrad.cli.work import IN_ALL_FORMS, choose_format, own_options, titled, write_facts
    from convgrad.files import Document, Reader
    from convgrad.problems.network import run_network
    from convgrad.problems.report import Facts, Report
    from convgrad.problems.selection import Selection, explained, picked

    reader, table = Reader(), (*DESCENT, DTYPE)
    operands, values = gather(reader, {"input": input_, "target": target_}, own_options(options), table)
    document = reader.read(network).value  # in the dtype that INPUT's document may have asked for
    if not isinstance(document, Document):
        raise ConvgradError(
            "it holds an array, not a network", where=network, hint='a network is {"layers": [...], "loss": "mse"}'
        )
    stages, kind = read_network(document)
    need(operands, "target", "TARGET", operands["input"].source)
    comparing = wanted({**options, "save_network": save_network})
    if save_network is not None:
        _check_target(save_network, options["out"], "lr" in values)
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
    results = _entries(stages, done)
    entries = picked(results, only)
    explanations = explained(done.explainable(), options["explain"], {})
    if choose_format(options) in IN_ALL_FORMS:
        chosen = Selection.of(results).chosen(only) if only else []
        reports = _figures(stages, done, kind, chosen, explanations, options["zeros"])
    else:
        reports = _picked(title, entries) if only else [] if explanations else _reports(stages, done, kind)
        if explanations:
            reports.append(Report(title, {}, {}, {}, explanations=explanations, zeros=options["zeros"]))
    facts = Facts(title, entries, reports, explanations, options["zeros"], done)
    more = []
    if save_network is not None:
        from convgrad.render.data.json import dump

        more.append((save_network, (dump(_updated(document, stages, done)) + "\n").encode()))
    return write_facts(facts, {**options, "only": None}, reader.paths, more)


def _check_target(path: str, out: str | None, stepped: bool) -> None:
    """OptionError where --save-network names no file of its own, or there is nothing to save."""
    if not stepped:
        raise OptionError("there is no updated network to save", where="--save-network", hint="add --lr")
    if not path.endswith(".json"):
        raise OptionError(f"a network is a JSON file, and {path!r} does not end in .json", where="--save-network")
    if out is not None and os.path.realpath(out) == os.path.realpath(path):
        raise OptionError("it is the file that -o names", where="--save-network", hint="name two files")


def read_network(document: Document) -> tuple[list[Stage], str]:
    """A network document -> its stages and the kind of its loss; errors name the layer and the key."""
    from convgrad.files import Document

    for name in document.entries:
        if name not in ("layers", "loss", "name", "title", "comment"):
            raise ConvgradError(
                f"nothing is called {name!r} in a network, only layers and loss",
                where=document.source,
                hint=did_you_mean(name, ("layers", "loss")),
            )
    layers = document.entries.get("layers")
    if not isinstance(layers, list) or not layers:
        raise ConvgradError(
            "there is no list of layers in it",
            where=document.source,
            hint='a network is {"layers": [{"type": "dense", ...}], "loss": "mse"}',
        )
    stages = []
    for k, entries in enumerate(layers):
        where = f"{document.source}: layers[{k}]"
        if not isinstance(entries, dict):
            raise ConvgradError("it is no object", where=where, hint='a layer is {"type": "dense", ...}')
        stages.append(_stage(Document(where, entries, document.spelled)))
    with at(f"{document.source}: loss"):
        return stages, LOSS.value(document.entries.get("loss", LOSS.default))


def _stage(layer: Document) -> Stage:
    from convgrad.cli.gather import operand
    from convgrad.problems.network import Stage

    with at(f"{layer.source}: type"):
        if "type" not in layer.entries:
            raise ConvgradError("there is no type", hint=f"use one of {', '.join(TYPES)}")
        kind = TYPES[choice(TYPES)(layer.entries["type"])]
    entries = {name for given in kind.own for name in given.entries}
    known = {"type", "name", "comment", *(each.name for each in kind.in_network), *entries, *kind.velocities}
    for name in layer.entries:
        if name not in known and name.lower() not in entries:
            hint = did_you_mean(name, known)
            raise ConvgradError(f"a {kind.name} layer has no {name!r}", where=layer.source, hint=hint)
    found = {given.name: layer.role(given.name) for given in kind.own}
    operands = {role: operand(layer.array(name)) for role, name in found.items() if name}
    operands |= {name: operand(layer.array(name)) for name in kind.velocities if name in layer.entries}
    for given in kind.own:
        if given.needed and given.name not in operands:
            raise ConvgradError(
                f"a {kind.name} layer needs its {given.name}",
                where=layer.source,
                hint=f'add "{given.name}": [[...]]',
            )
    return Stage(kind.name, operands, read_settings(layer.entries, kind.in_network, layer.source), layer.source)


def _entries(stages: list[Stage], done: Pass) -> dict[str, Any]:
    """The results as JSON has them."""
    return {
        "output": done.output,
        "loss": done.loss,
        "layers": [
            {"type": stage.type, **{name: quantity.value for name, quantity in layer.items()}}
            for stage, layer in zip(stages, done.layers, strict=True)
        ],
    }


def _reports(stages: list[Stage], done: Pass, kind: str) -> list[Report]:
    """What a table shows: the loss, and the layers from there back."""
    from convgrad.cli.work import titled
    from convgrad.problems.report import Report

    first = done.layers[-1]
    top = {name: first[name] for name in ("output", "delta")} | {"loss": done.loss_quantity}
    reports = [Report(f"the loss, {kind}, and what goes back from it", {}, {}, top)]
    for k in reversed(range(len(stages))):
        own = done.working[k]
        inner: dict[str, Any] = {
            name: own.operands[name] for name in ("z", "derivative", "sensitivity") if name in own.operands
        }
        title = f"layers[{k}]: {titled(stages[k].type, stages[k].settings)}"
        reports.append(Report(title, inner, own.spatial, done.layers[k], working=own.working))
    return reports


def _figures(
    stages: list[Stage], done: Pass, kind: str, only: list[str], asked: list[Explanation], zeros: bool
) -> list[Report]:
    """What a page shows: the loss, and each layer with its overlays, in its forms.

    only: the results that are shown, all where it names none; asked: elements written out, which belong to their
    layers; zeros: whether products that are 0 are listed in them.
    """
    from convgrad.cli.work import titled
    from convgrad.problems.forms import forms_of, in_form
    from convgrad.problems.report import Report

    def figure(title: str, own: Solution, results: Mapping[str, Quantity], prefix: str) -> Report:
        opened = [replace(e, name=e.name.removeprefix(prefix)) for e in asked if e.name.startswith(prefix)]

        def report(form: str) -> Report:
            worked = in_form(own, form)
            return Report(
                title,
                worked.operands,
                worked.spatial,
                results,
                None,
                working=worked.working,
                explanations=opened,
                zeros=zeros,
                form=form,
                arrays=worked.arrays,
                problem=own.problem,
            )

        return replace(report("overlay"), forms={each: report(each) for each in forms_of(own)})

    first = done.layers[-1]
    top = {name: first[name] for name in ("output", "delta")} | {"loss": done.loss_quantity}
    opened = [each for each in asked if each.name in top]
    shown = {name: top[name] for name in top if name in (only or top)}
    found = [Report(f"the loss, {kind}", {}, {}, shown, explanations=opened, zeros=zeros)]
    for k in reversed(range(len(stages))):
        wanted = [name for name in done.layers[k] if not only or f"layers[{k}].{name}" in only]
        own = {name: done.layers[k][name] for name in wanted if name != "delta"}  # which is given to the layer
        title = f"layers[{k}]: {titled(stages[k].type, stages[k].settings)}"
        found.append(figure(title, done.working[k], own, f"layers[{k}]."))
    return [report for report in found if report.results or report.explanations]


def _picked(title: str, entries: Mapping[str, Any]) -> list[Report]:
    """A report of single results, as a table shows them."""
    from convgrad.core.quantity import bare
    from convgrad.problems.report import Report
    from convgrad.render.data.csv import flattened

    return [Report(title, {}, {}, {name: bare(name, array) for name, array in flattened(entries).items()})]


def _updated(document: Document, stages: list[Stage], done: Pass) -> dict[str, Any]:
    """The network with its new parameters, under the names that the file gave them."""
    from convgrad.files import Document

    network = copy.deepcopy(document.entries)
    for entries, stage, layer in zip(network["layers"], stages, done.layers, strict=True):
        for short, given in KINDS[stage.type].parameters.items():
            name = Document(stage.where, entries).role(given.name)
            if name is not None:
                entries[name] = layer[f"{short}_new"].value
                if f"velocity_{short}" in layer:
                    entries[f"velocity_{short}"] = layer[f"velocity_{short}"].value
    return network
