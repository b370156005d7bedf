"""Refusals: the posts and types that they name, and what remains to be requested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus

from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.response.envelope import Envelope
from engagement_pandas.response.response import EngagementResponse


def apply_refusal(
    answer: EngagementResponse,
) -> tuple[EngagementResponse | None, list[EngagementRequest]]:
    """Return what an answer settles, and what remains to be requested.

    The first is the answer, with exactly the request that it settles; None if it refuses all of it.
    No post and type occurs twice in the second.
    """
    if answer.status == HTTPStatus.OK:
        return answer, []
    settled, left = split_refused(answer)
    return (None, []) if settled is None else (replace(answer, request=settled), left)


def halves(request: EngagementRequest) -> list[EngagementRequest]:
    """Return two requests for half of the posts each; none if there is only one post.

    >>> import engagement_pandas as ep
    >>> [part.post_ids for part in halves(ep.totals([1, 2, 3], engagement_types=["favorites"]))]
    [('1',), ('2', '3')]
    """
    ids = request.post_ids
    middle = len(ids) // 2
    return [request.replace(post_ids=part) for part in (ids[:middle], ids[middle:]) if middle]


def split_refused(
    refusal: EngagementResponse,
) -> tuple[EngagementRequest | None, list[EngagementRequest]]:
    """Divide a refused request into what the refusal settles and what to request again.

    The first has the posts and types that the refusal names. It is None if the refusal names
    nothing that was requested, and so concerns the complete request. No post and type occurs
    twice in the rest.
    """
    request = refusal.request
    try:
        envelope = refusal.envelope()
    except ResponseShapeError:
        return None, []
    for posts, types in _named(refusal.status, envelope):
        refused = tuple(p for p in request.post_ids if posts is None or p in posts)
        others = tuple(p for p in request.post_ids if posts is not None and p not in posts)
        refused_types = tuple(t for t in request.engagement_types if types is None or t in types)
        rest = tuple(t for t in request.engagement_types if types is not None and t not in types)
        if not refused or not refused_types:
            continue
        left = [request.replace(post_ids=others)] if others else []
        if rest:
            left.append(request.replace(post_ids=refused, engagement_types=rest))
        return request.replace(post_ids=refused, engagement_types=refused_types), left
    return None, []


def _named(
    status: int, envelope: Envelope
) -> Iterator[tuple[frozenset[str] | None, frozenset[str] | None]]:
    """Yield the posts and the types that a refusal names; None for all of them."""
    if status == HTTPStatus.FORBIDDEN:
        yield envelope.forbidden_posts(), None
        yield None, envelope.forbidden_types()
    elif status == HTTPStatus.BAD_REQUEST:
        yield envelope.unavailable, None
        for posts in dict.fromkeys(envelope.unsupported.values()):
            yield posts, frozenset(t for t, old in envelope.unsupported.items() if old == posts)
