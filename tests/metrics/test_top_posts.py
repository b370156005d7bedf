"""The top posts by counts, and by rates with their uncertainty."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.simulated import tidy

from engagement_pandas import FrameError
from engagement_pandas.frame.contract import dtype_name
from engagement_pandas.metrics import top_posts


def posts(*rows: tuple[str, Any, Any]) -> pd.DataFrame:
    """Return totals of posts: post, engagements, impressions."""
    return tidy(
        [
            (post, engagement_type, count)
            for post, above, below in rows
            for engagement_type, count in (("engagements", above), ("impressions", below))
        ],
        "post_id",
        "engagement_type",
        "count",
    )


@pytest.mark.slow
@pytest.mark.parametrize("others", [0, 1, 5, 50])
@pytest.mark.parametrize("rate", [0.001, 0.01, 0.03, 0.05])
def test_1_of_2_ranks_below_500_of_10000(others: int, rate: float) -> None:
    """The cautious order holds with and without other posts of lower rates."""
    rng = np.random.default_rng(others)
    rest = [(f"9{n}", int(rng.poisson(2000 * rate)), 2000) for n in range(others)]
    counts = posts(("1", 1, 2), ("2", 500, 10_000), *rest)
    ranked = top_posts(counts, by="rate", n=100, order="low")
    ranks = ranked["post_id"].to_list()
    assert ranks.index("2") < ranks.index("1")


def test_a_small_post_ranks_like_the_average() -> None:
    """Among posts of 20 %, a post with 2 impressions ranks above a large one with 5 %."""
    rest = [(f"9{n}", 400 + n, 2000) for n in range(20)]
    counts = posts(("1", 1, 2), ("2", 500, 10_000), *rest)
    ranked = top_posts(counts, by="rate", n=30)["post_id"].to_list()
    assert ranked[-2:] == ["1", "2"]
    assert "1" not in top_posts(counts, by="rate", n=30, minimum=100)["post_id"].to_list()


def test_no_shrinkage_ranks_by_the_raw_rate() -> None:
    """An exposure of 0 leaves each post its raw rate."""
    ranked = top_posts(posts(("1", 1, 2), ("2", 500, 10_000)), by="rate", shrinkage=0)
    assert ranked.set_index("post_id")["rate"].to_dict() == {"1": 0.5, "2": 0.05}
    assert ranked["shrunk"].to_list() == ranked["rate"].to_list()


def test_the_shrunk_rate_matches_a_calculation_by_hand() -> None:
    """With an exposure of 100 at the overall rate of 31/310: (21 + 10)/(210 + 100)."""
    ranked = top_posts(posts(("1", 21, 210), ("2", 10, 100)), by="rate", shrinkage=100)
    assert ranked["shrunk"].to_list() == pytest.approx([0.1, 0.1])
    assert (ranked["low"] < ranked["shrunk"]).all()
    assert (ranked["high"] > ranked["shrunk"]).all()
    assert ranked["post_id"].to_list() == ["1", "2"]


def test_shrunk_rates_are_closer_to_the_truth() -> None:
    """Their error on simulated posts of all sizes is below that of raw rates."""
    rng = np.random.default_rng(1)
    below = np.exp(rng.normal(5, 1.5, 400)).astype(int) + 1
    true = rng.gamma(0.04 * 300, 1 / 300, 400)
    above = rng.poisson(true * below)
    names = [str(n).zfill(3) for n in range(400)]
    counts = posts(*zip(names, above, below, strict=True))
    ranked = top_posts(counts, by="rate", n=400).sort_values("post_id")
    raw, shrunk = ((ranked[name].to_numpy(float) - true) ** 2 for name in ("rate", "shrunk"))
    assert shrunk.mean() < raw.mean() / 4
    best = top_posts(counts, by="rate", n=20)["post_id"].astype(int).to_numpy()
    assert true[best].mean() > np.quantile(true, 0.85)


def test_posts_are_ranked_by_a_type() -> None:
    """Ties have one rank, in the order of the IDs; <NA> has no rank."""
    counts = posts(("1", 5, 9), ("2", 7, 9), ("3", 5, 9), ("4", pd.NA, 9), ("5", 5, 9))
    ranked = top_posts(counts, n=3)
    assert ranked["post_id"].to_list() == ["2", "1", "3"]
    assert ranked["rank"].to_list() == [1, 2, 2]
    assert ranked["engagements"].to_list() == [7, 5, 5]
    assert ranked.dtypes.map(dtype_name).to_list() == ["int64", "str", "Int64", "Int64"]
    assert top_posts(counts)["post_id"].to_list() == ["2", "1", "3", "5"]


@pytest.mark.slow
def test_ties_are_stable() -> None:
    """The order of the rows has no effect."""
    names = [str(n) for n in range(100, 500)]
    alike = top_posts(posts(*((name, 7, 50) for name in names)), n=400)
    assert alike["post_id"].to_list() == names
    assert (alike["rank"] == 1).all()
    counts = posts(*[(str(n), n % 3, 50) for n in range(30)])
    for by in ("engagements", "rate"):
        expected = top_posts(counts, by=by, n=12)
        for seed in range(5):
            shuffled = counts.sample(frac=1, random_state=seed)
            pd.testing.assert_frame_equal(top_posts(shuffled, by=by, n=12), expected)


def test_posts_below_the_minimum_are_left_out() -> None:
    """Posts with unknown impressions are left out too, for a type and for the rate."""
    counts = posts(("1", 5, 99), ("2", 4, 100), ("3", 9, pd.NA))
    for by in ("engagements", "rate"):
        assert top_posts(counts, by=by, minimum=100)["post_id"].to_list() == ["2"]
    assert top_posts(counts, minimum=0)["post_id"].to_list() == ["3", "1", "2"]


def test_rates_above_one_come_last() -> None:
    """Promoted posts are marked: 4 of 1 does not rank above 572 of 19,618."""
    counts = posts(("1", 572, 19_618), ("2", 4, 1), ("3", 30, 2000), ("4", 300, 200))
    ranked = top_posts(counts, by="rate")
    assert ranked["post_id"].to_list() == ["1", "3", "4", "2"]
    assert ranked["rank"].to_list() == [1, 2, 3, 4]
    assert ranked["above_one"].to_list() == [False, False, True, True]


def test_the_cautious_order_uses_the_lower_end() -> None:
    """Uncertainty lowers a post in this order, but not in the order of the mean."""
    rows = [(str(n), 20 + 8 * n, 1000) for n in range(8)]
    counts = posts(*rows, ("8", 9, 100))
    mean, low = (top_posts(counts, by="rate", order=order) for order in ("shrunk", "low"))
    ranks = [frame["post_id"].to_list().index("8") for frame in (mean, low)]
    assert ranks[0] < ranks[1]
    with pytest.raises(FrameError, match="order is 'best'"):
        top_posts(counts, by="rate", order="best")


@pytest.mark.slow
def test_ranks_match_plain_loops(bakery: Any) -> None:
    """The sandbox's impressions are summed in plain Python."""
    sums: dict[str, int] = {}
    for row in bakery.few.to_dict("records"):
        if row["engagement_type"] == "impressions":
            sums[row["post_id"]] = sums.get(row["post_id"], 0) + row["count"]
    expected = sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:3]
    ranked = top_posts(bakery.few, by="impressions", n=3)
    assert list(zip(ranked["post_id"], ranked["impressions"], strict=True)) == expected


