"""From impressions to follows, step by step; and which types go together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any, Final

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import TEXT, in_order
from engagement_pandas.frame.number_checks import whole_number
from engagement_pandas.metrics.checks import known_type, require_columns
from engagement_pandas.metrics.engagement_rate import engagement_rate
from engagement_pandas.metrics.intervals import CONFIDENCE, z_of
from engagement_pandas.metrics.sum_by_post import missing_by_type, sum_by_post
from engagement_pandas.text import format_list

STEPS: Final = ("impressions", "detail_expands", "url_clicks", "user_follows")
"""A reader sees a post, opens it, clicks on its link, and follows its author."""

MINIMUM: Final = 10
"""With fewer posts, the interval of a correlation spans most of its range."""

_COLUMNS: Final[dict[str, Any]] = {
    "count": "Int64",
    "previous": TEXT,
    "rate": "Float64",
    "low": "Float64",
    "high": "Float64",
    "of_first": "Float64",
    "missing": "Int64",
}


def funnel(
    counts: pd.DataFrame,
    *,
    steps: Sequence[str] | None = None,
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Return the counts of each step of a funnel, and the rate from the step before.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts, with ``post_id`` for intervals.
    steps : sequence of str, optional
        Engagement types, first step first, at least two; by default impressions, detail
        expands, link clicks and follows, as far as the counts have them.
    confidence : float
        Of the intervals.

    Returns
    -------
    DataFrame
        One row per step: ``engagement_type`` (category, in the order of the steps); ``count``
        (``Int64``, all that is known); ``previous`` (``str``, the step before); ``rate``,
        ``low`` and ``high`` (``Float64``, per count of that step, as by
        :func:`engagement_rate` for all posts together); ``of_first`` (``Float64``, per count
        of the first step) and ``missing`` (``Int64``, as by :func:`engagement_rate`). The
        first step has no rate. A default step that the counts lack is a row of ``<NA>``, and
        the next step is divided by the last one that they have.

    Raises
    ------
    FrameError
        If a named step is not in the counts, stands twice, or there are fewer than two; as
        :func:`engagement_rate`.

    See Also
    --------
    type_correlation : whether posts with many of one type have many of another

    Notes
    -----
    These are ratios of counts, not shares of readers: a reader need not open a post in order to
    click on its link, one reader can do both several times, and a rate may exceed 1.
    Impressions are organic only. The rates rest on the posts and hours in which both steps
    are known, and their intervals on the posts as clusters, see
    :func:`~engagement_pandas.metrics.intervals.group_interval`. Do not use it to compare
    posts with and without links: filter the counts to posts that offer all steps.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {str(n): {"impressions": "1000", "url_clicks": "20",
    ...                                          "user_follows": "2"} for n in range(9)}})
    >>> table = funnel(counts)
    >>> table[["engagement_type", "count", "rate", "of_first"]]
      engagement_type  count  rate  of_first
    0     impressions   9000  <NA>       1.0
    1  detail_expands   <NA>  <NA>      <NA>
    2      url_clicks    180  0.02      0.02
    3    user_follows     18   0.1     0.002
    """
    counts = as_counts(counts)
    require_columns(counts)
    z_of(confidence)
    present = [str(name) for name in counts["engagement_type"].unique()]
    wanted = _steps(counts, steps, present)
    there = [name for name in wanted if name in present]
    rows: dict[str, dict[str, Any]] = {name: dict.fromkeys(_COLUMNS, pd.NA) for name in wanted}
    for name in there:
        known = counts.loc[counts["engagement_type"] == name, "count"]
        rows[name]["count"] = known.sum(min_count=1)
    for before, name in pairwise(there):
        row, first = (
            engagement_rate(
                counts, by=None, numerator=name, denominator=below, confidence=confidence
            ).iloc[0]
            for below in (before, there[0])
        )
        rows[name] |= {"previous": before, "of_first": first["rate"]}
        rows[name] |= {column: row[column] for column in ("rate", "low", "high", "missing")}
    if there and pd.notna(rows[there[0]]["count"]):
        rows[there[0]]["of_first"] = 1.0
    names = ["engagement_type", *_COLUMNS]
    frame = pd.DataFrame([{**rows[name], names[0]: name} for name in wanted], columns=names)
    order = pd.CategoricalDtype(pd.Index(wanted, dtype=TEXT), ordered=True)
    return frame.astype({"engagement_type": order, **_COLUMNS})


