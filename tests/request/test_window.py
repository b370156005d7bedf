"""Windows of complete UTC hours, with an exclusive end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement_pandas import InvalidWindow, Window
from engagement_pandas.request import window as module

HOUR = timedelta(hours=1)
ZERO = datetime(2014, 9, 1, tzinfo=UTC)

hours = st.integers(0, 100_000)


def utc(*parts: int) -> datetime:
    """Return a UTC time."""
    return datetime(*parts, tzinfo=UTC)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Set the current time to 2026-04-15 12:20 UTC."""
    current = utc(2026, 4, 15, 12, 20)
    monkeypatch.setattr(module, "_now", lambda: current)
    return current


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-03-01", "2026-03-02", (utc(2026, 3, 1), utc(2026, 3, 2))),
        ("2026-03-01T09:30:00Z", "2026-03-02T18:00:01Z", (utc(2026, 3, 1, 9), utc(2026, 3, 2, 19))),
        (
            "2026-03-01T01:00:00+02:00",
            "2026-03-01T03:00:00+02:00",
            (utc(2026, 2, 28, 23), utc(2026, 3, 1, 1)),
        ),
        (
            "2026-03-01T00:15:00+05:30",
            "2026-03-01T06:00:00Z",
            (utc(2026, 2, 28, 18), utc(2026, 3, 1, 6)),
        ),
        (date(2026, 3, 1), date(2026, 3, 2), (utc(2026, 3, 1), utc(2026, 3, 2))),
        (
            utc(2026, 3, 1, 9, 59, 59, 999999),
            utc(2026, 3, 1, 10, 0, 0, 1),
            (utc(2026, 3, 1, 9), utc(2026, 3, 1, 11)),
        ),
        (
            pd.Timestamp("2026-03-01", tz="Europe/Berlin"),
            pd.Timestamp("2026-03-02", tz="Europe/Berlin"),
            (utc(2026, 2, 28, 23), utc(2026, 3, 1, 23)),
        ),
        (
            pd.Timestamp("2026-03-01T05:00:00Z"),
            pd.Timestamp("2026-03-01T06:00:00.000000001Z"),
            (utc(2026, 3, 1, 5), utc(2026, 3, 1, 7)),
        ),
    ],
)
def test_covering_rounds_to_complete_hours(
    start: Any, end: Any, expected: tuple[datetime, datetime]
) -> None:
    """The start is floored and the end ceiled, so no hour is lost; a date is its midnight."""
    window = Window.covering(start, end)
    assert (window.start, window.end) == expected
    assert type(window.start) is datetime


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2026-03-02", "2026-03-02", "is empty"),
        ("2026-03-02", "2026-03-01", "is empty"),
        ("2026-03-02T01:30:00Z", "2026-03-02T01:30:00Z", "is empty"),
        ("2026-03-02T01:40:00Z", "2026-03-02T01:20:00Z", "is empty"),
        ("2026-03-01T09:30:00", "2026-03-02", "has no time zone"),
        ("2026-03-01", datetime(2026, 3, 2), "has no time zone"),  # noqa: DTZ001
        (pd.NaT, "2026-03-02", "has no time zone"),
        ("2014-08-31T23:59:59Z", "2014-10-01", "2014-09-01 00:00"),
        ("yesterday", "2026-03-02", "'yesterday' is not a time"),
        ("2026-02-30", "2026-03-02", "'2026-02-30' is not a time"),
        ("", "2026-03-02", "'' is not a time"),
        (20260301, "2026-03-02", "is a int"),
        (None, "2026-03-02", "is a NoneType"),
        ("9999-12-31T23:30:00-12:00", "9999-12-31T23:30:00-12:00", "cannot be converted to UTC"),
        ("2026-03-01", "9998-01-01", "in the future"),
        ("2026-03-01", "9999-12-31T23:59:59Z", "in the future"),
    ],
)
def test_invalid_windows_are_refused(start: Any, end: Any, words: str) -> None:
    """A window is empty, naive, before 2014-09-01, in the future, or not a time."""
    with pytest.raises(InvalidWindow) as caught:
        Window.covering(start, end)
    assert words in str(caught.value)


def test_the_constructor_refuses_parts_of_hours() -> None:
    """`Window` does not round; the error names the function that does."""
    with pytest.raises(InvalidWindow, match=r"Window\.covering"):
        Window(utc(2026, 3, 1, 0, 30), utc(2026, 3, 2))


