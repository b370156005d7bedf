"""What is still to be asked: every hour that lacks, none twice, none that is settled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.dataset.gaps import MOST_COUNTS, Gap, Hours
from engagement_pandas.dataset.omission_log import OmissionSpan
from engagement_pandas.request.post_ids import first_snowflake_at
from engagement_pandas.vocabulary import OmissionReason

HOUR = timedelta(hours=1)
SINCE = datetime(2026, 3, 1, 5, tzinfo=UTC)
NOW = datetime(2026, 4, 2, 9, 5, tzinfo=UTC)
SPAN = 772  # whole hours between the two
TYPES = (ep.EngagementType.IMPRESSIONS, ep.EngagementType.REPLIES)
SETTLE = 3
MADE = (SINCE - 50 * HOUR, SINCE + 40 * HOUR, SINCE + 700 * HOUR)
POSTS = tuple(str(first_snowflake_at(moment)) for moment in MADE)


def read_at(rows: list[tuple[str, str, datetime, datetime]]) -> pa.RecordBatch:
    """Return readings: post, type, hour, and when it was read."""
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
        [pa.array(cells, kind) for cells, kind in zip(columns, schema.types, strict=True)],
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


@pytest.mark.slow
@given(READ)
def test_every_hour_that_lacks_is_asked_once(spans: list[Any]) -> None:
    """A law, held against a set: what is asked beyond it lies before a post was made."""
    rows = [
        (post, str(kind), hour, min(hour + age * HOUR, NOW - HOUR))
        for post, kind, first, length, age in spans
        for place in range(first, min(first + length, SPAN))
        for hour in [SINCE + place * HOUR]
    ]
    hours = Hours(POSTS, TYPES, SINCE, NOW, SETTLE)
    hours.read([read_at(rows)])
    settled = {(post, kind, hour) for post, kind, hour, at in rows if at >= hour + 4 * HOUR}
    lacking = {
        (post, str(kind), SINCE + place * HOUR)
        for post, made in zip(POSTS, MADE, strict=True)
        for kind in TYPES
        for place in range(SPAN)
        if SINCE + place * HOUR > made - HOUR
    } - settled
    asked = [
        (post, str(kind), gap.window.start + place * HOUR)
        for gap in hours.gaps()
        for post in gap.post_ids
        for kind in gap.engagement_types
        for place in range(gap.window.hours)
    ]
    made = dict(zip(POSTS, MADE, strict=True))
    assert len(asked) == len(set(asked))
    assert {one for one in asked if one[2] > made[one[0]] - HOUR} == lacking
    assert all(gap.window.hours <= 28 * 24 for gap in hours.gaps())
    assert all(made[post] < gap.window.end for gap in hours.gaps() for post in gap.post_ids)


def test_read_within_the_hour() -> None:
    """What was read since the last whole hour has nothing new, however young it is."""
    hours = Hours(POSTS[:1], TYPES[:1], NOW - 2 * HOUR, NOW, SETTLE)
    first, second = (NOW.replace(minute=0) - back * HOUR for back in (2, 1))
    assert [gap.window.start for gap in hours.gaps()] == [first]
    hours.read([read_at([(POSTS[0], "impressions", first, NOW)])])
    assert [gap.window.start for gap in hours.gaps()] == [second]


def test_an_id_of_the_future_is_asked() -> None:
    """It is nobody's yet: the API has to say so."""
    future = str(first_snowflake_at(NOW + timedelta(days=9)))
    hours = Hours([future], TYPES, SINCE, NOW, SETTLE)
    assert sum(gap.window.hours for gap in hours.gaps()) == SPAN


def test_a_post_younger_than_the_last_whole_hour() -> None:
    """There is nothing to ask yet."""
    young = str(first_snowflake_at(NOW - timedelta(minutes=2)))
    assert Hours([young], TYPES, SINCE, NOW, SETTLE).gaps() == []


def test_nothing_before_the_beginning() -> None:
    """A beginning that is still to come asks nothing."""
    assert Hours(POSTS, TYPES, NOW + HOUR, NOW, SETTLE).gaps() == []


@pytest.mark.parametrize(
    ("reason", "kind", "asked"),
    [
        ("unavailable", None, set()),
        ("refused", "replies", {"impressions"}),
        ("not_answered", None, set()),
        ("unsupported_age", "replies", {"impressions", "replies"}),
    ],
)
def test_silences(reason: str, kind: str | None, asked: set[str]) -> None:
    """Of a post or type as such: it rests. Of single hours: these are read."""
    heard = NOW - 2 * HOUR
    silence = OmissionSpan(
        POSTS[0], kind, ep.OmissionReason(reason), "", SINCE, SINCE + 5 * HOUR,
        heard - 4 * HOUR, heard,
    )  # fmt: skip
    hours = Hours(POSTS[:1], TYPES, SINCE, NOW, SETTLE)
    hours.add_omissions([silence])
    gaps = hours.gaps()
    assert {str(t) for gap in gaps for t in gap.engagement_types} == asked
    if reason == "unsupported_age":
        first = [gap for gap in gaps if gap.window.start == SINCE]
        assert [gap.engagement_types for gap in first] == [TYPES[:1]]


def test_hours_that_lacked_before_a_post_was_made_are_not_asked() -> None:
    """An answer of an earlier version lacked two days; the post was made in the 40th hour."""
    lacked = OmissionReason.NOT_ANSWERED
    until, heard = SINCE + 48 * HOUR, NOW - 60 * HOUR
    hours = Hours(POSTS[1:2], TYPES[:1], SINCE, NOW, SETTLE)
    hours._done[:] = True  # all of it was read
    hours.add_omissions([OmissionSpan(POSTS[1], TYPES[0], lacked, "", SINCE, until, heard, heard)])
    (gap,) = hours.gaps()
    assert gap.window == ep.Window(SINCE + 40 * HOUR, until)


def test_pieces_are_bounded() -> None:
    """So many posts at a time that memory is bounded, and whole requests of 25."""
    window = ep.Window(SINCE, SINCE + 672 * HOUR)
    types = tuple(ep.SERIES_TYPES)
    gap = Gap(tuple(str(number) for number in range(1, 401)), types, window)
    sizes = [len(piece.post_ids) for piece in gap.parts()]
    assert sizes == [75] * 5 + [25]
    assert 75 * 17 * 672 <= MOST_COUNTS < 100 * 17 * 672


def test_those_that_just_fell_silent_are_left_out() -> None:
    """Posts, and types that all posts lack; nothing may be left."""
    gap = Gap(("1", "2"), TYPES, ep.Window(SINCE, SINCE + HOUR))
    left = gap.without({("1", None), ("2", "replies")})
    assert left is not None
    assert (left.post_ids, left.engagement_types) == (("2",), TYPES[:1])
    assert gap.without({("1", None), ("2", None)}) is None
