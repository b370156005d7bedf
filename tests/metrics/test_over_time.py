"""Regular buckets of local time, and their completeness."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.simulated import tidy

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.metrics import over_time

ONE_HOUR = timedelta(hours=1)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]


def every_hour(
    start: str, hours: int, count: Any = 1, engagement_type: str = "impressions"
) -> pd.DataFrame:
    """Return one count an hour, of one post."""
    timestamps = pd.date_range(start, periods=hours, freq="h")
    return tidy(
        [
            ("1", engagement_type, timestamp.normalize(), timestamp.hour, count)
            for timestamp in timestamps
        ]
    )


def floor(timestamp: datetime, every: str) -> datetime:
    """Return the bucket of a local timestamp, computed without pandas; naive."""
    naive = timestamp.replace(tzinfo=None)
    day = naive.replace(hour=0, minute=0)
    if every == "W":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if every == "MS" else day


def by_hand(counts: pd.DataFrame, every: str, tz: str) -> dict[Any, int]:
    """Sum known counts by type and local bucket in plain loops."""
    zone = ZoneInfo(tz)
    sums: dict[Any, int] = defaultdict(int)
    for row in counts.to_dict("records"):
        if not pd.isna(row["count"]):
            timestamp = row["day"].to_pydatetime().replace(tzinfo=UTC) + row["hour"] * ONE_HOUR
            local = timestamp.astimezone(zone)
            key = timestamp if every == "h" else floor(local, every)
            sums[row["engagement_type"], key] += int(row["count"])
    return dict(sums)


@pytest.mark.slow
@pytest.mark.parametrize(
    "tz", [ZONES[0], *(pytest.param(zone, marks=pytest.mark.long) for zone in ZONES[1:])]
)
@pytest.mark.parametrize("every", ["h", "D", "W", "MS"])
def test_sums_match_plain_loops(every: str, tz: str, bakery: Any) -> None:
    """The sandbox's six weeks include the clock changes of Europe and America."""
    buckets = over_time(bakery.few, every=every, tz=tz)
    known = buckets[buckets["count"].notna()]
    actual = {}
    for engagement_type, start, count, _ in known.itertuples(index=False):
        key = start.tz_convert("UTC").to_pydatetime() if every == "h" else floor(start, every)
        actual[engagement_type, key] = count
    assert actual == by_hand(bakery.few, every, tz)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(
    start=st.datetimes(datetime(2024, 1, 1), datetime(2026, 6, 1)),  # noqa: DTZ001  UTC by contract
    hours=st.integers(1, 1200),
    every=st.sampled_from(["h", "D", "W", "MS"]),
    tz=st.sampled_from([*ZONES, "Africa/Cairo", "America/Asuncion", "Pacific/Chatham"]),
)
def test_buckets_keep_all_counts(start: datetime, hours: int, every: str, tz: str) -> None:
    """Buckets ascend and meet, and contain their hours, in any zone."""
    counts = every_hour(start.replace(minute=0, second=0, microsecond=0).isoformat(), hours)
    buckets = over_time(counts, every=every, tz=tz)
    assert buckets["count"].sum() == hours
    starts = buckets["start"]
    assert starts.is_monotonic_increasing
    assert starts.is_unique
    lengths = starts.diff().dropna() / pd.Timedelta("1h")
    complete = buckets["complete"].to_numpy()[:-1].astype(bool)
    inner = buckets["count"].to_numpy()[:-1]
    if "Lord_Howe" not in tz:  # the clock changes by half an hour
        assert (inner[complete] == lengths.to_numpy()[complete]).all()
    assert buckets["complete"].iloc[1:-1].all()


@pytest.mark.parametrize(
    ("first", "tz", "length"),
    [
        ("2026-03-27", "Europe/Berlin", {29: 23}),
        ("2025-10-24", "Europe/Berlin", {26: 25}),
        ("2026-03-06", "America/New_York", {8: 23}),
        ("2025-10-31", "America/New_York", {2: 25}),
    ],
)
def test_days_of_clock_changes_have_23_or_25_hours(
    first: str, tz: str, length: dict[int, int]
) -> None:
    """Spring has 23 hours, autumn 25; all other days have 24 and are complete."""
    days = over_time(every_hour(first, 24 * 6), tz=tz)
    inner = days.iloc[1:-1]
    assert inner["complete"].all()
    assert inner["count"].to_list() == [length.get(start.day, 24) for start in inner["start"]]
    assert all(start.hour == 0 for start in days["start"])


def test_a_repeated_hour_has_two_buckets() -> None:
    """In autumn 02:00 occurs twice, with two offsets; no hour is missing or duplicated."""
    hours = over_time(every_hour("2025-10-25T22:00", 6), every="h", tz="Europe/Berlin")
    assert [str(start)[11:] for start in hours["start"]] == [
        "00:00:00+02:00",
        "01:00:00+02:00",
        "02:00:00+02:00",
        "02:00:00+01:00",
        "03:00:00+01:00",
        "04:00:00+01:00",
    ]
    assert hours["count"].to_list() == [1] * 6


