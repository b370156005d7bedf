"""Omissions over time: each hour keeps its own times, and ends when it is counted."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.dataset.gaps import Hours
from engagement_pandas.dataset.omission_log import OmissionSpan, merge_adjacent

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
POST, KIND = "1997697613884817408", ep.EngagementType.IMPRESSIONS
Answer = tuple[int, int, frozenset[int], int]
"""First hour, last hour, the hours that it lacks, and when it was read."""


def answer(told: Answer) -> ep.EngagementResponse:
    """Return an answer about a window that lacks hours."""
    first, last, lacking, at = told
    window = ep.Window(START + first * HOUR, START + last * HOUR)
    asked = ep.historical([POST], engagement_types=[KIND], window=window)
    body: dict[str, dict[str, str]] = {}
    for number in range(first, last):
        hour = START + number * HOUR
        if number not in lacking:
            body.setdefault(f"{hour:%Y-%m-%d}", {})[f"{hour:%H}"] = "5"
    moment = START + at * HOUR + timedelta(minutes=5)
    counts = {"by_hour": {POST: {KIND: body}}}
    return ep.EngagementResponse(asked, counts, 200, moment)


def append(dataset: ep.Dataset, *answers: Answer) -> None:
    """Append answers, one by one."""
    for told in answers:
        one = answer(told)
        counts = ep.flatten([one], retrieved_at=True)
        dataset.append(counts, ep.omissions([one], retrieved_at=True))


def hours_of(dataset: ep.Dataset) -> dict[int, int]:
    """Return which hours have no count, and when that was read last; each hour once."""
    spans = [
        (range((one.start - START) // HOUR, (one.end - START) // HOUR), one.retrieved_at)
        for one in dataset.omission_spans()
    ]
    found = [(hour, (at - START) // HOUR) for hours, at in spans for hour in hours]
    assert len(found) == len(dict(found))
    return dict(found)


@st.composite
def answers(draw: Any) -> list[Answer]:
    """Draw answers of distinct times, each with some hours and without some, in any order."""
    times = draw(st.lists(st.integers(8, 40), min_size=1, max_size=5, unique=True))
    drawn = []
    for at in times:
        first = draw(st.integers(0, 6))
        last = draw(st.integers(first + 2, 8))
        inner = st.frozensets(st.integers(first, last - 1), max_size=last - first - 1)
        drawn.append((first, last, draw(inner), at))
    return drawn


@pytest.mark.slow
@given(answers())
@settings(max_examples=10, deadline=None)
def test_each_hour_for_itself(told: list[Answer]) -> None:
    """A law, held to a dict, in whatever order they come: the last word on each hour holds."""
    lacked: dict[int, int] = {}
    counted: dict[int, int] = {}
    for first, last, lacking, at in told:
        for hour in range(first, last):
            known = lacked if hour in lacking else counted
            known[hour] = max(known.get(hour, 0), at)
    right = {hour: at for hour, at in lacked.items() if at > counted.get(hour, 0)}
    with tempfile.TemporaryDirectory() as folder:
        dataset = ep.Dataset(Path(folder, "set"))
        append(dataset, *told)
        assert hours_of(dataset) == right


@pytest.mark.slow
def test_counted_since(tmp_path: Path) -> None:
    """An hour that came with the next answer is no omission any more."""
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
def test_only_the_later_window_was_stored(tmp_path: Path) -> None:
    """The older hours are asked again: they were not read after they settled."""
    dataset = ep.Dataset(tmp_path / "set")
    append(dataset, (0, 11, frozenset({0}), 11), (11, 683, frozenset({11}), 683))
    now = START + 684 * HOUR + timedelta(minutes=5)
    hours = Hours([POST], [KIND], START, now, 48)
    hours.read(dataset.readings(START, [POST]))
    hours.add_omissions(dataset.omission_spans())
    asked = {
        (gap.window.start - START) // HOUR + number
        for gap in hours.gaps()
        for number in range(gap.window.hours)
    }
    # Hour 635 ends at 636, 47 hours before 683; hour 11 was lacking, and is asked once more.
    assert asked == {*range(12), *range(635, 684)}


SPANS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 6), st.integers(20, 30), st.integers(0, 3)),
    min_size=1,
    max_size=6,
)


@pytest.mark.slow
@given(SPANS, st.sampled_from(["not_answered", "unsupported_age", "before_counting"]))
def test_never_younger_than_it_was_read(spans: list[Any], reason: str) -> None:
    """Joined, no hour has a later time than it was read at, nor an earlier first one."""
    last: dict[int, int] = {}
    first: dict[int, int] = {}
    given_spans = []
    for start, length, at, before in spans:
        reasons = ep.OmissionReason(reason)
        given_spans.append(
            OmissionSpan(
                POST, str(KIND), reasons, "", START + start * HOUR, START + (start + length) * HOUR,
                START + (at - before) * HOUR, START + at * HOUR,
            )
        )  # fmt: skip
        for hour in range(start, start + length):
            last[hour] = max(last.get(hour, at), at)
            first[hour] = min(first.get(hour, at), at - before)
    found: dict[int, OmissionSpan] = {}
    for one in merge_adjacent(given_spans):
        for hour in range((one.start - START) // HOUR, (one.end - START) // HOUR):
            assert hour not in found
            found[hour] = one
    assert set(found) == set(last)
    for hour, one in found.items():
        times = (one.first_retrieved_at - START) // HOUR, (one.retrieved_at - START) // HOUR
        if reason == "not_answered":
            assert times == (first[hour], last[hour])
        else:
            assert times[1] <= last[hour]
    assert merge_adjacent(merge_adjacent(given_spans)) == merge_adjacent(given_spans)


@pytest.mark.parametrize(("passed", "asked"), [(1, True), (3, False), (25, True)])
def test_hours_that_an_answer_lacked_are_asked_again(passed: int, asked: bool) -> None:  # noqa: FBT001
    """At once, however settled they are; then when they have been lacking twice as long."""
    lacked = START + 200 * HOUR
    first = lacked if passed == 1 else lacked - 24 * HOUR
    silence = OmissionSpan(
        POST, str(KIND), ep.OmissionReason.NOT_ANSWERED, "", START, START + HOUR, first, lacked
    )
    hours = Hours([POST], [KIND], START, lacked + passed * HOUR, 0)
    hours._done[:] = True
    hours.add_omissions([silence])
    assert bool(hours.gaps()) is asked
