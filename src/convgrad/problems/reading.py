"""From sources and options to operands and settings, and what kind of layer a document is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from convgrad.core.operand import Operand
from convgrad.errors import ConvgradError, FileError, at, did_you_mean
from convgrad.files import Document, Reader
from convgrad.kinds import BESIDE, NAMES, OF_PROBLEMS
from convgrad.kinds.kind import Kind
from convgrad.kinds.setting import Setting, choice, overridden, read_settings
from convgrad.kinds.shared import DTYPE
from convgrad.numerals import Spelled, to_float, to_fraction

FOLDED = "hparameters"
"""An entry that holds settings of its own."""

NEAR = 0.8
"""How alike an entry must be to a known name to be taken for a misspelling of it, and not for a remark."""


def read_problem(
    reader: Reader,
    sources: Mapping[str, str | None],
    options: Mapping[str, Any],
    table: Iterable[Setting],
    velocities: Sequence[str] = (),
    layer: str = "",
) -> tuple[dict[str, Operand], dict[str, Any]]:
    """Sources by role, and options -> operands and settings; velocities: the names of those that the layer has.

    layer: the kind of layer that is meant; ConvgradError for a document that says to be a problem of another.

    The first role's source may be a document, which fills the gaps; what the command line says wins over it. Numbers
    are read as they are written where options or document say `exact`, as floats elsewhere. One number in a document
    that holds the input stands everywhere, as a typed one does.
    ConvgradError for an entry that is a near miss of a name that convgrad knows.
    """
    (head, first), *others = sources.items()
    assert first is not None
    given, spelled = {name: value for name, value in options.items() if value is not None}, spelled_in(options)
    main = _unfolded(reader.read(first, spelled))
    if isinstance(main, Document) and DTYPE.name not in given and _exact(main):
        spelled = to_fraction
        main = _unfolded(reader.read(first, spelled))
    if isinstance(main, Document) and layer:
        _check_layer(main, layer)
    operands = {head: main.take(head)}
    for role, source in others:
        if source is not None:
            found = reader.read(source, spelled)
            operands |= _velocities(found, source, velocities) if role == "velocity" else {role: found.take(role)}
    if not isinstance(main, Document):
        return operands, overridden({}, given, table)
    beside = from_document(main, [role for role in sources if role != "velocity"])
    if main.role(head):  # one number beside the input is meant as where it is typed; beside another's output it is one
        beside = {role: each._replace(typed=True) for role, each in beside.items()}
    operands = {**beside, **operands}
    settings = overridden(read_settings(main.entries, table, main.source), given, table)
    if "velocity" in sources and "momentum" in settings and main.role(head):
        # not where another layer's results stand in for the input: their velocities are not this layer's
        operands = {**_velocities_in(main, velocities), **operands}
    return operands, settings


def _check_layer(document: Document, layer: str) -> None:
    """ConvgradError for a document that says to be a problem of another kind of layer; a remark is passed over."""
    entry = document.find("layer")
    said = None if entry is None else document.entries[entry]
    if isinstance(said, str) and said in OF_PROBLEMS and said != layer:
        commands = " or ".join(f"convgrad {name}" for name in OF_PROBLEMS[said].commands)
        raise ConvgradError(
            f"it is a problem of {said}, not of {layer}", where=f"{document.source}: {entry}", hint=f"use {commands}"
        )


def _unfolded(found: Operand | Document) -> Operand | Document:
    """A document with the settings that stand in its entry ``hparameters``, where a course keeps them, as entries."""
    name = found.find(FOLDED) if isinstance(found, Document) else None
    if name is None or not isinstance(found, Document):
        return found
    inner, rest = found.entries[name], {each: value for each, value in found.entries.items() if each != name}
    if isinstance(inner, FileError):  # a dictionary in an npz, which only Python can read
        raise FileError(inner.message, where=f"{found.source}: {name}", hint="leave it out and say --stride and --pad")
    if not isinstance(inner, dict):
        raise FileError("it is no object", where=f"{found.source}: {name}", hint='write {"stride": 2, "pad": 1}')
    if twice := inner.keys() & rest.keys():
        raise FileError(f"{min(twice)} stands there twice", where=found.source, hint="keep one of them")
    return Document(found.source, {**rest, **inner}, found.spelled)


def spelled_in(settings: Mapping[str, Any]) -> Spelled:
    """What numbers are made into under these settings: fractions, or floats."""
    return to_fraction if settings.get(DTYPE.name) == "exact" else to_float


def _exact(document: Document) -> bool:
    """Whether a document says that it is to be read exactly; what else it says is read later."""
    return any(name.lower() == DTYPE.name and value == "exact" for name, value in document.entries.items())


def from_document(document: Document, roles: Iterable[str]) -> dict[str, Operand]:
    """The operands that a document holds; ConvgradError for an entry that is a near miss of a known name."""
    _check_names(document)
    found = {role: document.role(role) for role in roles}
    return {role: document.array(name) for role, name in found.items() if name is not None}


def _velocities(found: Operand | Document, source: str, names: Sequence[str]) -> dict[str, Operand]:
    if not isinstance(found, Document):
        raise ConvgradError(
            "it holds one array",
            where=found.source,
            hint=f"velocities are a document with {' and '.join(names)}",
        )
    velocities = _velocities_in(found, names)
    if not velocities:
        raise ConvgradError(
            f"there is no {' or '.join(names)} in it", where=found.source, hint="give the JSON of the last step"
        )
    return velocities


def _velocities_in(document: Document, names: Sequence[str]) -> dict[str, Operand]:
    found = {name: document.find(name) for name in names}
    return {name: document.array(entry) for name, entry in found.items() if entry is not None}


def _check_names(document: Document) -> None:
    """A misspelt setting must not pass silently; any other name that is not known is the reader's own business."""
    known = NAMES | BESIDE
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


