"""Comparisons of two sets of posts: the difference, its interval and the error rate."""

from __future__ import annotations

import re
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.simulated import HOUR_MS, MARCH, hourly, id_at, tidy, totals

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.metrics import compare
from engagement_pandas.metrics.compare import holm
from engagement_pandas.metrics.comparison_text import finding
from engagement_pandas.metrics.resampling import Sample

DAY = HOUR_MS * 24


def side(
    rng: np.random.Generator,
    number: int,
    *,
    first: int = 0,
    factor: float = 1.0,
    spread: float = 0.8,
) -> pd.DataFrame:
    """Simulate totals of posts whose sizes and rates vary widely."""
    below = rng.poisson(1000 * np.exp(spread * rng.normal(size=number))) + 1
    rate = 0.03 * factor * np.exp(0.6 * rng.normal(size=number) - 0.18)
    created = MARCH + first * DAY + np.arange(number) * 1000
    return totals(created, {"impressions": below, "engagements": rng.poisson(below * rate)})


def test_a_large_difference_is_found() -> None:
    """40 posts have three times the rate of 40 others."""
    rng = np.random.default_rng(1)
    row = compare(side(rng, 40, factor=3), side(rng, 40, first=1), at=None).iloc[0]
    assert row["differs"]
    assert row["low"] < row["difference"] < row["high"]
    assert row["difference"] == row["a"] - row["b"]


def test_rates_and_means_match_a_calculation_by_hand() -> None:
    """A rate is a ratio of sums, and a mean is the count per post."""
    first_set = totals(
        MARCH + np.arange(5), {"impressions": [100] * 5, "engagements": [1, 2, 3, 4, 5]}
    )
    second_set = totals(
        MARCH + DAY + np.arange(6), {"impressions": [50] * 6, "engagements": [1] * 6}
    )
    row = compare(first_set, second_set, at=None).iloc[0]
    assert row[["a", "b"]].to_list() == pytest.approx([15 / 500, 6 / 300])
    assert row[["n_a", "n_b", "left_out_a", "left_out_b"]].to_list() == [5, 6, 0, 0]
    counts = compare(first_set, second_set, by="engagements", at=None, statistic="mean").iloc[0]
    assert counts[["a", "b", "difference"]].to_list() == [3, 1, 2]


def test_the_interval_has_welchs_standard_error() -> None:
    """The half width is a quantile times the textbook's error of two means."""
    first_set = totals(MARCH + np.arange(7), {"favorites": [1, 5, 9, 4, 2, 8, 7]})
    second_set = totals(MARCH + DAY + np.arange(6), {"favorites": [3, 1, 4, 1, 5, 9]})
    row = compare(
        first_set, second_set, by="favorites", at=None, statistic="mean", draws=4999
    ).iloc[0]
    error = np.sqrt(first_set["count"].var() / 7 + second_set["count"].var() / 6)
    half_width = (row["high"] - row["low"]) / 2 / error
    assert row["high"] - row["difference"] == pytest.approx(row["difference"] - row["low"])
    assert 2.0 < half_width < 3.2  # Student's t with about 11 degrees of freedom: 2.2


def test_the_standard_error_of_a_mean_is_the_textbooks() -> None:
    """It is the sample deviation divided by the root of n."""
    count = np.array([1.0, 5, 9, 4, 2, 8, 7])
    assert Sample(count, np.ones(7)).standard_error == pytest.approx(count.std(ddof=1) / np.sqrt(7))


def test_posts_without_impressions_are_left_out() -> None:
    """Engagements without impressions (all promoted) have no rate."""
    rng = np.random.default_rng(8)
    created = MARCH + np.arange(7) * 1000
    seen = np.where(np.arange(7) == 0, 0, 900)
    a = hourly(created, {"impressions": seen, "engagements": 50}, rng, hours=30)
    b = hourly(created + DAY, {"impressions": 900, "engagements": 50}, rng, hours=30)
    assert compare(a, b)[["n_a", "left_out_a", "n_b"]].iloc[0].to_list() == [6, 1, 7]


