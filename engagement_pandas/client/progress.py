"""Progress of a fetch, and its display."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Final

from tqdm.auto import tqdm
from tqdm.std import tqdm as terminal_tqdm

PAUSE: Final = timedelta(minutes=1)
"""Least time between two lines in a log; in a long job, a tenth of the time passed."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of a fetch.

    Attributes
    ----------
    done : int
        Requests of the plan that are settled.
    total : int
        Requests of the plan.
    waiting : str
        The reason for the current wait, and the seconds left; ``""`` if it does not wait.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> steps = []
    >>> with ep.demo_client(now="2026-04-15T12:20:00Z") as demo:
    ...     request = ep.totals(demo.posts, engagement_types=["favorites"])
    ...     responses = demo.public.fetch(request, watch=steps.append)
    >>> steps[-1]
    Progress(done=1, total=1, waiting='')
    """

    done: int
    total: int
    waiting: str = ""


Watch = Callable[[Progress], None]
"""Called for each step of a fetch, in the fetching thread; an exception from it ends the fetch."""


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def bar(total: int, clock: Callable[[], datetime] = _now) -> Iterator[Watch]:
    """Show a progress bar, or lines if standard error is not a terminal.

    A single request has no bar. Notebooks have a bar.
    """
    notebook = tqdm.status_printer is not terminal_tqdm.status_printer
    if not notebook and not (sys.stderr and sys.stderr.isatty()):
        yield log(clock) if total > 1 else lambda _: None
        return
    with tqdm(total=total, unit="request", disable=total <= 1) as shown:

        def watch(progress: Progress) -> None:
            shown.update(progress.done - shown.n)
            shown.set_postfix_str(progress.waiting)

        yield watch


def log(clock: Callable[[], datetime]) -> Watch:
    """Return a watch that logs the first wait, at most one line a minute, and the end.

    A job that neither waits nor lasts a minute writes no line; one that lasts a week writes
    about eighty. The clock returns aware UTC times.
    """
    begun = clock()
    due, written = begun + PAUSE, False

    def watch(progress: Progress) -> None:
        nonlocal due, written
        now, finished = clock(), progress.done == progress.total
        if written if finished else now >= due or (progress.waiting and not written):
            due, written = now + max(PAUSE, (now - begun) / 10), not finished
            line = f"{now:%Y-%m-%dT%H:%M:%SZ} {progress.done} of {progress.total} requests"
            with suppress(OSError, ValueError, AttributeError):  # standard error may be closed
                sys.stderr.write("; ".join(filter(None, [line, progress.waiting])) + "\n")
                sys.stderr.flush()

    return watch


if hasattr(os, "register_at_fork"):
    # A thread of the parent may hold tqdm's lock, and does not exist in the child to release it.
    os.register_at_fork(after_in_child=lambda: tqdm.set_lock(RLock()))
