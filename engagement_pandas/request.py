"""What is asked: windows, groupings and requests, validated at birth.

:func:`totals`, :func:`last_28_hours` and :func:`historical` make requests of any size;
:func:`~engagement_pandas.plan` cuts them to what the API takes. What the API would
refuse is refused here, before anything is sent.
"""

from __future__ import annotations

import difflib
import operator
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from engagement_pandas.errors import (
    AmbiguousGrouping,
    InvalidPostId,
    InvalidWindow,
    RequestError,
    UnsupportedEngagementType,
    UnsupportedGrouping,
)
from engagement_pandas.vocabulary import (
    EARLIEST,
    ENDPOINTS,
    ENGAGEMENT_TYPES,
    FORMER_NAMES,
    FOUR_DIMENSION_ORDERS,
    MAX_DIMENSIONS,
    MAX_FOUR_DIMENSION_GROUPINGS,
    MAX_GROUPINGS,
    MAX_ID_DIGITS,
    MAX_WINDOW,
    RELIABLE_PAST,
    RESERVED_KEYS,
    Dimension,
    Endpoint,
    EngagementType,
)

PostIds = Iterable[Any]
"""Strings or exact integers, or a frame with a ``post_id`` column."""

_HOUR: Final = timedelta(hours=1)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_ID: Final = re.compile(rf"[0-9]{{1,{MAX_ID_DIGITS}}}")
_FLOATLIKE: Final = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?|nan|<NA>|none|null", re.IGNORECASE)


def _now() -> datetime:
    return datetime.now(UTC)


# Windows