@pytest.mark.slow
def test_posts_are_compared_at_the_same_age() -> None:
    """Old and young posts of one size are equal at 6 hours, but not in total."""
    rng = np.random.default_rng(3)
    old = hourly(
        MARCH + rng.integers(0, DAY, 30), {"impressions": 900}, rng, hours=100, half_life=8
    )
    young = hourly(
        MARCH + 5 * DAY + rng.integers(0, DAY, 30),
        {"impressions": 900},
        rng,
        hours=8,
        half_life=8,
    )
    assert compare(old, young, by="impressions", at=None)["differs"].item()
    at_six_hours = compare(old, young, by="impressions", at=6, statistic="mean")
    assert not at_six_hours["differs"].item()
    assert at_six_hours["a"].item() == pytest.approx(900 * (1 - 2 ** (-6 / 8)), rel=0.03)
    assert at_six_hours["at"].item() == 6


def test_posts_without_counts_at_the_age_are_left_out_and_counted() -> None:
    """They are younger than the age, or were watched too late."""
    rng = np.random.default_rng(4)
    created = MARCH + rng.integers(0, DAY, 12)
    a = hourly(created, {"impressions": 900, "engagements": 50}, rng, hours=30)
    position = a.groupby(["post_id", "engagement_type"], observed=True).cumcount()
    few = a["post_id"].isin(sorted(a["post_id"].unique())[:3])
    b = hourly(created + DAY, {"impressions": 900, "engagements": 50}, rng, hours=30)
    row = compare(a[~few | (position < 20)], b).iloc[0]
    assert row[["n_a", "n_b", "left_out_a", "left_out_b"]].to_list() == [9, 12, 3, 0]


def test_too_few_posts_have_no_interval() -> None:
    """Four posts on a side have a difference only."""
    rng = np.random.default_rng(5)
    row = compare(side(rng, 4), side(rng, 30, first=1), at=None).iloc[0]
    assert not pd.isna(row["difference"])
    assert row[["low", "high", "differs"]].isna().all()
    assert compare(side(rng, 0), side(rng, 9, first=1), at=None)["a"].isna().all()


@pytest.mark.slow
def test_results_are_reproducible() -> None:
    """A seed gives one interval; another seed gives nearly the same one."""
    rng = np.random.default_rng(6)
    pair = side(rng, 20), side(rng, 25, first=1)
    result = compare(*pair, at=None, seed=1)
    pd.testing.assert_frame_equal(result, compare(*pair, at=None, seed=1))
    reseeded = compare(*pair, at=None, seed=2)
    assert reseeded["low"].item() != result["low"].item()
    assert reseeded["low"].item() == pytest.approx(result["low"].item(), rel=0.1)


@pytest.mark.slow
def test_exchanged_sets_have_the_opposite_difference() -> None:
    """Only its sign changes."""
    rng = np.random.default_rng(7)
    a, b = side(rng, 20), side(rng, 25, first=1)
    assert compare(a, b, at=None)["difference"].item() == pytest.approx(
        -compare(b, a, at=None)["difference"].item()
    )


@pytest.mark.slow
def test_a_comparison_matches_plain_loops(bakery: Any) -> None:
    """Early and late posts of the sandbox are summed in plain Python."""
    ids = sorted(bakery.totals["post_id"].unique())
    halves = [bakery.totals[bakery.totals["post_id"].isin(part)] for part in (ids[:12], ids[12:])]
    row = compare(*halves, at=None).iloc[0]
    for name, half in zip("ab", halves, strict=True):
        sums = {"impressions": 0, "engagements": 0}
        for record in half.to_dict("records"):
            if record["engagement_type"] in sums and not pd.isna(record["count"]):
                sums[record["engagement_type"]] += record["count"]
        assert row[name] == pytest.approx(sums["engagements"] / sums["impressions"])


