"""Silences that last: since when something has had no count, and when that was last heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame import OMISSION_COLUMNS, REASONS, TOLD, check_omissions
from engagement_pandas.vocabulary import OmissionReason

SILENCE_COLUMNS: Final = {
    **{name: OMISSION_COLUMNS[name] for name in TOLD},
    "first_retrieved_at": OMISSION_COLUMNS["retrieved_at"],
    "retrieved_at": OMISSION_COLUMNS["retrieved_at"],
}
"""Of omissions that are kept: also when each was heard first, and last."""

_OF_THE_POST: Final = frozenset(
    {OmissionReason.UNAVAILABLE, OmissionReason.FORBIDDEN, OmissionReason.REFUSED}
)


@dataclass(frozen=True, slots=True)
class Silence:
    """One row; ``engagement_type`` is None where it goes for all of them."""

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
        """Whether it is about the post or type as such, and not about single hours.

        Then there is no use in asking on and on; and if it ends, all hours can be had.
        """
        return self.reason in _OF_THE_POST or (
            self.reason is OmissionReason.NOT_ANSWERED and self.engagement_type is None
        )

    def rests(self, now: datetime) -> bool:
        """Tell whether it is too early to ask again.

        Each time the silence has to have lasted twice as long: what is gone for good is asked
        for some thirteen times in its first year, and four times in the fifteen after.
        """
        return now - self.retrieved_at < self.retrieved_at - self.first_retrieved_at

    @property
    def _subject(self) -> tuple[str, str, str]:
        return self.post_id, self.engagement_type or "", self.reason


def silences_of(omissions: Any, retrieved_at: datetime | None = None) -> list[Silence]:
    """Return omissions, heard at that moment; but for what was not asked, before a post.

    Without a moment, when each was heard is in its column ``retrieved_at``.

    Raises
    ------
    FrameError
        Where it is no frame of omissions, or one of totals, which have no window.
    """
    check_omissions(omissions)
    if omissions[["start", "end"]].isna().any(axis=None):
        msg = "the omissions are of no window; a data set keeps those of historical()"
        raise FrameError(msg)
    moments = omissions["retrieved_at"] if retrieved_at is None else retrieved_at
    heard = omissions.assign(first_retrieved_at=moments, retrieved_at=moments)
    return [
        silence
        for silence in read_silences(heard)
        if silence.reason is not OmissionReason.NOT_YET_POSTED
    ]


def read_silences(frame: pd.DataFrame) -> list[Silence]:
    """Return the rows of a frame."""
    columns = [
        [None if missing else value for value, missing in zip(column, column.isna(), strict=True)]
        if name == "engagement_type"
        else [OmissionReason(value) for value in column]
        if name == "reason"
        else [moment.to_pydatetime() for moment in column]
        if pd.api.types.is_datetime64_any_dtype(column)
        else column.to_list()
        for name, column in frame[list(SILENCE_COLUMNS)].items()
    ]
    return [Silence(*row) for row in zip(*columns, strict=True)]


def as_frame(silences: list[Silence]) -> pd.DataFrame:
    """Return silences as a frame, sorted."""
    ordered = sorted(silences, key=lambda one: (one._subject, one.start))  # noqa: SLF001
    dtypes: dict[str, Any] = {**SILENCE_COLUMNS, "reason": REASONS}
    return pd.DataFrame(
        {
            name: pd.Series([getattr(one, name) for one in ordered], dtype=dtype)
            for name, dtype in dtypes.items()
        }
    )


def joined(silences: list[Silence]) -> list[Silence]:
    """Make one of those that are about the same and touch or overlap.

    Examples
    --------
    >>> at = [datetime(2026, 3, 1, hour) for hour in range(4)]
    >>> first = Silence("7", None, OmissionReason.UNAVAILABLE, "gone", at[0], at[1], at[1], at[1])
    >>> (both,) = joined([first, replace(first, end=at[2], first_retrieved_at=at[3],
    ...                                  retrieved_at=at[3])])
    >>> [moment.hour for moment in (both.start, both.end, both.first_retrieved_at)]
    [0, 2, 1]
    """
    ordered = sorted(silences, key=lambda one: (one._subject, one.start))  # noqa: SLF001
    return [
        one
        for _, alike in groupby(ordered, key=lambda one: one._subject)  # noqa: SLF001
        for one in _unbroken(alike)
    ]


def _unbroken(alike: Iterator[Silence]) -> Iterator[Silence]:
    current = next(alike)
    for one in alike:
        if one.start > current.end:
            yield current
            current = one
            continue
        latest = max(current, one, key=lambda silence: silence.retrieved_at)
        current = replace(
            current,
            message=latest.message,
            end=max(current.end, one.end),
            first_retrieved_at=min(current.first_retrieved_at, one.first_retrieved_at),
            retrieved_at=latest.retrieved_at,
        )
    yield current


def broken(silences: list[Silence], counts: pd.DataFrame) -> list[Silence]:
    """Return those that later counts have not ended; what was told with a count holds.

    Parameters
    ----------
    silences : list of Silence
    counts : DataFrame
        With ``retrieved_at``.
    """
    spoke = counts[counts["count"].notna()].astype({"engagement_type": "str"})
    heard = spoke.groupby(["post_id", "engagement_type"], as_index=False)["retrieved_at"].max()
    last: dict[tuple[str, str], datetime] = {}
    for post, kind, moment in zip(*(heard[name].to_list() for name in heard), strict=True):
        for key in ((post, kind), (post, "")):
            last[key] = max(last.get(key, moment), moment)
    return [
        one
        for one in silences
        if not one.whole
        or (key := (one.post_id, one.engagement_type or "")) not in last
        or last[key] <= one.retrieved_at
    ]
