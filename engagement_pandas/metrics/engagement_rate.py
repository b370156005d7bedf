"""Engagements per impression, or any other ratio of two engagement types."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from engagement_pandas.metrics.checks import filter_types, is_of_types, keys, require_columns
from engagement_pandas.metrics.group_sums import coded
from engagement_pandas.metrics.intervals import CONFIDENCE
from engagement_pandas.metrics.pairs import cells_of, find_pairs, pair_of, pair_sums, rated
from engagement_pandas.metrics.roster import missing


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
        One row for each value of these columns; None returns one row in all.
    numerator, denominator : str
        Engagement types.
    confidence : float
        Of the interval.

    Returns
    -------
    DataFrame
        Sorted by the keys. The columns ``by``, with their dtypes; the two sums, named after
        their types (``Int64``); ``rate``, ``low`` and ``high`` (``Float64``, numerator per
        denominator); ``above_one`` (``boolean``); ``missing`` (``Int64``: the number of
        hours, days or totals of its posts in which one of the two counts is unknown or has
        no row, from the first hour in the counts, or the post's creation, to the last). The
        rate is a ratio of sums over the posts and hours in which *both* are counted.
        ``<NA>`` if there are none, or no impressions; the sums are then of all known counts.

    Raises
    ------
    FrameError
        For an unknown column or type; if the types are the same, or ``by`` includes the
        engagement type.

    Notes
    -----
    An engagement rate is total engagements over total impressions. It may exceed 1, since
    impressions are organic only and engagements are not (X's documentation);
    ``above_one`` therefore indicates promotion. The interval is the score interval of a
    Poisson rate, which also holds above 1. It covers chance in these posts' own counts. It
    is too narrow if readers engage several times, and says nothing about other posts by the
    same author: for that, see :func:`compare`, which resamples posts. A sum below 0
    (unlikes) has a rate and no interval.

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
    counts = require_columns(counts)
    names = keys(counts, by)
    pair = pair_of(counts, numerator, denominator, names)
    rows = filter_types(counts, pair)
    places, table = coded(rows, names)
    pairs = find_pairs(rows, [pair], cells_of(rows))
    sums, known = pair_sums(rows, pairs, places, len(table))
    # Posts without either count are missing too, so use all rows.
    picked = np.flatnonzero(is_of_types(counts, pair))
    code, both = np.full(len(counts), -1), np.zeros(len(counts), dtype=np.bool_)
    code[picked] = places
    both[picked[pairs[0].known[0]]] = True
    lost = missing(counts, [*names, "engagement_type"], table, code, both)
    return table.assign(**rated(pair, sums, known, confidence), missing=lost)
