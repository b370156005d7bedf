"""Ages from IDs, and counts added up by age."""

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
from engagement_pandas.metrics import age, cumulative
from engagement_pandas.metrics.age import made_at
from engagement_pandas.metrics.cumulative import post_series
from engagement_pandas.metrics.interpolation import interpolate_ages, interpolate_counts

POST = id_at("2026-03-01T05:45:00Z")


def life(*counts: Any, first: int = 5, post: str = POST, kind: str = "favorites") -> pd.DataFrame:
    """Make the hours of one post, one after the other."""
    return tidy([(post, kind, "2026-03-01", first + n, count) for n, count in enumerate(counts)])


@pytest.mark.slow
@given(numbers=st.lists(st.integers(0, 10**19 - 1), max_size=20))
def test_as_one_by_one(numbers: list[int]) -> None:
    """The vectorised time of making is that of created_at, for any ID there can be."""
    texts = [str(number) for number in numbers]
    found = made_at(pd.Series(texts, dtype="str"))
    assert str(found.dtype) == "datetime64[us, UTC]"
    expected = [ep.created_at(text) for text in texts]
    assert [None if pd.isna(moment) else moment for moment in found] == expected


def test_age_at_the_end_of_the_hour() -> None:
    """Made at 05:45: 15 minutes old at 06:00; before, not above 0; old IDs have none."""
    counts = pd.concat([life(1, 2, first=4), life(3, post="20")], ignore_index=True)
    found = age(counts)
    assert found.name == "age"
    assert str(found.dtype) == "Float64"
    assert found.astype("object").fillna("none").to_list() == [-0.75, 0.25, "none"]


def test_age_follows_the_rows() -> None:
    """Any order, any index, days too; in the last hour until the retrieval."""
    counts = life(1, 2, 3).iloc[::-1]
    assert age(counts).index.to_list() == [2, 1, 0]
    daily = counts.drop(columns="hour").iloc[:1]
    assert age(daily).isna().all()
    daily.attrs |= {"start": "2026-03-01T00:00Z", "end": "2026-03-01T23:30Z"}
    assert age(daily).to_list() == [17.75]
    counts.attrs["retrieved_at"] = "2026-03-01T07:15:00Z"
    assert age(counts).to_list() == [1.5, 1.25, 0.25]


def test_age_of_totals() -> None:
    """Without a day it is the age at retrieval, and without that unknown and said so."""
    counts = tidy([(POST, "favorites", 5)], "post_id", "engagement_type", "count")
    with pytest.raises(FrameError, match="attrs"):
        age(counts)
    counts.attrs["retrieved_at"] = "2026-03-02T05:45:00Z"
    assert age(counts).to_list() == [24.0]
    counts.attrs["retrieved_at"] = "yesterday"
    with pytest.raises(FrameError, match="yesterday"):
        age(counts)


def test_running_counts_may_dip() -> None:
    """Unlikes take away; hours before the making are left out."""
    grown = cumulative(life(0, 4, 3, -2, first=4))
    assert grown["count"].to_list() == [4, 7, 5]
    assert grown["age"].to_list() == [0.25, 1.25, 2.25]
    assert grown["complete"].all()
    assert str(grown["start"].iloc[0]) == "2026-03-01 05:00:00+00:00"


def test_incomplete_lives_are_marked() -> None:
    """After a gap or an unknown hour, and where counts begin late, sums are of what is there."""
    unknown = cumulative(life(4, pd.NA, 3))
    assert unknown["count"].astype("object").fillna("none").to_list() == [4, "none", 7]
    assert unknown["complete"].to_list() == [True, False, False]
    gap = cumulative(life(4, 1, 3).drop(index=1))
    assert gap["count"].to_list() == [4, 7]
    assert gap["complete"].to_list() == [True, False]
    late = cumulative(life(4, 1, first=6))
    assert not late["complete"].any()
    assert not cumulative(life(4, post="20"))["complete"].any()


