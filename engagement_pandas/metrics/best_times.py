"""When to post, and when readers respond: by weekday and hour, with a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.frame.number_checks import whole_number
from engagement_pandas.metrics.age import made_hour
from engagement_pandas.metrics.checks import counted_type, require_columns
from engagement_pandas.metrics.compare import AT, totals
from engagement_pandas.metrics.coverage import hours
from engagement_pandas.metrics.engagement_rate import engagement_rate
from engagement_pandas.metrics.group_sums import added
from engagement_pandas.metrics.interpolation import Floats
from engagement_pandas.metrics.intervals import z_of
from engagement_pandas.metrics.permutation_test import (
    HOURS_OF_DAY,
    LEVELS,
    LOUDEST,
    WEEK,
    Evidence,
    LevelResult,
    Places,
    permutation_test,
    scores,
)
from engagement_pandas.metrics.resampling import Sample
from engagement_pandas.metrics.time_zones import local_hours, zone_of
from engagement_pandas.metrics.top_posts import RATE

SURE: Final = 0.99
"""With no effect at all, 1 analysis in 100 still names a time; people plan by the result."""

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DRAWS: Final = 1999
PERIOD: Final = 40
"""Minimum number of threads in a period, within which their hours are permuted."""

MINIMUM: Final = 3
"""Minimum number of threads at a time; a time with fewer is not tested."""

VERDICTS: Final = {
    "best": "the best of the times that are better beyond chance",
    "better": "better than the others beyond chance",
    "not enough evidence": "such a difference may be due to chance",
    "no posts": "no post at that hour of the week",
}

_AGES: Final = (*range(1, 25), 48, 96, np.inf)
"""Hours after the hour of creation at which a post's rate may change."""

_FITS: Final = 10
"""Rounds of iterative proportional fitting (Deming and Stephan, 1940)."""

_ROUNDING: Final = 1e-12
_Permute = Callable[[int, np.random.Generator], Places]


@dataclass(frozen=True, slots=True)
class _Observations:
    """What is tested, and what is shown.

    ``evidence`` are threads, or hours of the period. ``permute`` returns their hours of the week
    in a number of permutations. ``cell``, ``post`` and ``sums`` are the hour of the week, the
    post and the counts of what is shown. ``overall`` is the overall rate or count, and
    ``factor`` turns an effect into a multiple of it.
    """

    evidence: Evidence
    permute: _Permute
    cell: Places
    post: Places
    sums: dict[str, pd.Series]
    overall: float
    factor: Callable[[Floats], Floats]


