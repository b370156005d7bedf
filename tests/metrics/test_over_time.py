"""Regular buckets of local time, and which of them are whole."""

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
from engagement_pandas.metrics import over_time

HOUR = timedelta(hours=1)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]


def every_hour(start: str, hours: int, count: Any = 1, kind: str = "impressions") -> pd.DataFrame:
    """Make one count an hour, of one post."""
    moments = pd.date_range(start, periods=hours, freq="h")
    return tidy([("1", kind, moment.normalize(), moment.hour, count) for moment in moments])


def floor(moment: datetime, every: str) -> datetime:
    """Return the bucket of a local moment, by the calendar and no pandas; naive."""
    naive = moment.replace(tzinfo=None)
    day = naive.replace(hour=0, minute=0)
    if every == "W":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if every == "MS" else day


def by_hand(counts: pd.DataFrame, every: str, tz: str) -> dict[Any, int]:
    """Sum by type and local bucket in plain loops; only where a count is known."""
    zone = ZoneInfo(tz)
    sums: dict[Any, int] = defaultdict(int)
    for row in counts.to_dict("records"):
        if not pd.isna(row["count"]):
            moment = row["day"].to_pydatetime().replace(tzinfo=UTC) + row["hour"] * HOUR
            local = moment.astimezone(zone)
            key = moment if every == "h" else floor(local, every)
            sums[row["engagement_type"], key] += int(row["count"])
    return dict(sums)


@pytest.mark.slow
@pytest.mark.parametrize("tz", ZONES)
@pytest.mark.parametrize("every", ["h", "D", "W", "MS"])
def test_against_loops(every: str, tz: str, bakery: Any) -> None:
    """The sandbox's six weeks, over Europe's and America's change of clocks."""
    buckets = over_time(bakery.few, every=every, tz=tz)
    known = buckets[buckets["count"].notna()]
    found = {}
    for kind, start, count, _ in known.itertuples(index=False):
        key = start.tz_convert("UTC").to_pydatetime() if every == "h" else floor(start, every)
        found[kind, key] = count
    assert found == by_hand(bakery.few, every, tz)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(
    start=st.datetimes(datetime(2024, 1, 1), datetime(2026, 6, 1)),  # noqa: DTZ001  UTC by contract
    hours=st.integers(1, 1200),
    every=st.sampled_from(["h", "D", "W", "MS"]),
    tz=st.sampled_from([*ZONES, "Africa/Cairo", "America/Asuncion", "Pacific/Chatham"]),
)
def test_nothing_is_lost(start: datetime, hours: int, every: str, tz: str) -> None:
    """Sums are kept, in any zone and bucket; buckets ascend, meet, and hold their hours."""
    counts = every_hour(start.replace(minute=0, second=0, microsecond=0).isoformat(), hours)
    buckets = over_time(counts, every=every, tz=tz)
    assert buckets["count"].sum() == hours
    starts = buckets["start"]
    assert starts.is_monotonic_increasing
    assert starts.is_unique
    lengths = starts.diff().dropna() / pd.Timedelta("1h")
    whole = buckets["complete"].to_numpy()[:-1].astype(bool)
    inner = buckets["count"].to_numpy()[:-1]
    if "Lord_Howe" not in tz:  # its clocks change by half an hour
        assert (inner[whole] == lengths.to_numpy()[whole]).all()
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
def test_both_clock_changes(first: str, tz: str, length: dict[int, int]) -> None:
    """The day in spring has 23 hours and the one in autumn 25; all others 24, and whole."""
    days = over_time(every_hour(first, 24 * 6), tz=tz)
    inner = days.iloc[1:-1]
    assert inner["complete"].all()
    assert inner["count"].to_list() == [length.get(start.day, 24) for start in inner["start"]]
    assert all(start.hour == 0 for start in days["start"])


def test_hours_at_the_clock_change() -> None:
    """In autumn 02:00 comes twice, told apart by the offset; none is missing or doubled."""
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


def test_midnights_that_were_not() -> None:
    """Where clocks went from 00:00 to 01:00, the day begins at 01:00 and has 23 hours."""
    days = over_time(every_hour("2024-04-24", 24 * 4), tz="Africa/Cairo")
    odd = days[[start.day == 26 for start in days["start"]]]
    assert str(odd["start"].item()) == "2024-04-26 01:00:00+03:00"
    assert odd["count"].item() == 23


def test_midnights_that_came_twice() -> None:
    """Where 00:00 comes again after an hour, the day begins with the first and has 25 hours."""
    days = over_time(every_hour("2025-10-31T04:00", 24 * 4), tz="America/Havana")
    odd = days[[start.day == 2 for start in days["start"]]]
    assert str(odd["start"].item()) == "2025-11-02 00:00:00-04:00"
    assert odd["count"].item() == 25


def test_gaps_are_missing_and_no_zeros() -> None:
    """An hour without rows, and one whose count is unknown, are <NA>; a zero is a zero."""
    counts = every_hour("2026-03-01", 5).drop(index=1)
    counts.loc[[2, 3], "count"] = [pd.NA, 0]
    hours = over_time(counts, every="h")
    assert hours["count"].astype("object").fillna("gap").to_list() == [1, "gap", "gap", 0, 1]
    assert hours["complete"].to_list() == [True, False, False, True, True]


