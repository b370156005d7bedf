"""Packing of posts and windows into the fewest possible requests.

A post is requested in every window that ends after the creation time in its ID. Windows are
counted backwards from the end of the request, 28 days each. If the API answers only the owner,
a request never mixes posts of two owners, since no single token could sign it.

No other packing has fewer requests. Take the last hour of each window: these hours lie 28
days apart, so no request holds two of them. ``n`` posts that exist in such an hour need at
least ``n / 25`` requests, rounded up, and the window has exactly that many. Each window
reaches its lower bound, so the total is minimal; the same holds per owner.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from engagement_pandas.request.post_ids import first_snowflake_at
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.request.window import Window
from engagement_pandas.vocabulary.limits import MAX_WINDOW

Parts = tuple[EngagementRequest, ...]


def pack(
    request: EngagementRequest,
    now: datetime,
    *,
    most: int | None = None,
    longest: timedelta = MAX_WINDOW,
) -> tuple[Parts, Parts]:
    """Divide a request into parts to send and parts that need not be sent.

    The parts to send come batch by batch, window by window within. Their posts are in the order
    of the request, except that those requested from an earlier window on come first. The other
    parts hold posts, each at most once, with the time before their first requested window: their
    counts there could only be zero. All parts together hold each post and hour exactly once.

    One part has at most ``most`` posts and a window of ``longest``; by default the maximum of the
    API. An ID from a later moment than ``now`` does not exist yet. It is requested all the same,
    and the API reports it.

    >>> from datetime import UTC
    >>> from engagement_pandas import Window, historical
    >>> spring = Window.covering("2026-03-01", "2026-04-12")
    >>> posts = [first_snowflake_at(datetime(2026, month, 9, tzinfo=UTC)) for month in (2, 3, 4)]
    >>> request = historical(posts, engagement_types=["replies"], window=spring)
    >>> for part in pack(request, datetime(2026, 4, 12, tzinfo=UTC))[0]:
    ...     print(len(part.post_ids), part.window)
    2 2026-03-01 00:00 to 2026-03-15 00:00 UTC
    3 2026-03-15 00:00 to 2026-04-12 00:00 UTC
    """
    most = most or request.endpoint.facts.posts_per_request
    packed = [_pack(part, now, most, longest) for part in by_owner(request)]
    to_send = tuple(part for requests, _ in packed for part in requests)
    return to_send, tuple(part for _, unposted in packed for part in unposted)


def by_owner(request: EngagementRequest) -> Parts:
    """Divide a request by the owners of its posts, if the API answers only the owner.

    Posts of unknown owner stay together.

    >>> from engagement_pandas import last_28_hours, totals
    >>> request = last_28_hours(["1", "2", "3"], engagement_types=["replies"])
    >>> request = request.replace(owners={"1": "bakery", "2": "railway", "3": "bakery"})
    >>> [part.post_ids for part in by_owner(request)]
    [('1', '3'), ('2',)]
    """
    if not request.owners or request.owner_only is None:
        return (request,)
    parts: dict[str | None, list[str]] = {}
    for post in request.post_ids:
        parts.setdefault(request.owners.get(post), []).append(post)
    return tuple(request.replace(post_ids=tuple(posts)) for posts in parts.values())


def _pack(
    request: EngagementRequest, now: datetime, most: int, longest: timedelta
) -> tuple[Parts, Parts]:
    ids = request.post_ids
    if request.window is None:
        batches = (ids[first : first + most] for first in range(0, len(ids), most))
        return tuple(request.replace(post_ids=batch) for batch in batches), ()
    windows = request.window.split(longest)
    beginnings = _by_first_window(ids, windows, now)
    posted = list(accumulate(map(len, beginnings[:-1])))  # by the end of each window
    ordered = tuple(post for posts in beginnings[:-1] for post in posts)
    requests = tuple(
        request.replace(post_ids=posts, window=window)
        for first in range(0, len(ordered), most)
        for batch in [ordered[first : first + most]]
        for window, number in zip(windows, posted, strict=True)
        if (posts := batch[: max(0, number - first)])
    )
    unposted = tuple(
        request.replace(post_ids=tuple(posts), window=Window(request.window.start, before.end))
        for before, posts in zip(windows, beginnings[1:], strict=True)
        if posts
    )
    return requests, unposted


def _by_first_window(
    ids: Sequence[str], windows: Sequence[Window], now: datetime
) -> list[list[str]]:
    """Group posts by the first window that ends after their creation; the last group has none."""
    ends = [first_snowflake_at(window.end) for window in windows]
    future = first_snowflake_at(now + timedelta(microseconds=1))
    beginnings: list[list[str]] = [[] for _ in range(len(windows) + 1)]
    for post in ids:
        number = int(post)
        # An ID without a time is lower than all of these.
        beginnings[bisect_right(ends, number) if number < future else 0].append(post)
    return beginnings
