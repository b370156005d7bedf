"""The stretch of time that all counts of some answers cover, exact to the second."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from engagement_pandas.flattening.answers import Answer
from engagement_pandas.posts import created_at
from engagement_pandas.vocabulary import Dimension, Endpoint

_HOUR: Final = timedelta(hours=1)
_LAST: Final = timedelta(hours=28)
_SPREAD: Final = timedelta(minutes=1)
"""Answers that are further apart than this have no last instant in common."""

_Stretch = tuple[datetime, datetime]


def coverage(answers: Sequence[Answer]) -> dict[str, str]:
    """Return ``start`` and ``end`` of what each post's counts cover, for ``attrs``.

    Parameters
    ----------
    answers : sequence of Answer
        Of one endpoint and the same dimensions.

    Returns
    -------
    dict
        ISO texts, UTC: of ``/28hr`` the 28 hours before the answers came, within what they
        name; of ``/historical`` the windows. Empty for totals, and where days or sums are of
        windows that differ from post to post, so that some edge is not that of all.
    """
    if not answers or not answers[0].response.request.endpoint.facts.time_series:
        return {}
    stretches = [_stretch(answer) for answer in answers]
    start, end = min(one[0] for one in stretches), max(one[1] for one in stretches)
    if answers[0].response.request.endpoint is Endpoint.LAST_28_HOURS:
        start, first_end = max(one[0] for one in stretches), min(one[1] for one in stretches)
        apart = end - first_end > _SPREAD or _floor(end) != _floor(first_end)
        end = _floor(first_end) if apart else first_end
    elif {Dimension.DAY, Dimension.HOUR} - {*answers[0].grouping.dimensions}:
        # Within a day, rows do not show which hours are in it.
        start, end = (start, end) if _alike(answers, stretches, start, end) else (end, end)
    if start >= end:
        return {}
    return {"start": start.isoformat(), "end": end.isoformat()}


def _stretch(answer: Answer) -> _Stretch:
    """Return from when to when an answer counts."""
    request, named = answer.response.request, answer.envelope
    if request.window is not None:
        return request.window.start, request.window.end
    at = answer.response.retrieved_at.astimezone(UTC)
    if named.start is None or named.end is None:
        return at - _LAST, at
    # What /28hr names is rounded to whole hours, outwards.
    start, end = max(named.start, at - _LAST), min(named.end, at)
    return (start, end) if start < end else (named.start, named.end)


def _alike(
    answers: Sequence[Answer], stretches: Sequence[_Stretch], start: datetime, end: datetime
) -> bool:
    """Whether each post is covered from its making, or the start, to the end, without gaps."""
    windows: dict[str, list[_Stretch]] = defaultdict(list)
    for answer, stretch in zip(answers, stretches, strict=True):
        for post in answer.response.request.post_ids:
            windows[post].append(stretch)
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
