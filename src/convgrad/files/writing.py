"""Writing files whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from convgrad.errors import FileError, at


def write_file(path: str, data: bytes, inputs: Iterable[str] = ()) -> None:
    """Write `data` to a file: a temporary file beside the target, then a rename.

    A link's target is replaced, not the link; permissions are kept; pipes and devices are written directly.
    FileError where it cannot be done, or where the target is one of the command's own `inputs`.
    """
    with at(path):
        target = Path(os.path.realpath(path))
        try:
            for source in inputs:
                if target.is_file() and os.path.exists(source) and target.samefile(source):
                    raise FileError("it is one of this command's own inputs", hint="write to another file")
            if target.exists() and not stat.S_ISREG(target.stat().st_mode):
                if target.is_dir():
                    raise FileError("it is a folder", hint="name a file in it")
                target.write_bytes(data)
            else:
                _replace(target, data)
        except OSError as error:
            hint = "there is no such folder" if isinstance(error, FileNotFoundError) else ""
            raise FileError(f"it cannot be written ({error.strerror})", hint=hint) from None


def _replace(target: Path, data: bytes) -> None:
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(13, "Permission denied")
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
