"""Writing files whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from convgrad.errors import FileError, at


def write_files(contents: Iterable[tuple[str, bytes | Iterable[bytes]]], inputs: Iterable[str] = ()) -> None:
    """Write files, each whole, and none where one of them cannot be: temporary files beside the targets, then renames.

    What is written may come in parts, which are never held together. A link's target is replaced, not the link;
    permissions are kept; pipes and devices are written directly.
    FileError where it cannot be done, or where a target is one of the command's own `inputs`.
    """
    sources = list(inputs)
    staged: list[tuple[str, Path, str | None, bytes | Iterable[bytes]]] = []
    try:
        for path, data in contents:
            with at(path), _told():
                staged.append((path, *_stage(Path(os.path.realpath(path)), data, sources), data))
        for path, target, temporary, data in staged:
            with at(path), _told():
                if temporary is None:
                    with open(target, "wb") as stream:
                        stream.writelines(_parts(data))
                else:
                    Path(temporary).replace(target)
    except BaseException:
        for _, _, temporary, _ in staged:
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)
        raise


def write_folder(folder: str, contents: Iterable[tuple[str, bytes]], inputs: Iterable[str] = ()) -> None:
    """Write files into a folder, all of them or none; it is made where it is not there, and goes if that fails.

    FileError where it cannot be done.
    """
    with at(folder), _told():
        made = not os.path.isdir(folder)
        if made:
            os.mkdir(folder)
    try:
        write_files([(os.path.join(folder, name), data) for name, data in contents], inputs)
    except BaseException:
        if made:
            os.rmdir(folder)
        raise


@contextmanager
def _told() -> Iterator[None]:
    """What the system refuses, as an error of ours."""
    try:
        yield
    except OSError as error:
        hint = "there is no such folder" if isinstance(error, FileNotFoundError) else ""
        raise FileError(f"it cannot be written ({error.strerror})", hint=hint) from None


def _stage(target: Path, data: bytes | Iterable[bytes], inputs: list[str]) -> tuple[Path, str | None]:
    """(the target, a finished temporary file beside it, or None where the target is a pipe or a device)."""
    for source in inputs:
        if target.is_file() and os.path.exists(source) and target.samefile(source):
            raise FileError("it is one of this command's own inputs", hint="write to another file")
    if target.is_dir():
        raise FileError("it is a folder", hint="name a file in it")
    if target.exists() and not stat.S_ISREG(target.stat().st_mode):
        return target, None
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(13, "Permission denied")
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.writelines(_parts(data))
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask())
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return target, temporary


def _parts(data: bytes | Iterable[bytes]) -> Iterable[bytes]:
    return [data] if isinstance(data, bytes) else data


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
