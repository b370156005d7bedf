"""Counts by age: what each post received in each hour, or day, after its creation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.metrics.checks import need_columns
from engagement_pandas.metrics.coverage import DAY_HOURS, Coverage
from engagement_pandas.metrics.cumulative import PostSeries, post_series, with_unknown
from engagement_pandas.metrics.expected_counts import tallied
from engagement_pandas.metrics.group_sums import added

STEPS: Final = {"h": 1, "D": DAY_HOURS}
"""Hours in a bucket of age."""


def by_age(counts: pd.DataFrame, *, every: str = "h") -> pd.DataFrame:
    """Return the counts of each post in each hour, or day, after its creation.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id`` and ``day``, and with ``hour`` unless ``every`` is
        days.
    every : {"h", "D"}
        ``"h"``: hours of the UTC clock, so the first begins with the post and is shorter
        than the others. ``"D"``: 24 hours of age; an hour belongs to the day of age in
        which it begins, and the first day also includes the short first hour. For counts
        by day, buckets are UTC days, and the first begins with the post.

    Returns
    -------
    DataFrame
        One row per post, type and bucket, sorted by them, from the first counted bucket to
        the last, without gaps. ``post_id`` and ``engagement_type`` as in the counts;
        ``age`` (``Float64``, hours from the post's creation to the end of the bucket, or of
        the counts if they end within it; ``<NA>`` for IDs that hold no time); ``count``
        (``Int64``, counts per bucket; ``<NA>``, not 0, if there are none); ``complete``
        (``boolean``): whether every hour of the bucket is known. If not, ``count`` is the
        sum of the known counts. ``<NA>`` if the counts do not state which window they
        cover, see :func:`over_time`.

    Raises
    ------
    FrameError
        As :func:`cumulative`; if hours are requested from counts by day; for an unknown
        ``every``.

    See Also
    --------
    cumulative : cumulative counts up to that age

    Notes
    -----
    The sum over a post and type equals :func:`cumulative` at the same age. If an ID holds no
    time, buckets start at its first hour, and none is complete.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> hours = {"19": "5", "20": "7", "21": "-1"}
    >>> body = {"start": "2018-11-09T19:00:00Z", "end": "2018-11-09T22:00:00Z",
    ...         "g": {"1060976163948904448": {"favorites": {"2018-11-09": hours}}}}
    >>> ages = by_age(ep.flatten_json(body))
    >>> ages["age"].round(2).to_list(), ages["count"].to_list()
    ([0.61, 1.61, 2.61], [5, 7, -1])
    """
    counts = as_counts(counts)
    need_columns(counts, "post_id", "day")
    check_step(counts, every)
    series = post_series(counts)
    buckets = AgeBuckets.of(series, series.begin, series.born, every)
    frame = series.keys().take(buckets.owner).reset_index(drop=True)
    number = pd.Series(pd.arrays.IntegerArray(series.number, series.unknown))
    return frame.assign(
        age=buckets.age(),
        count=added(number, buckets.place, len(frame)),
        complete=buckets.complete(~series.unknown),
    )


def check_step(counts: pd.DataFrame, every: str) -> None:
    """Raise if ``every`` is unknown, or if counts by day cannot fill hours of age.

    >>> import engagement_pandas as ep
    >>> check_step(ep.flatten_json({"g": {"1": {"favorites": {"2026-03-01": "5"}}}}), "h")
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: these counts are by day, and hours of age are ...
    """
    if every not in STEPS:
        msg = f"every is {every!r}; choose one of {list(STEPS)}, an hour or a day of age"
        raise FrameError(msg)
    if every == "h" and "hour" not in counts.columns:
        msg = (
            "these counts are by day, and hours of age are requested; group by "
            "'engagement.hour' too, or choose every='D'"
        )
        raise FrameError(msg)


@dataclass(frozen=True, slots=True)
class AgeBuckets:
    """Buckets of age of posts, or of posts and types; those of one owner are contiguous.

    ``owner`` is the post, or the post and type, of each bucket. ``begin`` and ``end`` are hours
    since 1970, UTC; the first bucket includes the hour of the post's creation. ``born`` is the
    creation time of each bucket's post, in the same hours; NaN if unknown. ``place`` is the
    index of the age bucket of each row of the series.
    """

    owner: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    born: NDArray[np.float64]
    place: NDArray[np.int64]
    cover: Coverage

    @classmethod
    def of(
        cls,
        series: PostSeries,
        bounds: NDArray[np.int64],
        born: NDArray[np.float64],
        every: str,
    ) -> AgeBuckets:
        """Divide series into buckets of age.

        ``bounds`` are the first row of each owner in the series, and the end. ``born`` is the
        creation time of each owner's post. ``every`` has passed :func:`check_step`.
        """
        step, width = series.cover.step, STEPS[every]
        length = np.diff(bounds)
        earliest, latest = _ends(series.start, bounds[:-1])
        made = np.where(np.isnan(born), earliest, born)
        # The bucket in which the post was created; if days consist of hours, the first day
        # has 24 hours in addition to it.
        birth = np.floor(made / step).astype(np.int64) * step
        origin = birth if width == step else np.ceil(made).astype(np.int64)
        low, high = (np.maximum((at - origin) // width, 0) for at in (earliest, latest))
        size = high - low + 1
        offset = np.cumsum(size) - size
        begin = np.arange(size.sum()) * width
        begin += np.repeat(origin + (low - offset) * width, size)
        end = begin + width
        begin[offset[low == 0]] = birth[low == 0]
        place = series.start - np.repeat(origin, length)
        if width > 1:
            place //= width
        np.maximum(place, 0, out=place)
        place += np.repeat(offset - low, length)
        return cls(
            owner=np.repeat(np.arange(len(born)), size),
            begin=begin,
            end=end,
            born=np.repeat(born, size),
            place=place,
            cover=series.cover,
        )

    def age(self) -> Any:
        """Return the age at the end of each bucket, or of the counts: hours, ``Float64``."""
        ends = self.cover.ends(self.begin, self.end)
        ends -= self.born
        return with_unknown(ends)

    def complete(self, known: NDArray[np.bool_]) -> Any:
        """Return whether each bucket is complete, given which counts are known."""
        filled = tallied(self.place, known, len(self.owner)) * self.cover.step
        full = (filled == self.end - self.begin) & ~np.isnan(self.born)
        return self.cover.complete(full, np.maximum(self.begin, self.born), self.end)


def _ends(
    start: NDArray[np.int64], first: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the earliest and the latest hour of each owner."""
    if not len(first):
        return start, start
    return np.minimum.reduceat(start, first), np.maximum.reduceat(start, first)
