"""The metrics that add up, on dask DataFrames of counts.

Each partition makes its counts fewer, these are put together a few partitions at a time,
and the metric itself sees what is left: the same code, and so the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import tzinfo
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NoReturn

import dask.dataframe as dd
import pandas as pd

from engagement_pandas import metrics
from engagement_pandas.dask.sums import added_up, as_counts, paired_up, some_added_up
from engagement_pandas.errors import FrameError
from engagement_pandas.frame import TEXT
from engagement_pandas.metrics.columns import keys, need_columns
from engagement_pandas.metrics.intervals import CONFIDENCE
from engagement_pandas.metrics.rankings import RATE

_FAN_IN: Final = 8
_TIME: Final = ("day", "hour")

ELSEWHERE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "age": "is told of rows, not of sums",
        "benchmark": "needs every post's whole life",
        "best_times": "draws posts anew",
        "by_age": "needs each post's whole life",
        "compare": "draws posts anew",
        "cumulative": "needs each post's whole life",
        "half_life": "needs each post's whole life",
        "latest": "needs all snapshots of a post",
        "rate_by_age": "needs each post's whole life",
        "standing": "needs every post's whole life",
        "summarise": "has half-lives and percentiles, which need every post's whole life",
        "tall": "is told of rows, not of sums",
        "wide": "is told of rows, not of sums",
    }
)
"""The metrics that do not work on dask, and why; each raises a ``FrameError``."""


def over_time(
    counts: dd.DataFrame,
    *,
    every: str = "D",
    tz: str | tzinfo = "UTC",
    by: str | Iterable[str] | None = "engagement_type",
    window: Any = None,
) -> pd.DataFrame:
    """Sum counts into regular buckets of local time: :func:`engagement_pandas.over_time`.

    One row a key and hour passes through one worker's memory.

    Parameters
    ----------
    counts : dask DataFrame
        Tidy counts, as :func:`engagement_pandas.dask.flatten` makes them.
    every, tz, by, window
        As in memory.

    Returns
    -------
    DataFrame
        Computed; what it would be in memory.

    Raises
    ------
    FrameError
        As in memory, and where there is ``retrieved_at``: moments are not added up.

    Examples
    --------
    >>> import dask.dataframe as dd, engagement_pandas as ep
    >>> from engagement_pandas import dask as epd
    >>> counts = ep.flatten_json({"g": {"1": {"impressions": {"2026-03-01": "5"}}}})
    >>> epd.over_time(dd.from_pandas(counts, npartitions=1))["count"].to_list()
    [5]
    """
    counts = _tidy(counts)
    metric = partial(metrics.over_time, every=every, tz=tz, by=by, window=window)
    return _of_sums(counts, metric, [*_names(counts, by), "engagement_type", *_times(counts)])


def running_total(
    counts: dd.DataFrame,
    *,
    every: str = "D",
    tz: str | tzinfo = "UTC",
    by: str | Iterable[str] | None = "engagement_type",
    window: Any = None,
) -> pd.DataFrame:
    """Add counts up from the first bucket on: :func:`engagement_pandas.running_total`.

    One row a key and hour passes through one worker's memory.

    Parameters
    ----------
    counts : dask DataFrame
        Tidy counts, as :func:`engagement_pandas.dask.flatten` makes them.
    every, tz, by, window
        As in memory.

    Returns
    -------
    DataFrame
        Computed; what it would be in memory.

    Raises
    ------
    FrameError
        As :func:`over_time`.

    Examples
    --------
    >>> import dask.dataframe as dd, engagement_pandas as ep
    >>> from engagement_pandas import dask as epd
    >>> body = {"g": {"1": {"impressions": {"2026-03-01": "5", "2026-03-02": "7"}}}}
    >>> counts = dd.from_pandas(ep.flatten_json(body), npartitions=2)
    >>> epd.running_total(counts)["count"].to_list()
    [5, 12]
    """
    counts = _tidy(counts)
    metric = partial(metrics.running_total, every=every, tz=tz, by=by, window=window)
    return _of_sums(counts, metric, [*_names(counts, by), "engagement_type", *_times(counts)])


def engagement_rate(
    counts: dd.DataFrame,
    *,
    by: str | Iterable[str] | None = "post_id",
    numerator: str = "engagements",
    denominator: str = "impressions",
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Divide one type's total by another's: :func:`engagement_pandas.engagement_rate`.

    One row a key passes through one worker's memory, where both types are counted in the
    same partition: those of :func:`engagement_pandas.dask.flatten` are, if they were asked
    for together or overlap. Counts without a partner are kept one by one.

    Parameters
    ----------
    counts : dask DataFrame
        Tidy counts, as :func:`engagement_pandas.dask.flatten` makes them.
    by, numerator, denominator, confidence
        As in memory.

    Returns
    -------
    DataFrame
        Computed; what it would be in memory.

    Raises
    ------
    FrameError
        As in memory, and where there is ``retrieved_at``: moments are not added up.

    Examples
    --------
    >>> import dask.dataframe as dd, engagement_pandas as ep
    >>> from engagement_pandas import dask as epd
    >>> body = {"g": {"1": {"impressions": "200", "engagements": "10"}}}
    >>> counts = dd.from_pandas(ep.flatten_json(body), npartitions=1)
    >>> epd.engagement_rate(counts)["rate"].to_list()
    [0.05]
    """
    counts = _tidy(counts)
    metric = partial(
        metrics.engagement_rate,
        by=by,
        numerator=numerator,
        denominator=denominator,
        confidence=confidence,
    )
    return _of_pairs(counts, metric, _names(counts, by), [numerator, denominator])


