"""The metrics that can be computed from sums, on dask DataFrames of counts.

Each partition is reduced to sums, these are merged a few partitions at a time, and the
in-memory metric is applied to the result: the same code, and so the same numbers. Extra rows
list the posts that should have counts, and since when, for ``complete`` and ``missing``.
The window of the counts is in the partitions' ``attrs``, as returned by
:func:`engagement_pandas.dask.flatten` and :func:`engagement_pandas.dask.read`; results are
``<NA>`` if that is lost, and for ``/28hr`` if partitions end at different seconds of the same
minute.

A row that repeats within a partition raises an error, as in memory. One that occurs in two
partitions raises an error if a sum then has more counts than possible, or if sums are by post
and hour; if as many other rows are missing, it is counted twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from functools import partial
from typing import Any

import dask.dataframe as dd
import pandas as pd

from engagement_pandas import metrics
from engagement_pandas.dask.apply_metric import (
    as_contract,
    names_of,
    of_pairs,
    of_sums,
    times_of,
    with_columns,
)
from engagement_pandas.metrics.intervals import CONFIDENCE
from engagement_pandas.metrics.top_posts import RATE


def over_time(  # noqa: PLR0913 - each has a default
    counts: dd.DataFrame,
    *,
    every: str = "D",
    tz: str | tzinfo = "UTC",
    by: str | Iterable[str] | None = "engagement_type",
    window: Any = None,
    posts: Any = None,
) -> pd.DataFrame:
    """Sum counts into regular buckets of local time: :func:`engagement_pandas.over_time`.

    The result is a computed pandas frame, as in memory. Counts with ``retrieved_at`` raise a
    ``FrameError``. One row per key and hour, and one per key and post, pass through one worker's
    memory.

    Examples
    --------
    >>> import dask.dataframe as dd, engagement_pandas as ep
    >>> from engagement_pandas import dask as epd
    >>> counts = ep.flatten_json({"g": {"1": {"impressions": {"2026-03-01": "5"}}}})
    >>> epd.over_time(dd.from_pandas(counts, npartitions=1))["count"].to_list()
    [5]
    """
    counts = with_columns(as_contract(counts), by, posts)
    metric = partial(metrics.over_time, every=every, tz=tz, by=by, window=window, posts=posts)
    return of_sums(counts, metric, [*names_of(counts, by), "engagement_type", *times_of(counts)])


def running_total(  # noqa: PLR0913 - each has a default
    counts: dd.DataFrame,
    *,
    every: str = "D",
    tz: str | tzinfo = "UTC",
    by: str | Iterable[str] | None = "engagement_type",
    window: Any = None,
    posts: Any = None,
) -> pd.DataFrame:
    """Return cumulative counts by time bucket: :func:`engagement_pandas.running_total`.

    It differs from the function in memory as :func:`over_time` does.

    Examples
    --------
    >>> import dask.dataframe as dd, engagement_pandas as ep
    >>> from engagement_pandas import dask as epd
    >>> body = {"g": {"1": {"impressions": {"2026-03-01": "5", "2026-03-02": "7"}}}}
    >>> counts = dd.from_pandas(ep.flatten_json(body), npartitions=2)
    >>> epd.running_total(counts)["count"].to_list()
    [5, 12]
    """
    counts = with_columns(as_contract(counts), by, posts)
    metric = partial(metrics.running_total, every=every, tz=tz, by=by, window=window, posts=posts)
    return of_sums(counts, metric, [*names_of(counts, by), "engagement_type", *times_of(counts)])


def engagement_rate(  # noqa: PLR0913 - each has a default
    counts: dd.DataFrame,
    *,
    by: str | Iterable[str] | None = "post_id",
    posts: pd.DataFrame | None = None,
    numerator: str = "engagements",
    denominator: str = "impressions",
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Divide one type's total by another's: :func:`engagement_pandas.engagement_rate`.

    The result is a computed pandas frame, as in memory, but ``low`` and ``high`` of several
    posts are ``<NA>``, since sums do not show how posts differ. Nor do they show hours: those
    of one post assume that readers engage once. Counts with ``retrieved_at`` raise a
    ``FrameError``. One row per key, and one per post and type, pass through one worker's
    memory, if both types are in the same partition: with
    :func:`engagement_pandas.dask.flatten` they are, if they were requested together or
    overlap. Counts without a partner are kept as single rows.

    Examples
    --------
    >>> import dask.dataframe as dd, engagement_pandas as ep
    >>> from engagement_pandas import dask as epd
    >>> body = {"g": {"1": {"impressions": "200", "engagements": "10"}}}
    >>> counts = dd.from_pandas(ep.flatten_json(body), npartitions=1)
    >>> epd.engagement_rate(counts)["rate"].to_list()
    [0.05]
    """
    counts = with_columns(as_contract(counts), by, posts)
    metric = partial(
        metrics.engagement_rate,
        by=by,
        posts=posts,
        numerator=numerator,
        denominator=denominator,
        confidence=confidence,
    )
    return of_pairs(counts, metric, names_of(counts, by), [numerator, denominator])


