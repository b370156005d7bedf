"""Engagement rates of each post in each hour or day of its age."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.metrics.by_age import AgeBuckets, check_step
from engagement_pandas.metrics.checks import filter_types, require_columns
from engagement_pandas.metrics.cumulative import equal_runs, series_of
from engagement_pandas.metrics.intervals import CONFIDENCE
from engagement_pandas.metrics.rate_formula import (
    bounds_of,
    cells_of,
    counted_pair,
    find_pairs,
    pair_sums,
    rated,
)


def rate_by_age(
    counts: pd.DataFrame,
    *,
    every: str = "h",
    numerator: str = "engagements",
    denominator: str = "impressions",
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Divide one engagement type by another in each hour, or day, after a post's creation.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id`` and ``day``, and with ``hour`` unless ``every`` is
        days.
    every : {"h", "D"}
        Hours of the UTC clock, or 24 hours of age, as for :func:`by_age`.
    numerator, denominator : str
        Engagement types.
    confidence : float
        Of the interval.

    Returns
    -------
    DataFrame
        One row per post and bucket, sorted by them, from the first bucket in which either
        type is counted to the last, without gaps. ``post_id`` as in the counts; ``age``
        (``Float64``, hours from the post's creation to the end of the bucket, or of the
        counts if they end within it; ``<NA>`` for IDs that hold no time); the two sums,
        named after their types (``Int64``), ``rate``, ``low`` and ``high`` (``Float64``,
        numerator per denominator) and ``above_one`` (``boolean``), each as in
        :func:`engagement_rate`; ``complete`` (``boolean``): whether both counts are known
        in every hour of the bucket.

    Raises
    ------
    FrameError
        As :func:`by_age` and :func:`engagement_rate`.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"start": "2018-11-09T19:00:00Z", "end": "2018-11-09T21:00:00Z",
    ...     "g": {"1060976163948904448": {
    ...     "impressions": {"2018-11-09": {"19": "50", "20": "20"}},
    ...     "engagements": {"2018-11-09": {"19": "5", "20": "3"}}}}}
    >>> rates = rate_by_age(ep.flatten_json(body))
    >>> rates["age"].round(2).to_list(), rates["rate"].to_list()
    ([0.61, 1.61], [0.1, 0.15])
    """
    counts = require_columns(as_counts(counts), "post_id", "day")
    check_step(counts, every)
    pair = counted_pair(counts, numerator, denominator)
    rows = filter_types(counts, pair)
    series = series_of(rows)
    first, _ = equal_runs(series.post)
    bounds = series.begin[np.append(first, len(series.post))]
    buckets = AgeBuckets.of(series, bounds, series.born[first], every)
    own = rows.take(series.row)
    cells = cells_of(own)
    (found,) = find_pairs(own, [pair], cells)
    size = len(buckets.owner)
    sums, known = pair_sums(own, [found], buckets.place, size)
    bounds = bounds_of(own, found, cells, buckets.place, size, confidence, single=True)
    names = pd.Series(series.posts.take(series.post[first][buckets.owner]), dtype=TEXT)
    both = np.zeros(len(own), dtype=np.bool_)
    both[found.known[0]] = True
    return pd.DataFrame(
        {
            "post_id": names,
            "age": buckets.age(),
            **rated(pair, sums, known, bounds),
            "complete": buckets.complete(both),
        }
    )
