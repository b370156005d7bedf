"""Files that are there whole or not at all, through a crash and a power cut."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Final
from uuid import uuid4

OWNER_FOLDER: Final = 0o700
"""The mode of a folder of settings: its owner's alone."""


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


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to, beside the final one; then flush it to disk and move it."""
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
