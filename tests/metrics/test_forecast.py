"""The final count of a young post, from posts like it."""

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
    """Simulate posts that are known for a week, with half of their counts after 5 hours."""
    rng = np.random.default_rng(seed)
    made = MARCH + np.arange(number) * DAY // 8
    size = 3000 * np.exp(0.8 * rng.normal(size=number))
    return hourly(made, {"impressions": size}, rng, hours=170, half_life=5)


def young(hours: int, size: float = 4000) -> pd.DataFrame:
    """Simulate three more posts that are known for so many hours."""
    rng = np.random.default_rng(9)
    made = MARCH + 30 * DAY + np.arange(3) * 60_000
    return hourly(made, {"impressions": size}, rng, hours=hours, half_life=5)


def test_the_growth_of_the_cohort() -> None:
    """After 11 whole hours, 1 - 2 ** (-11 / 5) of the counts are there."""
    table = forecast(young(12), cohort=old())
    assert table["age"].to_list() == [12, 11, 11]
    expected = table["count"] / (1 - 2 ** (-table["age"] / 5))
    assert table["forecast"].to_list() == pytest.approx(expected.to_list(), rel=0.03)
    assert (table["low"] < table["forecast"]).all()
    assert (table["forecast"] < table["high"]).all()
    assert table["n"].to_list() == [40] * 3


def test_by_hand() -> None:
    """The growth of three posts: twice, 4 times and 8 times; the median is 4 times."""
    early = np.array([10.0, 10.0, 10.0])
    found = grown(np.array([100.0]), early, np.array([20.0, 40.0, 80.0]), 3, 0.5)
    assert found[0].tolist() == pytest.approx([400, 200, 800])


def test_more_is_known_of_older_posts() -> None:
    """The interval is narrower after a day than after 3 hours."""
    widths = []
    for hours in (3, 24):
        table = forecast(young(hours), cohort=old())
        widths.append((table["high"] / table["low"]).mean())
    assert widths[1] < widths[0]


@pytest.mark.parametrize(
    ("counts", "keywords"),
    [
        (young(12), {"cohort": old(19)}),
        (young(12, 5), {"cohort": old()}),
        (young(12), {}),
        (old(), {}),
    ],
    ids=["a small cohort", "few counts", "no older posts", "old already"],
)
def test_it_refuses_where_it_knows_too_little(counts: Any, keywords: Any) -> None:
    """No number at all, rather than a wide guess."""
    table = forecast(counts, **keywords)
    assert table[["forecast", "low", "high"]].isna().all(axis=None)


def test_refused() -> None:
    """An age that is none, and counts that do not state what they cover."""
    with pytest.raises(FrameError, match="at is 0"):
        forecast(young(5), at=0)
    lost = young(5)
    lost.attrs = {}
    with pytest.raises(FrameError, match="forecast\\(\\) needs"):
        forecast(lost)
