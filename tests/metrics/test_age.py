"""Ages computed from post IDs, and cumulative counts by age."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.simulated import HOUR_MS, MARCH, exponential, hourly, id_at, tidy

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.metrics import age, cumulative
from engagement_pandas.metrics.age import made_at
from engagement_pandas.metrics.cumulative import post_series
from engagement_pandas.metrics.interpolation import interpolate_ages, interpolate_counts

POST = id_at("2026-03-01T05:45:00Z")


def life(
    *counts: Any, first: int = 5, post: str = POST, engagement_type: str = "favorites"
) -> pd.DataFrame:
    """Return consecutive hours of one post."""
    return tidy(
        [(post, engagement_type, "2026-03-01", first + n, count) for n, count in enumerate(counts)]
    )


@pytest.mark.slow
@given(numbers=st.lists(st.integers(0, 10**19 - 1), max_size=20))
def test_vectorised_creation_times_match_created_at(numbers: list[int]) -> None:
    """Both agree for every possible ID."""
    texts = [str(number) for number in numbers]
    found = made_at(pd.Series(texts, dtype=TEXT))
    assert str(found.dtype) == "datetime64[us, UTC]"
    expected = [ep.created_at(text) for text in texts]
    assert [None if pd.isna(created) else created for created in found] == expected


def test_the_age_is_that_at_the_end_of_the_hour() -> None:
    """A post created at 05:45 is 15 minutes old at 06:00; an ID without a time has no age."""
    counts = pd.concat([life(1, 2, first=4), life(3, post="20")], ignore_index=True)
    found = age(counts)
    assert found.name == "age"
    assert str(found.dtype) == "Float64"
    assert found.astype("object").fillna("none").to_list() == [-0.75, 0.25, "none"]


def test_ages_keep_the_order_and_the_index_of_rows() -> None:
    """Days have ages too; the last hour ends at the retrieval."""
    counts = life(1, 2, 3).iloc[::-1]
    assert age(counts).index.to_list() == [2, 1, 0]
    by_day = counts.drop(columns="hour").iloc[:1]
    assert age(by_day).isna().all()
    by_day.attrs |= {"start": "2026-03-01T00:00Z", "end": "2026-03-01T23:30Z"}
    assert age(by_day).to_list() == [17.75]
    counts.attrs["retrieved_at"] = "2026-03-01T07:15:00Z"
    assert age(counts).to_list() == [1.5, 1.25, 0.25]


def test_totals_have_the_age_at_retrieval() -> None:
    """Without a retrieval time the error names the attribute."""
    counts = tidy([(POST, "favorites", 5)], "post_id", "engagement_type", "count")
    with pytest.raises(FrameError, match="attrs"):
        age(counts)
    counts.attrs["retrieved_at"] = "2026-03-02T05:45:00Z"
    assert age(counts).to_list() == [24.0]
    counts.attrs["retrieved_at"] = "yesterday"
    with pytest.raises(FrameError, match="yesterday"):
        age(counts)


def test_cumulative_counts_may_decrease() -> None:
    """Unlikes are negative; hours before the creation of the post are left out."""
    grown = cumulative(life(0, 4, 3, -2, first=4))
    assert grown["count"].to_list() == [4, 7, 5]
    assert grown["age"].to_list() == [0.25, 1.25, 2.25]
    assert grown["complete"].all()
    assert str(grown["start"].iloc[0]) == "2026-03-01 05:00:00+00:00"


def test_incomplete_cumulative_counts_are_marked() -> None:
    """Gaps, unknown hours and a late start make the later sums incomplete."""
    unknown = cumulative(life(4, pd.NA, 3))
    assert unknown["count"].astype("object").fillna("none").to_list() == [4, "none", 7]
    assert unknown["complete"].to_list() == [True, False, False]
    gap = cumulative(life(4, 1, 3).drop(index=1))
    assert gap["count"].to_list() == [4, 7]
    assert gap["complete"].to_list() == [True, False]
    late = cumulative(life(4, 1, first=6))
    assert not late["complete"].any()
    assert not cumulative(life(4, post="20"))["complete"].any()


def test_a_partial_first_hour_makes_the_sums_incomplete() -> None:
    """The first hour of /28hr, and the first and last day of a window, may be partial."""
    counts = life(4, 1)
    assert cumulative(counts)["complete"].all()
    for attrs in ({}, {"endpoint": "28hr"}):
        counts.attrs = attrs
        assert cumulative(counts)["complete"].isna().all()
    # Created at 05:45:00: a window from then on has all counts; one from a second later does not.
    for start, complete in (("05:45:00", True), ("05:45:01", False)):
        counts.attrs = {"start": f"2026-03-01T{start}Z", "end": "2026-03-01T06:30:00Z"}
        grown = cumulative(counts)
        assert grown["complete"].to_list() == [complete] * 2
        assert grown["age"].to_list() == [0.25, 0.75]
    daily = life(4).drop(columns="hour")
    assert cumulative(daily)["complete"].isna().all()
    daily.attrs = {"start": "2026-03-01T05:00Z", "end": "2026-03-02T00:00Z"}
    assert cumulative(daily)["complete"].all()


@pytest.mark.slow
def test_cumulative_counts_match_plain_loops(bakery: Any) -> None:
    """The sandbox's counts are added in plain Python, by post and hour."""
    grown = cumulative(bakery.few)
    rows = iter(grown.to_dict("records"))
    checked = 0
    key = ["post_id", "engagement_type"]
    records = bakery.few.to_dict("records")
    for _, hours in groupby(records, key=lambda row: [row[name] for name in key]):
        total, complete = 0, False
        for i, row in enumerate(hours):
            made = ep.created_at(row["post_id"])
            assert made is not None
            end = row["day"].tz_localize("UTC") + pd.Timedelta(hours=row["hour"] + 1)
            hours_old = (end - made).total_seconds() / 3600
            complete = complete or hours_old <= 0 or (i == 0 and hours_old <= 1)
            if hours_old <= 0:
                assert row["count"] == 0
                continue
            total += row["count"]
            found = next(rows)
            assert [found[name] for name in key] == [row[name] for name in key]
            assert found["count"] == total
            assert found["age"] == pytest.approx(hours_old, abs=1e-6)
            assert found["complete"] == complete
            checked += 1
    assert checked == len(grown) > 1000
    assert grown["complete"].any()


