"""The expected shape of the nested counts: the request, dimension by dimension.

Times are hours since 1970, UTC, as integers.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from engagement_pandas.vocabulary.dimensions import Dimension

MOST_TYPES: Final = 1_000
"""Maximum number of different engagement types; the API has fewer than twenty."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)
_EPOCH_DAY: Final = _EPOCH.toordinal()
_DAY: Final = 24  # hours


def days_since_1970(day: date) -> int:
    """Return the number of days from 1970-01-01 to a day.

    >>> days_since_1970(date(1970, 1, 2))
    1
    """
    return day.toordinal() - _EPOCH_DAY


@dataclass(frozen=True, slots=True)
class HourRange:
    """Hours from ``start`` up to but not including ``end``; hours since 1970, UTC."""

    start: int
    end: int

    @classmethod
    def covering(cls, start: datetime, end: datetime) -> HourRange:
        """Return the complete hours that cover two aware datetimes, as the API does.

        >>> HourRange.covering(_EPOCH, _EPOCH + timedelta(hours=1, minutes=43))
        HourRange(start=0, end=2)
        """
        return cls((start - _EPOCH) // _HOUR, -((_EPOCH - end) // _HOUR))

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """Both ends as aware UTC datetimes."""
        return _EPOCH + self.start * _HOUR, _EPOCH + self.end * _HOUR

    def __str__(self) -> str:
        start, end = self.bounds
        return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"


ALL_TIME: Final = HourRange(-(2**62), 2**62)
"""Longer than any window."""


@dataclass(frozen=True, slots=True)
class ExpectedShape:
    """What the JSON of one grouping is validated against.

    ``name`` is the key of the grouping, for paths, and ``dimensions`` the order of nesting.
    ``posts`` are the requested IDs, ``span`` the requested hours, and ``types`` the requested types
    with whether the answer may lack them; each is None if unknown. The answer itself lists the IDs
    in ``unavailable`` as not counted; with ``none_available`` it lists every post.
    """

    name: str
    dimensions: tuple[Dimension, ...]
    posts: frozenset[str] | None = None
    unavailable: frozenset[str] = frozenset()
    span: HourRange | None = None
    types: Mapping[str, bool] | None = None
    none_available: bool = False

    def counts_all(self, posts: Collection[str]) -> bool:
        """Return whether all these posts were requested, and none is listed as not counted."""
        return (
            self.posts is not None
            and self.posts.issuperset(posts)
            and self.unavailable.isdisjoint(posts)
        )

    def lacks(self, types: Collection[str]) -> list[str]:
        """Return the requested types that are missing, if unrequested ones replace them.

        Additional types are accepted: one documented answer has them.
        """
        if self.types is None or set(types) <= set(self.types):
            return []
        return [name for name, may_lack in self.types.items() if not may_lack and name not in types]

    def touched(self, order: Sequence[Dimension]) -> Container[int] | None:
        """Return the hours that may be counted, since 1970 or of the day; None if all may."""
        if self.span is None or Dimension.HOUR not in order:
            return None
        start, end = self.span.start, self.span.end
        if Dimension.DAY in order:
            return range(start, end) if start % _DAY or end % _DAY else None
        hours = {hour % _DAY for hour in range(max(start, end - _DAY), end)}
        return hours if len(hours) < _DAY else None
