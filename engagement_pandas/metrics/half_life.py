"""How long a post takes to receive half of its counts, or any other share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.frame.number_checks import is_number, whole_number
from engagement_pandas.metrics.cumulative import PostSeries, post_series
from engagement_pandas.metrics.interpolation import interpolate_ages, interpolate_counts

TOLERANCE: Final = 0.1
"""Relative shift of an answer beyond which a post counts as too young for it."""

HALF: Final = {"t50": 0.5}
"""The share of a half-life, by the name of its column."""

_UPPER: Final = 0.95

WHY_NOT: Final = {
    "no_time": "the post's ID holds no time",
    "begins_late": "the counts begin after the post was created",
    "gap": "counts are missing in between",
    "edges_unknown": "the counts do not state what they cover; set merged.attrs = counts.attrs",
    "nothing": "nothing was counted, or less than the minimum",
    "too_young": "counts still to come may change the result",
}
"""Reasons for an <NA>, in the order in which they are checked."""


def half_life(
    counts: pd.DataFrame,
    *,
    shares: Sequence[float] = (0.5,),
    minimum: int = 1,
    tolerance: float = TOLERANCE,
) -> pd.DataFrame:
    """Return the age at which each post had reached a share of its counts.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts by hour, with ``post_id``, from each post's creation on.
    shares : sequence of float
        Between 0 and 1: 0.5 is the half-life.
    minimum : int
        Minimum total; posts with fewer counts get no answer.
    tolerance : float
        See the notes.

    Returns
    -------
    DataFrame
        One row per post and type, sorted by them: ``post_id``, ``engagement_type``; ``age``
        (``Float64``, hours for which the post was observed, ``<NA>`` if unknown); ``total``
        (``Int64``, its known counts by then); for each share ``t50``, ``t75``, … (``Float64``,
        hours since the post was created), and ``t50_least``, … (``Float64``, the same as of
        now: what is still to come can only raise it; also for posts that are too young);
        ``recent`` (``Float64``, the share of the counts from the second half of its age);
        and ``why_not`` (category): why an answer is ``<NA>``, one of ``WHY_NOT``.

    Raises
    ------
    FrameError
        If counts are not by hour or have no ``post_id``; for an invalid share.

    Notes
    -----
    Whole hours would give two to three hours for a post that has half of its impressions
    after 80 minutes. So age starts at the minute of creation, which is in the ID, and counts
    within an hour are interpolated, see
    :func:`~engagement_pandas.metrics.interpolation.interpolate_ages`. With thousands of
    counts, half-lives of 20 minutes are within 6 % on average, and of 80 minutes within 1 %.

    A young post is censored, not extrapolated. The answer is computed again as if as many
    counts as may lie behind those of the second half of the post's age (the upper 95 % limit
    of a Poisson mean) were still to come. If that shifts it by more than ``tolerance`` of
    itself, it is ``<NA>`` and ``too_young``. Three or fewer counts are therefore never
    settled by a few quiet hours. For growth that fades no slower than 1/age, this margin
    exceeds what the next doubling of its age will bring; do not use it for posts that grow
    more slowly (a Lomax tail of 0.7 is 12 % too short after 48 hours). The verdict depends on
    the share: a post of two days may well have a t50 and no t90.

    The posts with an answer are the fast ones: for the typical post, see
    :func:`median_half_life`.

    The median post's half-life is near 80 minutes (Pfeffer, Matter and Sargsyan, 2023,
    arXiv 2302.09654).

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> hours = {f"{hour:02d}": str(1000 * 2 ** (23 - hour)) for hour in range(19, 24)}
    >>> later = {f"{hour:02d}": "0" for hour in range(24)}
    >>> days = {"2018-11-09": hours, "2018-11-10": later}
    >>> body = {"start": "2018-11-09T18:00:00Z", "end": "2018-11-11T00:00:00Z",
    ...         "g": {"1060976163948904448": {"impressions": days}}}
    >>> half_life(ep.flatten_json(body), shares=(0.5, 0.9))[["total", "t50", "t90"]].round(2)
       total   t50   t90
    0  31000  0.58  2.57
    """
    series = post_series(as_counts(counts), "hour")
    names = _names(shares)
    if not is_number(tolerance) or not 0 < tolerance < np.inf:
        msg = f"tolerance is {tolerance!r}; give a share above 0, such as {TOLERANCE}"
        raise FrameError(msg)
    least = whole_number(minimum, "minimum", 1)
    return half_lives(series, names, least, tolerance)


def half_lives(
    series: PostSeries,
    names: Mapping[str, float] = HALF,
    least: int = 1,
    tolerance: float = TOLERANCE,
) -> pd.DataFrame:
    """Return :func:`half_life` of series by hour; ``names`` are those of the shares."""
    total = series.running[series.last]
    age = series.old(series.last)
    recent = total - interpolate_counts(series, age / 2)
    later = total + upper_limit(recent)
    faults = _faults(series, total < least)
    barred = np.logical_or.reduce(list(faults.values()))
    answers, young = {}, np.zeros(len(total), dtype=np.bool_)
    so_far = total.astype(np.float64)
    for name, share in names.items():
        answer = interpolate_ages(series, share * so_far, so_far)
        # NaN if even the total is less than the share of what it may become.
        settled = interpolate_ages(series, share * later, so_far) <= answer * (1 + tolerance)
        answers[name] = np.where(settled & ~barred, answer, np.nan)
        answers[f"{name}_least"] = np.where(barred, np.nan, answer)
        young |= ~settled
    return series.keys().assign(
        age=pd.array(age, dtype="Float64"),
        total=pd.arrays.IntegerArray(total, _none_known(series)),
        **{name: pd.array(answer, dtype="Float64") for name, answer in answers.items()},
        recent=pd.array(np.where(barred, np.nan, recent / np.maximum(total, 1)), dtype="Float64"),
        why_not=_reasons(faults | {"too_young": young}),
    )


def median_half_life(
    counts: pd.DataFrame, *, share: float = 0.5, minimum: int = 1, tolerance: float = TOLERANCE
) -> pd.DataFrame:
    """Return the median age at which posts had a share of their counts, as a bracket.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts by hour, as for :func:`half_life`.
    share : float
        Between 0 and 1: 0.5 is the half-life.
    minimum, tolerance
        See :func:`half_life`.

    Returns
    -------
    DataFrame
        One row per type: ``engagement_type``; ``low`` and ``high`` (``Float64``, hours);
        ``n`` (``int64``, posts with an answer) and ``too_young`` (``int64``, posts whose age
        is only known to be at least ``t50_least``). Posts without an answer for another
        reason are left out. ``high`` is ``<NA>`` if half of the posts or more are too young.

    Raises
    ------
    FrameError
        As :func:`half_life`.

    See Also
    --------
    half_life : one row per post

    Notes
    -----
    The median of the answers alone is that of the fast posts: too short by up to half if
    many posts are young. Censoring depends on the answer here, so that the Kaplan-Meier
    estimate is too long. The bracket takes the posts that are too young at the least they
    can have, and at infinity; the median lies between.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> hours = {f"{hour:02d}": str(1000 * 2 ** (23 - hour)) for hour in range(19, 24)}
    >>> later = {f"{hour:02d}": "0" for hour in range(24)}
    >>> days = {"2018-11-09": hours, "2018-11-10": later}
    >>> body = {"start": "2018-11-09T18:00:00Z", "end": "2018-11-11T00:00:00Z",
    ...         "g": {"1060976163948904448": {"impressions": days}}}
    >>> median_half_life(ep.flatten_json(body)).round(2)
      engagement_type   low  high  n  too_young
    0     impressions  0.58  0.58  1          0
    """
    table = half_life(counts, shares=(share,), minimum=minimum, tolerance=tolerance)
    (name,) = _names((share,))
    return median_bracket(table, name)


def median_bracket(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the bracket of the median of a column of :func:`half_life`, by type."""
    rows = []
    for engagement_type, part in table.groupby("engagement_type", observed=True):
        young = (part["why_not"] == "too_young").to_numpy() & part[name].isna().to_numpy()
        known = part[f"{name}_least"].to_numpy(dtype="float64", na_value=np.nan)
        least, most = known[~np.isnan(known)], np.where(young, np.inf, known)[~np.isnan(known)]
        low, high = (np.median(ages) if len(ages) else np.nan for ages in (least, most))
        answered = int(part[name].notna().sum())
        rows.append(
            (
                engagement_type,
                low,
                high if np.isfinite(high) else np.nan,
                answered,
                int(young.sum()),
            )
        )
    frame = pd.DataFrame(rows, columns=["engagement_type", "low", "high", "n", "too_young"])
    types = table["engagement_type"].dtype
    return frame.astype(
        {"engagement_type": types, "low": "Float64", "high": "Float64"}
        | {"n": "int64", "too_young": "int64"}
    )


