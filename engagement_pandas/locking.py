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
_OPEN: Final[set[int]] = set()  # what is held, or waited for, in this process


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

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, locked(Path(folder, "ledger")):
    ...     os.listdir(folder)
    ['.ledger.lock']
    """
    with _opened(path) as handle:
        _take(handle, sleep)
        yield


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
    with _opened(path) as handle:
        yield _try(handle)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    _OPEN.add(handle)
    try:
        yield handle
    finally:
        if handle in _OPEN:  # not closed by a fork, in which the number may be another file's
            _OPEN.discard(handle)
            os.close(handle)  # which lets go of it


def _let_go() -> None:
    """Close, in a fork, what another process holds: else it would hold on with this one's copy."""
    while _OPEN:
        os.close(_OPEN.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


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
