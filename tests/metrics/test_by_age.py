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
from engagement_pandas.metrics import by_age, cumulative, engagement_rate, rate_by_age

POST = id_at("2026-03-01T05:45:00Z")
PAIR = ["engagements", "impressions"]


def life(
    *counts: Any, first: int = 5, post: str = POST, kind: str = "favorites", day: int = 1
) -> pd.DataFrame:
    """Make the hours of one post, one after the other."""
    start = pd.Timestamp(2026, 3, day) + pd.Timedelta(hours=first)
    hours = [start + pd.Timedelta(hours=n) for n in range(len(counts))]
    return tidy(
        [(post, kind, at.normalize(), at.hour, n) for at, n in zip(hours, counts, strict=True)]
    )


def joined(*frames: pd.DataFrame) -> pd.DataFrame:
    """Put counts together, tidy."""
    rows = pd.concat([frame.astype({"engagement_type": "str"}) for frame in frames])
    return tidy(list(rows.itertuples(index=False, name=None)))


def listed(column: Any) -> list[Any]:
    """Return values with None for <NA>."""
    return [None if pd.isna(value) else value for value in column]


def by_hand(counts: pd.DataFrame, every: str, names: list[str]) -> dict[Any, Any]:
    """Cut lives in plain loops: for each key the age, the known counts, and the hours known."""
    cells: dict[Any, dict[int, list[Any]]] = defaultdict(lambda: defaultdict(list))
    ends: dict[Any, float] = {}
    last = max(row["day"].timestamp() / 3600 + row["hour"] for row in counts.to_dict("records")) + 1
    for row in counts.to_dict("records"):
        made = ep.created_at(row["post_id"])
        assert made is not None
        born = made.timestamp() / 3600
        start = round(row["day"].timestamp() / 3600) + row["hour"]
        if start + 1 <= born:
            continue
        age = max(start - born, 0)
        bucket = start - floor(born) if every == "h" else floor(age / 24)
        key = tuple(row[name] for name in names)
        cells[key][bucket].append((row["engagement_type"], start, row["count"]))
        end = floor(born) + bucket + 1 if every == "h" else ceil(born) + 24 * (bucket + 1)
        ends[key, bucket] = min(end, last) - born
    return {
        (*key, bucket): (ends[key, bucket], found)
        for key, buckets in cells.items()
        for bucket, found in buckets.items()
    }


def expected_hours(post: str, bucket: int, every: str) -> int:
    """Return how many hours of the clock a bucket has."""
    made = ep.created_at(post)
    assert made is not None
    born = made.timestamp() / 3600
    return 1 if every == "h" else 24 + (bucket == 0 and ceil(born) > born)


@pytest.fixture(scope="module")
def holed(bakery: Any) -> pd.DataFrame:
    """Return the sandbox's counts with some hours gone and others unknown."""
    dice = np.random.default_rng(4)
    counts = bakery.few[dice.random(len(bakery.few)) < 0.97].reset_index(drop=True)
    counts.loc[dice.random(len(counts)) < 0.03, "count"] = pd.NA
    counts.attrs = {"endpoint": "historical"}
    return counts


@pytest.mark.slow
@pytest.mark.parametrize("every", ["h", "D"])
def test_counts_against_loops(holed: pd.DataFrame, every: str) -> None:
    """Every bucket's age, sum and completeness; what has no row is <NA>."""
    keys = ["post_id", "engagement_type"]
    expected = by_hand(holed, every, keys)
    checked = 0
    found = by_age(holed, every=every)
    for (post, kind), part in found.groupby(keys, observed=True):
        buckets = sorted(key[2] for key in expected if key[:2] == (post, kind))
        assert len(part) == buckets[-1] - buckets[0] + 1
        for bucket, row in zip(
            range(buckets[0], buckets[-1] + 1), part.to_dict("records"), strict=True
        ):
            age, cells = expected.get((post, kind, bucket), (None, []))
            known = [count for _, _, count in cells if not pd.isna(count)]
            assert age is None or row["age"] == pytest.approx(age, abs=1e-6)
            assert (sum(known) if known else None) == listed([row["count"]])[0]
            hours = expected_hours(post, bucket, every)
            assert row["complete"] == (len(known) == hours)
            checked += 1
    assert checked == len(found) > 150
    assert 0 < found["complete"].mean() < 1


