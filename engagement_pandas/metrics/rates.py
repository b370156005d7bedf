"""How many engagements an impression brings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.metrics.columns import keys, known_type, need, of_types
from engagement_pandas.metrics.intervals import CONFIDENCE, rate_interval
from engagement_pandas.metrics.spans import hours
from engagement_pandas.metrics.sums import totals

_CELL: Final = ("hour", "day", "post_id")


def engagement_rate(
    counts: pd.DataFrame,
    *,
    by: str | Iterable[str] | None = "post_id",
    numerator: str = "engagements",
    denominator: str = "impressions",
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Divide one engagement type's total by another's, with an interval.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts of any grouping; further columns may serve as keys.
    by : str, list of str or None
        A row for each value of these columns; None is one row for everything.
    numerator, denominator : str
        Engagement types.
    confidence : float
        Of the interval.

    Returns
    -------
    DataFrame
        Sorted by the keys. The columns ``by``, with their dtypes; the two sums, called as
        the types are (``Int64``); ``rate``, ``low`` and ``high`` (``Float64``, numerator
        per denominator); ``above_one`` (``boolean``). The rate is a ratio of sums, over
        the posts and hours in which *both* are counted. ``<NA>`` where there are none, or
        no impressions; then the sums are of what there is.

    Raises
    ------
    FrameError
        Where there is no such column or type, the types are the same, or ``by`` has the
        engagement type.

    Notes
    -----
    An engagement rate is total engagements over total impressions and may exceed 1, since
    impressions are organic only and engagements are not (X's documentation); so
    ``above_one`` tells of promotion. The interval is the score interval of a Poisson rate,
    which holds above 1. It tells what chance does to these posts' own counts. It is too
    narrow where readers engage several times over, and it says nothing about other posts
    by the same author: for that, see :func:`compare`, which draws posts anew. A sum below
    0 (unlikes) has a rate and no interval.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"1": {"impressions": "200", "engagements": "10"}}}
    >>> rates = engagement_rate(ep.flatten_json(body))
    >>> rates[["post_id", "engagements", "impressions", "rate"]]
      post_id  engagements  impressions  rate
    0       1           10          200  0.05
    >>> rates[["low", "high"]].round(3).values.tolist()
    [[0.027, 0.092]]
    """
    need(counts)
    names = keys(counts, by)
    if "engagement_type" in names:
        msg = f"by is {by!r}; a rate divides two engagement types, so it has no single one"
        raise FrameError(msg)
    pair = [known_type(counts, numerator), known_type(counts, denominator)]
    if pair[0] == pair[1]:
        msg = f"{pair[0]!r} over {pair[0]!r} is 1; name two engagement types"
        raise FrameError(msg)
    rows = of_types(counts, pair)
    matched = _matched(rows, pair)
    table = totals(rows, names, pair)
    known = np.ones(len(table), dtype=np.bool_)
    if matched is not None:
        both = totals(rows[matched], names, pair)
        if names:
            both = table[names].merge(both, how="left", on=names)
        known = both[pair].notna().all(axis="columns").to_numpy()
        for name in pair:
            table[name] = both[name].where(known, table[name])
    return _rated(table, pair, known, confidence)


def _matched(rows: pd.DataFrame, pair: list[str]) -> NDArray[np.bool_] | None:
    """Return which rows have a partner: the other type's count in the same post and hour.

    None where all have, as in a frame straight from the API.
    """
    kinds = rows["engagement_type"]
    place = [str(name) for name in kinds.cat.categories]
    codes = kinds.cat.codes.to_numpy()
    counted = rows["count"].notna().to_numpy()
    sides = [
        np.flatnonzero((codes == place.index(name)) & counted)
        if name in place
        else np.empty(0, dtype=np.intp)
        for name in pair
    ]
    if len(sides[0]) + len(sides[1]) == len(rows) and _same(rows, *sides):
        return None
    cells = _cells(rows)
    first, second = (cells[side] for side in sides)
    matched = np.zeros(len(rows), dtype=np.bool_)
    matched[sides[0][pd.Index(first).isin(second)]] = True
    matched[sides[1][pd.Index(second).isin(first)]] = True
    return matched


def _same(rows: pd.DataFrame, first: NDArray[np.intp], second: NDArray[np.intp]) -> bool:
    """Whether two sets of rows are of the same posts and hours, one by one."""
    columns = [rows[name].array for name in _CELL if name in rows.columns]
    return len(first) == len(second) and all(
        bool((column.take(first) == column.take(second)).all()) for column in columns
    )


def _cells(rows: pd.DataFrame) -> NDArray[np.int64]:
    """Return a number for each row's post, day and hour."""
    cells = np.zeros(len(rows), dtype=np.int64)
    if "post_id" in rows.columns:
        cells += pd.factorize(rows["post_id"])[0]
    if "day" in rows.columns and len(rows):
        starts = hours(rows)
        starts -= starts.min()
        cells *= int(starts.max()) + 1
        cells += starts
    elif "hour" in rows.columns:
        cells *= 24
        cells += rows["hour"].to_numpy()
    return cells


def _rated(
    table: pd.DataFrame,
    pair: list[str],
    known: NDArray[np.bool_],
    confidence: float,
) -> pd.DataFrame:
    count, exposure = (table[name].to_numpy(dtype="float64", na_value=np.nan) for name in pair)
    exposure = np.where(known & (exposure > 0), exposure, np.nan)
    low, high = rate_interval(count, exposure, confidence)
    rate = pd.array(count / exposure, dtype="Float64")
    return table.assign(
        rate=rate,
        low=pd.array(low, dtype="Float64"),
        high=pd.array(high, dtype="Float64"),
        above_one=rate > 1,
    )
