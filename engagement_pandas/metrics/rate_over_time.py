"""Engagement rates in each bucket of local time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.metrics.checks import (
    filter_types,
    is_of_types,
    refuse_taken,
    require_columns,
)
from engagement_pandas.metrics.coverage import hours
from engagement_pandas.metrics.expected_counts import ExpectedCounts
from engagement_pandas.metrics.group_sums import coded
from engagement_pandas.metrics.intervals import CONFIDENCE
from engagement_pandas.metrics.over_time import Buckets, time_keys
from engagement_pandas.metrics.post_columns import look_up, read_once
from engagement_pandas.metrics.rate_formula import (
    RATED,
    Bounds,
    bounds_of,
    cells_of,
    counted_pair,
    find_pairs,
    pair_of,
    pair_sums,
    rated,
)


def rate_over_time(  # noqa: PLR0913 - each has a default
    counts: pd.DataFrame,
    *,
    every: str = "D",
    tz: str | tzinfo = "UTC",
    by: str | Iterable[str] | None = None,
    window: Any = None,
    posts: Any = None,
    numerator: str = "engagements",
    denominator: str = "impressions",
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Divide one engagement type by another in regular buckets of local time.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``day``, and ``hour`` unless ``every`` is days or more, in UTC.
    every : {"h", "D", "W", "MS"}
        Hours, days, weeks (from Monday) or months.
    tz : str or tzinfo
        Time zone of the days, weeks and months.
    by : str, list of str or None
        One series for each value of these columns, of the counts or of ``posts``; None returns
        one series in all.
    window : Window, or pair of datetime or str, optional
        The requested window; by default from the first hour in the counts to the last.
    posts : iterable of str or DataFrame, optional
        The requested posts, as for :func:`over_time`.
    numerator, denominator : str
        Engagement types.
    confidence : float
        Of the interval.

    Returns
    -------
    DataFrame
        Sorted by the keys, then by time; the same buckets for every key, without gaps.
        The columns ``by``; ``start`` (``datetime64[us, tz]``, the start of the bucket); the
        two sums, named after their types (``Int64``), ``rate``, ``low`` and ``high``
        (``Float64``, numerator per denominator) and ``above_one`` (``boolean``), each as in
        :func:`engagement_rate`; ``complete`` (``boolean``).

        The rate of a bucket is a ratio of sums over the posts and hours in which *both* are
        counted. ``<NA>`` if there are none, or no impressions; the sums are then of all
        known counts. A bucket is complete if every post that existed by then has both counts
        in each of its hours, and the window of the counts covers it; ``<NA>`` if the window
        is unknown, see :func:`over_time`.

    Raises
    ------
    FrameError
        As :func:`over_time` and :func:`engagement_rate`.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"impressions": {"2026-03-01": "50", "2026-03-02": "20"},
    ...               "engagements": {"2026-03-01": "5", "2026-03-02": "3"}}}
    >>> rate_over_time(ep.flatten_json(body))["rate"].to_list()
    [0.1, 0.15]
    """
    counts = as_counts(counts)
    by = read_once(by)
    counts = look_up(require_columns(counts, "day"), by, posts)
    names = time_keys(counts, by)
    pair = counted_pair(counts, numerator, denominator, names)
    refuse_taken(names, ["start", *pair, *RATED, "complete"])
    starts = hours(counts)
    buckets = Buckets.of(counts, starts, every=every, tz=tz, window=window)
    rows = filter_types(counts, pair)
    key, table = coded(rows, names)
    expectation = ExpectedCounts.of(counts, [*names, "engagement_type"], posts)
    alive = expectation.full(counts, starts)[is_of_types(counts, pair)]
    rates = _rates(
        rows, [pair], buckets, key, table, expectation, alive, confidence, single="post_id" in names
    )
    frame = buckets.frame(table).assign(**rated(pair, rates.sums, rates.known, rates.bounds))
    return frame.assign(complete=rates.complete)


def rates_over_time(  # noqa: PLR0913 - the metric's own, by keyword
    counts: pd.DataFrame,
    numerators: Sequence[str],
    *,
    denominator: str,
    every: str,
    tz: str | tzinfo,
    window: Any,
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Return the rates of several types over one denominator, summed over everything.

    At least one type is given. Rows are those of :func:`rate_over_time`, one type after
    another, with the type in ``engagement_type`` (``str``) and its sum in ``count``.
    """
    counts = require_columns(counts, "day")
    pairs = [pair_of(counts, name, denominator) for name in numerators]
    starts = hours(counts)
    buckets = Buckets.of(counts, starts, every=every, tz=tz, window=window)
    key = np.zeros(len(counts), dtype=np.int64)
    table = pd.DataFrame(index=[0])
    expectation = ExpectedCounts.of(counts, ["engagement_type"])
    alive = expectation.full(counts, starts)
    rates = _rates(counts, pairs, buckets, key, table, expectation, alive, confidence)
    names = pd.DataFrame({"engagement_type": pd.Series(list(numerators), dtype=TEXT)})
    columns = rated(["count", denominator], rates.sums, rates.known, rates.bounds)
    return buckets.frame(names).assign(**columns, complete=rates.complete)


@dataclass(frozen=True, slots=True)
class _Rates:
    """The two sums, whether both are known, whether they are complete, and the intervals."""

    sums: list[pd.Series]
    known: NDArray[np.bool_]
    complete: Any
    bounds: Bounds


def _rates(  # noqa: PLR0913, PLR0917 - one step of two metrics
    counts: pd.DataFrame,
    pairs: Sequence[list[str]],
    buckets: Buckets,
    key: NDArray[np.int64],
    table: pd.DataFrame,
    expectation: ExpectedCounts,
    alive: NDArray[Any],
    confidence: float,
    *,
    single: bool = False,
) -> _Rates:
    """Return the sums of each bucket, ordered by pair of types, then key, then bucket.

    ``table`` holds the keys; ``single`` states that each is of one post.
    """
    starts = hours(counts)
    cells = cells_of(counts, starts)
    found = find_pairs(counts, pairs, cells)
    places = buckets.places(key, starts)
    size = len(table) * len(buckets)
    sums, known = pair_sums(counts, found, places, size)
    complete = [
        buckets.complete(expectation, table, places[rows], alive[rows])
        for rows in (pair.known[0] for pair in found)
    ]
    bounds = [
        bounds_of(counts, pair, cells, places, size, confidence, single=single) for pair in found
    ]
    return _Rates(
        sums,
        known,
        pd.concat([pd.Series(part) for part in complete]).array,
        Bounds(
            np.concatenate([part.low for part in bounds]),
            np.concatenate([part.high for part in bounds]),
            bounds[0].dispersion,
        ),
    )