def test_the_constructor_refuses_an_empty_window() -> None:
    """The end is exclusive, so a window from an hour to itself is empty."""
    with pytest.raises(InvalidWindow, match="is empty"):
        Window(utc(2026, 3, 1), utc(2026, 3, 1))


def test_the_end_is_not_after_now(now: datetime) -> None:
    """The current hour ends in the future; the error names the last complete hour."""
    assert Window.covering("2026-04-15", "2026-04-15T12:00:00Z").end == utc(2026, 4, 15, 12)
    with pytest.raises(InvalidWindow, match="ended at 2026-04-15 12:00"):
        Window.covering("2026-04-15", now)


def test_last_days_and_hours(now: datetime) -> None:
    """The last 28 days end at the last complete hour."""
    window = Window.last()
    assert (window.start, window.end) == (utc(2026, 3, 18, 12), utc(2026, 4, 15, 12))
    assert Window.last(1, now=now - timedelta(days=1)).end == utc(2026, 4, 14, 12)


@pytest.mark.parametrize("days", [0, -1, "7", float("nan"), 10**12, None])
def test_invalid_numbers_of_days_are_refused(days: Any) -> None:
    """The number must be positive and within the calendar."""
    with pytest.raises(InvalidWindow):
        Window.last(days)


def test_the_oldest_start() -> None:
    """2014-09-01 itself is allowed."""
    assert Window.covering("2014-09-01", "2014-09-02").start == ZERO


def test_windows_are_equal_in_all_zones() -> None:
    """The same hours in another time zone are the same window."""
    east = timezone(timedelta(hours=2))
    assert Window(datetime(2026, 3, 1, 2, tzinfo=east), utc(2026, 3, 2)) == Window.covering(
        "2026-03-01", "2026-03-02"
    )


@pytest.mark.slow
@given(first=hours, length=st.integers(1, 24 * 400), longest=st.integers(1, 24 * 28))
def test_split_is_a_partition(first: int, length: int, longest: int) -> None:
    """The parts are consecutive, not too long, and cover the window."""
    start = ZERO + (first % 60_000) * HOUR
    window = Window(start, start + length * HOUR)
    parts = window.split(longest * HOUR)
    covered = [part.start + n * HOUR for part in parts for n in range(part.hours)]
    assert covered == [start + n * HOUR for n in range(length)]
    assert max(part.hours for part in parts) <= longest
    assert len(parts) == -(-length // longest)


@pytest.mark.parametrize(
    ("length", "expected"),
    [(1, [1]), (672, [672]), (673, [1, 672]), (9600, [192] + [672] * 14)],
)
def test_split_at_28_days(length: int, expected: list[int]) -> None:
    """The cases are 1 hour, 28 days, 28 days and 1 hour, and 400 days."""
    window = Window(ZERO, ZERO + length * HOUR)
    assert [part.hours for part in window.split()] == expected


def test_parts_are_not_shorter_than_an_hour() -> None:
    """A shorter limit is refused."""
    with pytest.raises(InvalidWindow, match="the minimum is one hour"):
        Window.covering("2026-03-01", "2026-03-02").split(timedelta(minutes=59))


@pytest.mark.parametrize("window", [7, "7d", "7 d"])
def test_complete_days(window: Any, now: datetime) -> None:
    """At noon of the 15th, the last seven days are the 8th to the 14th."""
    assert now.day == 15
    assert module.to_window(window) == Window(utc(2026, 4, 8), utc(2026, 4, 15))


def test_complete_days_at_midnight() -> None:
    """The day that has just ended is complete; the time may have any time zone."""
    now = datetime(2026, 4, 15, 2, tzinfo=timezone(timedelta(hours=2)))
    assert Window.last_days(1, now=now) == Window(utc(2026, 4, 14), utc(2026, 4, 15))


@pytest.mark.parametrize("window", [0, -1, True, "7", "7w", 7.0, None, ("2026-03-01", 7), "0d"])
def test_other_windows_are_refused(window: Any) -> None:
    """The error lists what a window can be."""
    with pytest.raises(InvalidWindow):
        module.to_window(window)


@pytest.mark.parametrize("days", [1.5, True, "7", 0, -1])
def test_last_days_must_be_a_positive_integer(days: Any) -> None:
    """Half a day is not complete."""
    with pytest.raises(InvalidWindow):
        Window.last_days(days)
