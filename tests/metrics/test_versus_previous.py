"""The last days compared with the same number of days before."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from support.simulated import tidy

from engagement_pandas import FrameError
from engagement_pandas.metrics import versus_previous

POST = "2027900000000000000"
"""Created on 2026-03-01, at 00:00 UTC."""


def days(
    numbers: list[Any], *, hours: int = 24, engagement_type: str = "impressions"
) -> pd.DataFrame:
    """Return counts of one post from 2026-03-02 on: a number in each hour of each day."""
    rows = [
        (POST, engagement_type, f"2026-03-{2 + day:02d}", hour, number)
        for day, number in enumerate(numbers)
        for hour in range(24 if day < len(numbers) - 1 else hours)
    ]
    return tidy(rows)


def test_the_change_matches_a_calculation_by_hand() -> None:
    """Three days of 3 an hour follow three of 2: half more; the mean day has 72."""
    row = versus_previous(days([2, 2, 2, 3, 3, 3]), days=3).iloc[0]
    assert row[["count", "previous", "change", "rolling"]].to_list() == [216, 144, 0.5, 72]
    assert str(row["start"]) == "2026-03-05 00:00:00+00:00"
    assert str(row["end"]) == "2026-03-08 00:00:00+00:00"
    assert row["complete"]


def test_a_partial_day_is_left_out() -> None:
    """The last day has five hours, so the period ends before it."""
    row = versus_previous(days([1, 1, 2, 2, 9], hours=5), days=2).iloc[0]
    assert row[["count", "previous"]].to_list() == [96, 48]


def test_an_unknown_hour_makes_the_period_incomplete() -> None:
    """The sum is that of the known counts."""
    counts = days([1, 1, 2, 2])
    counts.loc[30, "count"] = pd.NA
    row = versus_previous(counts, days=2).iloc[0]
    assert row["previous"] == 47
    assert not row["complete"]


def test_a_change_from_zero_is_missing() -> None:
    """A share of 0 is undefined."""
    row = versus_previous(days([0, 5]), days=1).iloc[0]
    assert row[["count", "previous"]].to_list() == [120, 0]
    assert pd.isna(row["change"])


def test_too_few_days_are_refused() -> None:
    """Three days are less than two periods of two."""
    with pytest.raises(FrameError, match="a comparison needs 4"):
        versus_previous(days([1, 1, 1]), days=2)
    with pytest.raises(FrameError, match="days is 0"):
        versus_previous(days([1, 1, 1]), days=0)


def test_a_missing_day_makes_the_period_incomplete_without_a_window() -> None:
    """The counts do not state their window, but 3 March, before the last full day, has no rows."""
    counts = days([1, 1, 1])
    counts = counts[counts["day"] != "2026-03-03"]
    counts.attrs.clear()
    assert versus_previous(counts, days=1)["complete"].to_list() == [False]
