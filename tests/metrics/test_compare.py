"""Two sets of posts: the difference, its interval, and how often it is wrong."""

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
from engagement_pandas.metrics.resampling import Sample

DAY = HOUR_MS * 24


def side(
    dice: np.random.Generator,
    number: int,
    *,
    first: int = 0,
    factor: float = 1.0,
    spread: float = 0.8,
) -> pd.DataFrame:
    """Simulate totals of posts whose sizes and rates differ widely."""
    below = dice.poisson(1000 * np.exp(spread * dice.normal(size=number))) + 1
    rate = 0.03 * factor * np.exp(0.6 * dice.normal(size=number) - 0.18)
    made = MARCH + first * DAY + np.arange(number) * 1000
    return totals(made, {"impressions": below, "engagements": dice.poisson(below * rate)})


def share_that_differs(numbers: tuple[int, int], by: str, runs: int, **kw: Any) -> float:
    """Compare two sets without a difference, again and again."""
    dice = np.random.default_rng(11)
    found = []
    for _ in range(runs):
        pair = [side(dice, n, first=place, **kw) for place, n in enumerate(numbers)]
        found.append(bool(compare(*pair, by=by, at=None, draws=199)["differs"].item()))
    return float(np.mean(found))


@pytest.mark.long
@pytest.mark.parametrize("by", ["rate", "impressions"])
@pytest.mark.parametrize("numbers", [(8, 8), (10, 40)])
def test_no_difference_is_rarely_found(numbers: tuple[int, int], by: str) -> None:
    """Of 100 comparisons without a difference, about 5 at most find one."""
    assert share_that_differs(numbers, by, 100) <= 0.07


@pytest.mark.long
@pytest.mark.parametrize("by", ["rate", "impressions"])
@pytest.mark.parametrize("spread", [0.3, 1.0])
@pytest.mark.parametrize("numbers", [(5, 5), (5, 30), (10, 40), (60, 60)])
def test_the_promised_error_rate(numbers: tuple[int, int], spread: float, by: str) -> None:
    """5 % and no more, with few posts and with many, alike in number or not (200 runs)."""
    error = share_that_differs(numbers, by, 200, spread=spread)
    assert error <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


@pytest.mark.long
@pytest.mark.parametrize("number", [30, 60, 200])
def test_the_interval_covers_a_difference(number: int) -> None:
    """Twice the rate: the true difference is in the interval in 93 % of runs or more."""
    dice = np.random.default_rng(12)
    covered, found = [], []
    for _ in range(400):
        pair = side(dice, number, factor=2), side(dice, number, first=1)
        row = compare(*pair, at=None, draws=499).iloc[0]
        covered.append(row["low"] <= 0.03 <= row["high"])
        found.append(bool(row["differs"]))
    assert np.mean(covered) >= 0.925
    assert np.mean(found) >= {30: 0.6, 60: 0.9, 200: 0.99}[number]


def test_a_difference_is_found() -> None:
    """Three times the rate of 40 posts each."""
    dice = np.random.default_rng(1)
    row = compare(side(dice, 40, factor=3), side(dice, 40, first=1), at=None).iloc[0]
    assert row["differs"]
    assert row["low"] < row["difference"] < row["high"]
    assert row["difference"] == row["a"] - row["b"]


def test_by_hand() -> None:
    """A ratio of sums on either side, and the mean count of a post."""
    one = totals(MARCH + np.arange(5), {"impressions": [100] * 5, "engagements": [1, 2, 3, 4, 5]})
    two = totals(MARCH + DAY + np.arange(6), {"impressions": [50] * 6, "engagements": [1] * 6})
    row = compare(one, two, at=None).iloc[0]
    assert row[["a", "b"]].to_list() == pytest.approx([15 / 500, 6 / 300])
    assert row[["n_a", "n_b", "left_out_a", "left_out_b"]].to_list() == [5, 6, 0, 0]
    counts = compare(one, two, by="engagements", at=None, statistic="mean").iloc[0]
    assert counts[["a", "b", "difference"]].to_list() == [3, 1, 2]


