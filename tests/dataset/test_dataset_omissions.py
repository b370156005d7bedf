"""Omissions over time: each hour has its own times, and its omission ends when it is counted."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.dataset.hours_to_request import Hours
from engagement_pandas.dataset.omission_log import OmissionSpan, merge_adjacent

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
POST, ENGAGEMENT_TYPE = "1997697613884817408", ep.EngagementType.IMPRESSIONS
Answer = tuple[int, int, frozenset[int], int]
"""First hour, last hour, the missing hours, and the retrieval time."""


def answer(described: Answer) -> ep.EngagementResponse:
    """Return a response about a window with missing hours."""
    first, last, missing, hour_read = described
    window = ep.Window(START + first * HOUR, START + last * HOUR)
    request = ep.historical([POST], engagement_types=[ENGAGEMENT_TYPE], window=window)
    body: dict[str, dict[str, str]] = {}
    for number in range(first, last):
        hour = START + number * HOUR
        if number not in missing:
            body.setdefault(f"{hour:%Y-%m-%d}", {})[f"{hour:%H}"] = "5"
    retrieved_at = START + hour_read * HOUR + timedelta(minutes=5)
    counts = {"by_hour": {POST: {ENGAGEMENT_TYPE: body}}}
    return ep.EngagementResponse(request, counts, 200, retrieved_at)


def append(dataset: ep.Dataset, *responses: Answer) -> None:
    """Append responses, one by one."""
    for described in responses:
        response = answer(described)
        counts = ep.flatten([response], retrieved_at=True)
        dataset.append(counts, ep.omissions([response], retrieved_at=True))


def hours_of(dataset: ep.Dataset) -> dict[int, int]:
    """Return the hours without a count, each once, and the retrieval time of each omission."""
    spans = [
        (range((span.start - START) // HOUR, (span.end - START) // HOUR), span.retrieved_at)
        for span in dataset.omission_spans()
    ]
    found = [
        (hour, (retrieved_at - START) // HOUR) for hours, retrieved_at in spans for hour in hours
    ]
    assert len(found) == len(dict(found))
    return dict(found)


@st.composite
def answers(draw: Any) -> list[Answer]:
    """Draw responses with distinct times, each with counted and missing hours, in any order."""
    times = draw(st.lists(st.integers(8, 40), min_size=1, max_size=5, unique=True))
    drawn = []
    for time in times:
        first = draw(st.integers(0, 6))
        last = draw(st.integers(first + 2, 8))
        missing = st.frozensets(st.integers(first, last - 1), max_size=last - first - 1)
        drawn.append((first, last, draw(missing), time))
    return drawn


@pytest.mark.long
@given(answers())
@settings(max_examples=10, deadline=None)
def test_the_latest_response_decides_for_each_hour(drawn: list[Answer]) -> None:
    """Compared with a dict, for any order of the responses."""
    missing_at: dict[int, int] = {}
    counted_at: dict[int, int] = {}
    for first, last, missing, time in drawn:
        for hour in range(first, last):
            times = missing_at if hour in missing else counted_at
            times[hour] = max(times.get(hour, 0), time)
    expected = {hour: time for hour, time in missing_at.items() if time > counted_at.get(hour, 0)}
    with tempfile.TemporaryDirectory() as folder:
        dataset = ep.Dataset(Path(folder, "set"))
        append(dataset, *drawn)
        assert hours_of(dataset) == expected


@pytest.mark.slow
def test_an_hour_that_is_counted_later_is_not_omitted(tmp_path: Path) -> None:
    """The next response has its count."""
    dataset = ep.Dataset(tmp_path / "set")
    append(dataset, (0, 5, frozenset({0, 3}), 5))
    assert hours_of(dataset) == {0: 5, 3: 5}
    append(dataset, (0, 6, frozenset({3}), 6))
    assert hours_of(dataset) == {3: 6}
    (row,) = dataset.omissions().itertuples()
    assert (row.start, row.end) == (START + 3 * HOUR, START + 4 * HOUR)
    append(dataset, (0, 7, frozenset(), 7))
    assert dataset.omissions().empty


@pytest.mark.slow
def test_missing_and_unsettled_hours_are_requested_again(tmp_path: Path) -> None:
    """The hours of the older window were not read after they settled."""
    dataset = ep.Dataset(tmp_path / "set")
    append(dataset, (0, 11, frozenset({0}), 11), (11, 683, frozenset({11}), 683))
    now = START + 684 * HOUR + timedelta(minutes=5)
    hours = Hours([POST], [ENGAGEMENT_TYPE], START, now, 48)
    hours.read(dataset.readings(START, [POST]))
    hours.add_omissions(dataset.omission_spans())
    requested = {
        (gap.window.start - START) // HOUR + number
        for gap in hours.gaps()
        for number in range(gap.window.hours)
    }
    # Hour 635 ends at 636, 47 hours before 683; hour 11 was missing, and is requested again.
    assert requested == {*range(12), *range(635, 684)}


SPANS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 6), st.integers(20, 30), st.integers(0, 3)),
    min_size=1,
    max_size=6,
)


@pytest.mark.slow
@given(SPANS, st.sampled_from(["not_answered", "unsupported_age", "before_counting"]))
def test_merged_omissions_keep_their_times(spans: list[Any], reason: str) -> None:
    """No hour has a later time than its last retrieval, nor an earlier first one."""
    last: dict[int, int] = {}
    first: dict[int, int] = {}
    given_spans = []
    for start, length, time, before in spans:
        reasons = ep.OmissionReason(reason)
        given_spans.append(
            OmissionSpan(
                POST, str(ENGAGEMENT_TYPE), reasons, "",
                START + start * HOUR, START + (start + length) * HOUR,
                START + (time - before) * HOUR, START + time * HOUR,
            )
        )  # fmt: skip
        for hour in range(start, start + length):
            last[hour] = max(last.get(hour, time), time)
            first[hour] = min(first.get(hour, time), time - before)
    found: dict[int, OmissionSpan] = {}
    for span in merge_adjacent(given_spans):
        for hour in range((span.start - START) // HOUR, (span.end - START) // HOUR):
            assert hour not in found
            found[hour] = span
    assert set(found) == set(last)
    for hour, span in found.items():
        times = (span.first_retrieved_at - START) // HOUR, (span.retrieved_at - START) // HOUR
        if reason == "not_answered":
            assert times == (first[hour], last[hour])
        else:
            assert times[1] <= last[hour]
    assert merge_adjacent(merge_adjacent(given_spans)) == merge_adjacent(given_spans)


@pytest.mark.parametrize(("passed", "requested"), [(1, True), (3, False), (25, True)])
def test_missing_hours_are_requested_again(passed: int, requested: bool) -> None:  # noqa: FBT001
    """They are requested immediately, and then when they have been missing twice as long."""
    read_at = START + 200 * HOUR
    first = read_at if passed == 1 else read_at - 24 * HOUR
    span = OmissionSpan(
        POST,
        str(ENGAGEMENT_TYPE),
        ep.OmissionReason.NOT_ANSWERED,
        "",
        START,
        START + HOUR,
        first,
        read_at,
    )
    hours = Hours([POST], [ENGAGEMENT_TYPE], START, read_at + passed * HOUR, 0)
    hours._done[:] = True
    hours.add_omissions([span])
    assert bool(hours.gaps()) is requested
