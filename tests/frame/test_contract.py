"""The tidy contract: empty frames, checks and timestamps."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.errors import FrameError
from engagement_pandas.frame.arrow_schema import counts_schema, omissions_schema
from engagement_pandas.frame.contract import (
    COUNT_COLUMNS,
    OMISSION_COLUMNS,
    REQUIRED_OMISSION_COLUMNS,
    TEXT,
    check_counts,
    check_omissions,
    empty_counts,
    empty_omissions,
    in_order,
    to_iso_utc,
)
from engagement_pandas.vocabulary.engagement_types import EngagementType


def counts() -> pd.DataFrame:
    """Return two hours of one post."""
    return ep.flatten_json({"g": {"123": {"impressions": {"2026-03-01": {"07": "5", "23": "6"}}}}})


def omissions_of_a_post() -> pd.DataFrame:
    """Return the omission of a deleted post."""
    request = ep.totals(["123"], engagement_types=["favorites"])
    return ep.omissions(ep.EngagementResponse(request, {"unavailable_tweet_ids": ["123"]}))


def test_an_empty_frame_has_every_dtype() -> None:
    """It has the columns of the contract in order; the API's counts have no source."""
    assert empty_counts(COUNT_COLUMNS).dtypes.to_dict() == dict(COUNT_COLUMNS)
    assert list(empty_counts()) == [name for name in COUNT_COLUMNS if name != "source"]
    assert empty_omissions().dtypes.to_dict() == {
        name: OMISSION_COLUMNS[name] for name in REQUIRED_OMISSION_COLUMNS
    }


def test_an_empty_frame_has_the_columns_of_its_grouping() -> None:
    """Absent dimensions have no column; the order is the contract's."""
    frame = empty_counts(("hour", "engagement_type"))
    assert list(frame.columns) == ["engagement_type", "hour", "count"]


@pytest.mark.filterwarnings("ignore:The behavior of DataFrame concatenation:FutureWarning")
def test_concatenated_empty_frames_keep_dtypes() -> None:
    """IDs do not become objects."""
    concatenated = pd.concat([empty_counts(), counts()], ignore_index=True)
    assert concatenated["post_id"].dtype == TEXT
    assert str(concatenated["count"].dtype) == "Int64"
    assert str(concatenated["day"].dtype) == "datetime64[us]"


def test_types_have_the_vocabularys_order() -> None:
    """All 18 have their order, followed by unknown types."""
    names = [str(engagement_type) for engagement_type in EngagementType]
    assert in_order(["b", *reversed(names), "a"]) == [*names, "a", "b"]


@pytest.mark.parametrize("frame", [empty_counts(), counts(), counts().iloc[::-1], counts()[1:]])
def test_valid_counts_pass_the_check(frame: pd.DataFrame) -> None:
    """Slices, any order and empty frames are valid."""
    check_counts(frame)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"post_id": [123, 123]}, "'post_id' is int64, not str; numbers may have lost digits"),
        ({"post_id": pd.array(["1", "1"], dtype="string")}, "'post_id' is string, not str"),
        ({"post_id": pd.Series(["1.06E+18", "1"], dtype=TEXT)}, "'1.06E\\+18'.*was a float"),
        ({"post_id": pd.Series(["12a", "1"], dtype=TEXT)}, "'12a'; an ID has 1 to 19 digits"),
        ({"post_id": pd.Series([None, "1"], dtype=TEXT)}, "'post_id' is missing in row 0"),
        ({"engagement_type": pd.Series(["a", "a"], dtype=TEXT)}, "is str, not category"),
        ({"engagement_type": pd.Categorical([1, 1])}, "engagement type 1 is not a name"),
        ({"day": pd.to_datetime(["2026-03-01 07:00"] * 2).as_unit("us")}, "07:00:00 is not at mid"),
        ({"day": pd.to_datetime(["2026-03-01"] * 2).as_unit("ns")}, r"datetime64\[ns\], not"),
        ({"hour": pd.Series([7, 24], dtype="int8")}, "the hour 24 is not from 0 to 23"),
        ({"hour": pd.Series([7, 7], dtype="int8")}, "'hour': '7'.* twice; keep one"),
        ({"hour": [7, 8]}, "'hour' is int64, not int8"),
        ({"count": [5.0, 6.0]}, "'count' is float64, not Int64"),
        ({"views": [1, 2]}, "no column 'views'.*drop it"),
    ],
)
def test_invalid_counts_are_refused(changes: dict[str, Any], message: str) -> None:
    """The message has the value and the cure."""
    with pytest.raises(FrameError, match=message):
        check_counts(counts().assign(**changes))


