"""Cumulative counts since the start of a window."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd

from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.metrics.over_time import over_time


def running_total(  # noqa: PLR0913 - each has a default
    counts: pd.DataFrame,
    *,
    every: str = "D",
    tz: str | tzinfo = "UTC",
    by: str | Iterable[str] | None = "engagement_type",
    window: Any = None,
    posts: Any = None,
) -> pd.DataFrame:
    """Return cumulative counts from the first bucket of a window to each of its buckets.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``day``, and ``hour`` unless ``every`` is days or more, in UTC.
    every : {"h", "D", "W", "MS"}
        Hours, days, weeks (from Monday) or months.
    tz : str or tzinfo
        Time zone of the days, weeks and months.
    by : str, list of str or None
        One series for each value of these columns, of the counts or of ``posts``, summed over
        the rest; None returns one series in all.
    window : Window, or pair of datetime or str, optional
        The requested window; by default from the first hour in the counts to the last.
    posts : iterable of str or DataFrame, optional
        The requested posts, as for :func:`over_time`.

    Returns
    -------
    DataFrame
        The rows and columns of :func:`over_time`: ``by``; ``start`` (``datetime64[us, tz]``,
        the start of the bucket); ``count`` (``Int64``, all counts from the first bucket to
        the end of this one; falls if unlikes outnumber likes; ``<NA>`` in a bucket whose own
        count is unknown); ``complete`` (``boolean``): whether all buckets up to this one
        are. If not, ``count`` is the sum of the known counts. ``<NA>`` if unknown.

    Raises
    ------
    FrameError
        As :func:`over_time`.

    See Also
    --------
    cumulative : cumulative counts since each post was created

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"impressions": {"2026-03-01": "5", "2026-03-02": "7"}}}
    >>> running_total(ep.flatten_json(body))["count"].to_list()
    [5, 12]
    """
    counts = as_counts(counts)
    return accumulate(over_time(counts, every=every, tz=tz, by=by, window=window, posts=posts))


def accumulate(table: pd.DataFrame) -> pd.DataFrame:
    """Sum the buckets of each key cumulatively; ``complete`` covers all buckets so far.

    ``table`` is as returned by :func:`over_time`.

    >>> start = pd.DatetimeIndex(["2026-03-01", "2026-03-02"], tz="UTC")
    >>> table = pd.DataFrame({"start": start, "count": pd.array([5, 7], dtype="Int64"),
    ...     "complete": pd.array([None, True], dtype="boolean")})
    >>> accumulate(table)[["count", "complete"]].values.tolist()
    [[5, <NA>], [12, <NA>]]
    """
    if table.empty:
        return table
    start = table["start"].array
    shape = (int((start == start[0]).sum()), -1)  # one row per key, one column per bucket
    own = table["count"].to_numpy(dtype="int64", na_value=0).reshape(shape)
    count = pd.array(np.cumsum(own, axis=1).ravel(), dtype="Int64")
    count[table["count"].isna().to_numpy()] = pd.NA
    # False takes precedence over <NA>, and <NA> over True.
    own_state = table["complete"].to_numpy(dtype="float64", na_value=0.5).reshape(shape)
    state = np.minimum.accumulate(own_state, axis=1).ravel()
    complete = pd.array(state == 1, dtype="boolean")
    complete[(state > 0) & (state < 1)] = pd.NA
    return table.assign(count=count, complete=complete)
