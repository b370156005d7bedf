"""Cost of a request before it is sent: rows, handles, and counts to expect missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from engagement_pandas.request.post_ids import FIRST_SNOWFLAKE, first_snowflake_at
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.request.window import Window
from engagement_pandas.vocabulary.dimensions import Dimension
from engagement_pandas.vocabulary.engagement_types import EngagementType
from engagement_pandas.vocabulary.omission_reasons import OmissionReason

_MOVING: Final = (29, 3)
"""Hours and days that the last 28 hours can touch: 27 full hours and two partial ones."""

_HOUR: Final = timedelta(hours=1)

PostsWithoutCount = tuple[EngagementType | None, OmissionReason, Sequence[str]]
"""An engagement type (None: all of them), the reason why it has no count, and the posts."""


def max_rows(request: EngagementRequest, unposted: Sequence[EngagementRequest]) -> int:
    """Return the maximum number of rows in the responses, all groupings together."""
    # Numbers of posts, with the window in which they are requested.
    since_start = len(request.post_ids) - sum(len(part.post_ids) for part in unposted)
    later = ((len(part.post_ids), _after(request, part)) for part in unposted)
    requested = [(since_start, request.window)] if since_start else []
    requested += [(posts, window) for posts, window in later if window is not None]
    # A grouping without posts has one row per bucket of the longest window.
    together = [(1, window) for _, window in sorted(requested, key=_hours)[-1:]]
    rows = 0
    for grouping in request.groupings:
        parts = requested if Dimension.POST_ID in grouping.dimensions else together
        rows += sum(posts * _buckets(grouping.dimensions, window) for posts, window in parts)
    return rows * len(request.engagement_types)


def expected_omissions(
    request: EngagementRequest, unposted: Sequence[EngagementRequest], now: datetime
) -> Iterator[PostsWithoutCount]:
    """Yield what cannot be counted, according to the post ages in the IDs and the window."""
    early = [post for part in unposted for post in part.post_ids]
    if early:
        yield None, OmissionReason.NOT_YET_POSTED, early
    for engagement_type in request.engagement_types:
        if old := _too_old(request, engagement_type, now):
            yield engagement_type, OmissionReason.UNSUPPORTED_AGE, old
        if uncounted := _before_counting(request, engagement_type, unposted):
            yield engagement_type, OmissionReason.BEFORE_COUNTING, uncounted


def _too_old(
    request: EngagementRequest, engagement_type: EngagementType, now: datetime
) -> list[str]:
    """Return the posts that are too old for a type; IDs without a time may be of any age."""
    facts, series = engagement_type.facts, request.endpoint.facts.time_series
    max_age = facts.oldest_post_series if series else facts.oldest_post_totals
    if max_age is None:
        return []
    young = first_snowflake_at(now - max_age)
    return [post for post in request.post_ids if FIRST_SNOWFLAKE <= int(post) < young]


def _before_counting(
    request: EngagementRequest,
    engagement_type: EngagementType,
    unposted: Sequence[EngagementRequest],
) -> list[str]:
    """Return the posts requested from before the day on which X began to count a type."""
    since, window = engagement_type.facts.series_since, request.window
    if since is None or window is None or window.start.date() >= since:
        return []
    later = {
        post
        for part in unposted
        if part.window is not None and part.window.end.date() >= since
        for post in part.post_ids
    }
    return [post for post in request.post_ids if post not in later]


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


def _hours(requested: tuple[int, Window | None]) -> int:
    return requested[1].hours if requested[1] else 0


def _buckets(dimensions: Sequence[Dimension], window: Window | None) -> int:
    """Return the number of hours, days or hours of the day that a window is divided into."""
    hours, days = _MOVING
    if window is not None:
        hours = window.hours
        days = ((window.end - _HOUR).date() - window.start.date()).days + 1
    if Dimension.DAY in dimensions:
        return hours if Dimension.HOUR in dimensions else days
    return min(hours, 24) if Dimension.HOUR in dimensions else 1
