"""Files that are there whole or not at all, through a crash and a power cut."""

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

OWNER_FOLDER: Final = 0o700
"""The mode of a folder of settings: its owner's alone."""
OLD: Final = 3600.0
"""Seconds after which a temporary file is taken to be a killed process's."""


def leftovers(path: Path) -> Iterator[Path]:
    """Yield what is written beside a file to replace it: also by processes that were killed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, replacing(Path(folder, "a")) as beside:
    ...     beside.write_bytes(b"new")
    ...     list(leftovers(Path(folder, "a"))) == [beside], list(leftovers(Path(folder, "b")))
    3
    (True, [])
    """
    return path.parent.glob(f".{'[0-9a-f]' * 32}-{escape(path.name)}")


def _beside(path: Path) -> Path:
    return path.with_name(f".{uuid4().hex}-{path.name}")


def sweep(folder: Path, name: str = "*") -> None:
    """Remove what killed processes have left beside files: temporary files and folders.

    Parameters
    ----------
    folder : Path
    name : str
        Of the files, as a pattern. What is younger than :data:`OLD` may be a living process's.
    """
    before = time.time() - OLD
    for left in folder.glob(f".{'[0-9a-f]' * 32}-{name}"):
        with suppress(OSError):  # another process was quicker, or it is not ours to remove
            if left.lstat().st_mtime < before:
                shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()


def probe(folder: Path, size: int) -> None:
    """Write so many bytes into a folder and remove them; an OSError where that cannot be."""
    beside = _beside(folder / "probe")
    try:
        with beside.open("xb") as file:
            file.write(bytes(size))
            file.flush()
            os.fsync(file.fileno())
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to, beside the final one; then flush it to disk and move it.

    Old temporary files of the same path, which killed processes have left, are removed.
    """
    sweep(path.parent, escape(path.name))
    beside = _beside(path)
    try:
        yield beside
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        beside.replace(path)
        flush_folder(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def place(path: Path, content: bytes) -> bool:
    """Write a file that is not there yet; leave one that is, and say which of the two it was.

    Of several processes that write the same path, the first wins.
    """
    beside = _beside(path)
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without links
            if path.exists():
                return False
            beside.replace(path)
        flush_folder(path.parent)
    finally:
        beside.unlink(missing_ok=True)
    return True


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make a folder, and those that it is in, to last through a power cut."""
    if not folder.is_dir():
        make_folder(folder.parent, mode)
        folder.mkdir(mode, exist_ok=True)
    flush_folder(folder.parent)  # also where it was made just before a crash


def flush_folder(folder: Path) -> None:
    """Make what was moved into a folder last through a power cut, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network drives flush none
            raise
    finally:
        os.close(handle)