POST = id_at("2026-03-01T05:45:00Z")
POST_COUNTS = tidy([(POST, "favorites", "2026-03-01", 5, 1)])


@pytest.mark.parametrize(
    ("pair", "arguments", "words"),
    [
        ((POST_COUNTS, POST_COUNTS), {"by": "favorites"}, "is in both sets"),
        ((POST_COUNTS,), {"by": "handle"}, "by is 'handle', and there is one frame"),
        ((POST_COUNTS.assign(handle="x"),), {"by": "handle", "of": "favorites"}, "has 1 value"),
        (
            (POST_COUNTS, POST_COUNTS.iloc[:0]),
            {"by": "favorites", "statistic": "median"},
            "statistic is 'median'",
        ),
        (
            (POST_COUNTS, POST_COUNTS.iloc[:0]),
            {"statistic": "typical"},
            "a rate is a ratio of sums",
        ),
        ((POST_COUNTS, POST_COUNTS.iloc[:0]), {"by": "favorites", "names": "ab"}, "names is 'ab'"),
        ((POST_COUNTS, POST_COUNTS.iloc[:0]), {"by": "favourits"}, "did you mean 'favorites'"),
        ((POST_COUNTS, POST_COUNTS.iloc[:0]), {"by": "favorites", "at": 0}, "at is 0"),
        ((POST_COUNTS, POST_COUNTS.iloc[:0]), {"confidence": 2}, "confidence is 2"),
        ((POST_COUNTS, POST_COUNTS.iloc[:0]), {"draws": 3}, "draws is 3"),
        (
            (POST_COUNTS.drop(columns=["day", "hour"]), POST_COUNTS.iloc[:0]),
            {"by": "favorites"},
            "'day'",
        ),
    ],
)
def test_invalid_arguments_are_refused(pair: Any, arguments: dict[str, Any], words: str) -> None:
    """Posts in both sets, ages of counts without days, and invalid numbers."""
    with pytest.raises(FrameError, match=words):
        compare(*pair, **arguments)


def rates(day: str, engagements: list[int]) -> pd.DataFrame:
    """Return totals of posts with 1,000 impressions and these engagements."""
    created = pd.date_range(day, periods=len(engagements), freq="h", tz="UTC")
    body = {
        str(int(timestamp.timestamp() * 1000 - 1288834974657) << 22): {
            "impressions": 1000,
            "engagements": number,
        }
        for timestamp, number in zip(created, engagements, strict=True)
    }
    return ep.flatten_json({"g": body})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([50] * 9 + [80], [50] * 9 + [90]),
        ([50] * 7 + [80], [40] * 7 + [90]),
        ([0] * 19 + [1], [0] * 19 + [2]),
        ([0] * 14, [0] * 14),
    ],
)
def test_too_few_posts_that_vary_give_no_wide_interval(a: list[int], b: list[int]) -> None:
    """One different post a side is no evidence: the interval is missing or plausible."""
    row = compare(rates("2026-03-01", a), rates("2026-03-02", b), at=None).iloc[0]
    if pd.isna(row["low"]):
        assert pd.isna(row["high"])
        assert pd.isna(row["differs"])
    else:
        assert -1 < row["low"] <= row["difference"] <= row["high"] < 1


def test_sets_without_spread_have_no_interval() -> None:
    """All posts of both sets are equal, so an interval of zero width would be wrong."""
    row = compare(rates("2026-03-01", [5] * 9), rates("2026-03-02", [5] * 9), at=None).iloc[0]
    assert row["difference"] == 0
    assert pd.isna(row["low"])


def sized(number: int, centre: float, *, first: int = 0, spread: float = 1.0) -> pd.DataFrame:
    """Return posts whose impressions are lognormal quantiles around a centre: no randomness."""
    normal = NormalDist()
    scores = np.array([normal.inv_cdf((position + 0.5) / number) for position in range(number)])
    created = MARCH + first * DAY + np.arange(number) * 1000
    return totals(created, {"impressions": np.round(centre * np.exp(spread * scores))})


