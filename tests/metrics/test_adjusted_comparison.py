"""Accounts and tags compared at the same size, hour and weekday."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.simulated import HOUR_MS, MARCH, hourly, totals

from engagement_pandas import FrameError
from engagement_pandas.metrics import adjusted_comparison, compare

DAY = 24


def world(
    handles: list[str], sizes: Any, hours: Any, *, days: Any = None, followers: Any = 1000
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return totals of one post a day, at these hours, and a frame of the posts."""
    day = np.arange(len(handles)) if days is None else np.asarray(days)
    made = MARCH + (DAY * day + np.asarray(hours)) * HOUR_MS
    counts = totals(made, {"impressions": sizes})
    # totals() sorts by ID, that is by time.
    order = np.argsort(made, kind="stable")
    posts = pd.DataFrame({"handle": handles, "followers": followers}).iloc[order]
    return counts, posts.assign(post_id=counts["post_id"].to_numpy())


def noisy(number: int, seed: int = 0) -> Any:
    """Return factors around 1."""
    return np.exp(0.3 * np.random.default_rng(seed).normal(size=number))


def by_hours(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two accounts that are alike, except that one posts at the better hour more often."""
    handles = ["early", "late"] * 60
    good = np.array([(n // 2) % 4 != 0 if n % 2 else (n // 2) % 4 == 0 for n in range(120)])
    sizes = np.round(1000 * np.where(good, 5, 1) * noisy(120, seed))
    return world(handles, sizes, np.where(good, 18, 9))


def six(exponent: float = 1.0, *, factor: float = 1.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return six accounts whose counts grow with their size; a factor multiplies the third's."""
    account = np.tile(np.arange(6), 30)
    followers = 1000 * 3**account
    sizes = 100 * 3.0 ** (exponent * account) * np.where(account == 2, factor, 1)
    hours = np.random.default_rng(2).integers(9, 12, 180)
    names = [f"account_{n}" for n in account]
    return world(names, np.round(sizes * noisy(180)), hours, followers=followers)


@pytest.mark.slow
def test_an_account_with_better_hours_is_not_better() -> None:
    """The unadjusted comparison finds a difference; the comparison at the same hours does not."""
    counts, posts = by_hours()
    row = adjusted_comparison(counts, posts, size=None, at=None).iloc[0]
    assert row["unadjusted"] == pytest.approx(5**-0.5, rel=0.1)
    assert 0.85 < row["ratio"] < 1.15
    assert row["low"] < 1 < row["high"]
    assert not row["differs"]
    raw = compare(counts, posts=posts, by="handle", of="impressions", at=None, draws=399)
    assert raw["differs"].item()


def test_two_groups_give_one_row() -> None:
    """The row has both groups, the finding as a sentence, and the number of posts."""
    row = adjusted_comparison(*by_hours(), size=None, at=None).iloc[0]
    assert (row["group"], row["against"], row["of"]) == ("early", "late", "impressions")
    assert row["adjusted_for"] == "hour, weekday"
    assert row["finding"].startswith("a typical post of early gets ")
    assert "times as much as one of late" in row["finding"]
    assert row[["n", "threads", "left_out"]].to_list() == [60, 60, 0]


def test_the_ratio_without_confounders_is_that_of_geometric_means() -> None:
    """All posts have the same hour and weekday; the ratio was worked out by hand."""
    sizes = [9, 99, 999, 99, 99, 99, 999, 9999, 999, 999]
    counts, posts = world(["a"] * 5 + ["b"] * 5, sizes, [12] * 10, days=[7 * n for n in range(10)])
    row = adjusted_comparison(counts, posts, size=None, at=None).iloc[0]
    assert row["ratio"] == pytest.approx(0.1)
    assert row["unadjusted"] == pytest.approx(0.1)
    # Welch's error of the two means.
    logs = np.log(np.array(sizes) + 1.0)
    error = np.sqrt(logs[:5].var(ddof=1) / 5 + logs[5:].var(ddof=1) / 5)
    half_width = np.log(row["high"] / row["low"]) / 2
    assert 1.95 < half_width / error < 2.78  # Student's t with 4 to 8 degrees of freedom


@pytest.mark.slow
@pytest.mark.parametrize("exponent", [0.5, 1.0])
def test_the_exponent_of_the_size_is_estimated(exponent: float) -> None:
    """No account differs because of its followers, for any exponent."""
    table = adjusted_comparison(*six(exponent), at=None)
    assert table["exponent"].to_list() == pytest.approx([exponent] * 6, abs=0.1)
    assert not table["differs"].any()
    assert table["unadjusted"].max() > 4


def test_an_account_that_exceeds_its_size_is_found() -> None:
    """It has three times the counts that its size predicts."""
    table = adjusted_comparison(*six(factor=3.0), at=None).set_index("group")
    assert table["differs"].to_dict() == {f"account_{n}": n == 2 for n in range(6)}
    row = table.loc["account_2"]
    assert row["low"] < 3 < row["high"]


@pytest.mark.slow
def test_two_accounts_suffice_for_a_given_exponent() -> None:
    """An exponent of 1 compares counts per follower."""
    counts, posts = six()
    two = posts[posts["handle"].isin(["account_1", "account_4"])]
    row = adjusted_comparison(counts, two, exponent=1, at=None).iloc[0]
    assert row["unadjusted"] == pytest.approx(1 / 27, rel=0.3)
    assert 0.8 < row["ratio"] < 1.25
    assert row["exponent"] == 1
    double = two.assign(followers=two["followers"] * np.where(two["handle"] == "account_1", 2, 1))
    again = adjusted_comparison(counts, double, exponent=1, at=None).iloc[0]
    assert again["ratio"] == pytest.approx(row["ratio"] / 2)


@pytest.mark.slow
def test_scatter_of_the_other_accounts_widens_the_interval() -> None:
    """Accounts that do not follow their sizes make each estimate less certain."""
    counts, posts = six()
    factors = posts["handle"].map({f"account_{n}": f for n, f in enumerate([1, 6, 1, 1, 4, 1])})
    of_post = factors.set_axis(posts["post_id"]).reindex(counts["post_id"]).to_numpy()
    uneven = counts.assign(count=(counts["count"] * of_post).astype("Int64"))
    width = [
        (table["high"] / table["low"]).iloc[2]
        for table in (adjusted_comparison(frame, posts, at=None) for frame in (counts, uneven))
    ]
    assert width[1] > 5 * width[0]


def tags() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return posts of a large and a small account; *launch* doubles counts."""
    rng = np.random.default_rng(3)
    large = np.arange(200) % 2 == 0
    launch = rng.random(200) < np.where(large, 0.7, 0.2)
    sale = rng.random(200) < 0.4
    sizes = np.round(100 * np.where(large, 20, 1) * np.where(launch, 2, 1) * noisy(200))
    counts, posts = world(
        ["large" if n else "small" for n in large], sizes, rng.integers(9, 13, 200)
    )
    pairs = zip(launch, sale, strict=True)
    posts["tag"] = [["launch"] * int(a) + ["sale"] * int(b) for a, b in pairs]
    return counts, posts


def test_tags_are_compared_within_accounts() -> None:
    """The effect of a tag excludes the size of the account; a post may have several tags."""
    table = adjusted_comparison(*tags(), by="tag", at=None).set_index("group")
    assert table["adjusted_for"].to_list() == ["handle, hour, weekday"] * 2
    assert table["differs"].to_dict() == {"launch": True, "sale": False}
    launch = table.loc["launch"]
    assert launch["unadjusted"] > 5
    assert launch["low"] < 2 < launch["high"]
    assert 0.8 < launch["ratio"] / 2 < 1.25


@pytest.mark.slow
def test_tags_may_be_lists_or_rows() -> None:
    """Several tags of a post give the same result as a list and as several rows."""
    counts, posts = tags()
    exploded = posts.explode("tag", ignore_index=True)
    expected = adjusted_comparison(counts, posts, by="tag", at=None)
    pd.testing.assert_frame_equal(
        adjusted_comparison(counts, exploded, by="tag", at=None), expected
    )


@pytest.mark.slow
def test_posts_of_a_thread_are_one_cluster() -> None:
    """Ten posts in one hour with a common effect have little more information than one post."""
    rng = np.random.default_rng(4)
    thread = np.repeat(np.arange(20), 10)
    sizes = np.round(1000 * np.exp(rng.normal(size=20)[thread] + 0.1 * rng.normal(size=200)))
    handles = ["a" if n % 2 else "b" for n in thread]
    minutes = np.tile(np.arange(10), 20) / 60
    apart = world(handles, sizes, 9 + np.tile(np.arange(10), 20), days=7 * thread)
    together = world(handles, sizes, 12 + minutes, days=7 * thread)
    width = []
    for counts, posts in (apart, together):
        row = adjusted_comparison(counts, posts, size=None, at=None).iloc[0]
        width.append(np.log(row["high"] / row["low"]))
    assert row[["n", "threads"]].to_list() == [100, 10]
    assert width[1] > 2 * width[0]


@pytest.mark.slow
def test_a_group_with_too_few_threads_has_no_numbers() -> None:
    """A tag of four threads has a row with the reason; the other tags are compared."""
    counts, posts = tags()
    posts["tag"] = [["rare"] if n < 4 else t for n, t in enumerate(posts["tag"])]
    table = adjusted_comparison(counts, posts, by="tag", at=None).set_index("group")
    assert table.loc["rare", ["ratio", "low", "p", "differs"]].isna().all()
    assert table.loc["rare", "finding"] == "too few threads to compare"
    assert table.loc["rare", "n"] == 4
    assert table.loc[["launch", "sale"], "p"].notna().all()
    seen = adjusted_comparison(counts, posts, by="tag", at=None, minimum=4)
    assert seen["p"].notna().all()


def test_an_account_with_separate_hours_is_not_compared() -> None:
    """No other account posts at its hours; the remaining accounts are compared."""
    handles = ["a", "b", "night"] * 30
    hours = np.where(np.arange(90) % 3 == 2, 3, 12)
    counts, posts = world(handles, np.round(100 * noisy(90)), hours)
    table = adjusted_comparison(counts, posts, size=None, at=None).set_index("group")
    assert table.loc["night", "finding"] == "no other posts at its hours and weekdays"
    assert pd.isna(table.loc["night", "ratio"])
    two = posts[posts["handle"] != "a"]
    with pytest.raises(FrameError, match="same hours and weekdays"):
        adjusted_comparison(counts, two, size=None, at=None)


def test_posts_with_missing_values_are_left_out_and_counted() -> None:
    """A missing count or size is not read as 0."""
    counts, posts = six()
    first = posts.index[posts["handle"] == "account_0"][:2]
    posts["followers"] = posts["followers"].astype("Float64")
    posts.loc[first[0], "followers"] = pd.NA
    masked = counts["post_id"] == posts.loc[first[1], "post_id"]
    table = adjusted_comparison(counts.assign(count=counts["count"].mask(masked)), posts, at=None)
    assert table["left_out"].to_list() == [2, 0, 0, 0, 0, 0]
    assert table["n"].to_list() == [28, 30, 30, 30, 30, 30]


def test_hourly_counts_are_compared_at_24_hours() -> None:
    """The default is 24 hours; younger posts are left out."""
    rng = np.random.default_rng(1)
    made = MARCH + (24 * np.arange(40) + rng.integers(9, 12, 40)) * HOUR_MS
    counts = hourly(made, {"impressions": 500}, rng, hours=30)
    ids = np.sort(counts["post_id"].unique())
    posts = pd.DataFrame({"post_id": ids, "kind": ["post", "reply"] * 20})
    young = counts["post_id"].isin(ids[:2]) & (counts.groupby("post_id").cumcount() >= 10)
    row = adjusted_comparison(counts[~young], posts, by="kind").iloc[0]
    assert row[["at", "n", "left_out"]].to_list() == [24, 19, 1]


def test_hours_and_weekdays_are_local() -> None:
    """Another time zone gives another adjustment."""
    counts, posts = by_hours()
    utc = adjusted_comparison(counts, posts, size=None, at=None)
    there = adjusted_comparison(counts, posts, size=None, at=None, tz="Asia/Tokyo")
    assert utc["ratio"].item() != there["ratio"].item()


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ("have 'followers'", {"posts": ["followers"]}),
        (r"name a column .*: \['engagement_type', 'followers', 'handle'", {"by": "tag"}),
        ("no engagement type 'rate'", {"of": "rate"}),
        ("exponent is inf", {"exponent": np.inf}),
        ("of a size that is not adjusted for", {"exponent": 1, "size": None}),
        ("minimum is 1", {"minimum": 1}),
        ("31 threads or more", {"minimum": 31}),
        ("confidence", {"confidence": 1.0}),
    ],
)
def test_invalid_arguments_are_refused(words: str, arguments: dict[str, Any]) -> None:
    """The error has the value and the cure."""
    counts, posts = six()
    posts = posts.drop(columns=arguments.pop("posts", []))
    with pytest.raises(FrameError, match=words):
        adjusted_comparison(counts, posts, at=None, **arguments)


def test_an_exponent_needs_five_accounts() -> None:
    """Four accounts are too few to estimate how counts grow with the size."""
    counts, posts = six()
    few = posts[posts["handle"] < "account_4"]
    with pytest.raises(FrameError, match=r"estimated from 5 or more.*exponent=1"):
        adjusted_comparison(counts, few, at=None)
    with pytest.raises(FrameError, match="same size"):
        adjusted_comparison(counts, posts.assign(followers=500), at=None)


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [0, -5, "many", np.inf])
def test_impossible_sizes_are_refused(wrong: Any) -> None:
    """The error has the value and the post."""
    counts, posts = six()
    posts["followers"] = posts["followers"].astype(object)
    posts.loc[posts.index[3], "followers"] = wrong
    with pytest.raises(FrameError, match=f"'followers' of post {posts['post_id'].iloc[3]} is"):
        adjusted_comparison(counts, posts, at=None)


def test_a_post_with_two_accounts_is_refused() -> None:
    """A post belongs to one account."""
    counts, posts = six()
    twice = pd.concat([posts, posts.head(1).assign(handle="account_5")])
    with pytest.raises(FrameError, match="two values of 'handle'"):
        adjusted_comparison(counts, twice, at=None)


@pytest.mark.long
@settings(max_examples=15, deadline=None)
@given(factor=st.integers(2, 50), seed=st.integers(0, 1000))
def test_ratios_are_independent_of_the_scale_of_counts(factor: int, seed: int) -> None:
    """They change only by the 1 that is added to counts; the order of rows has no effect."""
    counts, posts = by_hours(seed)
    more = counts.assign(count=counts["count"] * factor)
    mixed = more.sample(frac=1, random_state=seed)
    ordered, shuffled = (
        adjusted_comparison(frame, posts, size=None, at=None).iloc[0] for frame in (counts, mixed)
    )
    for name in ("ratio", "low", "high"):
        assert ordered[name] == pytest.approx(shuffled[name], rel=0.01)


@pytest.mark.slow
def test_several_groups_are_corrected_by_holm() -> None:
    """At the confidence of the corrected p-value, the interval just touches 1."""
    counts, posts = six(factor=1.25)
    table = adjusted_comparison(counts, posts, at=None)
    first = int(table["p"].to_numpy("float64").argmin())
    p = float(table["p"].iloc[first])
    assert p < 0.5
    row = adjusted_comparison(counts, posts, at=None, confidence=1 - p).iloc[first]
    assert row["low" if row["ratio"] > 1 else "high"] == pytest.approx(1)
    assert (table["p"] <= 0.05).to_list() == table["differs"].to_list()
