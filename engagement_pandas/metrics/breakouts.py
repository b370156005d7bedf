"""Hours and posts that stand out of their baseline, and shifts of an account's level."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.frame.number_checks import is_number
from engagement_pandas.metrics.checks import need_columns
from engagement_pandas.metrics.coverage import HOUR_US, need_edges
from engagement_pandas.metrics.cumulative import PostSeries, post_series
from engagement_pandas.metrics.interpolation import Floats, interpolate_counts
from engagement_pandas.metrics.intervals import CONFIDENCE, z_of
from engagement_pandas.metrics.outliers import LEAST, beyond_tail, is_heavy_tailed, level_shift
from engagement_pandas.metrics.time_zones import zone_of

AT: Final = 24.0
"""Hours: most of a post's counts come within a day."""

WHAT: Final = {"hour": 0.4, "post": 0.4, "shift": 0.2}
"""What is looked for, with its share of the error rate."""

_BEFORE: Final = 3
"""Hours before each hour that predict it."""

_EXPECTED: Final = 10
"""With fewer counts expected, an hour is not tested."""

_NORMAL: Final = 0.455
"""Median of the square of a standard normal variable."""

_LEAST_VARIANCE: Final = 1e-4

_POWER: Final = 1.5
"""Distances of logarithms have an exponential tail to this power: between Pareto's, of which it
is 1, and the lognormal distribution's, of which it is 2."""

_COLUMNS: Final[dict[str, Any]] = {
    "what": pd.CategoricalDtype(pd.Index(list(WHAT), dtype=TEXT)),
    "count": "Float64",
    "expected": "Float64",
    "ratio": "Float64",
    "p": "Float64",
    "post_id": TEXT,
    "share": "Float64",
    "heavy_tail": "boolean",
}
_DAY: Final = 24


