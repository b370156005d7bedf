"""Compare a post with others of the same age: percentiles of a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.arguments import whole_number
from engagement_pandas.metrics.compatibility import check_comparable
from engagement_pandas.metrics.coverage import need_edges
from engagement_pandas.metrics.cumulative import PostSeries, histories
from engagement_pandas.metrics.interpolation import Floats, interpolate_counts

AGES: Final = (1, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 72, 96, 120, 144, 168)
"""Default ages in hours: one week, in finer steps at first."""

PERCENTILES: Final = (10, 25, 50, 75, 90)
MINIMUM: Final = 5
"""Minimum number of posts in a cohort."""


def benchmark(
    counts: pd.DataFrame,
    *,
    ages: Sequence[float] = AGES,
    percentiles: Sequence[float] = PERCENTILES,
    minimum: int = MINIMUM,
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

    Returns
    -------
    DataFrame
        One row per engagement type and age, sorted by them: ``engagement_type`` as in the
        counts; ``age`` (``float64``, hours); ``n`` (``int64``, posts whose counts are known
        from creation to that age, which excludes younger posts and posts with gaps);
        ``p10``, ``p25``, … (``Float64``, counts since the post was created).

    Raises
    ------
    FrameError
        As :func:`cumulative`; for an invalid age or percentile; if the counts do not state
        which window they cover.

    Notes
    -----
    Fewer posts reach higher ages, so the bands of two ages may rest on different posts; see
    ``n``. Percentiles are interpolated between posts (numpy's ``linear``).

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
    least = whole_number(minimum, "minimum", 1)
    wanted = _numbers(ages, "ages", np.inf, "hours above 0, such as 24")
    shares = _numbers(percentiles, "percentiles", 100, "numbers from 0 to 100, such as 50")
    lives = histories(counts)
    need_edges(counts, "benchmark()")
    rows = []
    table = _by_age(lives, wanted)
    for code in np.unique(lives.type):
        for place, at in enumerate(wanted):
            known = table[lives.type == code, place]
            known = known[~np.isnan(known)]
            enough = len(known) >= least
            bands = np.percentile(known, shares) if enough else np.full(len(shares), np.nan)
            rows.append((code, at, len(known), *bands))
    names = [f"p{share:g}" for share in shares]
    frame = pd.DataFrame(rows, columns=["engagement_type", "age", "n", *names])
    dtypes = {"age": "float64", "n": "int64", **dict.fromkeys(names, "Float64")}
    kinds = pd.Categorical.from_codes(frame["engagement_type"].astype("int64"), dtype=lives.types)
    return frame.assign(engagement_type=kinds).astype(dtypes)


def standing(
    counts: pd.DataFrame,
    *,
    cohort: pd.DataFrame | None = None,
    at: float | None = None,
    minimum: int = MINIMUM,
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

    Returns
    -------
    DataFrame
        One row per post and type, sorted by them: ``post_id``, ``engagement_type``; ``age``
        (``Float64``, hours, at which posts are compared); ``count`` (``Float64``, cumulative
        counts at that age, interpolated); ``percentile`` (``Float64``, 0 to 100: the share
        of other posts with less, plus half of those with the same); ``n`` (``int64``, other
        posts known at that age). ``<NA>`` if the post's counts are not known from its
        creation on, if it is younger than ``at`` or than an hour, or if ``n`` is too small.

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
    ([0.0, 14.0, 29.0, 43.0, 57.0, 71.0, 86.0, 100.0], [7, 7, 7, 7, 7, 7, 7, 7])
    """
    if cohort is not None:
        check_comparable(counts, cohort)
    lives = histories(counts)
    others = lives if cohort is None else histories(cohort)
    for given in (counts, counts if cohort is None else cohort):
        need_edges(given, "standing()")
    if at is None:
        age = np.minimum(np.floor(lives.old[lives.last] + 1e-9), AGES[-1])
    else:
        age = np.full(len(lives.post), _numbers([at], "at", np.inf, "hours above 0")[0])
    own = interpolate_counts(lives, age)
    frame = lives.keys()
    name = frame["engagement_type"].astype("str").to_numpy()
    other_keys = others.keys()
    other_name = other_keys["engagement_type"].astype("str").to_numpy()
    percentile = np.full(len(age), np.nan)
    number = np.zeros(len(age), dtype=np.int64)
    for hour in np.unique(age[~np.isnan(own) & (age > 0)]):
        table = _by_age(others, np.array([hour]))[:, 0]
        for kind in np.unique(name[age == hour]):
            mine = np.flatnonzero((age == hour) & (name == kind) & ~np.isnan(own))
            theirs = np.flatnonzero((other_name == kind) & ~np.isnan(table))
            there = pd.Series(table[theirs], other_keys["post_id"].iloc[theirs])
            itself = there.reindex(frame["post_id"].iloc[mine]).to_numpy().astype(np.float64)
            percentile[mine], number[mine] = _ranked(own[mine], np.sort(table[theirs]), itself)
    few = (number < whole_number(minimum, "minimum", 1)) | np.isnan(own) | (age <= 0)
    return frame.assign(
        age=pd.array(age, dtype="Float64"),
        count=pd.array(np.where(age > 0, own, np.nan), dtype="Float64"),
        percentile=pd.array(np.where(few, np.nan, percentile), dtype="Float64"),
        n=number,
    )


def _by_age(lives: PostSeries, ages: Floats) -> Floats:
    """Return cumulative counts: one row per post and type, one column per age."""
    columns = [interpolate_counts(lives, np.full(len(lives.post), age)) for age in ages]
    return np.column_stack(columns)


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
        return 100 * (less + same / 2) / number, number


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