def test_the_error_by_hand() -> None:
    """The reach is a quantile times the textbook's error of two means, Welch's."""
    one = totals(MARCH + np.arange(7), {"favorites": [1, 5, 9, 4, 2, 8, 7]})
    two = totals(MARCH + DAY + np.arange(6), {"favorites": [3, 1, 4, 1, 5, 9]})
    row = compare(one, two, by="favorites", at=None, statistic="mean", draws=4999).iloc[0]
    error = np.sqrt(one["count"].var() / 7 + two["count"].var() / 6)
    reach = (row["high"] - row["low"]) / 2 / error
    assert row["high"] - row["difference"] == pytest.approx(row["difference"] - row["low"])
    assert 2.0 < reach < 3.2  # Student's, with some 11 degrees of freedom: 2.2


def test_standard_errors_are_the_textbooks() -> None:
    """Of a mean: the sample's deviation over the root of n."""
    count = np.array([1.0, 5, 9, 4, 2, 8, 7])
    assert Sample(count, np.ones(7)).standard_error == pytest.approx(count.std(ddof=1) / np.sqrt(7))


def test_posts_that_nobody_saw() -> None:
    """Engagements without impressions, all of them promoted, are no rate: left out."""
    dice = np.random.default_rng(8)
    made = MARCH + np.arange(7) * 1000
    seen = np.where(np.arange(7) == 0, 0, 900)
    a = hourly(made, {"impressions": seen, "engagements": 50}, dice, hours=30)
    b = hourly(made + DAY, {"impressions": 900, "engagements": 50}, dice, hours=30)
    assert compare(a, b)[["n_a", "left_out_a", "n_b"]].iloc[0].to_list() == [6, 1, 7]


@pytest.mark.slow
def test_at_the_same_age() -> None:
    """Old posts and young ones of one kind: alike at 6 hours, not in all."""
    dice = np.random.default_rng(3)
    old = hourly(
        MARCH + dice.integers(0, DAY, 30), {"impressions": 900}, dice, hours=100, half_life=8
    )
    young = hourly(
        MARCH + 5 * DAY + dice.integers(0, DAY, 30),
        {"impressions": 900},
        dice,
        hours=8,
        half_life=8,
    )
    assert compare(old, young, by="impressions", at=None)["differs"].item()
    same = compare(old, young, by="impressions", at=6, statistic="mean")
    assert not same["differs"].item()
    assert same["a"].item() == pytest.approx(900 * (1 - 2 ** (-6 / 8)), rel=0.03)
    assert same["at"].item() == 6


def test_who_is_left_out() -> None:
    """Posts younger than the age, or watched too late, are counted and left out."""
    dice = np.random.default_rng(4)
    made = MARCH + dice.integers(0, DAY, 12)
    a = hourly(made, {"impressions": 900, "engagements": 50}, dice, hours=30)
    place = a.groupby(["post_id", "engagement_type"], observed=True).cumcount()
    few = a["post_id"].isin(sorted(a["post_id"].unique())[:3])
    b = hourly(made + DAY, {"impressions": 900, "engagements": 50}, dice, hours=30)
    row = compare(a[~few | (place < 20)], b).iloc[0]
    assert row[["n_a", "n_b", "left_out_a", "left_out_b"]].to_list() == [9, 12, 3, 0]


def test_too_few_posts() -> None:
    """Four posts on a side: the difference, and no interval."""
    dice = np.random.default_rng(5)
    row = compare(side(dice, 4), side(dice, 30, first=1), at=None).iloc[0]
    assert not pd.isna(row["difference"])
    assert row[["low", "high", "differs"]].isna().all()
    assert compare(side(dice, 0), side(dice, 9, first=1), at=None)["a"].isna().all()


@pytest.mark.slow
def test_seeded() -> None:
    """The same seed gives the same interval, another seed nearly the same one."""
    dice = np.random.default_rng(6)
    pair = side(dice, 20), side(dice, 25, first=1)
    first = compare(*pair, at=None, seed=1)
    pd.testing.assert_frame_equal(first, compare(*pair, at=None, seed=1))
    other = compare(*pair, at=None, seed=2)
    assert other["low"].item() != first["low"].item()
    assert other["low"].item() == pytest.approx(first["low"].item(), rel=0.1)


@pytest.mark.slow
def test_the_other_way_round() -> None:
    """A with b and b with a: the same difference with another sign."""
    dice = np.random.default_rng(7)
    a, b = side(dice, 20), side(dice, 25, first=1)
    assert compare(a, b, at=None)["difference"].item() == pytest.approx(
        -compare(b, a, at=None)["difference"].item()
    )


