"""Files <-> named entries: reading sources with the place of every error, writing files whole or not at all."""

from convgrad.files.document import Document, Loaded
from convgrad.files.source import Reader
from convgrad.files.writing import write_file

__all__ = ["Document", "Loaded", "Reader", "write_file"]
