"""Counts and omissions that are difficult to store in a file."""

from __future__ import annotations

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.frame.contract import empty_counts, empty_omissions

HOURLY = {
    "g": {
        "0012345678901234567": {"impressions": {"2026-03-01": {"07": "5"}}},
        "1060976163948904448": {
            "zaps": {"2026-03-01": {"23": "-3"}},
            "impressions": {"2026-03-02": {"00": str(2**63 - 1)}},
            "boosts": {"0999-12-31": {"00": str(-(2**63))}},
        },
    }
}


def hourly() -> pd.DataFrame:
    """Return counts with leading zeros, unknown types, an old day and 64-bit extremes."""
    return ep.flatten_json(HOURLY, group_by=ep.BY_HOUR)


def missing() -> pd.DataFrame:
    """Return a frame with a missing count only."""
    body = {"g": {"1": {"video_views": "0"}}, "unsupported_for_video_views_tweet_ids": ["1"]}
    return ep.flatten_json(body)


def omitted() -> pd.DataFrame:
    """Return omissions with and without type and window, and special characters in messages."""
    gone = ep.EngagementResponse(
        ep.totals(["1", "02"], engagement_types=["favorites"]),
        {"errors": ['1 Tweet ID(s), "2"\nare unavailable'], "unavailable_tweet_ids": ["1", "02"]},
    )
    window = ep.Window.covering("2026-03-01", "2026-03-02")
    request = ep.historical(["3"], engagement_types=["replies"], window=window, by=ep.BY_DAY)
    gap = ep.EngagementResponse(request, {"by_day": {"3": {}}})
    return pd.concat([ep.omissions(gone), ep.omissions(gap)], ignore_index=True)


FRAMES = {
    "hourly": hourly,
    "by type": lambda: ep.flatten_json({"g": {"replies": "5", "favorites": "6"}}),
    "by hour of the day": lambda: ep.flatten_json({"g": {"replies": {"07": "5"}}}),
    "missing": missing,
    "empty": empty_counts,
    "empty by type": lambda: empty_counts(("engagement_type",)),
    "omissions": omitted,
    "omissions with their times": lambda: omitted().assign(
        retrieved_at=pd.Timestamp("2026-03-01T09:30:00.000001Z")
    ),
    "no omissions": empty_omissions,
}

frames = pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
