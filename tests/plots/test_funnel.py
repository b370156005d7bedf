"""Plots of a funnel's rates, and of correlations between types."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
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
def counts() -> pd.DataFrame:
    """Simulate 40 posts."""
    rng = np.random.default_rng(2)
    impressions = rng.integers(500, 5000, 40)
    expands = rng.poisson(impressions / 20)
    sizes = {"impressions": impressions, "detail_expands": expands, "user_follows": expands // 10}
    return totals([MARCH + n * 1000 for n in range(40)], sizes)


@pytest.mark.slow
def test_bars_are_the_rates_of_steps(counts: pd.DataFrame) -> None:
    """They begin with the second step; an absent step is named."""
    table = funnel(counts)
    ax = plot_funnel(counts)
    bars = {bar.get_gid(): bar.get_width() for bar in ax.patches}
    expected = table.set_index("engagement_type")["rate"].dropna()
    assert bars == expected.to_dict()
    assert "not in the counts: url_clicks" in " ".join(ax.get_xlabel().split())
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "detail_expands\nper impressions",
        "user_follows\nper detail_expands",
    ]


@pytest.mark.slow
def test_the_headline_has_the_result_of_1000_impressions(counts: pd.DataFrame) -> None:
    """Each step has its number."""
    of_first = funnel(counts)["of_first"].dropna().to_list()
    text = headline(plot_funnel(counts))
    assert text.startswith("of 1,000 impressions came ")
    assert f"{1000 * of_first[1]:.0f} detail_expands and " in text


def test_a_single_step_has_a_message(counts: pd.DataFrame) -> None:
    """There is no chart."""
    ax = plot_funnel(counts[counts["engagement_type"] == "impressions"])
    assert "fewer than two steps" in ax.texts[0].get_text()


def test_correlations_are_dots(counts: pd.DataFrame) -> None:
    """Each pair has one, and the highest is first."""
    table = type_correlation(counts).sort_values("correlation", ascending=False)
    ax = plot_type_correlation(counts)
    (dots,) = [line for line in ax.lines if line.get_marker() == "o"]
    assert dots.get_xdata().tolist() == table["correlation"].to_list()
    first = table.iloc[0]
    assert headline(ax).startswith(f"{first['engagement_type']} and {first['other']} go together")
    few = plot_type_correlation(counts.head(6))
    assert "too few" in few.texts[0].get_text()


def test_three_posts_have_no_interval() -> None:
    """Its ends would differ by a factor of more than 1,000: the axis is that of the rates."""
    sizes = {"impressions": [9_000, 9_000, 9_000], "detail_expands": [900, 1, 2]}
    steps = ["impressions", "detail_expands"]
    few = totals([MARCH + n * 1000 for n in range(3)], sizes)
    row = funnel(few, steps=steps).iloc[-1]
    assert row["high"] > 1000 * row["low"]
    ax = plot_funnel(few, steps=steps)
    assert ax.get_xlim()[1] < 0.1
    assert ax.texts[0].get_text() == "3.34 %: 903, too few posts for an interval"
    assert "interval" not in ax.get_xlabel()


def test_small_axes_have_the_strongest_correlations() -> None:
    """Fifteen pairs of six types; Axes of 72 points have room for eight rows of 7 points."""
    rng = np.random.default_rng(5)
    base = rng.integers(500, 5000, 30)
    names = ["impressions", "engagements", "favorites", "retweets", "replies", "url_clicks"]
    sizes = {
        name: rng.poisson(base) if place < 3 else rng.integers(1, 999, 30)
        for place, name in enumerate(names)
    }
    table = type_correlation(totals([MARCH + n * 1000 for n in range(30)], sizes))
    figure = plt.figure(figsize=(8, 1))
    ax = plot_type_correlation(
        totals([MARCH + n * 1000 for n in range(30)], sizes), ax=figure.add_axes((0, 0, 1, 1))
    )
    drawn = ax.lines[0].get_xdata().tolist()
    assert len(drawn) == 8
    strongest = sorted(table["correlation"], key=abs)[-8:]
    assert drawn == sorted(strongest, reverse=True)
    assert ax.get_xlabel().replace("\n", " ").endswith("; 7 weaker ones are left out")


def test_correlations_without_some_counts_have_a_note(counts: pd.DataFrame) -> None:
    """As the steps of a funnel have."""
    assert "missing" not in plot_type_correlation(counts).get_xlabel()
    gap = counts.assign(count=counts["count"].mask(counts.index == 0))
    label = plot_type_correlation(gap).get_xlabel().replace("\n", " ")
    assert label.endswith("; some counts are missing")
