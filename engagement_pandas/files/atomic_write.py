"""Atomic and durable writes, and the temporary files of killed processes."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Final
from uuid import uuid4

OLD: Final = 3600.0
"""Age in seconds from which a temporary file is assumed to be left by a killed process."""


def stale_temp_files(path: Path) -> Iterator[Path]:
    """Yield the temporary files of a path, including those of killed processes.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, atomic_write(Path(folder, "a")) as path:
    ...     path.write_bytes(b"new")
    ...     list(stale_temp_files(Path(folder, "a"))) == [path]
    3
    True
    """
    return path.parent.glob(f".{'[0-9a-f]' * 32}-{escape(path.name)}")


def _temp_path(path: Path) -> Path:
    return path.with_name(f".{uuid4().hex}-{path.name}")


def _write_durable(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sweep(folder: Path, name: str = "*") -> None:
    """Remove the temporary files and folders that killed processes have left.

    ``name`` is a pattern of the final file names. Anything younger than :data:`OLD` is kept, since
    its process may still run.
    """
    before = time.time() - OLD
    for left in folder.glob(f".{'[0-9a-f]' * 32}-{name}"):
        with suppress(OSError):  # another process removed it, or it belongs to another user
            if left.lstat().st_mtime < before:
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()


def probe(folder: Path, size: int) -> None:
    """Write and remove a file of that size in a folder; OSError if this fails."""
    temporary = _temp_path(folder / "probe")
    try:
        _write_durable(temporary, bytes(size))
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Write a file atomically: yield a temporary path, then fsync and rename it.

    Old temporary files of the same path, left by killed processes, are removed.
    """
    sweep(path.parent, escape(path.name))
    temporary = _temp_path(path)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        fsync_dir(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_once(path: Path, content: bytes) -> bool:
    """Write a file unless it exists; return whether it was written.

    If several processes write the same path, the first wins.
    """
    temporary = _temp_path(path)
    try:
        _write_durable(temporary, content)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links
            if path.exists():
                return False
            temporary.replace(path)
        fsync_dir(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def mkdir_durable(folder: Path, mode: int = 0o777) -> None:
    """Create a folder and its parents so that they survive a power failure."""
    if not folder.is_dir():
        mkdir_durable(folder.parent, mode)
        folder.mkdir(mode, exist_ok=True)
    fsync_dir(folder.parent)  # needed for a folder created just before a crash, too


def fsync_dir(folder: Path) -> None:
    """Fsync a folder, so that renames into it survive a power failure, if the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows cannot open folders
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network drives cannot fsync
            raise
    finally:
        os.close(handle)
