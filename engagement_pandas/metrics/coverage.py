"""The window that counts cover, and which part of it is known to be covered.

A response covers the time from one instant to another, which its rows do not state: the
first and the last hour of ``/28hr`` are partial, and a day at the edge of a window holds only
the hours inside it. So a frame carries its window in ``attrs``: ``start`` and ``end`` (exact,
with a time zone), ``endpoint`` and ``retrieved_at``. If these are lost, by a merge or another
program, nothing is known to be complete, except days of an account, whose rows state it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.contract import PARTIAL, to_iso_utc
from engagement_pandas.vocabulary.endpoints import Endpoint

HOUR_US: Final = 3_600_000_000
DAY_HOURS: Final = 24
_LAST_HOURS: Final = 28

SPREAD: Final = pd.Timedelta(minutes=1)
"""Maximum difference between times of one retrieval."""

SUMMED: Final = "engagement_pandas.summed"
"""Column of partial sums, in which keys may repeat since each partition was checked. It holds
the number of known counts in each sum, from hours in which the post existed."""

SIDE: Final = "engagement_pandas.side"
"""Column of partial sums of two types: whether the count's partner is known."""

OPEN, PAIRED, ALONE = 0, 1, 2
"""The partner may be in another partition; it was found; there is none, or its count is unknown."""

CURE: Final = (
    "the counts do not state what they cover, as after a merge; set merged.attrs = counts.attrs, "
    "or counts.attrs |= {'start': '2026-03-01T00:00Z', 'end': '2026-04-12T09:00Z'}"
)


