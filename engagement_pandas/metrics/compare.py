"""Compare sets of posts at the same age, by the typical post, the mean post, or a rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.frame.number_checks import is_number, whole_number
from engagement_pandas.metrics.checks import filter_types, keys, known_type, require_columns
from engagement_pandas.metrics.comparison_text import OTHERS, finding
from engagement_pandas.metrics.compatibility import check_comparable
from engagement_pandas.metrics.coverage import need_edges
from engagement_pandas.metrics.cumulative import post_series
from engagement_pandas.metrics.engagement_rate import engagement_rate
from engagement_pandas.metrics.interpolation import Floats, interpolate_counts
from engagement_pandas.metrics.intervals import CONFIDENCE, z_of
from engagement_pandas.metrics.post_columns import look_up
from engagement_pandas.metrics.resampling import MINIMUM, Sample, StudentisedTest
from engagement_pandas.metrics.sum_by_post import sum_by_post
from engagement_pandas.metrics.top_posts import RATE

AT: Final = 24.0
"""Hours: one day."""

DRAWS: Final = 1999

STATISTICS: Final = ("typical", "mean")
"""What is compared of counts: the typical post, on the log scale, or the mean post."""

POWER: Final = 0.8
"""Share of comparisons that find a difference of the size in ``detectable``."""

_LEVENE: Final = 0.05
_SIDES: Final = 2
_ROUNDING: Final = 1e-12


def compare(  # noqa: PLR0913  each has a default
    a: pd.DataFrame,
    b: pd.DataFrame | None = None,
    *,
    by: str = RATE,
    of: str = RATE,
    at: float | None = AT,
    statistic: str | None = None,
    numerator: str = "engagements",
    denominator: str = "impressions",
    names: tuple[str, str] = ("a", "b"),
    posts: pd.DataFrame | None = None,
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare two sets of posts at the same age, or each value of a column with the rest.

    Parameters
    ----------
    a, b : DataFrame
        Tidy counts with ``post_id`` and ``day``, preferably by hour; no post in both.
        Without ``b``, the posts of ``a`` are divided by the column ``by``.
    by : str
        With two frames, what is compared: ``"rate"`` or an engagement type. With one
        frame, a column of it or of ``posts``, such as ``"handle"``, with one value for each
        post: two values are compared with each other, and each of more values with all other
        posts.
    of : str
        With one frame, what is compared: ``"rate"`` or an engagement type.
    at : float or None
        Hours since each post was created. None uses all counts regardless of the posts'
        ages: for counts without a day, and at your own risk.
    statistic : {"typical", "mean"}, optional
        Of counts. ``"typical"``, the default, is the geometric mean of 1 + count, less 1,
        and the comparison is a ratio. ``"mean"`` is the mean count per post, and the
        comparison is a difference. A rate is always a ratio of sums, and the comparison is
        a difference.
    numerator, denominator : str
        Engagement types of the rate.
    names : pair of str
        Display names of two frames, for ``finding``.
    posts : DataFrame, optional
        Frame with ``post_id`` and the columns of ``by`` that one frame lacks, such as ``kind``
        or ``handle`` of :func:`read_posts`.
    confidence : float
        Of the interval: the share of comparisons without a difference that find none.
    draws, seed : int
        Of the bootstrap and permutations; the same counts and seed give the same interval.

    Returns
    -------
    DataFrame
        One row, or one for each value of the column if there are more than two. ``group``
        and ``against`` (``str``, the two sets); ``by`` (``str``, what is compared);
        ``statistic`` (``str``: *typical*, *mean* or *rate*); ``at`` (``Float64``, hours);
        ``a`` and ``b`` (``Float64``: the typical or mean count per post, or the rate);
        ``difference`` (``Float64``, a minus b); ``ratio`` (``Float64``, a over b; of
        typical posts, with 1 added to each count); ``low``, ``high`` (``Float64``, the
        interval of the ratio of typical posts, and else of the difference); ``p``
        (``Float64``); ``differs`` (``boolean``); ``detectable`` (``Float64``: the ratio, or
        the difference, that 80 % of such comparisons find); ``unequal_spread``
        (``boolean``: the logarithms of the two sets spread differently, by Levene's test,
        so that a comparison of means or rates cannot be trusted); ``finding`` (``str``,
        the answer in words); ``n_a``, ``n_b`` (``int64``, posts); ``left_out_a``,
        ``left_out_b`` (``int64``: posts that are too young, or not known from creation to
        that age). No interval if a set has fewer than 5 posts.

        With more than two values, ``p`` is corrected by Holm's method, ``differs`` states
        whether it is at most 1 - ``confidence``, and the intervals are those of Holm's steps,
        so that they agree with it.

    Raises
    ------
    FrameError
        If a post is in two sets; if the endpoints count differently; if ``at`` is given
        and counts have no day, or do not state which window they cover; for an unknown
        type, column or statistic, or an invalid number.

    See Also
    --------
    power : the difference that so many posts can show, and how many posts it takes

    Notes
    -----
    Counts of posts are heavily skewed. A comparison of means asks about the few largest
    posts: with 20 posts in each set, means 4 times apart are found in about 57 % of cases,
    and one viral post hides the difference. A comparison of typical posts, on the
    logarithmic scale, finds it in 99 %.

    The interval is the symmetric bootstrap-t (Hall, *Annals of Statistics* 16, 1988): posts
    are resampled within each set, and each draw's difference is divided by its own standard
    error. If one set has far fewer posts, that interval is too short. Therefore posts are
    also reassigned to the two sets at random, a studentised permutation test (Janssen,
    *Statistics & Probability Letters* 36, 1997), and the wider of both is returned.

    If there is no difference, at most 5 % of comparisons find one. This does not hold for
    means and rates of two sets that are skewed differently: up to 15 % with 20 posts in each
    set, or 22 % if one is very skewed. No nonparametric method repairs that;
    ``unequal_spread`` reports it (Brown and Forsythe, *JASA* 69, 1974).

    Holm: *Scandinavian Journal of Statistics* 6, 1979.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> def posts(first, size):
    ...     bodies = {str(first + n): {"impressions": str(size + 9 * n)} for n in range(6)}
    ...     return ep.flatten_json({"g": bodies})
    >>> result = compare(posts(100, 500), posts(200, 200), by="impressions", at=None)
    >>> result[["a", "b", "ratio", "differs"]].round(2).values.tolist()
    [[522.27, 221.97, 2.35, True]]
    >>> print(result["finding"].item())
    a typical post of a gets 2.3 times as much as one of b, 2.1 to 2.6
    """
    a = as_counts(a)
    b = b if b is None else as_counts(b)
    pairs = pairs_of(a, b, by, names, posts)
    measure = str(by) if b is not None else str(of)
    types = types_of(pairs[0].frames[0], measure, numerator, denominator)
    statistic = statistic_of(measure, statistic)
    check_comparable(*pairs[0].frames, types)
    z_of(confidence)
    whole_number(seed, "seed", 0)
    if whole_number(draws, "draws", 1) * (1 - confidence) < len(pairs):
        msg = f"draws is {draws!r}; {len(pairs)} comparison(s) at a confidence of {confidence} "
        raise FrameError(f"{msg}need at least {int(len(pairs) / (1 - confidence)) + 1}")
    sides = [[measured(counts, types, at) for counts in pair.frames] for pair in pairs]
    tests = [
        StudentisedTest.of([on_scale(s, statistic) for s in two], draws, seed) for two in sides
    ]
    p = np.array([test.p(confidence) for test in tests])
    steps = holm_steps(p, 1 - confidence)
    frame = pd.DataFrame(
        {
            "group": pd.Series([pair.names[0] for pair in pairs], dtype=TEXT),
            "against": pd.Series([pair.names[1] for pair in pairs], dtype=TEXT),
            "by": pd.Series([RATE if measure == RATE else types[0]] * len(pairs), dtype=TEXT),
            "statistic": pd.Series([statistic] * len(pairs), dtype=TEXT),
            "at": np.nan if at is None else at,
        }
    )
    results = [
        _estimates(two, test, statistic, 1 - (1 - confidence) / step)
        for two, test, step in zip(sides, tests, steps, strict=True)
    ]
    numbers = pd.DataFrame(results, dtype="Float64")
    frame = frame.astype({"at": "Float64"}).join(numbers)
    frame["p"] = pd.array(holm(p), dtype="Float64")
    # A p-value is a multiple of 1 / (1 + draws); rounding must not decide.
    frame["differs"] = frame["p"] <= 1 - confidence + _ROUNDING
    frame["detectable"] = frame.pop("detectable")
    frame["unequal_spread"] = pd.array([unequal_spread(two, statistic) for two in sides], "boolean")
    words = [finding(row) for _, row in frame.iterrows()]
    frame["finding"] = pd.Series(words, dtype=TEXT)
    for place, name in enumerate("ab"):
        known = [len(two[place].count) for two in sides]
        every = [pair.frames[place]["post_id"].nunique() for pair in pairs]
        frame[f"n_{name}"] = np.array(known, dtype="int64")
        frame[f"left_out_{name}"] = np.array(every, dtype="int64") - frame[f"n_{name}"]
    return frame


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sets of posts, with their names."""

    frames: tuple[pd.DataFrame, pd.DataFrame]
    names: tuple[str, str]


def pairs_of(
    a: pd.DataFrame,
    b: pd.DataFrame | None,
    by: str,
    names: tuple[str, str],
    posts: pd.DataFrame | None = None,
) -> list[Pair]:
    """Return the two frames, or the parts of one frame to be compared with each other."""
    require_columns(a, "post_id")
    if isinstance(names, str) or len(names) != _SIDES or not all(isinstance(n, str) for n in names):
        msg = f"names is {names!r}; give two texts, one for each set of posts"
        raise FrameError(msg)
    if b is not None:
        require_columns(b, "post_id")
        shared = pd.Index(a["post_id"].unique()).intersection(pd.Index(b["post_id"].unique()))
        if len(shared):
            msg = f"post {shared[0]} is in both sets ({len(shared)} are); "
            raise FrameError(f"{msg}put each post into one of them")
        return [Pair((a, b), names)]
    return list(_parts(look_up(a, by, posts), by))


def _parts(counts: pd.DataFrame, by: str) -> Iterator[Pair]:
    """Yield the sets of posts that the values of a column make, and those to compare with."""
    if not isinstance(by, str) or by not in counts.columns:
        msg = (
            f"by is {by!r}, and there is one frame; name a column with a value for each post, of "
            "the counts or of posts=…, or give a second frame"
        )
        raise FrameError(msg)
    (name,) = keys(counts, by)
    values = counts[["post_id", name]].dropna().drop_duplicates()
    twice = values["post_id"].duplicated()
    if twice.any():
        post = values.loc[twice, "post_id"].iloc[0]
        msg = f"post {post} has two values of {name!r}; compare() needs one for each post"
        raise FrameError(msg)
    groups = sorted(values[name].unique(), key=str)
    if len(groups) < _SIDES:
        msg = f"{name!r} has {len(groups)} value(s); a comparison needs two"
        raise FrameError(msg)
    known = counts[name].notna()
    for group in groups[: 1 if len(groups) == _SIDES else None]:
        inside = (counts[name] == group).fillna(value=False)
        rest = str(groups[1]) if len(groups) == _SIDES else OTHERS
        yield Pair((counts[inside], counts[known & ~inside]), (str(group), rest))


def types_of(counts: pd.DataFrame, measure: str, numerator: str, denominator: str) -> list[str]:
    """Return the engagement types that a measure needs."""
    wanted = [numerator, denominator] if measure == RATE else [measure]
    return [known_type(counts, name) for name in wanted]


def statistic_of(measure: str, statistic: str | None) -> str:
    """Return what is compared: *typical*, *mean* or *rate*."""
    if statistic is not None and statistic not in STATISTICS:
        msg = f"statistic is {statistic!r}; choose one of {list(STATISTICS)}"
        raise FrameError(msg)
    if measure != RATE:
        return statistic or STATISTICS[0]
    if statistic == "typical":
        msg = "statistic is 'typical'; a rate is a ratio of sums: leave it out, or compare counts"
        raise FrameError(msg)
    return RATE


def _estimates(
    sides: list[Sample], test: StudentisedTest, statistic: str, confidence: float
) -> dict[str, float]:
    """Return both statistics, difference and ratio, the interval, and what could be found."""
    estimates = [on_scale(side, statistic).ratio for side in sides]
    reach = test.half_width(confidence)
    # Of z_of(), which is two-sided: the quantile of the power.
    detectable = reach + z_of(2 * POWER - 1) * test.error
    ends = np.array([test.difference - reach, test.difference + reach])
    if statistic == "typical":
        a, b = np.expm1(estimates)
        ratio, ends, detectable = np.exp(test.difference), np.exp(ends), np.exp(detectable)
    else:
        a, b = estimates
        ratio = a / b if b else np.nan
    return {
        "a": a, "b": b, "difference": a - b, "ratio": ratio, "low": ends[0], "high": ends[1],
        "detectable": detectable,
    }  # fmt: skip


def on_scale(side: Sample, statistic: str) -> Sample:
    """Return the posts on the scale of the comparison: logarithms for the typical post."""
    return (
        Sample(np.log1p(np.maximum(side.count, 0)), side.exposure)
        if statistic == "typical"
        else side
    )


def unequal_spread(sides: list[Sample], statistic: str) -> bool | None:
    """Return whether the logarithms of two sets spread differently (Brown and Forsythe).

    Levene's test with the median as centre, at 5 %. None if there are too few posts.
    """
    from scipy.special import fdtrc  # noqa: PLC0415 - takes as long to import as pandas

    if min(len(side.count) for side in sides) < MINIMUM:
        return None
    half = 0.5 if statistic == RATE else 1.0
    logs = [np.log(np.maximum(side.count, 0) + half) - np.log(side.exposure) for side in sides]
    away = [np.abs(values - np.median(values)) for values in logs]
    number = np.array([len(values) for values in away])
    means = np.array([values.mean() for values in away])
    between = float((number * (means - np.concatenate(away).mean()) ** 2).sum())
    within = sum(float(((values - values.mean()) ** 2).sum()) for values in away)
    freedom = int(number.sum()) - _SIDES
    if within <= 0:
        return None
    return bool(fdtrc(1, freedom, between / (within / freedom)) < _LEVENE)


def holm(p: Floats) -> Floats:
    """Return p-values corrected for their number by Holm's method; NaN stays NaN.

    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p)
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * _standing(p)[order]), 1)
    return corrected


