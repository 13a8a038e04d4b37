"""Settings: what may be said on the command line or in a document, and how it is read.

A setting is read from the option's own text (``"2,1"``, ``"1:2,0:1"``, ``"same"``) or from a document's
value (``2``, ``[2, 1]``, ``true``). Both spellings go through the same reader, so they mean the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from convgrad.errors import OptionError, at, did_you_mean, shortened
from convgrad.numerals import Numeral, parse_number, to_numeral

LARGEST = 10**6
"""The largest stride, padding, dilation or size that is taken: more than any axis that fits in memory needs."""


Names = Iterable[str] | Callable[[], Iterable[str]]
"""Some names, or a function that tells them when they are needed."""


def listed_names(names: Names) -> tuple[str, ...]:
    """The names."""
    return tuple(names() if callable(names) else names)


class Setting(NamedTuple):
    """One setting: its name as in a document, how its value is read, and what --help says of it.

    What is made from the rows of the activations or the losses is a function of them, called when it is needed: most
    commands need no row.
    """

    name: str
    read: Callable[[Any], Any]
    help: str | Callable[[], str]
    metavar: str = ""
    off: str = ""
    """For truth values that are on by default: the option that turns them off."""

    default: Any = None
    """What holds where it is not given, if others ask for it by that value."""

    belongs: tuple[str, Names] | None = None
    """``("kind", ("avg",))``: it means something only beside these values of that other setting."""

    field: str = ""
    """The field of the layer that it is, where that has another name."""

    rivals: tuple[str, ...] = ()
    """What it puts out of force in the document, besides itself, where it stands on the command line."""

    aliases: tuple[str, ...] = ()
    """Other spellings of its option; a document may use the long ones too."""

    @property
    def option(self) -> str:
        """The option's name on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def entries(self) -> tuple[str, ...]:
        """The names under which a document may hold it."""
        return (self.name, *(each[2:].replace("-", "_") for each in self.aliases if each.startswith("--")))

    @property
    def flag(self) -> bool:
        """Whether it is a truth value, an option without a value."""
        return self.read is truth

    @property
    def described(self) -> str:
        """What --help says of it."""
        return self.help if isinstance(self.help, str) else self.help()

    def value(self, given: Any) -> Any:
        """What was given, read and checked; OptionError says what was found and expected."""
        return self.read(given)


def whole(given: Any, least: int = 1) -> int:
    """A whole number of at least `least`: ``2`` or ``"2"``."""
    if isinstance(given, float) and abs(given) < 2**53 and given.is_integer():
        given = int(given)
    if isinstance(given, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,20}\s*", given, re.ASCII):
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool):
        raise OptionError(f"{shortened(given)} is not a whole number")
    if not least <= given <= LARGEST:
        raise OptionError(f"{shortened(given)} is not between {least} and {LARGEST}")
    return given


def wholes(given: Any) -> tuple[int, ...]:
    """Whole numbers of at least 1, one or one an axis: ``2``, ``"2,1"``, ``[2, 1]``."""
    return tuple(whole(each) for each in _parts(given))


def rows(given: Any) -> tuple[int, ...]:
    """Whole numbers of at least 0, one or one an axis."""
    return tuple(whole(each, least=0) for each in _parts(given))


DEPTHWISE = "depthwise"
"""As many groups as there are channels, which are known once there is an input."""


def grouping(given: Any) -> int | str:
    """A number of groups of channels, or DEPTHWISE."""
    if isinstance(given, str) and re.search("[A-Za-z]", given):
        if given == DEPTHWISE:
            return DEPTHWISE
        raise OptionError(
            f"{shortened(given)} is neither a number nor {DEPTHWISE}", hint=did_you_mean(given, (DEPTHWISE,))
        )
    return whole(given)


def padding(given: Any) -> str | tuple[tuple[int, int], ...]:
    """A name, or pairs (before, after) an axis: ``"same"``, ``1``, ``"2,1"``, ``"1:2,0:1"``, ``[[1, 2], 0]``."""
    if isinstance(given, str) and re.search("[A-Za-z]", given):
        return choice(PADDINGS)(given)
    pairs = []
    for part in _parts(given):
        pair = part.split(":") if isinstance(part, str) else _parts(part)
        if len(pair) > 2:
            raise OptionError(f"{shortened(part)} is not before:after")
        numbers = [whole(each, least=0) for each in pair]
        pairs.append((numbers[0], numbers[-1]))
    return tuple(pairs)


