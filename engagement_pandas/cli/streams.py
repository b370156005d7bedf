"""The standard streams, which may be closed, full, or a pipe without a reader.

``json`` and ``logging`` take as long to import as argparse, and ``--help`` needs neither.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any, Final

_MESSAGES: Final = "engagement_pandas.cli"
"""Name of the logger whose level hides messages."""

_REPLACEMENTS: Final[Mapping[str, Callable[[], IO[str]]]] = {
    "stdin": lambda: os.fdopen(os.open(os.devnull, os.O_RDONLY), encoding="utf-8"),
    "stdout": lambda: os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8"),
    "stderr": lambda: os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"),
}


@contextmanager
def usable_streams() -> Iterator[None]:
    """Replace each stream that is closed or None while a command runs.

    The replacement of standard input is empty, messages are dropped, and writing results
    raises an error. Results are UTF-8 in any locale, like the files.
    """
    while (spare := os.open(os.devnull, os.O_RDONLY)) <= 2:  # noqa: PLR2004 - standard error
        pass  # otherwise a file opened later would become standard output
    os.close(spare)
    before: dict[str, Any] = {name: getattr(sys, name) for name in _REPLACEMENTS}
    try:
        for name, stream in before.items():
            if stream is None or stream.closed:
                setattr(sys, name, _REPLACEMENTS[name]())
        _use_utf8(sys.stdin, "strict")
        _use_utf8(sys.stdout, "surrogateescape")  # keeps file names that are not UTF-8
        yield
    finally:
        for name, stream in before.items():
            used = getattr(sys, name)
            setattr(sys, name, stream)
            _drop_undelivered(used)
            if used is not stream:
                used.close()


@contextmanager
def output() -> Iterator[IO[str]]:
    """Yield standard output for results, and flush it."""
    check_output()
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _refused(error) from error


def check_output() -> None:
    """Raise if standard output is closed, full, or a pipe without a reader."""
    try:
        descriptor = sys.stdout.fileno()
    except io.UnsupportedOperation:  # a text buffer
        return
    try:
        if hasattr(select, "poll"):  # not on Windows
            poll = select.poll()
            poll.register(descriptor, 0)
            if any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0)):
                raise BrokenPipeError(errno.EPIPE, "no program reads it")
        os.write(descriptor, b"")  # fails if a longer text would
    except OSError as error:
        raise _refused(error) from error


def print_message(text: str) -> None:
    """Print what a command does to standard error, unless ``--quiet`` was given."""
    import logging  # noqa: PLC0415

    if logging.getLogger(_MESSAGES).isEnabledFor(logging.WARNING):
        print_notice(text)


def hide_messages(*, hidden: bool) -> None:
    """Hide the messages of :func:`print_message`, or show them again."""
    import logging  # noqa: PLC0415

    logging.getLogger(_MESSAGES).setLevel(logging.ERROR if hidden else logging.WARNING)


def print_notice(text: str, end: str = "\n") -> None:
    """Print an error, a warning or a prompt to standard error, and continue if that fails."""
    with suppress(OSError, ValueError):
        sys.stderr.write(text + end)
        sys.stderr.flush()


def print_result(text: str) -> None:
    """Print a result to standard output."""
    with output() as stream:
        stream.write(text + "\n")


def print_json(value: Any) -> None:
    """Print a result to standard output as one line of JSON."""
    import json  # noqa: PLC0415

    print_result(json.dumps(value, ensure_ascii=False, default=str))


def _refused(error: OSError) -> OSError:
    why = "it is closed" if error.errno == errno.EBADF else error.strerror or error
    return OSError(f"standard output cannot be written: {why}; redirect it to a file")


def _use_utf8(stream: Any, errors: str) -> None:
    with suppress(AttributeError, io.UnsupportedOperation):  # a text buffer, or already read
        stream.reconfigure(encoding="utf-8", errors=errors)


def _drop_undelivered(stream: Any) -> None:
    """Flush a stream, or drop its buffer, which would make the interpreter fail at exit."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
            stream.flush()
