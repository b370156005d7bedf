"""Child processes of tests, which are killed after each test and have default signals."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

PROGRAM: Final = str(Path(sys.executable).with_name("engagement-pandas"))

PATIENCE: Final = 500.0
"""Generous timeout for a machine under load, in seconds; no result depends on it."""

_started: list[subprocess.Popen[Any]] = []


def start(*command: str | Path, lasting: bool = False, **options: Any) -> subprocess.Popen[str]:
    """Start a process in its own group, with pipes for streams that are not redirected.

    The group is killed at the end of the test, even if that fails; a lasting process, which
    a fixture ends, is killed at exit at the latest.
    """
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = subprocess.Popen(  # noqa: S603 - commands of our own
        command, **streams | {"text": True, "process_group": 0} | options
    )
    if lasting:
        atexit.register(end, process)
    else:
        _started.append(process)
    return process


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a process, and wait for its end."""
    text = options.pop("input", None)
    process = start(*command, **options)
    out, err = process.communicate(text)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def end_all() -> None:
    """Kill all processes of a test, and their children."""
    while _started:
        end(_started.pop())


def end(process: subprocess.Popen[Any]) -> None:
    """Kill a process and its children."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    process.wait(PATIENCE)


def use_default_signals() -> None:
    """Reset signals that are blocked or ignored by nohup or as a background job.

    Programs do not inherit handlers, so children have the default SIGHUP, while this process
    still outlives its terminal under nohup.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)
