"""A fetch in its own thread, so that the page stays responsive and Cancel works."""

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
from engagement_pandas.vocabulary.engagement_types import EngagementType

if TYPE_CHECKING:
    from engagement_pandas.client.client import EngagementClient
    from engagement_pandas.client.progress import Progress


class Cancelled(Exception):
    """Raised in the fetching thread after a cancellation."""


class FetchThread(threading.Thread):
    """Thread that sends the requests of a plan and keeps the responses.

    ``on_progress`` is called in this thread at each step, ``on_end`` at the end
    with None, or with the exception that ended it early. ``responses`` has those received so far.
    """

    def __init__(
        self,
        client: EngagementClient,
        plan: Plan,
        on_progress: Callable[[Progress], None],
        on_end: Callable[[Exception | None], None],
    ) -> None:
        super().__init__(name="engagement_pandas fetch", daemon=True)
        self.plan = plan
        self.responses: list[EngagementResponse] = []
        self._client = client
        self._on_progress = on_progress
        self._on_end = on_end
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Send no more requests after those already in progress."""
        self._cancelled.set()

    def run(self) -> None:
        """Fetch until all requests are answered, one fails, or the fetch is cancelled."""
        error: Exception | None = None
        try:
            for response in self._client.stream(self.plan, watch=self._watch):
                self.responses.append(response)
        except Exception as early:  # noqa: BLE001 - passed to the callback
            error = early
        self._on_end(error)

    def _watch(self, progress: Progress) -> None:
        if self._cancelled.is_set() and progress.done < len(self.plan):
            raise Cancelled
        self._on_progress(progress)

    @property
    def done(self) -> int:
        """Number of settled requests of the plan."""
        return len(self.plan) - len(self._left)

    @property
    def _left(self) -> list[EngagementRequest]:
        """The requests of the plan that are not settled; responses come in any order."""
        settled = {cell for response in self.responses for cell in _cells(response.request)}
        return [part for part in self.plan.requests if not settled.issuperset(_cells(part))]

    @property
    def unasked(self) -> tuple[str, ...]:
        """The posts with unsettled requests, in the order of the plan."""
        return tuple(dict.fromkeys(post for part in self._left for post in part.post_ids))

    @property
    def counts(self) -> pd.DataFrame:
        """The tidy counts of the responses."""
        if not self.responses:
            msg = "there are no responses; fetch again"
            raise FrameError(msg)
        if self.unasked and adds_up(self.plan.request, self.plan.requests):
            msg = (
                f"only {self.done} of {len(self.plan)} requests were answered, but each count is a "
                "sum over all of them; fetch again"
            )
            raise FrameError(msg)
        return flatten(self.responses)

    @property
    def omissions(self) -> pd.DataFrame:
        """The posts and types without a count, with reasons."""
        if not self.responses:
            msg = "there are no responses; fetch again"
            raise FrameError(msg)
        return omissions(self.responses)


def _cells(request: EngagementRequest) -> Iterator[tuple[str, EngagementType, Window | None]]:
    """Yield the units that are settled separately, since a refusal may split a request."""
    for post, engagement_type in product(request.post_ids, request.engagement_types):
        yield post, engagement_type, request.window
