"""The last period against the one before, of the same length."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, Final

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.number_checks import whole_number
from engagement_pandas.metrics.coverage import HOUR_US, Coverage, hours, span
from engagement_pandas.metrics.over_time import over_time
from engagement_pandas.text import pluralize

ROLLING: Final = 7
"""Days of the rolling mean."""


def versus_previous(
    counts: pd.DataFrame,
    *,
    days: int = 7,
    tz: str | tzinfo = "UTC",
    posts: Any = None,
) -> pd.DataFrame:
    """Compare the counts of the last days with those of as many days before.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts by hour, or by day in UTC.
    days : int
        Length of a period in local days: 7 compares weeks, which have the same weekdays.
    tz : str or tzinfo
        Time zone of the days.
    posts : iterable of str or DataFrame, optional
        The requested posts, as for :func:`over_time`.

    Returns
    -------
    DataFrame
        One row per engagement type: ``engagement_type``; ``start`` and ``end``
        (``datetime64[us, tz]``, of the last period; the end is exclusive); ``count`` and
        ``previous`` (``Int64``); ``change`` (``Float64``, of the count, as a share of the
        previous one; ``<NA>`` if that is not above 0); ``rolling`` (``Float64``, mean daily
        count of the last 7 days, or of the period if that is shorter) and ``complete``
        (``boolean``: every hour of both periods is known; ``<NA>`` if the counts do not state
        which window they cover).

        The last period ends with the last day that the counts cover in full, so that a
        partial day is not compared with a full one.

    Raises
    ------
    FrameError
        As :func:`over_time`; if there are not twice as many days.

    See Also
    --------
    over_time : the counts of each day
    compare : two sets of posts, with an interval

    Notes
    -----
    These are all counts in a period, of posts of any age. Do not use it to judge the posts of
    a period: with more posts, or one viral one, the sums differ, and no interval says by how
    much they would by chance; for that, compare the posts of both periods with
    :func:`compare`.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-05T00:00:00Z",
    ...         "g": {"impressions": {"2026-03-01": "50", "2026-03-02": "20",
    ...                               "2026-03-03": "60", "2026-03-04": "45"}}}
    >>> table = versus_previous(ep.flatten_json(body), days=2)
    >>> table[["count", "previous", "change", "complete"]].values.tolist()
    [[105, 70, 0.5, True]]
    """
    counts = as_counts(counts)
    length = whole_number(days, "days", 1)
    daily = over_time(counts, every="D", tz=tz, posts=posts)
    return _last_and_previous(daily, length, span(counts, hours(counts)))


def _last_and_previous(daily: pd.DataFrame, length: int, cover: Coverage) -> pd.DataFrame:
    """Return a row for each type, given the counts of each day."""
    starts = pd.DatetimeIndex(daily["start"].unique()).sort_values()
    ends = (starts + pd.DateOffset(days=1)).as_unit("us").asi8 / HOUR_US
    # The counts reach into the last day, and may not reach its end.
    last = int((ends <= min(cover.until, cover.last)).sum())
    if last < 2 * length:
        msg = (
            f"the counts have {pluralize(last, 'day')} up to their last full one; "
            f"with days={length}, a comparison needs {2 * length}"
        )
        raise FrameError(msg)
    end = starts[last - 1] + pd.DateOffset(days=1)
    rows = []
    for name, part in daily.groupby("engagement_type", observed=True):
        table = part.set_index("start").reindex(starts[last - 2 * length : last])
        count = table["count"].astype("Int64")
        now, before = count.iloc[length:], count.iloc[:length]
        sums = [half.sum(min_count=1) for half in (now, before)]
        known = pd.notna(sums[0]) and pd.notna(sums[1]) and sums[1] > 0
        change = sums[0] / sums[1] - 1 if known else pd.NA
        rows.append(
            {
                "engagement_type": name,
                "start": starts[last - length],
                "end": end,
                "count": sums[0],
                "previous": sums[1],
                "change": change,
                "rolling": now.iloc[-min(length, ROLLING) :].astype("Float64").mean(),
                # False takes precedence over <NA>, and <NA> over True.
                "complete": table["complete"].all(skipna=False),
            }
        )
    names = ["engagement_type", "start", "end", "count", "previous", "change", "rolling"]
    frame = pd.DataFrame(rows, columns=[*names, "complete"])
    moment = daily["start"].dtype
    return frame.astype(
        {
            "engagement_type": daily["engagement_type"].dtype,
            "start": moment,
            "end": moment,
            "count": "Int64",
            "previous": "Int64",
            "change": "Float64",
            "rolling": "Float64",
            "complete": "boolean",
        }
    )
