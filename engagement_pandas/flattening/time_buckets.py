"""Ranges of complete hours, and the time buckets of a grouping.

Times are integers, in hours since 1970, UTC: partial days need no special case, and a year
of hours is one small array. A *bucket* is the time key to which a grouping maps an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from engagement_pandas.response.nested_counts.expected_shape import HourRange
from engagement_pandas.vocabulary.dimensions import Dimension

Integers = npt.NDArray[np.int64]

UNITS: Final = {
    (True, True): "hours",
    (True, False): "days",
    (False, True): "hours of the day",
    (False, False): "counts",
}
"""Names of the buckets of a grouping, by whether it has day and hour."""


def time_dimensions(dimensions: Sequence[Dimension]) -> tuple[bool, bool]:
    """Return whether a grouping has days, and whether it has hours."""
    return Dimension.DAY in dimensions, Dimension.HOUR in dimensions


def bucket_of(hours: Integers, dimensions: Sequence[Dimension]) -> Integers:
    """Return the bucket of each hour: the hour, its day, its hour of the day, or 0.

    >>> bucket_of(np.array([0, 25]), [Dimension.ENGAGEMENT_TYPE, Dimension.HOUR]).tolist()
    [0, 1]
    """
    match time_dimensions(dimensions):
        case True, True:
            return hours
        case True, False:
            return hours // 24
        case False, True:
            return hours % 24
    return np.zeros_like(hours)


def buckets(
    span: HourRange | None, dimensions: Sequence[Dimension], since: int | None = None
) -> Integers | None:
    """Return the sorted buckets in a range of hours; None if they cannot be known.

    With ``since``, only buckets with an hour from ``since`` on.

    >>> buckets(HourRange(23, 26), [Dimension.ENGAGEMENT_TYPE, Dimension.DAY]).tolist()
    [0, 1]
    """
    if span is None:
        return None if any(time_dimensions(dimensions)) else np.zeros(1, np.int64)
    start = span.start if since is None else max(span.start, since)
    if Dimension.DAY not in dimensions:
        start = max(start, span.end - 24)  # a day has every hour
    hours = np.arange(start, span.end, dtype=np.int64)
    return hours if all(time_dimensions(dimensions)) else np.unique(bucket_of(hours, dimensions))