@dataclass(frozen=True, slots=True)
class Coverage:
    """A half-open interval of time, in hours since 1970, UTC.

    ``first`` is the start of the first bucket, and ``last`` the end of the last. Everything
    from ``start`` on was counted; it is minus infinity for whole hours. Counts reach up to
    ``until``: ``last``, or an earlier end of the requested window. The age of a bucket that
    begins later is unknown. ``step`` is the number of hours in a bucket: 1, or 24 if counts are
    by day. ``known`` states whether ``start`` and ``until`` are known; if not, no bucket is
    known to be complete.
    """

    first: int
    last: int
    start: float
    until: float
    step: int
    known: bool = True

    @property
    def exact(self) -> bool:
        """Whether ``until`` is within the last bucket, or at its end."""
        return self.until > self.last - self.step

    def ends(self, begin: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the time up to which each interval counts; NaN if unknown."""
        there = (begin < self.until) & (self.exact | (end <= self.until))
        return np.where(there, np.minimum(end, self.until), np.nan)

    def complete(self, full: NDArray[np.bool_], begin: Any, end: NDArray[np.int64]) -> Any:
        """Return which intervals are complete, ``<NA>`` if unknown.

        ``full`` states whether each hour of the interval has its counts. Counts are needed from
        ``begin`` to ``end``, in hours since 1970, UTC.
        """
        if self.known:
            full = full & (begin >= self.start)
        if self.known or self.exact:
            full = full & (end <= self.until)
        return self.stated(full)

    def stated(self, sound: NDArray[np.bool_]) -> Any:
        """Return the argument, with ``<NA>`` for True if the window of the counts is lost."""
        return pd.arrays.BooleanArray(sound.copy(), sound & (not self.known))


NOTHING: Final = Coverage(0, 0, -np.inf, 0.0, 1)
"""The coverage of an empty frame."""


def hours(counts: pd.DataFrame) -> NDArray[np.int64]:
    """Return the start of each row's bucket, in whole hours since 1970, UTC.

    >>> import engagement_pandas as ep
    >>> body = {"g": {"impressions": {"1970-01-02": {"03": "5"}}}}
    >>> hours(ep.flatten_json(body)).tolist()
    [27]
    """
    starts = counts["day"].to_numpy().view("int64") // HOUR_US
    if "hour" in counts.columns:
        starts += counts["hour"].to_numpy()
    return starts


def complete_days(counts: pd.DataFrame) -> NDArray[np.bool_] | None:
    """Return whether the day of each row was over, as an account's days state it; None if not.

    >>> complete_days(pd.DataFrame({"partial": [False, True]})).tolist()
    [True, False]
    """
    if PARTIAL not in counts.columns or "post_id" in counts.columns:
        return None
    partial = counts[PARTIAL]
    is_stated = pd.api.types.is_bool_dtype(partial.dtype) and not partial.hasnans
    return ~partial.to_numpy(dtype=np.bool_) if is_stated else None


def moment(counts: pd.DataFrame, name: str) -> float | None:
    """Return a time in ``attrs`` in hours since 1970, UTC; None if absent.

    >>> frame = pd.DataFrame()
    >>> frame.attrs["retrieved_at"] = "1970-01-01T02:30:00Z"
    >>> moment(frame, "retrieved_at")
    2.5
    """
    given = counts.attrs.get(name)
    if given is None:
        return None
    return datetime.fromisoformat(to_iso_utc(given, name)).timestamp() / 3600


def read_at(counts: pd.DataFrame) -> float | None:
    """Return the retrieval time in hours since 1970; None if unknown or more than one.

    >>> moments = pd.to_datetime(["1970-01-01T02:30Z", "1970-01-02T02:30Z"])
    >>> print(read_at(pd.DataFrame({"retrieved_at": moments})))
    None
    """
    if "retrieved_at" not in counts.columns:
        return moment(counts, "retrieved_at")
    moments = counts["retrieved_at"]
    if not len(moments) or moments.max() - moments.min() > SPREAD:
        return None
    return float(moments.min().timestamp() / 3600)


def covered(counts: pd.DataFrame) -> tuple[float, float] | None:
    """Return start and end of the window in hours since 1970; None if unknown.

    If only endpoint and retrieval time are known, ``/28hr`` covers the 28 hours before
    retrieval, and hours of ``/historical`` are whole, since its windows are in whole hours.

    >>> frame = pd.DataFrame({"day": [], "hour": []})
    >>> frame.attrs = {"endpoint": "28hr", "retrieved_at": "1970-01-02T06:30:00Z"}
    >>> covered(frame)
    (2.5, 30.5)
    """
    start, end = moment(counts, "start"), moment(counts, "end")
    if start is not None and end is not None:
        if start >= end:
            msg = f"attrs state that the counts cover {counts.attrs['start']} to "
            raise FrameError(f"{msg}{counts.attrs['end']}, which is empty; set both again")
        return start, end
    endpoint, at = counts.attrs.get("endpoint"), read_at(counts)
    if endpoint == Endpoint.LAST_28_HOURS and at is not None:
        return at - _LAST_HOURS, at
    if endpoint == Endpoint.HISTORICAL and "hour" in counts.columns:
        return -np.inf, np.inf
    return None


def span(counts: pd.DataFrame, starts: NDArray[np.int64]) -> Coverage:
    """Return the coverage of counts, as far as ``attrs`` state it.

    ``starts`` are as returned by :func:`hours`.

    >>> import engagement_pandas as ep
    >>> body = {"start": "1970-01-02T03:20:00Z", "end": "1970-01-02T04:30:00Z",
    ...         "g": {"impressions": {"1970-01-02": {"03": "5", "04": "6"}}}}
    >>> counts = ep.flatten_json(body)
    >>> span(counts, hours(counts)).until
    28.5
    """
    if not len(starts):
        return NOTHING
    step = 1 if "hour" in counts.columns else DAY_HOURS
    first, last = int(starts.min()), int(starts.max()) + step
    cover, at = covered(counts), read_at(counts)
    if cover is not None:
        start, end = cover
        if end == np.inf and at is not None and at > last - step:
            end = at
        return Coverage(first, last, start, min(last, end), step)
    if (over := complete_days(counts)) is not None:
        newest = int(starts[over].max(initial=first - step))
        return Coverage(first, last, -np.inf, newest + step, step)
    # An hour ended before its retrieval or was cut off by it; a day may end at any hour.
    until = min(last, at) if step == 1 and at is not None and at > last - step else last - step
    return Coverage(first, last, -np.inf, until, step, known=False)


def given_span(window: Any, step: int, counts: pd.DataFrame) -> Coverage:
    """Return the coverage of a given window, narrowed to what the counts state.

    The window is half-open: any object with ``start`` and ``end``, or a pair of times. Times
    have a time zone, and bare dates are midnights, UTC. ``step`` is the number of hours in a
    bucket of the counts.

    >>> given_span(("1970-01-02", "1970-01-03T06:30:00Z"), 1, pd.DataFrame())
    Coverage(first=24, last=55, start=24.0, until=54.5, step=1, known=True)
    """
    try:
        start, end = (window.start, window.end) if hasattr(window, "start") else window
        bounds = [_hour(start), _hour(end)]
    except (TypeError, ValueError, AttributeError) as error:
        msg = (
            f"window is {window!r}; give a Window, or a pair of times with a time zone, such as "
            '("2026-03-01", "2026-04-12T09:00:00Z")'
        )
        raise FrameError(msg) from error
    if bounds[0] >= bounds[1]:
        msg = f"window {window!r} is empty; its end is exclusive and comes after its start"
        raise FrameError(msg)
    first, last = int(bounds[0] // step) * step, -int(-bounds[1] // step) * step
    given = Coverage(first, last, bounds[0], bounds[1], step)
    cover = covered(counts)
    if cover is None:
        return given
    return replace(given, start=max(bounds[0], cover[0]), until=min(bounds[1], cover[1]))


def need_edges(counts: pd.DataFrame, what: str) -> None:
    """Raise if the window of the counts is unknown but required.

    >>> need_edges(pd.DataFrame({"day": [1]}), "compare()")
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: compare() needs counts from the creation ...
    """
    if len(counts) and covered(counts) is None:
        msg = f"{what} needs counts from the creation of each post on, and {CURE}"
        raise FrameError(msg)


def _hour(moment: Any) -> float:
    """Return a time in hours since 1970, UTC."""
    stamp = pd.Timestamp(moment)
    if pd.isna(stamp):
        msg = "no moment"
        raise ValueError(msg)
    if stamp.tzinfo is None:
        if stamp != stamp.normalize():
            msg = "no time zone"
            raise ValueError(msg)
        stamp = stamp.tz_localize("UTC")
    return stamp.timestamp() / 3600