def _standing(p: Floats) -> Floats:
    """Return how many hypotheses still stand when each p-value is tested, smallest first."""
    rank = np.argsort(np.argsort(p))
    standing: Floats = np.maximum((~np.isnan(p)).sum() - rank, 1).astype("float64")
    return standing


def holm_steps(p: Floats, level: float) -> Floats:
    """Return by how much each comparison's level is divided, so that intervals agree with Holm.

    After the first p-value that is too large, the method stops.

    >>> holm_steps(np.array([0.01, 0.04, 0.03]), 0.05).tolist()
    [3.0, 2.0, 2.0]
    """
    standing, corrected = _standing(p), holm(p)
    stopped = standing[~(corrected <= level + _ROUNDING)]
    steps: Floats = np.maximum(standing, stopped.max(initial=1))
    return steps


def measured(counts: pd.DataFrame, types: list[str], at: float | None) -> Sample:
    """Return count and exposure of each post with both; the exposure is 1 for a count."""
    return sample_of(totals(counts, types, at), types)


def totals(counts: pd.DataFrame, types: list[str], at: float | None) -> pd.DataFrame:
    """Return the counts of each post, by ``post_id``, at an age or in all.

    Posts whose counts are not known are left out.
    """
    table = _totals(counts, types) if at is None else _at_age(counts, types, at)
    return table[table.notna().all(axis="columns")]


