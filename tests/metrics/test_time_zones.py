"""Local days, weeks and months begin with the clocks of their zone, in every zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.metrics.time_zones import first_moment

UNUSUAL = [
    "Antarctica/Casey", "Antarctica/Troll", "Australia/Eucla", "Australia/Lord_Howe",
    "Africa/Cairo", "America/Asuncion", "America/Havana", "America/Sao_Paulo", "Asia/Beirut",
    "Asia/Gaza", "Asia/Pyongyang", "Asia/Tehran", "Europe/Berlin", "Pacific/Apia",
    "Pacific/Bougainville", "America/Godthab", "Asia/Amman", "America/Scoresbysund",
]  # fmt: skip
QUARTER = timedelta(minutes=15)


def starts(name: str, first: date, last: date) -> dict[date, datetime]:
    """Return the first quarter of an hour of each local day.

    A day that the clocks enter a second time has begun the first time.
    """
    zone = ZoneInfo(name)
    instant = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=2)
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=2)
    first_by_day: dict[date, datetime] = {}
    latest = instant.astimezone(zone).date()
    while instant < end:
        day = instant.astimezone(zone).date()
        if day > latest:
            first_by_day[day] = instant
            latest = day
            instant += 23 * 4 * QUARTER - 4 * 4 * QUARTER  # no day is shorter than 19 hours
        instant += QUARTER
    return first_by_day


def check_days(name: str, first: date, last: date) -> None:
    """Compare the first instant of each day with that of the walk."""
    expected = starts(name, first, last)
    zone = ZoneInfo(name)
    day = first
    while day <= last:
        # A skipped day begins with the next existing day.
        first_instants = expected.get(day) or expected[min(d for d in expected if d > day)]
        assert first_moment(day, zone) == first_instants, (name, day)
        day += timedelta(days=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_zones_have_the_right_days(name: str) -> None:
    """Clocks change at midnight, and by half an hour, two and three hours."""
    for year in (2016, 2018, 2020, 2023):
        check_days(name, date(year, 1, 1), date(year, 12, 31))


def test_a_skipped_day_begins_with_the_next() -> None:
    """Apia had no 30 December 2011."""
    check_days("Pacific/Apia", date(2011, 12, 27), date(2012, 1, 3))


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(available_timezones()))
def test_every_zone_has_the_right_days(name: str) -> None:
    """Each day from September 2014 to the end of 2026."""
    check_days(name, date(2014, 9, 1), date(2026, 12, 31))


def test_a_change_of_three_hours_shortens_one_day() -> None:
    """Casey, 22 October 2016, 00:00 to 03:00: that day has 21 hours, the day before 24."""
    hours = {f"{hour:02d}": "1" for hour in range(24)}
    days = {f"2016-10-{day}": hours for day in range(19, 25)}
    counts = ep.flatten_json({"g": {"impressions": days}})
    table = ep.over_time(counts, tz="Antarctica/Casey").set_index("start")["count"]
    sums = {f"{start:%d}": int(count) for start, count in table.items()}
    assert (sums["21"], sums["22"], sums["23"]) == (24, 21, 24)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Antarctica/Casey", "Africa/Cairo", "Australia/Lord_Howe"])
@pytest.mark.parametrize("every", ["D", "W", "MS"])
def test_buckets_begin_with_their_first_day(name: str, every: str) -> None:
    """Days, weeks from Monday and months begin with the first instant of their first day."""
    zone = ZoneInfo(name)
    instants = pd.date_range("2016-01-05", "2016-12-20", freq="h")
    counts = pd.DataFrame(
        {
            "engagement_type": pd.Categorical(["impressions"] * len(instants)),
            "day": instants.normalize().astype("datetime64[us]"),
            "hour": instants.hour.astype("int8"),
            "count": pd.array([1] * len(instants), dtype="Int64"),
        }
    )
    counts["engagement_type"] = counts["engagement_type"].astype("category")
    edges = [start.astimezone(UTC) for start in ep.over_time(counts, every=every, tz=name)["start"]]
    days = starts(name, date(2015, 12, 1), date(2016, 12, 31))
    first_instants = [
        instant
        for day, instant in days.items()
        if every == "D" or (day.weekday() == 0 if every == "W" else day.day == 1)
    ]
    expected = [a for a, b in pairwise(first_instants) if b > edges[0] and a <= edges[-1]]
    assert edges == expected
    assert zone is not None