@pytest.mark.parametrize("every", ["h", "D"])
def test_rates_against_loops(holed: pd.DataFrame, every: str) -> None:
    """Both sums over the hours in which both are known, post by post."""
    expected = by_hand(holed[holed["engagement_type"].isin(PAIR)], every, ["post_id"])
    found = rate_by_age(holed, every=every)
    known = found[found["rate"].notna()]
    sums = {}
    for (post, bucket), (age, cells) in expected.items():
        hours: dict[int, dict[str, int]] = defaultdict(dict)
        for kind, start, count in cells:
            if not pd.isna(count):
                hours[start][kind] = count
        both = [hour for hour in hours.values() if len(hour) == 2]
        below = sum(hour["impressions"] for hour in both)
        whole = len(both) == expected_hours(post, bucket, every)
        if below:
            sums[post, round(age, 5)] = sum(hour["engagements"] for hour in both), below, whole
    rows = known.to_dict("records")
    assert len(rows) == len(sums) > 20
    ended = {row["post_id"]: row["age"] for row in found.to_dict("records")}
    for row in rows:
        above, below, whole = sums[row["post_id"], round(row["age"], 5)]
        assert (row["engagements"], row["impressions"]) == (above, below)
        assert row["rate"] == above / below
        assert row["above_one"] == (above > below)
        if row["age"] < ended[row["post_id"]]:  # the last may be cut by the end of the counts
            assert row["complete"] == whole
        assert row["low"] <= row["rate"] <= row["high"]


def test_ages_end_the_buckets() -> None:
    """Made at 05:45: the first hour has 15 minutes, the first day of life 24 hours beside."""
    counts = life(0, *([1] * 60), first=4)
    hours = by_age(counts)
    assert hours["age"].to_list() == [0.25 + n for n in range(60)]
    assert hours["count"].to_list() == [1] * 60
    assert hours["complete"].all()
    days = by_age(counts, every="D")
    assert days["age"].to_list() == [24.25, 48.25, 59.25]
    assert days["count"].to_list() == [25, 24, 11]
    assert days["complete"].to_list() == [True, True, False]


def test_made_on_the_hour() -> None:
    """Then no hour is shorter, and a day of life has 24."""
    counts = life(*([1] * 48), post=id_at("2026-03-01T05:00:00Z"))
    assert by_age(counts)["age"].to_list()[:2] == [1, 2]
    days = by_age(counts, every="D")
    assert days["age"].to_list() == [24, 48]
    assert days["count"].to_list() == [24, 24]
    assert days["complete"].all()


def test_gaps_are_missing_and_no_zeros() -> None:
    """Between the first hour counted and the last there are no holes."""
    hours = by_age(life(4, pd.NA, 0, 3, 5).drop(index=3))
    assert hours["age"].to_list() == [0.25, 1.25, 2.25, 3.25, 4.25]
    assert listed(hours["count"]) == [4, None, 0, None, 5]
    assert hours["complete"].to_list() == [True, False, True, False, True]
    late = by_age(life(4, 5, first=9))
    assert late["age"].to_list() == [4.25, 5.25]
    assert late["complete"].all()
    assert by_age(life(4, 5, first=9), every="D")["complete"].to_list() == [False]


def test_what_was_fetched_within_an_hour() -> None:
    """That hour is not whole, and the age is that of the retrieval; ends of /28hr are partial."""
    counts = life(1, 2, 3)
    counts.attrs["retrieved_at"] = "2026-03-01T07:15:00+00:00"
    found = by_age(counts)
    assert found["age"].to_list() == [0.25, 1.25, 1.5]
    assert found["complete"].to_list() == [True, True, False]
    assert by_age(counts, every="D")["age"].to_list() == [1.5]
    counts.attrs = {"endpoint": "28hr"}
    assert by_age(counts)["complete"].isna().all()
    counts.attrs = {"start": "2026-03-01T05:50:00Z", "end": "2026-03-01T07:15:00Z"}
    assert by_age(counts)["complete"].to_list() == [False, True, False]


def test_days_as_the_clock_has_them() -> None:
    """Counts by day: UTC days, the first from the minute of posting; edges may be partial."""
    days = tidy(
        [(POST, "favorites", f"2026-03-0{day}", day) for day in range(1, 5)],
        "post_id", "engagement_type", "day", "count",
    )  # fmt: skip
    assert by_age(days, every="D")["complete"].isna().all()
    days.attrs = {"start": "2026-03-01T05:00:00Z", "end": "2026-03-04T18:00:00Z"}
    found = by_age(days, every="D")
    assert found["age"].to_list() == [18.25, 42.25, 66.25, 84.25]
    assert found["count"].to_list() == [1, 2, 3, 4]
    assert listed(found["complete"]) == [True, True, True, False]
    with pytest.raises(FrameError, match=r"by day, and hours of age .* every='D'"):
        by_age(days)
    with pytest.raises(FrameError, match="by day, and hours of age"):
        rate_by_age(days)


def test_ids_without_a_time() -> None:
    """Nobody knows their age; their counts are kept, and never complete."""
    counts = life(*([1] * 30), post="20")
    hours = by_age(counts)
    assert hours["age"].isna().all()
    assert hours["count"].sum() == len(hours) == 30
    days = by_age(counts, every="D")
    assert days["count"].to_list() == [24, 6]
    assert not days["complete"].any()
    rates = rate_by_age(joined(counts, life(*([2] * 30), post="20", kind="impressions")))
    assert rates["age"].isna().all()
    assert not rates["complete"].any()


