"""The window that all counts of some responses cover, exact to the second."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from engagement_pandas.flattening.compare_with_request import AnswerSummary
from engagement_pandas.request.post_ids import created_at
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.vocabulary.dimensions import Dimension
from engagement_pandas.vocabulary.endpoints import Endpoint

_HOUR: Final = timedelta(hours=1)
_LAST: Final = timedelta(hours=28)
_SPREAD: Final = timedelta(minutes=1)
"""Maximum difference between the ends of responses that share an end."""

_Stretch = tuple[datetime, datetime]

Answer = tuple[EngagementResponse, AnswerSummary]
"""A response of status 200, and what it counts."""


def covered_window(answers: Sequence[Answer]) -> dict[str, str]:
    """Return ``start`` and ``end`` of the window of every post's counts, for ``attrs``.

    The answers are from one endpoint, with the same dimensions. Texts are ISO, UTC: for
    ``/28hr`` the 28 hours before the responses arrived, within the window they state; for
    ``/historical`` the windows. Empty for totals, and if days or sums have windows that differ
    between posts, so that they share no start or end.
    """
    if not answers or not answers[0][0].request.endpoint.facts.time_series:
        return {}
    stretches = [_stretch(response, summary) for response, summary in answers]
    if answers[0][0].request.endpoint is Endpoint.LAST_28_HOURS:
        return _intersection(stretches)[0]
    hourly = {Dimension.DAY, Dimension.HOUR} <= {*answers[0][1].dimensions}
    posts = [() if hourly else response.request.post_ids for response, _ in answers]
    return union_window([(*stretch, ids) for stretch, ids in zip(stretches, posts, strict=True)])


def union_window(windows: Sequence[tuple[datetime, datetime, Sequence[str]]]) -> dict[str, str]:
    """Return ``start`` and ``end`` of the union of windows, at least one.

    A window has a start, an end and posts. The posts matter if days or sums do not show which
    hours they include; pass none if rows show it.
    """
    start, end = min(first for first, _, _ in windows), max(last for _, last, _ in windows)
    return _attrs(start if _alike(windows, start, end) else end, end)


def common_window(parts: Sequence[_Stretch]) -> dict[str, str] | None:
    """Return the common window of several parts of ``/28hr``, each from :func:`covered_window`.

    None if it is unknown, since a part states the first end of its responses and not the
    last: ends within a minute of each other may be further apart.
    """
    attrs, is_exact = _intersection(parts)
    return attrs if is_exact else None


def _intersection(parts: Sequence[_Stretch]) -> tuple[dict[str, str], bool]:
    """Return the common window, and whether the ends of the parts determine it."""
    start, first_end = max(start for start, _ in parts), min(end for _, end in parts)
    end = max(end for _, end in parts)
    apart = end - first_end > _SPREAD or _floor(end) != _floor(first_end)
    return _attrs(start, _floor(first_end) if apart else first_end), apart or first_end == end


def _attrs(start: datetime, end: datetime) -> dict[str, str]:
    return {"start": start.isoformat(), "end": end.isoformat()} if start < end else {}


def _stretch(response: EngagementResponse, summary: AnswerSummary) -> _Stretch:
    """Return start and end of the window that a response counts."""
    window, stated = response.request.window, summary.envelope
    if window is not None:
        return window.start, window.end
    at = response.retrieved_at.astimezone(UTC)
    if stated.start is None or stated.end is None:
        return at - _LAST, at
    # The window stated by /28hr is rounded outwards to complete hours.
    start, end = max(stated.start, at - _LAST), min(stated.end, at)
    return (start, end) if start < end else (stated.start, stated.end)


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
        met = all(before[1] == after[0] for before, after in pairwise(own))
        if not met or own[0][0] != since or own[-1][1] != end:
            return False
    return True


def _floor(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
