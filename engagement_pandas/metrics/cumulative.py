"""Cumulative counts of each post and engagement type, by age."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.metrics.age import made_hour
from engagement_pandas.metrics.checks import require_columns
from engagement_pandas.metrics.coverage import HOUR_US, Coverage, hours, span
from engagement_pandas.metrics.group_sums import factorized

Rows = NDArray[np.int64] | slice

EVERY: Final = slice(None)


@dataclass(frozen=True)
class PostSeries:
    """Counts by post and type in order of time; arrays with one entry per bucket.

    A *series* is one post and one type; its buckets are contiguous. Buckets that ended before the
    post was created are left out. ``posts`` are sorted. For each series:

    - ``post``, ``type``: its index in ``posts`` and in the categories.
    - ``begin``: the index of its first bucket; one more entry marks the end.
    - ``born``: when the post was created, in hours since 1970, UTC; NaN if its ID holds no time.

    For each bucket:

    - ``owner``, ``row``: the series it belongs to, and its row in the counts.
    - ``start``: in hours since 1970, UTC.
    - ``number``: its own count; unknown counts are 0.
    - ``unknown``: whether its own count is unknown.
    """

    posts: pd.Index
    types: pd.CategoricalDtype
    post: NDArray[np.int64]
    type: NDArray[np.int64]
    begin: NDArray[np.int64]
    born: NDArray[np.float64]
    owner: NDArray[np.int64]
    row: NDArray[np.int64]
    start: NDArray[np.int64]
    number: NDArray[np.int64]
    unknown: NDArray[np.bool_]
    cover: Coverage

    def young(self, rows: Rows = EVERY) -> NDArray[np.float64]:
        """Return the post's age in hours, at least 0, at the start of each bucket, or of some."""
        return np.maximum(self.start[rows] - self.born[self.owner[rows]], 0)

    def old(self, rows: Rows = EVERY) -> NDArray[np.float64]:
        """Return the post's age in hours at the end of each bucket, or of some; NaN if unknown."""
        start = self.start[rows]
        ends = self.cover.ends(start, start + self.cover.step)
        ends -= self.born[self.owner[rows]]
        return ends

    @property
    def complete(self) -> NDArray[np.bool_]:
        """For each bucket, whether ``running`` has every count since the post's creation."""
        return self.sound & self.cover.known

    @cached_property
    def running(self) -> NDArray[np.int64]:
        """For each bucket, counts from the first one to its end; unknown counts add nothing."""
        first, length = self.begin[:-1], np.diff(self.begin)
        sums: NDArray[np.int64] = np.cumsum(self.number)
        sums -= np.repeat(sums[first] - self.number[first], length)
        return sums

    @cached_property
    def sound(self) -> NDArray[np.bool_]:
        """For each bucket, whether no count since the creation is known to be missing so far."""
        good = first_in(_flaws(self), self.begin) - self.begin[:-1]
        lengths = np.column_stack([good, np.diff(self.begin) - good]).ravel()
        return np.repeat(np.tile([True, False], len(good)), lengths)

    @property
    def last(self) -> NDArray[np.int64]:
        """For each series, the index of its last bucket."""
        return self.begin[1:] - 1

    def keys(self) -> pd.DataFrame:
        """Return ``post_id`` and ``engagement_type`` of each series."""
        return pd.DataFrame(
            {
                "post_id": pd.Series(self.posts.take(self.post), dtype=TEXT),
                "engagement_type": pd.Categorical.from_codes(self.type, dtype=self.types),
            }
        )


def post_series(counts: pd.DataFrame, *names: str) -> PostSeries:
    """Group counts, with ``post_id``, ``day`` and these columns, into series, sorted by time."""
    return series_of(require_columns(counts, "post_id", "day", *names))