@pytest.mark.slow
@settings(deadline=None)
@given(
    counts=st.lists(st.none() | st.integers(-5, 50), min_size=1, max_size=80),
    first=st.integers(5, 40),
    minute=st.integers(0, 59),
    every=st.sampled_from(["h", "D"]),
    order=st.randoms(use_true_random=False),
)
def test_nothing_is_lost(
    counts: list[int | None], first: int, minute: int, every: str, order: Any
) -> None:
    """Added up, they are what cumulative has at the same age, and all counts in the end."""
    rows = [pd.NA if count is None else count for count in counts]
    post = id_at(f"2026-03-01T05:{minute:02d}:00Z")
    frame = life(*rows, first=first, post=post)
    places = list(range(len(frame)))
    order.shuffle(places)
    found = by_age(frame.iloc[places], every=every)
    assert found["count"].fillna(0).sum() == sum(count for count in counts if count is not None)
    assert found["age"].is_monotonic_increasing
    assert found["age"].is_unique
    grown = cumulative(frame).set_index("age")["count"]
    for old, total in zip(found["age"], found["count"].fillna(0).cumsum(), strict=True):
        at = grown.index[np.isclose(grown.index.to_numpy(float), old)]
        if len(at) and not pd.isna(grown[at[0]]):
            assert grown[at[0]] == total


@pytest.mark.slow
@settings(deadline=None)
@given(
    hours=st.lists(
        st.tuples(st.none() | st.integers(0, 60), st.none() | st.integers(0, 9)),
        min_size=1, max_size=60,
    ),
    every=st.sampled_from(["h", "D"]),
)  # fmt: skip
def test_rates_recombine(hours: list[tuple[int | None, int | None]], every: str) -> None:
    """The sums of all buckets with a rate are those of the whole life."""
    columns = [[pd.NA if n is None else n for n in column] for column in zip(*hours, strict=True)]
    counts = joined(life(*columns[0], kind="impressions"), life(*columns[1], kind="engagements"))
    both = [pair for pair in hours if None not in pair]
    found = rate_by_age(counts, every=every)
    rated = found[found["rate"].notna()]
    whole = engagement_rate(counts)
    assert rated["impressions"].sum() == sum(below for below, _ in both if below is not None)
    if every == "D" and len(hours) <= 25 and both:
        assert rated["rate"].to_list() == whole["rate"].dropna().to_list()


def test_a_rate_takes_both() -> None:
    """An hour in which one is not counted is left out of both; without impressions, <NA>."""
    counts = joined(
        life(100, 50, pd.NA, 0, kind="impressions"),
        life(5, 2, 1, 0, 3, kind="engagements").drop(index=1),
    )
    found = rate_by_age(counts)
    assert listed(found["rate"]) == [0.05, None, None, None, None]
    assert listed(found["impressions"]) == [100, 50, None, 0, None]
    assert listed(found["engagements"]) == [5, None, 1, 0, 3]
    assert found["complete"].to_list() == [True, False, False, True, False]
    day = rate_by_age(counts, every="D")
    assert day[PAIR].iloc[0].to_list() == [5, 100]
    assert day["rate"].to_list() == [0.05]


def test_dtypes() -> None:
    """As the docstrings have them."""
    counts = joined(life(1, 2, kind="impressions"), life(1, 1, kind="engagements"))
    assert by_age(counts).dtypes.astype(str).to_dict() == {
        "post_id": "str",
        "engagement_type": "category",
        "age": "Float64",
        "count": "Int64",
        "complete": "boolean",
    }
    assert rate_by_age(counts).dtypes.astype(str).to_dict() == {
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
    ("metric", "asked", "words"),
    [
        (by_age, {"every": "W"}, "every is 'W'"),
        (rate_by_age, {"every": "W"}, "every is 'W'"),
        (rate_by_age, {"numerator": "impressions"}, "name two"),
        (rate_by_age, {"numerator": "engagments"}, "did you mean"),
        (rate_by_age, {"confidence": 95}, "confidence is 95"),
    ],
)
def test_refused(metric: Any, asked: dict[str, Any], words: str) -> None:
    """Other buckets than hours and days of age, and what is no rate."""
    counts = joined(life(1, kind="impressions"), life(1, kind="engagements"))
    with pytest.raises(FrameError, match=words):
        metric(counts, **asked)


def test_counts_that_cannot_be() -> None:
    """Before the making, and twice: as cumulative refuses them."""
    for metric in (by_age, rate_by_age):
        with pytest.raises(FrameError, match="before it was created"):
            metric(life(3, 4, first=4, kind="impressions"))
        with pytest.raises(FrameError, match="twice"):
            metric(pd.concat([life(3, kind="impressions")] * 2, ignore_index=True))
