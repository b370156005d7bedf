"""One fetch in a thread of its own, so that the page stays alive and Cancel is heard."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import product
from typing import TYPE_CHECKING

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.explorers.request_form import adds_up
from engagement_pandas.flattening import flatten, omissions
from engagement_pandas.request.plan import Plan
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.request.window import Window
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.vocabulary import EngagementType

if TYPE_CHECKING:
    from engagement_pandas.client.client import EngagementClient
    from engagement_pandas.client.progress import Progress


class Cancelled(Exception):
    """Raised in the thread that fetches, where somebody has cancelled."""


class FetchThread(threading.Thread):
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
        self._client = client
        self._told = told
        self._ended = ended
        self._stop_asked = threading.Event()

    def cancel(self) -> None:
        """Send no more requests than those that are on their way."""
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
        if self._stop_asked.is_set() and progress.done < len(self.plan):
            raise Cancelled
        self._told(progress)

    @property
    def done(self) -> int:
        """How many requests of the plan are settled."""
        return len(self.plan) - len(self._left)

    @property
    def _left(self) -> list[EngagementRequest]:
        """The requests of the plan that are not settled; answers come in any order."""
        settled = {cell for response in self.responses for cell in _cells(response.request)}
        return [part for part in self.plan.requests if not settled.issuperset(_cells(part))]

    @property
    def unasked(self) -> tuple[str, ...]:
        """The posts about which not everything has been answered, in the plan's order."""
        return tuple(dict.fromkeys(post for part in self._left for post in part.post_ids))

    @property
    def counts(self) -> pd.DataFrame:
        """The tidy counts of what was answered."""
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
        """What was asked for and has no count, and why."""
        if not self.responses:
            msg = "nothing was answered; fetch again"
            raise FrameError(msg)
        return omissions(self.responses)


def _cells(request: EngagementRequest) -> Iterator[tuple[str, EngagementType, Window | None]]:
    """Yield what is settled one by one, as a refusal divides it."""
    for post, kind in product(request.post_ids, request.engagement_types):
        yield post, kind, request.window
