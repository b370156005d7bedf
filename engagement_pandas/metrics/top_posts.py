"""The best posts, by a count or by a rate shrunk for small samples."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from engagement_pandas.frame.arguments import whole_number
from engagement_pandas.metrics.checks import known_type, need_columns, require_columns
from engagement_pandas.metrics.engagement_rate import engagement_rate
from engagement_pandas.metrics.intervals import CONFIDENCE, Prior, fit_prior
from engagement_pandas.metrics.pairs import pair_of
from engagement_pandas.metrics.roster import sum_counts

RATE: Final = "rate"


def top_posts(  # noqa: PLR0913  each has a default
    counts: pd.DataFrame,
    *,
    by: str = "engagements",
    n: int = 10,
    minimum: int = 0,
    numerator: str = "engagements",
    denominator: str = "impressions",
    shrinkage: float | None = None,
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
    confidence : float
        Confidence of the interval of the shrunk rate.

    Returns
    -------
    DataFrame
        Best first: ``rank`` (``int64``; ties share the better rank), ``post_id``. By a
        type: its sum, named after it (``Int64``). By rate: both sums, ``rate``,
        ``shrunk``, ``low`` and ``high`` (``Float64``), in order of ``low``. Last
        ``missing`` (``Int64``), the number of counts the sums lack, as in
        :func:`engagement_rate`. Ties are in order of the IDs, as text. Posts without such a
        count are not ranked.

    Raises
    ------
    FrameError
        For an unknown type, or an invalid number of posts or impressions.

    Notes
    -----
    One engagement with two impressions does not show a rate of 50 %. Each post's rate is
    shrunk towards the overall rate, more so the fewer impressions it has (empirical Bayes
    with a Gamma prior, see :class:`Prior`). Posts are ranked by the lower end of the
    interval, so that uncertainty counts against a post. A post with next to no impressions
    ranks by the lower end of the prior, and so above a post that is known to be worse than
    that; use ``minimum`` to exclude it.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> few = {"impressions": "2", "engagements": "1"}
    >>> many = {"impressions": "10000", "engagements": "500"}
    >>> counts = ep.flatten_json({"g": {"1": few, "2": many}})
    >>> top_posts(counts, by="rate")[["rank", "post_id", "rate"]]
       rank post_id  rate
    0     1       2  0.05
    1     2       1   0.5
    """
    need_columns(counts, "post_id")
    limit, least = whole_number(n, "n", 1), whole_number(minimum, "minimum", 0)
    if str(by) == RATE:
        score = "low"
        pair = pair_of(counts, numerator, denominator)
        posts = _rated(counts, pair, shrinkage, confidence)
    else:
        counts = require_columns(counts, "post_id")
        score = known_type(counts, by)
        posts = sum_counts(counts, ["post_id"], [score])
    ranked = posts[score].notna()
    if least:
        kind = known_type(counts, denominator)
        shown = sum_counts(counts, ["post_id"], [kind]).set_index("post_id")[kind]
        ranked &= (shown.reindex(posts["post_id"]).array >= least).fillna(value=False)
    best = posts[ranked].sort_values(score, ascending=False, kind="stable", ignore_index=True)
    rank = best[score].rank(method="min", ascending=False).astype("int64")
    best.insert(0, "rank", rank)
    return best.head(limit)


def _rated(
    counts: pd.DataFrame, pair: list[str], shrinkage: float | None, confidence: float
) -> pd.DataFrame:
    """Return each post's rate and its shrunk rate, sorted by post."""
    rates = engagement_rate(counts, numerator=pair[0], denominator=pair[1])
    known = rates["rate"].notna().to_numpy()
    count, exposure = (
        np.where(known, rates[name].to_numpy(dtype="float64", na_value=np.nan), np.nan)
        for name in pair
    )
    prior = fit_prior(count, exposure)
    if shrinkage is not None:
        prior = Prior(prior.rate, float(whole_number(shrinkage, "shrinkage", 0)))
    shrunk = prior.shrunk(count, exposure, confidence)
    values = {
        name: pd.array(numbers, dtype="Float64")
        for name, numbers in zip(("shrunk", "low", "high"), shrunk, strict=True)
    }
    return rates[["post_id", *pair, "rate"]].assign(**values, missing=rates["missing"])