def best_times(  # noqa: PLR0913  each has a default
    counts: pd.DataFrame,
    *,
    by: str = RATE,
    tz: str | tzinfo = "UTC",
    clock: str = "posting",
    level: str | None = None,
    at: float | None = AT,
    numerator: str = "engagements",
    denominator: str = "impressions",
    minimum: int = MINIMUM,
    confidence: float = SURE,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the engagement rate, or count, by weekday and hour, and which times are better.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id``; by hour if ``clock`` is ``"engagement"``. A column
        ``handle`` distinguishes the threads of several accounts.
    by : str
        ``"rate"``, or an engagement type: counts per post, by the hour of posting.
    tz : str or tzinfo
        Time zone of the weekdays and hours.
    clock : {"posting", "engagement"}
        ``"posting"`` groups by the hour in which a post was *created*: when to post.
        ``"engagement"`` groups by the hour in which readers *responded*: when they engage,
        given that they see the post.
    level : {None, "weekday", "hour of day", "hour of the week"}
        The level at which times are tested. None tests all three together; one level alone
        finds smaller effects, since fewer times are tested.
    at : float or None
        Of counts by an engagement type: the age in hours at which posts are compared; None
        uses all counts. A rate uses all counts.
    numerator, denominator : str
        Engagement types of the rate.
    minimum : int
        Minimum number of threads at a time for a verdict on it; with the clock of engagement,
        of hours of the period, so 3 weeks for the hours of the week.
    confidence : float
        If there is no effect at all, the share of analyses that name no time.
    draws : int
        Number of permutations; more take longer and resolve smaller p-values.
    seed : int
        Seed of the permutations: the same counts and seed give the same result.

    Returns
    -------
    DataFrame
        168 rows: ``weekday`` (category, Monday to Sunday), ``hour`` (``int8``, local);
        ``n`` (``int64``, posts) and ``threads`` (``int64``; with the clock of engagement, hours
        of the period); the sums (``Int64``, or ``Float64`` of counts at an age); ``rate``
        (``Float64``, ratio of sums, or mean count per post); ``shrunk`` (``Float64``, shrunk
        towards the overall rate, or the typical post's count, as far as the differences between
        hours are due to chance, or may be, if no time is better); ``p`` (``Float64``, the
        probability of such a time anywhere in the week, at the tested levels, without any
        effect); ``level`` (category: *weekday*, *hour of day* or *hour of the week*; the level
        at which an effect was found, else ``<NA>``); ``verdict`` (category: *best*, all hours
        of the one best time; *better*; *not enough evidence*; *no posts*).

    Raises
    ------
    FrameError
        For an unknown type, clock, level or time zone; if counts lack a column, or all rows of a
        type; for counts by the clock of engagement, which depend on when the posts were
        created; for an invalid number.

    See Also
    --------
    compare : two sets of posts, such as those before and after noon

    Notes
    -----
    By default, the hours are tested at three levels together: the 7 weekdays, the 24 hours of
    the day, and the 168 hours of the week. Of the levels with an effect beyond chance, the one with
    the strongest evidence is reported, so an effect on every day at 9:00 is not reported as
    one on Mondays at 9:00. The test is in ``metrics/permutation_test.py``.

    Posts of one thread are alike: those of one account (``handle``, if there is such a
    column) in one local hour count as one observation, and are permuted together. Without
    that, threads of four posts name a time without any effect in half of all analyses.

    Rates and counts are compared on the logarithmic scale. Differences between posts are
    estimated from the median deviation, and each thread weighs at most two standard
    deviations.

    With the engagement clock, the counts of all posts in an hour of the period are compared
    with what the posts' own rates and their ages predict, and form one observation: news that
    all posts of an hour share is no effect of that hour of the week. Days are permuted as
    blocks, and each day's hours are rotated together, so that news may last for hours. It
    takes more weeks to find a better weekday than a better hour of the day. If all posts are
    created at the same hour, an effect of the hour looks like one of age, and is not found.

    With the posting clock, threads are compared with others of the same period, of at least 40
    in the order of time, and permuted within it (a stratified permutation test). So a rate and
    a schedule that both change over the months are no effect of the hour.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"2027900000000000000": {"impressions": "900", "engagements": "9"}}}
    >>> times = best_times(ep.flatten_json(body), tz="Europe/Berlin")
    >>> times.loc[times["n"] > 0, ["weekday", "hour", "n", "rate", "verdict"]]
        weekday  hour  n  rate              verdict
    145  Sunday     1  1  0.01  not enough evidence
    """
    counts = as_counts(counts)
    require_columns(counts, "post_id")
    if clock not in _CLOCKS:
        msg = f"clock is {clock!r}; choose one of {list(_CLOCKS)}"
        raise FrameError(msg)
    if level is not None and level not in LEVELS:
        msg = f"level is {level!r}; choose one of {list(LEVELS)}, or None for all of them together"
        raise FrameError(msg)
    z_of(confidence)
    whole_number(seed, "seed", 0)
    least = whole_number(minimum, "minimum", 1)
    if whole_number(draws, "draws", 1) * (1 - confidence) < 1:
        msg = f"draws is {draws!r}; a confidence of {confidence} needs more, such as {DRAWS}"
        raise FrameError(msg)
    rated = str(by) == RATE
    types = [counted_type(counts, name) for name in ([numerator, denominator] if rated else [by])]
    if clock == "engagement" and not rated:
        msg = (
            f"by is {by!r} with the clock of engagement; counts in an hour depend on when the "
            "posts were created: compare rates, or choose clock='posting'"
        )
        raise FrameError(msg)
    found = _CLOCKS[clock](counts, zone_of(tz), types, at)
    rng = np.random.default_rng(seed)
    levels = permutation_test(
        found.evidence,
        lambda rows: found.permute(rows, rng),
        draws,
        least,
        LEVELS if level is None else [level],
    )
    return _table(found, levels, level_of(levels, 1 - confidence), 1 - confidence)


def level_of(levels: dict[str, LevelResult], alpha: float) -> str | None:
    """Return the level with the strongest evidence for a better time; None if there is none."""
    strongest = {
        level: float(result.surplus[_better(result, alpha)].max())
        for level, result in levels.items()
        if _better(result, alpha).any()
    }
    return max(strongest, key=lambda level: strongest[level]) if strongest else None


def _better(result: LevelResult, alpha: float) -> NDArray[np.bool_]:
    """Return the groups that are better beyond chance."""
    return (np.nan_to_num(result.p, nan=1.0) <= alpha + _ROUNDING) & (result.surplus > 0)


def _posting(
    counts: pd.DataFrame, zone: tzinfo, types: list[str], at: float | None
) -> _Observations:
    """Return threads by the hour of the week in which they were created."""
    table = totals(counts, types, None if len(types) > 1 else at)
    made = made_hour(pd.Index(table.index))
    known = ~np.isnan(made)
    if len(types) > 1:
        known &= (table[types[1]] > 0).to_numpy()
    table, made = table[known], made[known]
    cell, local = local_hours(made, zone)
    thread = thread_numbers(counts, table.index, local)
    count = table[types[0]].to_numpy(dtype="float64")
    exposure = np.ones(len(count)) if len(types) == 1 else table[types[1]].to_numpy("float64")
    first = np.unique(thread, return_index=True)[1]
    score, weight, centre = thread_scores(thread, count, exposure if len(types) > 1 else None)
    overall = float(np.expm1(centre)) if len(types) == 1 else Sample(count, exposure).ratio
    return _Observations(
        evidence=Evidence(cell[first], centred(score, weight), weight),
        permute=partial(permuted_threads, cell[first]),
        cell=cell,
        post=np.arange(len(cell)),
        sums={name: table[name] for name in types},
        overall=overall,
        factor=np.exp,
    )


def centred(score: Floats, weight: Floats) -> Floats:
    """Return the scores of threads, in the order of time, less the mean of their period."""
    period = _periods(len(score))
    level = np.bincount(period, weight * score) / np.bincount(period, weight**2)
    return np.asarray(score - weight * level[period])


def permuted_threads(cell: Places, rows: int, rng: np.random.Generator) -> Places:
    """Return hours of the week of threads, in the order of time, permuted within each period.

    A rate and a schedule that both change slowly are no effect of the hour.
    """
    permuted = np.repeat(cell[None, :], rows, axis=0)
    period = _periods(len(cell))
    for number in range(int(period.max(initial=-1)) + 1):
        here = period == number
        permuted[:, here] = rng.permuted(permuted[:, here], axis=1)
    return permuted


def _periods(threads: int) -> Places:
    """Return the period of each thread: equal numbers of threads, at least ``PERIOD`` if possible.

    >>> np.bincount(_periods(99)).tolist()
    [50, 49]
    """
    return np.arange(threads) * max(threads // PERIOD, 1) // max(threads, 1)


def thread_scores(
    thread: Places, count: Floats, exposure: Floats | None
) -> tuple[Floats, Floats, float]:
    """Return score and weight of each thread, and the centre, on the logarithmic scale.

    A thread has the rate of its posts together, or, without exposures, the mean of the
    logarithms of their counts: its typical post.
    """
    number = np.maximum(count, 0)
    if exposure is None:
        posts = np.bincount(thread) if len(thread) else np.zeros(0)
        values = np.bincount(thread, np.log1p(number)) / np.maximum(posts, 1)
        return scores(values, np.zeros(len(values)))
    counted, shown = np.bincount(thread, number), np.bincount(thread, exposure)
    return scores(np.log((counted + 0.5) / shown), 1 / (counted + 0.5))


def _engaging(
    counts: pd.DataFrame, zone: tzinfo, types: list[str], _at: float | None
) -> _Observations:
    """Return the hours of the period, compared with what the posts' own rates predict."""
    require_columns(counts, "post_id", "day", "hour")
    moments, places = np.unique(hours(counts), return_inverse=True)
    rates = engagement_rate(
        counts.assign(_moment=places),
        by=["post_id", "_moment"],
        numerator=types[0],
        denominator=types[1],
    )
    rates = rates[rates["rate"].notna()]
    count, exposure = (rates[name].to_numpy(dtype="float64") for name in types)
    post, posts = pd.factorize(rates["post_id"])
    known, hour = np.unique(rates["_moment"].to_numpy(dtype="int64"), return_inverse=True)
    cell, local = local_hours(moments[known].astype("float64"), zone)
    age = moments[known][hour] - np.floor(made_hour(pd.Index(posts)))[post]
    return _Observations(
        evidence=Evidence(cell, *hour_scores(post, age, hour, count, exposure)),
        permute=partial(permuted_days, cell, local // HOURS_OF_DAY),
        cell=cell[hour],
        post=post,
        sums={name: rates[name] for name in types},
        overall=Sample(count, exposure).ratio,
        factor=lambda effect: np.maximum(1 + effect, 0),
    )


def permuted_days(cell: Places, date: Places, rows: int, rng: np.random.Generator) -> Places:
    """Return hours of the week, with days exchanged and each day's hours rotated.

    The hours of a day stay together and keep their distance: what posts share may last.
    """
    days, day = np.unique(date, return_inverse=True)
    weekday = np.zeros(len(days), dtype=np.int64)
    weekday[day] = cell // HOURS_OF_DAY
    exchanged = rng.permuted(np.broadcast_to(weekday, (rows, len(days))), axis=1)
    turn = rng.integers(HOURS_OF_DAY, size=(rows, len(days)))
    permuted: Places = exchanged[:, day] * HOURS_OF_DAY + (cell + turn[:, day]) % HOURS_OF_DAY
    return permuted


_CLOCKS: Final[
    dict[str, Callable[[pd.DataFrame, tzinfo, list[str], float | None], _Observations]]
] = {"posting": _posting, "engagement": _engaging}


def thread_numbers(counts: pd.DataFrame, posts: pd.Index, local: Places) -> Places:
    """Return the number of each post's thread: posts of one account in one local hour.

    Posts whose ID holds no time (-1) are threads of their own.
    """
    alone = np.where(local < 0, np.arange(len(posts)), -1)
    frame = pd.DataFrame({"hour": local, "alone": alone})
    if "handle" in counts.columns:
        handles = counts.drop_duplicates("post_id").set_index("post_id")["handle"]
        frame["handle"] = handles.reindex(posts.astype(TEXT)).to_numpy()
    number = frame.groupby(list(frame), dropna=False, sort=True).ngroup()
    return np.asarray(number, dtype=np.int64)


def hour_scores(
    post: Places, age: Floats, hour: Places, count: Floats, exposure: Floats
) -> tuple[Floats, Floats]:
    """Return score and weight of each hour of the period, given the rates of its posts.

    A post's rate is its own, times that of its age in hours; both are fitted together. The
    variance is that of chance, plus that of what posts share in an hour (by moments).
    """
    # An age that is not known (NaN) comes after all others.
    factors = post, np.searchsorted(_AGES, age, side="right")
    predicted = exposure
    for factor in factors * _FITS if len(post) else ():
        ratio = np.bincount(factor, count) / np.maximum(np.bincount(factor, predicted), _ROUNDING)
        predicted = predicted * ratio[factor]
    expected = np.asarray(np.bincount(hour, predicted), dtype=np.float64)
    surplus = np.bincount(hour, count) - expected
    square = float((expected**2).sum())
    shared = max(float((surplus**2 - expected).sum()) / square, 0.0) if square else 0.0
    spread = np.sqrt(expected + shared * expected**2)
    varies = spread > 0
    spread = np.where(varies, spread, 1)
    weight = np.where(varies, expected / spread, 0)
    score = np.clip(surplus / spread, -LOUDEST, LOUDEST)
    total = weight.sum()
    if total > 0:
        score -= (weight * score).sum() / total
    return score, weight


def _table(
    found: _Observations, levels: dict[str, LevelResult], level: str | None, alpha: float
) -> pd.DataFrame:
    """Return a row for each hour of the week."""
    week = np.arange(WEEK)
    seen = pd.DataFrame({"cell": found.cell, "post": found.post}).drop_duplicates()
    number = np.bincount(seen["cell"], minlength=WEEK)
    # Without evidence for any level, the finest one is shown, each time with its own p-value.
    shown = list(levels)[-1] if level is None else level
    group, result = LEVELS[shown], levels[shown]
    sums = {name: _added(values, found.cell) for name, values in found.sums.items()}
    per = [values.to_numpy(dtype="float64", na_value=np.nan) for values in sums.values()]
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = per[0] / (per[1] if len(per) > 1 else number)
    effect = result.cautious if level is None else result.effect
    shrunk = found.overall * found.factor(effect[group])
    threads = np.bincount(found.evidence.cell, minlength=WEEK)
    days = pd.CategoricalDtype(pd.Index(DAYS, dtype=TEXT), ordered=True)
    verdict = _verdicts(number, result, group, level, alpha)
    named = np.isin(verdict.codes, [0, 1])
    level_dtype = pd.CategoricalDtype(pd.Index(list(LEVELS), dtype=TEXT))
    code = list(LEVELS).index(shown)
    return pd.DataFrame(
        {
            "weekday": pd.Categorical.from_codes(week // HOURS_OF_DAY, dtype=days),
            "hour": (week % HOURS_OF_DAY).astype("int8"),
            "n": number.astype("int64"),
            "threads": threads.astype("int64"),
            **sums,
            "rate": pd.array(rate, dtype="Float64"),
            "shrunk": pd.array(np.where(number > 0, shrunk, np.nan), dtype="Float64"),
            "p": pd.array(result.p[group], dtype="Float64"),
            "level": pd.Categorical.from_codes(np.where(named, code, -1), dtype=level_dtype),
            "verdict": verdict,
        }
    )


def _added(values: pd.Series, cell: Places) -> pd.Series:
    """Return the sum of each hour of the week; counts at an age are not whole numbers."""
    if pd.api.types.is_integer_dtype(values.dtype):
        return added(values, cell, WEEK)
    sums = np.bincount(cell, values.to_numpy(dtype="float64"), minlength=WEEK)
    there = np.bincount(cell, minlength=WEEK) > 0
    return pd.Series(pd.array(np.where(there, sums, np.nan), dtype="Float64"))


def _verdicts(
    number: NDArray[np.int64], result: LevelResult, group: Places, level: str | None, alpha: float
) -> Any:
    """Return the verdict on each hour of the week."""
    names = list(VERDICTS)
    code = np.full(WEEK, names.index("not enough evidence"))
    if level is not None:
        better = _better(result, alpha)
        best = int(np.argmax(np.where(better, result.effect, -np.inf)))
        code = np.where(better[group], names.index("better"), code)
        code = np.where(group == best, names.index("best"), code)
    unnamed = code == names.index("not enough evidence")
    code = np.where((number == 0) & unnamed, names.index("no posts"), code)
    return pd.Categorical.from_codes(code, dtype=pd.CategoricalDtype(pd.Index(names, dtype=TEXT)))


def best_named(times: pd.DataFrame) -> str:
    """Return the best time in words, at its level, or "not enough evidence".

    >>> import engagement_pandas as ep
    >>> body = {"g": {"2027900000000000000": {"impressions": "900", "engagements": "9"}}}
    >>> best_named(best_times(ep.flatten_json(body)))
    'not enough evidence'
    """
    best = times[times["verdict"] == "best"]
    if not len(best):
        return "not enough evidence"
    day, hour, level = best["weekday"].iloc[0], int(best["hour"].iloc[0]), best["level"].iloc[0]
    span = f"{hour:02d}:00 to {hour + 1:02d}:00"
    return {
        "weekday": f"{day}, at any hour",
        "hour of day": f"{span}, on any day",
        "hour of the week": f"{day} {span}",
    }[str(level)]
