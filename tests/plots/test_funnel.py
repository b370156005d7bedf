"""The rates of a funnel, and the correlation of types."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.simulated import MARCH, totals

from engagement_pandas import plots
from engagement_pandas.metrics import funnel, type_correlation
from engagement_pandas.plots import headline

plot_funnel: Any = plots.plot_funnel
plot_type_correlation: Any = plots.plot_type_correlation


@pytest.fixture(scope="module")
def some() -> pd.DataFrame:
    """Simulate 40 posts."""
    rng = np.random.default_rng(2)
    shown = rng.integers(500, 5000, 40)
    expands = rng.poisson(shown / 20)
    sizes = {"impressions": shown, "detail_expands": expands, "user_follows": expands // 10}
    return totals([MARCH + n * 1000 for n in range(40)], sizes)


def test_the_bars_are_the_rates(some: pd.DataFrame) -> None:
    """From the second step on, as long as the rate; an absent step is named."""
    table = funnel(some)
    ax = plot_funnel(some)
    bars = {bar.get_gid(): bar.get_width() for bar in ax.patches}
    expected = table.set_index("engagement_type")["rate"].dropna()
    assert bars == expected.to_dict()
    assert "not in the counts: url_clicks" in " ".join(ax.get_xlabel().split())
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "detail_expands\nper impressions",
        "user_follows\nper detail_expands",
    ]


def test_the_headline(some: pd.DataFrame) -> None:
    """What came of 1,000 impressions."""
    of_first = funnel(some)["of_first"].dropna().to_list()
    words = headline(plot_funnel(some))
    assert words.startswith("of 1,000 impressions came ")
    assert f"{1000 * of_first[1]:.0f} detail_expands and " in words


def test_one_step_is_no_funnel(some: pd.DataFrame) -> None:
    """A message instead of a plot."""
    ax = plot_funnel(some[some["engagement_type"] == "impressions"])
    assert "fewer than two steps" in ax.texts[0].get_text()


def test_correlations(some: pd.DataFrame) -> None:
    """A dot per pair, the highest first."""
    table = type_correlation(some).sort_values("correlation", ascending=False)
    ax = plot_type_correlation(some)
    (dots,) = [line for line in ax.lines if line.get_marker() == "o"]
    assert dots.get_xdata().tolist() == table["correlation"].to_list()
    first = table.iloc[0]
    assert headline(ax).startswith(f"{first['engagement_type']} and {first['other']} go together")
    few = plot_type_correlation(some.head(6))
    assert "too few" in few.texts[0].get_text()