def test_days_with_a_hole_are_not_complete() -> None:
    """The sum of 23 hours is given and marked; so is that of an hour unknown for one post."""
    counts = pd.concat([every_hour("2026-03-01", 72), every_hour("2026-03-01", 72)])
    counts["post_id"] = pd.Series(["1"] * 72 + ["2"] * 72, index=counts.index, dtype="str")
    counts = counts.reset_index(drop=True)
    counts.loc[30, "count"] = pd.NA
    days = over_time(counts)
    assert days["count"].to_list() == [48, 47, 48]
    assert days["complete"].to_list() == [True, False, True]
    without = over_time(counts.drop(index=[30, 72 + 30]))
    assert without["complete"].to_list() == [True, False, True]


def test_every_key_has_the_same_buckets() -> None:
    """A post whose counts begin later has <NA> before, on the same axis."""
    early, late = every_hour("2026-03-01", 48), every_hour("2026-03-02", 24)
    late["post_id"] = pd.Series(["2"] * 24, dtype="str")
    days = over_time(pd.concat([early, late], ignore_index=True), by=["post_id"])
    assert days["post_id"].to_list() == ["1", "1", "2", "2"]
    assert days["count"].astype("object").fillna("none").to_list() == [24, 24, "none", 24]
    assert days["complete"].to_list() == [True, True, False, True]


def test_weeks_begin_on_monday() -> None:
    """2026-03-01 was a Sunday: one day of a week, then a whole one."""
    weeks = over_time(every_hour("2026-03-01", 24 * 8), every="W")
    assert [f"{start:%F}" for start in weeks["start"]] == ["2026-02-23", "2026-03-02"]
    assert weeks["count"].to_list() == [24, 168]
    assert weeks["complete"].to_list() == [False, True]


def test_months() -> None:
    """February 2026 has 672 hours."""
    months = over_time(every_hour("2026-01-31T12:00", 12 + 672 + 1), every="MS")
    assert months["count"].to_list() == [12, 672, 1]
    assert months["complete"].to_list() == [False, True, False]


def test_the_window_that_was_asked_for() -> None:
    """Wider than the counts: more buckets, <NA>; a day cut by it is not complete."""
    counts = every_hour("2026-03-02", 24)
    days = over_time(counts, window=("2026-03-01", "2026-03-03T06:00:00Z"))
    assert days["count"].astype("object").fillna("none").to_list() == ["none", 24, "none"]
    assert days["complete"].to_list() == [False, True, False]
    window = ep.Window.covering("2026-03-02", "2026-03-03")
    pd.testing.assert_frame_equal(
        over_time(counts, window=window), days.iloc[[1]].reset_index(drop=True)
    )


def test_days_do_not_tell_whether_they_are_whole() -> None:
    """Counts by day: the first and last may be cut, so <NA>; with the window they are known."""
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
    holed = over_time(daily.drop(index=3), every="W")
    assert holed["complete"].to_list() == [False]
    cut = over_time(daily, window=("2026-03-02T03:00:00Z", "2026-03-09"))
    assert cut["complete"].to_list() == [False] + [True] * 6


def test_what_was_fetched_within_an_hour() -> None:
    """The hour of retrieval had not ended; the ends of /28hr are partial."""
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


def test_dtypes() -> None:
    """Keys as in the counts, times in the zone, to the microsecond."""
    dtypes = over_time(every_hour("2026-03-01", 30), tz="Europe/Berlin").dtypes
    assert dtypes.astype(str).to_dict() == {
        "engagement_type": "category",
        "start": "datetime64[us, Europe/Berlin]",
        "count": "Int64",
        "complete": "boolean",
    }


DAILY = every_hour("2026-03-01", 1).drop(columns="hour")


@pytest.mark.parametrize(
    ("counts", "asked", "words"),
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
def test_refused(counts: pd.DataFrame, asked: dict[str, Any], words: str) -> None:
    """What the counts cannot tell, and what is no zone, bucket or window."""
    with pytest.raises(FrameError, match=words):
        over_time(counts, **asked)


def test_sparse_keys_against_loops() -> None:
    """Few hours of many posts over a year: the other way to count hours gives the same."""
    dice = np.random.default_rng(8)
    rows = {
        (str(post), "impressions", f"2025-{month:02d}-03", int(dice.integers(24)))
        for post in range(30)
        for month in range(1, 13)
    }
    counts = tidy([(*row, place % 7) for place, row in enumerate(sorted(rows))])
    counts.loc[5, "count"] = pd.NA
    months = over_time(counts, every="MS", by="post_id")
    expected = counts.groupby(["post_id", counts["day"].dt.month])["count"].sum(min_count=1)
    assert months["count"].to_list() == expected.to_list()
    assert not months["complete"].any()
    hours = over_time(counts, every="h", by="post_id")
    assert hours["complete"].sum() == len(counts) - 1


def test_a_day_that_never_was() -> None:
    """Samoa went from 29 to 31 December 2011: the day between has no bucket."""
    counts = ep.flatten_json(
        {"g": {"1": {"favorites": {d: {"12": "1"} for d in ("2011-12-29", "2011-12-31")}}}}
    )
    days = over_time(counts, every="D", tz="Pacific/Apia")
    assert "2011-12-30" not in {str(start.date()) for start in days["start"]}
    assert days["count"].sum() == 2
