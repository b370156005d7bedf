"""The missing hours: each is requested once, and settled hours are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.dataset.hours_to_request import MOST_COUNTS, Gap, Hours
from engagement_pandas.dataset.omission_log import OmissionSpan
from engagement_pandas.request.post_ids import first_snowflake_at
from engagement_pandas.vocabulary.omission_reasons import OmissionReason

HOUR = timedelta(hours=1)
SINCE = datetime(2026, 3, 1, 5, tzinfo=UTC)
NOW = datetime(2026, 4, 2, 9, 5, tzinfo=UTC)
SPAN = 772  # complete hours between the two
TYPES = (ep.EngagementType.IMPRESSIONS, ep.EngagementType.REPLIES)
SETTLE = 3
CREATED = (SINCE - 50 * HOUR, SINCE + 40 * HOUR, SINCE + 700 * HOUR)
POSTS = tuple(str(first_snowflake_at(created)) for created in CREATED)


def readings_of(rows: list[tuple[str, str, datetime, datetime]]) -> pa.RecordBatch:
    """Return readings: post, type, hour, and retrieval time."""
    schema = pa.schema(
        [
            ("post_id", pa.string()),
            ("engagement_type", pa.string()),
            ("retrieved_at", pa.timestamp("us", tz="UTC")),
            ("day", pa.date32()),
            ("hour", pa.int8()),
        ]
    )
    columns: list[Any] = [
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[3] for row in rows],
        [row[2].date() for row in rows],
        [row[2].hour for row in rows],
    ]
    return pa.record_batch(
        [pa.array(cells, dtype) for cells, dtype in zip(columns, schema.types, strict=True)],
        schema=schema,
    )


READ = st.lists(
    st.tuples(
        st.sampled_from(POSTS),
        st.sampled_from(TYPES),
        st.integers(-2, SPAN - 1),
        st.integers(1, 200),
        st.sampled_from([1, 3, 4, 700]),
    ),
    max_size=5,
)


@pytest.mark.long
@given(READ)
def test_every_missing_hour_is_requested_once(spans: list[Any]) -> None:
    """Compared with a set; hours beyond it lie before the creation of a post."""
    rows = [
        (post, str(engagement_type), hour, min(hour + age * HOUR, NOW - HOUR))
        for post, engagement_type, first, length, age in spans
        for offset in range(first, min(first + length, SPAN))
        for hour in [SINCE + offset * HOUR]
    ]
    hours = Hours(POSTS, TYPES, SINCE, NOW, SETTLE)
    hours.read([readings_of(rows)])
    settled = {
        (post, engagement_type, hour)
        for post, engagement_type, hour, retrieved_at in rows
        if retrieved_at >= hour + 4 * HOUR
    }
    missing = {
        (post, str(engagement_type), SINCE + offset * HOUR)
        for post, created in zip(POSTS, CREATED, strict=True)
        for engagement_type in TYPES
        for offset in range(SPAN)
        if SINCE + offset * HOUR > created - HOUR
    } - settled
    requested = [
        (post, str(engagement_type), gap.window.start + offset * HOUR)
        for gap in hours.gaps()
        for post in gap.post_ids
        for engagement_type in gap.engagement_types
        for offset in range(gap.window.hours)
    ]
    created = dict(zip(POSTS, CREATED, strict=True))
    assert len(requested) == len(set(requested))
    assert {cell for cell in requested if cell[2] > created[cell[0]] - HOUR} == missing
    assert all(gap.window.hours <= 28 * 24 for gap in hours.gaps())
    assert all(created[post] < gap.window.end for gap in hours.gaps() for post in gap.post_ids)


def test_an_hour_read_within_the_hour_is_up_to_date() -> None:
    """Counts read since the last full hour are not requested again, at any age."""
    hours = Hours(POSTS[:1], TYPES[:1], NOW - 2 * HOUR, NOW, SETTLE)
    first, second = (NOW.replace(minute=0) - back * HOUR for back in (2, 1))
    assert [gap.window.start for gap in hours.gaps()] == [first]
    hours.read([readings_of([(POSTS[0], "impressions", first, NOW)])])
    assert [gap.window.start for gap in hours.gaps()] == [second]


def test_an_id_of_the_future_is_requested() -> None:
    """No post has it yet, and the API has to report so."""
    future = str(first_snowflake_at(NOW + timedelta(days=9)))
    hours = Hours([future], TYPES, SINCE, NOW, SETTLE)
    assert sum(gap.window.hours for gap in hours.gaps()) == SPAN


def test_a_post_younger_than_the_last_full_hour_is_not_requested() -> None:
    """It has no complete hour yet."""
    young = str(first_snowflake_at(NOW - timedelta(minutes=2)))
    assert Hours([young], TYPES, SINCE, NOW, SETTLE).gaps() == []


def test_a_start_in_the_future_requests_nothing() -> None:
    """There are no gaps."""
    assert Hours(POSTS, TYPES, NOW + HOUR, NOW, SETTLE).gaps() == []


@pytest.mark.parametrize(
    ("reason", "engagement_type", "requested"),
    [
        ("unavailable", None, set()),
        ("refused", "replies", {"impressions"}),
        ("not_answered", None, set()),
        ("unsupported_age", "replies", {"impressions", "replies"}),
    ],
)
def test_hours_with_omissions_are_requested_later(
    reason: str, engagement_type: str | None, requested: set[str]
) -> None:
    """An omission of a post or type waits; an omission of single hours leaves the others."""
    retrieved_at = NOW - 2 * HOUR
    span = OmissionSpan(
        POSTS[0], engagement_type, ep.OmissionReason(reason), "", SINCE, SINCE + 5 * HOUR,
        retrieved_at - 4 * HOUR, retrieved_at,
    )  # fmt: skip
    hours = Hours(POSTS[:1], TYPES, SINCE, NOW, SETTLE)
    hours.add_omissions([span])
    gaps = hours.gaps()
    assert {str(t) for gap in gaps for t in gap.engagement_types} == requested
    if reason == "unsupported_age":
        first = [gap for gap in gaps if gap.window.start == SINCE]
        assert [gap.engagement_types for gap in first] == [TYPES[:1]]


def test_missing_hours_before_a_post_was_created_are_not_requested() -> None:
    """An earlier version missed two days; the post was created in the 40th hour."""
    reason = OmissionReason.NOT_ANSWERED
    until, retrieved_at = SINCE + 48 * HOUR, NOW - 60 * HOUR
    hours = Hours(POSTS[1:2], TYPES[:1], SINCE, NOW, SETTLE)
    hours._done[:] = True  # all hours were read
    hours.add_omissions(
        [OmissionSpan(POSTS[1], TYPES[0], reason, "", SINCE, until, retrieved_at, retrieved_at)]
    )
    (gap,) = hours.gaps()
    assert gap.window == ep.Window(SINCE + 40 * HOUR, until)


def test_the_parts_of_a_gap_are_bounded() -> None:
    """The number of counts is bounded, and requests of 25 posts stay complete."""
    window = ep.Window(SINCE, SINCE + 672 * HOUR)
    types = tuple(ep.SERIES_TYPES)
    gap = Gap(tuple(str(number) for number in range(1, 401)), types, window)
    sizes = [len(part.post_ids) for part in gap.parts()]
    assert sizes == [75] * 5 + [25]
    assert 75 * 17 * 672 <= MOST_COUNTS < 100 * 17 * 672


def test_new_omissions_are_removed_from_a_gap() -> None:
    """Omitted posts, and types omitted for all posts, are removed; nothing may remain."""
    gap = Gap(("1", "2"), TYPES, ep.Window(SINCE, SINCE + HOUR))
    remaining = gap.without({("1", None), ("2", "replies")})
    assert remaining is not None
    assert (remaining.post_ids, remaining.engagement_types) == (("2",), TYPES[:1])
    assert gap.without({("1", None), ("2", None)}) is None