def test_a_day_without_midnight_begins_at_1() -> None:
    """The clock went from 00:00 to 01:00, so the day has 23 hours."""
    days = over_time(every_hour("2024-04-24", 24 * 4), tz="Africa/Cairo")
    unusual_day = days[[start.day == 26 for start in days["start"]]]
    assert str(unusual_day["start"].item()) == "2024-04-26 01:00:00+03:00"
    assert unusual_day["count"].item() == 23


def test_a_day_with_two_midnights_begins_at_the_first() -> None:
    """00:00 is repeated after an hour, so the day has 25 hours."""
    days = over_time(every_hour("2025-10-31T04:00", 24 * 4), tz="America/Havana")
    unusual_day = days[[start.day == 2 for start in days["start"]]]
    assert str(unusual_day["start"].item()) == "2025-11-02 00:00:00-04:00"
    assert unusual_day["count"].item() == 25


def test_gaps_are_missing_and_not_zero() -> None:
    """Hours without rows or with unknown counts are <NA>; a zero stays a zero."""
    counts = every_hour("2026-03-01", 5).drop(index=1)
    counts.loc[[2, 3], "count"] = [pd.NA, 0]
    hours = over_time(counts, every="h")
    assert hours["count"].astype("object").fillna("gap").to_list() == [1, "gap", "gap", 0, 1]
    assert hours["complete"].to_list() == [True, False, False, True, True]


def test_days_with_a_gap_are_incomplete() -> None:
    """The sum of 23 hours is returned and marked; so is a sum without an hour of one post."""
    counts = pd.concat([every_hour("2026-03-01", 72), every_hour("2026-03-01", 72)])
    counts["post_id"] = pd.Series(["1"] * 72 + ["2"] * 72, index=counts.index, dtype=TEXT)
    counts = counts.reset_index(drop=True)
    counts.loc[30, "count"] = pd.NA
    days = over_time(counts)
    assert days["count"].to_list() == [48, 47, 48]
    assert days["complete"].to_list() == [True, False, True]
    without_rows = over_time(counts.drop(index=[30, 72 + 30]))
    assert without_rows["complete"].to_list() == [True, False, True]


@pytest.mark.slow
def test_every_key_has_the_same_buckets() -> None:
    """A post whose counts begin later has <NA> before."""
    early, late = every_hour("2026-03-01", 48), every_hour("2026-03-02", 24)
    late["post_id"] = pd.Series(["2"] * 24, dtype=TEXT)
    days = over_time(pd.concat([early, late], ignore_index=True), by=["post_id"])
    assert days["post_id"].to_list() == ["1", "1", "2", "2"]
    assert days["count"].astype("object").fillna("none").to_list() == [24, 24, "none", 24]
    assert days["complete"].to_list() == [True, True, False, True]


def test_weeks_begin_on_monday() -> None:
    """2026-03-01 was a Sunday: one day of a week, then a complete week."""
    weeks = over_time(every_hour("2026-03-01", 24 * 8), every="W")
    assert [f"{start:%F}" for start in weeks["start"]] == ["2026-02-23", "2026-03-02"]
    assert weeks["count"].to_list() == [24, 168]
    assert weeks["complete"].to_list() == [False, True]


def test_months_have_the_length_of_the_calendar() -> None:
    """February 2026 has 672 hours."""
    months = over_time(every_hour("2026-01-31T12:00", 12 + 672 + 1), every="MS")
    assert months["count"].to_list() == [12, 672, 1]
    assert months["complete"].to_list() == [False, True, False]


def test_buckets_cover_the_requested_window() -> None:
    """A wider window has more buckets with <NA>; a day that it cuts is incomplete."""
    counts = every_hour("2026-03-02", 24)
    days = over_time(counts, window=("2026-03-01", "2026-03-03T06:00:00Z"))
    assert days["count"].astype("object").fillna("none").to_list() == ["none", 24, "none"]
    assert days["complete"].to_list() == [False, True, False]
    window = ep.Window.covering("2026-03-02", "2026-03-03")
    pd.testing.assert_frame_equal(
        over_time(counts, window=window), days.iloc[[1]].reset_index(drop=True)
    )


def test_days_at_unknown_edges_may_be_partial() -> None:
    """Their completeness is <NA>; a window makes it known."""
    counts = every_hour("2026-03-02", 24 * 7).groupby(
        ["post_id", "engagement_type", "day"], observed=True
    )
    daily = counts["count"].sum().reset_index()
    days = over_time(daily)
    assert days["complete"].isna().all()
    assert over_time(daily, every="W")["complete"].isna().all()
    known = over_time(daily, window=("2026-03-02", "2026-03-09"))
    assert known["complete"].all()
    assert over_time(daily, every="W", window=("2026-03-02", "2026-03-09"))["complete"].all()
    with_gap = over_time(daily.drop(index=3), every="W")
    assert with_gap["complete"].to_list() == [False]
    cut = over_time(daily, window=("2026-03-02T03:00:00Z", "2026-03-09"))
    assert cut["complete"].to_list() == [False] + [True] * 6


