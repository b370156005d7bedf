"""Spans of whole hours, and the buckets into which a grouping puts them.

Moments are hours since 1970, UTC, as integers: a partial day is then nothing special, and
a year of hours is one small array. A *bucket* is what a grouping makes of an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from engagement_pandas.vocabulary import Dimension

Integers = npt.NDArray[np.int64]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)
_EPOCH_DAY: Final = _EPOCH.toordinal()

UNITS: Final = {
    (True, True): "hours",
    (True, False): "days",
    (False, True): "hours of the day",
    (False, False): "counts",
}
"""What the buckets of a grouping are called, by whether it has day and hour."""


def days_since_1970(day: date) -> int:
    """Return the number of a day.

    >>> days_since_1970(date(1970, 1, 2))
    1
    """
    return day.toordinal() - _EPOCH_DAY


@dataclass(frozen=True, slots=True)
class Span:
    """From hour ``start`` up to, without, hour ``end``; hours since 1970, UTC."""

    start: int
    end: int

    @classmethod
    def covering(cls, start: datetime, end: datetime) -> Span:
        """Return the whole hours that cover two aware moments, as the API does.

        >>> Span.covering(_EPOCH, _EPOCH + timedelta(hours=1, minutes=43))
        Span(start=0, end=2)
        """
        return cls((start - _EPOCH) // _HOUR, -((_EPOCH - end) // _HOUR))

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """Both ends as aware UTC datetimes."""
        return _EPOCH + self.start * _HOUR, _EPOCH + self.end * _HOUR

    def __str__(self) -> str:
        start, end = self.bounds
        return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"


def timing(dimensions: Sequence[Dimension]) -> tuple[bool, bool]:
    """Return whether a grouping has day, and whether it has hour."""
    return Dimension.DAY in dimensions, Dimension.HOUR in dimensions


def bucket_of(hours: Integers, dimensions: Sequence[Dimension]) -> Integers:
    """Return the bucket of each hour: the hour, its day, its hour of the day, or 0.

    >>> bucket_of(np.array([0, 25]), [Dimension.ENGAGEMENT_TYPE, Dimension.HOUR]).tolist()
    [0, 1]
    """
    match timing(dimensions):
        case True, True:
            return hours
        case True, False:
            return hours // 24
        case False, True:
            return hours % 24
    return np.zeros_like(hours)


def buckets(
    span: Span | None, dimensions: Sequence[Dimension], since: int | None = None
) -> Integers | None:
    """Return the sorted buckets that a span has; None where that cannot be known.

    With ``since``, only those with an hour from ``since`` on.

    >>> buckets(Span(23, 26), [Dimension.ENGAGEMENT_TYPE, Dimension.DAY]).tolist()
    [0, 1]
    """
    if span is None:
        return None if any(timing(dimensions)) else np.zeros(1, np.int64)
    start = span.start if since is None else max(span.start, since)
    if Dimension.DAY not in dimensions:
        start = max(start, span.end - 24)  # a day has every hour
    hours = np.arange(start, span.end, dtype=np.int64)
    return hours if all(timing(dimensions)) else np.unique(bucket_of(hours, dimensions))
