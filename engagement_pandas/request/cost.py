"""Cost of a request before it is sent: rows, handles, and counts to expect missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from engagement_pandas.request.post_ids import first_snowflake_at
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.request.window import Window
from engagement_pandas.vocabulary import (
    FIRST_SNOWFLAKE,
    Dimension,
    EngagementType,
    OmissionReason,
)

_MOVING: Final = (29, 3)
"""Hours and days that the last 28 hours can touch: 27 full hours and two partial ones."""

_HOUR: Final = timedelta(hours=1)

Silent = tuple[EngagementType | None, OmissionReason, Sequence[str]]
"""A type (None: all of them), the reason why it has no count, and the posts concerned."""


def max_rows(request: EngagementRequest, unposted: Sequence[EngagementRequest]) -> int:
    """Return the maximum number of rows in the responses, all groupings together."""
    spans: list[tuple[int, Window | None]] = [(len(request.post_ids), request.window)]
    for part in unposted:
        left, whole = spans[0]
        spans[0] = (left - len(part.post_ids), whole)
        if (asked := _after(request, part)) is not None:
            spans.append((len(part.post_ids), asked))
    asked_at_all = [(posts, window) for posts, window in spans if posts]
    longest = max(asked_at_all, key=lambda one: one[1].hours if one[1] else 0, default=None)
    rows = 0
    for grouping in request.groupings:
        if Dimension.POST_ID in grouping.dimensions:
            told_apart = asked_at_all
        else:
            told_apart = [] if longest is None else [(1, longest[1])]
        rows += sum(posts * _buckets(grouping.dimensions, window) for posts, window in told_apart)
    return rows * len(request.engagement_types)


def expected_omissions(
    request: EngagementRequest, unposted: Sequence[EngagementRequest], now: datetime
) -> Iterator[Silent]:
    """Yield what cannot be counted, according to the post ages in the IDs and the window."""
    early = [post for part in unposted for post in part.post_ids]
    if early:
        yield None, OmissionReason.NOT_YET_POSTED, early
    series = request.endpoint.facts.time_series
    for kind in request.engagement_types:
        facts = kind.facts
        oldest = facts.oldest_post_series if series else facts.oldest_post_totals
        if oldest is not None:
            young = first_snowflake_at(now - oldest)
            old = [post for post in request.post_ids if FIRST_SNOWFLAKE <= int(post) < young]
            if old:
                yield kind, OmissionReason.UNSUPPORTED_AGE, old
        since, window = facts.series_since, request.window
        if since is not None and window is not None and window.start.date() < since:
            later = {
                post
                for part in unposted
                if part.window is not None and part.window.end.date() >= since
                for post in part.post_ids
            }
            asked = [post for post in request.post_ids if post not in later]
            if asked:
                yield kind, OmissionReason.BEFORE_COUNTING, asked


def queried_posts(
    request: EngagementRequest, unposted: Sequence[EngagementRequest]
) -> Iterator[str]:
    """Yield the posts that are requested in at least one window."""
    never = {post for part in unposted if _after(request, part) is None for post in part.post_ids}
    return (post for post in request.post_ids if post not in never)


def _after(request: EngagementRequest, part: EngagementRequest) -> Window | None:
    """Return the window that remains after the part not requested; None if nothing remains."""
    if request.window is None or part.window is None or part.window.end == request.window.end:
        return None
    return Window(part.window.end, request.window.end)


def _buckets(dimensions: Sequence[Dimension], window: Window | None) -> int:
    """Return the number of hours, days or hours of the day that a window is divided into."""
    hours, days = _MOVING
    if window is not None:
        hours = window.hours
        days = ((window.end - _HOUR).date() - window.start.date()).days + 1
    buckets = {
        (True, True): hours,
        (True, False): days,
        (False, True): min(hours, 24),
        (False, False): 1,
    }
    return buckets[Dimension.DAY in dimensions, Dimension.HOUR in dimensions]