@pytest.mark.slow
def test_the_sandbox_against_loops(bakery: Any) -> None:
    """Early posts against late ones, on totals: sums in plain Python."""
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
ONE = tidy([(POST, "favorites", "2026-03-01", 5, 1)])


@pytest.mark.parametrize(
    ("pair", "asked", "words"),
    [
        ((ONE, ONE), {"by": "favorites"}, "is in both sets"),
        ((ONE,), {"by": "handle"}, "by is 'handle', and there is one frame"),
        ((ONE.assign(handle="x"),), {"by": "handle", "of": "favorites"}, "has 1 value"),
        ((ONE, ONE.iloc[:0]), {"by": "favorites", "statistic": "median"}, "statistic is 'median'"),
        ((ONE, ONE.iloc[:0]), {"statistic": "typical"}, "a rate is a ratio of sums"),
        ((ONE, ONE.iloc[:0]), {"by": "favorites", "names": "ab"}, "names is 'ab'"),
        ((ONE, ONE.iloc[:0]), {"by": "favourits"}, "did you mean 'favorites'"),
        ((ONE, ONE.iloc[:0]), {"by": "favorites", "at": 0}, "at is 0"),
        ((ONE, ONE.iloc[:0]), {"confidence": 2}, "confidence is 2"),
        ((ONE, ONE.iloc[:0]), {"draws": 3}, "draws is 3"),
        ((ONE.drop(columns=["day", "hour"]), ONE.iloc[:0]), {"by": "favorites"}, "'day'"),
    ],
)
def test_refused(pair: Any, asked: dict[str, Any], words: str) -> None:
    """Posts in both sets, ages of counts without days, numbers that are none."""
    with pytest.raises(FrameError, match=words):
        compare(*pair, **asked)


def rates(day: str, engagements: list[int]) -> pd.DataFrame:
    """Make totals of a post each: 1,000 impressions and these engagements."""
    made = pd.date_range(day, periods=len(engagements), freq="h", tz="UTC")
    body = {
        str(int(moment.timestamp() * 1000 - 1288834974657) << 22): {
            "impressions": 1000,
            "engagements": number,
        }
        for moment, number in zip(made, engagements, strict=True)
    }
    return ep.flatten_json({"g": body})


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([50] * 9 + [80], [50] * 9 + [90]),
        ([50] * 7 + [80], [40] * 7 + [90]),
        ([0] * 19 + [1], [0] * 19 + [2]),
        ([0] * 14, [0] * 14),
    ],
)
def test_too_few_posts_that_differ(a: list[int], b: list[int]) -> None:
    """One odd post a side, or none, tells nothing of chance: no interval, or a sane one."""
    row = compare(rates("2026-03-01", a), rates("2026-03-02", b), at=None).iloc[0]
    if pd.isna(row["low"]):
        assert pd.isna(row["high"])
        assert pd.isna(row["differs"])
    else:
        assert -1 < row["low"] <= row["difference"] <= row["high"] < 1


def test_no_difference_and_no_spread_has_no_interval() -> None:
    """All posts alike on both sides: an interval of no width would be a lie."""
    row = compare(rates("2026-03-01", [5] * 9), rates("2026-03-02", [5] * 9), at=None).iloc[0]
    assert row["difference"] == 0
    assert pd.isna(row["low"])


def sized(number: int, centre: float, *, first: int = 0, spread: float = 1.0) -> pd.DataFrame:
    """Make posts whose impressions are lognormal quantiles around a centre: no randomness."""
    normal = NormalDist()
    scores = np.array([normal.inv_cdf((place + 0.5) / number) for place in range(number)])
    made = MARCH + first * DAY + np.arange(number) * 1000
    return totals(made, {"impressions": np.round(centre * np.exp(spread * scores))})


def test_the_typical_post_by_hand() -> None:
    """The geometric mean of 1 + count, less 1, and the ratio of the geometric means."""
    one = totals(MARCH + np.arange(5), {"favorites": [0, 1, 3, 7, 15]})
    two = totals(MARCH + DAY + np.arange(5), {"favorites": [0, 0, 1, 1, 3]})
    row = compare(one, two, by="favorites", at=None).iloc[0]
    assert row["statistic"] == "typical"
    assert row["a"] == pytest.approx(2 ** ((0 + 1 + 2 + 3 + 4) / 5) - 1)
    assert row["b"] == pytest.approx(2 ** ((0 + 0 + 1 + 1 + 2) / 5) - 1)
    assert row["ratio"] == pytest.approx(2 ** (6 / 5))
    assert row["low"] < row["ratio"] < row["high"]


