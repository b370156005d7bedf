"""File locks that are interrupted."""

from __future__ import annotations

import itertools
import sys
import threading
from pathlib import Path
from typing import Any

from engagement_pandas.files import lock
from engagement_pandas.files.lock import file_lock, try_file_lock


def interrupted_at(line: int, path: Path) -> bool:
    """Take a lock with an interrupt before a line; return whether the line was reached."""
    left = line

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename != lock.__file__:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with file_lock(path):
            pass
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    return left <= 0


def test_an_interrupt_at_any_line_leaves_no_lock(tmp_path: Path) -> None:
    """Otherwise the process would wait for its own lock at its next request."""
    for line in itertools.count(1):
        reached = interrupted_at(line, tmp_path / "ledger")
        with try_file_lock(tmp_path / "ledger") as free:
            assert free, line
        if not reached:
            break
    assert line > 5


def test_a_lock_left_behind_by_this_thread_is_released(tmp_path: Path) -> None:
    """If a notebook keeps the traceback of an interrupt, no other code releases the lock."""
    lock = file_lock(tmp_path / "ledger")
    lock.__enter__()
    with file_lock(tmp_path / "ledger"), try_file_lock(tmp_path / "ledger") as free:
        assert not free
    lock.__exit__(None, None, None)


def test_a_lock_of_another_thread_is_awaited(tmp_path: Path) -> None:
    """The wait has no limit."""
    order = []

    def wait() -> None:
        with file_lock(tmp_path / "ledger"):
            order.append("second")

    with file_lock(tmp_path / "ledger"):
        other = threading.Thread(target=wait)
        other.start()
        other.join(0.1)  # fails
        order.append("first")
    other.join()
    assert order == ["first", "second"]
