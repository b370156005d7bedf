"""Responses with random changes give the right frame or an error of ours, never other rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fuzz.mutations import bodies, documented, scrambled
from fuzz.oracle import (
    COUNTED_SINCE,
    DAY,
    FOUR,
    HOUR,
    LEGAL,
    POST,
    TYPE,
    Refused,
    Rows,
    has_other_parts,
    read,
    readings,
)
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.errors import EngagementError
from engagement_pandas.frame.contract import TEXT, check_counts
from engagement_pandas.response.nested_counts.fast_reader import decode_grouping

COLUMNS = {"post_id": POST, "engagement_type": TYPE, "day": DAY, "hour": HOUR}
SAMPLES = documented(Path(__file__).parents[1] / "samples")
FOURS = tuple(sorted(FOUR))

quickly = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
thoroughly = settings(quickly, max_examples=4_000)


def rows(frame: pd.DataFrame) -> Rows:
    """Return a frame as the oracle has it."""
    plain = frame.astype({"engagement_type": TEXT})
    if "day" in plain:
        plain["day"] = plain["day"].dt.date
    counts = [None if count is pd.NA else int(count) for count in plain["count"]]
    keys = [tuple(row) for row in plain.drop(columns="count").itertuples(index=False, name=None)]
    found = dict(zip(keys, counts, strict=True))
    assert len(found) == len(frame)
    return found


def as_utf8(body: bytes) -> bytes:
    """Return a body in UTF-8, without a byte order mark; files may have other encodings."""
    try:
        return body.decode(json.detect_encoding(body)).encode()
    except UnicodeError:
        return body


def expected_rows(body: bytes, order: Any) -> Rows | str:
    """Return the rows of a body, or that it must be refused."""
    try:
        return read(as_utf8(body), order)
    except Refused:
        return "refused"


def flattened(body: bytes, **options: Any) -> pd.DataFrame | str:
    """Return the frame of a body, or that it was refused; any other error fails."""
    try:
        frame = ep.flatten_json(body, **options)
    except EngagementError:
        return "refused"
    check_counts(frame)
    return frame


def assert_right_or_refused(order: Any, body: bytes) -> None:
    """Assert that the frame is the expected one, and that a valid body is not refused."""
    frame, expected = flattened(body, group_by=order), expected_rows(body, order)
    if isinstance(frame, str):
        assert expected == "refused" or has_other_parts(as_utf8(body), "g")
    else:
        assert rows(frame) == expected
        assert [COLUMNS[name] for name in frame.columns[:-1]] == [
            dimension for dimension in COLUMNS.values() if dimension in order
        ]


def assert_no_guess(body: bytes) -> None:
    """Assert that no one of several readings is picked, and never a wrong one."""
    frame = flattened(body)
    try:
        possible = readings(as_utf8(body))
    except Refused:
        possible = {}
    if not isinstance(frame, str):
        assert [rows(frame)] == list(possible.values())


@pytest.mark.slow
@quickly
@given(bodies())
def test_a_frame_is_right_or_refused(case: tuple[Any, bytes]) -> None:
    """Each of the 27 groupings is drawn."""
    assert_right_or_refused(*case)


@pytest.mark.slow
@quickly
@given(bodies(FOURS))
def test_a_frame_of_four_dimensions_is_right_or_refused(case: tuple[Any, bytes]) -> None:
    """The shape has a fast path next to the general one, and both agree with the oracle."""
    order, body = case
    assert_right_or_refused(order, body)


@pytest.mark.slow
@quickly
@given(bodies())
def test_ambiguous_dimensions_are_refused(case: tuple[Any, bytes]) -> None:
    """Without the order, the only possible reading is returned, or the body is refused."""
    assert_no_guess(case[1])


@pytest.mark.slow
@quickly
@given(st.sampled_from(SAMPLES).flatmap(scrambled))
def test_documented_responses_with_changed_bytes(body: bytes) -> None:
    """They are as captured, apart from a byte or the end."""
    assert_no_guess(body)


@pytest.mark.long
@thoroughly
@given(bodies())
def test_thousands_of_frames_are_right_or_refused(case: tuple[Any, bytes]) -> None:
    """The laws are those above."""
    assert_right_or_refused(*case)
    assert_no_guess(case[1])


@pytest.mark.long
@thoroughly
@given(bodies(FOURS))
def test_thousands_of_frames_of_four_dimensions(case: tuple[Any, bytes]) -> None:
    """The law is that above."""
    assert_right_or_refused(*case)


@pytest.mark.long
@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("accepted", [True, False])
def test_the_mutations_reach_both_paths_and_both_results(*, fast: bool, accepted: bool) -> None:
    """Otherwise the properties would prove little."""

    def reaches(case: tuple[Any, bytes]) -> bool:
        order, body = case
        decoded = decode_grouping(body[body.find(b"{", 1) : -1], len(order))
        is_fast = decoded is not None and decoded.members() is not None
        return (is_fast, expected_rows(body, order) != "refused") == (fast, accepted)

    first = settings(quickly, max_examples=2_000, phases=[Phase.generate], database=None)
    assert reaches(find(bodies(FOURS), reaches, settings=first))


def test_the_oracle_reads_a_body_worked_out_by_hand() -> None:
    """It also refuses two invalid bodies."""
    body = b'{"g": {"1": {"favorites": {"2015-09-14": "0", "2015-09-15": "0"}}}}'
    before, after = COUNTED_SINCE.date().replace(day=14), COUNTED_SINCE.date()
    assert len(LEGAL) == 27
    assert read(body, (POST, TYPE, DAY)) == {
        ("1", "favorites", before): None,
        ("1", "favorites", after): 0,
    }
    with pytest.raises(Refused):
        read(b'{"g": {"1": {"favorites": 1.0}}}', (POST, TYPE))
    stray = b'{"g": {"1": {"favorites": 1}}, "start": "2026-03-01\xd400:00:00Z"}'
    with pytest.raises(Refused):
        read(stray, (POST, TYPE))
