"""Text that others wrote, made harmless: what moves a cursor, turns lines round or is no character is shown."""

from __future__ import annotations

import re
import unicodedata

_HARMFUL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")


def visible(text: str) -> str:
    """``a\\x1b[31m`` for an escape sequence; letters of every script stay."""
    shown = _HARMFUL.sub(lambda found: _escaped(found[0]), text)
    return "".join(each if unicodedata.category(each) != "Cn" else _escaped(each) for each in shown)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