@dataclass(frozen=True, slots=True, repr=False)
class Window:
    """A half-open span of whole UTC hours: from ``start`` up to, without, ``end``.

    Parameters
    ----------
    start, end : datetime
        Time-zone aware, on the hour. :meth:`covering` takes strings and any minute.

    Raises
    ------
    InvalidWindow
        Where a bound is naive or off the hour, the window is empty, begins before
        2014-09-01, or ends in the future.

    Examples
    --------
    >>> Window.covering("2026-03-01", "2026-03-02T09:30:00Z")
    Window(2026-03-01 00:00 to 2026-03-02 10:00 UTC, 34 hours)
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            moment = _moment(getattr(self, name), name)
            if _floor(moment) != moment:
                msg = (
                    f"{name} {moment.isoformat()} is not on the hour; "
                    "Window.covering() widens to whole hours"
                )
                raise InvalidWindow(msg)
            object.__setattr__(self, name, moment)
        if self.start >= self.end:
            msg = (
                f"the window from {_text(self.start)} to {_text(self.end)} UTC is empty; "
                "end is exclusive and must come after start"
            )
            raise InvalidWindow(msg)
        if self.start < EARLIEST:
            msg = (
                f"start {_text(self.start)} UTC is before {_text(EARLIEST)}, "
                "the first hour with counts; start there or later"
            )
            raise InvalidWindow(msg)
        now = _now()
        if self.end > now:
            msg = (
                f"end {_text(self.end)} is in the future (it is {_text(now)} UTC); "
                f"the last whole hour ended at {_text(_floor(now))}"
            )
            raise InvalidWindow(msg)

    @classmethod
    def covering(cls, start: str | date, end: str | date) -> Window:
        """Return the whole UTC hours that cover a span.

        Parameters
        ----------
        start, end : str or date or datetime
            ``"2026-03-01"`` (midnight UTC), ``"2026-03-01T09:30:00Z"``, any other
            UTC offset, a date or an aware datetime. ``start`` is floored and ``end``
            ceiled to the hour, as the API does; ``end`` is exclusive, so a span of
            whole days ends at the midnight after its last day.

        Raises
        ------
        InvalidWindow
            As :class:`Window`; also for text that is not a time.

        Examples
        --------
        >>> Window.covering("2026-03-01T09:59:00+02:00", "2026-03-01T12:00:00+02:00")
        Window(2026-03-01 07:00 to 2026-03-01 10:00 UTC, 3 hours)
        """
        first, last = _moment(start, "start"), _moment(end, "end")
        floored, ceiled = _floor(first), _floor(last)
        if ceiled != last or getattr(end, "nanosecond", 0):
            ceiled += _HOUR
        return cls(floored, ceiled)

    @classmethod
    def last(cls, days: int = 28, *, now: datetime | None = None) -> Window:
        """Return the given number of days up to the last whole hour.

        Parameters
        ----------
        days : int
            24-hour days; 28 is what ``/historical`` takes when no window is named.
        now : datetime, optional
            Aware; the present by default.

        Examples
        --------
        >>> from datetime import datetime, UTC
        >>> Window.last(7, now=datetime(2026, 3, 8, 12, 40, tzinfo=UTC))
        Window(2026-03-01 12:00 to 2026-03-08 12:00 UTC, 168 hours)
        """
        end = _floor(_moment(now, "now") if now is not None else _now())
        return cls(end - timedelta(days=days), end)

    @property
    def hours(self) -> int:
        """The number of hours in the window."""
        return (self.end - self.start) // _HOUR

    def split(self, longest: timedelta = MAX_WINDOW) -> tuple[Window, ...]:
        """Cut into neighbouring windows of at most ``longest``; no hour lost or shared.

        Examples
        --------
        >>> [w.hours for w in Window.covering("2026-01-01", "2026-02-01").split()]
        [672, 72]
        """
        if longest < _HOUR:
            msg = f"windows cannot be cut into pieces of {longest}; one hour is the least"
            raise InvalidWindow(msg)
        step = longest // _HOUR * _HOUR
        starts = [self.start]
        while starts[-1] + step < self.end:
            starts.append(starts[-1] + step)
        ends = [*starts[1:], self.end]
        return tuple(Window(start, end) for start, end in zip(starts, ends, strict=True))

    def __str__(self) -> str:
        return f"{_text(self.start)} to {_text(self.end)} UTC"

    def __repr__(self) -> str:
        return f"Window({self}, {_plural(self.hours, 'hour')})"


def _moment(value: object, name: str) -> datetime:
    """An aware UTC datetime; a bare date is its midnight."""
    if isinstance(value, str):
        try:
            value = (
                date.fromisoformat(value)
                if _DATE.fullmatch(value)
                else datetime.fromisoformat(value)
            )
        except ValueError as error:
            msg = f"{name} {value!r} is not a time; write 2026-03-01 or 2026-03-01T09:30:00Z"
            raise InvalidWindow(msg) from error
    if not isinstance(value, date):
        msg = (
            f"{name} {value!r} is a {type(value).__name__}; "
            "give a date, an aware datetime, or text such as 2026-03-01T09:30:00Z"
        )
        raise InvalidWindow(msg)
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if value.tzinfo is None or value.utcoffset() is None:
        msg = f"{name} {value} has no time zone; add one (Z, or tzinfo=UTC)"
        raise InvalidWindow(msg)
    try:
        utc = value.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        msg = f"{name} {value} cannot be told in UTC"
        raise InvalidWindow(msg) from error
    return datetime(
        utc.year,
        utc.month,
        utc.day,
        utc.hour,
        utc.minute,
        utc.second,
        utc.microsecond,
        tzinfo=UTC,
    )


def _floor(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


# Groupings


@dataclass(frozen=True, slots=True, repr=False)
class Grouping:
    """Ordered dimensions; their order is the order in which the answer nests.

    Parameters
    ----------
    dimensions : sequence of str or Dimension
        1 to 4 of ``tweet.id``, ``engagement.type``, ``engagement.day`` and
        ``engagement.hour``; ``engagement.type`` always; all four only as
        post, type, day, hour or type, post, day, hour.
    name : str
        The key under which the answer holds the counts.

    Raises
    ------
    UnsupportedGrouping
        Where the API has no such grouping, or keeps that name for itself.

    Examples
    --------
    >>> Grouping(["engagement.type", "engagement.hour"], "rhythm")
    Grouping(rhythm: engagement.type > engagement.hour)
    """

    dimensions: tuple[Dimension, ...]
    name: str = "counts"

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimensions", _dimensions(self.dimensions))
        name = self.name
        if not isinstance(name, str) or not name.strip():
            msg = f"a grouping is named {name!r}; give it a name that is not empty"
            raise UnsupportedGrouping(msg)
        if name in RESERVED_KEYS:
            msg = (
                f"the API keeps the name {name!r} for itself; choose another than {_list(sorted(RESERVED_KEYS))}"
            )
            raise UnsupportedGrouping(msg)

    @property
    def columns(self) -> tuple[str, ...]:
        """The key columns of the tidy frame for this grouping, in the frame's order."""
        return tuple(d.column for d in Dimension if d in self.dimensions)

    def __str__(self) -> str:
        return f"{self.name}: {' > '.join(self.dimensions)}"

    def __repr__(self) -> str:
        return f"Grouping({self})"


