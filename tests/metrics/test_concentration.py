"""How much of the counts the top posts have."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from support.simulated import MARCH, totals

from engagement_pandas import FrameError, plots
from engagement_pandas.metrics import concentration

plot_concentration: Any = plots.plot_concentration


def posts(*counts: int) -> pd.DataFrame:
    """Make totals of posts."""
    return totals([MARCH + n * 1000 for n in range(len(counts))], {"favorites": counts})


def test_by_hand() -> None:
    """Of 10 posts the best has 55 of 100; the Gini coefficient is that of pairs."""
    counts = (5, 5, 5, 5, 5, 5, 5, 5, 5, 55)
    row = concentration(posts(*counts)).iloc[0]
    assert row[["posts", "total", "median", "mean", "top_share"]].to_list() == [
        10,
        100,
        5,
        10,
        0.55,
    ]
    apart = [abs(one - other) for one in counts for other in counts]
    assert row["gini"] == pytest.approx(sum(apart) / (2 * 10 * 9 * 10))


def test_equal_and_all() -> None:
    """0 if all posts have the same, 1 if one has all."""
    assert concentration(posts(7, 7, 7, 7))["gini"].item() == 0
    assert concentration(posts(0, 0, 0, 9))["gini"].item() == 1
    assert concentration(posts(0, 0)).loc[0, ["top_share", "gini"]].isna().all()


def test_refused() -> None:
    """A share is between 0 and 1."""
    with pytest.raises(FrameError, match="top is 10"):
        concentration(posts(1, 2), top=10)


def test_the_plot() -> None:
    """One bar, as long as the share."""
    ax = plot_concentration(posts(5, 5, 5, 5, 5, 5, 5, 5, 5, 55))
    assert [bar.get_width() for bar in ax.patches] == [0.55]
    assert ax.texts[0].get_text() == "55 %; median 5, mean 10"
