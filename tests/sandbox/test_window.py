"""The window of a response: requested, by default, moving, refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engagement_pandas.sandbox.service import Settings
from engagement_pandas.sandbox.validation import parse_request

BY_HOUR = ["engagement.type", "engagement.day", "engagement.hour"]


def request_window(
    twin: Any, body: Any, start: Any = None, end: Any = None, by: Any = BY_HOUR
) -> Any:
    """Request one post in a window, half of one, or none."""
    window = {name: v for name, v in (("start", start), ("end", end)) if v is not None}
    return twin.post("historical", body(twin.visible()[-1:], by=by, **window))


def hours(reply: Any) -> list[tuple[str, str]]:
    """List the days and hours of the response."""
    days = reply.document["g"]["favorites"]
    return sorted((day, hour) for day, found in days.items() for hour in found)


@pytest.mark.parametrize(
    ("start", "end", "echoed"),
    [
        ("2026-03-01", "2026-03-02", ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")),
        (
            "2026-03-01T10:59:59Z",
            "2026-03-01T12:00:01Z",
            ("2026-03-01T10:00:00Z", "2026-03-01T13:00:00Z"),
        ),
        (
            "2026-03-01T10:00:00Z",
            "2026-03-01T12:00:00Z",
            ("2026-03-01T10:00:00Z", "2026-03-01T12:00:00Z"),
        ),
        (
            "2026-03-01T10:30:00",
            "2026-03-01T10:40",
            ("2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z"),
        ),
        (
            "2026-03-01T10:30:00+05:00",
            "2026-03-01T06:00:00.5Z",
            ("2026-03-01T05:00:00Z", "2026-03-01T07:00:00Z"),
        ),
    ],
)
def test_start_is_floored_and_end_ceiled(
    twin: Any, body: Any, start: str, end: str, echoed: Any
) -> None:
    """Dates are midnights, naive times are UTC, and other zones are converted."""
    reply = request_window(twin, body, start, end)
    assert (reply.document["start"], reply.document["end"]) == echoed


def test_hours_from_start_up_to_end_are_listed(twin: Any, body: Any) -> None:
    """The end is exclusive; the first and last day have only the hours inside."""
    reply = request_window(twin, body, "2026-03-01T22:00:00Z", "2026-03-02T02:00:00Z")
    assert hours(reply) == [
        ("2026-03-01", "22"),
        ("2026-03-01", "23"),
        ("2026-03-02", "00"),
        ("2026-03-02", "01"),
    ]


def test_no_window_means_the_last_4_weeks(twin: Any, body: Any) -> None:
    """The end is returned to the minute, as in captured responses; its hour is the last of 672."""
    reply = request_window(twin, body)
    assert reply.document["end"] == "2026-03-12T19:43:00Z"
    assert reply.document["start"] == "2026-02-12T20:00:00Z"
    assert len(hours(reply)) == 28 * 24


def test_a_window_without_end_ends_now(twin: Any, body: Any) -> None:
    """A field that is null counts as missing."""
    for more in ({"start": "2026-03-11"}, {"start": "2026-03-11", "end": None}):
        reply = twin.post("historical", body(twin.visible()[-1:], by=BY_HOUR, **more))
        assert (reply.document["start"], reply.document["end"]) == (
            "2026-03-11T00:00:00Z",
            "2026-03-12T19:43:00Z",
        )
        assert len(hours(reply)) == 24 + 20


def test_a_window_without_start_begins_4_weeks_before(twin: Any, body: Any) -> None:
    """The end is rounded up, and no window begins before 2014-09-01."""
    reply = request_window(twin, body, None, "2026-03-01T09:30:00Z")
    assert (reply.document["start"], reply.document["end"]) == (
        "2026-02-01T10:00:00Z",
        "2026-03-01T10:00:00Z",
    )
    early = request_window(twin, body, None, "2014-09-03")
    assert early.document["start"] == "2014-09-01T00:00:00Z"


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(
    st.datetimes(datetime(2014, 9, 1, 2), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.timedeltas(timedelta(minutes=1), timedelta(days=500)),
)
def test_a_default_window_is_never_too_long(
    make_twin: Any, body: Any, now: datetime, ago: timedelta
) -> None:
    """A default window is accepted when it is sent in full: 28 days in complete hours."""
    twin = make_twin(now=now)
    end = max(now - ago, datetime(2014, 9, 1, 1, tzinfo=UTC)).isoformat(timespec="seconds")
    for window in ({}, {"end": end}):
        by = {"all": BY_HOUR}
        reply = twin.post("historical", body(["1", "2"], by=by, **window))
        assert reply.errors == ["2 Tweet ID(s) are unavailable"]
    question = parse_request("historical", json.dumps(body(["1"])).encode(), twin.world.now())
    assert question.window is not None
    start, stop = question.window.start, question.window.end
    full = json.dumps(body(["1"], start=start.isoformat(), end=stop.isoformat())).encode()
    again = parse_request("historical", full, twin.world.now()).window
    assert again is not None
    assert again.start == start
    assert again.end - start <= timedelta(days=28)


def test_a_setting_refuses_half_a_window(make_twin: Any, body: Any) -> None:
    """The missing half is named; a request without window is still accepted."""
    twin = make_twin(settings=Settings(half_window="refused"))
    for present, missing in (("start", "end"), ("end", "start")):
        reply = twin.post("historical", body(["1"], **{present: "2026-03-01"}))
        assert (reply.status, reply.errors) == (400, [f"{missing}: field is required"])
    assert request_window(twin, body).status == 200
    assert request_window(twin, body, "2026-03-01", "2026-03-02").status == 200


def test_28_hours_have_29_hour_buckets(twin: Any, body: Any) -> None:
    """They go from 15:43 to 19:43 the next day; start and end are complete hours."""
    reply = twin.post("28hr", body(twin.visible()[-1:], by=BY_HOUR))
    assert reply.document["start"] == "2026-03-11T15:00:00Z"
    assert reply.document["end"] == "2026-03-12T20:00:00Z"
    assert len(hours(reply)) == 29


def test_28_hours_on_the_hour_have_28_buckets(make_twin: Any, body: Any) -> None:
    """At a full hour, no bucket is partial."""
    twin = make_twin(now="2026-03-12T19:00:00Z")
    reply = twin.post("28hr", body(twin.visible()[-1:], by=BY_HOUR))
    assert (reply.document["start"], reply.document["end"]) == (
        "2026-03-11T15:00:00Z",
        "2026-03-12T19:00:00Z",
    )
    assert len(hours(reply)) == 28


def test_totals_have_no_window(twin: Any, body: Any) -> None:
    """The response holds nothing but the grouping."""
    assert set(twin.post("totals", body(twin.visible()[-1:])).document) == {"g"}


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("2026-03-02", "2026-03-02", "is not before end"),
        ("2026-03-03", "2026-03-02", "is not before end"),
        ("2014-08-31T23:59:59Z", "2014-09-02", "is before 2014-09-01T00:00:00Z"),
        ("0001-01-01", "2014-09-02", "is before 2014-09-01T00:00:00Z"),
        ("2026-03-12", "2026-03-12T19:43:22Z", "is in the future"),
        ("2026-03-12", "9999-12-31T23:59:59Z", "is in the future"),
        ("2026-01-01", "2026-01-29T00:00:01Z", "more than 28 days"),
        ("2026-01-01T00:59:00Z", "2026-01-29T00:30:00Z", "more than 28 days"),
        ("2026-02-12T19:59:59Z", None, "more than 28 days"),
        ("2026-03-12T19:43:22Z", None, "is not before end"),
        (None, "2014-09-01", "is not before end"),
        ("yesterday", None, "is not a valid time"),
        ("yesterday", "2026-03-01", "is not a valid time"),
        ("2026-02-30", "2026-03-01", "is not a valid time"),
        ("20260301", "2026-03-02", "is not a valid time"),
        (20260301, "2026-03-02", "is not a valid time"),
        ("2026-W10-1", "2026-03-12", "is not a valid time"),
        ("0001-01-01T00:00:00+14:00", "2026-03-12", "is not a valid time"),
    ],
)
def test_wrong_windows_are_refused(
    twin: Any, body: Any, start: Any, end: Any, message: str
) -> None:
    """The window is empty, too early, in the future, too long, or not a time."""
    reply = request_window(twin, body, start, end)
    assert reply.status == 400
    assert any(message in text for text in reply.errors)


def test_28_days_are_accepted(twin: Any, body: Any) -> None:
    """The limit is exact to the hour."""
    reply = request_window(twin, body, "2026-01-01T05:00:00Z", "2026-01-29T05:00:00Z")
    assert len(hours(reply)) == 672


def test_the_hour_in_progress_can_be_requested(twin: Any, body: Any) -> None:
    """An end at this very second is not in the future, though the end of its hour is."""
    reply = request_window(twin, body, "2026-03-12T18:00:00Z", "2026-03-12T19:43:21Z")
    assert reply.document["end"] == "2026-03-12T20:00:00Z"
    assert hours(reply) == [("2026-03-12", "18"), ("2026-03-12", "19")]


def test_windows_begin_on_2014_09_01(make_twin: Any, body: Any) -> None:
    """The first day with counts is accepted."""
    twin = make_twin(now="2014-09-05")
    reply = request_window(twin, body, "2014-09-01", "2014-09-02")
    assert reply.status == 200


def test_hours_without_day_are_hours_of_the_day(twin: Any, body: Any) -> None:
    """They are sums over the window, and only hours inside it are listed."""
    window = {"start": "2026-03-01T22:00:00Z", "end": "2026-03-04T01:00:00Z"}
    by = {"flat": ["engagement.type", "engagement.hour"], "all": BY_HOUR}
    post = twin.visible()[-25]
    flat = twin.post("historical", body([post], ["impressions"], by, **window)).document
    sums: dict[str, int] = {}
    for found in flat["all"]["impressions"].values():
        for hour, count in found.items():
            sums[hour] = sums.get(hour, 0) + int(count)
    assert {h: int(n) for h, n in flat["flat"]["impressions"].items()} == sums
    short = request_window(twin, body, "2026-03-01T22:00:00Z", "2026-03-02T01:00:00Z", by["flat"])
    assert sorted(short.document["g"]["favorites"]) == ["00", "22", "23"]


def test_a_setting_returns_hours_without_day_by_day(make_twin: Any, body: Any) -> None:
    """The other documented shape has the days in between."""
    twin = make_twin(settings=Settings(hour_without_day="by_day"))
    reply = request_window(
        twin,
        body,
        "2026-03-01T22:00:00Z",
        "2026-03-02T01:00:00Z",
        ["tweet.id", "engagement.type", "engagement.hour"],
    )
    (counts,) = reply.document["g"].values()
    shape = {day: sorted(found) for day, found in counts["favorites"].items()}
    assert shape == {"2026-03-01": ["22", "23"], "2026-03-02": ["00"]}
