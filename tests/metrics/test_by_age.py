"""Counts and rates in buckets of age."""

from __future__ import annotations

from collections import defaultdict
from math import ceil, floor
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.simulated import id_at, tidy

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.frame.contract import TEXT, dtype_name
from engagement_pandas.metrics import by_age, cumulative, engagement_rate, rate_by_age

POST = id_at("2026-03-01T05:45:00Z")
PAIR = ["engagements", "impressions"]


def life(
    *counts: Any, first: int = 5, post: str = POST, engagement_type: str = "favorites", day: int = 1
) -> pd.DataFrame:
    """Return consecutive hours of one post."""
    start = pd.Timestamp(2026, 3, day) + pd.Timedelta(hours=first)
    hours = [start + pd.Timedelta(hours=n) for n in range(len(counts))]
    return tidy(
        [
            (post, engagement_type, at.normalize(), at.hour, n)
            for at, n in zip(hours, counts, strict=True)
        ]
    )


def concatenated(*frames: pd.DataFrame) -> pd.DataFrame:
    """Concatenate counts into a tidy frame."""
    rows = pd.concat([frame.astype({"engagement_type": TEXT}) for frame in frames])
    return tidy(list(rows.itertuples(index=False, name=None)))


def as_list(column: Any) -> list[Any]:
    """Return a list with None for <NA>."""
    return [None if pd.isna(value) else value for value in column]


def by_hand(counts: pd.DataFrame, every: str, names: list[str]) -> dict[Any, Any]:
    """Divide counts into buckets with plain loops: the age, the counts and the hours of each."""
    cells: dict[Any, dict[int, list[Any]]] = defaultdict(lambda: defaultdict(list))
    ends: dict[Any, float] = {}
    last = max(row["day"].timestamp() / 3600 + row["hour"] for row in counts.to_dict("records")) + 1
    for row in counts.to_dict("records"):
        created = ep.created_at(row["post_id"])
        assert created is not None
        created_hour = created.timestamp() / 3600
        start = round(row["day"].timestamp() / 3600) + row["hour"]
        if start + 1 <= created_hour:
            continue
        age = max(start - created_hour, 0)
        bucket = start - floor(created_hour) if every == "h" else floor(age / 24)
        key = tuple(row[name] for name in names)
        cells[key][bucket].append((row["engagement_type"], start, row["count"]))
        end = (
            floor(created_hour) + bucket + 1
            if every == "h"
            else ceil(created_hour) + 24 * (bucket + 1)
        )
        ends[key, bucket] = min(end, last) - created_hour
    return {
        (*key, bucket): (ends[key, bucket], cell)
        for key, buckets in cells.items()
        for bucket, cell in buckets.items()
    }


def expected_hours(post: str, bucket: int, every: str) -> int:
    """Return how many hours of the clock a bucket has."""
    created = ep.created_at(post)
    assert created is not None
    created_hour = created.timestamp() / 3600
    return 1 if every == "h" else 24 + (bucket == 0 and ceil(created_hour) > created_hour)


@pytest.fixture(scope="module")
def with_gaps(bakery: Any) -> pd.DataFrame:
    """Return the sandbox's counts with some hours removed and others unknown."""
    rng = np.random.default_rng(4)
    counts = bakery.few[rng.random(len(bakery.few)) < 0.97].reset_index(drop=True)
    counts.loc[rng.random(len(counts)) < 0.03, "count"] = pd.NA
    counts.attrs = {"endpoint": "historical"}
    return counts