@pytest.mark.slow
@given(
    counts=st.lists(st.none() | st.integers(-5, 50), min_size=1, max_size=15),
    order=st.randoms(use_true_random=False),
)
def test_the_last_cumulative_count_is_the_sum(counts: list[int | None], order: Any) -> None:
    """It is the sum of the known counts, for any order of the rows."""
    rows = [pd.NA if count is None else count for count in counts]
    frame = life(*rows)
    order_of_rows = list(range(len(frame)))
    order.shuffle(order_of_rows)
    grown = cumulative(frame.iloc[order_of_rows])
    known = [count for count in counts if count is not None]
    if counts[-1] is not None:
        assert grown["count"].iloc[-1] == sum(known)
    assert grown["complete"].to_list() == [None not in counts[: i + 1] for i in range(len(counts))]


def test_counts_before_the_creation_are_refused() -> None:
    """They are local hours read as UTC, or counts of another post."""
    with pytest.raises(FrameError, match=r"3 favorites on 2026-03-01 at 4 h, before it was"):
        cumulative(life(3, 4, first=4))


def test_duplicate_rows_are_refused() -> None:
    """A duplicate bucket would count twice."""
    with pytest.raises(FrameError, match="twice"):
        cumulative(pd.concat([life(3), life(3)], ignore_index=True))
    with pytest.raises(FrameError, match="lost its last digits"):
        cumulative(life(3, post="1.5e18"))


def test_counts_are_interpolated_between_ends_of_hours() -> None:
    """They are exact at the ends of hours, and missing outside the data and after gaps."""
    series = post_series(life(4, 6, 0, 10))
    at = [
        interpolate_counts(series, np.array([hours])).item()
        for hours in (0.0, 0.25, 1.25, 2.25, 3.25)
    ]
    assert at == [0, 4, 10, 10, 20]
    assert 4 < interpolate_counts(series, np.array([0.8])).item() < 10
    assert np.isnan(interpolate_counts(series, np.array([3.3]))).item()
    assert np.isnan(interpolate_counts(post_series(life(4, pd.NA, 1)), np.array([1.0]))).item()
    assert interpolate_counts(post_series(life(4, pd.NA, 1)), np.array([0.25])).item() == 4


@pytest.mark.slow
@given(counts=st.lists(st.integers(1, 60), min_size=2, max_size=12), number=st.integers(0, 11))
def test_ages_and_counts_are_inverse(counts: list[int], number: int) -> None:
    """The age of the count at the end of an hour is the end of that hour."""
    series = post_series(life(*counts))
    hour = number % len(counts)
    target = np.array([float(sum(counts[: hour + 1]))])
    hours_old = interpolate_ages(series, target, np.array([float(sum(counts))]))
    assert hours_old.item() == pytest.approx(series.old(hour))


@pytest.mark.slow
@given(share=st.floats(0.05, 0.9), half_life=st.floats(0.2, 3))
def test_exponential_growth_is_interpolated_exactly(share: float, half_life: float) -> None:
    """Growth within an hour fades exponentially."""
    rate = np.log(2) / half_life
    made = np.array([0.25, 1.25, 2.25, 3.25, 4.25, 5.25])
    total = 10**9
    reached = np.round(total * (1 - np.exp(-rate * made))).astype(int)
    series = post_series(life(*np.diff(reached, prepend=0).tolist()))
    hours_old = interpolate_ages(series, np.array([share * reached[-1]]), np.array([float(total)]))
    expected = -np.log(1 - share * reached[-1] / total) / rate
    assert hours_old.item() == pytest.approx(expected, rel=1e-4)


def test_interpolated_counts_follow_the_simulated_growth() -> None:
    """The error between the hours is below 1 % of the final count."""
    made = MARCH + np.arange(0, HOUR_MS, 300_000)
    counts = hourly(made, {"impressions": 1e7}, np.random.default_rng(0), hours=24)
    series = post_series(counts)
    for hours in (0.1, 0.5, 0.9, 1.4, 2.7, 5.1):
        found = interpolate_counts(series, np.full(len(made), hours)) / 1e7
        assert np.abs(found - exponential(hours, 80 / 60)).max() < 0.01
