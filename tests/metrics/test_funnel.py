"""From impressions to follows, and which types go together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from support.simulated import MARCH, totals

from engagement_pandas import FrameError
from engagement_pandas.metrics import engagement_rate, funnel, type_correlation

ORDER = ["impressions", "detail_expands", "url_clicks", "user_follows"]
SIZES = {
    "impressions": [1000, 3000, 6000],
    "detail_expands": [100, 200, 200],
    "url_clicks": [10, 30, 10],
    "user_follows": [1, 0, 4],
}


def posts(sizes: dict[str, list[int]]) -> pd.DataFrame:
    """Make totals of posts."""
    number = len(next(iter(sizes.values())))
    return totals([MARCH + n * 1000 for n in range(number)], sizes)


def test_by_hand() -> None:
    """10,000 impressions, 500 expands, 50 clicks, 5 follows: 5 %, 10 %, 10 %."""
    table = funnel(posts(SIZES))
    assert table["engagement_type"].to_list() == ORDER
    assert table["count"].to_list() == [10_000, 500, 50, 5]
    assert table["previous"].fillna("").to_list() == ["", *ORDER[:3]]
    assert table["rate"].to_list()[1:] == [0.05, 0.1, 0.1]
    assert table["of_first"].to_list() == [1, 0.05, 0.005, 0.0005]


@pytest.mark.slow
def test_the_interval_is_that_of_the_rate() -> None:
    """Posts as clusters, as engagement_rate() has it for all posts."""
    row = funnel(posts(SIZES)).iloc[2]
    whole = engagement_rate(
        posts(SIZES), by=None, numerator="url_clicks", denominator="detail_expands"
    ).iloc[0]
    assert row[["rate", "low", "high"]].to_list() == whole[["rate", "low", "high"]].to_list()
    narrow = funnel(posts(SIZES), confidence=0.5).iloc[2]
    assert row["low"] < narrow["low"] < narrow["high"] < row["high"]


def test_an_absent_step_is_left_out_openly() -> None:
    """A row without numbers; the next step is divided by the last one that is there."""
    table = funnel(posts({name: SIZES[name] for name in ORDER if name != "detail_expands"}))
    assert table.loc[1, ["count", "rate", "low", "of_first", "missing"]].isna().all()
    assert table["previous"].fillna("").to_list() == ["", "", "impressions", "url_clicks"]
    assert table.loc[2, "rate"] == 0.005


def test_missing_is_not_zero() -> None:
    """A post whose clicks are unknown is in no rate of clicks."""
    counts = posts(SIZES)
    unknown = (counts["engagement_type"] == "url_clicks") & (counts["count"] == 30)
    table = funnel(counts.assign(count=counts["count"].mask(unknown)))
    assert table.loc[2, ["count", "rate", "missing"]].to_list() == [20, 20 / 300, 1]


def test_steps_by_name() -> None:
    """In the given order, by name or label; absent ones, one alone and doubles are refused."""
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


def test_correlation() -> None:
    """Spearman's, with ties; the interval of Bonett and Wright by hand."""
    rng = np.random.default_rng(1)
    one = rng.integers(0, 30, 40)
    other = one + rng.integers(0, 30, 40)
    row = type_correlation(posts({"favorites": one.tolist(), "replies": other.tolist()})).iloc[0]
    rho = spearmanr(one, other).statistic
    assert row["correlation"] == pytest.approx(rho)
    reach = 1.959964 * ((1 + rho**2 / 2) / 37) ** 0.5
    assert row["low"] == pytest.approx(np.tanh(np.arctanh(rho) - reach))
    assert row["high"] == pytest.approx(np.tanh(np.arctanh(rho) + reach))
    assert row["n"] == 40


def test_every_pair_in_order() -> None:
    """Of four types there are six pairs."""
    table = type_correlation(posts(SIZES))
    assert len(table) == 6
    assert table["correlation"].isna().all()
    assert table["engagement_type"].dtype == posts(SIZES)["engagement_type"].dtype


def test_correlation_of_known_counts() -> None:
    """Unknown counts leave the post out; equal counts have no correlation; perfect is 1."""
    counts = posts({"favorites": [*range(20)], "replies": [*range(20)], "retweets": [3] * 20})
    unknown = (counts["engagement_type"] == "replies") & (counts["count"] < 5)
    table = type_correlation(counts.assign(count=counts["count"].mask(unknown)))
    pairs = table.astype({"engagement_type": "str", "other": "str"}).set_index(
        ["engagement_type", "other"]
    )
    row = pairs.loc[("favorites", "replies")]
    assert row[["correlation", "low", "high", "n"]].to_list() == pytest.approx([1, 1, 1, 15])
    assert pd.isna(pairs.loc[("favorites", "retweets"), "correlation"])
