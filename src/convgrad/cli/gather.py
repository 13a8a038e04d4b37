"""From sources and options to operands and settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from convgrad.errors import ConvgradError, did_you_mean
from convgrad.files import Document, Reader
from convgrad.files.document import Loaded
from convgrad.kinds import NAMES, VELOCITIES
from convgrad.kinds.setting import Setting, overridden, read_settings
from convgrad.numerals import to_fraction
from convgrad.problems import Operand

NEAR = 0.8
"""How alike an entry must be to a known name to be taken for a misspelling of it, and not for a remark."""


def gather(
    reader: Reader, sources: Mapping[str, str | None], options: Mapping[str, Any], table: Iterable[Setting]
) -> tuple[dict[str, Operand], dict[str, Any]]:
    """Sources by role, and options -> operands and settings.

    The first role's source may be a document, which fills the gaps; what the command line says wins over it. Where the
    settings say `exact`, numbers are read once more, as they are written.
    ConvgradError for an entry that is a near miss of a name that convgrad knows.
    """
    if options.get("dtype") == "exact":
        reader.spelled = to_fraction
    operands, settings = _gathered(reader, sources, options, table)
    if settings.get("dtype") == "exact" and reader.spelled is not to_fraction:
        reader.anew(to_fraction)
        operands, settings = _gathered(reader, sources, options, table)
    return operands, settings


def _gathered(
    reader: Reader, sources: Mapping[str, str | None], options: Mapping[str, Any], table: Iterable[Setting]
) -> tuple[dict[str, Operand], dict[str, Any]]:
    operands: dict[str, Operand] = {}
    settings: dict[str, Any] = {}
    document: Document | None = None
    for number, (role, source) in enumerate(sources.items()):
        if source is None:
            continue
        loaded = reader.read(source)
        if role == "velocity":
            operands |= _velocities(loaded)
            continue
        if number == 0 and isinstance(loaded.value, Document):
            document = loaded.value
        operands[role] = operand(loaded.take(role))
    if document is not None:
        operands = {**from_document(document, [role for role in sources if role != "velocity"]), **operands}
        settings = read_settings(document.entries, table, document.source)
    settings = overridden(settings, {name: value for name, value in options.items() if value is not None}, table)
    if document is not None and "velocity" in sources and "momentum" in settings and document.role("input"):
        # not where another layer's results stand in for the input: their velocities are not this layer's
        operands = {**_velocities_in(document), **operands}
    return operands, settings


def from_document(document: Document, roles: Iterable[str]) -> dict[str, Operand]:
    """The operands that a document holds; ConvgradError for an entry that is a near miss of a known name."""
    _check_names(document)
    found = {role: document.role(role) for role in roles}
    return {role: operand(document.array(name)) for role, name in found.items() if name is not None}


def operand(loaded: Loaded) -> Operand:
    """What was read for a role, as an operand."""
    assert not isinstance(loaded.value, Document)
    return Operand(loaded.value, loaded.source, loaded.literal)


def _velocities(loaded: Loaded) -> dict[str, Operand]:
    if not isinstance(loaded.value, Document):
        raise ConvgradError(
            "it holds one array", where=loaded.source, hint="velocities are a document with velocity_W and velocity_b"
        )
    found = _velocities_in(loaded.value)
    if not found:
        raise ConvgradError(
            "there is no velocity_W or velocity_b in it", where=loaded.source, hint="give the JSON of the last step"
        )
    return found


def _velocities_in(document: Document) -> dict[str, Operand]:
    found = {name: document.find(name) for name in VELOCITIES}
    return {name: operand(document.array(entry)) for name, entry in found.items() if entry is not None}


def _check_names(document: Document) -> None:
    """A misspelt setting must not pass silently; any other name that is not known is the reader's own business."""
    known = {*NAMES, "steps", "explain", "z", "type", "layers", "layer"}
    lowered = {name.lower() for name in known}
    for name in document.entries:
        near = did_you_mean(name, known, NEAR) if name.lower() not in lowered and len(name) > 2 else ""
        if near:
            raise ConvgradError(f"nothing is called {name!r}", where=document.source, hint=near)


def need(operands: Mapping[str, Operand], role: str, option: str, source: str) -> None:
    """ConvgradError that says how to add a missing operand."""
    if role not in operands:
        raise ConvgradError(
            f"there is no {role}", where=source, hint=f"give {option}, or an entry {role!r} in a document"
        )
