"""How far a fetch has come, and who is told."""

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
"""Between two lines in a log, at least; a tenth of the time that has passed, in a long job."""


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
        Why it waits right now, and for how many seconds yet; ``""`` when it does not.

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
"""Is told of each step of a fetch, in the thread that fetches; what it raises ends it."""


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def bar(total: int, clock: Callable[[], datetime] = _now) -> Iterator[Watch]:
    """Show a progress bar for so many requests, and lines where standard error is no terminal.

    There is none for a single request. Notebooks have a bar.
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
    """Return what writes a line at the first wait, one a minute at most, and one at the end.

    A job that neither waits nor lasts a minute is done without a line; one of a week has
    about eighty.

    Parameters
    ----------
    clock : callable
        The present, aware UTC.
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
    # A thread of the parent may hold tqdm's lock, and is not there to let go of it.
    os.register_at_fork(after_in_child=lambda: tqdm.set_lock(RLock()))
