"""Ratios of sums, their intervals, and counts without a partner."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.simulated import tidy

from engagement_pandas import FrameError
from engagement_pandas.frame.contract import dtype_name
from engagement_pandas.metrics import engagement_rate, rate_by_age, rate_over_time, summarise
from engagement_pandas.metrics.intervals import Prior, fit_prior, group_interval, rate_interval

ROWS = tidy(
    [
        ("1", "impressions", "2026-03-01", 5, 100),
        ("1", "impressions", "2026-03-01", 6, 300),
        ("1", "engagements", "2026-03-01", 5, 10),
        ("1", "engagements", "2026-03-01", 6, 6),
        ("2", "impressions", "2026-03-01", 5, 10),
        ("2", "engagements", "2026-03-01", 5, 15),
        ("3", "impressions", "2026-03-01", 5, 50),
        ("4", "impressions", "2026-03-01", 5, 70),
        ("4", "engagements", "2026-03-01", 5, pd.NA),
        ("5", "impressions", "2026-03-01", 5, 0),
        ("5", "engagements", "2026-03-01", 5, 0),
    ]
)


def by_hand(counts: pd.DataFrame, keys: list[str]) -> dict[Any, tuple[int, int]]:
    """Sum engagements and impressions where both are known, in plain loops."""
    cells: dict[Any, dict[str, int]] = defaultdict(dict)
    axes = [name for name in ("post_id", "day", "hour") if name in counts]
    groups: dict[Any, Any] = {}
    for row in counts.to_dict("records"):
        if not pd.isna(row["count"]):
            cell = tuple(row[name] for name in axes)
            cells[cell][row["engagement_type"]] = int(row["count"])
            groups[cell] = tuple(row[name] for name in keys)
    sums: dict[Any, list[int]] = {}
    for cell, numbers in cells.items():
        if {"engagements", "impressions"} <= set(numbers):
            entry = sums.setdefault(groups[cell], [0, 0])
            entry[0] += numbers["engagements"]
            entry[1] += numbers["impressions"]
    return {key: (above, below) for key, (above, below) in sums.items()}


def test_a_rate_is_a_ratio_of_sums() -> None:
    """It is 16 of 400, not the mean of 10 % and 2 %; 15 of 10 is above one and flagged."""
    rates = engagement_rate(ROWS).set_index("post_id")
    assert rates.loc["1", ["engagements", "impressions", "rate"]].to_list() == [16, 400, 0.04]
    assert rates["above_one"].fillna(value=False).to_dict()["2"]
    assert rates["above_one"].sum() == 1


def test_only_rates_above_one_are_flagged() -> None:
    """19 of 20 and 20 of 20 are not flagged; 21 of 20 is."""
    rows = [
        (str(above), engagement_type, count)
        for above in (19, 20, 21)
        for engagement_type, count in (("impressions", 20), ("engagements", above))
    ]
    rates = engagement_rate(tidy(rows, "post_id", "engagement_type", "count"))
    assert rates["above_one"].to_list() == [False, False, True]


def test_missing_counts_are_not_zero() -> None:
    """Without a known partner or impressions the rate is <NA>, and the sums are kept."""
    rates = engagement_rate(ROWS).set_index("post_id").loc[["3", "4", "5"]]
    assert rates[["rate", "low", "high", "above_one"]].isna().all(axis=None)
    assert rates["impressions"].to_list() == [50, 70, 0]
    assert rates["engagements"].isna().to_list() == [True, True, False]


def test_only_counts_with_a_partner_are_in_the_rate() -> None:
    """Posts 1, 2 and 5 have both, so the rate is 31 of 410; 50 and 70 are left out."""
    overall = engagement_rate(ROWS, by=None)
    assert overall[["engagements", "impressions"]].iloc[0].to_list() == [31, 410]
    assert overall["rate"].item() == 31 / 410


@pytest.mark.parametrize("keys", [["post_id"], ["hour"], ["day", "hour"], ["post_id", "hour"], []])
@pytest.mark.parametrize("seed", [0, 1])
def test_rates_match_plain_loops(keys: list[str], seed: int) -> None:
    """Keys and the order of rows vary, and counts are missing."""
    rng = np.random.default_rng(seed)
    rows = [
        (
            str(post),
            engagement_type,
            day,
            hour,
            pd.NA if rng.random() < 0.1 else int(rng.integers(0, 50)),
        )
        for post in range(5)
        for engagement_type in ("impressions", "engagements", "favorites")
        for day in ("2026-03-01", "2026-03-02")
        for hour in range(4)
        if rng.random() < 0.8
    ]
    counts = tidy(rows).sample(frac=1, random_state=seed)
    rates = engagement_rate(counts, by=keys or None)
    known = rates[rates["rate"].notna()]
    names = ["engagements", "impressions"]
    actual = {
        tuple(row[key] for key in keys): (row[names[0]], row[names[1]])
        for row in known.to_dict("records")
    }
    assert actual == {key: sums for key, sums in by_hand(counts, keys).items() if sums[1] > 0}
    assert np.allclose(known["rate"], known["engagements"] / known["impressions"])


@pytest.mark.slow
def test_rates_of_the_sandbox_match_plain_loops(bakery: Any) -> None:
    """Both hourly counts and totals agree."""
    for counts in (bakery.few, bakery.totals):
        actual = engagement_rate(counts)
        known = actual[actual["rate"].notna()].set_index("post_id")
        expected = {k[0]: s for k, s in by_hand(counts, ["post_id"]).items() if s[1] > 0}
        assert set(known.index) == set(expected)
        for post, (above, below) in expected.items():
            assert known.loc[post, "rate"] == above / below
    assert known["above_one"].any()


def test_additional_columns_are_keys() -> None:
    """Counts merged with campaigns give a rate per campaign; missing campaigns form a group."""
    campaigns = pd.DataFrame({"post_id": ["1", "2"], "campaign": ["spring", "spring"]})
    counts = ROWS.merge(campaigns, how="left", on="post_id")
    rates = engagement_rate(counts, by="campaign")
    assert rates["rate"].to_list()[0] == 31 / 410
    assert rates["campaign"].isna().to_list() == [False, True]


def test_columns_have_the_documented_dtypes() -> None:
    """Keys keep their dtypes; sums are Int64, rates Float64, the flag boolean."""
    rates = engagement_rate(ROWS, by=["post_id", "day", "hour"])
    assert rates.dtypes.map(dtype_name).to_dict() == {
        "post_id": "str",
        "day": "datetime64[us]",
        "hour": "int8",
        "engagements": "Int64",
        "impressions": "Int64",
        "rate": "Float64",
        "low": "Float64",
        "high": "Float64",
        "above_one": "boolean",
        "missing": "Int64",
        "dispersion": "Float64",
    }


def test_a_type_that_was_not_requested_is_missing() -> None:
    """The vocabulary knows it, but the frame does not have it."""
    rates = engagement_rate(ROWS, numerator="url_clicks")
    assert rates["rate"].isna().all()
    assert rates["url_clicks"].isna().all()


def test_counts_of_neither_type_are_refused() -> None:
    """They are not a frame without posts; their summary has no rate."""
    likes = ROWS[ROWS["engagement_type"] == "impressions"].assign(engagement_type="favorites")
    words = r"neither 'engagements' nor 'impressions', only \['favorites'\]"
    for metric in (engagement_rate, rate_over_time, rate_by_age):
        with pytest.raises(FrameError, match=words):
            metric(likes)
        assert metric(likes[:0])["rate"].isna().all()
    assert summarise(likes)["rate"].isna().all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"numerator": "engagments"}, "did you mean 'engagements'"),
        ({"numerator": "impressions"}, "name two"),
        ({"by": "engagement_type"}, "no single one"),
        ({"by": "campaign"}, "by is 'campaign'"),
        ({"by": ["post_id", "post_id"]}, "each once"),
        ({"by": "count"}, "by is 'count'"),
        ({"confidence": 95}, "confidence is 95"),
    ],
)
def test_invalid_arguments_are_refused(arguments: dict[str, Any], words: str) -> None:
    """Typing errors, a type divided by itself, and unknown columns."""
    with pytest.raises(FrameError, match=words):
        engagement_rate(ROWS, **arguments)


def test_wrong_dtypes_are_refused() -> None:
    """IDs that were floats have lost digits; a half is not a count."""
    with pytest.raises(FrameError, match=r"'post_id' in row 0 is .*read the IDs again as text"):
        engagement_rate(ROWS.astype({"post_id": "float64"}))
    halves = ROWS.astype({"count": "Float64"})
    halves["count"] += 0.5
    with pytest.raises(FrameError, match=r"'count' in row 0 is .*not a whole number"):
        engagement_rate(halves)
    with pytest.raises(FrameError, match="not a list"):
        engagement_rate([1])


def test_negative_sums_have_no_interval() -> None:
    """More unlikes than likes give a negative rate and an unknown interval."""
    rows = [("1", "impressions", 100), ("1", "favorites", -2)]
    counts = tidy(rows, "post_id", "engagement_type", "count")
    rate = engagement_rate(counts, numerator="favorites")
    assert rate["rate"].item() == -0.02
    assert rate[["low", "high"]].isna().all(axis=None)


@given(count=st.integers(0, 10**6), exposure=st.integers(1, 10**6))
def test_the_interval_solves_its_equation(count: int, exposure: int) -> None:
    """Both ends are z standard errors away, computed at that end; the rate is inside."""
    low, high = rate_interval([count], [exposure])
    z = 1.959963984540054
    for end in (low[0], high[0]):
        assert (count - end * exposure) ** 2 == pytest.approx(z**2 * end * exposure, rel=1e-6)
    assert low[0] <= count / exposure <= high[0]


@pytest.mark.parametrize(("rate", "exposure"), [(0.03, 300), (0.03, 10_000), (1.7, 40), (1.7, 900)])
def test_the_interval_covers_the_true_rate(rate: float, exposure: int) -> None:
    """It contains the rate for 95 % of Poisson counts, below one and above."""
    count = np.random.default_rng(3).poisson(rate * exposure, 20_000)
    low, high = rate_interval(count, exposure)
    covered = ((low <= rate) & (rate <= high)).mean()
    assert 0.93 <= covered <= 0.97


def test_the_prior_is_estimated() -> None:
    """For rates drawn from a Gamma, its mean and its equivalent impressions are recovered."""
    rng = np.random.default_rng(5)
    exposure = rng.integers(200, 5000, 4000)
    rates = rng.gamma(0.04 * 400, 1 / 400, 4000)
    prior = fit_prior(rng.poisson(rates * exposure), exposure)
    assert prior.rate == pytest.approx(0.04, rel=0.03)
    assert prior.exposure == pytest.approx(400, rel=0.1)


def test_the_shrunk_interval_covers_the_true_rate() -> None:
    """95 % of true rates lie in it, for small posts and large ones."""
    rng = np.random.default_rng(6)
    exposure = np.repeat([30, 300, 3000], 4000)
    rates = rng.gamma(0.04 * 400, 1 / 400, len(exposure))
    _, low, high = Prior(0.04, 400).shrunk(rng.poisson(rates * exposure), exposure)
    covered = ((low <= rates) & (rates <= high)).reshape(3, -1).mean(axis=1)
    assert ((covered > 0.935) & (covered < 0.965)).all()


def test_rates_without_a_difference_are_shrunk_most() -> None:
    """Rates that differ by less than chance get the strongest prior."""
    prior = fit_prior([10, 10, 10], [100, 100, 100])
    assert (prior.rate, prior.exposure) == (0.1, 300)
    assert fit_prior([], []) == Prior(0.0, 0.0)


def test_the_interval_includes_posts_without_impressions() -> None:
    """Their engagements are in the rate, so the rate lies within its interval."""
    rows = [(str(n), "impressions", "2026-03-01", 5, 100 * (n < 8)) for n in range(10)]
    rows += [(str(n), "engagements", "2026-03-01", 5, 5 + 40 * (n > 7)) for n in range(10)]
    row = engagement_rate(tidy(rows), by=None).iloc[0]
    assert row["rate"] == 130 / 800
    assert row["low"] < row["rate"] < row["high"]


def test_more_unlikes_than_likes_warn_of_nothing() -> None:
    """A rate below zero has no interval; nothing overflows on the way."""
    exposure = [1000.0, 900.0, 5.0, 4.0]
    low, high = group_interval([-1, 0, 900, -900], exposure, np.zeros(4, dtype=int), 1)
    assert np.isnan([*low, *high]).all()


@pytest.mark.parametrize("name", ["rate", "low", "missing", "dispersion", "impressions"])
def test_a_key_named_like_a_result_is_refused(name: str) -> None:
    """The numbers would replace the keys."""
    with pytest.raises(FrameError, match=f"the result has its own column '{name}'"):
        engagement_rate(ROWS.assign(**{name: "x"}), by=name)
