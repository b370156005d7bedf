"""The best posts, by a count or by a rate shrunk for small samples."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.number_checks import is_number, whole_number
from engagement_pandas.metrics.checks import counted_type, require_columns
from engagement_pandas.metrics.engagement_rate import rates_of
from engagement_pandas.metrics.intervals import CONFIDENCE, Prior, fit_prior
from engagement_pandas.metrics.rate_formula import pair_of
from engagement_pandas.metrics.sum_by_post import sum_by_post

RATE: Final = "rate"

_ORDERS: Final = ("shrunk", "low")


def top_posts(  # noqa: PLR0913  each has a default
    counts: pd.DataFrame,
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
    """Return the posts with the most counts, or with the best rate.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id``.
    by : str
        An engagement type, or ``"rate"``.
    n : int
        Maximum number of posts.
    minimum : int
        Posts with fewer impressions (``denominator``) are left out, and so are posts
        without a known count of them.
    numerator, denominator : str
        Engagement types of the rate.
    shrinkage : float, optional
        Weight of the overall rate, in impressions; 0 uses each post's own rate. By default
        estimated from the posts.
    order : {"shrunk", "low"}
        Order by rate: by the shrunk rate, or cautiously, by the lower end of its interval.
    confidence : float
        Confidence of the interval of the shrunk rate.

    Returns
    -------
    DataFrame
        Best first: ``rank`` (``int64``; ties share the better rank), ``post_id``. By a
        type: its sum, named after it (``Int64``). By rate: both sums, ``rate``,
        ``shrunk``, ``low`` and ``high`` (``Float64``), and ``above_one`` (``boolean``):
        such posts are promoted, so they come after all others. Last
        ``missing`` (``Int64``), the number of counts the sums lack, as in
        :func:`engagement_rate`. Ties are in order of the IDs, as text. Posts without such a
        count are not ranked.

    Raises
    ------
    FrameError
        For an unknown type, or one that the counts lack, or an invalid number of posts or
        impressions.

    Notes
    -----
    One engagement with two impressions does not show a rate of 50 %. Each post's rate is
    shrunk towards the overall rate of the posts that are not promoted, more so the fewer
    impressions it has (empirical Bayes with a Gamma prior, see :class:`Prior`). Readers who
    engage several times make a post's impressions worth less: both sums are divided by the
    dispersion, see :func:`engagement_rate`; it needs counts by hour. Do not use the order for
    posts of very different sizes if small posts have higher rates: the prior does not know
    that.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> bodies = {str(n): {"impressions": "10000", "engagements": str(200 + 60 * n)}
    ...           for n in range(1, 6)}
    >>> few = {"6": {"impressions": "2", "engagements": "1"}}
    >>> best = top_posts(ep.flatten_json({"g": bodies | few}), by="rate", n=3)
    >>> best[["rank", "post_id", "rate", "shrunk"]].round(3)
       rank post_id   rate  shrunk
    0     1       5   0.05    0.05
    1     2       4  0.044   0.044
    2     3       6    0.5    0.04
    """
    counts = require_columns(as_counts(counts), "post_id")
    limit, least = whole_number(n, "n", 1), whole_number(minimum, "minimum", 0)
    if order not in _ORDERS:
        msg = f"order is {order!r}; choose one of {list(_ORDERS)}"
        raise FrameError(msg)
    if str(by) == RATE:
        score = order
        pair = [counted_type(counts, name) for name in pair_of(counts, numerator, denominator)]
        posts = _rated(counts, pair, shrinkage, confidence)
    else:
        score = counted_type(counts, by)
        posts = sum_by_post(counts, [score])
    ranked = posts[score].notna()
    if least:
        exposure_type = counted_type(counts, denominator)
        shown = sum_by_post(counts, [exposure_type]).set_index("post_id")[exposure_type]
        ranked &= (shown.reindex(posts["post_id"]).array >= least).fillna(value=False)
    best = posts[ranked].sort_values(score, ascending=False, kind="stable", ignore_index=True)
    rank = best[score].rank(method="min", ascending=False)
    if "above_one" in best:
        # Promoted posts come last, in their own order.
        promoted = best["above_one"].fillna(value=False).to_numpy(dtype=np.bool_)
        parts = (~promoted, promoted)
        own = [best.loc[part, score].rank(method="min", ascending=False) for part in parts]
        rank = pd.concat([own[0], own[1] + (~promoted).sum()])
        best = best.loc[rank.index].reset_index(drop=True)
        rank = rank.reset_index(drop=True)
    best.insert(0, "rank", rank.astype("int64"))
    return best.head(limit)


def _rated(
    counts: pd.DataFrame, pair: list[str], shrinkage: float | None, confidence: float
) -> pd.DataFrame:
    """Return each post's rate and its shrunk rate, sorted by post."""
    rates = rates_of(counts, ["post_id"], pair)
    known = rates["rate"].notna().to_numpy()
    spread = float(rates["dispersion"].fillna(1.0).max()) if len(rates) else 1.0
    count, exposure = (
        np.where(known, rates[name].to_numpy(dtype="float64", na_value=np.nan), np.nan) / spread
        for name in pair
    )
    organic = ~rates["above_one"].fillna(value=False).to_numpy(dtype=np.bool_)
    prior = fit_prior(count[organic], exposure[organic])
    if shrinkage is not None:
        prior = Prior(prior.rate, _weight(shrinkage) / spread)
    shrunk = prior.shrunk(count, exposure, confidence)
    values = {
        name: pd.array(numbers, dtype="Float64")
        for name, numbers in zip(("shrunk", "low", "high"), shrunk, strict=True)
    }
    table = rates[["post_id", *pair, "rate"]].assign(**values)
    return table.assign(above_one=rates["above_one"], missing=rates["missing"])


def _weight(shrinkage: float) -> float:
    """Return the weight of the overall rate, in impressions."""
    if not is_number(shrinkage) or not 0 <= shrinkage < np.inf:
        msg = f"shrinkage is {shrinkage!r}; give a number of impressions, 0 or more"
        raise FrameError(msg)
    return float(shrinkage)
