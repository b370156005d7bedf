"""Requests of any size, validated when they are created.

:func:`totals`, :func:`last_28_hours` and :func:`historical` create them;
:func:`~engagement_pandas.plan` splits them to the size that the API accepts. What the API
would reject raises here, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from engagement_pandas.errors import AmbiguousGrouping, InvalidPostId, InvalidWindow, RequestError
from engagement_pandas.request.engagement_types import parse_engagement_types
from engagement_pandas.request.grouping import (
    BY_DAY,
    BY_HOUR,
    BY_POST,
    By,
    Grouping,
    named_groupings,
)
from engagement_pandas.request.owners import PostOwners
from engagement_pandas.request.post_ids import parse_post_ids
from engagement_pandas.request.window import Window, to_window
from engagement_pandas.text import check_digits, format_list, pluralize, truncated_repr, warn
from engagement_pandas.vocabulary.endpoints import Endpoint
from engagement_pandas.vocabulary.engagement_types import EngagementType
from engagement_pandas.vocabulary.limits import RELIABLE_PAST

__all__ = [
    "BY_DAY",
    "BY_HOUR",
    "BY_POST",
    "EngagementRequest",
    "Grouping",
    "Window",
    "historical",
    "last_28_hours",
    "totals",
]

_FEW = 4
_KEYS = ("tweet_ids", "engagement_types", "groupings")
_SECONDS: Final = len("2026-03-01T00:00:00")

PostIds = Iterable[Any]
"""Strings or exact integers, a Series of them, or a frame with a ``post_id`` column."""


@dataclass(frozen=True, slots=True, repr=False)
class EngagementRequest:
    """A request of any size, immutable; created by totals, last_28_hours or historical.

    Parameters
    ----------
    endpoint : Endpoint or str
    post_ids : iterable of str or int, or a frame with a ``post_id`` column
        Stored as strings in the order given, without duplicates.
    engagement_types : iterable of str or EngagementType
        Stored without duplicates.
    groupings : Grouping, sequence of dimensions, or mapping of name to either
        Stored as a tuple of one to three :class:`Grouping`.
    window : Window, optional
        Required for ``/historical``, not allowed elsewhere.
    owners : mapping of str to str, optional
        Handles of the owners by post ID; may have other posts too. Read from the
        ``handle`` column if ``post_ids`` is a frame with one. Not sent to the API, and
        ignored when requests are compared.

    Raises
    ------
    RequestError
        For anything that the API would reject; the subclass names the wrong part.
    """

    endpoint: Endpoint
    post_ids: tuple[str, ...]
    engagement_types: tuple[EngagementType, ...]
    groupings: tuple[Grouping, ...]
    window: Window | None = None
    owners: Mapping[str, str] = field(default_factory=PostOwners, compare=False)

    def __post_init__(self) -> None:
        try:
            endpoint = Endpoint(self.endpoint)
        except ValueError as error:
            choices = format_list(list(Endpoint))
            msg = f"there is no endpoint {self.endpoint!r}; choose from {choices}"
            raise RequestError(msg) from error
        object.__setattr__(self, "endpoint", endpoint)
        owners = PostOwners.of(self.post_ids) if hasattr(self.post_ids, "columns") else None
        object.__setattr__(self, "owners", owners or PostOwners.of(self.owners))
        object.__setattr__(self, "post_ids", parse_post_ids(self.post_ids))
        object.__setattr__(
            self, "engagement_types", parse_engagement_types(self.engagement_types, endpoint)
        )
        object.__setattr__(self, "groupings", named_groupings(self.groupings, endpoint))
        if endpoint is Endpoint.HISTORICAL:
            if not isinstance(self.window, Window):
                msg = f"historical() needs a Window, not {self.window!r}; use Window.covering()"
                raise InvalidWindow(msg)
        elif self.window is not None:
            msg = (
                f"{endpoint.facts.function} has no window ({endpoint.facts.meaning}); "
                "use historical()"
            )
            raise InvalidWindow(msg)

    @property
    def owner_only(self) -> str | None:
        """The reason why a bearer token is not sufficient, or None if it is."""
        if not self.endpoint.facts.app_only:
            return f"{self.endpoint.facts.path} returns counts only to the owner of the posts"
        private = [t for t in self.engagement_types if not t.facts.public]
        return f"only the owner of the posts may read {format_list(private)}" if private else None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON body that is sent.

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
            # strftime would take five times as long.
            body["start"] = f"{self.window.start.isoformat()[:_SECONDS]}Z"
            body["end"] = f"{self.window.end.isoformat()[:_SECONDS]}Z"
        return body

    @classmethod
    def from_json(cls, endpoint: str, body: Mapping[str, Any]) -> EngagementRequest:
        """Return the request with this JSON body; the inverse of :meth:`to_json`.

        Raises
        ------
        RequestError
            If the body is not that of a valid request.

        Examples
        --------
        >>> request = totals(["123"], engagement_types=["favorites"])
        >>> EngagementRequest.from_json("totals", request.to_json()) == request
        True
        """
        ids, types, named = (_member(body, key, "the body") for key in _KEYS)
        if not isinstance(named, Mapping):
            msg = f"groupings is {truncated_repr(named)}, not an object of groupings by name"
            raise RequestError(msg)
        by = {
            name: _member(group, "group_by", f"grouping {name!r}") for name, group in named.items()
        }
        window = None
        if "start" in body or "end" in body:
            window = _covering(*(_member(body, key, "the body") for key in ("start", "end")))
        return cls(endpoint, ids, types, by, window)  # type: ignore[arg-type]

    def grouping(self, name: str | None = None) -> Grouping:
        """Return the grouping with that name; without a name, the only grouping.

        Raises
        ------
        AmbiguousGrouping
            If there are several and no name is given, or no grouping has that name.
        """
        if name is None and len(self.groupings) == 1:
            return self.groupings[0]
        names = [g.name for g in self.groupings]
        if name in names:
            return self.groupings[names.index(name)]
        cure = "choose one by name" if name is None else f"{name!r} is not one of them"
        msg = f"the request has {pluralize(len(names), 'grouping')}, {format_list(names)}; {cure}"
        raise AmbiguousGrouping(msg)

    def replace(self, **changes: Any) -> EngagementRequest:
        """Return a copy with some fields changed, validated again."""
        return replace(self, **changes)

    def __repr__(self) -> str:
        parts = [
            f"{self.endpoint} of {pluralize(len(self.post_ids), 'post')}",
            ", ".join(self.engagement_types)
            if len(self.engagement_types) <= _FEW
            else f"{len(self.engagement_types)} engagement types",
            "; ".join(map(str, self.groupings)),
        ]
        if self.window is not None:
            parts.append(str(self.window))
        return f"EngagementRequest({' | '.join(parts)})"


def _covering(start: Any, end: Any) -> Window:
    """Return the window of a body."""
    texts = isinstance(start, str) and isinstance(end, str)
    return _covering_texts(start, end) if texts else Window.covering(start, end)


# A plan has many thousands of requests with the same window.
_covering_texts = lru_cache(Window.covering)


def _member(value: object, key: str, name: str) -> Any:
    """Return the value of a key in an object of a body."""
    if isinstance(value, Mapping) and key in value:
        return value[key]
    msg = f"{name} has no {key!r}, which a request needs: {truncated_repr(value)}"
    raise RequestError(msg)


def totals(
    post_ids: PostIds,
    *,
    engagement_types: Iterable[str],
    by: By = BY_POST,
) -> EngagementRequest:
    """Request the totals since each post was created.

    Parameters
    ----------
    post_ids : iterable of str or int, Series, or frame with a ``post_id`` column
        IDs or links to posts. Any number; 250 go into one request.
    engagement_types : iterable of str
        Of the 7 in ``TOTALS_TYPES``. Impressions and engagements are returned only to the
        owner and only for posts up to 90 days old; video views up to 1800 days.
    by : {"post", "type"}, Grouping, sequence of dimensions, or mapping
        Post and type by default, or the sum over all posts; ``/totals`` has no days or hours. A
        mapping has 1 to 3 names with any of these.

    Raises
    ------
    RequestError
        For anything that the API would reject.

    Examples
    --------
    >>> totals(["1060976163948904448"], engagement_types=["favorites", "retweets"])
    EngagementRequest(totals of 1 post | favorites, retweets | by_post: tweet.id > engagement.type)
    """
    return _create(Endpoint.TOTALS, post_ids, engagement_types, by)


def last_28_hours(
    post_ids: PostIds,
    *,
    engagement_types: Iterable[str],
    by: By = BY_HOUR,
) -> EngagementRequest:
    """Request the counts of the 28 hours before the request is sent.

    The first and the last of the 28 or 29 hours are partial.

    Parameters
    ----------
    post_ids, engagement_types, by
        As for :func:`historical`.

    Examples
    --------
    >>> last_28_hours([1060976163948904448], engagement_types=["url_clicks"], by=BY_POST)
    EngagementRequest(28hr of 1 post | url_clicks | by_post: tweet.id > engagement.type)
    """
    return _create(Endpoint.LAST_28_HOURS, post_ids, engagement_types, by)


def historical(
    post_ids: PostIds,
    *,
    engagement_types: Iterable[str],
    window: Window | int | str,
    by: By = BY_HOUR,
) -> EngagementRequest:
    """Request the counts of a window of any length since 2014-09-01.

    Parameters
    ----------
    post_ids : iterable of str or int, Series, or frame with a ``post_id`` column
        IDs or links to posts. Any number, all owned by the requesting account; 25 go into one
        request.
    engagement_types : iterable of str
        Of the 17 in ``SERIES_TYPES``. Favorites, replies and retweets are counted since
        2015-09-15.
    window : Window, int or str
        Complete UTC hours; 28 days go into one request. ``7`` or ``"7d"`` are the last seven
        complete UTC days.
    by : {"type", "post", "day", "hour"}, Grouping, sequence of dimensions, or mapping
        ``"hour"``, the default, is post, type, UTC day and UTC hour; ``"day"`` is without the
        hour, ``"post"`` the sum of the window, ``"type"`` that of all posts. A mapping has 1 to
        3 names with any of these.

    Raises
    ------
    RequestError
        For anything that the API would reject.

    Warns
    -----
    UserWarning
        If the window begins more than 365 days ago: newer documentation says that the
        API reaches back no further.

    Examples
    --------
    >>> march = Window.covering("2026-03-01", "2026-04-01")
    >>> historical(["7"], engagement_types=["impressions"], window=march, by=BY_DAY)
    EngagementRequest(historical of 1 post | impressions
        | by_day: tweet.id > engagement.type > engagement.day
        | 2026-03-01 00:00 to 2026-04-01 00:00 UTC)
    """
    span = to_window(window)
    request = _create(Endpoint.HISTORICAL, post_ids, engagement_types, by, span)
    if span.start < datetime.now(UTC) - RELIABLE_PAST:
        warn(
            f"the window begins at {span.start:%Y-%m-%d %H:%M} UTC, more than "
            f"{RELIABLE_PAST.days} days ago; according to newer documentation, the API "
            "reaches back no further",
        )
    return request


def _create(endpoint: Endpoint, *arguments: Any) -> EngagementRequest:
    request = EngagementRequest(endpoint, *arguments)
    check_digits(request.post_ids, InvalidPostId)
    return request