def rate_over_time(  # noqa: PLR0913 - each has a default
    counts: dd.DataFrame,
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
    """Divide one type by another in buckets of time: :func:`engagement_pandas.rate_over_time`.

    It differs from the function in memory as :func:`engagement_rate` does, with one row per
    key and hour, and one per key, post and type.

    Examples
    --------
    >>> import dask.dataframe as dd, engagement_pandas as ep
    >>> from engagement_pandas import dask as epd
    >>> body = {"g": {"1": {"impressions": {"2026-03-01": "50"},
    ...                     "engagements": {"2026-03-01": "5"}}}}
    >>> counts = dd.from_pandas(ep.flatten_json(body), npartitions=1)
    >>> epd.rate_over_time(counts)["rate"].to_list()
    [0.1]
    """
    counts = with_columns(as_contract(counts), by, posts)
    metric = partial(
        metrics.rate_over_time,
        every=every,
        tz=tz,
        by=by,
        window=window,
        posts=posts,
        numerator=numerator,
        denominator=denominator,
        confidence=confidence,
    )
    names = [*names_of(counts, by), *times_of(counts)]
    return of_pairs(counts, metric, names, [numerator, denominator])


def top_posts(  # noqa: PLR0913 - each has a default
    counts: dd.DataFrame,
    *,
    by: str = "engagements",
    n: int = 10,
    minimum: int = 0,
    numerator: str = "engagements",
    denominator: str = "impressions",
    shrinkage: float | None = None,
    order: str = "shrunk",
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Return the posts with the most counts, or the best rate: :func:`engagement_pandas.top_posts`.

    The result is a computed pandas frame, as in memory. Counts with ``retrieved_at`` raise a
    ``FrameError``. A few rows per post and type pass through one worker's memory; by rate,
    this requires both types in the same partition, see :func:`engagement_rate`. Sums show no
    hours, so posts are shrunk as if readers engaged once.

    Examples
    --------
    >>> import dask.dataframe as dd, engagement_pandas as ep
    >>> from engagement_pandas import dask as epd
    >>> body = {"g": {"1": {"favorites": "7"}, "2": {"favorites": "9"}}}
    >>> counts = dd.from_pandas(ep.flatten_json(body), npartitions=2)
    >>> epd.top_posts(counts, by="favorites")["post_id"].to_list()
    ['2', '1']
    """
    counts = as_contract(counts)
    metric = partial(
        metrics.top_posts,
        by=by,
        n=n,
        minimum=minimum,
        numerator=numerator,
        denominator=denominator,
        shrinkage=shrinkage,
        order=order,
        confidence=confidence,
    )
    if str(by) == RATE:
        return of_pairs(counts, metric, ["post_id"], [numerator, denominator])
    return of_sums(counts, metric, ["post_id", "engagement_type"], [by, denominator])