def type_correlation(
    counts: pd.DataFrame, *, minimum: int = MINIMUM, confidence: float = CONFIDENCE
) -> pd.DataFrame:
    """Return how far posts with many of one engagement type have many of another.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id``.
    minimum : int
        Minimum number of posts, at least 4.
    confidence : float
        Of the intervals.

    Returns
    -------
    DataFrame
        One row per pair of types in the counts: ``engagement_type`` and ``other`` (as in the
        counts); ``correlation`` (``Float64``, Spearman's rank correlation of the posts'
        totals, -1 to 1), ``low`` and ``high`` (``Float64``); ``n`` (``int64``, posts in
        which both types are known: an unknown count is not 0); ``missing`` (``Int64``: the
        number of counts of the two types, of any post, that are unknown or have no row).
        ``<NA>`` if there are too few posts, or all have the same count.

    Raises
    ------
    FrameError
        If counts have no ``post_id``; for an invalid number.

    See Also
    --------
    funnel : rates from one type to the next

    Notes
    -----
    The interval is that of Fisher's transform, with the standard error of Bonett and Wright
    (*Psychometrika* 65, 2000). It assumes that posts are independent.

    All counts grow with impressions and with age, so most correlations are high. Do not use
    it for posts of very different ages, nor for cause and effect.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {str(n): {"favorites": str(n), "replies": str(n % 7)}
    ...                                 for n in range(20)}})
    >>> type_correlation(counts).round(2)[["engagement_type", "other", "correlation", "n"]]
      engagement_type    other  correlation   n
    0       favorites  replies         0.24  20
    """
    counts = require_columns(as_counts(counts), "post_id")
    least, z = whole_number(minimum, "minimum", 4), z_of(confidence)
    types = in_order(counts["engagement_type"].unique())
    sums, missing = sum_by_post(counts, types), missing_by_type(counts)
    rows = []
    for one, other in combinations(types, 2):
        both = sums[[one, other]].dropna().rank().to_numpy(dtype="float64")
        found = (np.nan, np.nan, np.nan)
        if len(both) >= least and (np.ptp(both, axis=0) > 0).all():
            rho = float(np.clip(np.corrcoef(both.T)[0, 1], -1, 1))
            reach = z * np.sqrt((1 + rho**2 / 2) / (len(both) - 3))
            with np.errstate(divide="ignore"):
                middle = np.arctanh(rho)
            found = (rho, float(np.tanh(middle - reach)), float(np.tanh(middle + reach)))
        rows.append((one, other, *found, len(both), missing[one] + missing[other]))
    numbers = ["correlation", "low", "high"]
    frame = pd.DataFrame(rows, columns=["engagement_type", "other", *numbers, "n", "missing"])
    kinds = dict.fromkeys(["engagement_type", "other"], counts["engagement_type"].dtype)
    return frame.astype(
        kinds | dict.fromkeys(numbers, "Float64") | {"n": "int64", "missing": "Int64"}
    )


def _steps(counts: pd.DataFrame, steps: Sequence[str] | None, present: list[str]) -> list[str]:
    """Return the names of the steps; raise for named ones that the counts lack."""
    if steps is None:
        return list(STEPS)
    if isinstance(steps, str) or len(steps) < 2:  # noqa: PLR2004 - from one to the next
        msg = f"steps are {steps!r}; give at least two engagement types, such as {list(STEPS)}"
        raise FrameError(msg)
    wanted = [known_type(counts, name) for name in steps]
    lost = [name for name in wanted if name not in present]
    if lost and present:
        msg = f"counts have no {format_list(lost)}, only {format_list(present)}; request it"
        raise FrameError(f"{msg}, or leave the step out")
    if len(set(wanted)) < len(wanted):
        msg = f"steps are {list(steps)}; name each type once"
        raise FrameError(msg)
    return wanted
