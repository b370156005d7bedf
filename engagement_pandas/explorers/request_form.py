"""Choices of the request form: endpoint, engagement types, grouping, window."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from engagement_pandas.errors import InvalidWindow
from engagement_pandas.explorers.generated_code import IMPORT, list_of, literal
from engagement_pandas.request.grouping import Grouping
from engagement_pandas.request.post_files import LONG, PASTED, handles_in, records_in
from engagement_pandas.request.request import EngagementRequest, historical, last_28_hours, totals
from engagement_pandas.request.window import Window
from engagement_pandas.vocabulary.dimensions import Dimension
from engagement_pandas.vocabulary.endpoints import Endpoint
from engagement_pandas.vocabulary.engagement_types import SERIES_TYPES, TOTALS_TYPES

ENDPOINTS: Final[Mapping[Endpoint, str]] = {
    Endpoint.TOTALS: "totals since creation",
    Endpoint.LAST_28_HOURS: "the last 28 hours",
    Endpoint.HISTORICAL: "days since September 2014",
}
"""Description of each endpoint."""

REQUEST_FUNCTIONS: Final[Mapping[Endpoint, Callable[..., EngagementRequest]]] = {
    Endpoint.TOTALS: totals,
    Endpoint.LAST_28_HOURS: last_28_hours,
    Endpoint.HISTORICAL: historical,
}
"""Function that makes a request for each endpoint."""

OWNED: Final = ("impressions", "engagements")
"""Engagement types selected initially, if the client may request them."""

_POST, _TYPE, _DAY, _HOUR = Dimension
GROUPINGS: Final[Mapping[str, tuple[Dimension, ...]]] = {
    "post, type, day and hour": (_POST, _TYPE, _DAY, _HOUR),
    "post, type and day": (_POST, _TYPE, _DAY),
    "post, type and hour of the day": (_POST, _TYPE, _HOUR),
    "post and type": (_POST, _TYPE),
    "type, day and hour (posts together)": (_TYPE, _DAY, _HOUR),
    "type and day (posts together)": (_TYPE, _DAY),
    "type and hour of the day (posts together)": (_TYPE, _HOUR),
    "type (posts together)": (_TYPE,),
}
"""Groupings by description; an endpoint offers those whose dimensions it supports."""


def types_of(endpoint: Endpoint) -> list[str]:
    """Return the engagement types of an endpoint.

    >>> len(types_of(Endpoint.TOTALS)), len(types_of(Endpoint.HISTORICAL))
    (7, 17)
    """
    return [str(name) for name in (TOTALS_TYPES if endpoint is Endpoint.TOTALS else SERIES_TYPES)]


def groupings_of(endpoint: Endpoint) -> list[str]:
    """Return the descriptions of the groupings that an endpoint supports.

    >>> groupings_of(Endpoint.TOTALS)
    ['post and type', 'type (posts together)']
    """
    supported = set(endpoint.facts.dimensions)
    return [words for words, dimensions in GROUPINGS.items() if set(dimensions) <= supported]


def days_to(first: date | None, last: date | None, now: datetime) -> Window:
    """Return the window from one UTC day to another, inclusive, up to the last full hour.

    >>> days_to(date(2026, 3, 1), date(2026, 3, 2), datetime(2026, 3, 2, 12, 20, tzinfo=UTC))
    Window(2026-03-01 00:00 to 2026-03-02 12:00 UTC, 36 hours)
    """
    if first is None or last is None:
        msg = "From or To is empty; choose both days"
        raise InvalidWindow(msg)
    if first > last:
        msg = f"From ({first}) is after To ({last}); swap them"
        raise InvalidWindow(msg)
    last_hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    begin, after = (
        datetime(day.year, day.month, day.day, tzinfo=UTC)
        for day in (first, last + timedelta(days=1))
    )
    if begin >= last_hour:
        msg = f"From ({first}) has no complete hour yet (now is {now:%Y-%m-%d %H:%M} UTC)"
        raise InvalidWindow(msg)
    return Window(begin, min(after, last_hour))


def lines_of(ids: Sequence[str]) -> str:
    """Return IDs as the text of the box, with a heading if short and long IDs are mixed."""
    heading = ["post_id"] if len({len(post) < LONG for post in ids}) > 1 else []
    return "\n".join([*heading, *ids])


def request_of(
    values: Mapping[str, Any], now: datetime, owners: Mapping[str, str] | None
) -> EngagementRequest:
    """Return the request for the values of the form.

    ``values`` has ``ids`` (text), ``endpoint``, ``types``, ``grouping`` (description), ``first``
    and ``last``; ``now`` is the time of the client's clock. ``owners`` has handles by post ID,
    possibly of further posts, or is None if owners do not matter; handles in the text are added.

    >>> values = {"ids": "123", "endpoint": Endpoint.TOTALS, "types": ["favorites"]}
    >>> request_of({**values, "grouping": "post and type"}, datetime.now(UTC), {})
    EngagementRequest(totals of 1 post | favorites | counts: tweet.id > engagement.type)
    """
    endpoint = values["endpoint"]
    records = records_in(PASTED, values["ids"])
    arguments: dict[str, Any] = {
        "post_ids": [record.post_id for record in records],
        "engagement_types": values["types"],
        "by": Grouping(GROUPINGS[values["grouping"]]),
    }
    if endpoint is Endpoint.HISTORICAL:
        arguments["window"] = days_to(values["first"], values["last"], now)
    handles = {} if owners is None else {**owners, **handles_in(records)}
    return REQUEST_FUNCTIONS[endpoint](**arguments).replace(owners=handles)


def code_of(request: EngagementRequest, client: str = "client") -> str:
    """Return Python code that sends the same request with the client of a variable.

    >>> values = {"ids": "123", "endpoint": Endpoint.TOTALS, "types": ["favorites"]}
    >>> request = request_of({**values, "grouping": "post and type"}, datetime.now(UTC), {})
    >>> print(code_of(request))
    import engagement_pandas as ep
    <BLANKLINE>
    request = ep.totals(
        ["123"],
        engagement_types=["favorites"],
        by=["tweet.id", "engagement.type"],
    )
    responses = client.fetch(request)
    counts = ep.flatten(responses)
    omissions = ep.omissions(responses)
    <BLANKLINE>
    """
    window = request.window
    span = (
        [f"window=ep.Window.covering({_moment(window.start)}, {_moment(window.end)})"]
        if window
        else []
    )
    posts = list_of(request.post_ids)
    by_owner = bool(request.owners and request.owner_only)  # the owners matter
    handles = [request.owners.get(post, "") for post in request.post_ids]
    arguments = [
        "pd.DataFrame(posts)" if by_owner else posts,
        f"engagement_types={list_of(map(str, request.engagement_types))}",
        *span,
        f"by={list_of(map(str, request.groupings[0].dimensions))}",
    ]
    return "\n".join(
        [
            IMPORT,
            *(_frame(posts, handles) if by_owner else [""]),
            f"request = ep.{request.endpoint.facts.function.removesuffix('()')}(",
            *(f"    {argument}," for argument in arguments),
            ")",
            f"responses = {client}.fetch(request)",
            "counts = ep.flatten(responses)",
            "omissions = ep.omissions(responses)",
            "",
        ]
    )


def _frame(posts: str, handles: Sequence[str]) -> list[str]:
    owners = literal(handles[0]) if len(set(handles)) == 1 else list_of(handles)
    columns = [f'    "post_id": {posts},', f'    "handle": {owners},']
    return ["import pandas as pd", "", "posts = {", *columns, "}"]


def _moment(moment: datetime) -> str:
    return literal(f"{moment:%Y-%m-%dT%H:%M:%SZ}")


def adds_up(request: EngagementRequest, parts: Sequence[EngagementRequest]) -> bool:
    """Return whether a count is the sum of several responses, so that all are needed.

    >>> from engagement_pandas import plan, totals
    >>> request = totals(range(1, 300), engagement_types=["favorites"], by=["engagement.type"])
    >>> adds_up(request, plan(request).requests)
    True
    """
    dimensions = request.groupings[0].dimensions
    windows = {part.window for part in parts}
    posts = {part.post_ids for part in parts}
    return (len(posts) > 1 and _POST not in dimensions) or (
        len(windows) > 1 and _DAY not in dimensions
    )
