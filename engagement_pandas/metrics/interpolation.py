"""Interpolate between buckets: counts at an age, and the age at a count.

For counts, the curve through the counts at the ends of the hours is a monotone piecewise cubic
Hermite interpolation (Fritsch and Butland, 1984, with the limits of *PCHIP*): it rises where the
counts rise and never overshoots. A straight line within the hour would place most of a young
post's growth too late, since growth is fastest at first.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engagement_pandas.metrics.cumulative import PostSeries, first_in

Floats = NDArray[np.float64]

_HALF: Final = 0.5
_FLATTEST: Final = 0.1
_STEEPEST: Final = 3.0
_ROUNDING: Final = 1e-6


def interpolate_counts(series: PostSeries, ages: Floats) -> Floats:
    """Return the cumulative counts of each series at an age, in hours, one per series.

    NaN if the series is not known from its beginning up to that age.

    >>> import engagement_pandas as ep
    >>> from engagement_pandas.metrics.cumulative import post_series
    >>> hours = {"00": "0", "01": "60", "02": "60"}
    >>> body = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T03:00:00Z",
    ...         "g": {"2027900000000000000": {"impressions": {"2026-03-01": hours}}}}
    >>> series = post_series(ep.flatten_json(body))
    >>> interpolate_counts(series, series.old(np.array([1]))).tolist()
    [60.0]
    """
    if not len(ages):
        return np.empty(0)
    rows = _buckets_at(series, ages)
    inside = (rows < series.begin[1:]) & (ages > 0)
    rows = np.where(inside, rows, series.begin[:-1])
    curve = _Curve.of(series, rows)
    share = np.clip((ages - series.young(rows)) / curve.width, 0, 1)
    at = np.where(series.complete[rows] & inside, curve.at(share), np.nan)
    return np.where((ages == 0) & series.complete[series.begin[:-1]], 0.0, at)


def interpolate_ages(series: PostSeries, targets: Floats, totals: Floats) -> Floats:
    """Return the age in hours at which each series first reached a count, one per series.

    ``totals`` are the counts of each series that are expected in all. Within an hour,
    -log(1 - share reached) is a power of the age (Weibull's curve, of which exponential growth
    is the case of 1). Most of the counts of a short-lived post are in its first hours, where a
    straight line or a cubic curve is up to 54 % too late.

    NaN if the series never reached the target, if the target is not above 0, or if counts up to
    that age are missing.

    >>> import engagement_pandas as ep
    >>> from engagement_pandas.metrics.cumulative import post_series
    >>> hours = {"19": "60", "20": "30", "21": "10"}
    >>> body = {"start": "2018-11-09T19:00:00Z", "end": "2018-11-09T22:00:00Z",
    ...         "g": {"1060976163948904448": {"impressions": {"2018-11-09": hours}}}}
    >>> series = post_series(ep.flatten_json(body))
    >>> interpolate_ages(series, np.array([60.0]), np.array([100.0])).round(2).tolist()
    [0.61]
    """
    if not len(targets):
        return np.empty(0)
    rows = first_in(series.running >= np.repeat(targets, np.diff(series.begin)), series.begin)
    found = (rows < series.begin[1:]) & (targets > 0)
    rows = np.where(found, rows, series.begin[:-1])
    inner = rows > series.begin[:-1]
    more = rows < series.last
    before, after = np.where(inner, rows - 1, rows), np.where(more, rows + 1, rows)

    def hazard(reached: NDArray[Any]) -> Floats:
        # Half a count is still to come, or the last hour would have no end.
        rest: Floats = np.maximum(totals - reached, 0) + _HALF
        return np.log(np.maximum(totals, 1) + _HALF) - np.log(rest)

    low, high, later = (hazard(series.running[at]) for at in (before, rows, after))
    wanted = hazard(targets)
    with np.errstate(divide="ignore", invalid="ignore"):
        # A power of age, through both ends of the hour. In the first hour it starts at 0, and
        # its exponent is between that of the next hour and 1.
        within = np.log(high / low) / np.log(series.old(rows) / series.old(before))
        onward = np.log(later / high) / np.log(series.old(after) / series.old(rows))
        first = np.sqrt(np.clip(np.where(more, onward, 1.0), _FLATTEST, 1.0))
        power = np.where(inner & (low > 0), within, np.where(inner, np.inf, first))
        age = series.old(rows) * (wanted / high) ** (1 / np.nan_to_num(power, nan=1.0))
        # The hours before had no counts: the growth begins with this one.
        width = series.old(rows) - series.young(rows)
        age = np.where(np.isinf(power), series.young(rows) + wanted / high * width, age)
    age = np.clip(age, series.young(rows), series.old(rows))
    return np.where(found & series.complete[rows], age, np.nan)


def _buckets_at(series: PostSeries, ages: Floats) -> NDArray[np.int64]:
    """Return the bucket of each series in which its post had an age; the next one if there is none.

    Ages at the exact end of a bucket are in it: rounding must not move them beyond it.
    """
    least = np.nan_to_num(ages, nan=np.inf) - _ROUNDING
    low, high = series.begin[:-1].copy(), series.begin[1:].copy()
    while (low < high).any():
        middle = np.minimum((low + high) // 2, len(series.start) - 1)
        before = (np.nan_to_num(series.old(middle), nan=np.inf) < least) & (low < high)
        high = np.where(before, high, np.minimum(middle, high))
        low = np.where(before, middle + 1, low)
    return low


class _Curve:
    """The cubic curve within one bucket of each series."""

    def __init__(
        self, width: Floats, ends: tuple[Floats, Floats], slopes: tuple[Floats, Floats]
    ) -> None:
        self.width = width
        self._ends = ends
        self._slopes = slopes

    @classmethod
    def of(cls, series: PostSeries, rows: NDArray[np.int64]) -> _Curve:
        owner = series.owner[rows]
        has_left, has_right = rows > series.begin[owner], rows < series.last[owner]
        left, right = np.where(has_left, rows - 1, rows), np.where(has_right, rows + 1, rows)
        before, width, after = (series.old(at) - series.young(at) for at in (left, rows, right))
        low = np.where(has_left, series.running[left], 0).astype("float64")
        high = series.running[rows].astype("float64")
        own_left = np.where(left > series.begin[owner], series.running[left - 1], 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            secant = (high - low) / width
            falling = (low - own_left) / before
            rising = (series.running[right] - high) / after
            first = np.where(
                has_left,
                _inner(falling, secant, before, width),
                np.where(has_right, _outer(secant, rising, width, after), secant),
            )
            last = np.where(
                has_right,
                _inner(secant, rising, width, after),
                np.where(has_left, _outer(secant, falling, width, before), secant),
            )
        return cls(width, (low, high), (first * width, last * width))

    def at(self, share: Floats) -> Floats:
        """Return the value of the curve at a share of the bucket's width."""
        (low, high), (first, last) = self._ends, self._slopes
        rest = 1 - share
        return (
            low * (1 + 2 * share) * rest**2
            + first * share * rest**2
            + high * share**2 * (3 - 2 * share)
            - last * share**2 * rest
        )


def _inner(left: Floats, right: Floats, before: Floats, after: Floats) -> Floats:
    """Return the slope at a knot with a bucket on each side: a weighted harmonic mean."""
    weight_before, weight_after = before + 2 * after, 2 * before + after
    mean = (weight_before + weight_after) / (weight_before / left + weight_after / right)
    return np.where(left * right > 0, mean, 0.0)


def _outer(own: Floats, next_one: Floats, width: Floats, further: Floats) -> Floats:
    """Return the slope at the first or last knot, from three points, within limits."""
    slope = ((2 * width + further) * own - width * next_one) / (width + further)
    slope = np.where(slope * own > 0, slope, 0.0)
    turning = own * next_one <= 0
    return np.where(turning & (np.abs(slope) > _STEEPEST * np.abs(own)), _STEEPEST * own, slope)