def _none_known(series: PostSeries) -> NDArray[np.bool_]:
    """Return for each series whether none of its counts is known."""
    none: NDArray[np.bool_] = np.logical_and.reduceat(series.unknown, series.begin[:-1])
    return none


def upper_limit(count: ArrayLike) -> NDArray[np.float64]:
    """Return the upper 95 % limit of the mean of a Poisson count (Garwood, 1936).

    >>> upper_limit([0, 10]).round(2).tolist()
    [3.0, 16.96]
    """
    from scipy.special import gammaincinv  # noqa: PLC0415 - takes as long to import as pandas

    number = np.maximum(np.asarray(count, dtype=np.float64), 0)
    return np.asarray(gammaincinv(number + 1, _UPPER), dtype=np.float64)


def _names(shares: Sequence[float]) -> dict[str, float]:
    """Return each share by the name of its column: t50, t75, t99.5."""
    given: list[Any] = [shares] if is_number(shares) else list(shares)
    for share in given:
        if not is_number(share) or not 0 < share < 1:
            msg = f"{share!r} is not a share; give numbers between 0 and 1, such as 0.5"
            raise FrameError(msg)
    if not given:
        msg = "shares is empty; name at least one, such as 0.5"
        raise FrameError(msg)
    return {f"t{share * 100:g}": float(share) for share in given}


def _faults(series: PostSeries, little: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """Return for each reason the series to which it applies."""
    last, first = series.last, series.begin[:-1]
    no_time = np.isnan(series.born)
    late = ~series.sound[first] & ~series.unknown[first]
    return {
        "no_time": no_time,
        "begins_late": late & ~no_time,
        "gap": ~series.sound[last] & ~late,
        "edges_unknown": series.sound[last] & (not series.cover.known),
        "nothing": little,
    }


def _reasons(faults: dict[str, NDArray[np.bool_]]) -> pd.Categorical:
    """Return the first reason that applies, <NA> if none does."""
    reasons = pd.CategoricalDtype(pd.Index(list(WHY_NOT), dtype=TEXT))
    rows = len(next(iter(faults.values())))
    code = np.full(rows, -1)
    for place, name in reversed(list(enumerate(WHY_NOT))):
        code = np.where(faults[name], place, code)
    return pd.Categorical.from_codes(code, dtype=reasons)
