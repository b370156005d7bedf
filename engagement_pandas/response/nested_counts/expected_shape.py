"""The expected shape of the nested counts: the request, dimension by dimension.

Times are hours since 1970, UTC, as integers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from engagement_pandas.request.limits import MAX_ID_DIGITS
from engagement_pandas.text import truncated_repr
from engagement_pandas.vocabulary.dimensions import Dimension

MOST_TYPES: Final = 1_000
"""Maximum number of different engagement types; the API has fewer than twenty."""

DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
HOUR: Final = re.compile(r"[01][0-9]|2[0-3]")
ID: Final = re.compile(rf"[0-9]{{1,{MAX_ID_DIGITS}}}")

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


def post_number(key: str, shape: ExpectedShape) -> int | str:
    """Return 0 for the ID of a post that may be counted, or what is wrong with it."""
    if shape.posts is not None and key in shape.posts and key not in shape.unavailable:
        return 0
    if not ID.fullmatch(key):
        return f"{truncated_repr(key)} is not a post ID"
    if key in shape.unavailable:
        return f"post {key} is listed as unavailable, but it has counts"
    if shape.posts is not None and key not in shape.posts:
        return f"post {key} was not requested"
    return 0


def type_number(key: str, _: ExpectedShape) -> int | str:
    """Return 0 for the name of an engagement type, or what is wrong with it."""
    return 0 if key else "an engagement type has no name"


def day_number(key: str, shape: ExpectedShape) -> int | str:
    """Return the number of days since 1970, or what is wrong with the day."""
    try:
        day = days_since_1970(date.fromisoformat(key)) if DATE.fullmatch(key) else None
    except ValueError:
        day = None
    if day is None:
        return f"{truncated_repr(key)} is not a day (YYYY-MM-DD)"
    span = shape.span
    if span is not None and not span.start // _DAY <= day <= (span.end - 1) // _DAY:
        return f"{key} is not in the window {span}"
    return day


def hour_number(key: str, _: ExpectedShape) -> int | str:
    """Return the hour as an integer, or what is wrong with it."""
    return int(key) if HOUR.fullmatch(key) else f"{truncated_repr(key)} is not an hour (00 to 23)"


KEY_NUMBERS: Final[Mapping[Dimension, Callable[[str, ExpectedShape], int | str]]] = {
    Dimension.POST_ID: post_number,
    Dimension.ENGAGEMENT_TYPE: type_number,
    Dimension.DAY: day_number,
    Dimension.HOUR: hour_number,
}
"""How the keys of each dimension are parsed."""
