"""Funnels from impressions to follows, and correlations of types."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from support.simulated import MARCH, totals

from engagement_pandas import FrameError
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.metrics import engagement_rate, funnel, type_correlation

ORDER = ["impressions", "detail_expands", "url_clicks", "user_follows"]
SIZES = {
    "impressions": [1000, 3000, 6000],
    "detail_expands": [100, 200, 200],
    "url_clicks": [10, 30, 10],
    "user_follows": [1, 0, 4],
}


def posts(sizes: dict[str, list[int]]) -> pd.DataFrame:
    """Return totals of posts."""
    number = len(next(iter(sizes.values())))
    return totals([MARCH + n * 1000 for n in range(number)], sizes)


def test_a_funnel_matches_a_calculation_by_hand() -> None:
    """10,000 impressions, 500 expands, 50 clicks, 5 follows: 5 %, 10 %, 10 %."""
    table = funnel(posts(SIZES))
    assert table["engagement_type"].to_list() == ORDER
    assert table["count"].to_list() == [10_000, 500, 50, 5]
    assert table["previous"].fillna("").to_list() == ["", *ORDER[:3]]
    assert table["rate"].to_list()[1:] == [0.05, 0.1, 0.1]
    assert table["of_first"].to_list() == [1, 0.05, 0.005, 0.0005]


@pytest.mark.slow
def test_the_interval_is_that_of_engagement_rate() -> None:
    """Posts are clusters, as in engagement_rate() for all posts."""
    row = funnel(posts(SIZES)).iloc[2]
    overall = engagement_rate(
        posts(SIZES), by=None, numerator="url_clicks", denominator="detail_expands"
    ).iloc[0]
    assert row[["rate", "low", "high"]].to_list() == overall[["rate", "low", "high"]].to_list()
    narrow = funnel(posts(SIZES), confidence=0.5).iloc[2]
    assert row["low"] < narrow["low"] < narrow["high"] < row["high"]


def test_an_absent_step_has_a_row_without_numbers() -> None:
    """The next step is divided by the last known one."""
    table = funnel(posts({name: SIZES[name] for name in ORDER if name != "detail_expands"}))
    assert table.loc[1, ["count", "rate", "low", "of_first", "missing"]].isna().all()
    assert table["previous"].fillna("").to_list() == ["", "", "impressions", "url_clicks"]
    assert table.loc[2, "rate"] == 0.005


def test_a_missing_count_is_not_zero() -> None:
    """A post with unknown clicks is in no rate of clicks."""
    counts = posts(SIZES)
    masked = (counts["engagement_type"] == "url_clicks") & (counts["count"] == 30)
    table = funnel(counts.assign(count=counts["count"].mask(masked)))
    assert table.loc[2, ["count", "rate", "missing"]].to_list() == [20, 20 / 300, 1]


def test_steps_are_names_or_labels() -> None:
    """They keep the given order; unknown, single and duplicate steps are refused."""
    table = funnel(posts(SIZES), steps=["user_follows", "Link clicks"])
    assert table["engagement_type"].to_list() == ["user_follows", "url_clicks"]
    assert table.loc[1, "rate"] == 10
    for steps, words in (
        (["impressions", "replies"], r"no \['replies'\]"),
        (["impressions"], "at least two"),
        ("impressions", "at least two"),
        (["url_clicks", "Link clicks"], "each type once"),
    ):
        with pytest.raises(FrameError, match=words):
            funnel(posts(SIZES), steps=steps)


def test_the_correlation_is_spearmans() -> None:
    """Ties are included; the interval of Bonett and Wright is computed by hand."""
    rng = np.random.default_rng(1)
    favorites = rng.integers(0, 30, 40)
    replies = favorites + rng.integers(0, 30, 40)
    row = type_correlation(
        posts({"favorites": favorites.tolist(), "replies": replies.tolist()})
    ).iloc[0]
    rho = spearmanr(favorites, replies).statistic
    assert row["correlation"] == pytest.approx(rho)
    half_width = 1.959964 * ((1 + rho**2 / 2) / 37) ** 0.5
    assert row["low"] == pytest.approx(np.tanh(np.arctanh(rho) - half_width))
    assert row["high"] == pytest.approx(np.tanh(np.arctanh(rho) + half_width))
    assert row["n"] == 40


def test_every_pair_of_types_has_a_row() -> None:
    """Four types have six pairs."""
    table = type_correlation(posts(SIZES))
    assert len(table) == 6
    assert table["correlation"].isna().all()
    assert table["engagement_type"].dtype == posts(SIZES)["engagement_type"].dtype


def test_the_correlation_is_over_known_counts() -> None:
    """Equal counts have no correlation, and a perfect one is 1."""
    counts = posts({"favorites": [*range(20)], "replies": [*range(20)], "retweets": [3] * 20})
    masked = (counts["engagement_type"] == "replies") & (counts["count"] < 5)
    table = type_correlation(counts.assign(count=counts["count"].mask(masked)))
    pairs = table.astype({"engagement_type": TEXT, "other": TEXT}).set_index(
        ["engagement_type", "other"]
    )
    row = pairs.loc[("favorites", "replies")]
    assert row[["correlation", "low", "high", "n"]].to_list() == pytest.approx([1, 1, 1, 15])
    assert pd.isna(pairs.loc[("favorites", "retweets"), "correlation"])


def test_a_correlation_states_which_counts_it_lacks() -> None:
    """Five replies are unknown, and one post has no row for favorites."""
    counts = posts({"favorites": [*range(20)], "replies": [*range(20)], "retweets": [3] * 20})
    masked = (counts["engagement_type"] == "replies") & (counts["count"] < 5)
    counts = counts.assign(count=counts["count"].mask(masked))
    first = counts.index[counts["engagement_type"] == "favorites"][0]
    table = type_correlation(counts.drop(index=first))
    assert table["missing"].to_list() == [1, 6, 5]
    assert table["missing"].dtype == pd.Int64Dtype()
    pairs = zip(table["engagement_type"], table["other"], strict=True)
    assert list(pairs) == [
        ("favorites", "retweets"),
        ("favorites", "replies"),
        ("retweets", "replies"),
    ]
