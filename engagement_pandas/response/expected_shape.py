"""The expected shape of the nested counts: the request, dimension by dimension.

Times are hours since 1970, UTC, as integers. Counts that do not fit the request are rejected
here, for every reader of an answer: on arrival, in the archive, and for flattening.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple, NoReturn

from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.response.scanner import Level, path_to
from engagement_pandas.text import format_list, json_path, truncated_repr
from engagement_pandas.vocabulary import MAX_ID_DIGITS, Dimension

MOST_TYPES: Final = 1_000
"""Maximum number of different engagement types; the API has fewer than twenty."""

DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
HOUR: Final = re.compile(r"[01][0-9]|2[0-3]")
ID: Final = re.compile(rf"[0-9]{{1,{MAX_ID_DIGITS}}}")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)
_EPOCH_DAY: Final = _EPOCH.toordinal()
_WHOLE_DAY: Final = 24  # hours
_SCALES: Final = {Dimension.DAY: _WHOLE_DAY, Dimension.HOUR: 1}
_BEYOND: Final = 2**63


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

    def refuse(self, keys: Iterable[str], complaint: str) -> NoReturn:
        """Raise a ResponseShapeError for a path below the grouping."""
        raise ResponseShapeError(complaint, json_path(self.name, *keys))

    def lacks(self, types: Collection[str]) -> list[str]:
        """Return the requested types that are missing, if unrequested ones replace them.

        Additional types are accepted: one documented answer has them.
        """
        if self.types is None or set(types) <= set(self.types):
            return []
        return [kind for kind, may in self.types.items() if not may and kind not in types]


class Meaning(NamedTuple):
    """The meaning of one level of nested objects.

    ``numbers`` has, for each name on the level, days since 1970, the hour of the day, or 0.
    """

    dimension: Dimension
    numbers: list[int]


def post_number(key: str, layout: ExpectedShape) -> int | str:
    """Return 0 for the ID of a post that may be counted, or what is wrong with it."""
    if not ID.fullmatch(key):
        return f"{truncated_repr(key)} is not a post ID"
    if key in layout.unavailable:
        return f"post {key} is listed as unavailable, and yet counted"
    if layout.posts is not None and key not in layout.posts:
        return f"post {key} was not asked for"
    return 0


def type_number(key: str, _: ExpectedShape) -> int | str:
    """Return 0 for the name of an engagement type, or what is wrong with it."""
    return 0 if key else "an engagement type has no name"


def day_number(key: str, layout: ExpectedShape) -> int | str:
    """Return the number of days since 1970, or what is wrong with the day."""
    try:
        day = days_since_1970(date.fromisoformat(key)) if DATE.fullmatch(key) else None
    except ValueError:
        day = None
    if day is None:
        return f"{truncated_repr(key)} is not a day (YYYY-MM-DD)"
    span = layout.span
    if span is not None and not span.start // 24 <= day <= (span.end - 1) // 24:
        return f"{key} is not in the window {span}"
    return day


def hour_number(key: str, _: ExpectedShape) -> int | str:
    """Return the hour as an integer, or what is wrong with it."""
    return int(key) if HOUR.fullmatch(key) else f"{truncated_repr(key)} is not an hour (00 to 23)"


_READERS: Final[Mapping[Dimension, Callable[[str, ExpectedShape], int | str]]] = {
    Dimension.POST_ID: post_number,
    Dimension.ENGAGEMENT_TYPE: type_number,
    Dimension.DAY: day_number,
    Dimension.HOUR: hour_number,
}


def meanings(members: Sequence[Level], layout: ExpectedShape) -> list[Meaning]:
    """Return the meaning of each level, including levels below the last one with members."""
    found: list[Meaning] = []
    pending = list(layout.dimensions)
    while pending:
        depth = len(found)
        level = members[depth] if depth < len(members) else Level()
        dimension = pending[0]
        # One documented sample of hour without day nests a day level above the hours.
        if (
            dimension is Dimension.HOUR
            and Dimension.DAY not in layout.dimensions
            and all(meaning.dimension is not Dimension.DAY for meaning in found)
            and any(map(DATE.fullmatch, level.names))
        ):
            dimension = Dimension.DAY
        else:
            del pending[0]
        found.append(Meaning(dimension, _numbers(dimension, members, depth, layout)))
        if pending and level.leaf is not None:
            keys = path_to(members, depth, level.leaf)
            layout.refuse(keys, f"an object is meant here, not {level.counts[0]}")
        if not pending and level.branch is not None:
            keys = path_to(members, depth, level.branch)
            layout.refuse(keys, "a count is an integer of at most 64 bits, not an object")
    return found


def _numbers(
    dimension: Dimension, members: Sequence[Level], depth: int, layout: ExpectedShape
) -> list[int]:
    """Parse the keys of a level."""
    level = members[depth] if depth < len(members) else Level()
    numbers: list[int] = []
    for code, key in enumerate(level.names):
        number = _READERS[dimension](key, layout)
        if dimension is Dimension.ENGAGEMENT_TYPE and code >= MOST_TYPES:
            number = f"there are more than {MOST_TYPES:,} different engagement types"
        if isinstance(number, str):
            layout.refuse(path_to(members, depth, level.codes.index(code)), number)
        numbers.append(number)
    if dimension is Dimension.ENGAGEMENT_TYPE and (lacking := layout.lacks(level.names)):
        layout.refuse((), f"{format_list(lacking)} is missing, and other types are there instead")
    return numbers


def outside(members: Sequence[Level], dims: Sequence[Meaning], layout: ExpectedShape) -> array[int]:
    """Return the indices of zero counts in hours of the day that the window does not touch."""
    places = array("i")
    if len(members) < len(dims):  # objects of nothing
        return places
    counts, last = members[-1].counts, len(members) - 1
    if layout.none_available and Dimension.POST_ID not in layout.dimensions and any(counts):
        layout.refuse((), "counts, although every post asked for is unavailable")
    by_day = any(meaning.dimension is Dimension.DAY for meaning in dims)
    touched = _touched(layout, by_day=by_day)
    for place, hour in enumerate(_hours(members, dims) if touched is not None else ()):
        if touched is not None and hour not in touched:
            # A zero is allowed in an hour of the day that the window does not touch.
            if by_day or counts[place]:
                layout.refuse(path_to(members, last, place), f"not in the window {layout.span}")
            places.append(place)
    if by_day and Dimension.DAY not in layout.dimensions:
        _check_sums(members, dims, layout)
    return places


def _touched(layout: ExpectedShape, *, by_day: bool) -> Container[int] | None:
    """Return the hours in the window, since 1970 or of the day; None if it has all of them."""
    span = layout.span
    if span is None or Dimension.HOUR not in layout.dimensions:
        return None
    if by_day:
        whole = not (span.start % _WHOLE_DAY or span.end % _WHOLE_DAY)
        return None if whole else range(span.start, span.end)
    hours = {hour % _WHOLE_DAY for hour in range(max(span.start, span.end - _WHOLE_DAY), span.end)}
    return hours if len(hours) < _WHOLE_DAY else None


def _hours(members: Sequence[Level], dims: Sequence[Meaning]) -> Iterator[int]:
    """Yield the hour of each count: since 1970 if there are days, otherwise of the day."""
    levels = list(zip(members, dims, strict=True))[::-1]
    for place in range(len(members[-1].counts)):
        at, number = place, 0
        for level, meaning in levels:
            scale = _SCALES.get(meaning.dimension, 0)
            number += scale * meaning.numbers[level.codes[at]]
            at = level.parents[at]
        yield number


def _check_sums(members: Sequence[Level], dims: Sequence[Meaning], layout: ExpectedShape) -> None:
    """Reject hours of the day whose sum over days exceeds 64 bits."""
    counts, names = members[-1].counts, [meaning.dimension for meaning in dims]
    if sum(map(abs, counts)) < _BEYOND:
        return
    sums: Counter[tuple[int, ...]] = Counter()
    for place, count in enumerate(counts):
        cell, at = [], place
        for level, name in zip(reversed(members), reversed(names), strict=True):
            if name is not Dimension.DAY:
                cell.append(level.codes[at])
            at = level.parents[at]
        sums[tuple(cell)] += count
    if not all(-_BEYOND <= number < _BEYOND for number in sums.values()):
        layout.refuse((), "the hours of several days add up to more than 64 bits hold")
