"""Compare a post with others of the same age: percentiles of a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.frame.number_checks import whole_number
from engagement_pandas.metrics.compatibility import check_comparable
from engagement_pandas.metrics.coverage import need_edges
from engagement_pandas.metrics.cumulative import PostSeries, post_series
from engagement_pandas.metrics.interpolation import Floats, interpolate_counts
from engagement_pandas.metrics.intervals import z_of

AGES: Final = (1, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 72, 96, 120, 144, 168)
"""Default ages in hours: one week, in finer steps at first."""

PERCENTILES: Final = (10, 25, 50, 75, 90)
MINIMUM: Final = 5
"""Minimum number of posts in a cohort."""

_SURE: Final = 0.99


def benchmark(
    counts: pd.DataFrame,
    *,
    ages: Sequence[float] = AGES,
    percentiles: Sequence[float] = PERCENTILES,
    minimum: int = MINIMUM,
    recent: int | None = None,
) -> pd.DataFrame:
    """Return percentile bands of a cohort's cumulative counts at each age.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts of the cohort, with ``post_id`` and ``day``, preferably by hour.
    ages : sequence of float
        Hours since the post was created.
    percentiles : sequence of float
        From 0 to 100.
    minimum : int
        Minimum number of posts known at an age; with fewer, the bands are ``<NA>``.
    recent : int, optional
        Use only this number of posts, those created last.

    Returns
    -------
    DataFrame
        One row per engagement type and age, sorted by them: ``engagement_type`` as in the
        counts; ``age`` (``float64``, hours); ``n`` (``int64``, posts whose counts are known
        from creation to that age, which excludes younger posts and posts with gaps);
        ``p10``, ``p25``, … (``Float64``, counts since the post was created); ``trend``
        (``Float64``: the typical count at that age in the later half of the posts, over that
        in the earlier half, if the difference is beyond chance at 1 %; else ``<NA>``).

    Raises
    ------
    FrameError
        As :func:`cumulative`; for an invalid age or percentile; if the counts do not state
        which window they cover.

    Notes
    -----
    Fewer posts reach higher ages; see ``n``. So that the bands of all ages rest on the same
    posts, a younger post's counts are carried on from its last known age with the growth of
    the posts known at both ages (chain ladder: Mack, *ASTIN Bulletin* 23, 1993). The bands
    therefore do not fall, unless unlikes outnumber likes.

    Percentiles are those of Weibull (Hyndman and Fan's type 6): of new posts, 80 % lie
    between p10 and p90, with 10 others as with 50. With 5 it is 67 %.

    Do not use a cohort with a ``trend`` as it is: choose a ``recent`` part of it.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> hours = {"00": "5", "01": "7"}
    >>> body = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T02:00:00Z",
    ...         "g": {str(2027900000000000000 + n): {"impressions": {"2026-03-01": hours}}
    ...               for n in range(6)}}
    >>> benchmark(ep.flatten_json(body), ages=[1], percentiles=[50])["n"].to_list()
    [6]
    """
    counts = as_counts(counts)
    least = whole_number(minimum, "minimum", 1)
    wanted = _numbers(ages, "ages", np.inf, "hours above 0, such as 24")
    shares = _numbers(percentiles, "percentiles", 100, "numbers from 0 to 100, such as 50")
    series = post_series(counts)
    need_edges(counts, "benchmark()")
    rows = []
    table = _by_age(series, wanted)
    table[~_is_recent(series, recent)] = np.nan
    for code in np.unique(series.type):
        posts = table[series.type == code]
        born = series.born[series.type == code]
        carried = chain_ladder(posts, np.argsort(wanted, kind="stable"))
        for place, at in enumerate(wanted):
            known = ~np.isnan(posts[:, place])
            filled = carried[~np.isnan(carried[:, place]), place]
            enough = known.sum() >= least
            bands = (
                np.percentile(filled, shares, method="weibull")
                if enough
                else np.full(len(shares), np.nan)
            )
            rows.append((code, at, known.sum(), *bands, trend_of(posts[known, place], born[known])))
    names = [*(f"p{share:g}" for share in shares), "trend"]
    frame = pd.DataFrame(rows, columns=["engagement_type", "age", "n", *names])
    dtypes = {"age": "float64", "n": "int64", **dict.fromkeys(names, "Float64")}
    categories = pd.Categorical.from_codes(
        frame["engagement_type"].astype("int64"), dtype=series.types
    )
    return frame.assign(engagement_type=categories).astype(dtypes)


def standing(
    counts: pd.DataFrame,
    *,
    cohort: pd.DataFrame | None = None,
    at: float | None = None,
    minimum: int = MINIMUM,
    recent: int | None = None,
) -> pd.DataFrame:
    """Return each post's percentile among others of its age: "83rd percentile at hour 6".

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id`` and ``day``, preferably by hour.
    cohort : DataFrame, optional
        Counts of the posts to compare with; by default ``counts`` themselves. No post is
        compared with itself.
    at : float, optional
        Age in hours. By default each post's own age: the whole hours for which it was
        observed, at most 168.
    minimum : int
        Minimum number of other posts; with fewer, the percentile is ``<NA>``.
    recent : int, optional
        Compare only with this number of posts of the cohort, those created last.

    Returns
    -------
    DataFrame
        One row per post and type, sorted by them: ``post_id``, ``engagement_type``; ``age``
        (``Float64``, hours, at which posts are compared); ``count`` (``Float64``, cumulative
        counts at that age, interpolated); ``percentile`` (``Float64``, above 0 and below
        100: the number of other posts with less, plus half of those with the same, plus a
        half, of all posts with this one); ``n`` (``int64``, other posts known at that age);
        ``trend`` (``Float64``, as by :func:`benchmark`: if it is above 1, the cohort's posts
        got more and more, so that new posts rank too high). ``<NA>`` if the post's counts
        are not known from its creation on, if it is younger than ``at`` or than an hour, or
        if ``n`` is too small.

    Raises
    ------
    FrameError
        As :func:`cumulative`; if the cohort is from an endpoint that counts differently; if
        the counts do not state which window they cover.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T03:00:00Z",
    ...         "g": {str(2027900000000000000 + n): {"impressions":
    ...             {"2026-03-01": {"00": "0", "01": str(n), "02": "1"}}} for n in range(8)}}
    >>> table = standing(ep.flatten_json(body), at=2)
    >>> table["percentile"].round(0).to_list(), table["n"].to_list()
    ([6.0, 19.0, 31.0, 44.0, 56.0, 69.0, 81.0, 94.0], [7, 7, 7, 7, 7, 7, 7, 7])
    """
    counts = as_counts(counts)
    if cohort is not None:
        cohort = as_counts(cohort)
        check_comparable(counts, cohort)
    series = post_series(counts)
    others = series if cohort is None else post_series(cohort)
    for given in (counts, counts if cohort is None else cohort):
        need_edges(given, "standing()")
    return standings(series, others, at=at, minimum=minimum, recent=recent)


def standings(
    series: PostSeries,
    others: PostSeries,
    *,
    at: float | None = None,
    minimum: int = MINIMUM,
    recent: int | None = None,
) -> pd.DataFrame:
    """Return :func:`standing` of series among others, both with known edges."""
    if at is None:
        age = np.minimum(np.floor(series.old(series.last) + 1e-9), AGES[-1])
    else:
        age = np.full(len(series.post), _numbers([at], "at", np.inf, "hours above 0")[0])
    own = interpolate_counts(series, age)
    frame = series.keys()
    types = frame["engagement_type"].astype(TEXT).to_numpy()
    other_keys = others.keys()
    other_types = other_keys["engagement_type"].astype(TEXT).to_numpy()
    percentile, trend = np.full(len(age), np.nan), np.full(len(age), np.nan)
    others_recent = _is_recent(others, recent)
    number = np.zeros(len(age), dtype=np.int64)
    for hour in np.unique(age[~np.isnan(own) & (age > 0)]):
        table = _by_age(others, np.array([hour]))[:, 0]
        for type_name in np.unique(types[age == hour]):
            rows = np.flatnonzero((age == hour) & (types == type_name) & ~np.isnan(own))
            other_rows = np.flatnonzero(
                (other_types == type_name) & ~np.isnan(table) & others_recent
            )
            other_counts = pd.Series(table[other_rows], other_keys["post_id"].iloc[other_rows])
            itself = other_counts.reindex(frame["post_id"].iloc[rows]).to_numpy().astype(np.float64)
            trend[rows] = trend_of(table[other_rows], others.born[other_rows])
            percentile[rows], number[rows] = _ranked(own[rows], np.sort(table[other_rows]), itself)
    few = (number < whole_number(minimum, "minimum", 1)) | np.isnan(own) | (age <= 0)
    return frame.assign(
        age=pd.array(age, dtype="Float64"),
        count=pd.array(np.where(age > 0, own, np.nan), dtype="Float64"),
        percentile=pd.array(np.where(few, np.nan, percentile), dtype="Float64"),
        n=number,
        trend=pd.array(np.where(few, np.nan, trend), dtype="Float64"),
    )


def _by_age(series: PostSeries, ages: Floats) -> Floats:
    """Return cumulative counts: one row per post and type, one column per age."""
    columns = [interpolate_counts(series, np.full(len(series.post), age)) for age in ages]
    return np.column_stack(columns)


def _is_recent(series: PostSeries, recent: int | None) -> NDArray[np.bool_]:
    """Return which series are of the posts created last; all of them without a number."""
    if recent is None:
        return np.ones(len(series.post), dtype=np.bool_)
    born = pd.Series(series.born).groupby(series.post).first().dropna().sort_values()
    last = born.index[-whole_number(recent, "recent", 1) :]
    return np.isin(series.post, last)


def chain_ladder(table: Floats, order: NDArray[np.int64]) -> Floats:
    """Return counts by post and age; unknown ones are extrapolated from the age before.

    ``order`` are the columns by age. The growth from one age to the next is that of the posts
    known at both; without such posts, nothing is carried on.

    >>> table = np.array([[10.0, 20, 40], [30, 60, np.nan], [20, np.nan, np.nan]])
    >>> chain_ladder(table, np.arange(3)).tolist()
    [[10.0, 20.0, 40.0], [30.0, 60.0, 120.0], [20.0, 40.0, 80.0]]
    """
    carried = table.copy()
    for before, after in pairwise(order):
        both = ~np.isnan(table[:, before]) & ~np.isnan(table[:, after])
        base = table[both, before].sum()
        growth = table[both, after].sum() / base if base > 0 else np.nan
        missing = np.isnan(carried[:, after])
        carried[missing, after] = carried[missing, before] * growth
    return carried


def trend_of(count: Floats, born: Floats) -> float:
    """Return the typical count of the later half of posts over that of the earlier half.

    NaN if the difference is not beyond chance at 1 %: the rank-sum test, with the normal
    distribution (Mann and Whitney, 1947).

    >>> trend_of(np.arange(40.0) ** 2, np.arange(40.0)).__round__(1)
    15.4
    """
    number = len(count)
    half = number // 2
    if half < MINIMUM:
        return np.nan
    order = np.argsort(born, kind="stable")
    later = count[order[-half:]]
    earlier = count[order[:half]]
    rank = pd.Series(np.concatenate([earlier, later])).rank().to_numpy()
    surplus = rank[half:].sum() - half * (2 * half + 1) / 2
    error = float(np.sqrt(half * half * (2 * half + 1) / 12))
    if abs(surplus) / error < z_of(_SURE):
        return np.nan
    logs = [np.log1p(np.maximum(part, 0)).mean() for part in (later, earlier)]
    return float(np.exp(logs[0] - logs[1]))


def _ranked(own: Floats, others: Floats, itself: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return the percentile among the others, and the number of others.

    ``itself`` is the post's count in the cohort, which may differ from ``own``; NaN if the
    post is not in the cohort. No post is compared with itself.
    """
    below = np.searchsorted(others, own, side="left")
    less = below - (itself < own)
    same = np.searchsorted(others, own, side="right") - below - (itself == own)
    number = len(others) - (~np.isnan(itself)).astype(np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return 100 * (less + same / 2 + 0.5) / (number + 1), number


def _numbers(given: Sequence[float], name: str, most: float, cure: str) -> Floats:
    try:
        numbers = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"{name} is {given!r}; give {cure}"
        raise FrameError(msg) from error
    least = 0 if most < np.inf else np.nextafter(0, 1)
    if numbers.ndim != 1 or not len(numbers) or not ((numbers >= least) & (numbers <= most)).all():
        msg = f"{name} is {given!r}; give {cure}"
        raise FrameError(msg)
    return numbers