@pytest.mark.slow
@pytest.mark.parametrize("every", ["h", "D"])
def test_counts_by_age_match_plain_loops(with_gaps: pd.DataFrame, every: str) -> None:
    """Every bucket's age, sum and completeness; a bucket without rows is <NA>."""
    keys = ["post_id", "engagement_type"]
    expected = by_hand(with_gaps, every, keys)
    checked = 0
    result = by_age(with_gaps, every=every)
    for (post, engagement_type), part in result.groupby(keys, observed=True):
        buckets = sorted(key[2] for key in expected if key[:2] == (post, engagement_type))
        assert len(part) == buckets[-1] - buckets[0] + 1
        for bucket, row in zip(
            range(buckets[0], buckets[-1] + 1), part.to_dict("records"), strict=True
        ):
            age, cells = expected.get((post, engagement_type, bucket), (None, []))
            known = [count for _, _, count in cells if not pd.isna(count)]
            assert age is None or row["age"] == pytest.approx(age, abs=1e-6)
            assert (sum(known) if known else None) == as_list([row["count"]])[0]
            hours = expected_hours(post, bucket, every)
            assert row["complete"] == (len(known) == hours)
            checked += 1
    assert checked == len(result) > 150
    assert 0 < result["complete"].mean() < 1


@pytest.mark.slow
@pytest.mark.parametrize("every", ["h", "D"])
def test_rates_by_age_match_plain_loops(with_gaps: pd.DataFrame, every: str) -> None:
    """Both sums are over the hours in which both types are known, by post."""
    expected = by_hand(with_gaps[with_gaps["engagement_type"].isin(PAIR)], every, ["post_id"])
    result = rate_by_age(with_gaps, every=every)
    known = result[result["rate"].notna()]
    sums = {}
    for (post, bucket), (age, cells) in expected.items():
        hours: dict[int, dict[str, int]] = defaultdict(dict)
        for engagement_type, start, count in cells:
            if not pd.isna(count):
                hours[start][engagement_type] = count
        both = [hour for hour in hours.values() if len(hour) == 2]
        below = sum(hour["impressions"] for hour in both)
        complete = len(both) == expected_hours(post, bucket, every)
        if below:
            sums[post, round(age, 5)] = sum(hour["engagements"] for hour in both), below, complete
    rows = known.to_dict("records")
    assert len(rows) == len(sums) > 20
    ended = {row["post_id"]: row["age"] for row in result.to_dict("records")}
    for row in rows:
        above, below, complete = sums[row["post_id"], round(row["age"], 5)]
        assert (row["engagements"], row["impressions"]) == (above, below)
        assert row["rate"] == above / below
        assert row["above_one"] == (above > below)
        if row["age"] < ended[row["post_id"]]:  # the end of the counts may cut the last bucket
            assert row["complete"] == complete
        assert row["low"] <= row["rate"] <= row["high"]


def test_an_age_is_the_end_of_its_bucket() -> None:
    """Created at 05:45: the first hour has 15 minutes, and the first day has 24 hours more."""
    counts = life(0, *([1] * 60), first=4)
    hours = by_age(counts)
    assert hours["age"].to_list() == [0.25 + n for n in range(60)]
    assert hours["count"].to_list() == [1] * 60
    assert hours["complete"].all()
    days = by_age(counts, every="D")
    assert days["age"].to_list() == [24.25, 48.25, 59.25]
    assert days["count"].to_list() == [25, 24, 11]
    assert days["complete"].to_list() == [True, True, False]


def test_a_post_created_on_the_hour_has_full_buckets() -> None:
    """No hour is shorter, and a day of age has 24 hours."""
    counts = life(*([1] * 48), post=id_at("2026-03-01T05:00:00Z"))
    assert by_age(counts)["age"].to_list()[:2] == [1, 2]
    days = by_age(counts, every="D")
    assert days["age"].to_list() == [24, 48]
    assert days["count"].to_list() == [24, 24]
    assert days["complete"].all()


def test_gaps_are_missing_and_not_zero() -> None:
    """Buckets between the first counted hour and the last all have a row."""
    hours = by_age(life(4, pd.NA, 0, 3, 5).drop(index=3))
    assert hours["age"].to_list() == [0.25, 1.25, 2.25, 3.25, 4.25]
    assert as_list(hours["count"]) == [4, None, 0, None, 5]
    assert hours["complete"].to_list() == [True, False, True, False, True]
    late = by_age(life(4, 5, first=9))
    assert late["age"].to_list() == [4.25, 5.25]
    assert late["complete"].all()
    assert by_age(life(4, 5, first=9), every="D")["complete"].to_list() == [False]