def test_the_typical_post_is_a_geometric_mean() -> None:
    """It is the geometric mean of 1 + count, minus 1; the ratio is that of the geometric means."""
    first_set = totals(MARCH + np.arange(5), {"favorites": [0, 1, 3, 7, 15]})
    second_set = totals(MARCH + DAY + np.arange(5), {"favorites": [0, 0, 1, 1, 3]})
    row = compare(first_set, second_set, by="favorites", at=None).iloc[0]
    assert row["statistic"] == "typical"
    assert row["a"] == pytest.approx(2 ** ((0 + 1 + 2 + 3 + 4) / 5) - 1)
    assert row["b"] == pytest.approx(2 ** ((0 + 0 + 1 + 1 + 2) / 5) - 1)
    assert row["ratio"] == pytest.approx(2 ** (6 / 5))
    assert row["low"] < row["ratio"] < row["high"]


def test_a_viral_post_does_not_hide_a_difference() -> None:
    """Typical posts differ by a factor of 8, and the better set has a post of 150,000."""
    better = sized(20, 3000)
    viral = totals([MARCH + 5 * DAY], {"impressions": [150_000]})
    both = pd.concat([better, viral], ignore_index=True)
    worse = sized(20, 375, first=1)
    assert compare(both, worse, by="impressions", at=None)["differs"].item()
    mean = compare(both, worse, by="impressions", at=None, statistic="mean").iloc[0]
    assert not mean["differs"]
    assert mean["unequal_spread"] is pd.NA or not mean["unequal_spread"]


def test_the_finding_is_a_sentence() -> None:
    """It has both names, the ratio and its interval."""
    row = compare(
        sized(20, 3000), sized(20, 375, first=1), by="impressions", at=None, names=("new", "old")
    ).iloc[0]
    pattern = r"a typical post of new gets 8\.0 times as much as one of old, [345]\.\d to 1\d"
    assert re.fullmatch(pattern, row["finding"])


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        (["post", "reply"], r"a typical post gets 8\.0 times as much as a typical reply, "),
        (["quote", "repost"], r"a typical quote gets 8\.0 times as much as a typical repost, "),
        (["post", "spring"], r"a typical post of post gets 8\.0 times as much as one of spring, "),
        (["@quote", "reply"], r"a typical post of @quote gets 8\.0 times as much as one of reply"),
    ],
)
def test_kinds_of_posts_are_nouns_in_the_finding(groups: list[str], sentence: str) -> None:
    """A campaign or handle that is called like a kind is not one."""
    sets = [sized(20, 3000), sized(20, 375, first=1)]
    both = pd.concat([part.assign(set=name) for part, name in zip(sets, groups, strict=True)])
    row = compare(both, by="set", of="impressions", at=None).iloc[0]
    assert re.match(sentence, row["finding"])


@pytest.mark.parametrize(
    ("statistic", "sentence"),
    [
        ("typical", "a typical reply gets 2.0 times as much as one of the others"),
        ("mean", "the mean reply has 12 more than that of the others"),
        ("rate", "the rate of replies is 1,200 percentage points higher than that of the others"),
    ],
)
def test_a_kind_against_the_others_is_a_noun_too(statistic: str, sentence: str) -> None:
    """With three kinds, each is compared with the others."""
    row = {"statistic": statistic, "group": "reply", "against": "the others", "ratio": 2.0,
           "difference": 12.0, "low": pd.NA}  # fmt: skip
    assert finding(pd.Series(row)).partition(";")[0] == sentence


def test_no_difference_reports_the_detectable_ratio() -> None:
    """The detectable ratio of two equal sets follows from the spread and the number of posts."""
    row = compare(sized(20, 500), sized(20, 500, first=1), by="impressions", at=None).iloc[0]
    error = np.sqrt(2 * np.log1p(sized(20, 500)["count"].astype(float)).var() / 20)
    # Student's quantiles of 38 degrees of freedom: 2.02 for the interval, 0.84 for the power.
    assert np.log(row["detectable"]) / error == pytest.approx(2.02 + 0.84, abs=0.2)
    assert "no difference found; 2" in row["finding"]
    assert "would be found in 8 of 10 cases" in row["finding"]


