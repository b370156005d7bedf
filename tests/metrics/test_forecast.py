"""The final count of a young post, forecast from similar posts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.simulated import HOUR_MS, MARCH, hourly

from engagement_pandas import FrameError
from engagement_pandas.metrics import forecast
from engagement_pandas.metrics.forecast import grown

DAY = HOUR_MS * 24


def old(number: int = 40, seed: int = 1) -> pd.DataFrame:
    """Simulate posts known for a week, with half of their counts after 5 hours."""
    rng = np.random.default_rng(seed)
    created = MARCH + np.arange(number) * DAY // 8
    size = 3000 * np.exp(0.8 * rng.normal(size=number))
    return hourly(created, {"impressions": size}, rng, hours=170, half_life=5)


def young(hours: int, size: float = 4000) -> pd.DataFrame:
    """Simulate three more posts known for this number of hours."""
    rng = np.random.default_rng(9)
    created = MARCH + 30 * DAY + np.arange(3) * 60_000
    return hourly(created, {"impressions": size}, rng, hours=hours, half_life=5)


def test_a_forecast_follows_the_growth_of_the_cohort() -> None:
    """After 11 complete hours, a share of 1 - 2 ** (-11 / 5) of the counts is known."""
    table = forecast(young(12), cohort=old())
    assert table["age"].to_list() == [12, 11, 11]
    expected = table["count"] / (1 - 2 ** (-table["age"] / 5))
    assert table["forecast"].to_list() == pytest.approx(expected.to_list(), rel=0.03)
    assert (table["low"] < table["forecast"]).all()
    assert (table["forecast"] < table["high"]).all()
    assert table["n"].to_list() == [40] * 3


def test_the_bands_match_a_calculation_by_hand() -> None:
    """Three posts grew 2, 4 and 8 times; the median is 4 times."""
    early = np.array([10.0, 10.0, 10.0])
    bands = grown(np.array([100.0]), early, np.array([20.0, 40.0, 80.0]), 3, 0.5)
    assert bands[0].tolist() == pytest.approx([400, 200, 800])


def test_older_posts_have_narrower_intervals() -> None:
    """The interval after a day is narrower than after 3 hours."""
    widths = []
    for hours in (3, 24):
        table = forecast(young(hours), cohort=old())
        widths.append((table["high"] / table["low"]).mean())
    assert widths[1] < widths[0]


@pytest.mark.parametrize(
    ("counts", "arguments"),
    [
        (young(12), {"cohort": old(19)}),
        (young(12, 5), {"cohort": old()}),
        (young(12), {}),
        (old(), {}),
    ],
    ids=["a small cohort", "few counts", "no older posts", "old already"],
)
def test_too_little_data_gives_no_forecast(counts: Any, arguments: Any) -> None:
    """The result is missing rather than a wide guess."""
    table = forecast(counts, **arguments)
    assert table[["forecast", "low", "high"]].isna().all(axis=None)


def test_unsuitable_counts_and_ages_are_refused() -> None:
    """An age of 0, and counts that do not state what they cover."""
    with pytest.raises(FrameError, match="at is 0"):
        forecast(young(5), at=0)
    without_edges = young(5)
    without_edges.attrs = {}
    with pytest.raises(FrameError, match="forecast\\(\\) needs"):
        forecast(without_edges)