def test_the_hour_of_retrieval_is_incomplete() -> None:
    """Its age is that of the retrieval; the edges of /28hr may be partial."""
    counts = life(1, 2, 3)
    counts.attrs["retrieved_at"] = "2026-03-01T07:15:00+00:00"
    result = by_age(counts)
    assert result["age"].to_list() == [0.25, 1.25, 1.5]
    assert result["complete"].to_list() == [True, True, False]
    assert by_age(counts, every="D")["age"].to_list() == [1.5]
    counts.attrs = {"endpoint": "28hr"}
    assert by_age(counts)["complete"].isna().all()
    counts.attrs = {"start": "2026-03-01T05:50:00Z", "end": "2026-03-01T07:15:00Z"}
    assert by_age(counts)["complete"].to_list() == [False, True, False]


def test_counts_by_day_have_utc_days() -> None:
    """The first day begins with the creation of the post; days at the edges may be partial."""
    days = tidy(
        [(POST, "favorites", f"2026-03-0{day}", day) for day in range(1, 5)],
        "post_id", "engagement_type", "day", "count",
    )  # fmt: skip
    assert by_age(days, every="D")["complete"].isna().all()
    days.attrs = {"start": "2026-03-01T05:00:00Z", "end": "2026-03-04T18:00:00Z"}
    result = by_age(days, every="D")
    assert result["age"].to_list() == [18.25, 42.25, 66.25, 84.25]
    assert result["count"].to_list() == [1, 2, 3, 4]
    assert as_list(result["complete"]) == [True, True, True, False]
    with pytest.raises(FrameError, match=r"by day, and hours of age .* every='D'"):
        by_age(days)
    with pytest.raises(FrameError, match="by day, and hours of age"):
        rate_by_age(days)


def test_ids_without_a_time_have_no_age() -> None:
    """Their counts are kept, and are never complete."""
    counts = life(*([1] * 30), post="20")
    hours = by_age(counts)
    assert hours["age"].isna().all()
    assert hours["count"].sum() == len(hours) == 30
    days = by_age(counts, every="D")
    assert days["count"].to_list() == [24, 6]
    assert not days["complete"].any()
    rates = rate_by_age(
        concatenated(counts, life(*([2] * 30), post="20", engagement_type="impressions"))
    )
    assert rates["age"].isna().all()
    assert not rates["complete"].any()


@pytest.mark.long
@settings(deadline=None)
@given(
    counts=st.lists(st.none() | st.integers(-5, 50), min_size=1, max_size=80),
    first=st.integers(5, 40),
    minute=st.integers(0, 59),
    every=st.sampled_from(["h", "D"]),
    order=st.randoms(use_true_random=False),
)
def test_buckets_sum_to_the_cumulative_counts(
    counts: list[int | None], first: int, minute: int, every: str, order: Any
) -> None:
    """They agree with cumulative at the same age, and with the sum of all counts at the end."""
    rows = [pd.NA if count is None else count for count in counts]
    post = id_at(f"2026-03-01T05:{minute:02d}:00Z")
    frame = life(*rows, first=first, post=post)
    order_of_rows = list(range(len(frame)))
    order.shuffle(order_of_rows)
    result = by_age(frame.iloc[order_of_rows], every=every)
    assert result["count"].fillna(0).sum() == sum(count for count in counts if count is not None)
    assert result["age"].is_monotonic_increasing
    assert result["age"].is_unique
    cumulated = cumulative(frame).set_index("age")["count"]
    for hours_old, total in zip(result["age"], result["count"].fillna(0).cumsum(), strict=True):
        at = cumulated.index[np.isclose(cumulated.index.to_numpy(float), hours_old)]
        if len(at) and not pd.isna(cumulated[at[0]]):
            assert cumulated[at[0]] == total