def test_unequal_spread_is_reported_for_means() -> None:
    """Equal means with sigma 1.2 and 0.4 make a comparison of means unreliable."""
    wide, narrow = sized(20, 500, spread=1.2), sized(20, 900, first=1, spread=0.4)
    row = compare(wide, narrow, by="impressions", at=None, statistic="mean").iloc[0]
    assert row["unequal_spread"]
    assert "spread too differently" in row["finding"]
    equal = compare(sized(20, 500), sized(20, 900, first=1), by="impressions", at=None)
    assert not equal["unequal_spread"].item()


def handles(*sizes: tuple[str, pd.DataFrame]) -> pd.DataFrame:
    """Concatenate frames, each with its handle."""
    return pd.concat([frame.assign(handle=name) for name, frame in sizes], ignore_index=True)


def test_a_column_with_two_values_compares_two_sets() -> None:
    """The result is that of two frames."""
    first_set, second_set = sized(12, 900), sized(15, 400, first=1)
    by_column = compare(
        handles(("x", first_set), ("y", second_set)), by="handle", of="impressions", at=None
    )
    by_frames = compare(first_set, second_set, by="impressions", at=None, names=("x", "y"))
    pd.testing.assert_frame_equal(by_column, by_frames)


@pytest.mark.slow
def test_a_column_with_three_values_compares_each_with_the_others() -> None:
    """Holm's method corrects the p-values."""
    counts = handles(
        ("x", sized(15, 5000)), ("y", sized(15, 500, first=1)), ("z", sized(15, 500, first=2))
    )
    table = compare(counts, by="handle", of="impressions", at=None)
    assert table["group"].to_list() == ["x", "y", "z"]
    assert set(table["against"]) == {"the others"}
    assert table[["n_a", "n_b"]].to_numpy().tolist() == [[15, 30]] * 3
    assert table["differs"].to_list()[0]
    alone = compare(
        counts[counts["handle"] == "x"], counts[counts["handle"] != "x"], by="impressions", at=None
    )
    assert table["p"][0] == pytest.approx(3 * alone["p"].item())
    assert table["low"][0] < alone["low"].item()


def test_a_post_with_two_values_is_refused() -> None:
    """Such a post does not belong to a single set."""
    first_set = totals([MARCH], {"impressions": [5], "favorites": [2]}).assign(handle=["x", "y"])
    with pytest.raises(FrameError, match="has two values of 'handle'"):
        compare(first_set, by="handle", of="favorites", at=None)


def test_holms_correction_matches_a_calculation_by_hand() -> None:
    """The smallest of three is multiplied by 3, the next by 2; values never decrease."""
    assert holm(np.array([0.04, 0.01, 0.9])).tolist() == pytest.approx([0.08, 0.03, 0.9])
    assert holm(np.array([0.03, 0.02])).tolist() == pytest.approx([0.04, 0.04])


@pytest.mark.long
def test_the_interval_and_the_p_value_agree() -> None:
    """A p-value of at most 5 % means an interval without the null."""
    rng = np.random.default_rng(3)
    for _ in range(30):
        pair = side(rng, 12, factor=1.8), side(rng, 12, first=1)
        row = compare(*pair, at=None, draws=199).iloc[0]
        assert bool(row["differs"]) == bool(row["low"] > 0 or row["high"] < 0)


def test_sets_that_are_all_alike_have_no_interval_and_the_reason() -> None:
    """Six posts on each side would be enough, if any of them had clicks."""
    sides = [totals(MARCH + first + np.arange(6), {"url_clicks": [0] * 6}) for first in (0, 1000)]
    row = compare(*sides, by="url_clicks", at=None).iloc[0]
    assert pd.isna(row["low"])
    assert row["finding"].endswith("; not enough posts for an interval, or all are alike")
