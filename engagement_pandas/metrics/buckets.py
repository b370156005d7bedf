"""Counts by hour, day, week or month, in anybody's time zone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.metrics.columns import keys, need
from engagement_pandas.metrics.meanings import check_addable
from engagement_pandas.metrics.spans import DAY_HOURS, HOUR_US, Span, given_span, hours, span
from engagement_pandas.metrics.sums import added, coded

_FLOORS: Final[dict[str, Callable[[pd.DatetimeIndex], pd.DatetimeIndex]]] = {
    "D": lambda days: days,
    "W": lambda days: days - pd.to_timedelta(days.day_of_week, unit="D"),
    "MS": lambda days: days - pd.to_timedelta(days.day - 1, unit="D"),
}
_STEPS: Final = {"D": "D", "W": "7D", "MS": "MS"}
_ROOM: Final = 8
EVERY: Final = ("h", *_FLOORS)
"""Hours, days, weeks from Monday, months; as pandas writes them."""


def over_time(
    counts: pd.DataFrame,
    *,
    every: str = "D",
    tz: str | tzinfo = "UTC",
    by: str | Iterable[str] | None = "engagement_type",
    window: Any = None,
) -> pd.DataFrame:
    """Sum counts into regular buckets of local time.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``day``, and ``hour`` unless ``every`` is days or more, in UTC.
    every : {"h", "D", "W", "MS"}
        Hours, days, weeks (from Monday) or months.
    tz : str or tzinfo
        Whose days, weeks and months. Days are as long as they were: 23 or 25 hours where
        the clocks change. In zones half an hour off, an hour belongs to the day in which
        it begins.
    by : str, list of str or None
        A series for each value of these columns, summed over the rest; None is one series
        over everything.
    window : Window, or pair of datetime or str, optional
        What was asked for; by default from the first hour in the counts to the last.

    Returns
    -------
    DataFrame
        Sorted by the keys, then by time; the same buckets for every key, without holes.
        The columns ``by``; ``start`` (``datetime64[us, tz]``, the bucket's first moment);
        ``count`` (``Int64``, counts per bucket; ``<NA>``, and not 0, where there are
        none); ``complete`` (``boolean``).

        A bucket is complete where the window covers all of it and each of its hours (or
        days) has a count under that key. ``<NA>`` where that cannot be known: counts by
        day do not tell whether the first and the last day were asked for as a whole, so
        give the ``window``. It tells of hours: where others have counts in an hour, a
        post whose row is not there is not missed.

    Raises
    ------
    FrameError
        Where counts have no day; where they are by day and hours or another time zone
        than UTC are asked for; where types would be summed that may not be; where counts
        lie outside the window; for an unknown ``every``, ``tz`` or ``by``.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> hours = {f"{hour:02d}": "1" for hour in range(24)}
    >>> body = {"g": {"impressions": {"2026-03-28": hours, "2026-03-29": hours}}}
    >>> days = over_time(ep.flatten_json(body), tz="Europe/Berlin")
    >>> days[["count", "complete"]].values.tolist()
    [[23, False], [23, True], [2, False]]
    >>> [str(start) for start in days["start"]][1:]
    ['2026-03-29 00:00:00+01:00', '2026-03-30 00:00:00+02:00']
    """
    need(counts, "day")
    names = keys(counts, by)
    if {"day", "hour"} & set(names):
        msg = f"by is {by!r}; every= says how time is cut, so leave out day and hour"
        raise FrameError(msg)
    if "engagement_type" not in names:
        check_addable(counts["engagement_type"].unique())
    zone = zone_of(tz)
    hourly = "hour" in counts.columns
    _refuse_finer(every, zone, hourly=hourly)
    starts = hours(counts)
    if window is not None:
        cover = given_span(window, 1 if hourly else DAY_HOURS)
        _refuse_outside(starts, cover, window)
    elif len(counts):
        cover = span(counts, starts)
    else:
        cover = Span(0, 0, 0, 0, 0.0, 1)
    edges = _edges(cover, every, zone)
    table, count, filled = _summed(counts, names, starts, edges)
    buckets = len(edges) - 1
    complete = _complete(filled, edges, cover, unsure=not hourly and window is None)
    frame = table.take(np.repeat(np.arange(len(table)), buckets)).reset_index(drop=True)
    local = pd.DatetimeIndex(edges[:-1]).tz_convert(zone).as_unit("us")
    frame["start"] = local.take(np.tile(np.arange(buckets), len(table)))
    frame["count"] = count
    frame["complete"] = complete
    return frame


def zone_of(tz: str | tzinfo) -> tzinfo:
    """Return a time zone by its name.

    Raises
    ------
    FrameError
        Where there is none of that name.

    Examples
    --------
    >>> zone_of("Europe/Berlin")
    zoneinfo.ZoneInfo(key='Europe/Berlin')
    """
    try:
        return ZoneInfo(tz) if isinstance(tz, str) else _aware(tz)
    except (KeyError, ValueError, TypeError, OSError) as error:
        msg = f"there is no time zone {tz!r}; write one such as 'Europe/Berlin', or 'UTC'"
        raise FrameError(msg) from error


def _aware(tz: tzinfo) -> tzinfo:
    if not isinstance(tz, tzinfo):
        raise TypeError(tz)
    return tz


def _refuse_finer(every: str, zone: tzinfo, *, hourly: bool) -> None:
    if every not in EVERY:
        msg = f"every is {every!r}; choose one of {list(EVERY)}"
        raise FrameError(msg)
    if not hourly and every == "h":
        msg = "these counts are by day, and hours are asked for; group by 'engagement.hour' too"
        raise FrameError(msg)
    if not hourly and str(zone) not in ("UTC", "Etc/UTC"):
        msg = (
            f"these counts are by UTC day, and days of {zone} begin at other hours; "
            "group by 'engagement.hour' too, or stay with tz='UTC'"
        )
        raise FrameError(msg)


def _refuse_outside(starts: NDArray[np.int64], cover: Span, window: Any) -> None:
    outside = (starts < cover.first) | (starts >= cover.last)
    if outside.any():
        moment = pd.Timestamp(int(starts[outside][0]) * HOUR_US, unit="us")
        msg = f"there are counts of {moment} UTC, outside window {window!r}; widen it, or filter"
        raise FrameError(msg)


def _edges(cover: Span, every: str, zone: tzinfo) -> pd.DatetimeIndex:
    """Return the buckets' bounds in UTC, one more than there are buckets."""
    first, last = (
        pd.Timestamp(h * HOUR_US, unit="us", tz="UTC") for h in (cover.first, cover.last)
    )
    if every == "h" or first == last:
        return pd.date_range(first, last, freq="h", unit="us")
    begin = pd.DatetimeIndex([first]).tz_convert(zone).tz_localize(None).normalize()
    end = last.tz_convert(zone).tz_localize(None) + pd.Timedelta(days=32)
    local = pd.date_range(_FLOORS[every](begin)[0], end, freq=_STEPS[every], unit="us")
    # Where a clock change takes a midnight away or gives it twice, the day begins at its
    # first moment that there was.
    utc = local.tz_localize(
        zone, ambiguous=np.ones(len(local), dtype=np.bool_), nonexistent="shift_forward"
    ).tz_convert("UTC")
    utc = utc.unique().sort_values()  # a zone that crossed the date line has no such day
    return utc[: int(utc.searchsorted(last)) + 1]


def _summed(
    counts: pd.DataFrame, names: list[str], starts: NDArray[np.int64], edges: pd.DatetimeIndex
) -> tuple[pd.DataFrame, pd.Series, NDArray[np.int64]]:
    """Return the keys, and for each key and bucket the sum and how many hours it has."""
    key, table = coded(counts, names)
    bounds = _whole(edges)
    first, length = int(bounds[0]), int(bounds[-1] - bounds[0])
    buckets = len(bounds) - 1
    of_hour = np.repeat(np.arange(buckets), np.diff(bounds))
    hour = starts - first
    count = added(counts["count"], key * buckets + of_hour[hour], len(table) * buckets)
    # An hour counts once, however many rows it has, and not if one of them is unknown.
    cell = key * length + hour
    unknown = cell[counts["count"].isna().to_numpy()]
    if len(table) * length > _ROOM * len(cell) + length:
        cell = np.setdiff1d(cell, unknown)
    else:
        there = np.zeros(len(table) * length, dtype=np.bool_)
        there[cell] = True
        there[unknown] = False
        cell = np.flatnonzero(there)
    place = cell // length * buckets + of_hour[cell % length]
    return table, count, np.bincount(place, minlength=len(count))


def _complete(
    filled: NDArray[np.int64], edges: pd.DatetimeIndex, cover: Span, *, unsure: bool
) -> Any:
    """Return for each key and bucket whether all of it was asked for and is there."""
    bounds = _whole(edges)
    begin, end = bounds[:-1], bounds[1:]
    keys = len(filled) // max(len(begin), 1)
    whole = filled == np.tile((end - begin) // cover.step, keys)
    sure = np.tile((begin >= cover.whole_from) & (end <= cover.whole_until), keys)
    maybe = np.tile((begin >= cover.first) & (end <= cover.until), keys)
    complete = pd.array(whole & sure, dtype="boolean")
    complete[whole & maybe & ~sure & unsure] = pd.NA
    return complete


def _whole(edges: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Return bounds in hours since 1970; the hour that a bound cuts counts before it."""
    return -(-edges.asi8 // HOUR_US)
