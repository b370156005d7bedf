"""Check that parts cover a request: each post, type and hour, in each grouping, once.

Hashes serve as random numbers. The weight of a request is the product of three sums: over its
posts, over its types, and over its window (hash of the end minus hash of the start, so that
adjacent windows add up). Requests that cover the same have the same total weight; others do
with a probability of about 2**-60. So a million posts are compared without a table of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain, groupby
from operator import attrgetter
from typing import Final

from engagement_pandas.request.grouping import Grouping
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.request.window import Window
from engagement_pandas.vocabulary.endpoints import Endpoint
from engagement_pandas.vocabulary.engagement_types import EngagementType

Requests = Sequence[EngagementRequest]

_SAME: Final = ("endpoint", "groupings", "engagement_types")


def uncovered(wanted: Requests, parts: Requests) -> str | None:
    """Return what the parts miss or hold too often; None if they cover the request.

    ``wanted`` is the complete request, or what remains of one: no post, type and hour twice.
    ``parts`` are the requests it was split into, or those that its responses settle.

    >>> from engagement_pandas import Window, historical
    >>> first, second = (Window.covering(f"2026-05-0{n}", f"2026-05-0{n + 1}") for n in (1, 2))
    >>> may = Window(first.start, second.end)
    >>> wanted = historical(["7", "8", "9"], engagement_types=["replies"], window=may)
    >>> parts = [wanted.replace(window=day) for day in (first, second)]
    >>> uncovered([wanted], parts) is None
    True
    >>> uncovered([wanted], [parts[0], parts[1].replace(post_ids=["7"])])
    'missing: replies of post 8 (and 1 more) from 2026-05-02 00:00 UTC (historical by_hour)'
    >>> uncovered([wanted], [*parts, parts[0]])
    'duplicate: replies of post 7 (and 2 more) from 2026-05-01 00:00 UTC ...'
    """
    # In most cases, one of the first two conditions holds, which are fast.
    if wanted == parts or _in_order(wanted, parts) or _weight(wanted) == _weight(parts):
        return None
    posts: Counter[str] = Counter()
    for sign, requests in ((-1, wanted), (1, parts)):
        for request in requests:
            weight = sign * _types(*attrgetter(*_SAME)(request)) * _span(request.window)
            posts.update(dict.fromkeys(request.post_ids, weight))
    first, *others = [post for post, weight in posts.items() if weight]
    more = f" (and {len(others):,} more)" if others else ""
    return _difference(first, more, wanted, parts)


def _in_order(wanted: Requests, parts: Requests) -> bool:
    """Return whether the parts are one request in batches of posts."""
    same = attrgetter(*_SAME, "window")
    return (
        len(wanted) == 1
        and all(same(part) == same(wanted[0]) for part in parts)
        and wanted[0].post_ids == tuple(chain.from_iterable(part.post_ids for part in parts))
    )


def _weight(requests: Requests) -> int:
    return sum(
        sum(map(hash, posts)) * _types(*same) * sum(_span(request.window) for request in alike)
        for (posts, *same), alike in groupby(requests, attrgetter("post_ids", *_SAME))
    )


@lru_cache(maxsize=16)
def _types(
    endpoint: Endpoint, groupings: tuple[Grouping, ...], types: tuple[EngagementType, ...]
) -> int:
    return sum(hash(f"{endpoint} {groupings} {engagement_type}") for engagement_type in types)


def _span(window: Window | None) -> int:
    return 1 if window is None else _moment(window.end) - _moment(window.start)


@lru_cache(maxsize=4096)
def _moment(moment: datetime) -> int:
    # Only hashes of strings are random. Those of datetimes and tuples are so regular that one
    # hour often weighs as much as another.
    return hash(moment.isoformat())


def _difference(post: str, more: str, wanted: Requests, parts: Requests) -> str:
    """Describe the type and time from which a post is missing or present too often."""
    steps: Counter[tuple[str, str, str]] = Counter()
    for sign, requests in ((-1, wanted), (1, parts)):
        for request in (request for request in requests if post in request.post_ids):
            by = f"({request.endpoint} {', '.join(g.name for g in request.groupings)})"
            edges = {"": 1}
            if request.window is not None:
                moments = request.window.start, request.window.end
                edges = {
                    f" from {at:%Y-%m-%d %H:%M} UTC": n
                    for at, n in zip(moments, (1, -1), strict=True)
                }
            for engagement_type in request.engagement_types:
                for since, step in edges.items():
                    steps[since, engagement_type, by] += sign * step
    since, name, by = key = min(key for key, number in steps.items() if number)
    difference = "duplicate" if steps[key] > 0 else "missing"
    return f"{difference}: {name} of post {post}{more}{since} {by}"
