"""Counts of posts that were looked up: X API v2, twarc, and ``tweets.js`` of an archive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

import pandas as pd

from engagement_pandas.errors import FrameError, ResponseShapeError
from engagement_pandas.frame.coercion import tidy_counts
from engagement_pandas.frame.contract import empty_counts, to_iso_utc
from engagement_pandas.sources.creation import check_retrieval
from engagement_pandas.sources.v2_json import (
    Body,
    Document,
    Item,
    document_of,
    is_analytics,
    post_id_of,
)
from engagement_pandas.text import truncated_repr

Metrics = Literal["public", "organic", "non_public", "promoted"]
METRICS: Final = get_args(Metrics)

LOOKUP_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "impression_count": "impressions",
        "engagements": "engagements",
        "like_count": "favorites",
        "retweet_count": "retweets",
        "repost_count": "retweets",
        "quote_count": "quote_tweets",
        "reply_count": "replies",
        "bookmark_count": "bookmarks",
        "url_link_clicks": "url_clicks",
        "user_profile_clicks": "user_profile_clicks",
        "view_count": "video_views",
    }
)
"""Engagement types by X's names of the metrics; other metrics keep their names."""

_CLOCKS: Final = timedelta(hours=1)
"""By how much the clocks of X and of the computer may differ."""

_V1: Final[Mapping[str, str]] = MappingProxyType(
    {"favorite_count": "favorites", "retweet_count": "retweets"}
)


def flatten_lookup(
    body: Body | Document,
    metrics: Metrics = "public",
    *,
    retrieved_at: str | datetime | None = None,
) -> pd.DataFrame:
    """Flatten posts that were looked up into tidy counts: totals at the moment of the call.

    Parameters
    ----------
    body : bytes, str, mapping, list, path or open file
        Pages of ``/2/tweets`` and timelines, JSON or a page per line; twarc's JSONL, flattened
        or not; posts of API v1.1; ``tweets.js``, alone or in the ZIP of an account's archive. It
        is never evaluated. Text that does not begin like JSON is a path.
    metrics : {"public", "organic", "non_public", "promoted"}
        Which of the post's metrics to read. They differ in meaning and are not mixed.
    retrieved_at : str or datetime, optional
        When the posts were looked up, with a time zone; by default as twarc has noted.

    Returns
    -------
    DataFrame
        Tidy counts by post: ``post_id``, ``engagement_type``, ``retrieved_at`` if known,
        ``source`` and ``count``. A post that was looked up several times has a row for each
        time. :func:`v2_omissions` has the posts without counts.

    Raises
    ------
    ResponseShapeError
        If the body has another shape or a count is not an integer; with the position.
    RefusedError
        If it holds nothing but problems of the entire request.
    FrameError
        If a post has two different counts without times that distinguish them, or was looked up
        before it was created.

    Notes
    -----
    Public metrics are organic and promoted together, and organic ones only of one's own posts of
    the last 30 days (X's documentation). A metric that is not in the body has no row, such as
    impressions before 2023. Reposts are left out, since they repeat the counts of the original;
    without ``referenced_tweets``, a text that begins with ``RT @`` shows them.
    The views of a video are of all posts that show it; of several videos in a post they are
    ``<NA>``. Hours and days are unknown.

    Examples
    --------
    >>> body = {"data": [{"id": "7", "public_metrics": {"like_count": 5, "impression_count": 90}}]}
    >>> flatten_lookup(body)[["post_id", "engagement_type", "count"]]
      post_id engagement_type  count
    0       7     impressions     90
    1       7       favorites      5
    """
    check_metrics(metrics)
    given = None if retrieved_at is None else to_iso_utc(retrieved_at)
    document = document_of(body)
    if is_analytics(document):
        msg = "this is an answer of /2/tweets/analytics; see flatten_analytics(body)"
        raise ResponseShapeError(msg)
    posts = [(post_id_of(item), item) for item in document.originals]
    rows = [
        (post_id, name, given or item.retrieved_at, count)
        for post_id, item in posts
        for name, count in counts_of(item, metrics)
    ]
    source = f"x_lookup_{metrics}"
    return to_counts(rows, source)


def check_metrics(metrics: str) -> None:
    """Raise if there are no metrics of that name."""
    if metrics not in METRICS:
        msg = f"metrics is {metrics!r}; choose one of {list(METRICS)}"
        raise FrameError(msg)


def to_counts(rows: list[tuple[Any, ...]], source: str, *times: str) -> pd.DataFrame:
    """Return tidy counts of rows: post, type, time of reading, any of ``times``, count."""
    columns = ["post_id", "engagement_type", "retrieved_at", *times, "count"]
    moments = [row[2] for row in rows]
    if any(moments) and not all(moments):
        msg = "some posts have a time of reading and others have none; give retrieved_at"
        raise FrameError(msg)
    frame = pd.DataFrame(list(dict.fromkeys(rows)), columns=columns, dtype=object)
    if not any(moments):
        frame = frame.drop(columns="retrieved_at")
    if frame.empty:
        return empty_counts([*columns[:2], "source", *times])
    counts = tidy_counts(frame.assign(source=source))
    check_retrieval(counts, _CLOCKS)
    if "retrieved_at" in counts:
        counts.attrs["retrieved_at"] = counts["retrieved_at"].min().isoformat()
    return counts


def integer(value: Any, name: str, where: str) -> int | None:
    """Return a count of JSON; None if it is null. Text is refused."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    msg = f"{name} is {truncated_repr(value)}, and not an integer"
    raise ResponseShapeError(msg, where)


def counts_of(item: Item, metrics: str) -> Iterator[tuple[str, int | None]]:
    """Yield engagement type and count of a post's metrics."""
    post, section = item.post, f"{metrics}_metrics"
    found = post.get(section)
    numbers = found if isinstance(found, dict) else post
    if "followers_count" in numbers and "favorite_count" not in numbers:
        msg = "there is a user, and not a post"
        raise ResponseShapeError(msg, item.where)
    if isinstance(found, dict):
        for name, value in found.items():
            yield LOOKUP_TYPES.get(name, name), integer(value, f"{section}.{name}", item.where)
    elif found is not None:
        msg = f"{section} is {truncated_repr(found)}, and not an object"
        raise ResponseShapeError(msg, item.where)
    elif metrics == "public":
        for name, type_name in _V1.items():
            if name in post:
                yield type_name, _of_v1(post[name], name, item.where)
    views = [
        integer(medium[section]["view_count"], "view_count", item.where)
        for medium in _media(item)
        if isinstance(medium.get(section), dict) and "view_count" in medium[section]
    ]
    if views:
        yield "video_views", views[0] if len(views) == 1 else None


def _of_v1(value: Any, name: str, where: str) -> int | None:
    """Return a count of v1.1; archives write numbers as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return integer(value, name, where)


def _media(item: Item) -> Iterator[Mapping[str, Any]]:
    """Yield the media of a post: of the page, or as twarc has put them into the post."""
    attached = item.post.get("attachments")
    if not isinstance(attached, dict):
        return
    for key in attached.get("media_keys") or []:
        if isinstance(medium := item.media.get(str(key)), dict):
            yield medium
    if not item.media:
        yield from (m for m in attached.get("media") or [] if isinstance(m, dict))
