"""Sums of counts by post, one column for each engagement type."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from engagement_pandas.metrics.checks import filter_types, known_type
from engagement_pandas.metrics.group_sums import added, coded
from engagement_pandas.metrics.missing_counts import missing_counts


def sum_by_post(counts: pd.DataFrame, types: Sequence[str]) -> pd.DataFrame:
    """Sum the counts of some types by post.

    The result has one row per post, sorted: ``post_id``; an ``Int64`` column for each type,
    ``<NA>`` if none of its counts is known; and ``missing`` (``Int64``): the number of counts of
    these types that are unknown or have no row, see :func:`missing_counts`.

    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"1": {"impressions": "5"}}})
    >>> sum_by_post(counts, ["impressions", "favorites"])
      post_id  impressions  favorites  missing
    0       1            5       <NA>        0
    """
    wanted = list(dict.fromkeys(known_type(counts, name) for name in types))
    rows = filter_types(counts, wanted)
    post, table = coded(rows, ["post_id"])
    column = pd.Index(wanted).get_indexer(rows["engagement_type"].cat.categories)
    cell = post * len(wanted) + column[rows["engagement_type"].cat.codes.to_numpy()]
    sums = added(rows["count"], cell, len(table) * len(wanted)).array
    columns = {name: sums[place :: len(wanted)] for place, name in enumerate(wanted)}
    known = rows["count"].notna().to_numpy()
    return table.assign(**columns, missing=missing_counts(rows, ["post_id"], table, post, known))


def missing_by_type(counts: pd.DataFrame) -> dict[str, int]:
    """Return how many counts of each engagement type the sums of all posts lack.

    >>> import engagement_pandas as ep
    >>> body = {"g": {"1": {"impressions": "5"}, "2": {"favorites": "3", "impressions": "8"}}}
    >>> missing_by_type(ep.flatten_json(body))
    {'impressions': 0, 'favorites': 1}
    """
    code, table = coded(counts, ["engagement_type"])
    known = counts["count"].notna().to_numpy()
    lost = missing_counts(counts, ["engagement_type"], table, code, known)
    return dict(zip(map(str, table["engagement_type"]), map(int, lost), strict=True))
