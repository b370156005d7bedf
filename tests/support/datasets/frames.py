"""Hand-made counts with a retrieval time."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

import engagement_pandas as ep
from engagement_pandas.frame.contract import TEXT

Row = tuple[str, str, str, int, int | None]
"""Post, type, day, hour, count."""


def counts_of(rows: Iterable[Row], at: str) -> pd.DataFrame:
    """Return tidy counts with a retrieval time."""
    columns = list(zip(*rows, strict=True)) or [()] * 5
    present = [str(t) for t in ep.SERIES_TYPES if str(t) in columns[1]]
    frame = pd.DataFrame(
        {
            "post_id": pd.Series(columns[0], dtype=TEXT),
            "engagement_type": pd.Series(columns[1], dtype=TEXT).astype(
                pd.CategoricalDtype(pd.Index(present, dtype=TEXT))
            ),
            "day": pd.Series(pd.to_datetime(list(columns[2])), dtype="datetime64[us]"),
            "hour": pd.Series(columns[3], dtype="int8"),
            "count": pd.Series(columns[4], dtype="Int64"),
        }
    ).sort_values(["post_id", "engagement_type", "day", "hour"], ignore_index=True)
    frame.attrs = {"retrieved_at": at, "endpoint": "historical"}
    return frame


def some(
    at: str, *, count: int | None = 5, posts: Iterable[str] = ("7", "8"), days: int = 3
) -> pd.DataFrame:
    """Return counts of posts, two types and every hour of the first days of March."""
    return counts_of(
        [
            (post, engagement_type, f"2026-03-{day:02}", hour, count)
            for post in posts
            for engagement_type in ("impressions", "replies")
            for day in range(1, days + 1)
            for hour in range(24)
        ],
        at,
    )


def changed(frame: pd.DataFrame, place: int, count: int | None, at: str) -> pd.DataFrame:
    """Return counts with one of them changed, and another retrieval time."""
    other = frame.copy()
    other.loc[place, "count"] = pd.NA if count is None else count
    other.attrs = {**frame.attrs, "retrieved_at": at}
    return other
