"""Validation of answers of status 200: whether they fit the request and can be flattened.

JSON of status 200 need not be an answer: proxies, caches and overloaded services have sent
other content. So each is read to its last count, on arrival and from the archive; ``flattening``
uses what was read here, and rejects nothing else.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.request.grouping import Grouping
from engagement_pandas.response.envelope import Envelope
from engagement_pandas.response.expected_shape import (
    ExpectedShape,
    HourRange,
    Meaning,
    meanings,
    outside,
)
from engagement_pandas.response.hourly_decoder import Body, decode, decode_body, fits
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.response.scanner import Level, read_members
from engagement_pandas.text import format_list, json_path
from engagement_pandas.vocabulary import FOUR_DIMENSION_ORDERS, MAX_WINDOW

_LONGEST: Final = MAX_WINDOW // timedelta(hours=1)


class Members(NamedTuple):
    """The counts of a grouping one by one, validated against the layout.

    ``outside`` has the indices of zeros that are not counts: hours of the day that the window does
    not touch.
    """

    levels: list[Level]
    meanings: Sequence[Meaning]
    outside: array[int]

    @classmethod
    def of(cls, levels: list[Level], layout: ExpectedShape) -> Members:
        """Validate the members of nested objects against a layout."""
        keys = meanings(levels, layout)
        return cls(levels, keys, outside(levels, keys, layout))


class Valid(NamedTuple):
    """One grouping of an answer, completely validated."""

    envelope: Envelope
    layout: ExpectedShape
    counts: Body | Members


def validated(response: EngagementResponse, grouping: Grouping) -> Valid:
    """Read and validate one grouping of an answer of status 200."""
    four = grouping.dimensions in FOUR_DIMENSION_ORDERS
    body = decode_body(response.content, grouping.name) if four else None
    envelope = response.envelope() if body is None else Envelope.of(body.top)
    layout = _layout(response, envelope, grouping)
    if body is not None and fits(body, layout):
        return Valid(envelope, layout, body)
    if body is not None:
        envelope = response.envelope()
    raw = envelope.groupings.get(grouping.name)
    if raw is None:
        _require_complete(response, envelope, grouping.name)
    return Valid(envelope, layout, counts_of(b"{}" if raw is None else bytes(raw), layout))


def counts_of(raw: bytes, layout: ExpectedShape) -> Body | Members:
    """Parse the JSON of a grouping, with the fast decoder if possible."""
    if layout.dimensions in FOUR_DIMENSION_ORDERS:
        body = decode(raw)
        if body is not None and fits(body, layout):
            return body
    return Members.of(read_members(raw, layout.name), layout)


def invalid(response: EngagementResponse) -> str | None:
    """Return why an answer of status 200 cannot be flattened; None if it can.

    >>> import engagement_pandas as ep
    >>> request = ep.totals(["7"], engagement_types=["favorites"])
    >>> invalid(ep.EngagementResponse(request, {"data": []}))
    "the grouping is missing, and with it post 7: ... ['data'] (at $['by_post'])"
    >>> invalid(ep.EngagementResponse(request, {"by_post": {"7": {"favorites": None}}}))
    "a count is an integer of at most 64 bits, not null (at $['by_post']['7']['favorites'])"
    >>> invalid(ep.EngagementResponse(request, {"by_post": {"7": {"favorites": "1"}}})) is None
    True
    >>> invalid(ep.EngagementResponse(request, {"unavailable_tweet_ids": ["7"]})) is None
    True
    """
    try:
        for grouping in response.request.groupings:
            validated(response, grouping)
    except ResponseShapeError as error:
        return str(error)
    return None


def _layout(response: EngagementResponse, envelope: Envelope, grouping: Grouping) -> ExpectedShape:
    request = response.request
    asked = frozenset(request.post_ids)
    refused = envelope.forbidden_types()
    return ExpectedShape(
        grouping.name,
        grouping.dimensions,
        asked,
        envelope.unavailable,
        span_of(response, envelope),
        {str(kind): str(kind) in refused for kind in request.engagement_types},
        asked <= envelope.unavailable | envelope.forbidden_posts(),
    )


def span_of(response: EngagementResponse, envelope: Envelope) -> HourRange | None:
    """Return the hours that an answer covers, if known."""
    window, endpoint = response.request.window, response.request.endpoint
    asked = None if window is None else HourRange.covering(window.start, window.end)
    if not endpoint.facts.time_series:
        return None
    for key, moment in (("start", envelope.start), ("end", envelope.end)):
        if moment is not None and asked is not None:
            named = HourRange.covering(moment, moment)
            if getattr(named, key) != getattr(asked, key):
                msg = f"the answer names the {key} {moment:%Y-%m-%d %H:%M}, but is to {asked}"
                raise ResponseShapeError(msg, json_path(key))
    if asked is not None or envelope.start is None or envelope.end is None:
        return asked
    named = HourRange.covering(envelope.start, envelope.end)
    if not 0 < named.end - named.start <= _LONGEST:
        msg = f"the answer names {named}, which is not a window of about 28 hours"
        raise ResponseShapeError(msg, json_path("start"))
    return named


def _require_complete(response: EngagementResponse, envelope: Envelope, name: str) -> None:
    """Raise if a grouping is missing, unless the answer accounts for every post."""
    request = response.request
    refused = envelope.forbidden_types()
    left = [kind for kind in request.engagement_types if kind not in refused]
    keys = envelope.unavailable | envelope.forbidden_posts()
    for post in request.post_ids:
        if post in keys or all(post in envelope.unsupported.get(kind, ()) for kind in left):
            continue
        said = f"; it says {list(envelope.errors)}" if envelope.errors else ""
        found = f"the answer holds the groupings {format_list(envelope.groupings)}"
        msg = f"the grouping is missing, and with it post {post}: {found}{said}"
        raise ResponseShapeError(msg, json_path(name))
