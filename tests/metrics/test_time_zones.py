"""Local days, weeks and months begin when the clocks of the zone say so: every zone there is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.metrics.time_zones import first_moment

ODD = [
    "Antarctica/Casey", "Antarctica/Troll", "Australia/Eucla", "Australia/Lord_Howe",
    "Africa/Cairo", "America/Asuncion", "America/Havana", "America/Sao_Paulo", "Asia/Beirut",
    "Asia/Gaza", "Asia/Pyongyang", "Asia/Tehran", "Europe/Berlin", "Pacific/Apia",
    "Pacific/Bougainville", "America/Godthab", "Asia/Amman", "America/Scoresbysund",
]  # fmt: skip
QUARTER = timedelta(minutes=15)


def starts(name: str, first: date, last: date) -> dict[date, datetime]:
    """Walk through the quarters of hours: a day begins with the first one that is in it.

    A day that the clocks enter a second time has begun the first time.
    """
    zone = ZoneInfo(name)
    moment = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=2)
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=2)
    found: dict[date, datetime] = {}
    latest = moment.astimezone(zone).date()
    while moment < end:
        day = moment.astimezone(zone).date()
        if day > latest:
            found[day] = moment
            latest = day
            moment += 23 * 4 * QUARTER - 4 * 4 * QUARTER  # no day is shorter than 19 hours
        moment += QUARTER
    return found


def agree(name: str, first: date, last: date) -> None:
    """Hold each day's first moment against the walk."""
    expected = starts(name, first, last)
    zone = ZoneInfo(name)
    day = first
    while day <= last:
        # A day that there was not begins with the next that there was.
        begun = expected.get(day) or expected[min(d for d in expected if d > day)]
        assert first_moment(day, zone) == begun, (name, day)
        day += timedelta(days=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD)
def test_odd_zones(name: str) -> None:
    """Changes at midnight, of half an hour, of two and three hours."""
    for year in (2016, 2018, 2020, 2023):
        agree(name, date(year, 1, 1), date(year, 12, 31))


def test_a_day_that_was_not() -> None:
    """Apia had no 30 December 2011."""
    agree("Pacific/Apia", date(2011, 12, 27), date(2012, 1, 3))


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(available_timezones()))
def test_every_zone(name: str) -> None:
    """Each day from September 2014 to the end of 2026."""
    agree(name, date(2014, 9, 1), date(2026, 12, 31))


def test_three_hours_at_once() -> None:
    """Casey, 22 October 2016, 00:00 to 03:00: the day before has 24 hours, that one 21."""
    hours = {f"{hour:02d}": "1" for hour in range(24)}
    days = {f"2016-10-{day}": hours for day in range(19, 25)}
    counts = ep.flatten_json({"g": {"impressions": days}})
    table = ep.over_time(counts, tz="Antarctica/Casey").set_index("start")["count"]
    found = {f"{start:%d}": int(count) for start, count in table.items()}
    assert (found["21"], found["22"], found["23"]) == (24, 21, 24)


@pytest.mark.parametrize("name", ["Antarctica/Casey", "Africa/Cairo", "Australia/Lord_Howe"])
@pytest.mark.parametrize("every", ["D", "W", "MS"])
def test_edges_of_buckets(name: str, every: str) -> None:
    """Days, weeks from Monday and months begin with the first moment of their first day."""
    zone = ZoneInfo(name)
    moments = pd.date_range("2016-01-05", "2016-12-20", freq="h")
    counts = pd.DataFrame(
        {
            "engagement_type": pd.Categorical(["impressions"] * len(moments)),
            "day": moments.normalize().astype("datetime64[us]"),
            "hour": moments.hour.astype("int8"),
            "count": pd.array([1] * len(moments), dtype="Int64"),
        }
    )
    counts["engagement_type"] = counts["engagement_type"].astype("category")
    edges = [start.astimezone(UTC) for start in ep.over_time(counts, every=every, tz=name)["start"]]
    days = starts(name, date(2015, 12, 1), date(2016, 12, 31))
    begun = [
        moment
        for day, moment in days.items()
        if every == "D" or (day.weekday() == 0 if every == "W" else day.day == 1)
    ]
    expected = [a for a, b in pairwise(begun) if b > edges[0] and a <= edges[-1]]
    assert edges == expected
    assert zone is not None
