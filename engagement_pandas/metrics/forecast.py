"""The final count of a young post, from its first hours and a cohort of older posts."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.frame.number_checks import is_number, whole_number
from engagement_pandas.metrics.compatibility import check_comparable
from engagement_pandas.metrics.coverage import need_edges
from engagement_pandas.metrics.cumulative import post_series
from engagement_pandas.metrics.interpolation import Floats, interpolate_counts
from engagement_pandas.metrics.intervals import z_of

AT: Final = 168.0
"""Hours: one week."""

MINIMUM: Final = 20
"""With fewer posts in the cohort, the ends of a 90 % band are unknown."""

LEAST: Final = 10
"""A post with fewer counts has shown too little of its growth."""

CONFIDENCE: Final = 0.9


def forecast(  # noqa: PLR0913  each has a default
    counts: pd.DataFrame,
    *,
    cohort: pd.DataFrame | None = None,
    at: float = AT,
    minimum: int = MINIMUM,
    least: int = LEAST,
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Forecast the count of each young post at a later age, with a prediction interval.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts by hour with ``post_id``, from each post's creation on.
    cohort : DataFrame, optional
        Counts of posts to learn the growth from; by default ``counts`` themselves. Posts
        known at the age ``at`` are used.
    at : float
        Age in hours of the forecast: the final count, if hardly anything comes later.
    minimum : int
        Minimum number of posts in the cohort.
    least : int
        Minimum number of counts that a post has so far.
    confidence : float
        Of the prediction interval: the share of posts whose count will be within it.

    Returns
    -------
    DataFrame
        One row per post and type, sorted by them: ``post_id``, ``engagement_type``; ``age``
        (``Float64``, hours for which the post was observed, in full); ``count``
        (``Float64``, counts by then); ``at`` (``float64``, hours); ``forecast``, ``low`` and
        ``high`` (``Float64``, counts at that age); ``n`` (``int64``, posts of the cohort
        known at both ages). ``<NA>`` for a post that is as old already, younger than an hour,
        has fewer than ``least`` counts, or is not known from its creation on; and if ``n`` is
        below ``minimum``.

    Raises
    ------
    FrameError
        As :func:`cumulative`; if the cohort is from an endpoint that counts differently, or
        the counts do not state which window they cover; for an invalid number.

    See Also
    --------
    standing : the percentile of a post among others of its age

    Notes
    -----
    The logarithm of the count grows by as much as in the cohort, from the post's own age on
    (Szabo and Huberman, *Communications of the ACM* 53, 2010). The forecast is the median
    growth. The interval has the quantiles of the cohort's growth (Weibull's, so that they
    cover with few posts), among the posts whose count at that age is nearest: half of the
    cohort, and ``minimum`` at least; chance in few counts is thereby included.

    Do not use it for posts that are promoted later, for a cohort of other accounts, or within
    the first hour. A post that goes viral later is outside of the interval: that is what the
    remaining 10 % are.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> def post(number, hours):
    ...     numbers = {f"{hour:02d}": str(64 * number // 2 ** hour) for hour in range(hours)}
    ...     return {str(2027900000000000000 + number): {"impressions": {"2026-03-01": numbers}}}
    >>> window = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T06:00:00Z"}
    >>> old = ep.flatten_json(window | {"g": {k: v for n in range(9, 39)
    ...                                       for k, v in post(n, 6).items()}})
    >>> window["end"] = "2026-03-01T02:00:00Z"
    >>> young = ep.flatten_json(window | {"g": post(40, 2)})
    >>> forecast(young, cohort=old, at=5)[["count", "forecast"]].round(-2).values.tolist()
    [[3000.0, 5000.0]]
    """
    counts = as_counts(counts)
    if cohort is not None:
        cohort = as_counts(cohort)
        check_comparable(counts, cohort)
    if not is_number(at) or not 0 < at < np.inf:
        msg = f"at is {at!r}; give an age in hours, such as {AT:g}"
        raise FrameError(msg)
    z_of(confidence)
    enough, needed = whole_number(minimum, "minimum", 2), whole_number(least, "least", 1)
    series = post_series(counts)
    others = series if cohort is None else post_series(cohort)
    for given in (counts, counts if cohort is None else cohort):
        need_edges(given, "forecast()")
    frame, other_keys = series.keys(), others.keys()
    age = np.floor(series.old(series.last) + 1e-9)
    count = interpolate_counts(series, age)
    final = interpolate_counts(others, np.full(len(others.post), float(at)))
    types = frame["engagement_type"].astype(TEXT).to_numpy()
    other_types = other_keys["engagement_type"].astype(TEXT).to_numpy()
    found = np.full((len(age), 3), np.nan)
    number = np.zeros(len(age), dtype=np.int64)
    open_ = (age >= 1) & (age < at) & (count >= needed)
    for hour in np.unique(age[open_]):
        early = interpolate_counts(others, np.full(len(others.post), hour))
        for name in np.unique(types[open_ & (age == hour)]):
            used = (other_types == name) & (early > 0) & ~np.isnan(final)
            mine = np.flatnonzero(open_ & (age == hour) & (types == name))
            number[mine] = used.sum()
            if used.sum() >= enough:
                found[mine] = grown(count[mine], early[used], final[used], enough, confidence)
    return frame.assign(
        age=pd.array(age, dtype="Float64"),
        count=pd.array(count, dtype="Float64"),
        at=np.float64(at),
        forecast=pd.array(found[:, 0], dtype="Float64"),
        low=pd.array(found[:, 1], dtype="Float64"),
        high=pd.array(found[:, 2], dtype="Float64"),
        n=number,
    )


def grown(count: Floats, early: Floats, final: Floats, least: int, confidence: float) -> Floats:
    """Return forecast, low and high of counts, given early and final counts of a cohort.

    >>> early = np.arange(10.0, 50)
    >>> grown(np.array([100.0]), early, 3 * early, 20, 0.9).round(0).tolist()
    [[300.0, 300.0, 300.0]]
    """
    log_early = np.log(early)
    growth = np.log(np.maximum(final, 1)) - log_early
    near = min(max(len(early) // 2, least), len(early))
    shares = [0.5, (1 - confidence) / 2, (1 + confidence) / 2]
    rows = []
    for number in np.log(count):
        nearest = np.argsort(np.abs(log_early - number), kind="stable")[:near]
        rows.append(number + np.quantile(growth[nearest], shares, method="weibull"))
    found: Floats = np.exp(np.array(rows).reshape(-1, len(shares)))
    return found
