"""The share of counts that the top posts have."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from support.simulated import MARCH, totals

from engagement_pandas import FrameError, plots
from engagement_pandas.metrics import concentration

plot_concentration: Any = plots.plot_concentration


def posts(*counts: int) -> pd.DataFrame:
    """Return totals of posts."""
    return totals([MARCH + n * 1000 for n in range(len(counts))], {"favorites": counts})


def test_concentration_matches_a_calculation_by_hand() -> None:
    """The best of 10 posts has 55 of 100; the Gini coefficient is computed from pairs."""
    counts = (5, 5, 5, 5, 5, 5, 5, 5, 5, 55)
    row = concentration(posts(*counts)).iloc[0]
    assert row[["posts", "total", "median", "mean", "top_share"]].to_list() == [
        10,
        100,
        5,
        10,
        0.55,
    ]
    differences = [abs(first - second) for first in counts for second in counts]
    assert row["gini"] == pytest.approx(sum(differences) / (2 * 10 * 9 * 10))


def test_the_gini_coefficient_is_0_for_equal_posts_and_1_for_one_post() -> None:
    """It is missing if there are no counts."""
    assert concentration(posts(7, 7, 7, 7))["gini"].item() == 0
    assert concentration(posts(0, 0, 0, 9))["gini"].item() == 1
    assert concentration(posts(0, 0)).loc[0, ["top_share", "gini"]].isna().all()


def test_a_share_above_1_is_refused() -> None:
    """A share is between 0 and 1."""
    with pytest.raises(FrameError, match="top is 10"):
        concentration(posts(1, 2), top=10)


def test_the_bar_is_as_long_as_the_share() -> None:
    """The text has the share, the median and the mean."""
    ax = plot_concentration(posts(5, 5, 5, 5, 5, 5, 5, 5, 5, 55))
    assert [bar.get_width() for bar in ax.patches] == [0.55]
    assert ax.texts[0].get_text() == "55 %; median 5, mean 10"


def test_missing_counts_are_counted_and_hatched() -> None:
    """One of four posts is unknown: the top one of three has 5 of 10, if not more."""
    counts = posts(2, 3, 5, 0)
    counts["count"] = pd.array([2, 3, 5, pd.NA], dtype="Int64")
    row = concentration(counts).iloc[0]
    assert row[["posts", "total", "top_share", "missing"]].to_list() == [3, 10, 0.5, 1]
    ax = plot_concentration(counts)
    assert [bar.get_hatch() for bar in ax.patches] == ["///"]
    assert "hatched: counts are missing" in ax.get_xlabel().replace("\n", " ")
    assert concentration(posts(2, 3, 5, 0))["missing"].to_list() == [0]
