"""One process at a time: a lock that ends with the process that holds it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

OWNER_ONLY: Final = 0o600
_PAUSE: Final = 0.02


@contextmanager
def locked(path: Path, sleep: Callable[[float], None] = time.sleep) -> Iterator[None]:
    """Hold the lock that goes with a file, whether that is there yet or not.

    The lock is on an empty file of its own beside it, since what it guards is replaced.
    The system lets go of it when its process ends, however that ends.

    Parameters
    ----------
    path : path
        What is guarded; its folder is there.
    sleep : callable
        Waits between two tries, where the system has no waiting of its own (Windows).

    Raises
    ------
    OSError
        Where the folder takes no file, or the file system knows no locks.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, locked(Path(folder, "ledger")):
    ...     os.listdir(folder)
    ['.ledger.lock']
    """
    handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    try:
        _take(handle, sleep)
        yield
    finally:
        os.close(handle)  # which lets go of it


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Hold the lock that goes with a file, if nobody has it; tell whether it is held.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with alone(Path(folder, "job")) as first, alone(Path(folder, "job")) as second:
    ...         first, second
    (True, False)
    """
    handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    try:
        yield _try(handle)
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _try(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except PermissionError:  # somebody else has it
            return False
        return True

    def _take(handle: int, sleep: Callable[[float], None]) -> None:
        while not _try(handle):
            sleep(_PAUSE)
else:
    import fcntl

    def _try(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # somebody else has it
            return False
        return True

    def _take(handle: int, sleep: Callable[[float], None]) -> None:  # noqa: ARG001
        fcntl.flock(handle, fcntl.LOCK_EX)
