"""What would be lost with an answer: a grouping that is not in it, and the posts with it.

JSON of status 200 need not be an answer: a proxy, or a service on its knees, has said other
things before. The asking side looks no deeper than this; the counts are read later.
"""

from __future__ import annotations

from engagement_pandas.envelope import Envelope
from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.response import EngagementResponse
from engagement_pandas.wording import listed, spot


def accounted(response: EngagementResponse, envelope: Envelope) -> frozenset[str]:
    """Return the posts asked for of which the answer itself says why it counts nothing."""
    request = response.request
    refused = envelope.forbidden_types()
    left = [kind for kind in request.engagement_types if kind not in refused]
    without = set(envelope.unavailable | envelope.forbidden_posts())
    for post in request.post_ids:
        if all(post in envelope.unsupported.get(kind, ()) for kind in left):
            without.add(post)
    return frozenset(without.intersection(request.post_ids))


def refuse_losses(response: EngagementResponse, envelope: Envelope, name: str) -> None:
    """Refuse an answer without a grouping, unless it accounts for every post.

    Parameters
    ----------
    response : EngagementResponse
        Of status 200.
    envelope : Envelope
        Its own.
    name : str
        Of the grouping.

    Raises
    ------
    ResponseShapeError
        With the first post that is lost; ``path`` is the grouping's.
    """
    if name in envelope.groupings:
        return
    told = accounted(response, envelope)
    post = next((post for post in response.request.post_ids if post not in told), None)
    if post is not None:
        said = f"; it says {list(envelope.errors)}" if envelope.errors else ""
        found = f"the answer holds the groupings {listed(envelope.groupings)}"
        msg = f"the grouping is missing, and with it post {post}: {found}{said}"
        raise ResponseShapeError(msg, spot(name))


def losses(response: EngagementResponse) -> str | None:
    """Tell what would be lost with an answer of status 200; None where nothing would.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> request = ep.totals(["7"], engagement_types=["favorites"])
    >>> losses(ep.EngagementResponse(request, {"data": []}))
    "the grouping is missing, and with it post 7: ... ['data'] (at $['by_post'])"
    >>> losses(ep.EngagementResponse(request, {"by_post": {"7": {"favorites": "1"}}})) is None
    True
    >>> losses(ep.EngagementResponse(request, {"unavailable_tweet_ids": ["7"]})) is None
    True
    """
    try:
        envelope = response.envelope()
        for grouping in response.request.groupings:
            refuse_losses(response, envelope, grouping.name)
    except ResponseShapeError as error:
        return str(error)
    return None
