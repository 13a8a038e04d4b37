"""The one door from what a command has to say to bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

from convgrad.errors import OptionError
from convgrad.kinds.formats import FORMATS, Format, telling
from convgrad.render.writer import Accompanied, Said, Style


def write(said: Said, form: str, style: Style | None = None) -> bytes:
    """What is to be said -> the bytes of a format, one of kinds/formats.py; OptionError where it cannot say it."""
    return write_all(said, form, style)[0]


def write_all(said: Said, form: str, style: Style | None = None) -> tuple[bytes, Mapping[str, bytes]]:
    """The same, and the bytes of the files that have to stand beside it, by suffix: none unless `style` lets them."""
    written: str | bytes | Accompanied = _method(said, form, style)(said)
    text, beside = written if isinstance(written, Accompanied) else (written, {})
    return text.encode() if isinstance(text, str) else text, beside


def stream(said: Said, form: str, style: Style | None = None) -> Iterator[bytes]:
    """What is said in many parts, one after the other, so that they need not be held together.

    OptionError where the format cannot say it, at once.
    """
    method = _method(said, form, style)
    return (part.encode() for part in method(said))


def _method(said: Said, form: str, style: Style | None) -> Callable[[Said], Any]:
    found = _writer(FORMATS[form])
    if not hasattr(found, said.noun):
        raise OptionError(f"{said.called} written as {telling(said.noun)}, not as {form}", where="--format")
    method: Callable[[Said], Any] = getattr(found(form, style or Style()), said.noun)
    return method


def _writer(form: Format) -> Any:
    """The class that writes a format."""
    module, _, name = form.writer.partition(":")
    return getattr(import_module(module), name)
