"""How unevenly counts are spread over posts."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import in_order
from engagement_pandas.frame.number_checks import is_number
from engagement_pandas.metrics.checks import require_columns
from engagement_pandas.metrics.sum_by_post import missing_by_type, sum_by_post

TOP: Final = 0.1
"""The share of posts called the top."""


def concentration(counts: pd.DataFrame, *, top: float = TOP) -> pd.DataFrame:
    """Return how much of the counts the top posts have, by engagement type.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id``.
    top : float
        Share of the posts that is called the top, between 0 and 1.

    Returns
    -------
    DataFrame
        One row per type: ``engagement_type`` (as in the counts); ``posts`` (``int64``, posts
        with a known count); ``total`` (``Int64``); ``median`` and ``mean`` (``Float64``, per
        post); ``top_share`` (``Float64``, the share of the total that the top posts have: ``top``
        times ``posts`` of them, rounded, and at least one);
        ``gini`` (``Float64``: 0 if all posts have the same, near 1 if one post has all);
        ``missing`` (``Int64``, the number of counts that the totals lack, as by
        :func:`summarise`).
        ``<NA>`` for shares of a total that is not above 0.

    Raises
    ------
    FrameError
        If counts have no ``post_id``; for an invalid share.

    Notes
    -----
    The Gini coefficient is that of a sample, corrected by n / (n - 1) (Deltas, *Review of
    Economics and Statistics* 85, 2003); that of a few posts of a heavy tail is too small all
    the same. Counts below 0 (unlikes) are taken as 0. Do not use it to compare accounts with
    very different numbers of posts, or posts of different ages.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {str(n): {"favorites": "1"} for n in range(9)}
    ...                                | {"9": {"favorites": "91"}}})
    >>> table = concentration(counts)
    >>> table[["median", "mean", "top_share", "gini"]].round(2).values.tolist()
    [[1.0, 10.0, 0.91, 0.9]]
    """
    counts = require_columns(as_counts(counts), "post_id")
    if not is_number(top) or not 0 < top < 1:
        msg = f"top is {top!r}; give a share between 0 and 1, such as {TOP}"
        raise FrameError(msg)
    types = in_order(counts["engagement_type"].unique())
    sums = sum_by_post(counts, types)
    missing = missing_by_type(counts)
    rows = []
    for name in types:
        known = sums[name].dropna()
        ordered = np.sort(np.maximum(known.to_numpy(dtype="float64"), 0))
        number, total = len(ordered), float(ordered.sum())
        first = max(round(top * number), 1)
        share = float(ordered[-first:].sum()) / total if total > 0 else np.nan
        place = 2 * np.arange(1, number + 1) - number - 1
        even = total * (number - 1)
        gini = float((place * ordered).sum()) / even if even > 0 else np.nan
        median, mean = (known.median(), known.mean()) if number else (np.nan, np.nan)
        rows.append((name, number, known.sum() if number else pd.NA, median, mean, share, gini))
    names = ["engagement_type", "posts", "total", "median", "mean", "top_share", "gini"]
    frame = pd.DataFrame(rows, columns=names)
    kinds_type = counts["engagement_type"].dtype
    typed = frame.astype({"engagement_type": kinds_type, "posts": "int64", "total": "Int64"})
    typed = typed.astype(dict.fromkeys(names[3:], "Float64"))
    return typed.assign(missing=pd.array([missing[name] for name in types], dtype="Int64"))
