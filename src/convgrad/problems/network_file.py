"""A network as its file says it: read into stages, and written back with its new parameters."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from convgrad.core.operand import Operand
from convgrad.errors import ConvgradError, at, did_you_mean
from convgrad.files import Document
from convgrad.kinds import KINDS, setting_of
from convgrad.kinds.setting import choice, read_settings
from convgrad.problems.network import Pass, Stage

TYPES = {kind.name: kind for kind in KINDS.values() if kind.in_networks}
"""The types of layers."""

LOSS = setting_of("loss", "kind")


def network_in(found: Operand | Document) -> Document:
    """What was read for a network, which must be a document."""
    if isinstance(found, Document):
        return found
    raise ConvgradError(
        "it holds an array, not a network",
        where=found.source,
        hint='a network is {"layers": [...], "loss": "mse"}',
    )


def read_network(document: Document) -> tuple[list[Stage], str]:
    """A network document -> its stages and the kind of its loss; errors name the layer and the key."""
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
        kind = LOSS.value(document.entries.get("loss", LOSS.default))
    _check_last(stages, kind)
    return stages, kind


def _check_last(stages: Sequence[Stage], kind: str) -> None:
    """ConvgradError where the last activation is one that the loss applies itself."""
    from convgrad.kinds.losses import LOSSES

    last, own = stages[-1], LOSSES[kind].logits
    if own and last.settings.get("activation") == own:
        instead = next(row.name for row in LOSSES.values() if row.classes and row.probabilities)
        raise ConvgradError(
            f"its activation is {own}, but {kind} takes the {own} of the output itself",
            where=last.where,
            hint=f'leave the {own} out, or write "loss": "{instead}", which takes probabilities',
        )


def _stage(layer: Document) -> Stage:
    with at(f"{layer.source}: type"):
        if "type" not in layer.entries:
            raise ConvgradError("there is no type", hint=f"use one of {', '.join(TYPES)}")
        kind = TYPES[choice(TYPES)(layer.entries["type"])]
    entries = {name for given in kind.own for name in given.entries}
    known = {
        "type",
        "name",
        "comment",
        *(name for each in kind.in_network for name in each.entries),
        *entries,
        *kind.velocities,
    }
    for name in layer.entries:
        if name not in known and name.lower() not in entries:
            hint = did_you_mean(name, known)
            raise ConvgradError(f"a {kind.name} layer has no {name!r}", where=layer.source, hint=hint)
    found = {given.name: layer.role(given.name) for given in kind.own}
    operands = {role: layer.array(name) for role, name in found.items() if name}
    operands |= {name: layer.array(name) for name in kind.velocities if name in layer.entries}
    for given in kind.own:
        if given.needed and given.name not in operands:
            raise ConvgradError(
                f"a {kind.name} layer needs its {given.name}",
                where=layer.source,
                hint=f'add "{given.name}": [[...]]',
            )
    return Stage(kind.name, operands, read_settings(layer.entries, kind.in_network, layer.source), layer.source)


def updated(document: Document, stages: Sequence[Stage], done: Pass) -> dict[str, Any]:
    """The network with its new parameters, under the names that the file gave them."""
    network = copy.deepcopy(document.entries)
    for entries, stage, layer in zip(network["layers"], stages, done.layers, strict=True):
        for short, given in KINDS[stage.type].parameters.items():
            name = Document(stage.where, entries).role(given.name)
            if name is not None:
                entries[name] = layer[f"{short}_new"].value
                if f"velocity_{short}" in layer:
                    entries[f"velocity_{short}"] = layer[f"velocity_{short}"].value
    return network
