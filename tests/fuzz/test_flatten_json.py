"""Answers with something changed: the right frame or an error of ours, and never other rows."""

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
    is_told_elsewhere,
    read,
    readings,
)
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.errors import EngagementError
from engagement_pandas.frame.contract import check_counts
from engagement_pandas.response.tree_reader import decode_grouping

COLUMNS = {"post_id": POST, "engagement_type": TYPE, "day": DAY, "hour": HOUR}
SAMPLES = documented(Path(__file__).parents[1] / "samples")
FOURS = tuple(sorted(FOUR))

quickly = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
thoroughly = settings(quickly, max_examples=8_000)


def rows(frame: pd.DataFrame) -> Rows:
    """Return a frame as the oracle tells it."""
    told = frame.astype({"engagement_type": "str"})
    if "day" in told:
        told["day"] = told["day"].dt.date
    counts = [None if count is pd.NA else int(count) for count in told["count"]]
    keys = [tuple(row) for row in told.drop(columns="count").itertuples(index=False, name=None)]
    found = dict(zip(keys, counts, strict=True))
    assert len(found) == len(frame)
    return found


def as_utf8(body: bytes) -> bytes:
    """Return a body in UTF-8, without a byte order mark: files may be encoded otherwise."""
    try:
        return body.decode(json.detect_encoding(body)).encode()
    except UnicodeError:
        return body


def said(body: bytes, order: Any) -> Rows | str:
    """Return the rows of a body, or that it must be refused."""
    try:
        return read(as_utf8(body), order)
    except Refused:
        return "refused"


def flattened(body: bytes, **how: Any) -> pd.DataFrame | str:
    """Return the frame of a body, or that it was refused; nothing else may come of it."""
    try:
        frame = ep.flatten_json(body, **how)
    except EngagementError:
        return "refused"
    check_counts(frame)
    return frame


def holds(order: Any, body: bytes) -> None:
    """Check that the frame is the right one, and that what is right is not refused."""
    frame, right = flattened(body, group_by=order), said(body, order)
    if isinstance(frame, str):
        assert right == "refused" or is_told_elsewhere(as_utf8(body), "g")
    else:
        assert rows(frame) == right
        assert [COLUMNS[name] for name in frame.columns[:-1]] == [
            dimension for dimension in COLUMNS.values() if dimension in order
        ]


def holds_unasked(body: bytes) -> None:
    """Check that of several readings none is picked, and a wrong one never."""
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
def test_the_frame_is_right_or_refused(case: tuple[Any, bytes]) -> None:
    """Whatever is changed, for each of the 27 groupings."""
    holds(*case)


@pytest.mark.slow
@quickly
@given(bodies(FOURS))
def test_four_dimensions(case: tuple[Any, bytes]) -> None:
    """The biggest shape has a quick path beside the general one: they agree with the oracle."""
    order, body = case
    holds(order, body)


@pytest.mark.slow
@quickly
@given(bodies())
def test_dimensions_are_not_guessed(case: tuple[Any, bytes]) -> None:
    """Without the order: the one reading there is, or a refusal."""
    holds_unasked(case[1])


@pytest.mark.slow
@quickly
@given(st.sampled_from(SAMPLES).flatmap(scrambled))
def test_documented_answers_with_bytes_changed(body: bytes) -> None:
    """As they were captured, but for a byte or the end."""
    holds_unasked(body)


@pytest.mark.long
@thoroughly
@given(bodies())
def test_many_more(case: tuple[Any, bytes]) -> None:
    """The same, eight thousand times."""
    holds(*case)
    holds_unasked(case[1])


@pytest.mark.long
@thoroughly
@given(bodies(FOURS))
def test_many_more_of_four_dimensions(case: tuple[Any, bytes]) -> None:
    """The same, eight thousand times."""
    holds(*case)


@pytest.mark.slow
@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("accepted", [True, False])
def test_the_mutations_reach_both_paths_and_both_verdicts(*, fast: bool, accepted: bool) -> None:
    """Otherwise the property would say little."""

    def reaches(case: tuple[Any, bytes]) -> bool:
        order, body = case
        decoded = decode_grouping(body[body.find(b"{", 1) : -1], len(order))
        is_fast = decoded is not None and decoded.members() is not None
        return (is_fast, said(body, order) != "refused") == (fast, accepted)

    first = settings(quickly, max_examples=2_000, phases=[Phase.generate], database=None)
    assert reaches(find(bodies(FOURS), reaches, settings=first))


def test_the_oracle_itself() -> None:
    """On a body that was worked out by hand."""
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
