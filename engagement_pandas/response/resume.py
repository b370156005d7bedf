"""Resuming of a partly answered plan: which parts the responses settle, and what remains."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from engagement_pandas.errors import RequestError
from engagement_pandas.request.plan import Plan
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.response.response import NOT_SENT, EngagementResponse
from engagement_pandas.response.split_refused import apply_refusal
from engagement_pandas.response.validation import invalid
from engagement_pandas.vocabulary.engagement_types import EngagementType

Answered = list[tuple[int, EngagementResponse]]
"""Responses, each with the number of its part in the plan."""

Left = list[tuple[int, EngagementRequest]]
"""Requests still to be sent, with the same numbers."""


def resume(plan: Plan, responses: Iterable[EngagementResponse]) -> tuple[Answered, Left]:
    """Divide a plan into what is answered and what remains.

    >>> import engagement_pandas as ep
    >>> todo = ep.plan(ep.totals(range(1, 253), engagement_types=["favorites"]))
    >>> first, second = todo
    >>> gone = ep.EngagementResponse(second.replace(post_ids=["252"]),
    ...     {"errors": ["no"], "unavailable_tweet_ids": ["252"]}, 400)
    >>> [(number, len(request.post_ids)) for number, request in resume(todo, [gone])[1]]
    [(0, 250), (1, 1)]
    """
    given = _checked(responses)
    if not given:
        return [], list(enumerate(plan))
    numbers = {
        (part.window, post, engagement_type): number
        for number, part in enumerate(plan)
        for post in part.post_ids
        for engagement_type in part.engagement_types
    }
    settled: list[dict[str, set[EngagementType]]] = [{} for _ in plan]
    answered: Answered = []
    for response in given:
        request = response.request
        sent = response.status != NOT_SENT
        if response.failed or (not sent and request in plan.unposted):
            continue
        first = (request.window, request.post_ids[0], request.engagement_types[0])
        number = numbers.get(first) if sent else None
        if number is None or not _part_of(request, plan.requests[number]):
            msg = (
                f"{response!r} answers nothing in this plan; give the responses to the same "
                "request, or leave it out"
            )
            raise RequestError(msg)
        for post in request.post_ids:
            types = settled[number].setdefault(post, set())
            if not types.isdisjoint(request.engagement_types):
                msg = f"{response!r} has counts of post {post} that another response has too"
                raise RequestError(msg)
            types.update(request.engagement_types)
        answered.append((number, response))
    return answered, [
        (number, request)
        for number, (part, types_of) in enumerate(zip(plan, settled, strict=True))
        for request in _rest(part, types_of)
    ]


def _checked(responses: Any) -> tuple[EngagementResponse, ...]:
    """Return the responses, after checking that each settles its request."""
    given = tuple(responses) if isinstance(responses, Iterable) else (responses,)
    for response in given:
        if not isinstance(response, EngagementResponse):
            msg = f"responses holds a {type(response).__name__}; give what is in error.responses"
            raise RequestError(msg)
        why = invalid(response) if response.status == HTTPStatus.OK else None
        if (
            why is None
            and response.status != NOT_SENT
            and apply_refusal(response) != (response, [])
        ):
            why = f"HTTP {response.status} does not settle its request"
        if why is not None:
            msg = f"{response!r} cannot be resumed from: {why}; leave it out"
            raise RequestError(msg)
    return given


def _part_of(part: EngagementRequest, request: EngagementRequest) -> bool:
    return (
        (part.endpoint, part.groupings) == (request.endpoint, request.groupings)
        and set(part.post_ids) <= set(request.post_ids)
        and set(part.engagement_types) <= set(request.engagement_types)
    )


def _rest(
    part: EngagementRequest, settled: dict[str, set[EngagementType]]
) -> Iterable[EngagementRequest]:
    """Yield requests for what is not settled, grouped by posts that lack the same types."""
    posts: dict[tuple[EngagementType, ...], list[str]] = {}
    for post in part.post_ids:
        types = tuple(t for t in part.engagement_types if t not in settled.get(post, ()))
        posts.setdefault(types, []).append(post)
    return (
        part.replace(post_ids=tuple(ids), engagement_types=types)
        for types, ids in posts.items()
        if types
    )
