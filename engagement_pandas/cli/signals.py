"""Signals that stop a command like Ctrl-C; ``exit_codes`` has the exit code of each."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_FILES: Final = "engagement_pandas.files.atomic_write"
_WRITES: Final = frozenset({"atomic_write", "write_once"})
"""Functions of that module, which need not be imported to know their frames."""

_PAUSE: Final = 0.01
"""Seconds until a postponed signal is sent again."""


class HungUp(KeyboardInterrupt):
    """The terminal or the session of a command has ended (SIGHUP)."""


class Terminated(KeyboardInterrupt):
    """A command was asked to stop (SIGTERM)."""


_ENDINGS: Final = {
    getattr(signal, name): error
    for name, error in {
        "SIGHUP": HungUp,
        "SIGINT": KeyboardInterrupt,
        "SIGTERM": Terminated,
    }.items()
    if hasattr(signal, name)  # Windows has no SIGHUP
}


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt at the first SIGHUP, SIGINT or SIGTERM; the second kills.

    Ignored signals stay ignored: SIGHUP under nohup, SIGINT in a script's background job.
    """
    here = threading.current_thread() is threading.main_thread()  # only it receives signals
    before = {number: signal.getsignal(number) for number in _ENDINGS if here}
    default = (signal.SIG_DFL, signal.default_int_handler)
    ours = {number: handler for number, handler in before.items() if handler in default}
    postponed: dict[int, threading.Timer] = {}

    def end(number: int, frame: FrameType | None) -> None:
        if _replaces(frame):
            postponed[number] = threading.Timer(_PAUSE, os.kill, (os.getpid(), number))
            postponed[number].start()
            return
        for each in ours:
            signal.signal(each, signal.SIG_DFL)
        raise _error(number)

    try:
        for number in ours:
            signal.signal(number, end)
        yield
        for number, timer in postponed.items():
            timer.cancel()
            raise _error(number)  # the command had finished by then
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)


def _error(number: int) -> KeyboardInterrupt:
    return _ENDINGS[number](f"stopped by {signal.Signals(number).name}")


def _replaces(frame: FrameType | None) -> bool:
    """Return whether an atomic write, which might leave a temporary file, is in progress."""
    while frame is not None:
        if frame.f_code.co_name in _WRITES and frame.f_globals.get("__name__") == _FILES:
            return True
        frame = frame.f_back
    return False