def _dimensions(names: object) -> tuple[Dimension, ...]:
    if isinstance(names, str | bytes) or not isinstance(names, Iterable):
        msg = f"group_by is {names!r}; give a list of dimensions, such as [{str(Dimension.ENGAGEMENT_TYPE)!r}]"
        raise UnsupportedGrouping(msg)
    asked = tuple(names)
    unknown = [name for name in asked if name not in list(Dimension)]
    if unknown:
        msg = f"there is no dimension {_list(unknown)}; there are {_list(list(Dimension))}"
        raise UnsupportedGrouping(msg)
    dimensions = tuple(Dimension(name) for name in asked)
    if not 1 <= len(dimensions) <= MAX_DIMENSIONS:
        msg = f"a grouping has 1 to {MAX_DIMENSIONS} dimensions, not {len(dimensions)}"
        raise UnsupportedGrouping(msg)
    if len(set(dimensions)) < len(dimensions):
        msg = f"a dimension stands twice in {_list(dimensions)}; name each once"
        raise UnsupportedGrouping(msg)
    if Dimension.ENGAGEMENT_TYPE not in dimensions:
        msg = (
            f"{_list(dimensions)} lacks {str(Dimension.ENGAGEMENT_TYPE)!r}; "
            "counts of different types have no documented sum, so add it"
        )
        raise UnsupportedGrouping(msg)
    if len(dimensions) == MAX_DIMENSIONS and dimensions not in FOUR_DIMENSION_ORDERS:
        legal = " or ".join(_list(order) for order in FOUR_DIMENSION_ORDERS)
        msg = f"all four dimensions are allowed only in the order {legal}, not {_list(dimensions)}"
        raise UnsupportedGrouping(msg)
    return dimensions


BY_POST: Final = Grouping((Dimension.POST_ID, Dimension.ENGAGEMENT_TYPE), "by_post")
"""Post, type."""

BY_DAY: Final = Grouping((Dimension.POST_ID, Dimension.ENGAGEMENT_TYPE, Dimension.DAY), "by_day")
"""Post, type, UTC day."""

BY_HOUR: Final = Grouping(FOUR_DIMENSION_ORDERS[0], "by_hour")
"""Post, type, UTC day, UTC hour."""


# Requests


