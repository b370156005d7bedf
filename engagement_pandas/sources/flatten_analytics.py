"""Answers of ``/2/tweets/analytics``, in all the shapes that its schema has had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

import pandas as pd

from engagement_pandas.errors import FrameError, ResponseShapeError
from engagement_pandas.frame.contract import to_iso_utc
from engagement_pandas.sources.flatten_lookup import METRICS, integer, to_counts
from engagement_pandas.sources.v2_json import Body, Document, Item, document_of, post_id_of
from engagement_pandas.text import truncated_repr

Granularity = Literal["hourly", "daily", "total"]
_GRAINS: Final = get_args(Granularity)
_WEEK: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)

ANALYTICS_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {"likes": "favorites", "follows": "user_follows"}
)
_OTHER: Final = frozenset({"id", "timestamp", "timestamped_metrics"})

_Bucket = tuple[datetime | None, Mapping[str, Any], str]


def flatten_analytics(
    body: Body | Document,
    *,
    granularity: Granularity | None = None,
    retrieved_at: str | datetime | None = None,
) -> pd.DataFrame:
    """Flatten an answer of ``/2/tweets/analytics`` into tidy counts.

    Parameters
    ----------
    body : bytes, str, mapping, list, path or open file
        The JSON, or several answers, one per line.
    granularity : {"hourly", "daily", "total"}, optional
        What was requested. By default, it is found from the times of the buckets, where these
        leave no doubt. Weeks have no place in the frame: request days, and add them up with
        ``over_time(counts, every="W")``.
    retrieved_at : str or datetime, optional
        When it was requested, with a time zone.

    Returns
    -------
    DataFrame
        Tidy counts by post, with ``day`` and ``hour`` (UTC) as far as the granularity has them;
        ``source`` is ``"x_post_analytics"``. A metric that is null, or is in another bucket and
        not in this one, is ``<NA>``. :func:`v2_omissions` has the posts without counts.

    Raises
    ------
    ResponseShapeError
        For another shape, a count that is not an integer, a post and time twice, or a time that
        is not a whole hour (a midnight, for days) of UTC.
    FrameError
        If the granularity is weekly, or has to be given.

    Notes
    -----
    It is unknown whether impressions include promoted ones, whether likes are net of unlikes, and
    whether an absent bucket is 0 or unknown; it has no row.

    Examples
    --------
    >>> body = {"data": [{"id": "7", "timestamped_metrics": [
    ...     {"timestamp": "2026-03-01T07:00:00Z", "metrics": {"impressions": 90, "likes": None}}]}]}
    >>> flatten_analytics(body)[["post_id", "engagement_type", "day", "hour", "count"]]
      post_id engagement_type        day  hour  count
    0       7     impressions 2026-03-01     7     90
    1       7       favorites 2026-03-01     7   <NA>
    """
    if str(granularity) == "weekly":
        msg = (
            "weeks have no place in the frame, which has days and hours; request "
            "granularity=daily, and add them up with over_time(counts, every='W')"
        )
        raise FrameError(msg)
    if granularity is not None and granularity not in _GRAINS:
        msg = f"granularity is {granularity!r}; choose one of {list(_GRAINS)}"
        raise FrameError(msg)
    document = document_of(body)
    if any(f"{name}_metrics" in item.post for item in document.items for name in METRICS):
        msg = "these are posts with their metrics; see flatten_lookup(body)"
        raise ResponseShapeError(msg)
    buckets = [
        (post_id_of(item), *bucket) for item in document.items for bucket in buckets_of(item)
    ]
    grain = granularity or _grain([(post, moment) for post, moment, *_ in buckets])
    names = list(dict.fromkeys(name for *_, found, _ in buckets for name in found))
    given = None if retrieved_at is None else to_iso_utc(retrieved_at)
    seen: dict[tuple[Any, ...], str] = {}
    rows = []
    for post, moment, found, where in buckets:
        times = _times(moment, grain, where)
        if (post, *times) in seen:
            msg = f"post {post} is there twice for {moment or 'the total'}; keep one"
            raise ResponseShapeError(msg, where)
        seen[(post, *times)] = where
        rows += [
            (
                post,
                ANALYTICS_TYPES.get(name, name),
                given,
                *times,
                integer(found.get(name), name, where),
            )
            for name in names
        ]
    return to_counts(
        rows, "x_post_analytics", *{"hourly": ("day", "hour"), "daily": ("day",)}.get(grain, ())
    )


def buckets_of(item: Item) -> Iterator[_Bucket]:
    """Yield time, metrics and position of each bucket; totals stand at the top of an item."""
    buckets = item.post.get("timestamped_metrics")
    if buckets is not None and not isinstance(buckets, list):
        msg = f"timestamped_metrics is {truncated_repr(buckets)}, and not a list"
        raise ResponseShapeError(msg, item.where)
    for place, bucket in enumerate(buckets or []):
        where = f"timestamped_metrics[{place}] of {item.where}"
        if not isinstance(bucket, dict) or not isinstance(bucket.get("metrics") or {}, dict):
            msg = f"there is {truncated_repr(bucket)}, and not a bucket"
            raise ResponseShapeError(msg, where)
        yield _moment(bucket.get("timestamp"), where), bucket.get("metrics") or {}, where
    if not buckets:
        top = {name: value for name, value in item.post.items() if name not in _OTHER}
        if top:
            yield _moment(item.post.get("timestamp"), item.where), top, item.where


def _moment(text: Any, where: str) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(to_iso_utc(text, "timestamp"))
    except FrameError as error:
        raise ResponseShapeError(str(error), where) from error


def _grain(moments: list[tuple[str, datetime | None]]) -> str:
    """Return the granularity that the times of each post's buckets show."""
    by_post: dict[str, list[datetime]] = {}
    for post, moment in moments:
        if moment is not None:
            by_post.setdefault(post, []).append(moment)
    times = [moment for own in by_post.values() for moment in own]
    if not times:
        return "total"
    # Between posts, buckets of weeks may be days apart, as in answers for several windows.
    steps = [[b - a for a, b in pairwise(sorted(own))] for own in by_post.values()]
    midnights = all(moment.time() == time() for moment in times)
    if any(_of_hours(step) for own in steps for step in own) or not (any(steps) or midnights):
        return "hourly"
    if midnights and not all(map(_may_be_weeks, steps)):
        return "daily"
    what = "is one bucket of each post"
    if any(steps):
        what = "may be weeks" if midnights else "may be days of another time zone"
    msg = (
        f"the answer {what}, from {min(times):%Y-%m-%d} on, which may be "
        "hours, days or weeks; give granularity='hourly', 'daily' or 'total' as requested (weeks "
        "are not read: request days of UTC)"
    )
    raise FrameError(msg)


def _may_be_weeks(steps: Sequence[timedelta]) -> bool:
    """Return whether a post's buckets may be weeks: the first week may be cut by the window."""
    weeks = not any(step % _WEEK for step in steps[1:])
    return weeks and (len(steps) != 1 or steps[0] > _DAY)


def _of_hours(step: timedelta) -> bool:
    """Return whether two buckets are not days apart; a clock change is no difference."""
    return step < _DAY / 2 or _HOUR < step % _DAY < _DAY - _HOUR


def _times(moment: datetime | None, grain: str, where: str) -> tuple[Any, ...]:
    """Return day and hour of a bucket, as far as the granularity has them."""
    if grain == "total":
        return ()
    if moment is None:
        msg = f"a bucket has no timestamp, and the answer is {grain}"
        raise ResponseShapeError(msg, where)
    if moment.minute or moment.second or moment.microsecond or (grain == "daily" and moment.hour):
        what = "midnight" if grain == "daily" else "whole hour"
        msg = f"the bucket of {moment.isoformat()} does not begin at a {what} of UTC"
        raise ResponseShapeError(msg, where)
    day = moment.strftime("%Y-%m-%d")
    return (day,) if grain == "daily" else (day, moment.hour)
