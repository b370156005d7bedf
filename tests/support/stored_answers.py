"""Archives without a server: synthetic responses, stored as by a client."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

import engagement_pandas as ep
from engagement_pandas.response.archives.collection import Collection

MOMENT = datetime(2026, 4, 15, 12, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)

Count = Callable[[str, str, datetime], int]


def count_of(post: str, engagement_type: str, hour: datetime) -> int:
    """Return a deterministic count for a post, type and hour, sometimes negative."""
    return random.Random(f"{post} {engagement_type} {hour:%d %H}").randrange(-2, 9)  # noqa: S311


def body_of(
    request: ep.EngagementRequest, unavailable: Iterable[str] = (), count: Count = count_of
) -> dict[str, Any]:
    """Return the API's response body for given counts."""
    gone = [post for post in request.post_ids if post in set(unavailable)]
    body: dict[str, Any] = {"unavailable_tweet_ids": gone} if gone else {}
    window = request.window
    hours = [MOMENT]
    if window is not None:
        hours = [window.start + HOUR * hour for hour in range(window.hours)]
    for grouping in request.groupings:
        nested: dict[str, Any] = {}
        for post in request.post_ids:
            for engagement_type in request.engagement_types if post not in gone else ():
                for hour in hours:
                    names = {
                        "tweet.id": post,
                        "engagement.type": str(engagement_type),
                        "engagement.day": f"{hour:%Y-%m-%d}",
                        "engagement.hour": f"{hour:%H}",
                    }
                    *branches, leaf = (names[str(dimension)] for dimension in grouping.dimensions)
                    node = nested
                    for branch in branches:
                        node = node.setdefault(branch, {})
                    node[leaf] = str(
                        int(node.get(leaf, 0)) + count(post, str(engagement_type), hour)
                    )
        body[grouping.name] = nested
    return body


def put(  # noqa: PLR0913 - each has a default
    archive: ep.Archive,
    request: ep.EngagementRequest,
    parts: Sequence[ep.EngagementRequest] | None = None,
    *,
    body: Callable[[ep.EngagementRequest], Any] = body_of,
    at: datetime = MOMENT,
    account: str = "9",
    missing: int = 0,
) -> Collection:
    """Store the responses to a request, split into parts, in an archive.

    The last ``missing`` parts have no response, which leaves the collection unfinished.
    """
    plan = ep.plan(request, now=MOMENT)
    if parts is not None:
        plan = replace(plan, requests=tuple(parts), unposted=())
    collection = archive.collection(plan, account, at)
    for part in plan.requests[: len(plan.requests) - missing]:
        collection.keep(ep.EngagementResponse(part, body(part), 200, at))
    if not missing:
        collection.finish()
    return collection


def put_many(archive: ep.Archive, answers: int, *, days: int = 28) -> int:
    """Store responses of maximum size in an archive: 25 posts, 17 types, hours of 28 days.

    Return the number of counts. All responses have the same counts, which is faster.
    """
    start = date(2026, 3, 1)
    posts = [str(2_020_000_000_000_000_000 + number) for number in range(25 * answers)]
    request = ep.historical(
        posts,
        engagement_types=ep.SERIES_TYPES,
        window=ep.Window.covering(start, start + timedelta(days=days)),
    )
    rng = random.Random(20260301)  # noqa: S311 - counts, not secrets
    names = [f"P{number:02}" for number in range(25)]
    text = json.dumps(
        {
            "by_hour": {
                name: {
                    str(engagement_type): {
                        str(start + timedelta(days=day)): {
                            f"{hour:02d}": str(int(rng.paretovariate(0.5)) - 1)
                            for hour in range(24)
                        }
                        for day in range(days)
                    }
                    for engagement_type in ep.SERIES_TYPES
                }
                for name in names
            }
        }
    )

    def filled(part: ep.EngagementRequest) -> str:
        body = text
        for name, post in zip(names, part.post_ids, strict=True):
            body = body.replace(f'"{name}"', f'"{post}"')
        return body

    put(archive, request, body=filled)
    return answers * 25 * len(ep.SERIES_TYPES) * days * 24


def sorted_out(counts: pd.DataFrame) -> pd.DataFrame:
    """Return a computed frame like one in memory: sorted, with the types that occur."""
    present = counts["engagement_type"].cat.remove_unused_categories()
    keys = [name for name in counts.columns if name != "count"]
    return counts.assign(engagement_type=present).sort_values(keys, ignore_index=True)
