"""When to post, and when readers respond: rates by weekday and hour, with a test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.arguments import whole_number
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.metrics.age import made_hour
from engagement_pandas.metrics.checks import known_type, require_columns
from engagement_pandas.metrics.coverage import HOUR_US, hours
from engagement_pandas.metrics.engagement_rate import engagement_rate
from engagement_pandas.metrics.group_sums import added
from engagement_pandas.metrics.interpolation import Floats
from engagement_pandas.metrics.intervals import z_of
from engagement_pandas.metrics.time_zones import zone_of

WEEK: Final = 7 * 24
SURE: Final = 0.99
"""With no effect at all, 1 analysis in 100 still names an hour; people plan by the result."""

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DRAWS: Final = 999
MINIMUM: Final = 3
"""Fewer posts in an hour of the week are no evidence, however well they did."""

VERDICTS: Final = {
    "best": "the best of the hours that are better beyond chance",
    "better": "better than the overall rate beyond chance",
    "not enough evidence": "chance alone would do as much",
    "no posts": "nothing to go by",
}


@dataclass(frozen=True, slots=True)
class _Parts:
    """Counts of posts, or of hours of posts, with expected counts and hour of the week.

    ``post`` is the number of the post, ``cell`` the hour of the week; ``sums`` are count and
    exposure as integers.
    """

    post: NDArray[np.int64]
    cell: NDArray[np.int64]
    count: Floats
    exposure: Floats
    expected: Floats
    overall: float
    sums: Sequence[pd.Series] = ()


_Turned = Callable[[_Parts, np.random.Generator], NDArray[np.int64]]
_ROUNDING: Final = 1e-12
_LOUDEST: Final = 2.0


def best_times(  # noqa: PLR0913  each has a default
    counts: pd.DataFrame,
    *,
    tz: str | tzinfo = "UTC",
    clock: str = "posting",
    numerator: str = "engagements",
    denominator: str = "impressions",
    minimum: int = MINIMUM,
    confidence: float = SURE,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the engagement rate by weekday and hour, and which hours are better.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id``; by hour if ``clock`` is ``"engagement"``.
    tz : str or tzinfo
        Time zone of the weekdays and hours.
    clock : {"posting", "engagement"}
        ``"posting"`` groups by the hour in which a post was *created*: when to post.
        ``"engagement"`` groups by the hour in which readers *responded*: when they engage,
        given that they see the post.
    numerator, denominator : str
        Engagement types of the rate.
    minimum : int
        Minimum number of posts in an hour for a verdict on it.
    confidence : float
        If there is no effect at all, the share of analyses that name no hour.
    draws : int
        Number of permutations; more take longer and resolve smaller p-values.
    seed : int
        Seed of the permutations: the same counts and seed give the same result.

    Returns
    -------
    DataFrame
        168 rows: ``weekday`` (category, Monday to Sunday), ``hour`` (``int8``, local);
        ``n`` (``int64``, posts); both sums (``Int64``); ``rate`` (``Float64``, ratio of
        sums); ``shrunk`` (``Float64``, shrunk towards the overall rate as far as the
        differences between hours are due to chance); ``p`` (``Float64``, the probability
        of such an hour anywhere in the week without any effect); ``verdict`` (category:
        *best*, at most one; *better*; *not enough evidence*; *no posts*).

    Raises
    ------
    FrameError
        For an unknown type, clock or time zone; if counts lack a column; for an invalid
        number.

    Notes
    -----
    The best of 168 hours always looks good. So the surplus of each hour is measured in
    standard errors over posts, with outliers clipped, and compared with the largest surplus
    of all hours if posts came at random hours (or, for the engagement clock, if each post's
    week were rotated at random). This is a permutation test of the maximum (Westfall and
    Young, 1993). It holds for any distribution of posts, as long as posts differ only in
    their hour.

    With the engagement clock, each post's hours are compared with the post's own rate. If
    all posts are created at the same hour, a rate that falls with age looks like one that
    depends on the hour; this metric cannot tell these apart.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"2027900000000000000": {"impressions": "900", "engagements": "9"}}}
    >>> times = best_times(ep.flatten_json(body), tz="Europe/Berlin")
    >>> times.loc[times["n"] > 0, ["weekday", "hour", "n", "rate", "verdict"]]
        weekday  hour  n  rate              verdict
    145  Sunday     1  1  0.01  not enough evidence
    """
    require_columns(counts, "post_id")
    if clock not in _CLOCKS:
        msg = f"clock is {clock!r}; choose one of {list(_CLOCKS)}"
        raise FrameError(msg)
    z_of(confidence)
    whole_number(seed, "seed", 0)
    least = whole_number(minimum, "minimum", 1)
    if whole_number(draws, "draws", 1) * (1 - confidence) < 1:
        msg = f"draws is {draws!r}; a confidence of {confidence} takes more, such as {DRAWS}"
        raise FrameError(msg)
    pair = [known_type(counts, numerator), known_type(counts, denominator)]
    parts, turned = _CLOCKS[clock](counts, zone_of(tz), pair)
    number = np.bincount(parts.cell, minlength=WEEK)
    variance = _variance(parts)
    evidence = _evidence(parts, variance)
    surplus = _scores(evidence, parts.cell, least)
    dice = np.random.default_rng(seed)
    largest = np.sort([_scores(evidence, turned(parts, dice), least).max() for _ in range(draws)])
    beaten = draws - np.searchsorted(largest, surplus, side="left")
    chance = np.where(number >= least, (1 + beaten) / (1 + draws), np.nan)
    sums = {
        name: added(values, parts.cell, WEEK) for name, values in zip(pair, parts.sums, strict=True)
    }
    shrunk = _shrunk(parts, variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        count, exposure = (sums[name].to_numpy(dtype="float64", na_value=np.nan) for name in pair)
        rate = count / exposure
    week = np.arange(WEEK)
    days = pd.CategoricalDtype(pd.Index(DAYS, dtype=TEXT), ordered=True)
    return pd.DataFrame(
        {
            "weekday": pd.Categorical.from_codes(week // 24, dtype=days),
            "hour": (week % 24).astype("int8"),
            "n": number.astype("int64"),
            **sums,
            "rate": pd.array(rate, dtype="Float64"),
            "shrunk": pd.array(np.where(number > 0, shrunk, np.nan), dtype="Float64"),
            "p": pd.array(chance, dtype="Float64"),
            "verdict": _verdicts(number, chance, surplus, shrunk, 1 - confidence),
        }
    )


def _posting(counts: pd.DataFrame, zone: tzinfo, pair: list[str]) -> tuple[_Parts, _Turned]:
    """Return posts by the hour of the week in which they were created."""
    rates = engagement_rate(counts, numerator=pair[0], denominator=pair[1])
    made = made_hour(pd.Index(rates["post_id"]))
    known = rates["rate"].notna().to_numpy() & ~np.isnan(made)
    count, exposure = (rates.loc[known, name].to_numpy(dtype="float64") for name in pair)
    overall = float(count.sum() / exposure.sum()) if len(count) else np.nan
    cell = _local(made[known], zone)
    sums = [rates.loc[known, name] for name in pair]
    parts = _Parts(np.arange(len(count)), cell, count, exposure, overall * exposure, overall, sums)
    return parts, lambda parts, dice: dice.permutation(parts.cell)


def _engaging(counts: pd.DataFrame, zone: tzinfo, pair: list[str]) -> tuple[_Parts, _Turned]:
    """Return each post's hours of the week, with counts expected from the post's own rate."""
    require_columns(counts, "post_id", "day", "hour")
    moments, places = np.unique(hours(counts), return_inverse=True)
    cells = _local(moments.astype("float64"), zone)[places] if len(moments) else places
    rates = engagement_rate(
        counts.assign(_cell=cells),
        by=["post_id", "_cell"],
        numerator=pair[0],
        denominator=pair[1],
    )
    rates = rates[rates["rate"].notna()]
    count, exposure = (rates[name].to_numpy(dtype="float64") for name in pair)
    post = pd.factorize(rates["post_id"])[0]
    own = np.bincount(post, count) / np.bincount(post, exposure) if len(post) else count
    overall = float(count.sum() / exposure.sum()) if len(count) else np.nan
    cell = rates["_cell"].to_numpy(dtype="int64")
    sums = [rates[name] for name in pair]
    parts = _Parts(post, cell, count, exposure, own[post] * exposure, overall, sums)
    return (
        parts,
        lambda parts, dice: (parts.cell + dice.integers(WEEK, size=len(own))[parts.post]) % WEEK,
    )


_CLOCKS: Final[dict[str, Callable[[pd.DataFrame, tzinfo, list[str]], tuple[_Parts, _Turned]]]] = {
    "posting": _posting,
    "engagement": _engaging,
}


def _local(moments: Floats, zone: tzinfo) -> NDArray[np.int64]:
    """Convert hours since 1970 to hours of the local week, which starts Monday at midnight."""
    stamps = (moments * HOUR_US).round().astype("int64").view("datetime64[us]")
    local = pd.DatetimeIndex(stamps, tz="UTC").tz_convert(zone)
    return np.asarray(local.day_of_week * 24 + local.hour, dtype=np.int64)


def _variance(parts: _Parts) -> Floats:
    """Return the variance of each count: by chance, and from differences between posts."""
    surplus = parts.count - parts.expected
    square = float((parts.expected**2).sum())
    own = max(float((surplus**2 - parts.expected).sum()) / square, 0.0) if square else 0.0
    return parts.expected + own * parts.expected**2


def _evidence(parts: _Parts, variance: Floats) -> tuple[Floats, Floats]:
    """Return each part's score times its weight, and the squared weight.

    Scores are standard errors, clipped at two, so that a single outlier is no evidence for
    its hour.
    """
    spread = np.sqrt(variance)
    varies = spread > 0
    spread = np.where(varies, spread, 1)
    weight = np.where(varies, parts.expected / spread, 0)
    score = np.clip((parts.count - parts.expected) / spread, -_LOUDEST, _LOUDEST)
    whole = weight.sum()
    if whole > 0:
        score -= (weight * score).sum() / whole
    return weight * score, weight**2


def _scores(evidence: tuple[Floats, Floats], cell: NDArray[np.int64], minimum: int) -> Floats:
    """Return each hour's surplus in standard errors; -inf if it has too few posts."""
    surplus, square = (np.bincount(cell, values, minlength=WEEK) for values in evidence)
    enough = (np.bincount(cell, minlength=WEEK) >= max(minimum, 1)) & (square > 0)
    return np.where(enough, surplus / np.sqrt(np.where(enough, square, 1)), -np.inf)


def _shrunk(parts: _Parts, variance: Floats) -> Floats:
    """Shrink each hour's rate towards the overall rate (DerSimonian and Laird, 1986)."""
    expected, count, spread = (
        np.bincount(parts.cell, values, minlength=WEEK)
        for values in (parts.expected, parts.count, variance)
    )
    there = (expected > 0) & (spread > 0)
    above = np.where(there, count / np.where(there, expected, 1) - 1, 0.0)
    error = np.where(there, spread / np.where(there, expected, 1) ** 2, np.inf)
    weight = 1 / error
    lever = weight.sum() - (weight**2).sum() / weight.sum() if there.any() else 0.0
    excess = float((weight * above**2).sum()) - (there.sum() - 1)
    between = max(excess / lever, 0.0) if lever > 0 else 0.0
    return parts.overall * (1 + above * between / (between + error))


def _verdicts(
    number: NDArray[np.int64], chance: Floats, surplus: Floats, shrunk: Floats, level: float
) -> Any:
    names = list(VERDICTS)
    better = (np.nan_to_num(chance, nan=1.0) <= level + _ROUNDING) & (surplus > 0)
    code = np.where(better, names.index("better"), names.index("not enough evidence"))
    code[number == 0] = names.index("no posts")
    if better.any():
        code[np.argmax(np.where(better, shrunk, -np.inf))] = names.index("best")
    return pd.Categorical.from_codes(code, dtype=pd.CategoricalDtype(pd.Index(names, dtype=TEXT)))
