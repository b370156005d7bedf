"""Validation of answers of status 200: whether they fit the request and can be flattened.

JSON of status 200 need not be an answer: proxies, caches and overloaded services have sent
other content. So each is read to its last count, on arrival and from the archive; ``flattening``
uses what was read here, and rejects nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Final, NamedTuple

from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.request.grouping import Grouping
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.response.envelope import Envelope
from engagement_pandas.response.nested_counts.checking_reader import read_objects
from engagement_pandas.response.nested_counts.expected_shape import ExpectedShape, HourRange
from engagement_pandas.response.nested_counts.fast_reader import (
    Decoded,
    decode_bodies,
    decode_grouping,
)
from engagement_pandas.response.nested_counts.levels import (
    Meaning,
    complaint,
    is_inside,
    meanings,
    order_of,
)
from engagement_pandas.response.nested_counts.members import Members
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.text import format_list, json_path
from engagement_pandas.vocabulary.answer_keys import RESERVED_KEYS
from engagement_pandas.vocabulary.dimensions import Dimension
from engagement_pandas.vocabulary.limits import MAX_WINDOW

_LONGEST: Final = MAX_WINDOW // timedelta(hours=1)


class Valid(NamedTuple):
    """The counts of a grouping, and the meaning of each level of keys."""

    members: Members
    meanings: Sequence[Meaning]


def validated(
    response: EngagementResponse, grouping: Grouping
) -> tuple[Envelope, ExpectedShape, Valid]:
    """Read and validate one grouping of an answer of status 200.

    Its envelope is kept with the response.
    """
    name, decoded = grouping.name, _decoded([response], grouping)
    envelope = response.envelope(decoded.tops[0] if decoded else None)
    shape = _shape(response, envelope, grouping)
    if decoded and (valid := fitting(decoded.members(), shape)):
        return envelope, shape, valid
    top = response.top_level()
    if name not in top:
        _require_complete(response, envelope, name, top)
    return envelope, shape, valid_counts(bytes(top.get(name, b"{}")), shape)


def validated_as_one(
    responses: Sequence[EngagementResponse], grouping: Grouping
) -> tuple[list[tuple[Envelope, frozenset[str]]], ExpectedShape, Valid] | None:
    """Read answers as if they were one: the envelope and the posts of each, and all counts.

    Their requests differ only in their posts. None if it is not certain that each is valid.
    """
    by_post = grouping.dimensions[0] is Dimension.POST_ID
    decoded = _decoded(responses, grouping) if by_post else None
    if decoded is None:
        return None
    try:
        envelopes = [r.envelope(top) for r, top in zip(responses, decoded.tops, strict=True)]
        spans = {span_of(*each) for each in zip(responses, envelopes, strict=True)}
    except ResponseShapeError:
        return None
    posts = [*map(frozenset, decoded.trees)]
    if len(spans) > 1:
        return None
    for response, envelope, counted in zip(responses, envelopes, posts, strict=True):
        if not counted.issubset(response.request.post_ids) or envelope.unavailable & counted:
            return None
    shape = _shape(responses[0], envelopes[0], grouping)
    shape = replace(shape, posts=frozenset().union(*posts), unavailable=frozenset())
    valid = fitting(decoded.members(), shape)
    if valid is None:
        return None
    types = valid.members.levels[grouping.dimensions.index(Dimension.ENGAGEMENT_TYPE)]
    fits = types.keys() <= (shape.types or {}).keys()  # another type may replace one in an answer
    return ([*zip(envelopes, posts, strict=True)], shape, valid) if fits else None


def _decoded(responses: Sequence[EngagementResponse], grouping: Grouping) -> Decoded | None:
    """Decode answers to requests with the same types and one grouping, if they are as expected."""
    request = responses[0].request
    if len(request.groupings) > 1:
        return None
    innermost_types = grouping.dimensions[-1] is Dimension.ENGAGEMENT_TYPE
    types = tuple(map(str, request.engagement_types)) if innermost_types else ()
    bodies = [response.content for response in responses]
    return decode_bodies(bodies, grouping.name, len(grouping.dimensions), types)


def valid_counts(raw: bytes, shape: ExpectedShape) -> Valid:
    """Read and validate the JSON of a grouping."""
    for depth in (len(shape.dimensions), len(shape.dimensions) + 1):
        if order_of(depth, shape.dimensions) and (decoded := decode_grouping(raw, depth)):
            valid = fitting(decoded.members(), shape)
            if valid is not None:
                return valid
    members, order = read_objects(raw, shape.name, shape)
    return Valid(members, meanings(members, order, shape) or ())


def fitting(members: Members | None, shape: ExpectedShape) -> Valid | None:
    """Return decoded counts with their meaning; None if it is not certain that they fit."""
    if members is None:
        return None
    keys = meanings(members, order_of(members.depth, shape.dimensions), shape)
    if not keys or complaint(members, keys, shape) or not is_inside(members, keys, shape):
        return None
    return Valid(members, keys)


def invalid(response: EngagementResponse) -> str | None:
    """Return why an answer of status 200 cannot be flattened; None if it can.

    >>> import engagement_pandas as ep
    >>> request = ep.totals(["7"], engagement_types=["favorites"])
    >>> invalid(ep.EngagementResponse(request, {"data": []}))
    "the grouping is missing, and with it post 7: the groupings are ['data'] (at $['by_post'])"
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


