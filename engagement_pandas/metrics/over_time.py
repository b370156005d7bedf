"""Counts by hour, day, week or month, in any time zone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.metrics.checks import keys, refuse_taken, require_columns
from engagement_pandas.metrics.compatibility import check_addable
from engagement_pandas.metrics.coverage import (
    DAY_HOURS,
    HOUR_US,
    Coverage,
    given_span,
    hours,
    span,
)
from engagement_pandas.metrics.expected_counts import ExpectedCounts, Places, refuse_more, tallied
from engagement_pandas.metrics.group_sums import added, coded
from engagement_pandas.metrics.post_columns import look_up, read_once
from engagement_pandas.metrics.time_zones import first_moment, zone_of

_FLOORS: Final[dict[str, Callable[[pd.DatetimeIndex], pd.DatetimeIndex]]] = {
    "D": lambda days: days,
    "W": lambda days: days - pd.to_timedelta(days.day_of_week, unit="D"),
    "MS": lambda days: days - pd.to_timedelta(days.day - 1, unit="D"),
}
_STEPS: Final = {"D": "D", "W": "7D", "MS": "MS"}
EVERY: Final = ("h", *_FLOORS)
"""Hours, days, weeks from Monday, and months, as pandas abbreviates them."""


def over_time(  # noqa: PLR0913  each has a default
    counts: pd.DataFrame,
    *,
    every: str = "D",
    tz: str | tzinfo = "UTC",
    by: str | Iterable[str] | None = "engagement_type",
    window: Any = None,
    posts: Any = None,
) -> pd.DataFrame:
    """Sum counts into regular buckets of local time.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``day``, and ``hour`` unless ``every`` is days or more, in UTC.
    every : {"h", "D", "W", "MS"}
        Hours, days, weeks (from Monday) or months.
    tz : str or tzinfo
        Time zone of the days, weeks and months. Days have 23 or 25 hours where the clocks
        change. In zones with a half-hour offset, an hour belongs to the day in which it
        begins.
    by : str, list of str or None
        One series for each value of these columns, of the counts or of ``posts``, summed over
        the rest; None returns one series in all.
    window : Window, or pair of datetime or str, optional
        The requested window; by default from the first hour in the counts to the last.
    posts : iterable of str or DataFrame, optional
        The requested posts, as IDs, links or a frame with ``post_id``, so that posts without
        any rows count as missing too. Columns of ``by`` that the counts lack, such as ``kind``
        or ``handle`` of :func:`read_posts`, are looked up in the frame.

    Returns
    -------
    DataFrame
        Sorted by the keys, then by time; the same buckets for every key, without gaps.
        The columns ``by``; ``start`` (``datetime64[us, tz]``, the start of the bucket);
        ``count`` (``Int64``, counts per bucket; ``<NA>``, not 0, if there are none);
        ``complete`` (``boolean``).

        A bucket is complete if every post that existed by then has a known count in each of
        its hours (or days) since the post's creation, for each engagement type in the
        series, and if the window of the counts covers the bucket. ``<NA>`` if the counts do
        not state their window: ``attrs`` are lost by a merge and by other programs. Then
        pass ``window``, or set ``merged.attrs = counts.attrs``. Posts without a time in
        their ID are assumed to have always existed.

    Raises
    ------
    FrameError
        If counts have no day; if they are by day, and hours or a time zone other than UTC
        are requested; if types would be summed that may not be; if counts lie outside the
        window; for an unknown ``every``, ``tz`` or ``by``, or a column named like one of the
        result.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> hours = {f"{hour:02d}": "1" for hour in range(24)}
    >>> body = {"start": "2026-03-28T00:00:00Z", "end": "2026-03-30T00:00:00Z",
    ...         "g": {"impressions": {"2026-03-28": hours, "2026-03-29": hours}}}
    >>> days = over_time(ep.flatten_json(body), tz="Europe/Berlin")
    >>> days[["count", "complete"]].values.tolist()
    [[23, False], [23, True], [2, False]]
    >>> [str(start) for start in days["start"]][1:]
    ['2026-03-29 00:00:00+01:00', '2026-03-30 00:00:00+02:00']
    """
    counts = as_counts(counts)
    by = read_once(by)
    counts = look_up(require_columns(counts, "day"), by, posts)
    return sums_over_time(counts, every=every, tz=tz, by=by, window=window, posts=posts)


def sums_over_time(  # noqa: PLR0913 - those of over_time
    counts: pd.DataFrame,
    *,
    every: str,
    tz: str | tzinfo,
    by: str | Iterable[str] | None,
    window: Any,
    posts: Any = None,
) -> pd.DataFrame:
    """Return the sums of :func:`over_time`; the counts are checked and have the columns ``by``."""
    names = time_keys(counts, by)
    refuse_taken(names, ["start", "count", "complete"])
    if "engagement_type" not in names:
        check_addable(counts["engagement_type"].unique())
    starts = hours(counts)
    buckets = Buckets.of(counts, starts, every=every, tz=tz, window=window)
    key, table = coded(counts, names)
    places = buckets.places(key, starts)
    expectation = ExpectedCounts.of(counts, names, posts)
    known = expectation.full(counts, starts) * counts["count"].notna().to_numpy()
    return buckets.frame(table).assign(
        count=added(counts["count"], places, len(table) * len(buckets)),
        complete=buckets.complete(expectation, table, places, known),
    )


def time_keys(counts: pd.DataFrame, by: str | Iterable[str] | None) -> list[str]:
    """Return the columns to group by, excluding those of time.

    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"impressions": {"2026-03-01": "5"}}})
    >>> time_keys(counts, "day")
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: by is 'day'; every= defines the buckets ...
    """
    names = keys(counts, by)
    if {"day", "hour"} & set(names):
        msg = f"by is {by!r}; every= defines the buckets of time; leave out day and hour"
        raise FrameError(msg)
    return names


@dataclass(frozen=True, slots=True)
class Buckets:
    """Consecutive intervals of local time, without gaps.

    ``edges`` are their bounds in UTC, one more than there are buckets.
    """

    zone: tzinfo
    edges: pd.DatetimeIndex
    cover: Coverage

    @classmethod
    def of(
        cls,
        counts: pd.DataFrame,
        starts: NDArray[np.int64],
        *,
        every: str,
        tz: str | tzinfo,
        window: Any,
    ) -> Buckets:
        """Divide the window of the counts, or the requested window, into buckets.

        ``starts`` are as returned by :func:`~engagement_pandas.metrics.coverage.hours`.
        """
        zone = zone_of(tz)
        hourly = "hour" in counts.columns
        _refuse_finer(every, zone, hourly=hourly)
        if window is not None:
            cover = given_span(window, 1 if hourly else DAY_HOURS, counts)
            _refuse_outside(starts, cover, window)
        else:
            cover = span(counts, starts)
        return cls(zone, _edges(cover, every, zone), cover)

    def __len__(self) -> int:
        return len(self.edges) - 1

    @property
    def bounds(self) -> NDArray[np.int64]:
        """Bounds in hours since 1970; an hour cut by one belongs to the bucket before it."""
        return -(-self.edges.asi8 // HOUR_US)

    def frame(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return one row for each row of keys and each bucket, with its ``start``."""
        number = len(self)
        frame = table.take(np.repeat(np.arange(len(table)), number)).reset_index(drop=True)
        local = pd.DatetimeIndex(self.edges[:-1]).tz_convert(self.zone).as_unit("us")
        frame["start"] = local.take(np.tile(np.arange(number), len(table)))
        return frame

    def places(self, key: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of :meth:`frame` for each count, by its key and hour."""
        places = self._of_hour()[starts - int(self.bounds[0])]
        places += key * len(self)
        return places

    def complete(
        self, expectation: ExpectedCounts, table: pd.DataFrame, places: Places, known: Any
    ) -> Any:
        """Return whether each row of :meth:`frame` has every count and was requested in full.

        ``table`` holds the keys, and ``places`` are as returned by :meth:`places`. ``known``
        states which of these counts are known, or how many.
        """
        if not len(table) or not len(self):
            return pd.array([None] * (len(table) * len(self)), dtype="boolean")
        group = expectation.of_keys(table)
        number = tallied(places, known, len(table) * len(self))
        expected = expectation.expected(self.bounds)[group].ravel()
        refuse_more(number, expected)
        begin, end = self.bounds[:-1], self.bounds[1:]
        needed = np.maximum(begin, expectation.since()[group][:, None]).ravel()
        return self.cover.complete(number == expected, needed, np.tile(end, len(table)))

    def _of_hour(self) -> NDArray[np.int64]:
        """Return the bucket of each hour, from the first bound on."""
        return np.repeat(np.arange(len(self)), np.diff(self.bounds))


def _refuse_finer(every: str, zone: tzinfo, *, hourly: bool) -> None:
    if every not in EVERY:
        msg = f"every is {every!r}; choose one of {list(EVERY)}"
        raise FrameError(msg)
    if not hourly and every == "h":
        msg = "these counts are by day, and hours are requested; group by 'engagement.hour' too"
        raise FrameError(msg)
    if not hourly and str(zone) not in ("UTC", "Etc/UTC"):
        msg = (
            f"these counts are by UTC day, and days of {zone} begin at other hours; "
            "group by 'engagement.hour' too, or choose tz='UTC'"
        )
        raise FrameError(msg)


def _refuse_outside(starts: NDArray[np.int64], cover: Coverage, window: Any) -> None:
    outside = (starts < cover.first) | (starts >= cover.last)
    if outside.any():
        moment = pd.Timestamp(int(starts[outside][0]) * HOUR_US, unit="us")
        msg = f"there are counts of {moment} UTC, outside window {window!r}; widen it, or filter"
        raise FrameError(msg)


def _edges(cover: Coverage, every: str, zone: tzinfo) -> pd.DatetimeIndex:
    """Return the bounds of the buckets in UTC, one more than there are buckets."""
    first, last = (
        pd.Timestamp(h * HOUR_US, unit="us", tz="UTC") for h in (cover.first, cover.last)
    )
    if every == "h" or first == last:
        return pd.date_range(first, last, freq="h", unit="us")
    begin = pd.Timestamp(first.tz_convert(zone).date())
    days = pd.date_range(
        _FLOORS[every](pd.DatetimeIndex([begin]))[0],
        last.tz_convert(zone).tz_localize(None) + pd.Timedelta(days=32),
        freq=_STEPS[every],
    )
    # A day skipped by a zone that crossed the date line begins with the next one.
    edges = pd.DatetimeIndex([first_moment(day.date(), zone) for day in days]).as_unit("us")
    edges = edges.unique()
    return edges[: int(edges.searchsorted(last)) + 1]