@pytest.mark.parametrize("missing", ["engagement_type", "count"])
def test_required_columns_may_not_be_absent(missing: str) -> None:
    """Counts have types and counts."""
    with pytest.raises(FrameError, match=f"counts lack the column '{missing}'"):
        check_counts(counts().drop(columns=missing))


def test_columns_out_of_order_are_refused() -> None:
    """The order is part of the contract."""
    with pytest.raises(FrameError, match="out of order"):
        check_counts(counts()[["count", "engagement_type"]])


def test_other_objects_are_refused() -> None:
    """A list of records is one."""
    with pytest.raises(FrameError, match="counts must be a DataFrame, not a list"):
        check_counts([])  # type: ignore[arg-type]


def test_omissions_with_other_reasons_are_refused() -> None:
    """The categories of reasons are fixed."""
    check_omissions(omissions_of_a_post())
    frame = omissions_of_a_post()
    frame["reason"] = pd.Categorical(["unavailable"])
    with pytest.raises(FrameError, match="categories of reason are \\['unavailable'\\]"):
        check_omissions(frame)


def test_a_check_changes_nothing() -> None:
    """The frame stays equal."""
    frame = counts()
    check_counts(frame)
    pd.testing.assert_frame_equal(frame, counts())


def test_timestamps_are_the_starts_of_hours() -> None:
    """They have a time zone, microseconds, and the index of the counts."""
    frame = counts().set_index(pd.Index([10, 20]))
    timestamps = ep.timestamps(frame)
    assert str(timestamps.dtype) == "datetime64[us, UTC]"
    assert timestamps.name == "timestamp"
    assert timestamps.to_dict() == {
        10: pd.Timestamp("2026-03-01T07:00Z"),
        20: pd.Timestamp("2026-03-01T23:00Z"),
    }


def test_timestamps_of_days_are_midnights() -> None:
    """The counts have no hours."""
    frame = ep.flatten_json({"g": {"impressions": {"2026-03-01": "5"}}})
    assert ep.timestamps(frame).to_list() == [pd.Timestamp("2026-03-01T00:00Z")]


def test_timestamps_of_an_empty_frame_are_empty() -> None:
    """The dtype is the same."""
    assert str(ep.timestamps(empty_counts()).dtype) == "datetime64[us, UTC]"


def test_hours_without_days_have_no_timestamps() -> None:
    """The message has the required grouping."""
    frame = ep.flatten_json({"g": {"impressions": {"07": "5"}}})
    with pytest.raises(FrameError, match=r"have no day.*group by 'engagement.day'"):
        ep.timestamps(frame)


def test_schemas_have_the_columns_of_the_contract() -> None:
    """The pyarrow schemas follow the tables."""
    assert counts_schema(list(COUNT_COLUMNS)).names == list(COUNT_COLUMNS)
    assert omissions_schema().names == list(OMISSION_COLUMNS)
    assert str(counts_schema().field("count").type) == "int64"
    assert str(counts_schema().field("day").type) == "timestamp[us]"


@pytest.mark.parametrize("timestamp", ["2026-03-01T09:30:00", "yesterday", 5])
def test_a_timestamp_needs_a_time_zone(timestamp: Any) -> None:
    """Naive times and other texts are refused."""
    with pytest.raises(FrameError, match=r"retrieved_at .* (no time zone|is not a time)"):
        to_iso_utc(timestamp)
