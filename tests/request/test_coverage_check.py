"""Coverage of a request by its parts, compared with a count of every post, type and hour."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.request.coverage_check import uncovered

START = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
TYPES = ("favorites", "replies", "impressions")

posts = st.sets(st.sampled_from("123"), min_size=1).map(sorted)
types = st.sets(st.sampled_from(TYPES), min_size=1).map(sorted)
windows = st.tuples(st.integers(0, 3), st.integers(1, 3)).map(
    lambda it: ep.Window(START + it[0] * HOUR, START + (it[0] + it[1]) * HOUR)
)
groupings = st.sampled_from([ep.BY_HOUR, ep.BY_DAY])
series = st.builds(
    lambda p, t, w, by: ep.historical(p, engagement_types=t, window=w, by=by),
    posts,
    types,
    windows,
    groupings,
)
sums = st.builds(lambda p, t: ep.totals(p, engagement_types=t), posts, types)
requests = st.one_of(series, sums)


def cells(parts: Iterable[ep.EngagementRequest]) -> Counter[object]:
    """Return how often each post, type and hour is requested."""
    counts: Counter[object] = Counter()
    for part in parts:
        hours = range(part.window.hours) if part.window else [None]
        for post in part.post_ids:
            for engagement_type in part.engagement_types:
                for hour in hours:
                    at = part.window and hour is not None and part.window.start + hour * HOUR
                    counts[part.endpoint, part.groupings, post, engagement_type, at] += 1
    return counts


@pytest.mark.slow
@given(st.lists(requests, max_size=3), st.lists(requests, max_size=4))
def test_coverage_of_arbitrary_requests(
    complete: list[ep.EngagementRequest], parts: list[ep.EngagementRequest]
) -> None:
    """Requests cover each other if the cells are equal; otherwise a message names a difference."""
    assert (uncovered(complete, parts) is None) == (cells(complete) == cells(parts))


@pytest.mark.slow
@given(st.data(), requests)
def test_coverage_of_a_divided_request(data: st.DataObject, complete: ep.EngagementRequest) -> None:
    """All parts cover the request; a missing or repeated part is named."""
    parts = [complete]
    for _ in range(data.draw(st.integers(0, 4))):
        larger = parts.pop(data.draw(st.integers(0, len(parts) - 1)))
        parts += data.draw(st.sampled_from(list(halves(larger)) or [[larger]]))
    parts = data.draw(st.permutations(parts))
    assert uncovered([complete], parts) is None
    lost = data.draw(st.sampled_from(parts))
    without = [part for part in parts if part is not lost]
    for message, prefix in (
        (uncovered([complete], without), "missing: "),
        (uncovered([complete], [*parts, lost]), "duplicate: "),
    ):
        assert message is not None
        assert message.startswith(prefix)
        assert any(
            f"{engagement_type} of post {post}" in message
            for engagement_type in lost.engagement_types
            for post in lost.post_ids
        )


def halves(combined: ep.EngagementRequest) -> Iterable[list[ep.EngagementRequest]]:
    """Yield the ways to divide a request in two: by posts, by types and by hours."""
    for name in ("post_ids", "engagement_types"):
        values = getattr(combined, name)
        if len(values) > 1:
            yield [combined.replace(**{name: values[:1]}), combined.replace(**{name: values[1:]})]
    if combined.window and combined.window.hours > 1:
        cut = combined.window.start + HOUR
        yield [
            combined.replace(window=ep.Window(combined.window.start, cut)),
            combined.replace(window=ep.Window(cut, combined.window.end)),
        ]


def test_hours_are_not_interchangeable() -> None:
    """No window covers another of the same length."""
    hours = [ep.Window(START + n * HOUR, START + (n + 1) * HOUR) for n in range(48)]
    complete = ep.historical(["1"], engagement_types=["favorites"], window=hours[0])
    for other in hours[1:]:
        assert uncovered([complete], [complete.replace(window=other)]) is not None


def test_pairs_of_grouping_and_type_are_not_interchangeable() -> None:
    """By day and by hour, two types cannot be swapped."""
    window = ep.Window(START, START + 24 * HOUR)
    names = [str(name) for name in ep.SERIES_TYPES]
    for first, second in itertools.combinations(names, 2):
        by_hour = ep.historical(["1"], engagement_types=[first], window=window, by=ep.BY_HOUR)
        by_day = ep.historical(["1"], engagement_types=[second], window=window, by=ep.BY_DAY)
        swapped = [
            by_hour.replace(engagement_types=[second]),
            by_day.replace(engagement_types=[first]),
        ]
        assert uncovered([by_hour, by_day], swapped) is not None


def test_equal_sums_are_not_coverage() -> None:
    """Parts with as many cells, and equal sums of IDs and hours, do not cover the request."""
    complete = ep.totals(["1", "2", "3", "4"], engagement_types=["favorites"])
    message = uncovered([complete], [complete.replace(post_ids=["1", "4"])] * 2)
    assert message == "duplicate: favorites of post 1 (and 3 more) (totals by_post)"
    window = ep.Window(START, START + 4 * HOUR)
    series = ep.historical(["1"], engagement_types=["replies"], window=window)
    inner = series.replace(window=ep.Window(START + HOUR, START + 3 * HOUR))
    message = uncovered([series], [inner, inner])
    assert message == "missing: replies of post 1 from 2026-05-01 00:00 UTC (historical by_hour)"