def number(given: Any) -> float:
    """A finite number: ``0.1`` or ``"0.1"``; it remembers how it was written, for exact arithmetic."""
    if isinstance(given, str):
        value = parse_number(given.strip(), to_numeral)
    else:  # a fraction of a document that is read exactly keeps all of its digits too
        value = Numeral(float(given), str(given)) if hasattr(given, "denominator") and _finite(given) else given
    if isinstance(value, bool) or not (isinstance(value, float) or hasattr(value, "numerator")):
        raise OptionError(f"{shortened(given)} is not a number")
    if not abs(value) <= 1e308:
        raise OptionError(f"{shortened(given)} is too large")
    return value if isinstance(value, Numeral) else float(value)


def _finite(given: Any) -> bool:
    return not isinstance(given, bool) and abs(given) <= 1e308


def nonzero(given: Any) -> float:
    """A finite number other than 0."""
    value = number(given)
    if value == 0:
        raise OptionError("it must not be 0")
    return value


def power(given: Any) -> float:
    """A finite number of at least 1."""
    value = number(given)
    if value < 1:
        raise OptionError(f"{value:g} is below 1")
    return value


def truth(given: Any) -> bool:
    """True or false."""
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in ("true", "false"):
        return given.lower() == "true"
    raise OptionError(f"{shortened(given)} is neither true nor false")


def choice(names: Names) -> Callable[[Any], str]:
    """One of some names; a near miss is told which was probably meant."""

    def read(given: Any) -> str:
        known = listed_names(names)
        if given in known:
            return str(given)
        near = did_you_mean(given, known) if isinstance(given, str) else ""
        raise OptionError(f"there is no {shortened(given)}, only {', '.join(known)}", hint=near)

    return read


def numbered(*known: int) -> Callable[[Any], int]:
    """One of some whole numbers."""

    def read(given: Any) -> int:
        value = whole(given)
        if value not in known:
            raise OptionError(f"{value} is not one of {', '.join(map(str, known))}")
        return value

    return read


def _parts(given: Any) -> list[Any]:
    parts = given.split(",") if isinstance(given, str) else given
    parts = parts.tolist() if hasattr(parts, "tolist") else parts
    parts = list(parts) if isinstance(parts, list | tuple) else [parts]
    if not 1 <= len(parts) <= 3:
        raise OptionError(f"{shortened(given)} has {len(parts)} entries; there are at most 3 spatial axes")
    return parts


PADDINGS = ("valid", "same", "same-lower", "full", "causal")
PAD_MODES = ("zeros", "reflect", "replicate", "circular")


# -- settings of a document and of the command line -----------------------------------------------------------


def read_settings(entries: Mapping[str, Any], known: Iterable[Setting], source: str) -> dict[str, Any]:
    """The values of the `known` settings among a document's entries, in any case; OptionError names the entry."""
    table = {name: setting for setting in known for name in setting.entries}
    values: dict[str, Any] = {}
    for name, given in entries.items():
        setting = table.get(name.lower())
        if setting is None or (name != name.lower() and name.lower() in entries):
            continue
        with at(f"{source}: {name}"):
            if setting.name in values:
                raise OptionError(f"{setting.name} stands there twice, written differently", hint="keep one of them")
            values[setting.name] = setting.value(given.tolist() if hasattr(given, "tolist") else given)
    return values


def overridden(document: Mapping[str, Any], given: Mapping[str, Any], known: Iterable[Setting]) -> dict[str, Any]:
    """A document's settings, under those given on the command line, which win; of the `known` ones."""
    lost: set[str] = set()
    for setting in known:
        if given.get(setting.name, False) is not False:
            lost |= {*setting.rivals}
        if setting.belongs is not None and setting.belongs[0] in given:
            owner, values = setting.belongs
            lost |= set() if given[owner] in listed_names(values) else {setting.name}
    return {**{name: value for name, value in document.items() if name not in lost}, **given}


def meaningless(settings: Mapping[str, Any], known: Iterable[Setting]) -> Iterator[tuple[Setting, str]]:
    """The settings that mean nothing beside the value that their owner has, each with that value."""
    table = {setting.name: setting for setting in known}
    for setting in table.values():
        if setting.belongs is not None and settings.get(setting.name, setting.default) != setting.default:
            owner, values = setting.belongs
            found = settings.get(owner, table[owner].default)
            if found not in listed_names(values):
                yield setting, found


def check_owned(settings: Mapping[str, Any], known: Iterable[Setting]) -> None:
    """OptionError for a setting that means nothing beside the value that its owner has."""
    for setting, found in meaningless(settings, known):
        assert setting.belongs is not None
        owner, values = setting.belongs
        only = f"--{owner} {' or '.join(listed_names(values))}"
        raise OptionError(f"{setting.option} belongs to {only}, and it is {found}", hint=f"add {only}")
