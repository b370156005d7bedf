"""Signals that end a command as Ctrl-C does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn


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

    Raises
    ------
    KeyboardInterrupt
        ``HungUp`` and ``Terminated`` are of its kind.
    """
    here = threading.current_thread() is threading.main_thread()  # no other takes signals
    before = {number: signal.getsignal(number) for number in _ENDINGS if here}
    default = (signal.SIG_DFL, signal.default_int_handler)
    ours = {number: handler for number, handler in before.items() if handler in default}

    def end(number: int, _frame: object) -> NoReturn:
        for each in ours:
            signal.signal(each, signal.SIG_DFL)
        raise _ENDINGS[number](f"stopped by {signal.Signals(number).name}")

    try:
        for number in ours:
            signal.signal(number, end)
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
