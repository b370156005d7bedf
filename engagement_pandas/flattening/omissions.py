"""Omissions: what was requested and has no count, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import pandas as pd

from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.flattening.compare_with_request import AnswerSummary, summarize
from engagement_pandas.flattening.flatten import ANSWERED, gathered
from engagement_pandas.flattening.time_buckets import UNITS, time_dimensions
from engagement_pandas.frame.contract import OMISSION_COLUMNS, REASONS, REQUIRED_OMISSION_COLUMNS
from engagement_pandas.response.envelope import Envelope
from engagement_pandas.response.reasons_in_errors import reason_of
from engagement_pandas.response.response import NOT_SENT, EngagementResponse
from engagement_pandas.vocabulary.omission_reasons import OMISSION_REASONS, OmissionReason

FORBIDDEN: Final = 403

# Reasons without known wording in the API: they get its remaining messages.
_UNNAMED: Final = (OmissionReason.NOT_ANSWERED, OmissionReason.REFUSED)

_LONGEST: Final = 2_000  # characters of a message, which may repeat in thousands of rows

Moments = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Omission:
    """One row; ``type`` is None if it applies to all types, ``window`` None for totals."""

    post: str
    type: str | None
    reason: OmissionReason
    message: str
    window: Moments | None


def omissions(
    responses: EngagementResponse | Iterable[EngagementResponse], *, retrieved_at: bool = False
) -> pd.DataFrame:
    """Return what was requested and has no count, and why.

    Every requested post is in the counts or here, and every ``<NA>`` in the counts has its
    reason here. Reasons apply to the response, whichever grouping is flattened.

    Parameters
    ----------
    responses : EngagementResponse or iterable of EngagementResponse
        As for :func:`flatten`, including error responses.
    retrieved_at : bool
        Add the time of each response as a last column ``retrieved_at``
        (``datetime64[us, UTC]``); an omission in several responses then has one row for each.

    Returns
    -------
    DataFrame
        One row per omission, sorted, without duplicates: ``post_id`` (``str``),
        ``engagement_type`` (``str``, missing if it applies to all types), ``reason``
        (category of ``unavailable``, ``forbidden``, ``unsupported_age``,
        ``before_counting``, ``not_yet_posted``, ``refused``, ``not_answered``,
        ``unauthorized``, ``invalid_answer``), ``message`` (``str``, the API's message if
        there is one), and the window: ``start`` and ``end`` (``datetime64[us, UTC]``,
        ``NaT`` for totals).

    Raises
    ------
    RequestError
        If there are no responses.
    ResponseShapeError
        If the JSON does not match the request; ``path`` is the location.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> request = ep.totals(["123", "456"], engagement_types=["favorites"])
    >>> body = {"by_post": {"123": {"favorites": "67"}}, "unavailable_tweet_ids": ["456"]}
    >>> omissions(ep.EngagementResponse(request, body))[["post_id", "reason", "message"]]
      post_id       reason                          message
    0     456  unavailable  deleted, suspended or protected
    """
    found = {
        (row, response.retrieved_at if retrieved_at else None)
        for response in gathered(responses)
        for row in _omissions(response)
    }
    reasons = list(OmissionReason)
    ordered = sorted(
        found,
        key=lambda item: (
            item[0].post,
            item[0].type or "",
            reasons.index(item[0].reason),
            item[0].window or (),
            item[0].message,
            item[1] or (),
        ),
    )
    columns: dict[str, Any] = {
        "post_id": [row.post for row, _ in ordered],
        "engagement_type": [row.type for row, _ in ordered],
        "reason": [str(row.reason) for row, _ in ordered],
        "message": [row.message for row, _ in ordered],
        "start": [row.window and row.window[0] for row, _ in ordered],
        "end": [row.window and row.window[1] for row, _ in ordered],
        "retrieved_at": [moment for _, moment in ordered],
    }
    dtypes: dict[str, Any] = {**OMISSION_COLUMNS, "reason": REASONS}
    names = OMISSION_COLUMNS if retrieved_at else REQUIRED_OMISSION_COLUMNS
    return pd.DataFrame({name: pd.Series(columns[name], dtype=dtypes[name]) for name in names})


def _omissions(response: EngagementResponse) -> Iterator[Omission]:
    request = response.request
    if response.status != ANSWERED:
        window = None
        if request.window is not None:
            window = request.window.start, request.window.end
        finder = _ReasonFinder(response, _envelope(response), window)
        for post in request.post_ids:
            if response.status == NOT_SENT:
                reason = response.reason or OmissionReason.NOT_YET_POSTED
                yield finder.omission(post, None, reason, "; ".join(finder.envelope.errors))
            else:
                yield from finder.uncounted(post)
        return
    for grouping in request.groupings:
        answer = summarize(response, grouping)
        window = None if answer.span is None else answer.span.bounds
        finder = _ReasonFinder(response, answer.envelope, window)
        for post in request.post_ids:
            counted = post in answer.posts
            yield from finder.counted(post, answer) if counted else finder.uncounted(post)
        yield from _gaps(answer, finder)


def _envelope(response: EngagementResponse) -> Envelope:
    try:
        return response.envelope()
    except ResponseShapeError:  # an error response may be a proxy's HTML page
        return Envelope(errors=(f"HTTP {response.status}",))


@dataclass(frozen=True, slots=True)
class _ReasonFinder:
    """Finds the reasons for omissions in one response."""

    response: EngagementResponse
    envelope: Envelope
    window: Moments | None
    messages: Mapping[OmissionReason | None, str] = field(init=False)

    def __post_init__(self) -> None:
        found: defaultdict[OmissionReason | None, list[str]] = defaultdict(list)
        for text in self.envelope.errors:
            found[reason_of(text)].append(text)
        messages = {reason: _cut("; ".join(texts)) for reason, texts in found.items()}
        object.__setattr__(self, "messages", messages)

    def uncounted(self, post: str) -> Iterator[Omission]:
        """Yield the reasons why a post has no counts at all."""
        if post in self.envelope.unavailable:
            yield self.omission(post, None, OmissionReason.UNAVAILABLE)
        elif post in self.envelope.forbidden_posts():
            words = self.envelope.forbidden_message(post)
            yield self.omission(post, None, OmissionReason.FORBIDDEN, words)
        else:
            reasons = {
                engagement_type: self.reason(post, engagement_type)
                for engagement_type in self.response.request.engagement_types
            }
            if any(reasons.values()):
                for engagement_type, reason in reasons.items():
                    yield self.omission(
                        post, engagement_type, reason or OmissionReason.NOT_ANSWERED
                    )
            elif self.response.status == FORBIDDEN and not self.envelope.forbidden_posts():
                yield self.omission(post, None, OmissionReason.REFUSED)
            else:
                yield self.omission(post, None, OmissionReason.NOT_ANSWERED)

    def counted(self, post: str, answer: AnswerSummary) -> Iterator[Omission]:
        """Yield the types of a counted post whose zeros are not counts."""
        for engagement_type in answer.types:
            if post in self.envelope.unsupported.get(engagement_type, ()):
                yield self.omission(post, engagement_type, OmissionReason.UNSUPPORTED_AGE)
        for engagement_type in answer.false_before:
            yield self.omission(post, engagement_type, OmissionReason.BEFORE_COUNTING)

    def reason(self, post: str, engagement_type: str) -> OmissionReason | None:
        """Return why a post has no count of a type, if the response states it."""
        if post in self.envelope.unsupported.get(engagement_type, ()):
            return OmissionReason.UNSUPPORTED_AGE
        if engagement_type in self.envelope.forbidden_types():
            return OmissionReason.REFUSED
        return None

    def omission(
        self,
        post: str,
        engagement_type: str | None,
        reason: OmissionReason,
        message: str | None = None,
    ) -> Omission:
        """Return a row, with the API's message if there is one."""
        words = self.messages.get(reason, "")
        if not words and reason in _UNNAMED:
            words = self.messages.get(None, "")
        text = _cut(message or words or OMISSION_REASONS[reason])
        return Omission(
            post,
            None if engagement_type is None else str(engagement_type),
            reason,
            text,
            self.window,
        )


def _gaps(answer: AnswerSummary, finder: _ReasonFinder) -> Iterator[Omission]:
    unit = UNITS[time_dimensions(answer.dimensions)]
    for gap in answer.gaps:
        for post in [gap.post] if gap.post else sorted(answer.posts):
            reason = finder.reason(post, gap.type)
            message = None
            if reason is None and gap.cells > 1:
                message = f"{gap.missing:,} of {gap.cells:,} {unit} are not in the answer"
            yield finder.omission(post, gap.type, reason or OmissionReason.NOT_ANSWERED, message)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
