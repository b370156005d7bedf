"""Engagements per impression, or any other ratio of two engagement types."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.metrics.checks import (
    filter_types,
    is_of_types,
    keys,
    refuse_taken,
    require_columns,
)
from engagement_pandas.metrics.group_sums import coded
from engagement_pandas.metrics.intervals import CONFIDENCE
from engagement_pandas.metrics.missing_counts import missing_counts
from engagement_pandas.metrics.post_columns import look_up, read_once
from engagement_pandas.metrics.rate_formula import (
    RATED,
    bounds_of,
    cells_of,
    counted_pair,
    find_pairs,
    pair_sums,
    rated,
)


def engagement_rate(  # noqa: PLR0913 - each has a default
    counts: pd.DataFrame,
    *,
    by: str | Iterable[str] | None = "post_id",
    posts: pd.DataFrame | None = None,
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
        One row for each value of these columns, of the counts or of ``posts``; None returns one
        row in all.
    posts : DataFrame, optional
        Frame with ``post_id`` and the columns of ``by`` that the counts lack, such as ``kind``
        or ``handle`` of :func:`read_posts`.
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
        no row, from the first hour in the counts, or the post's creation, to the last);
        ``dispersion`` (``Float64``, at least 1: how much more the counts of an hour vary than
        Poisson counts, pooled over posts; ``<NA>`` if there are too few hours). The rate is
        a ratio of sums over the posts and hours in which *both* are counted. ``<NA>`` if
        there are none, or no impressions; the sums are then of all known counts.

    Raises
    ------
    FrameError
        For an unknown column or type, or a column named like one of the result; if the types
        are the same, or ``by`` includes the engagement type.

    Notes
    -----
    An engagement rate is total engagements over total impressions. It may exceed 1, since
    impressions are organic only and engagements are not (X's documentation);
    ``above_one`` therefore indicates promotion.

    The interval of one post is the score interval of a Poisson rate, which also holds above
    1, widened by ``dispersion``: readers who engage several times. If that is ``<NA>``, as
    for totals, the interval assumes that readers engage once; at two engagements a reader,
    it covers 75 % and not 95 %.

    The interval of several posts is that of posts like these, with the posts as clusters,
    see :func:`~engagement_pandas.metrics.intervals.group_interval`. It covers 93 to 98 %
    for 3 to 200 posts whose rates differ by up to a factor of e (one standard deviation). Of
    two posts it is very wide. ``<NA>`` if the counts have no ``post_id``, since it is then
    unknown how posts differ. A sum below 0 (unlikes) has a rate and no interval.

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
    counts = as_counts(counts)
    by = read_once(by)
    counts = look_up(require_columns(counts), by, posts)
    names = keys(counts, by)
    return rates_of(counts, names, counted_pair(counts, numerator, denominator, names), confidence)


def rates_of(
    counts: pd.DataFrame, names: list[str], pair: list[str], confidence: float = CONFIDENCE
) -> pd.DataFrame:
    """Return :func:`engagement_rate` of a pair of types, by these columns.

    The counts are from :func:`~engagement_pandas.metrics.checks.require_columns`.
    """
    refuse_taken(names, [*pair, *RATED, "missing", "dispersion"])
    rows = filter_types(counts, pair)
    places, table = coded(rows, names)
    cells = cells_of(rows)
    pairs = find_pairs(rows, [pair], cells)
    sums, known = pair_sums(rows, pairs, places, len(table))
    single = "post_id" in names
    bounds = bounds_of(rows, pairs[0], cells, places, len(table), confidence, single=single)
    # Posts without either count are missing too, so use all rows.
    picked = np.flatnonzero(is_of_types(counts, pair))
    code, both = np.full(len(counts), -1), np.zeros(len(counts), dtype=np.bool_)
    code[picked] = places
    both[picked[pairs[0].known[0]]] = True
    lost = missing_counts(counts, [*names, "engagement_type"], table, code, both)
    spread = pd.array([bounds.dispersion] * len(table), dtype="Float64")
    return table.assign(**rated(pair, sums, known, bounds), missing=lost, dispersion=spread)
