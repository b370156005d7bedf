"""Reduce and merge the partitions of a dask DataFrame, and apply a metric to the result."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

import dask.dataframe as dd
import pandas as pd

from engagement_pandas.dask.merge_partitions import common_coverage, merge_partitions
from engagement_pandas.dask.partial_sums import add_up, paired_up
from engagement_pandas.errors import FrameError
from engagement_pandas.frame.contract import TEXT, check_rows
from engagement_pandas.metrics.checks import keys, known_type, need_columns
from engagement_pandas.metrics.post_columns import look_up

_TIME: Final = ("day", "hour")
_Metric = Callable[[pd.DataFrame], pd.DataFrame]


def of_sums(
    counts: dd.DataFrame,
    metric: _Metric,
    names: Iterable[str],
    types: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Apply a metric to sums by some columns."""
    metric(_meta(counts))  # raises errors in the arguments before anything is read
    wanted = list(dict.fromkeys(names))
    kept = None if types is None else _known(counts, types)
    return _of_summed(metric, _merged(counts, partial(add_up, names=wanted, types=kept)))


def of_pairs(
    counts: dd.DataFrame,
    metric: _Metric,
    names: Iterable[str],
    pair: Iterable[str],
) -> pd.DataFrame:
    """Apply a metric to sums of two types, by some columns."""
    metric(_meta(counts))  # raises errors in the arguments before anything is read
    wanted, types = list(dict.fromkeys(names)), _known(counts, pair)
    return _of_summed(metric, _merged(counts, partial(paired_up, names=wanted, pair=types)))


def as_contract(counts: Any) -> dd.DataFrame:
    """Return counts that can be summed, with post IDs in the contract's dtype.

    By default dask converts every ``str`` column that it reads to ``string``.
    """
    if not isinstance(counts, dd.DataFrame):
        msg = (
            f"counts must be a dask DataFrame, not a {type(counts).__name__}; use "
            "engagement_pandas.dask.flatten(), or the metric of engagement_pandas itself"
        )
        raise FrameError(msg)
    if str(counts.dtypes.get("post_id")) == "string":
        counts = counts.assign(post_id=counts["post_id"].astype(TEXT))
    need_columns(_meta(counts))
    if "retrieved_at" in counts.columns:
        msg = (
            "the counts have retrieved_at, and counts from different times are not summed; "
            "keep one time and drop the column, or flatten() one collection"
        )
        raise FrameError(msg)
    checked: dd.DataFrame = counts.map_partitions(_checked, meta=_meta(counts))
    return checked


def with_columns(counts: dd.DataFrame, by: str | Iterable[str] | None, posts: Any) -> dd.DataFrame:
    """Return counts with the columns of ``by`` that only a frame of posts has."""
    meta = look_up(_meta(counts), by, posts)
    if meta is _meta(counts):
        return counts
    found: dd.DataFrame = counts.map_partitions(look_up, by, posts, meta=meta)
    return found


def _checked(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of a partition; raise if their rows are invalid."""
    check_rows(counts)
    return counts


def _of_summed(metric: _Metric, sums: pd.DataFrame) -> pd.DataFrame:
    """Apply a metric to sums, with the types present as categories, as in memory."""
    categories = sums["engagement_type"].cat.remove_unused_categories()
    table = metric(sums.assign(engagement_type=categories))
    table.attrs.clear()
    return table


def _meta(counts: dd.DataFrame) -> pd.DataFrame:
    """Return the frame without rows."""
    meta: pd.DataFrame = counts._meta  # noqa: SLF001 - dask's own documentation uses it
    return meta


def _known(counts: dd.DataFrame, types: Iterable[str]) -> list[str]:
    return [known_type(_meta(counts), name) for name in types]


def names_of(counts: dd.DataFrame, by: str | Iterable[str] | None) -> list[str]:
    """Return the columns to group by, as a list; raise as in memory."""
    return keys(_meta(counts), by)


def times_of(counts: dd.DataFrame) -> list[str]:
    """Return the time columns of counts."""
    return [name for name in _TIME if name in counts.columns]


def _merged(counts: dd.DataFrame, less: _Metric) -> pd.DataFrame:
    """Reduce the counts of each partition, and merge the results, a few at a time."""
    found: pd.DataFrame = merge_partitions(counts, less).compute()
    found.attrs = common_coverage(found.attrs)
    return found
