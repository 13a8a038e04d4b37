"""The one door from what a command has to say to bytes."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from convgrad.errors import OptionError
from convgrad.kinds.formats import FORMATS, Format
from convgrad.render.writer import Said, Style


def write(said: Said, form: str, style: Style | None = None) -> bytes:
    """What is to be said -> the bytes of a format, one of kinds/formats.py; OptionError where it cannot say it."""
    found = _writer(FORMATS[form])
    if not hasattr(found, said.noun):
        able = [each.name for each in FORMATS.values() if hasattr(_writer(each), said.noun)]
        raise OptionError(f"{said.called} written as {' or '.join(able)}, not as {form}", where="--format")
    written: str | bytes = getattr(found(form, style or Style()), said.noun)(said)
    return written.encode() if isinstance(written, str) else written


def _writer(form: Format) -> Any:
    """The class that writes a format."""
    module, _, name = form.writer.partition(":")
    return getattr(import_module(module), name)
