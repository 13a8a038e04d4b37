"""Files <-> named entries: reading sources with the place of every error; writing.py writes files whole or not at all."""

from convgrad.files.document import Document, Loaded
from convgrad.files.source import Reader

__all__ = ["Document", "Loaded", "Reader"]