def document_in(reader: Reader, source: str) -> Document:
    """The document that a source holds; ConvgradError where it holds one array."""
    found = _unfolded(reader.read(source))
    if isinstance(found, Document):
        return found
    raise ConvgradError(
        "it holds one array, not a problem",
        where=source,
        hint='a problem is {"input": ..., "kernel": ..., "delta": ...}',
    )


def read_document(
    reader: Reader, source: str, layer: str | None, dtype: str = "float64"
) -> tuple[Kind, dict[str, Operand], dict[str, Any]]:
    """A document that holds a problem -> the kind of layer, that of a name or what it says itself, and the problem.

    Its numbers are read as floats, or as fractions where the dtype is `exact`. ConvgradError where it is no document.
    """
    document = document_in(reader, source)
    kind = kind_in(document) if layer is None else OF_PROBLEMS[layer]
    roles = (*kind.roles, *(["velocity"] if kind.velocities else []))
    sources = {role: source if role == roles[0] else None for role in roles}
    operands, settings = read_problem(reader, sources, {DTYPE.name: dtype}, kind.known(False), kind.velocities)
    return kind, operands, settings


def kind_in(document: Document) -> Kind:
    """The kind of layer that a problem is of, by its entry `layer` or by what else it holds.

    ConvgradError where that leaves it open.
    """
    for entry in ("layer", "type"):
        name = document.find(entry)
        if name is not None:
            with at(f"{document.source}: {name}"):
                return OF_PROBLEMS[choice(OF_PROBLEMS)(document.entries[name])]
    held = {name.lower(): value for name, value in document.entries.items()}
    for kind in sorted(OF_PROBLEMS.values(), key=lambda kind: -kind.precedence):
        if any(name in held and (not values or held[name] in values) for name, values in kind.marks.items()):
            return kind
    raise ConvgradError(
        "it does not say what layer this is a problem of",
        where=document.source,
        hint=f'add --layer NAME, or an entry "layer": one of {", ".join(OF_PROBLEMS)}',
    )