def test_the_partial_first_hour() -> None:
    """The first hour of /28hr, and the first and the last of some days, may lack a part."""
    counts = life(4, 1)
    assert cumulative(counts)["complete"].all()
    for attrs in ({}, {"endpoint": "28hr"}):
        counts.attrs = attrs
        assert cumulative(counts)["complete"].isna().all()
    # Made at 05:45:00: begun at that instant all is there, and a second later not.
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
def test_against_loops(bakery: Any) -> None:
    """The sandbox's counts added up in plain Python, post by post and hour by hour."""
    grown = cumulative(bakery.few)
    rows = iter(grown.to_dict("records"))
    checked = 0
    key = ["post_id", "engagement_type"]
    records = bakery.few.to_dict("records")
    for _, hours in groupby(records, key=lambda row: [row[name] for name in key]):
        total, whole = 0, False
        for place, row in enumerate(hours):
            made = ep.created_at(row["post_id"])
            assert made is not None
            end = row["day"].tz_localize("UTC") + pd.Timedelta(hours=row["hour"] + 1)
            old = (end - made).total_seconds() / 3600
            whole = whole or old <= 0 or (place == 0 and old <= 1)
            if old <= 0:
                assert row["count"] == 0
                continue
            total += row["count"]
            found = next(rows)
            assert [found[name] for name in key] == [row[name] for name in key]
            assert found["count"] == total
            assert found["age"] == pytest.approx(old, abs=1e-6)
            assert found["complete"] == whole
            checked += 1
    assert checked == len(grown) > 1000
    assert grown["complete"].any()


@pytest.mark.slow
@given(
    counts=st.lists(st.none() | st.integers(-5, 50), min_size=1, max_size=15),
    order=st.randoms(use_true_random=False),
)
def test_running_counts_end_in_the_sum(counts: list[int | None], order: Any) -> None:
    """Whatever the order of the rows, the last is the sum of the known ones."""
    rows = [pd.NA if count is None else count for count in counts]
    frame = life(*rows)
    places = list(range(len(frame)))
    order.shuffle(places)
    grown = cumulative(frame.iloc[places])
    known = [count for count in counts if count is not None]
    if counts[-1] is not None:
        assert grown["count"].iloc[-1] == sum(known)
    assert grown["complete"].to_list() == [
        None not in counts[: place + 1] for place in range(len(counts))
    ]


def test_counts_before_the_making_are_refused() -> None:
    """They come from local hours read as UTC, or from another post's ID."""
    with pytest.raises(FrameError, match=r"3 favorites on 2026-03-01 at 4 h, before it was"):
        cumulative(life(3, 4, first=4))


def test_doubles_are_refused() -> None:
    """A bucket that stands twice would count double."""
    with pytest.raises(FrameError, match="twice"):
        cumulative(pd.concat([life(3), life(3)], ignore_index=True))
    with pytest.raises(FrameError, match="lost its last digits"):
        cumulative(life(3, post="1.5e18"))


def test_counts_at_an_age() -> None:
    """At the ends of hours exactly the running count; beyond, before and after gaps none."""
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
@given(counts=st.lists(st.integers(1, 60), min_size=2, max_size=12), place=st.integers(0, 11))
def test_there_and_back(counts: list[int], place: int) -> None:
    """The count at the end of an hour was reached at the end of that hour."""
    series = post_series(life(*counts))
    hour = place % len(counts)
    target = np.array([float(sum(counts[: hour + 1]))])
    old = interpolate_ages(series, target, np.array([float(sum(counts))]))
    assert old.item() == pytest.approx(series.old[hour])


@pytest.mark.slow
@given(share=st.floats(0.05, 0.9), half_life=st.floats(0.2, 3))
def test_exponential_growth_is_found_again(share: float, half_life: float) -> None:
    """Within an hour, growth that fades exponentially is interpolated without an error."""
    rate = np.log(2) / half_life
    made = np.array([0.25, 1.25, 2.25, 3.25, 4.25, 5.25])
    total = 10**9
    reached = np.round(total * (1 - np.exp(-rate * made))).astype(int)
    series = post_series(life(*np.diff(reached, prepend=0).tolist()))
    old = interpolate_ages(series, np.array([share * reached[-1]]), np.array([float(total)]))
    expected = -np.log(1 - share * reached[-1] / total) / rate
    assert old.item() == pytest.approx(expected, rel=1e-4)


def test_the_curve_follows_the_truth() -> None:
    """Between the hours, within 1 % of the final count of the growth that was put in."""
    made = MARCH + np.arange(0, HOUR_MS, 300_000)
    counts = hourly(made, {"impressions": 1e7}, np.random.default_rng(0), hours=24)
    series = post_series(counts)
    for hours in (0.1, 0.5, 0.9, 1.4, 2.7, 5.1):
        found = interpolate_counts(series, np.full(len(made), hours)) / 1e7
        assert np.abs(found - exponential(hours, 80 / 60)).max() < 0.01