@pytest.mark.long
@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 500), st.integers(0, 5000)), min_size=1, max_size=20),
    more=st.integers(1, 100),
)
def test_more_engagements_never_lower_the_rank(rows: list[tuple[int, int]], more: int) -> None:
    """The prior is given."""

    def rank_of(first: int) -> int:
        table = posts(("99", first, 500), *((f"{n}", *row) for n, row in enumerate(rows)))
        table = table.assign(post_id=table["post_id"])
        return top_posts(table, by="engagements", n=99)["post_id"].to_list().index("99")

    assert rank_of(100 + more) <= rank_of(100)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"by": "zaps"}, "no engagement type 'zaps'"),
        ({"n": 0}, "n is 0"),
        ({"n": 2.5}, "whole number"),
        ({"minimum": -1}, "minimum is -1"),
        ({"by": "rate", "shrinkage": -5}, "shrinkage is -5"),
        ({"by": "rate", "numerator": "impressions"}, "name two"),
    ],
)
def test_invalid_arguments_are_refused(arguments: dict[str, Any], words: str) -> None:
    """Unknown types and invalid numbers."""
    with pytest.raises(FrameError, match=words):
        top_posts(posts(("1", 1, 2)), **arguments)


@pytest.mark.parametrize(
    "arguments",
    [{"by": "favorites"}, {"by": "rate", "numerator": "favorites"},
     {"minimum": 5, "denominator": "favorites"}],
)  # fmt: skip
def test_a_type_that_the_counts_lack_is_refused(arguments: dict[str, Any]) -> None:
    """An empty table would read as if no post had any favorites."""
    with pytest.raises(FrameError, match="counts have no 'favorites', only"):
        top_posts(posts(("1", 10, 200)), **arguments)