def test_the_hour_of_retrieval_is_incomplete() -> None:
    """It had not ended; the edges of /28hr are partial."""
    counts = every_hour("2026-03-01", 5)
    counts.attrs["retrieved_at"] = "2026-03-01T04:20:00+00:00"
    assert over_time(counts, every="h")["complete"].to_list() == [True] * 4 + [False]
    counts.attrs["retrieved_at"] = "2026-03-09T04:20:00+00:00"
    assert over_time(counts, every="h")["complete"].all()
    counts.attrs = {"endpoint": "28hr", "retrieved_at": "2026-03-02T04:20:00Z"}
    assert over_time(counts, every="h")["complete"].to_list() == [False] + [True] * 4
    counts.attrs["retrieved_at"] = "2026-03-01T04:20:00Z"
    assert over_time(counts, every="h")["complete"].to_list() == [True] * 4 + [False]
    counts.attrs = {"retrieved_at": "2026-03-01T04:20:00Z"}
    assert over_time(counts, every="h")["complete"].astype("object").to_list() == [
        *[pd.NA] * 4,
        False,
    ]


def test_columns_have_the_documented_dtypes() -> None:
    """Keys have the dtypes of the counts, and times the zone, in microseconds."""
    dtypes = over_time(every_hour("2026-03-01", 30), tz="Europe/Berlin").dtypes
    assert dtypes.astype(str).to_dict() == {
        "engagement_type": "category",
        "start": "datetime64[us, Europe/Berlin]",
        "count": "Int64",
        "complete": "boolean",
    }


DAILY = every_hour("2026-03-01", 1).drop(columns="hour")


@pytest.mark.parametrize(
    ("counts", "arguments", "words"),
    [
        (DAILY, {"every": "h"}, "hours are requested"),
        (DAILY, {"tz": "Europe/Berlin"}, "by UTC day"),
        (DAILY, {"tz": ZoneInfo("Asia/Tokyo"), "every": "W"}, "engagement.hour"),
        (DAILY, {"every": "M"}, "every is 'M'"),
        (DAILY, {"tz": "Europe/Atlantis"}, "no time zone 'Europe/Atlantis'"),
        (DAILY, {"tz": 1}, "no time zone 1"),
        (DAILY, {"by": "day"}, "leave out day"),
        (DAILY, {"by": "handle"}, "by is 'handle'"),
        (DAILY.drop(columns="day"), {}, "lack the column 'day'"),
        (DAILY, {"window": ("2026-03-02", "2026-03-03")}, "outside window"),
        (DAILY, {"window": ("2026-03-03", "2026-03-02")}, "is empty"),
        (DAILY, {"window": ("2026-03-01T00:30", "2026-03-02")}, "with a time zone"),
        (DAILY, {"window": "march"}, "with a time zone"),
    ],
)
def test_invalid_arguments_are_refused(
    counts: pd.DataFrame, arguments: dict[str, Any], words: str
) -> None:
    """Details that counts by day lack, and invalid zones, buckets and windows."""
    with pytest.raises(FrameError, match=words):
        over_time(counts, **arguments)


def test_sparse_keys_have_the_same_sums() -> None:
    """Few hours of many posts over a year use another algorithm."""
    rng = np.random.default_rng(8)
    rows = {
        (str(post), "impressions", f"2025-{month:02d}-03", int(rng.integers(24)))
        for post in range(30)
        for month in range(1, 13)
    }
    counts = tidy([(*row, i % 7) for i, row in enumerate(sorted(rows))])
    counts.loc[5, "count"] = pd.NA
    months = over_time(counts, every="MS", by="post_id")
    expected = counts.groupby(["post_id", counts["day"].dt.month])["count"].sum(min_count=1)
    assert months["count"].to_list() == expected.to_list()
    assert not months["complete"].any()
    hours = over_time(counts, every="h", by="post_id")
    assert hours["complete"].sum() == len(counts) - 1


def test_a_skipped_day_has_no_bucket() -> None:
    """Samoa's calendar went from 29 to 31 December 2011."""
    counts = ep.flatten_json(
        {"g": {"1": {"favorites": {d: {"12": "1"} for d in ("2011-12-29", "2011-12-31")}}}}
    )
    days = over_time(counts, every="D", tz="Pacific/Apia")
    assert "2011-12-30" not in {str(start.date()) for start in days["start"]}
    assert days["count"].sum() == 2


@pytest.mark.parametrize("name", ["start", "complete"])
def test_a_key_named_like_a_result_is_refused(name: str) -> None:
    """The times or marks would replace the keys."""
    counts = every_hour("2026-03-01", 24).assign(**{name: "x"})
    with pytest.raises(FrameError, match=f"the result has its own column '{name}'"):
        over_time(counts, by=name)