@pytest.mark.long
@settings(deadline=None)
@given(
    hours=st.lists(
        st.tuples(st.none() | st.integers(0, 60), st.none() | st.integers(0, 9)),
        min_size=1, max_size=60,
    ),
    every=st.sampled_from(["h", "D"]),
)  # fmt: skip
def test_bucket_sums_equal_the_overall_sums(
    hours: list[tuple[int | None, int | None]], every: str
) -> None:
    """The sums of all buckets with a rate equal those of the complete counts."""
    columns = [[pd.NA if n is None else n for n in column] for column in zip(*hours, strict=True)]
    counts = concatenated(
        life(*columns[0], engagement_type="impressions"),
        life(*columns[1], engagement_type="engagements"),
    )
    both = [pair for pair in hours if None not in pair]
    result = rate_by_age(counts, every=every)
    rated = result[result["rate"].notna()]
    complete = engagement_rate(counts)
    assert rated["impressions"].sum() == sum(below for below, _ in both if below is not None)
    if every == "D" and len(hours) <= 25 and both:
        assert rated["rate"].to_list() == complete["rate"].dropna().to_list()


def test_a_rate_needs_both_types() -> None:
    """An hour with one type is left out of both sums; without impressions the rate is <NA>."""
    counts = concatenated(
        life(100, 50, pd.NA, 0, engagement_type="impressions"),
        life(5, 2, 1, 0, 3, engagement_type="engagements").drop(index=1),
    )
    result = rate_by_age(counts)
    assert as_list(result["rate"]) == [0.05, None, None, None, None]
    assert as_list(result["impressions"]) == [100, 50, None, 0, None]
    assert as_list(result["engagements"]) == [5, None, 1, 0, 3]
    assert result["complete"].to_list() == [True, False, False, True, False]
    day = rate_by_age(counts, every="D")
    assert day[PAIR].iloc[0].to_list() == [5, 100]
    assert day["rate"].to_list() == [0.05]


def test_columns_have_the_documented_dtypes() -> None:
    """The docstrings state them."""
    counts = concatenated(
        life(1, 2, engagement_type="impressions"), life(1, 1, engagement_type="engagements")
    )
    assert by_age(counts).dtypes.map(dtype_name).to_dict() == {
        "post_id": "str",
        "engagement_type": "category",
        "age": "Float64",
        "count": "Int64",
        "complete": "boolean",
    }
    assert rate_by_age(counts).dtypes.map(dtype_name).to_dict() == {
        "post_id": "str",
        "age": "Float64",
        "engagements": "Int64",
        "impressions": "Int64",
        "rate": "Float64",
        "low": "Float64",
        "high": "Float64",
        "above_one": "boolean",
        "complete": "boolean",
    }


@pytest.mark.parametrize(
    ("metric", "arguments", "words"),
    [
        (by_age, {"every": "W"}, "every is 'W'"),
        (rate_by_age, {"every": "W"}, "every is 'W'"),
        (rate_by_age, {"numerator": "impressions"}, "name two"),
        (rate_by_age, {"numerator": "engagments"}, "did you mean"),
        (rate_by_age, {"confidence": 95}, "confidence is 95"),
    ],
)
def test_invalid_arguments_are_refused(metric: Any, arguments: dict[str, Any], words: str) -> None:
    """Other buckets than hours and days of age, and invalid rates."""
    counts = concatenated(
        life(1, engagement_type="impressions"), life(1, engagement_type="engagements")
    )
    with pytest.raises(FrameError, match=words):
        metric(counts, **arguments)


def test_impossible_counts_are_refused() -> None:
    """Counts before the creation and duplicates are refused, as by cumulative."""
    for metric in (by_age, rate_by_age):
        with pytest.raises(FrameError, match="before it was created"):
            metric(life(3, 4, first=4, engagement_type="impressions"))
        with pytest.raises(FrameError, match="twice"):
            metric(pd.concat([life(3, engagement_type="impressions")] * 2, ignore_index=True))