def sample_of(table: pd.DataFrame, types: list[str]) -> Sample:
    """Return count and exposure of posts; those without exposure have no rate."""
    count = table[types[0]].to_numpy(dtype="float64")
    if len(types) == 1:
        return Sample(count, np.ones(len(count)))
    exposure = table[types[1]].to_numpy(dtype="float64")
    return Sample(count[exposure > 0], exposure[exposure > 0])


def _totals(counts: pd.DataFrame, types: list[str]) -> pd.DataFrame:
    if len(types) > 1:
        rates = engagement_rate(counts, numerator=types[0], denominator=types[1])
        return rates.loc[rates["rate"].notna()].set_index("post_id")[types]
    return sum_by_post(counts, types).set_index("post_id")[types]


def _at_age(counts: pd.DataFrame, types: list[str], at: float) -> pd.DataFrame:
    if not is_number(at) or not 0 < at < np.inf:
        msg = f"at is {at!r}; give an age in hours, such as 24, or None for all counts"
        raise FrameError(msg)
    series = post_series(filter_types(counts, types))
    need_edges(counts, "compare()")
    table = series.keys().assign(
        count=interpolate_counts(series, np.full(len(series.post), float(at)))
    )
    table["engagement_type"] = table["engagement_type"].astype(TEXT)
    return table.pivot_table("count", "post_id", "engagement_type").reindex(columns=types)