def rate_over_time(  # noqa: PLR0913 - each has a default
    counts: dd.DataFrame,
    *,
    every: str = "D",
    tz: str | tzinfo = "UTC",
    by: str | Iterable[str] | None = None,
    window: Any = None,
    numerator: str = "engagements",
    denominator: str = "impressions",
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Divide one type by another in buckets of time: :func:`engagement_pandas.rate_over_time`.

    One row a key and hour passes through one worker's memory, as far as counts have a
    partner in their partition, see :func:`engagement_rate`.

    Parameters
    ----------
    counts : dask DataFrame
        Tidy counts, as :func:`engagement_pandas.dask.flatten` makes them.
    every, tz, by, window, numerator, denominator, confidence
        As in memory.

    Returns
    -------
    DataFrame
        Computed; what it would be in memory.

    Raises
    ------
    FrameError
        As :func:`over_time` and :func:`engagement_rate`.

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
    counts = _tidy(counts)
    metric = partial(
        metrics.rate_over_time,
        every=every,
        tz=tz,
        by=by,
        window=window,
        numerator=numerator,
        denominator=denominator,
        confidence=confidence,
    )
    names = [*_names(counts, by), *_times(counts)]
    return _of_pairs(counts, metric, names, [numerator, denominator])


def top_posts(  # noqa: PLR0913 - each has a default
    counts: dd.DataFrame,
    *,
    by: str = "engagements",
    n: int = 10,
    minimum: int = 0,
    numerator: str = "engagements",
    denominator: str = "impressions",
    shrinkage: float | None = None,
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Return the posts with the most counts, or the best rate: :func:`engagement_pandas.top_posts`.

    One row a post, or three, pass through one worker's memory; by rate as far as counts have
    a partner in their partition, see :func:`engagement_rate`.

    Parameters
    ----------
    counts : dask DataFrame
        Tidy counts, as :func:`engagement_pandas.dask.flatten` makes them.
    by, n, minimum, numerator, denominator, shrinkage, confidence
        As in memory.

    Returns
    -------
    DataFrame
        Computed; what it would be in memory.

    Raises
    ------
    FrameError
        As in memory, and where there is ``retrieved_at``: moments are not added up.

    Examples
    --------
    >>> import dask.dataframe as dd, engagement_pandas as ep
    >>> from engagement_pandas import dask as epd
    >>> body = {"g": {"1": {"favorites": "7"}, "2": {"favorites": "9"}}}
    >>> counts = dd.from_pandas(ep.flatten_json(body), npartitions=2)
    >>> epd.top_posts(counts, by="favorites")["post_id"].to_list()
    ['2', '1']
    """
    counts = _tidy(counts)
    metric = partial(
        metrics.top_posts,
        by=by,
        n=n,
        minimum=minimum,
        numerator=numerator,
        denominator=denominator,
        shrinkage=shrinkage,
        confidence=confidence,
    )
    if str(by) == RATE:
        return _of_pairs(counts, metric, ["post_id"], [numerator, denominator])
    return _of_sums(counts, metric, ["post_id", "engagement_type"], [by, denominator])


def refuse(name: str, *_: object, **__: object) -> NoReturn:
    """Say of a metric that it does not work on dask, and what does.

    Raises
    ------
    FrameError
        Always.

    Examples
    --------
    >>> refuse("half_life")
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: half_life() needs each post's whole life, ...
    """
    msg = (
        f"{name}() {ELSEWHERE[name]}, and does not work on dask; compute some posts first: "
        f"engagement_pandas.{name}(counts[counts['post_id'].isin(posts)].compute())"
    )
    raise FrameError(msg)


def _of_sums(
    counts: dd.DataFrame,
    metric: Callable[[pd.DataFrame], pd.DataFrame],
    names: Iterable[str],
    types: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Return a metric that sees nothing but sums by some columns."""
    metric(_meta(counts))  # what it refuses, it refuses before anything is read
    wanted = list(dict.fromkeys(names))
    less: Callable[[pd.DataFrame], pd.DataFrame] = (
        partial(added_up, names=wanted)
        if types is None
        else partial(some_added_up, names=wanted, types=[str(kind) for kind in types])
    )
    return metric(_present(_put_together(counts, less)))


def _of_pairs(
    counts: dd.DataFrame,
    metric: Callable[[pd.DataFrame], pd.DataFrame],
    names: Iterable[str],
    pair: Iterable[str],
) -> pd.DataFrame:
    """Return a metric that sees nothing but sums of two types, by some columns."""
    metric(_meta(counts))  # what it refuses, it refuses before anything is read
    wanted, types = list(dict.fromkeys(names)), [str(kind) for kind in pair]
    rows = _put_together(counts, partial(paired_up, names=wanted, pair=types))
    return metric(as_counts(rows, wanted, types))


def _tidy(counts: Any) -> dd.DataFrame:
    """Return counts that can be added up, post IDs as the contract has them.

    dask makes ``string`` of every ``str`` that it reads by itself.
    """
    if not isinstance(counts, dd.DataFrame):
        msg = (
            f"counts are a dask DataFrame here, not a {type(counts).__name__}; see "
            "engagement_pandas.dask.flatten(), or take the metric of engagement_pandas"
        )
        raise FrameError(msg)
    if str(counts.dtypes.get("post_id")) == "string":
        counts = counts.assign(post_id=counts["post_id"].astype(TEXT))
    need_columns(_meta(counts))
    if "retrieved_at" in counts.columns:
        msg = (
            "these counts have retrieved_at, and counts of several moments are not added up; "
            "keep one moment and drop the column, or flatten() one collection"
        )
        raise FrameError(msg)
    tidy: dd.DataFrame = counts
    return tidy


def _meta(counts: dd.DataFrame) -> pd.DataFrame:
    """Return the frame without rows."""
    meta: pd.DataFrame = counts._meta  # noqa: SLF001 - what dask's own documentation calls it
    return meta


def _names(counts: dd.DataFrame, by: str | Iterable[str] | None) -> list[str]:
    return keys(_meta(counts), by)


def _times(counts: dd.DataFrame) -> list[str]:
    return [name for name in _TIME if name in counts.columns]


def _put_together(
    counts: dd.DataFrame, less: Callable[[pd.DataFrame], pd.DataFrame]
) -> pd.DataFrame:
    """Make each partition's counts fewer, and put these together, a few at a time."""
    reduced = counts.reduction(
        less, combine=less, aggregate=less, meta=less(_meta(counts)), split_every=_FAN_IN
    )
    found: pd.DataFrame = reduced.compute()
    return found


def _present(counts: pd.DataFrame) -> pd.DataFrame:
    """Return counts with a category of the types present, as in memory."""
    kinds = counts["engagement_type"].cat.remove_unused_categories()
    return counts.assign(engagement_type=kinds)
