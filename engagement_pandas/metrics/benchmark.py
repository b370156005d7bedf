"""Is this normal? What other posts had at the same age."""

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
"""Hours at which a cohort is looked at: a week, closely at first."""

PERCENTILES: Final = (10, 25, 50, 75, 90)
MINIMUM: Final = 5
"""Fewer posts are no cohort."""


def benchmark(
    counts: pd.DataFrame,
    *,
    ages: Sequence[float] = AGES,
    percentiles: Sequence[float] = PERCENTILES,
    minimum: int = MINIMUM,
) -> pd.DataFrame:
    """Return what the posts of a cohort had at each age: percentile bands.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts of the cohort, with ``post_id`` and ``day``, best by hour.
    ages : sequence of float
        Hours since the post was made.
    percentiles : sequence of float
        From 0 to 100.
    minimum : int
        Where fewer posts are known at an age, there are no bands.

    Returns
    -------
    DataFrame
        A row an engagement type and age, sorted by them: ``engagement_type`` as in the
        counts; ``age`` (``float64``, hours); ``n`` (``int64``, posts that are known from
        their making to that age: the younger ones and those with gaps are not); ``p10``,
        ``p25``, … (``Float64``, counts since the post was made).

    Raises
    ------
    FrameError
        As :func:`cumulative`; where an age or percentile is none; where the counts do not
        state what they cover, so that no life is known.

    Notes
    -----
    The posts thin out with age, so the bands of two ages are not always the same posts';
    ``n`` tells. Percentiles are interpolated between posts (numpy's ``linear``).

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
    """Return where each post stands among others of its age: "83rd percentile at hour 6".

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id`` and ``day``, best by hour.
    cohort : DataFrame, optional
        Counts of the posts to compare with; by default those same posts. No post is
        compared with itself.
    at : float, optional
        Age in hours. By default each post's own: the whole hours it has been watched, at
        most 168.
    minimum : int
        Among fewer others, there is no percentile.

    Returns
    -------
    DataFrame
        A row a post and type, sorted by them: ``post_id``, ``engagement_type``; ``age``
        (``Float64``, hours, of the comparison); ``count`` (``Float64``, counts by then,
        interpolated); ``percentile`` (``Float64``, 0 to 100: the share of the others that
        had less, half of those that had the same); ``n`` (``int64``, the others that are
        known at that age). ``<NA>`` where the post is not known from its making on, where
        it is younger than ``at`` or than an hour, or ``n`` is too small.

    Raises
    ------
    FrameError
        As :func:`cumulative`; where the cohort is of an endpoint that counts otherwise;
        where the counts do not state what they cover, so that no life is known.

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
    """Return counts, a row a life and a column an age."""
    columns = [interpolate_counts(lives, np.full(len(lives.post), age)) for age in ages]
    return np.column_stack(columns)


def _ranked(own: Floats, others: Floats, itself: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return the percentile among the others, and how many these are.

    ``itself`` is what a post has in the cohort, perhaps another count than its own; NaN
    where it is not in it. No post is compared with itself.
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
