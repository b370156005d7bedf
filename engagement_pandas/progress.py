"""How far a fetch has come, and who is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock

from tqdm.auto import tqdm


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


@contextmanager
def bar(total: int) -> Iterator[Watch]:
    """Show a progress bar for so many requests; none for a single one."""
    with tqdm(total=total, unit="request", disable=total <= 1) as shown:

        def watch(progress: Progress) -> None:
            shown.update(progress.done - shown.n)
            shown.set_postfix_str(progress.waiting)

        yield watch


if hasattr(os, "register_at_fork"):
    # A thread of the parent may hold tqdm's lock, and is not there to let go of it.
    os.register_at_fork(after_in_child=lambda: tqdm.set_lock(RLock()))