def breakouts(
    counts: pd.DataFrame,
    *,
    at: float = AT,
    tz: str | tzinfo = "UTC",
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Return hours and posts of an account that stand out, and a shift of its level.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts by hour with ``post_id``, of one account.
    at : float
        Age in hours at which posts are compared.
    tz : str or tzinfo
        Time zone of the hours of the day.
    confidence : float
        If nothing is out of the ordinary, the share of analyses of a type that name nothing.

    Returns
    -------
    DataFrame
        One row per breakout, by type and time; none if nothing stands out.
        ``engagement_type``; ``what`` (category: *hour*, *post* or *shift*); ``start``
        (``datetime64[us, tz]``: of the hour, of the post, or of the first post after the
        shift); ``count`` and ``expected`` (``Float64``: of an hour, the counts of posts that
        were three hours old and with enough counts to be predicted, and what was predicted; of a
        post, its count at the age, and the median; of a shift, the count of a typical post at
        that age after and before it); ``ratio`` (``Float64``, of the two); ``p``
        (``Float64``, the probability of such a one without any breakout); ``post_id``
        (``str``: the post with most of the excess, the post itself, or the first after the
        shift); ``share`` (``Float64``, its share of the excess of the hour; ``<NA>`` of other
        rows); ``heavy_tail`` (``boolean``; ``<NA>`` unless of a post: whether the sizes of all
        posts have so long an upper tail that posts are named more often than promised).

    Raises
    ------
    FrameError
        As :func:`cumulative`; if counts are not by hour, or do not state which window they
        cover; for an invalid number.

    See Also
    --------
    compare : whether two periods that were chosen beforehand differ
    concentration : how much of the counts the top posts have

    Notes
    -----
    Three questions share the error rate. *Hours*: each post's last three hours and its age
    predict its next hour. The mean of the posts' ratios to what was predicted, weighted by
    their precision, is compared with that of the same hour on other days, and the largest of
    these with the tail of the others. An hour with fewer than 10 expected counts is not
    tested. *Posts*: the largest logarithms of counts, as distances from the median to the
    power of 1.5, are compared with the tail of the others: between a lognormal tail and
    Pareto's, for which it names a little more than promised; ``heavy_tail`` says so. This
    needs 20 posts. *Shift*: the rank test of Pettitt (*Applied Statistics* 28, 1979) on posts
    in order of creation. See :mod:`engagement_pandas.metrics.outliers`.

    Do not use it for several accounts together, nor to judge a campaign whose dates are
    known: :func:`compare` finds smaller differences. A slow rise within a day is not found. A
    shift may also be a trend, or two shifts.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> def post(number, size):
    ...     days = {f"2026-03-{day:02d}": {f"{hour:02d}": str(size) for hour in range(24)}
    ...             for day in (1, 2)}
    ...     return {str(2027900000000000000 + number): {"impressions": days}}
    >>> sizes = [*(10 + 17 * n % 40 for n in range(40)), 20_000]
    >>> counts = ep.flatten_json({"start": "2026-03-01T00:00:00Z", "end": "2026-03-03T00:00:00Z",
    ...     "g": {k: v for n, size in enumerate(sizes) for k, v in post(n, size).items()}})
    >>> breakouts(counts)[["what", "post_id"]].values.tolist()
    [['post', '2027900000000000040']]
    """
    counts = as_counts(counts)
    need_columns(counts, "post_id", "day", "hour")
    zone = zone_of(tz)
    if not is_number(at) or not 0 < at < np.inf:
        msg = f"at is {at!r}; give an age in hours, such as {AT:g}"
        raise FrameError(msg)
    z_of(confidence)
    series = post_series(counts)
    need_edges(counts, "breakouts()")
    reached = interpolate_counts(series, np.full(len(series.post), float(at)))
    tables = []
    for code in np.unique(series.type):
        found = pd.concat(
            [_hours(series, code, zone), *_posts(series, reached, code)], ignore_index=True
        )
        share = found["what"].map(WHAT).astype("float64")
        beyond = found[found["p"] <= (1 - confidence) * share]
        tables.append(beyond.assign(engagement_type=code).sort_values("start"))
    found = pd.concat(tables, ignore_index=True) if tables else _rows()
    return _typed(found, series, zone)


def _hours(series: PostSeries, code: np.int64, zone: tzinfo) -> pd.DataFrame:
    """Return the hours of a type, with p-values."""
    cells = _predicted(series, code)
    hour, place = np.unique(series.start[cells.rows], return_inverse=True)
    expected = np.bincount(place, cells.expected)
    tested = np.flatnonzero(expected >= _EXPECTED)
    if len(tested) < LEAST:
        return _rows()
    local = pd.DatetimeIndex((hour * HOUR_US).view("datetime64[us]"), tz="UTC").tz_convert(zone)
    weight = 1 / cells.variance(local.hour.to_numpy()[place])
    weights = np.bincount(place, weight)
    # The mean of the posts' ratios, with inverse variances as weights.
    ratio = np.bincount(place, weight * cells.count / cells.expected) / weights
    log = np.log(ratio[tested] + 0.5 / expected[tested])
    usual = pd.Series(log).groupby(local.hour[tested]).transform("median").to_numpy()
    p, own = np.ones(len(hour)), np.ones(len(hour))
    p[tested] = beyond_tail((log - usual) * np.sqrt(weights[tested]))
    own[tested] = np.exp(usual)
    excess = np.maximum(cells.count - cells.expected * own[place], 0)
    in_all = np.bincount(place, excess)
    largest = pd.Series(excess).groupby(place).idxmax().to_numpy()
    return _rows(
        what="hour",
        start=hour.astype(np.float64),
        count=np.bincount(place, cells.count),
        expected=expected * own,
        p=p,
        post=series.post[series.owner[cells.rows[largest]]],
        share=np.divide(excess[largest], in_all, out=np.full(len(hour), np.nan), where=in_all > 0),
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """Hours of posts, and what the three hours before them predict.

    ``rows`` are those of the series, ``age`` groups of similar ages, ``count`` and ``expected``
    counts, and ``poisson`` the variance of their ratio if counts were Poisson's.
    """

    rows: NDArray[np.int64]
    age: Floats
    count: Floats
    expected: Floats
    poisson: Floats

    def variance(self, hour_of_day: NDArray[np.int64]) -> Floats:
        """Return the variance of each ratio: of readers who engage again, and between posts."""
        log = np.log((self.count + 0.5) / (self.expected + 0.5))
        square = (log - _weighted_median(hour_of_day, log, 1 / self.poisson)) ** 2 / _NORMAL
        few = self.expected < np.quantile(self.expected, 0.5)
        few |= self.expected == self.expected.min()  # of numbers that are alike, none is below
        again = max(float(np.median(square[few] / self.poisson[few])), 1.0)
        between = pd.Series(square - again * self.poisson).groupby(self.age).transform("median")
        variance: Floats = again * self.poisson + np.maximum(between.to_numpy(), _LEAST_VARIANCE)
        return variance


def _predicted(series: PostSeries, code: np.int64) -> _Cells:
    """Return the hours of a type with three known hours before them."""
    number = series.number.astype(np.float64)
    known = ~series.unknown & ~((series.start >= series.cover.until) & series.cover.known)
    usable = known & (series.type[series.owner] == code) & (series.young() > _BEFORE)
    before = np.zeros(len(number))
    for step in range(1, _BEFORE + 1):
        same = np.zeros(len(number), dtype=np.bool_)
        same[step:] = (series.owner[step:] == series.owner[:-step]) & (
            series.start[step:] - series.start[:-step] == step
        )
        usable &= same & np.roll(known, step)
        before += np.roll(number, step)
    usable &= before > 0
    age = np.floor(4 * np.log2(np.maximum(np.floor(series.young()), 1)))
    rows = np.flatnonzero(usable)
    ratio = np.zeros(len(number))
    ratio[rows] = _weighted_median(age[rows], number[rows] / before[rows], before[rows])
    rows = np.flatnonzero(usable & (ratio > 0))
    expected = before[rows] * ratio[rows]
    count = np.maximum(number[rows], 0)
    return _Cells(rows, age[rows], count, expected, 1 / expected + 1 / before[rows])


def _weighted_median(group: NDArray[Any], values: Floats, weights: Floats) -> Floats:
    """Return, for each value, the weighted median of its group.

    >>> _weighted_median(np.zeros(3), np.array([1.0, 2, 9]), np.array([1.0, 5, 1])).tolist()
    [2.0, 2.0, 2.0]
    """
    frame = pd.DataFrame({"group": group, "value": values, "weight": weights})
    frame = frame.sort_values(["group", "value"])
    grouped = frame.groupby("group")["weight"]
    middle = frame[grouped.cumsum() >= grouped.transform("sum") / 2]
    of_group = middle.groupby("group")["value"].first()
    found: Floats = of_group.reindex(group).to_numpy(dtype=np.float64)
    return found


def _posts(series: PostSeries, reached: Floats, code: np.int64) -> list[pd.DataFrame]:
    """Return the posts of a type, and its shift, with p-values."""
    known = np.flatnonzero((series.type == code) & ~np.isnan(reached))
    known = known[np.argsort(series.born[known], kind="stable")]
    count = np.maximum(reached[known], 0)
    if len(known) < LEAST:
        return []
    logs = np.log1p(count)
    middle = np.full(len(known), np.median(count))
    born, post = series.born[known], series.post[known]
    distance = np.maximum(logs - np.median(logs), 0) ** _POWER
    posts = _rows(
        what="post", start=born, count=count, expected=middle, p=beyond_tail(distance), post=post,
        heavy_tail=float(is_heavy_tailed(logs)),
    )  # fmt: skip
    place, p = level_shift(logs)
    place = min(place, len(known) - 1)
    typical = [np.expm1(part.mean()) for part in (logs[place:], logs[:place])]
    return [
        posts,
        _rows(
            what="shift", start=born[[place]], count=typical[:1], expected=typical[1:], p=p,
            post=post[[place]],
        ),
    ]  # fmt: skip


def _rows(**columns: object) -> pd.DataFrame:
    """Return rows with hours since 1970 and the numbers of posts."""
    names = ["what", "start", "count", "expected", "p", "post", "share", "heavy_tail"]
    given = {name: columns.get(name, np.nan) for name in names} if columns else {}
    frame = pd.DataFrame(given, columns=names)
    return frame.astype({"what": TEXT} | dict.fromkeys(names[1:], "float64"))


def _typed(found: pd.DataFrame, series: PostSeries, zone: tzinfo) -> pd.DataFrame:
    """Return the frame with the dtypes of the docstring."""
    if "engagement_type" not in found:
        found = found.assign(engagement_type=[])
    moments = (found["start"] * HOUR_US).round().astype("int64").to_numpy()
    start = pd.DatetimeIndex(moments.view("datetime64[us]"), tz="UTC").tz_convert(zone)
    ratio = found["count"] / found["expected"]
    posts = series.posts.take(found["post"].astype("int64").to_numpy())
    frame = found.assign(
        start=start.as_unit("us"),
        ratio=ratio.replace(np.inf, np.nan).to_numpy(),
        post_id=posts.to_numpy(),
        engagement_type=pd.Categorical.from_codes(
            found["engagement_type"].astype("int64"), dtype=series.types
        ),
    )
    return frame[["engagement_type", "what", "start", *list(_COLUMNS)[1:]]].astype(_COLUMNS)
