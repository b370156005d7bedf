"""Signals that end a command as Ctrl-C does."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import unwrap
from types import FrameType
from typing import Final

from engagement_pandas import files

_WRITES: Final = frozenset(
    unwrap(write).__code__ for write in (files.atomic_write, files.write_once)
)
_PAUSE: Final = 0.01
"""Seconds until a signal is looked at again."""


class HungUp(KeyboardInterrupt):
    """The terminal or the session of a command has ended (SIGHUP)."""


class Terminated(KeyboardInterrupt):
    """A command is to end (SIGTERM)."""


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
    """Raise an interruption at the first SIGHUP, SIGINT or SIGTERM; the second kills.

    One that is ignored stays so: SIGHUP under nohup, SIGINT in the background of a script.
    """
    here = threading.current_thread() is threading.main_thread()  # no other takes signals
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
            raise _error(number)  # the job was done by then
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)


def _error(number: int) -> KeyboardInterrupt:
    return _ENDINGS[number](f"stopped by {signal.Signals(number).name}")


def _replaces(frame: FrameType | None) -> bool:
    """Whether an atomic write goes on, which an interruption might leave temporary files of."""
    while frame is not None and frame.f_code not in _WRITES:
        frame = frame.f_back
    return frame is not None