def series_of(counts: pd.DataFrame) -> PostSeries:
    """Group counts of :func:`~engagement_pandas.metrics.checks.require_columns` into series."""
    codes, names = factorized(counts["post_id"])
    posts = pd.Index(names, dtype=TEXT)
    types = counts["engagement_type"]
    start = hours(counts)
    cover = span(counts, start)
    number = counts["count"].to_numpy(dtype="int64", na_value=0)
    unknown = counts["count"].isna().to_numpy()
    size = max(len(types.cat.categories), 1)
    key = codes.astype(np.int64) * size + types.cat.codes.to_numpy()
    row: NDArray[np.int64] = np.arange(len(key))
    if not _in_time(key, start):
        row = np.lexsort((start, key))
        key, start, number, unknown = key[row], start[row], number[row], unknown[row]
    made = made_hour(posts)
    first, length = equal_runs(key)
    unborn = start + cover.step <= np.repeat(made[key[first] // size], length)
    if unborn.any():
        _refuse_unborn(counts, row[unborn & (number != 0)], made, codes)
        row, key, start = row[~unborn], key[~unborn], start[~unborn]
        number, unknown = number[~unborn], unknown[~unborn]
        first, length = equal_runs(key)
    post, code = np.divmod(key[first], size)
    return PostSeries(
        posts=posts,
        types=pd.CategoricalDtype(types.cat.categories, ordered=types.cat.ordered),
        post=post,
        type=code,
        begin=np.append(first, len(key)),
        born=made[post],
        owner=np.repeat(np.arange(len(first)), length),
        row=row,
        start=start,
        number=number,
        unknown=unknown,
        cover=cover,
    )


def first_in(mask: NDArray[np.bool_], begin: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first bucket of each series for which a mask is true; its end if there is none.

    ``begin`` has the index of the first bucket of each series, and the end.

    >>> first_in(np.array([False, True, True, False]), np.array([0, 3, 4])).tolist()
    [1, 4]
    """
    found = np.append(np.flatnonzero(mask), len(mask))
    first: NDArray[np.int64] = np.minimum(found[np.searchsorted(found, begin[:-1])], begin[1:])
    return first


def _in_time(key: NDArray[np.int64], start: NDArray[np.int64]) -> bool:
    """Return whether rows are sorted by series and time, as tidy counts are."""
    same = (key[1:] == key[:-1]) & (start[1:] >= start[:-1])
    return bool(((key[1:] > key[:-1]) | same).all())


def equal_runs(key: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first row of each run of equal keys, and its length.

    >>> [places.tolist() for places in equal_runs(np.array([5, 5, 7]))]
    [[0, 2], [2, 1]]
    """
    first = np.flatnonzero(np.append(np.ones(len(key[:1]), dtype=np.bool_), key[1:] != key[:-1]))
    return first, np.diff(first, append=len(key))


def _flaws(series: PostSeries) -> NDArray[np.bool_]:
    """Return the buckets up to which counts are missing: after a gap, unknown, or cut off."""
    start, first, born, cover = series.start, series.begin[:-1], series.born, series.cover
    flaws = series.unknown.copy()
    flaws[1:] |= start[1:] - start[:-1] > cover.step
    # NaN, for an ID without a time, compares false: nothing of its series is known.
    late = ~((start[first] <= born) & (born >= cover.start))
    flaws[first] = series.unknown[first] | late
    # The last bucket may be partial; it is complete up to the end of the window.
    flaws |= (start >= cover.until) & cover.known
    return flaws


def cumulative(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the cumulative counts of each post since its creation.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id`` and ``day``, and optionally ``hour``.

    Returns
    -------
    DataFrame
        One row per post, type and bucket in the counts, sorted by them; buckets that ended
        before the post was created are left out. ``post_id`` and ``engagement_type`` as in
        the counts; ``start`` (``datetime64[us, UTC]``, of the hour or day); ``age``
        (``Float64``, hours from the post's creation to the end of the bucket); ``count``
        (``Int64``, all counts up to that age; falls if unlikes outnumber likes; ``<NA>`` in
        a bucket whose own count is unknown); ``complete`` (``boolean``): whether every hour
        since creation is included. If not, since the counts begin later or have gaps,
        ``count`` is the sum of the known counts. ``<NA>`` if the counts do not state which
        window they cover, see :func:`over_time`.

    Raises
    ------
    FrameError
        If counts have no post or day, repeat a bucket, or count something before the post
        was created, which happens if hours are in another time zone.

    Notes
    -----
    Counts of the time series are per hour and can be negative. Posts created before the
    counts begin, to the second, are not complete. The last hour or day may be partial; it is
    complete up to the end of the window, where its ``age`` ends too.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> hours = {"19": "5", "20": "7", "21": "-1"}
    >>> body = {"start": "2018-11-09T19:00:00Z", "end": "2018-11-09T22:00:00Z",
    ...         "g": {"1060976163948904448": {"favorites": {"2018-11-09": hours}}}}
    >>> grown = cumulative(ep.flatten_json(body))
    >>> grown["age"].round(2).to_list(), grown["count"].to_list()
    ([0.61, 1.61, 2.61], [5, 12, 11])
    """
    series = post_series(as_counts(counts))
    frame = series.keys().take(series.owner).reset_index(drop=True)
    start = pd.Series((series.start * HOUR_US).view("datetime64[us]")).dt.tz_localize("UTC")
    return frame.assign(
        start=start,
        age=with_unknown(series.old()),
        count=pd.arrays.IntegerArray(series.running, series.unknown),
        complete=series.cover.stated(series.sound),
    )


def with_unknown(numbers: NDArray[np.float64]) -> Any:
    """Return numbers as ``Float64``, with ``<NA>`` for NaN, without a copy."""
    return pd.arrays.FloatingArray(numbers, np.isnan(numbers))


def _refuse_unborn(
    counts: pd.DataFrame,
    rows: NDArray[np.int64],
    made: NDArray[np.float64],
    codes: NDArray[np.int64],
) -> None:
    """Raise if there are rows with counts from before the creation of their post."""
    if not len(rows):
        return
    place = int(rows.min())
    row = counts.iloc[place]
    moment = pd.Timestamp(round(made[codes[place]] * HOUR_US), unit="us").floor("s")
    hour = f" at {row['hour']} h" if "hour" in row else ""
    msg = (
        f"post {row['post_id']} has {row['count']} {row['engagement_type']} on {row['day']:%F}"
        f"{hour}, before it was created at {moment} UTC; check whether the hours are in another "
        "time zone, or the ID is another post's"
    )
    raise FrameError(msg)
