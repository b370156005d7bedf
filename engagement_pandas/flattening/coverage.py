"""The window that all counts of some responses cover, exact to the second."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from engagement_pandas.flattening.reconcile import ReconciledAnswer
from engagement_pandas.request.post_ids import created_at
from engagement_pandas.vocabulary import Dimension, Endpoint

_HOUR: Final = timedelta(hours=1)
_LAST: Final = timedelta(hours=28)
_SPREAD: Final = timedelta(minutes=1)
"""Maximum difference between the ends of responses that share an end."""

_Stretch = tuple[datetime, datetime]


def coverage(answers: Sequence[ReconciledAnswer]) -> dict[str, str]:
    """Return ``start`` and ``end`` of the window of every post's counts, for ``attrs``.

    The answers are from one endpoint, with the same dimensions. Texts are ISO, UTC: for
    ``/28hr`` the 28 hours before the responses arrived, within the window they state; for
    ``/historical`` the windows. Empty for totals, and if days or sums have windows that differ
    between posts, so that they share no start or end.
    """
    if not answers or not answers[0].response.request.endpoint.facts.time_series:
        return {}
    stretches = [_stretch(answer) for answer in answers]
    if answers[0].response.request.endpoint is Endpoint.LAST_28_HOURS:
        start, first_end = max(one[0] for one in stretches), min(one[1] for one in stretches)
        end = max(one[1] for one in stretches)
        apart = end - first_end > _SPREAD or _floor(end) != _floor(first_end)
        return _told(start, _floor(first_end) if apart else first_end)
    hourly = {Dimension.DAY, Dimension.HOUR} <= {*answers[0].grouping.dimensions}
    posts = [() if hourly else answer.response.request.post_ids for answer in answers]
    return united([(*one, whose) for one, whose in zip(stretches, posts, strict=True)])


def united(windows: Sequence[tuple[datetime, datetime, Sequence[str]]]) -> dict[str, str]:
    """Return ``start`` and ``end`` of the union of windows, at least one.

    A window has a start, an end and posts. The posts matter if days or sums do not show which
    hours they include; pass none if rows show it.
    """
    start, end = min(one[0] for one in windows), max(one[1] for one in windows)
    return _told(start if _alike(windows, start, end) else end, end)


def common(parts: Sequence[_Stretch]) -> dict[str, str] | None:
    """Return the common window of several parts of ``/28hr``, each from :func:`coverage`.

    None if it is unknown, since a part states the first end of its responses and not the
    last: ends within a minute of each other may be further apart.
    """
    start, first_end = max(one[0] for one in parts), min(one[1] for one in parts)
    end = max(one[1] for one in parts)
    if end - first_end > _SPREAD or _floor(end) != _floor(first_end):
        return _told(start, _floor(first_end))
    return _told(start, end) if first_end == end else None


def _told(start: datetime, end: datetime) -> dict[str, str]:
    return {"start": start.isoformat(), "end": end.isoformat()} if start < end else {}


def _stretch(answer: ReconciledAnswer) -> _Stretch:
    """Return start and end of the window that a response counts."""
    request, named = answer.response.request, answer.envelope
    if request.window is not None:
        return request.window.start, request.window.end
    at = answer.response.retrieved_at.astimezone(UTC)
    if named.start is None or named.end is None:
        return at - _LAST, at
    # The window stated by /28hr is rounded outwards to whole hours.
    start, end = max(named.start, at - _LAST), min(named.end, at)
    return (start, end) if start < end else (named.start, named.end)


def _alike(
    stretches: Sequence[tuple[datetime, datetime, Sequence[str]]], start: datetime, end: datetime
) -> bool:
    """Return whether each post is covered without gaps from its creation, or the start."""
    windows: dict[str, list[_Stretch]] = defaultdict(list)
    for first, last, posts in stretches:
        for post in posts:
            windows[post].append((first, last))
    for post, own in windows.items():
        own.sort()
        made = created_at(post)
        since = own[0][0] if made is not None and made >= own[0][0] else start
        met = all(one[1] == other[0] for one, other in pairwise(own))
        if not met or own[0][0] != since or own[-1][1] != end:
            return False
    return True


def _floor(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