def test_one_viral_post_does_not_destroy_the_evidence_for_its_side() -> None:
    """Typical posts 8 times apart, and one of 150,000 on the better side: found."""
    better = sized(20, 3000)
    viral = totals([MARCH + 5 * DAY], {"impressions": [150_000]})
    both = pd.concat([better, viral], ignore_index=True)
    worse = sized(20, 375, first=1)
    assert compare(both, worse, by="impressions", at=None)["differs"].item()
    mean = compare(both, worse, by="impressions", at=None, statistic="mean").iloc[0]
    assert not mean["differs"]
    assert mean["unequal_spread"] is pd.NA or not mean["unequal_spread"]


def test_the_finding_is_words() -> None:
    """What a reader of the picture is given: who, how many times, from where to where."""
    row = compare(
        sized(20, 3000), sized(20, 375, first=1), by="impressions", at=None, names=("new", "old")
    ).iloc[0]
    pattern = r"a typical post of new gets 8\.0 times as much as one of old, [345]\.\d to 1\d"
    assert re.fullmatch(pattern, row["finding"])


def test_no_difference_says_what_could_have_been_found() -> None:
    """Two equal sets: the detectable ratio follows from the spread and the number."""
    row = compare(sized(20, 500), sized(20, 500, first=1), by="impressions", at=None).iloc[0]
    error = np.sqrt(2 * np.log1p(sized(20, 500)["count"].astype(float)).var() / 20)
    # Student's quantiles of 38 degrees of freedom: 2.02 for the interval, 0.84 for the power.
    assert np.log(row["detectable"]) / error == pytest.approx(2.02 + 0.84, abs=0.2)
    assert "no difference found; 2" in row["finding"]
    assert "would be found in 8 of 10 cases" in row["finding"]


def test_unequal_spread_is_reported() -> None:
    """Equal means with sigma 1.2 and 0.4: no comparison of means can be trusted."""
    wide, narrow = sized(20, 500, spread=1.2), sized(20, 900, first=1, spread=0.4)
    row = compare(wide, narrow, by="impressions", at=None, statistic="mean").iloc[0]
    assert row["unequal_spread"]
    assert "spread too differently" in row["finding"]
    equal = compare(sized(20, 500), sized(20, 900, first=1), by="impressions", at=None)
    assert not equal["unequal_spread"].item()


def handles(*sizes: tuple[str, pd.DataFrame]) -> pd.DataFrame:
    """Put frames together, with a handle each."""
    return pd.concat([frame.assign(handle=name) for name, frame in sizes], ignore_index=True)


def test_a_column_of_two_values() -> None:
    """The same as two frames."""
    one, two = sized(12, 900), sized(15, 400, first=1)
    by_column = compare(handles(("x", one), ("y", two)), by="handle", of="impressions", at=None)
    by_frames = compare(one, two, by="impressions", at=None, names=("x", "y"))
    pd.testing.assert_frame_equal(by_column, by_frames)


@pytest.mark.slow
def test_a_column_of_three_values() -> None:
    """Each against the others, and p-values corrected by Holm's method."""
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


def test_a_post_has_one_value() -> None:
    """A post with two values of the column belongs to no single set."""
    one = totals([MARCH], {"impressions": [5], "favorites": [2]}).assign(handle=["x", "y"])
    with pytest.raises(FrameError, match="has two values of 'handle'"):
        compare(one, by="handle", of="favorites", at=None)


def test_holm_by_hand() -> None:
    """The smallest of three times 3, the next times 2, never falling, at most 1."""
    assert holm(np.array([0.04, 0.01, 0.9])).tolist() == pytest.approx([0.08, 0.03, 0.9])
    assert holm(np.array([0.03, 0.02])).tolist() == pytest.approx([0.04, 0.04])


@pytest.mark.slow
def test_the_interval_and_the_verdict_agree() -> None:
    """With one comparison, a p-value of at most 5 % is an interval without the null."""
    rng = np.random.default_rng(3)
    for _ in range(30):
        pair = side(rng, 12, factor=1.8), side(rng, 12, first=1)
        row = compare(*pair, at=None, draws=199).iloc[0]
        assert bool(row["differs"]) == bool(row["low"] > 0 or row["high"] < 0)
