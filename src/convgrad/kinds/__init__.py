"""The kinds of layers and what people may say of each: commands, files, answers and help are made from this list."""

from __future__ import annotations

from collections.abc import Iterable

from convgrad.errors import did_you_mean
from convgrad.kinds.activation import ACTIVATION
from convgrad.kinds.conv import CONV
from convgrad.kinds.dense import DENSE
from convgrad.kinds.flatten import FLATTEN
from convgrad.kinds.kind import Given, Kind
from convgrad.kinds.loss import LOSS
from convgrad.kinds.norm import NORM
from convgrad.kinds.pool import POOL
from convgrad.kinds.setting import Setting

KINDS: dict[str, Kind] = {kind.name: kind for kind in (CONV, POOL, DENSE, ACTIVATION, NORM, FLATTEN, LOSS)}
"""In the order in which they are learned."""


OF_PROBLEMS = {name: kind for name, kind in KINDS.items() if kind.commands}
"""Those that a document can be a problem of."""


def _all(names: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for each in names for name in each))


WORDS = _all(kind.words for kind in OF_PROBLEMS.values())
"""What the catalogue calls layers: a kind's name, or that of a variant; of those that problems are about."""

LAYERS = {word: path for kind in KINDS.values() for word, path in {kind.name: kind.layer, **kind.variants}.items()}
"""Where the class of each layer lives, ``module:Class``, by its word."""

PARAMETERS = _all(kind.parameters for kind in KINDS.values())
"""What layers learn: ``W``, ``b``."""

VELOCITIES = _all(kind.velocities for kind in KINDS.values())

STEPPED = {name: each for each in PARAMETERS for name in (f"{each}_new", f"velocity_{each}")}
"""Results of a step of descent, and the parameter whose step it is."""

RESULTS = (
    *_all(kind.gives for kind in KINDS.values()),
    *(f"d{name}" for name in PARAMETERS),
    "dX",
    *_all(kind.stepped for kind in KINDS.values()),
    *VELOCITIES,
)
"""The names of results, in the order in which they are written."""

ADDED_BY = {
    **{name: "--lr" for kind in KINDS.values() for name in kind.stepped},
    **dict.fromkeys(VELOCITIES, "--momentum"),
    **{
        setting.name: f"{setting.option} of {kind.name}-forward"
        for kind in KINDS.values()
        for setting in kind.forward_only
        if setting.name in kind.gives
    },
}
"""Results that are there only where they are asked for, and what asks for them."""

FORMS = {form.name: form for kind in KINDS.values() for form in kind.forms}
"""The derivations that the working of some layer may follow, by name."""

USUAL_FORMS = {form.name for kind in KINDS.values() for form in kind.forms[:1]}
"""Those that need not be asked for."""


def _givens() -> dict[str, Given]:
    return {given.name: given for kind in KINDS.values() for given in kind.given}


ROLES: dict[str, tuple[str, ...]] = {given.name: given.entries for given in _givens().values()}
"""The names under which a document may hold each operand."""

STEAD = {given.name: given.stead for given in _givens().values() if given.stead}
"""What stands in for an operand when one command's results are the next one's input."""

SETTINGS = _all((setting.name for setting in kind.known(False)) for kind in KINDS.values())
"""The names of all settings: a document may carry settings for another command."""

_ENTRIES = _all(setting.entries for kind in KINDS.values() for setting in kind.known(False))

NAMES = frozenset((*_ENTRIES, *RESULTS, *_all(ROLES.values())))
"""What an entry of a document may be called: settings, results, operands."""

BESIDE = frozenset(
    {"type", "layer", "layers", "name", "title", "comment", "steps", "explain", "z"}
    | {"ask", "digits", "numbers", "separates", "rounded"}
)
"""What a document may hold besides: what it is of, remarks, the working that was written with results, what an exercise
asks for and what its key says besides."""


GRADIENTS = {
    **{
        f"d{entry}".lower(): f"d{short}"
        for kind in KINDS.values()
        for short, it in kind.parameters.items()
        for entry in it.entries
    },
    **{f"d{entry}".lower(): "dX" for entry in ROLES["input"]},
}
"""Which result people mean by the gradient of an operand, as they call it: dK and dkernel are dW, dinput is dX."""


def near_result(word: str, results: Iterable[str]) -> str:
    """``Did you mean 'dW'?`` for a word that means one of some results, or is nearly its name; else nothing."""
    known = list(results)
    meant = GRADIENTS.get(word.lower())
    return f"Did you mean '{meant}'?" if meant in known and meant != word else did_you_mean(word, known)


def kind_of(word: str) -> Kind:
    """The kind of layer that a word of the catalogue is about: that of ``transposed`` is conv."""
    return next(kind for kind in KINDS.values() if word in kind.words)


def setting_of(word: str, name: str) -> Setting:
    """A setting, by name, of a kind of layer or of a variant of it."""
    return next(setting for setting in kind_of(word).every if setting.name == name)
