"""Omissions over time: since when something has had no count, and when last reported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any, Final

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.contract import (
    OMISSION_COLUMNS,
    REASONS,
    REQUIRED_OMISSION_COLUMNS,
    TEXT,
    check_omissions,
    timestamps,
)
from engagement_pandas.vocabulary.omission_reasons import OmissionReason

OMISSION_SPAN_COLUMNS: Final = {
    **{name: OMISSION_COLUMNS[name] for name in REQUIRED_OMISSION_COLUMNS},
    "first_retrieved_at": OMISSION_COLUMNS["retrieved_at"],
    "retrieved_at": OMISSION_COLUMNS["retrieved_at"],
}
"""Columns of stored omissions, with the times of the first and the last report."""

_FAILED: Final = frozenset({OmissionReason.UNAUTHORIZED, OmissionReason.INVALID_ANSWER})

_OF_THE_POST: Final = _FAILED | {
    OmissionReason.UNAVAILABLE,
    OmissionReason.FORBIDDEN,
    OmissionReason.REFUSED,
}

_MAX_INTERVAL: Final = timedelta(days=1)
"""Maximum interval until a failed request is sent again; the owner may authorise the app."""

_WITH_ROWS: Final = frozenset({OmissionReason.UNSUPPORTED_AGE, OmissionReason.BEFORE_COUNTING})
"""Reasons whose hours are in the counts as ``<NA>``, with their retrieval time."""


@dataclass(frozen=True, slots=True)
class OmissionSpan:
    """One row; ``engagement_type`` is None if it applies to all types."""

    post_id: str
    engagement_type: str | None
    reason: OmissionReason
    message: str
    start: datetime
    end: datetime
    first_retrieved_at: datetime
    retrieved_at: datetime

    @property
    def all_hours(self) -> bool:
        """Whether the reason applies to the post or type as such, and not to single hours.

        Then frequent requests are of no use; and once it ends, all hours are available.
        """
        return self.reason in _OF_THE_POST or (
            self.reason is OmissionReason.NOT_ANSWERED and self.engagement_type is None
        )

    def too_early(self, now: datetime) -> bool:
        """Return whether it is too early to request the counts again.

        The interval doubles with each request: an omission that lasts for good is requested
        about thirteen times in its first year, and four times in the next fifteen. Failed
        requests are repeated at least daily.
        """
        interval = self.retrieved_at - self.first_retrieved_at
        if self.reason in _FAILED:
            interval = min(interval, _MAX_INTERVAL)
        return now - self.retrieved_at < interval

    @property
    def _subject(self) -> tuple[str, str, str]:
        return self.post_id, self.engagement_type or "", self.reason


def omission_spans(omissions: Any, retrieved_at: datetime | None = None) -> list[OmissionSpan]:
    """Return omissions with their retrieval time, except hours before a post's creation.

    Without ``retrieved_at``, the omissions have a column of that name.
    """
    check_omissions(omissions)
    if omissions[["start", "end"]].isna().any(axis=None):
        msg = "the omissions have no window; a data set stores those of historical()"
        raise FrameError(msg)
    moments = omissions["retrieved_at"] if retrieved_at is None else retrieved_at
    reported = omissions.assign(first_retrieved_at=moments, retrieved_at=moments)
    return [
        span
        for span in read_omission_spans(reported)
        if span.reason is not OmissionReason.NOT_YET_POSTED
    ]


def read_omission_spans(frame: pd.DataFrame) -> list[OmissionSpan]:
    """Return the rows of a frame."""
    columns = [
        [None if missing else value for value, missing in zip(column, column.isna(), strict=True)]
        if name == "engagement_type"
        else [OmissionReason(value) for value in column]
        if name == "reason"
        else [moment.to_pydatetime() for moment in column]
        if pd.api.types.is_datetime64_any_dtype(column)
        else column.to_list()
        for name, column in frame[list(OMISSION_SPAN_COLUMNS)].items()
    ]
    return [OmissionSpan(*row) for row in zip(*columns, strict=True)]


def as_frame(spans: list[OmissionSpan]) -> pd.DataFrame:
    """Return omissions as a frame, sorted."""
    ordered = sorted(spans, key=lambda span: (span._subject, span.start))  # noqa: SLF001
    dtypes: dict[str, Any] = {**OMISSION_SPAN_COLUMNS, "reason": REASONS}
    return pd.DataFrame(
        {
            name: pd.Series([getattr(span, name) for span in ordered], dtype=dtype)
            for name, dtype in dtypes.items()
        }
    )


def merge_adjacent(spans: list[OmissionSpan]) -> list[OmissionSpan]:
    """Merge omissions of the same subject that touch or overlap.

    For a post or type as such, the span covers the first to the last report. For single
    hours, each hour keeps its own first and last report, so only hours with the same times
    are merged. Hours that are ``<NA>`` in the counts, where their retrieval time is stored,
    may be merged with adjacent ones; the result never has a later time than they had.

    >>> at = [datetime(2026, 3, 1, hour) for hour in range(4)]
    >>> reason = OmissionReason.UNAVAILABLE
    >>> first = OmissionSpan("7", None, reason, "gone", at[0], at[1], at[1], at[1])
    >>> (both,) = merge_adjacent([first, replace(first, end=at[2], first_retrieved_at=at[3],
    ...                                  retrieved_at=at[3])])
    >>> [moment.hour for moment in (both.start, both.end, both.first_retrieved_at)]
    [0, 2, 1]
    """
    ordered = sorted(spans, key=lambda span: (span._subject, span.start))  # noqa: SLF001
    return [
        span
        for _, alike in groupby(ordered, key=lambda span: span._subject)  # noqa: SLF001
        for span in _unbroken(list(alike))
    ]


def _unbroken(alike: list[OmissionSpan]) -> Iterator[OmissionSpan]:
    parts = alike if alike[0].all_hours else list(_hourly(alike))
    current = parts[0]
    for span in parts[1:]:
        both = _merged(current, span)
        if both is None:
            yield current
        current = both or span
    yield current


def _merged(before: OmissionSpan, after: OmissionSpan) -> OmissionSpan | None:
    """Merge two spans; None if they do not touch or may not be merged."""
    if after.start > before.end:
        return None
    first = before.first_retrieved_at, after.first_retrieved_at
    last = before.retrieved_at, after.retrieved_at
    if before.all_hours:
        latest = max(before, after, key=lambda span: (span.retrieved_at, span.message))
        end = max(before.end, after.end)
        return replace(latest, start=before.start, end=end, first_retrieved_at=min(first))
    alike = (first[0], last[0]) == (first[1], last[1]) or before.reason in _WITH_ROWS
    if before.message != after.message or not alike:
        return None
    return replace(
        before, end=after.end, first_retrieved_at=min(max(first), *last), retrieved_at=min(last)
    )


def _hourly(alike: list[OmissionSpan]) -> Iterator[OmissionSpan]:
    """Divide spans where others start or end, so that each hour is in one, with its times."""
    ends = sorted({moment for span in alike for moment in (span.start, span.end)})
    waiting, active = alike[::-1], list[OmissionSpan]()
    for start, end in pairwise(ends):
        active = [span for span in active if span.end > start]
        while waiting and waiting[-1].start <= start:
            active.append(waiting.pop())
        if active:
            latest = max(active, key=lambda span: (span.retrieved_at, span.message))
            first = min(span.first_retrieved_at for span in active)
            yield replace(latest, start=start, end=end, first_retrieved_at=first)


def without_counted(spans: list[OmissionSpan], counts: pd.DataFrame) -> list[OmissionSpan]:
    """Return the omissions that counts have not ended, reduced to the hours without a count.

    An omission of a post or type as such ends with any count retrieved later. One of single
    hours ends for each hour with a count retrieved later or at the same time. The counts have
    ``retrieved_at``.
    """
    posts = {span.post_id for span in spans}
    known = counts[counts["count"].notna() & counts["post_id"].isin(posts)]
    if known.empty:
        return spans
    hours = pd.DataFrame(
        {
            "post_id": known["post_id"],
            "engagement_type": known["engagement_type"].astype(TEXT),
            "hour": timestamps(known),
            "retrieved_at": known["retrieved_at"],
        }
    )
    by_post = dict(iter(hours.groupby("post_id")))
    return [part for span in spans for part in _remaining(span, by_post.get(span.post_id))]


def _remaining(span: OmissionSpan, counted: pd.DataFrame | None) -> Iterator[OmissionSpan]:
    """Yield the parts of an omission that remain after counts of its post."""
    if counted is None:
        yield span
        return
    if span.engagement_type is not None:
        counted = counted[counted["engagement_type"] == span.engagement_type]
    if span.all_hours:
        if not (counted["retrieved_at"] > span.retrieved_at).any():
            yield span
        return
    within = (counted["hour"] >= span.start) & (counted["hour"] < span.end)
    ended = counted["hour"][within & (counted["retrieved_at"] >= span.retrieved_at)]
    start = span.start
    for moment in [*sorted(set(ended.array.to_pydatetime())), span.end]:
        if start < moment:
            yield replace(span, start=start, end=moment)
        start = moment + timedelta(hours=1)