def all_invalid(responses: Iterable[EngagementResponse]) -> dict[EngagementRequest, str]:
    """Return why answers cannot be flattened, by request; those of another status are not read.

    >>> import engagement_pandas as ep
    >>> requests = [ep.totals([post], engagement_types=["favorites"]) for post in ("7", "8", "9")]
    >>> bodies = [{"by_post": {post: {"favorites": count}}} for post, count in (("7", 1), ("8", 2))]
    >>> answers = map(ep.EngagementResponse, requests, [*bodies, {"unavailable_tweet_ids": []}])
    >>> [request.post_ids for request in all_invalid(answers)]
    [('9',)]
    """
    alike: dict[Hashable, list[EngagementResponse]] = {}
    for response in responses:
        if response.status == HTTPStatus.OK:
            request = response.request
            key = request.endpoint, request.engagement_types, request.groupings, request.window
            alike.setdefault(key, []).append(response)
    return {
        response.request: why
        for group in alike.values()
        if not _are_valid(group)
        for response in group
        if (why := invalid(response)) is not None
    }


def _are_valid(responses: Sequence[EngagementResponse]) -> bool:
    """Return whether it is certain that answers are valid; their requests differ in posts only."""
    groupings = responses[0].request.groupings
    together = len(responses) > 1 and len(groupings) == 1
    return together and validated_as_one(responses, groupings[0]) is not None


def _shape(response: EngagementResponse, envelope: Envelope, grouping: Grouping) -> ExpectedShape:
    request = response.request
    posts = frozenset(request.post_ids)
    refused = envelope.forbidden_types()
    return ExpectedShape(
        grouping.name,
        grouping.dimensions,
        posts,
        envelope.unavailable,
        span_of(response, envelope),
        {str(name): str(name) in refused for name in request.engagement_types},
        posts <= envelope.unavailable | envelope.forbidden_posts(),
    )


def span_of(response: EngagementResponse, envelope: Envelope) -> HourRange | None:
    """Return the hours that an answer covers, if known."""
    window = response.request.window
    requested = None if window is None else HourRange.covering(window.start, window.end)
    if not response.request.endpoint.facts.time_series:
        return None
    for key, moment in (("start", envelope.start), ("end", envelope.end)):
        if moment is not None and requested is not None:
            stated = HourRange.covering(moment, moment)
            if getattr(stated, key) != getattr(requested, key):
                msg = f"the answer states the {key} {moment:%Y-%m-%d %H:%M}, but is for {requested}"
                raise ResponseShapeError(msg, json_path(key))
    if requested is not None or envelope.start is None or envelope.end is None:
        return requested
    stated = HourRange.covering(envelope.start, envelope.end)
    if not 0 < stated.end - stated.start <= _LONGEST:
        msg = f"the answer states {stated}, which is not a window of about 28 hours"
        raise ResponseShapeError(msg, json_path("start"))
    return stated


def _require_complete(
    response: EngagementResponse, envelope: Envelope, name: str, top: Collection[str]
) -> None:
    """Raise if a grouping is missing, unless the answer accounts for every post."""
    request = response.request
    refused = envelope.forbidden_types()
    counted_types = [name for name in request.engagement_types if name not in refused]
    without_counts = envelope.unavailable | envelope.forbidden_posts()
    for post in request.post_ids:
        old = all(post in envelope.unsupported.get(name, ()) for name in counted_types)
        if old or post in without_counts:
            continue
        errors = f"; its errors are {list(envelope.errors)}" if envelope.errors else ""
        present = format_list(key for key in top if key not in RESERVED_KEYS)
        msg = (
            f"the grouping is missing, and with it post {post}: the groupings are {present}{errors}"
        )
        raise ResponseShapeError(msg, json_path(name))
