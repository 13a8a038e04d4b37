"""Files <-> named entries: reading with the place of every error, writing whole or not at all (writing.py)."""

from convgrad.files.document import Document
from convgrad.files.source import Reader

__all__ = ["Document", "Reader"]