@dataclass(frozen=True, slots=True, repr=False)
class EngagementRequest:
    """A question of any size, frozen; made by totals, last_28_hours or historical.

    Parameters
    ----------
    endpoint : Endpoint or str
    post_ids : iterable of str or int, or a frame with a ``post_id`` column
        Kept as strings in the order given, duplicates once.
    engagement_types : iterable of str or EngagementType
        Duplicates once.
    groupings : Grouping, sequence of dimensions, or mapping of name to either
        Kept as a tuple of one to three :class:`Grouping`.
    window : Window, optional
        For ``/historical``, and only there.

    Raises
    ------
    RequestError
        Whatever the API would refuse, before anything is sent; the subclass says which
        part is wrong.
    """

    endpoint: Endpoint
    post_ids: tuple[str, ...]
    engagement_types: tuple[EngagementType, ...]
    groupings: tuple[Grouping, ...]
    window: Window | None = None

    def __post_init__(self) -> None:
        try:
            endpoint = Endpoint(self.endpoint)
        except ValueError as error:
            msg = f"there is no endpoint {self.endpoint!r}; there are {_list(list(Endpoint))}"
            raise RequestError(msg) from error
        object.__setattr__(self, "endpoint", endpoint)
        object.__setattr__(self, "post_ids", _post_ids(self.post_ids))
        object.__setattr__(self, "engagement_types", _types(self.engagement_types, endpoint))
        object.__setattr__(self, "groupings", _groupings(self.groupings, endpoint))
        if endpoint is Endpoint.HISTORICAL:
            if not isinstance(self.window, Window):
                msg = f"historical() needs a Window, not {self.window!r}; see Window.covering()"
                raise InvalidWindow(msg)
        elif self.window is not None:
            msg = f"{endpoint.facts.function} has no window ({endpoint.facts.meaning}); ask historical()"
            raise InvalidWindow(msg)

    @property
    def owner_only(self) -> str | None:
        """Why a bearer token will not do, or None where it will."""
        if not self.endpoint.facts.app_only:
            return f"{self.endpoint.facts.path} answers only the owner of the posts"
        private = [t for t in self.engagement_types if not t.facts.public]
        return f"{_list(private)} are told only to the owner of the posts" if private else None

    def to_json(self) -> dict[str, Any]:
        """Return the body that goes over the wire.

        Examples
        --------
        >>> totals(["123"], engagement_types=["favorites"]).to_json() == {
        ...     "tweet_ids": ["123"],
        ...     "engagement_types": ["favorites"],
        ...     "groupings": {"by_post": {"group_by": ["tweet.id", "engagement.type"]}},
        ... }
        True
        """
        body: dict[str, Any] = {
            "tweet_ids": list(self.post_ids),
            "engagement_types": [str(t) for t in self.engagement_types],
            "groupings": {
                g.name: {"group_by": [str(d) for d in g.dimensions]} for g in self.groupings
            },
        }
        if self.window is not None:
            body["start"] = f"{self.window.start:%Y-%m-%dT%H:%M:%SZ}"
            body["end"] = f"{self.window.end:%Y-%m-%dT%H:%M:%SZ}"
        return body

    def grouping(self, name: str | None = None) -> Grouping:
        """Return the grouping of that name; without a name, the only one there is.

        Raises
        ------
        AmbiguousGrouping
            Where there are several and none is named, or none has that name.
        """
        names = [g.name for g in self.groupings]
        if name is None and len(names) == 1:
            return self.groupings[0]
        if name in names:
            return self.groupings[names.index(name)]
        asked = "name one" if name is None else f"none is named {name!r}"
        msg = f"the request has {_plural(len(names), 'grouping')}, {_list(names)}; {asked}"
        raise AmbiguousGrouping(msg)

    def replace(self, **changes: Any) -> EngagementRequest:
        """Return a copy with some fields changed, validated like any other request."""
        return replace(self, **changes)

    def __repr__(self) -> str:
        parts = [
            f"{self.endpoint.facts.path.rsplit('/', 1)[1]} of {_plural(len(self.post_ids), 'post')}",
            ", ".join(self.engagement_types)
            if len(self.engagement_types) <= 4
            else f"{len(self.engagement_types)} engagement types",
            "; ".join(map(str, self.groupings)),
        ]
        if self.window is not None:
            parts.append(str(self.window))
        return f"EngagementRequest({' | '.join(parts)})"


def totals(
    post_ids: PostIds,
    *,
    engagement_types: Iterable[str],
    by: Grouping | Sequence[str] | Mapping[str, Any] = BY_POST,
) -> EngagementRequest:
    """Ask for the totals since each post was made.

    Parameters
    ----------
    post_ids : iterable of str or int, Series, or frame with a ``post_id`` column
        Any number; 250 go into one request.
    engagement_types : iterable of str
        Of the 7 in ``TOTALS_TYPES``. Impressions and engagements are the owner's to see,
        and only of posts up to 90 days old; video views up to 1800 days.
    by : Grouping, sequence of dimensions, or mapping of 1 to 3 names to either
        Post and type by default; ``/totals`` has no days or hours.

    Returns
    -------
    EngagementRequest

    Raises
    ------
    RequestError
        For whatever the API would refuse.

    Examples
    --------
    >>> totals(["1060976163948904448"], engagement_types=["favorites", "retweets"])
    EngagementRequest(totals of 1 post | favorites, retweets | by_post: tweet.id > engagement.type)
    """
    return EngagementRequest(Endpoint.TOTALS, post_ids, engagement_types, by)  # type: ignore[arg-type]


