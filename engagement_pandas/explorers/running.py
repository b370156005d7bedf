"""One fetch in a thread of its own, so that the page stays alive and Cancel is heard."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.explorers.asking import adds_up
from engagement_pandas.flattening import flatten, omissions
from engagement_pandas.planning import Plan
from engagement_pandas.response import EngagementResponse

if TYPE_CHECKING:
    from engagement_pandas.client import EngagementClient
    from engagement_pandas.progress import Progress


class Cancelled(Exception):
    """Raised in the thread that fetches, where somebody has cancelled."""


class Run(threading.Thread):
    """Sends the requests of a plan, and keeps what was answered.

    Parameters
    ----------
    client : EngagementClient
    plan : Plan
    told : callable
        Told of each step, in this thread.
    ended : callable
        Told at the end: None, or what ended it early.

    Attributes
    ----------
    responses : list of EngagementResponse
        What was answered.
    done : int
        How many requests of the plan are settled.
    """

    def __init__(
        self,
        client: EngagementClient,
        plan: Plan,
        told: Callable[[Progress], None],
        ended: Callable[[Exception | None], None],
    ) -> None:
        super().__init__(name="engagement_pandas fetch", daemon=True)
        self.plan = plan
        self.responses: list[EngagementResponse] = []
        self.done = 0
        self._client = client
        self._told = told
        self._ended = ended
        self._stop_asked = threading.Event()

    def cancel(self) -> None:
        """Send no more requests than the one that is on its way."""
        self._stop_asked.set()

    def run(self) -> None:
        """Fetch, until all is answered, something fails or somebody cancels."""
        error: Exception | None = None
        try:
            for response in self._client.stream(self.plan, watch=self._watch):
                self.responses.append(response)
        except Exception as early:  # noqa: BLE001 - told to whoever watches
            error = early
        self._ended(error)

    def _watch(self, progress: Progress) -> None:
        self.done = progress.done
        if self._stop_asked.is_set() and self.done < len(self.plan):
            raise Cancelled
        self._told(progress)

    @property
    def unasked(self) -> tuple[str, ...]:
        """The posts about which not everything has been answered, in the plan's order."""
        left = self.plan.requests[self.done :]
        return tuple(dict.fromkeys(post for part in left for post in part.post_ids))

    @property
    def counts(self) -> pd.DataFrame:
        """The tidy counts of what was answered.

        Raises
        ------
        FrameError
            Where nothing was; where each count is a sum over answers, and some are missing.
        """
        if not self.responses:
            msg = "nothing was answered; fetch again"
            raise FrameError(msg)
        if self.unasked and adds_up(self.plan.request, self.plan.requests):
            msg = (
                f"only {self.done} of {len(self.plan)} requests were answered, and each count is a "
                "sum over all of them; fetch again"
            )
            raise FrameError(msg)
        return flatten(self.responses)

    @property
    def omissions(self) -> pd.DataFrame:
        """What was asked for and has no count, and why.

        Raises
        ------
        FrameError
            Where nothing was answered.
        """
        if not self.responses:
            msg = "nothing was answered; fetch again"
            raise FrameError(msg)
        return omissions(self.responses)
