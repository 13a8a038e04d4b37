"""Lines of a file, one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from convgrad.errors import FileError


def lines_of(path: str) -> Iterator[str]:
    """The lines of a file of UTF-8 text; FileError where it cannot be read."""
    try:
        with open(path, encoding="utf-8") as stream:
            yield from stream
    except UnicodeDecodeError as error:
        raise FileError(f"byte {error.start} is not UTF-8 text", where=path) from None
    except OSError as error:
        raise FileError(f"it cannot be read ({error.strerror})", where=path) from None