def last_28_hours(
    post_ids: PostIds,
    *,
    engagement_types: Iterable[str],
    by: Grouping | Sequence[str] | Mapping[str, Any] = BY_HOUR,
) -> EngagementRequest:
    """Ask for the 28 hours before the moment of asking.

    Parameters
    ----------
    post_ids : iterable of str or int, Series, or frame with a ``post_id`` column
        Any number, all owned by the account that asks; 25 go into one request.
    engagement_types : iterable of str
        Of the 17 in ``SERIES_TYPES``.
    by : Grouping, sequence of dimensions, or mapping of 1 to 3 names to either
        Post, type, UTC day and UTC hour by default. The first and the last of the 28 or
        29 hours are partial.

    Returns
    -------
    EngagementRequest

    Raises
    ------
    RequestError
        For whatever the API would refuse.

    Examples
    --------
    >>> last_28_hours([1060976163948904448], engagement_types=["url_clicks"], by=BY_DAY)
    EngagementRequest(28hr of 1 post | url_clicks | by_day: tweet.id > engagement.type > engagement.day)
    """
    return EngagementRequest(Endpoint.LAST_28_HOURS, post_ids, engagement_types, by)  # type: ignore[arg-type]


def historical(
    post_ids: PostIds,
    *,
    engagement_types: Iterable[str],
    window: Window,
    by: Grouping | Sequence[str] | Mapping[str, Any] = BY_HOUR,
) -> EngagementRequest:
    """Ask for a window of any length since 2014-09-01.

    Parameters
    ----------
    post_ids : iterable of str or int, Series, or frame with a ``post_id`` column
        Any number, all owned by the account that asks; 25 go into one request.
    engagement_types : iterable of str
        Of the 17 in ``SERIES_TYPES``. Favorites, replies and retweets are counted since
        2015-09-15.
    window : Window
        Whole UTC hours; 28 days go into one request.
    by : Grouping, sequence of dimensions, or mapping of 1 to 3 names to either
        Post, type, UTC day and UTC hour by default.

    Returns
    -------
    EngagementRequest

    Raises
    ------
    RequestError
        For whatever the API would refuse.

    Warns
    -----
    UserWarning
        Where the window begins more than 365 days ago: newer documentation says that the
        API reaches back no further.

    Examples
    --------
    >>> march = Window.covering("2026-03-01", "2026-04-01")
    >>> historical(["1060976163948904448"], engagement_types=["impressions"], window=march, by=BY_DAY)
    ... # doctest: +NORMALIZE_WHITESPACE
    EngagementRequest(historical of 1 post | impressions
        | by_day: tweet.id > engagement.type > engagement.day
        | 2026-03-01 00:00 to 2026-04-01 00:00 UTC)
    """
    request = EngagementRequest(Endpoint.HISTORICAL, post_ids, engagement_types, by, window)  # type: ignore[arg-type]
    if window.start < _now() - RELIABLE_PAST:
        warnings.warn(
            f"the window begins at {_text(window.start)} UTC, more than {RELIABLE_PAST.days} days "
            "ago; newer documentation of the API says that it reaches back no further",
            UserWarning,
            stacklevel=2,
        )
    return request


# Validation


def _post_ids(posts: Any) -> tuple[str, ...]:
    if isinstance(posts, tuple) and posts and all(type(p) is str and _ID.fullmatch(p) for p in posts):
        return tuple(dict.fromkeys(posts))
    if hasattr(posts, "columns"):
        if "post_id" not in list(posts.columns):
            msg = f"the frame has no post_id column, only {_list(list(posts.columns))}; rename the one with the IDs"
            raise InvalidPostId(msg)
        posts = posts["post_id"]
    if isinstance(posts, str | bytes | Mapping) or not isinstance(posts, Iterable):
        msg = f"post_ids is the single {type(posts).__name__} {posts!r}; give a list of IDs"
        raise InvalidPostId(msg)
    if getattr(getattr(posts, "dtype", None), "kind", "") == "f":
        msg = (
            "the post IDs are floats, which keep 15 of their 19 digits; the rest is lost. "
            "Read them again as text (dtype={'post_id': str})"
        )
        raise InvalidPostId(msg)
    ids = tuple(dict.fromkeys(_post_id(post) for post in posts))
    if not ids:
        msg = "post_ids is empty; name at least one post"
        raise InvalidPostId(msg)
    return ids


