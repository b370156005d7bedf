"""Locks between processes and threads."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from threading import get_ident
from typing import Final
from weakref import WeakSet

from engagement_pandas.files.settings import OWNER_ONLY

_PAUSE: Final = 0.02


class _LockFile(FileIO):
    """A lock that is held, or waited for, by a thread of this process."""

    def __init__(self, name: Path) -> None:
        super().__init__(name, "r+", opener=_created)
        self.thread = get_ident()
        _OPEN.add(self)

    # After an interrupt between the opening and the with statement, no other code closes the file.
    # A function in C, since a second interrupt can stop one in Python.
    __del__ = FileIO.close


_OPEN: Final[WeakSet[_LockFile]] = WeakSet()


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which need not exist; its folder must.

    The lock is on a separate empty file in the same folder, since the file itself is replaced.
    The system releases it when its process ends, however that ends.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, file_lock(Path(folder, "ledger")):
    ...     os.listdir(folder)
    ['.ledger.lock']
    """
    with _opened(path) as file:
        _close_leftovers(file)
        _take(file)
        yield


@contextmanager
def try_file_lock(path: Path) -> Iterator[bool]:
    """Hold the lock of a file if it is free; yield whether it is held."""
    with _opened(path) as file:
        yield _try(file)


def _opened(path: Path) -> _LockFile:
    # A file object, which an interrupt at any line closes, and so releases the lock.
    return _LockFile(path.with_name(f".{path.name}.lock"))


def _close_leftovers(file: FileIO) -> None:
    """Close locks of this file that this thread has left behind.

    After an interrupt at the start of a with statement, its suspended generator lives as long as
    the traceback. A thread cannot hold a lock that it waits for, so nothing else is closed.
    """
    for other in list(_OPEN):
        if other is not file and (other.name, other.thread) == (file.name, get_ident()):
            other.close()


def _created(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_CREAT, OWNER_ONLY)


def _let_go() -> None:
    """Close inherited locks in a fork; otherwise its copies would keep them held."""
    for file in list(_OPEN):
        file.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


if sys.platform == "win32":
    import msvcrt

    def _try(file: FileIO) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:  # another process holds it
            return False
        return True

    def _take(file: FileIO) -> None:
        while not _try(file):
            time.sleep(_PAUSE)
else:
    import fcntl

    def _try(file: FileIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # another process holds it
            return False
        return True

    def _take(file: FileIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)
