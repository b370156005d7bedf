"""Which responses are read on the fast path, and which object by object."""

from __future__ import annotations

import json
from array import array
from datetime import date, timedelta

import pytest

import engagement_pandas as ep
from engagement_pandas.response.nested_counts.fast_reader import decode_bodies
from engagement_pandas.response.nested_counts.members import ABSENT
from engagement_pandas.vocabulary.engagement_types import SERIES_TYPES


def body(posts: int, hours: int) -> bytes:
    """Return the shortest response of all types and 29 days, each with this number of hours."""
    hours_of_a_day = {f"{hour:02d}": 1 for hour in range(hours)}
    days_of_a_type = {
        str(date(2026, 3, 1) + timedelta(days=day)): hours_of_a_day for day in range(29)
    }
    types_of_a_post = json.dumps(
        dict.fromkeys(map(str, SERIES_TYPES), days_of_a_type), separators=(",", ":")
    )
    return b'{"g":{%b}}' % ",".join(f'"{post}":{types_of_a_post}' for post in range(posts)).encode()


@pytest.mark.parametrize("hours", [1, 2, 6, 12, 23, 24])
def test_a_response_with_any_number_of_hours_is_read_on_the_fast_path(hours: int) -> None:
    """The API returns 25 posts at most."""
    assert decode_bodies([body(25, hours)], "g", 4) is not None


@pytest.mark.slow
@pytest.mark.parametrize("hours", [10, 24])
def test_a_file_of_eight_million_bytes_is_read_on_the_fast_path(hours: int) -> None:
    """Files may hold more than one response."""
    large = body(1 + 8_000_000 // len(body(1, hours)), hours)
    assert len(large) >= 8_000_000
    assert decode_bodies([large], "g", 4) is not None


def test_a_file_that_would_need_too_much_memory_is_not() -> None:
    """A day of one hour takes thirty times its bytes."""
    assert decode_bodies([body(1 + 8_000_000 // len(body(1, 1)), 1)], "g", 4) is None


def test_a_count_equal_to_the_placeholder_is_a_count() -> None:
    """The response is then read object by object."""
    text = json.dumps({"g": {"1": {"likes": {"2026-03-01": {"07": str(ABSENT), "08": "5"}}}}})
    decoded = decode_bodies([text.encode()], "g", 4)
    assert decoded is not None
    assert decoded.members() is None
    assert ep.flatten_json(text)["count"].tolist() == [ABSENT, 5]


@pytest.mark.parametrize(
    ("counts_of_a_post", "counts"),
    [
        ('{"likes": 1, "replies": "2"}', [1, 2]),
        ('{"replies": 2, "likes": 1}', [1, 2]),
        ('{"replies": 2}', [2]),
        ("{}", []),
        ('{"replies": 2, "replies": 3}', None),
        ('{"replies": 2.0}', None),
        ('{"replies": 2e0}', None),
        (f'{{"replies": "{ABSENT}"}}', None),
        (f'{{"replies": {2**63}}}', None),
    ],
)
def test_requested_types_are_read_on_the_fast_path_as_innermost_keys(
    counts_of_a_post: str, counts: list[int] | None
) -> None:
    """A response that may hold more than the fast path reads is left to the other."""
    text = f'{{"g": {{"7": {counts_of_a_post}, "8": {{"likes": 5}}}}}}'
    decoded = decode_bodies([text.encode()], "g", 2, ("likes", "replies"))
    assert decoded is not None
    members = decoded.members()
    if counts is None:
        assert members is None
    else:
        assert members is not None
        assert list(members.levels[0]) == ["7", "8"]
        assert list(members.lengths) == [len(counts), 1]
        assert array("q", bytes(members.counts)).tolist() == [*counts, 5]


def test_other_types_are_read_on_the_fast_path() -> None:
    """One documented response has types that were not requested."""
    decoded = decode_bodies([b'{"g": {"7": {"quotes": 5}}}'], "g", 2, ("likes",))
    members = decoded and decoded.members()
    assert members is not None
    assert list(members.levels[1]) == ["quotes"]
