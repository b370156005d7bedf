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
    TOLD,
    check_omissions,
    timestamps,
)
from engagement_pandas.vocabulary import OmissionReason

OMISSION_SPAN_COLUMNS: Final = {
    **{name: OMISSION_COLUMNS[name] for name in TOLD},
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

_LONGEST_REST: Final = timedelta(days=1)
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
    def whole(self) -> bool:
        """Whether the reason concerns the post or type as such, and not single hours.

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
        rest = self.retrieved_at - self.first_retrieved_at
        if self.reason in _FAILED:
            rest = min(rest, _LONGEST_REST)
        return now - self.retrieved_at < rest

    @property
    def _subject(self) -> tuple[str, str, str]:
        return self.post_id, self.engagement_type or "", self.reason


def omission_spans(omissions: Any, retrieved_at: datetime | None = None) -> list[OmissionSpan]:
    """Return omissions with their retrieval time, except hours before a post's creation.

    Without ``retrieved_at``, the omissions have a column of that name.
    """
    check_omissions(omissions)
    if omissions[["start", "end"]].isna().any(axis=None):
        msg = "the omissions are of no window; a data set keeps those of historical()"
        raise FrameError(msg)
    moments = omissions["retrieved_at"] if retrieved_at is None else retrieved_at
    heard = omissions.assign(first_retrieved_at=moments, retrieved_at=moments)
    return [
        silence
        for silence in read_omission_spans(heard)
        if silence.reason is not OmissionReason.NOT_YET_POSTED
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
    ordered = sorted(spans, key=lambda one: (one._subject, one.start))  # noqa: SLF001
    dtypes: dict[str, Any] = {**OMISSION_SPAN_COLUMNS, "reason": REASONS}
    return pd.DataFrame(
        {
            name: pd.Series([getattr(one, name) for one in ordered], dtype=dtype)
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
    ordered = sorted(spans, key=lambda one: (one._subject, one.start))  # noqa: SLF001
    return [
        one
        for _, alike in groupby(ordered, key=lambda one: one._subject)  # noqa: SLF001
        for one in _unbroken(list(alike))
    ]


def _unbroken(alike: list[OmissionSpan]) -> Iterator[OmissionSpan]:
    parts = alike if alike[0].whole else list(_hourly(alike))
    current = parts[0]
    for one in parts[1:]:
        both = _merged(current, one)
        if both is None:
            yield current
        current = both or one
    yield current


def _merged(before: OmissionSpan, after: OmissionSpan) -> OmissionSpan | None:
    """Merge two spans; None if they do not touch or may not be merged."""
    if after.start > before.end:
        return None
    first = before.first_retrieved_at, after.first_retrieved_at
    last = before.retrieved_at, after.retrieved_at
    if before.whole:
        latest = max(before, after, key=lambda one: (one.retrieved_at, one.message))
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
    ends = sorted({moment for one in alike for moment in (one.start, one.end)})
    waiting, active = alike[::-1], list[OmissionSpan]()
    for start, end in pairwise(ends):
        active = [one for one in active if one.end > start]
        while waiting and waiting[-1].start <= start:
            active.append(waiting.pop())
        if active:
            latest = max(active, key=lambda one: (one.retrieved_at, one.message))
            first = min(one.first_retrieved_at for one in active)
            yield replace(latest, start=start, end=end, first_retrieved_at=first)


def without_counted(spans: list[OmissionSpan], counts: pd.DataFrame) -> list[OmissionSpan]:
    """Return the omissions that counts have not ended, reduced to the hours without a count.

    An omission of a post or type as such ends with any count retrieved later. One of single
    hours ends for each hour with a count retrieved later or at the same time. The counts have
    ``retrieved_at``.
    """
    posts = {one.post_id for one in spans}
    spoke = counts[counts["count"].notna() & counts["post_id"].isin(posts)]
    if spoke.empty:
        return spans
    hours = pd.DataFrame(
        {
            "post_id": spoke["post_id"],
            "engagement_type": spoke["engagement_type"].astype("str"),
            "hour": timestamps(spoke),
            "retrieved_at": spoke["retrieved_at"],
        }
    )
    by_post = dict(iter(hours.groupby("post_id")))
    return [left for one in spans for left in _left(one, by_post.get(one.post_id))]


def _left(one: OmissionSpan, counted: pd.DataFrame | None) -> Iterator[OmissionSpan]:
    """Yield the parts of an omission that remain after counts of its post."""
    if counted is None:
        yield one
        return
    if one.engagement_type is not None:
        counted = counted[counted["engagement_type"] == one.engagement_type]
    if one.whole:
        if not (counted["retrieved_at"] > one.retrieved_at).any():
            yield one
        return
    within = (counted["hour"] >= one.start) & (counted["hour"] < one.end)
    ended = counted["hour"][within & (counted["retrieved_at"] >= one.retrieved_at)]
    start = one.start
    for moment in [*sorted(set(ended.dt.to_pydatetime())), one.end]:
        if start < moment:
            yield replace(one, start=start, end=moment)
        start = moment + timedelta(hours=1)