def _post_id(post: Any) -> str:
    if isinstance(post, str) and _ID.fullmatch(post):
        return str(post)
    if isinstance(post, bool):
        msg = f"{post!r} is not a post ID; give 1 to {MAX_ID_DIGITS} digits as text"
        raise InvalidPostId(msg)
    if isinstance(post, float) or (
        isinstance(post, str) and not post.isdigit() and _FLOATLIKE.fullmatch(post)
    ):
        msg = (
            f"post ID {post!r} has been a float or is missing, and its last digits are lost; "
            "read the IDs again as text (dtype={'post_id': str})"
        )
        raise InvalidPostId(msg)
    if not isinstance(post, str):
        try:
            number = operator.index(post)
        except TypeError:
            pass
        else:
            if number >= 0 and _ID.fullmatch(str(number)):
                return str(number)
    msg = f"{post!r} is not a post ID; give 1 to {MAX_ID_DIGITS} digits as text"
    raise InvalidPostId(msg)


def _types(types: Any, endpoint: Endpoint) -> tuple[EngagementType, ...]:
    if isinstance(types, str | bytes | Mapping) or not isinstance(types, Iterable):
        msg = f"engagement_types is the single {type(types).__name__} {types!r}; give a list"
        raise UnsupportedEngagementType(msg)
    known = tuple(dict.fromkeys(_type(name) for name in types))
    if not known:
        msg = "engagement_types is empty; name at least one"
        raise UnsupportedEngagementType(msg)
    series = endpoint.facts.time_series
    wrong = [t for t in known if not (t.facts.time_series if series else t.facts.totals)]
    if wrong:
        cure = "ask totals()" if series else "ask historical() or last_28_hours()"
        msg = f"/{endpoint} does not count {_list(wrong)}; {cure}"
        raise UnsupportedEngagementType(msg)
    return known


def _type(name: Any) -> EngagementType:
    if isinstance(name, str) and name in FORMER_NAMES:
        msg = f"{name!r} is the former name of {str(FORMER_NAMES[name])!r}; ask for that"
        raise UnsupportedEngagementType(msg)
    try:
        return EngagementType(name)
    except ValueError as error:
        close = difflib.get_close_matches(str(name), list(EngagementType), n=1)
        cure = f"did you mean {str(close[0])!r}?" if close else f"there are {_list(list(ENGAGEMENT_TYPES))}"
        msg = f"there is no engagement type {name!r}; {cure}"
        raise UnsupportedEngagementType(msg) from error


def _groupings(by: Any, endpoint: Endpoint) -> tuple[Grouping, ...]:
    if isinstance(by, Grouping):
        groupings: tuple[Grouping, ...] = (by,)
    elif isinstance(by, Mapping):
        groupings = tuple(
            Grouping(g.dimensions if isinstance(g, Grouping) else g, name) for name, g in by.items()
        )
    elif isinstance(by, tuple) and by and all(isinstance(g, Grouping) for g in by):
        groupings = by
    else:
        groupings = (Grouping(by),)
    if not 1 <= len(groupings) <= MAX_GROUPINGS:
        msg = f"a request has 1 to {MAX_GROUPINGS} groupings, not {len(groupings)}; make two requests"
        raise UnsupportedGrouping(msg if groupings else msg.replace("make two requests", "name one"))
    names = [g.name for g in groupings]
    if len(set(names)) < len(names):
        msg = f"two groupings have the same name in {_list(names)}; name them apart"
        raise UnsupportedGrouping(msg)
    full = [g.name for g in groupings if len(g.dimensions) == MAX_DIMENSIONS]
    if len(full) > MAX_FOUR_DIMENSION_GROUPINGS:
        msg = f"only {MAX_FOUR_DIMENSION_GROUPINGS} grouping may have four dimensions, not {_list(full)}; make two requests"
        raise UnsupportedGrouping(msg)
    for grouping in groupings:
        wrong = [d for d in grouping.dimensions if d not in ENDPOINTS[endpoint].dimensions]
        if wrong:
            msg = f"/{endpoint} does not group by {_list(wrong)}; ask historical() or last_28_hours()"
            raise UnsupportedGrouping(msg)
    return groupings


def _list(names: Iterable[object]) -> str:
    return str([str(name) for name in names])


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
