"""A document of named entries, and which entry a role takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from convgrad.core.operand import Operand
from convgrad.errors import FileError, at, did_you_mean, shortened
from convgrad.files.numbers import to_array
from convgrad.kinds import ROLES, STEAD
from convgrad.numerals import Spelled, to_float


@dataclass(frozen=True, eq=False, repr=False)
class Document:
    """Named entries of one file: arrays, still as they were parsed, and settings."""

    source: str
    entries: dict[str, Any]
    spelled: Spelled = to_float
    """What its numbers were made into."""

    def find(self, name: str) -> str | None:
        """The entry called `name`, whatever its case where only one could be meant; None where there is none."""
        if name in self.entries:
            return name
        same = [each for each in self.entries if each.lower() == name.lower()]
        if len(same) > 1:
            raise FileError(
                f"{' and '.join(map(repr, same))} could both be {name!r}",
                where=self.source,
                hint="name one of them exactly",
            )
        return same[0] if same else None

    def role(self, role: str) -> str | None:
        """The name of the entry that plays a role, None where there is none; FileError where there are two."""
        found = list(dict.fromkeys(filter(None, map(self.find, ROLES[role]))))
        if len(found) > 1:
            raise FileError(
                f"{' and '.join(map(repr, found))} are both the {role}",
                where=self.source,
                hint="keep one of them",
            )
        return found[0] if found else None

    def take(self, role: str) -> Operand:
        """The array for a role, or what stands in for it; FileError lists what there is instead."""
        if not self.entries:
            raise FileError("it is an empty object", where=self.source, hint=f"add {role!r} to it")
        name = self.role(role) or (self.find(STEAD[role]) if role in STEAD else None)
        if name is None:
            near = next(filter(None, (did_you_mean(each, [role], 0.75) for each in self.entries)), "")
            raise FileError(
                f"there is no {role} in it, only {_listed(self.entries)}",
                where=self.source,
                hint=near or f"name the entry you mean: {self.source}#NAME",
            )
        return self.array(name)

    def array(self, name: str) -> Operand:
        """The entry of that exact name, as an array."""
        value = self.entries[name]
        with at(f"{self.source}: {name}"):
            if isinstance(value, FileError):
                raise FileError(value.message, hint=value.hint)
            if isinstance(value, str) and "/" not in value:
                raise FileError(f"it is {shortened(value)}, where an array is expected")
            return Operand(
                value if isinstance(value, np.ndarray) else to_array(value, self.spelled), f"{self.source}: {name}"
            )


def select(value: Any, key: str, source: str) -> Any:
    """The part of parsed data that a key names: ``dX``, ``layers[0].dW``, or a name with dots; FileError for none."""
    if isinstance(value, dict) and (found := Document(source, value).find(key)) is not None:
        return _entry(value, found, source)
    if not re.fullmatch(r"[^.\[\]]*(\[[0-9]{1,9}\])*(\.[^.\[\]]+(\[[0-9]{1,9}\])*)*", key):
        raise FileError(f"{key!r} names no entry", where=source, hint="write #NAME, or #layers[0].dW")
    for part in re.findall(r"[^.\[\]]+|\[[0-9]+\]", key):
        if part.startswith("["):
            index = int(part[1:-1])
            if not isinstance(value, list | np.ndarray) or np.ndim(value) == 0 or index >= len(value):
                raise FileError(f"there is no {part} in {key}", where=source)
            value = np.asarray(value[index]) if isinstance(value, np.ndarray) else value[index]
        elif not isinstance(value, dict):
            raise FileError(
                f"there is no entry {part!r}, because it holds an array", where=source, hint="leave #" + key + " out"
            )
        else:
            found = Document(source, value).find(part)
            if found is None:
                raise FileError(
                    f"there is no entry {part!r}, only {_listed(value)}", where=source, hint=did_you_mean(part, value)
                )
            value = _entry(value, found, source)
    return value


def _entry(entries: dict[str, Any], name: str, source: str) -> Any:
    if isinstance(entries[name], FileError):
        raise FileError(entries[name].message, where=f"{source}: {name}", hint=entries[name].hint)
    return entries[name]


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    return (", ".join(listed[:12]) + (", ..." if len(listed) > 12 else "")) or "nothing"
