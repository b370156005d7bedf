"""Cumulative counts of each post and engagement type, by age."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.metrics.age import made_hour
from engagement_pandas.metrics.checks import require_columns
from engagement_pandas.metrics.coverage import HOUR_US, Coverage, hours, span


@dataclass(frozen=True, slots=True)
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
    - ``young``, ``old``: the post's age in hours at the start of the bucket (at least 0) and at
      its end; NaN if unknown.
    - ``running``: counts from the first bucket to the end of this one; unknown counts add nothing.
    - ``unknown``: whether its own count is unknown.
    - ``sound``: whether no count since the post's creation is known to be missing in ``running``.
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
    young: NDArray[np.float64]
    old: NDArray[np.float64]
    running: NDArray[np.int64]
    unknown: NDArray[np.bool_]
    sound: NDArray[np.bool_]
    cover: Coverage

    @property
    def complete(self) -> NDArray[np.bool_]:
        """For each bucket, whether ``running`` has every count since the post's creation."""
        return self.sound & self.cover.known

    @property
    def number(self) -> NDArray[np.int64]:
        """For each bucket, its own count; unknown counts are 0."""
        before: NDArray[np.int64] = np.append(0, self.running[:-1])
        before[self.begin[:-1]] = 0
        return np.subtract(self.running, before)

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


def post_series(counts: pd.DataFrame) -> PostSeries:
    """Group counts, with ``post_id`` and ``day``, into series, sorted by time."""
    require_columns(counts, "post_id", "day")
    codes, names = pd.factorize(counts["post_id"], sort=True)
    posts = pd.Index(names, dtype=TEXT)
    made = made_hour(posts)
    types = counts["engagement_type"]
    start = hours(counts)
    cover = span(counts, start)
    number = counts["count"].to_numpy(dtype="int64", na_value=0)
    unborn = start + cover.step <= made[codes]
    _refuse_unborn(counts, unborn & (number != 0), made[codes])

    code = types.cat.codes.to_numpy().astype("int64")
    key = codes * max(len(types.cat.categories), 1) + code
    row = _in_time(np.flatnonzero(~unborn), key, start)
    key, start, number, post, code = (a[row] for a in (key, start, number, codes, code))
    unknown = counts["count"].isna().to_numpy()[row]
    fresh = np.ones(len(row), dtype=np.bool_)
    fresh[1:] = key[1:] != key[:-1]
    first = np.flatnonzero(fresh)
    place = np.cumsum(fresh) - 1
    born = made[post[first]]
    flaws = _flaws(start, unknown, first, born, cover)
    return PostSeries(
        posts=posts,
        types=pd.CategoricalDtype(types.cat.categories, ordered=types.cat.ordered),
        post=post[first],
        type=code[first],
        begin=np.append(first, len(row)),
        born=born,
        owner=place,
        row=row,
        start=start,
        young=np.maximum(start - born[place], 0),
        old=cover.ends(start, start + cover.step) - born[place],
        running=_running(number, first, place),
        unknown=unknown,
        sound=_running(flaws.astype(np.int64), first, place) == 0,
        cover=cover,
    )


def _in_time(
    rows: NDArray[np.int64], key: NDArray[np.int64], start: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the rows sorted by series and time; tidy counts are already."""
    steps, times = np.diff(key[rows]), np.diff(start[rows])
    if ((steps > 0) | ((steps == 0) & (times >= 0))).all():
        return rows
    return rows[np.lexsort((start[rows], key[rows]))]


def _flaws(
    start: NDArray[np.int64],
    unknown: NDArray[np.bool_],
    first: NDArray[np.int64],
    born: NDArray[np.float64],
    cover: Coverage,
) -> NDArray[np.bool_]:
    """Return the buckets up to which counts are missing: after a gap, unknown, or cut off."""
    hop = np.diff(start, prepend=start[:1])
    hop[first] = cover.step
    flaws: NDArray[np.bool_] = (hop > cover.step) | unknown
    # NaN, for an ID without a time, compares false: nothing of its series is known.
    flaws[first] |= ~((start[first] <= born) & (born >= cover.start))
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
    counts = as_counts(counts)
    series = post_series(counts)
    frame = series.keys().take(series.owner).reset_index(drop=True)
    start = pd.Series((series.start * HOUR_US).view("datetime64[us]")).dt.tz_localize("UTC")
    running = pd.array(series.running, dtype="Int64")
    running[series.unknown] = pd.NA
    return frame.assign(
        start=start,
        age=pd.array(series.old, dtype="Float64"),
        count=running,
        complete=series.cover.stated(series.sound),
    )


def _running(
    number: NDArray[np.int64], first: NDArray[np.int64], place: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return cumulative sums within each series."""
    sums = np.cumsum(number)
    before = sums[first] - number[first]
    return sums - before[place]


def _refuse_unborn(
    counts: pd.DataFrame, unborn: NDArray[np.bool_], made: NDArray[np.float64]
) -> None:
    """Raise if there are counts from before the creation of their post."""
    if not unborn.any():
        return
    place = int(np.flatnonzero(unborn)[0])
    row = counts.iloc[place]
    moment = pd.Timestamp(round(made[place] * HOUR_US), unit="us").floor("s")
    hour = f" at {row['hour']} h" if "hour" in row else ""
    msg = (
        f"post {row['post_id']} has {row['count']} {row['engagement_type']} on {row['day']:%F}"
        f"{hour}, before it was created at {moment} UTC; check whether the hours are in another "
        "time zone, or the ID is another post's"
    )
    raise FrameError(msg)
